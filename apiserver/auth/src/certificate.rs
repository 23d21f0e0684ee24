//! What a client certificate says of its owner. Whether to believe it is decided elsewhere.

use std::collections::BTreeMap;

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::User;

/// Where the kube-apiserver, too, says which credential somebody came with.
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// The common name of a certificate, if it has exactly one that is not empty.
pub(crate) fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    one_common_name(&parsed)
}

/// The user that a certificate is for: its common name, in the groups that its organizations are.
pub(crate) fn user(certificate: &CertificateDer<'_>) -> Option<User> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let groups = parsed.subject().iter_organization().map(|group| group.as_str().map(str::to_owned));
    let fingerprint: String = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(User {
        name: one_common_name(&parsed)?,
        groups: groups.collect::<Result<_, _>>().ok()?,
        extra: BTreeMap::from([(CREDENTIAL_ID.to_owned(), vec![format!("X509SHA256={fingerprint}")])]),
        ..User::default()
    })
}

/// Two common names are none: which of them counts would depend on who reads.
fn one_common_name(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    (names.next().is_none() && !name.is_empty()).then(|| name.to_owned())
}
