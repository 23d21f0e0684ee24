//! What expressions ask of an authorizer.

use super::{budget::Fault, value::Val};

/// A question for the authorizer. It is for a path, or for a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// Namespace and name of the service account that it is about; else it is about who made the request.
    pub service_account: Option<(String, String)>,
    /// What is to be done.
    pub verb: String,
    /// The path of what is no resource.
    pub path: Option<String>,
    /// The API group.
    pub group: String,
    /// The plural name of the resource.
    pub resource: String,
    /// The subresource.
    pub subresource: String,
    /// The namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// A field selector, as it was written.
    pub field_selector: String,
    /// A label selector, as it was written.
    pub label_selector: String,
}

/// What the authorizer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, for people.
    pub reason: String,
    /// Why it could not be decided.
    pub error: Option<String>,
}

/// How far a question is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Authorizer(Access),
    Path(Access),
    Group(Access),
    Resource(Access),
    Decided(Decision),
}

pub(super) const AUTHORIZER: &str = "kubernetes.authorization.Authorizer";
pub(super) const PATH_CHECK: &str = "kubernetes.authorization.PathCheck";
pub(super) const GROUP_CHECK: &str = "kubernetes.authorization.GroupCheck";
pub(super) const RESOURCE_CHECK: &str = "kubernetes.authorization.ResourceCheck";
pub(super) const DECISION: &str = "kubernetes.authorization.Decision";

// === impl Access ===

impl Access {
    /// The value of `authorizer`.
    pub fn authorizer<'a>() -> Val<'a> {
        Check::Authorizer(Access::default()).into_val()
    }

    /// The value of a check of a resource.
    pub fn into_resource<'a>(self) -> Val<'a> {
        Check::Resource(self).into_val()
    }
}

// === impl Check ===

impl Check {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Check::Authorizer(_) => AUTHORIZER,
            Check::Path(_) => PATH_CHECK,
            Check::Group(_) => GROUP_CHECK,
            Check::Resource(_) => RESOURCE_CHECK,
            Check::Decided(_) => DECISION,
        }
    }

    pub(super) fn into_val<'a>(self) -> Val<'a> {
        Val::Check(self.into())
    }

    /// The question, if it can be asked.
    pub(super) fn ask(&self, verb: &str) -> Result<Access, Fault> {
        match self {
            Check::Path(access) | Check::Resource(access) => Ok(Access { verb: verb.to_owned(), ..access.clone() }),
            _ => Err(Fault::overload()),
        }
    }
}
