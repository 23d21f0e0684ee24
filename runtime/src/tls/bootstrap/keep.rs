//! A folder of certificates, of which the good ones are kept.

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustls_pki_types::UnixTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Pair;
use crate::{
    files,
    tls::{
        ClientRoots, Error, Identity, certificates,
        mint::{self, LEAF_VALID, Minted, RENEW_BEFORE, Use},
    },
};

/// A folder that only its owner may enter.
pub(super) struct Folder {
    dir: PathBuf,
}

// === impl Folder ===

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| files::Error::new(dir, source))?;
        Ok(Self { dir: dir.to_owned() })
    }

    pub(super) fn pair(&self, stem: &str) -> Pair {
        Pair { cert: self.dir.join(format!("{stem}.crt")), key: self.dir.join(format!("{stem}.key")) }
    }

    /// The CA, made anew when it would not outlive the certificates that it is about to vouch for.
    pub(super) fn authority(&self, name: &str, now: SystemTime) -> Result<Minted, Error> {
        match self.read("ca") {
            Some(ca) if ends_after(&ca.cert, now + LEAF_VALID + RENEW_BEFORE) => Ok(ca),
            _ => self.write("ca", mint::authority(name, now)?),
        }
    }

    /// A certificate of the CA, made anew when the one that is there is not good enough.
    pub(super) fn leaf(&self, ca: &Minted, stem: &str, purpose: &Use, now: SystemTime) -> Result<Minted, Error> {
        match self.read(stem) {
            Some(leaf) if is_good(&leaf.cert, ca, purpose, now + RENEW_BEFORE) => Ok(leaf),
            _ => self.write(stem, mint::leaf(ca, purpose, now)?),
        }
    }

    /// A certificate and its key, if both are there and belong together.
    fn read(&self, stem: &str) -> Option<Minted> {
        let pair = self.pair(stem);
        let minted = Minted { cert: fs::read_to_string(pair.cert).ok()?, key: fs::read_to_string(pair.key).ok()? };
        Identity::parse(minted.cert.as_bytes(), minted.key.as_bytes()).ok()?;
        Some(minted)
    }

    fn write(&self, stem: &str, minted: Minted) -> Result<Minted, Error> {
        let pair = self.pair(stem);
        files::write_private(&pair.key, minted.key.as_bytes())?;
        files::write_private(&pair.cert, minted.cert.as_bytes())?;
        tracing::info!("made the certificate {}", pair.cert.display());
        Ok(minted)
    }
}

/// Whether a certificate is of the CA, for the purpose, and still will be at `then`.
fn is_good(cert: &str, ca: &Minted, purpose: &Use, then: SystemTime) -> bool {
    if !ends_after(cert, then) {
        return false;
    }
    match purpose {
        Use::Client { .. } => is_client_of(cert, ca, then),
        Use::Server { names } => {
            is_issued_by(cert, ca) && names_of(cert).is_some_and(|have| have == names.iter().cloned().collect())
        }
    }
}

fn is_client_of(cert: &str, ca: &Minted, then: SystemTime) -> bool {
    let (Ok(chain), Ok(roots)) = (certificates(cert.as_bytes()), ClientRoots::parse(ca.cert.as_bytes())) else {
        return false;
    };
    let then = then.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    roots.verify(&chain, UnixTime::since_unix_epoch(then)).is_ok()
}

/// By key identifier, which is a hash of the CA's key: a CA that is made anew has another one.
fn is_issued_by(cert: &str, ca: &Minted) -> bool {
    use x509_parser::extensions::ParsedExtension::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
    let issuer = parse(cert, |cert| {
        cert.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
            _ => None,
        })
    });
    let subject = parse(&ca.cert, |ca| {
        ca.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        })
    });
    issuer.flatten().is_some_and(|issuer| subject.flatten() == Some(issuer))
}

fn ends_after(cert: &str, then: SystemTime) -> bool {
    let then = then.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    parse(cert, |cert| cert.validity().not_after.timestamp())
        .and_then(|end| u64::try_from(end).ok())
        .is_some_and(|end| end > then)
}

fn names_of(cert: &str) -> Option<BTreeSet<String>> {
    parse(cert, |cert| {
        let names = cert.subject_alternative_name().ok()??;
        names.value.general_names.iter().map(name_of).collect()
    })?
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => <[u8; 4]>::try_from(*bytes)
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from))
            .ok()
            .map(|address| address.to_string()),
        _ => None,
    }
}

fn parse<T>(pem: &str, read: impl FnOnce(&X509Certificate<'_>) -> T) -> Option<T> {
    let certificates = certificates(pem.as_bytes()).ok()?;
    let (_, certificate) = X509Certificate::from_der(certificates.first()?).ok()?;
    Some(read(&certificate))
}
