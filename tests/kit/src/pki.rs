//! Certificate authorities for tests.

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub cert: String,
    /// The private key, PKCS #8.
    pub key: String,
}

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    cert: String,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    /// A new self-signed authority.
    pub fn new(common_name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).context("an authority has no names")?;
        params.distinguished_name = subject(common_name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().context("generating a key")?;
        let cert = params.self_signed(&key).context("signing an authority")?.pem();
        Ok(Self { cert, issuer: Issuer::new(params, key) })
    }

    /// Its certificate, PEM.
    #[must_use]
    pub fn cert(&self) -> &str {
        &self.cert
    }

    /// A serving certificate for these names and addresses.
    pub fn server(&self, names: &[&str]) -> Result<Pair> {
        self.issue(names.first().unwrap_or(&"server"), None, names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate: `user` becomes the user's name, `group` its group.
    pub fn client(&self, user: &str, group: Option<&str>) -> Result<Pair> {
        self.issue(user, group, &[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, name: &str, group: Option<&str>, sans: &[&str], usage: ExtendedKeyUsagePurpose) -> Result<Pair> {
        let sans: Vec<String> = sans.iter().map(|&san| san.to_owned()).collect();
        let mut params = CertificateParams::new(sans).context("naming a certificate")?;
        params.distinguished_name = subject(name, group);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().context("generating a key")?;
        let cert = params.signed_by(&key, &self.issuer).context("signing a certificate")?;
        Ok(Pair { cert: cert.pem(), key: key.serialize_pem() })
    }
}

fn subject(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn issues_pem_pairs() {
        let authority = Authority::new("test-ca").unwrap();
        let pair = authority.client("alice", Some("system:masters")).unwrap();
        assert!(authority.cert().starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(pair.cert.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(pair.key.starts_with("-----BEGIN PRIVATE KEY-----"));
    }
}
