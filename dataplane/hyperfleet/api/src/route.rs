//! From a path to what it names.

use std::borrow::Cow;

use http::Method;
use hyperfleet_records::{Key, Kind};
use percent_encoding::percent_decode_str;

/// Where the API begins.
pub(crate) const BASE: &str = "/api/hyperfleet/v1";

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Which API this is.
    Metadata,
    Compatibility,
    /// The OpenAPI document.
    Document,
    /// The page that shows it.
    Page,
    /// A file of that page.
    Asset(String),
    /// Records of a kind, or those of a cluster.
    Collection(Kind, Option<String>),
    Record(Key),
    Statuses(Key),
    ForceDelete(Key),
}

/// What is asked of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Create,
    Patch,
    Delete,
    ForceDelete,
    ListStatuses,
    Report,
}

/// The target of a path; `None` where there is none. One slash at the end does not matter.
pub(crate) fn target(path: &str) -> Option<Target> {
    let path = path.strip_suffix('/').unwrap_or(path);
    match path {
        "/api/hyperfleet" => return Some(Target::Metadata),
        "/compatibility" => return Some(Target::Compatibility),
        "/openapi" => return Some(Target::Document),
        "/openapi-ui" => return Some(Target::Page),
        _ => {}
    }
    if let Some(file) = path.strip_prefix("/openapi-ui/") {
        return asset(file);
    }
    let segments: Vec<&str> = path.strip_prefix(BASE)?.strip_prefix('/')?.split('/').collect();
    Some(match segments.as_slice() {
        ["compatibility"] => Target::Compatibility,
        ["openapi"] => Target::Document,
        ["openapi.html"] => Target::Page,
        ["openapi-ui", file] => return asset(file),
        ["nodepools"] => Target::Collection(Kind::NodePool, None),
        ["clusters"] => Target::Collection(Kind::Cluster, None),
        ["clusters", cluster, rest @ ..] => {
            let cluster = id(cluster)?;
            match rest {
                [] => Target::Record(of_cluster(cluster)),
                ["statuses"] => Target::Statuses(of_cluster(cluster)),
                ["force-delete"] => Target::ForceDelete(of_cluster(cluster)),
                ["nodepools"] => Target::Collection(Kind::NodePool, Some(cluster)),
                ["nodepools", pool] => Target::Record(of_pool(cluster, id(pool)?)),
                ["nodepools", pool, "statuses"] => Target::Statuses(of_pool(cluster, id(pool)?)),
                ["nodepools", pool, "force-delete"] => Target::ForceDelete(of_pool(cluster, id(pool)?)),
                _ => return None,
            }
        }
        _ => return None,
    })
}

// === impl Target ===

impl Target {
    /// What `method` asks of it; `None` where that is not allowed.
    pub(crate) fn verb(&self, method: &Method) -> Option<Verb> {
        let verbs = self.verbs();
        verbs.iter().find(|(name, _)| *name == method.as_str()).map(|(_, verb)| *verb)
    }

    /// The methods that it takes.
    pub(crate) fn allowed(&self) -> String {
        self.verbs().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    fn verbs(&self) -> &'static [(&'static str, Verb)] {
        match self {
            Self::Metadata | Self::Compatibility | Self::Document | Self::Page | Self::Asset(_) => {
                &[("GET", Verb::Get)]
            }
            Self::Collection(Kind::NodePool, None) => &[("GET", Verb::List)],
            Self::Collection(..) => &[("GET", Verb::List), ("POST", Verb::Create)],
            Self::Record(_) => &[("DELETE", Verb::Delete), ("GET", Verb::Get), ("PATCH", Verb::Patch)],
            Self::Statuses(_) => &[("GET", Verb::ListStatuses), ("POST", Verb::Report), ("PUT", Verb::Report)],
            Self::ForceDelete(_) => &[("POST", Verb::ForceDelete)],
        }
    }

    /// Whether anybody may see it.
    pub(crate) fn public(&self) -> bool {
        matches!(self, Self::Metadata | Self::Document | Self::Page | Self::Asset(_))
    }

    /// Its path with `-` for ids, as the metrics name it.
    pub(crate) fn template(&self) -> &'static str {
        match self {
            Self::Metadata => "/api/hyperfleet",
            Self::Compatibility => "/api/hyperfleet/v1/compatibility",
            Self::Document => "/api/hyperfleet/v1/openapi",
            Self::Page => "/api/hyperfleet/v1/openapi.html",
            Self::Asset(_) => "/api/hyperfleet/v1/openapi-ui/-",
            Self::Collection(Kind::Cluster, _) => "/api/hyperfleet/v1/clusters",
            Self::Collection(Kind::NodePool, None) => "/api/hyperfleet/v1/nodepools",
            Self::Collection(Kind::NodePool, Some(_)) => "/api/hyperfleet/v1/clusters/-/nodepools",
            Self::Record(Key { kind: Kind::Cluster, .. }) => "/api/hyperfleet/v1/clusters/-",
            Self::Record(_) => "/api/hyperfleet/v1/clusters/-/nodepools/-",
            Self::Statuses(Key { kind: Kind::Cluster, .. }) => "/api/hyperfleet/v1/clusters/-/statuses",
            Self::Statuses(_) => "/api/hyperfleet/v1/clusters/-/nodepools/-/statuses",
            Self::ForceDelete(Key { kind: Kind::Cluster, .. }) => "/api/hyperfleet/v1/clusters/-/force-delete",
            Self::ForceDelete(_) => "/api/hyperfleet/v1/clusters/-/nodepools/-/force-delete",
        }
    }
}

fn asset(file: &str) -> Option<Target> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!file.is_empty() && file.bytes().all(plain)).then(|| Target::Asset(file.to_owned()))
}

fn of_cluster(id: String) -> Key {
    Key { kind: Kind::Cluster, owner: None, id }
}

fn of_pool(cluster: String, id: String) -> Key {
    Key { kind: Kind::NodePool, owner: Some(cluster), id }
}

/// A segment as an id. What cannot be one (a NUL, no UTF-8) becomes one that nothing has.
fn id(segment: &str) -> Option<String> {
    if segment.is_empty() {
        return None;
    }
    let decoded = percent_decode_str(segment).decode_utf8_lossy();
    Some(if decoded.contains('\0') { decoded.replace('\0', "\u{fffd}") } else { Cow::into_owned(decoded) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(id: &str) -> Key {
        of_cluster(id.to_owned())
    }

    fn pool(cluster: &str, id: &str) -> Key {
        of_pool(cluster.to_owned(), id.to_owned())
    }

    #[test]
    fn each_path_names_its_target_with_or_without_a_slash() {
        let cases = [
            ("/api/hyperfleet", Target::Metadata),
            ("/api/hyperfleet/v1/compatibility", Target::Compatibility),
            ("/api/hyperfleet/v1/openapi", Target::Document),
            ("/openapi", Target::Document),
            ("/openapi-ui", Target::Page),
            ("/api/hyperfleet/v1/openapi.html", Target::Page),
            ("/openapi-ui/swagger-ui.css", Target::Asset("swagger-ui.css".into())),
            ("/api/hyperfleet/v1/clusters", Target::Collection(Kind::Cluster, None)),
            ("/api/hyperfleet/v1/nodepools", Target::Collection(Kind::NodePool, None)),
            ("/api/hyperfleet/v1/clusters/a", Target::Record(cluster("a"))),
            ("/api/hyperfleet/v1/clusters/a%2Fb", Target::Record(cluster("a/b"))),
            ("/api/hyperfleet/v1/clusters/a/nodepools", Target::Collection(Kind::NodePool, Some("a".into()))),
            ("/api/hyperfleet/v1/clusters/a/nodepools/b", Target::Record(pool("a", "b"))),
            ("/api/hyperfleet/v1/clusters/a/statuses", Target::Statuses(cluster("a"))),
            ("/api/hyperfleet/v1/clusters/a/nodepools/b/statuses", Target::Statuses(pool("a", "b"))),
            ("/api/hyperfleet/v1/clusters/a/force-delete", Target::ForceDelete(cluster("a"))),
        ];
        for (path, expected) in cases {
            assert_eq!(target(path).as_ref(), Some(&expected), "{path}");
            assert_eq!(target(&format!("{path}/")), Some(expected), "{path}/");
        }
    }

    #[test]
    fn other_paths_name_nothing() {
        for path in [
            "/",
            "",
            "/api/hyperfleet/v1",
            "/api/hyperfleet/v1/clusters//",
            "/api/hyperfleet/v1//clusters",
            "/api/hyperfleet/v1/nodepools/a",
            "/api/hyperfleet/v1/clusters/a/b",
            "/api/hyperfleet/v1/errors/7",
            "/openapi-ui/../etc/passwd",
            "/openapi-ui/%2e%2e",
        ] {
            assert_eq!(target(path), None, "{path}");
        }
    }

    #[test]
    fn methods_that_a_target_does_not_take_are_none_and_the_others_are_named() {
        let statuses = target("/api/hyperfleet/v1/clusters/a/statuses").expect("it is one");
        assert_eq!(statuses.verb(&Method::PUT), Some(Verb::Report));
        assert_eq!(statuses.verb(&Method::HEAD), None);
        assert_eq!(statuses.allowed(), "GET, POST, PUT");
        assert_eq!(target("/openapi").expect("it is one").verb(&Method::POST), None);
    }

    #[test]
    fn an_id_that_cannot_be_one_is_one_that_nothing_has() {
        assert_eq!(id("a%00b").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(id("%ff").as_deref(), Some("\u{fffd}"));
    }
}
