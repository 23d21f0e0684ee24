//! Values of Kubernetes' libraries.

mod address;
mod named;
mod quantity;
mod semver;
mod url;

pub(super) use address::{Cidr, read_address};
pub(super) use named::Named;
pub(super) use quantity::Quantity;
pub(super) use semver::Version;
pub(super) use url::Url;

use std::net::IpAddr;

use super::value::Val;

pub(super) const IP: &str = "net.IP";
pub(super) const CIDR: &str = "net.CIDR";
pub(super) const QUANTITY: &str = "kubernetes.Quantity";
pub(super) const SEMVER: &str = "kubernetes.Semver";
pub(super) const URL: &str = "kubernetes.URL";
pub(super) const FORMAT: &str = "kubernetes.NamedFormat";

/// A value of a library.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Library {
    Ip(IpAddr),
    Cidr(Cidr),
    Quantity(Quantity),
    Semver(Version),
    Url(Url),
    Format(&'static Named),
}

// === impl Library ===

impl Library {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Library::Ip(_) => IP,
            Library::Cidr(_) => CIDR,
            Library::Quantity(_) => QUANTITY,
            Library::Semver(_) => SEMVER,
            Library::Url(_) => URL,
            Library::Format(_) => FORMAT,
        }
    }

    pub(super) fn into_val<'a>(self) -> Val<'a> {
        Val::Library(self.into())
    }
}
