//! Certificates of any kind, the bad ones too.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A CA.
pub(crate) struct Authority {
    pub(crate) pem: String,
    chain: Vec<CertificateDer<'static>>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate that a client shows.
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pem: (String, String),
}

/// What a certificate says.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) name: &'static str,
    pub(crate) group: Option<&'static str>,
    pub(crate) usage: ExtendedKeyUsagePurpose,
    pub(crate) valid: (SystemTime, SystemTime),
}

// === impl Authority ===

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, chain: Vec::new(), issuer: Issuer::new(params, key) }
    }

    /// A CA below this one.
    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { pem: certificate.pem(), chain: vec![certificate.der().clone()], issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, leaf: &Leaf) -> Shown {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name = named(leaf.name);
        if let Some(group) = leaf.group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![leaf.usage.clone()];
        (params.not_before, params.not_after) = (leaf.valid.0.into(), leaf.valid.1.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.chain.iter().cloned());
        Shown {
            chain,
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            pem: (certificate.pem(), key.serialize_pem()),
        }
    }

    pub(crate) fn client(&self, name: &'static str) -> Shown {
        self.issue(&Leaf::client(name))
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

// === impl Leaf ===

impl Leaf {
    pub(crate) fn client(name: &'static str) -> Self {
        let now = runtime::clock::system()();
        Self { name, group: None, usage: ExtendedKeyUsagePurpose::ClientAuth, valid: (now - DAY, now + DAY) }
    }

    pub(crate) fn server() -> Self {
        Self { usage: ExtendedKeyUsagePurpose::ServerAuth, ..Self::client("localhost") }
    }
}

// === impl Shown ===

impl Clone for Shown {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key(), pem: self.pem.clone() }
    }
}
