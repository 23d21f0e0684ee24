//! What is asked for, in RBAC's words, and how it is refused.

use machinery::{GroupResource, status::Status};

use crate::User;

/// What a request wants to do. Either `resource` or `path` is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// `get`, `list`, `deletecollection` …; for a path the method in small letters.
    pub verb: String,
    /// The API group; empty is the core group.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The plural name of the resource.
    pub resource: String,
    /// The subresource.
    pub subresource: String,
    /// The namespace; empty is all of them, or a resource that has none.
    pub namespace: String,
    /// The object's name; empty is a collection.
    pub name: String,
    /// The path of a request that is for no resource.
    pub path: String,
    /// What the field selector requires, if there is one that can be parsed: it only narrows.
    pub fields: Vec<Requirement>,
    /// What the label selector requires, likewise.
    pub labels: Vec<Requirement>,
}

/// One requirement of a selector, as reviews have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label's key or the field's path.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: &'static str,
    /// The values of the first two.
    pub values: Vec<String>,
}

// === impl Attributes ===

impl Attributes {
    /// A request for something that is no resource.
    pub fn path(verb: &str, path: &str) -> Self {
        Self { verb: verb.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// Whether a resource is asked for.
    pub fn is_resource(&self) -> bool {
        !self.resource.is_empty()
    }
}

/// The answer to a request that `user` may not make. `reason` is the authorizer's, if it gives one.
pub fn forbidden(user: &User, attributes: &Attributes, reason: &str) -> Status {
    let mut why = escape(&sentence(user, attributes));
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    let resource = GroupResource { group: attributes.group.clone(), resource: attributes.resource.clone() };
    Status::forbidden(&resource, &attributes.name, &why)
}

fn sentence(user: &User, attributes: &Attributes) -> String {
    let Attributes { verb, group, resource, subresource, namespace, path, .. } = attributes;
    let name = &user.name;
    if !attributes.is_resource() {
        return format!("User {name:?} cannot {verb} path {path:?}");
    }
    let resource = if subresource.is_empty() { resource.clone() } else { format!("{resource}/{subresource}") };
    let scope = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {namespace:?}")
    };
    format!("User {name:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}")
}

/// A browser must not take a name for markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> User {
        User { name: "bob".to_owned(), ..User::default() }
    }

    fn widgets() -> Attributes {
        Attributes {
            verb: "list".to_owned(),
            group: "gold.example.com".to_owned(),
            resource: "widgets".to_owned(),
            namespace: "default".to_owned(),
            ..Attributes::default()
        }
    }

    #[test]
    fn refusals_say_what_the_kube_apiserver_says() {
        let status = Attributes {
            verb: "patch".to_owned(),
            name: "a".to_owned(),
            subresource: "status".to_owned(),
            ..widgets()
        };
        let cases = [
            (
                widgets(),
                "",
                r#"widgets.gold.example.com is forbidden: User "bob" cannot list resource "widgets" in API group "gold.example.com" in the namespace "default""#,
            ),
            (
                Attributes { namespace: String::new(), ..widgets() },
                "no RBAC policy matched",
                r#"widgets.gold.example.com is forbidden: User "bob" cannot list resource "widgets" in API group "gold.example.com" at the cluster scope: no RBAC policy matched"#,
            ),
            (
                status,
                "",
                r#"widgets.gold.example.com "a" is forbidden: User "bob" cannot patch resource "widgets/status" in API group "gold.example.com" in the namespace "default""#,
            ),
            (Attributes::path("get", "/metrics"), "", r#"forbidden: User "bob" cannot get path "/metrics""#),
        ];
        for (attributes, reason, message) in cases {
            let status = forbidden(&bob(), &attributes, reason);
            assert_eq!((status.code, status.message.as_str()), (403, message));
        }
    }

    #[test]
    fn a_refusal_holds_no_markup() {
        let status = forbidden(&bob(), &Attributes::path("get", "/<script>&"), "");
        assert_eq!(status.message, r#"forbidden: User "bob" cannot get path "/&lt;script&gt;&amp;""#);
    }
}
