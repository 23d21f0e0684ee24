//! Making certificates.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Clocks differ: what is made is valid a little earlier.
const SKEW: Duration = Duration::from_secs(5 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a CA is valid.
pub(super) const CA_VALID: Duration = DAY.saturating_mul(3650);
/// How long a certificate is valid.
pub(super) const LEAF_VALID: Duration = DAY.saturating_mul(365);
/// A certificate is made anew when less than this is left of it.
pub(super) const RENEW_BEFORE: Duration = DAY.saturating_mul(30);

/// A certificate and its key, as PEM.
pub(super) struct Minted {
    pub(super) cert: String,
    pub(super) key: String,
}

/// What a certificate is for.
#[derive(Debug, Clone)]
pub(super) enum Use {
    /// A server under these DNS names and addresses.
    Server { names: Vec<String> },
    /// A client: a user and, if any, the user's group.
    Client { user: &'static str, group: Option<&'static str> },
}

/// Makes a CA.
pub(super) fn authority(name: &str, now: SystemTime) -> Result<Minted, rcgen::Error> {
    let mut params = params(name, CA_VALID, now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    Ok(Minted { cert: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// Makes a certificate that a CA vouches for.
pub(super) fn leaf(ca: &Minted, purpose: &Use, now: SystemTime) -> Result<Minted, rcgen::Error> {
    let issuer = Issuer::from_ca_cert_pem(&ca.cert, KeyPair::from_pem(&ca.key)?)?;
    let (mut params, eku) = match purpose {
        Use::Server { names } => {
            let mut params = params("outrigger", LEAF_VALID, now)?;
            params.subject_alt_names = CertificateParams::new(names.clone())?.subject_alt_names;
            (params, ExtendedKeyUsagePurpose::ServerAuth)
        }
        Use::Client { user, group } => {
            let mut params = params(user, LEAF_VALID, now)?;
            if let Some(group) = group {
                params.distinguished_name.push(DnType::OrganizationName, *group);
            }
            (params, ExtendedKeyUsagePurpose::ClientAuth)
        }
    };
    params.extended_key_usages = vec![eku];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok(Minted { cert: params.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

fn params(name: &str, valid: Duration, now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = (now - SKEW).into();
    params.not_after = (now + valid).into();
    Ok(params)
}
