//! What a request asks for, read from its method, path and query alone.
//!
//! The path is percent-decoded before it is split, as the kube-apiserver does, so `%2F` is a separator here too. What is
//! authorized and what is served follow from this one reading.

use std::fmt;

use http::{
    HeaderMap, Method, Uri,
    header::{ACCEPT, USER_AGENT},
};
use machinery::negotiate;
use percent_encoding::percent_decode_str;

/// A request's method, path and query, read once and kept in the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// The decoded path.
    pub path: String,
    /// The method.
    pub method: Method,
    /// The `Accept` header.
    pub accept: String,
    /// Whether the answer shall be indented.
    pub pretty: bool,
    /// The decoded query, in order; a name may come more than once.
    pub query: Vec<(String, String)>,
    /// What is asked for.
    pub target: Target,
    /// The verb that it is authorized and counted as.
    pub verb: Verb,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Objects of a resource: `/apis/GROUP/VERSION/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]]`.
    Resource(ResourcePath),
    /// Anything else.
    Other,
}

/// The parts of a resource's path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Namespace, when the path names one.
    pub namespace: Option<String>,
    /// Plural resource name.
    pub resource: String,
    /// Object name; `None` is the collection.
    pub name: Option<String>,
    /// Subresource, such as `status`.
    pub subresource: Option<String>,
}

/// The verb of a request, in RBAC's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads a collection.
    List,
    /// Follows a collection.
    Watch,
    /// Makes an object, or asks for an action.
    Create,
    /// Replaces an object.
    Update,
    /// Changes parts of an object.
    Patch,
    /// Removes an object.
    Delete,
    /// Removes the objects of a collection.
    DeleteCollection,
    /// A verb of old that a path can still name, and that nothing answers to.
    Proxy,
    /// A method that no verb stands for.
    Unknown,
}

// === impl RequestInfo ===

impl RequestInfo {
    /// Reads a request line, and what its answer may be.
    pub fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let accept =
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
        let query = parse_query(uri.query().unwrap_or_default());
        let pretty = negotiate::pretty(first(&query, "pretty"), agent);
        let (target, named) = match parse_path(&path) {
            Some((path, verb)) => (Target::Resource(path), verb),
            None => (Target::Other, None),
        };
        let verb = named.unwrap_or_else(|| Verb::new(method, &target, &query));
        Self { path, method: method.clone(), accept, pretty, query, target, verb }
    }

    /// The first value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// Whether the answer goes on until the client or a timeout ends it.
    pub fn long_running(&self) -> bool {
        self.verb == Verb::Watch
    }
}

// === impl Verb ===

impl Verb {
    fn new(method: &Method, target: &Target, query: &[(String, String)]) -> Self {
        let collection = matches!(target, Target::Resource(path) if path.name.is_none());
        match (method.as_str(), collection) {
            ("GET" | "HEAD", true) if watches(query) => Self::Watch,
            ("GET" | "HEAD", true) => Self::List,
            ("GET" | "HEAD", false) => Self::Get,
            ("POST", _) => Self::Create,
            ("PUT", _) => Self::Update,
            ("PATCH", _) => Self::Patch,
            ("DELETE", true) => Self::DeleteCollection,
            ("DELETE", false) => Self::Delete,
            _ => Self::Unknown,
        }
    }

    /// The verb as RBAC and the metrics name it; empty when unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Proxy => "proxy",
            Self::Unknown => "",
        }
    }

    /// Whether the verb changes anything.
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Patch | Self::Delete | Self::DeleteCollection)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn first<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// `watch`, `watch=1` and `watch=true` watch; Go's conversion takes anything but `0` and `false` for true.
fn watches(query: &[(String, String)]) -> bool {
    first(query, "watch").is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
}

/// As Go reads a query: a pair that holds a semicolon, or is badly encoded, is dropped.
fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';') && is_encoded(pair))
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Whether two hexadecimal digits follow every percent sign.
fn is_encoded(text: &str) -> bool {
    let digits = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    text.split('%').skip(1).all(digits)
}

/// The parts of a resource's path, and the verb if it names one.
///
/// Slashes at the end do not count. An empty segment elsewhere is an empty name: no namespace, or a collection. What
/// follows a subresource is its own affair.
fn parse_path(path: &str) -> Option<(ResourcePath, Option<Verb>)> {
    let segments: Vec<&str> = path.strip_prefix("/apis/")?.trim_end_matches('/').split('/').collect();
    let [group, version, rest @ ..] = segments.as_slice() else { return None };
    let (verb, rest) = match rest {
        ["watch", rest @ ..] => (Some(Verb::Watch), rest),
        ["proxy", rest @ ..] => (Some(Verb::Proxy), rest),
        rest => (None, rest),
    };
    let (namespace, rest) = match rest {
        // These are a namespace's own.
        ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize", ..] => (*namespace, rest),
        ["namespaces", namespace, rest @ ..] => (*namespace, rest),
        rest => ("", rest),
    };
    let named = |at: usize| rest.get(at).copied().filter(|segment| !segment.is_empty()).map(str::to_owned);
    let path = ResourcePath {
        group: (*group).to_owned(),
        version: (*version).to_owned(),
        namespace: Some(namespace).filter(|namespace| !namespace.is_empty()).map(str::to_owned),
        resource: (*rest.first()?).to_owned(),
        name: named(1),
        subresource: named(2).filter(|_| verb != Some(Verb::Proxy)),
    };
    Some((path, verb))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn info(method: &str, uri: &str) -> RequestInfo {
        RequestInfo::new(&method.parse().unwrap(), &uri.parse().unwrap(), &HeaderMap::new())
    }

    /// Namespace, resource, name and subresource.
    type Parts = (Option<String>, String, Option<String>, Option<String>);

    fn path(uri: &str) -> Option<Parts> {
        match info("GET", uri).target {
            Target::Resource(path) => Some((path.namespace, path.resource, path.name, path.subresource)),
            Target::Other => None,
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn paths_are_split_as_the_kube_apiserver_splits_them() {
        assert_eq!(path("/apis/g/v1/widgets"), Some((None, "widgets".to_owned(), None, None)));
        assert_eq!(path("/apis/g/v1/widgets/"), Some((None, "widgets".to_owned(), None, None)));
        assert_eq!(path("/apis/g/v1/namespaces/n/widgets"), Some((some("n"), "widgets".to_owned(), None, None)));
        assert_eq!(
            path("/apis/g/v1/namespaces/n/widgets/a/status"),
            Some((some("n"), "widgets".to_owned(), some("a"), some("status")))
        );
        assert_eq!(
            path("/apis/g/v1/widgets/a/status/more"),
            Some((None, "widgets".to_owned(), some("a"), some("status")))
        );
        assert_eq!(
            path("/apis/g/v1/namespaces/n/widgets/a%2Fb"),
            Some((some("n"), "widgets".to_owned(), some("a"), some("b")))
        );
        assert_eq!(path("/apis/g/v1/namespaces/n"), Some((some("n"), "namespaces".to_owned(), some("n"), None)));
    }

    #[test]
    fn empty_segments_are_empty_names() {
        assert_eq!(path("/apis/g/v1/widgets///"), Some((None, "widgets".to_owned(), None, None)));
        assert_eq!(path("/apis/g/v1/namespaces//widgets"), Some((None, "widgets".to_owned(), None, None)));
        assert_eq!(path("/apis/g/v1/widgets//a"), Some((None, "widgets".to_owned(), None, some("a"))));
        assert_eq!(info("GET", "/apis/g/v1/widgets//a").verb, Verb::List);
    }

    #[test]
    fn a_namespaces_own_subresources_are_no_resources() {
        let status = Some((some("n"), "namespaces".to_owned(), some("n"), some("status")));
        assert_eq!(path("/apis/g/v1/namespaces/n/status"), status);
    }

    #[test]
    fn a_path_can_name_the_verb() {
        let watch = info("GET", "/apis/g/v1/watch/namespaces/n/widgets/a");
        assert_eq!(
            (watch.verb, path("/apis/g/v1/watch/namespaces/n/widgets/a")),
            (Verb::Watch, Some((some("n"), "widgets".to_owned(), some("a"), None)))
        );
        assert_eq!(info("POST", "/apis/g/v1/watch/widgets").verb, Verb::Watch);
        assert_eq!(info("GET", "/apis/g/v1/proxy/widgets/a/b").verb, Verb::Proxy);
        assert_eq!(path("/apis/g/v1/watch"), None);
    }

    #[test]
    fn what_is_no_resource_is_other() {
        for uri in ["/", "/apis", "/apis/", "/apis/g", "/apis/g/v1", "/apis/g/v1//", "//apis/g/v1/widgets", "/version"]
        {
            assert_eq!(info("GET", uri).target, Target::Other, "{uri}");
        }
    }

    #[test]
    fn verbs_follow_method_collection_and_watch() {
        let cases = [
            ("GET", "/apis/g/v1/widgets", Verb::List),
            ("HEAD", "/apis/g/v1/widgets", Verb::List),
            ("GET", "/apis/g/v1/widgets?watch=1", Verb::Watch),
            ("GET", "/apis/g/v1/widgets?watch=False", Verb::List),
            ("GET", "/apis/g/v1/widgets/a?watch=1", Verb::Get),
            ("POST", "/apis/g/v1/widgets", Verb::Create),
            ("PUT", "/apis/g/v1/widgets/a", Verb::Update),
            ("PATCH", "/apis/g/v1/widgets/a", Verb::Patch),
            ("DELETE", "/apis/g/v1/widgets/a", Verb::Delete),
            ("DELETE", "/apis/g/v1/widgets", Verb::DeleteCollection),
            ("FOO", "/apis/g/v1/widgets", Verb::Unknown),
            ("GET", "/version", Verb::Get),
        ];
        for (method, uri, verb) in cases {
            assert_eq!(info(method, uri).verb, verb, "{method} {uri}");
        }
    }

    #[test]
    fn queries_are_decoded_and_keep_repetitions() {
        let info = info("GET", "/apis/g/v1/widgets?labelSelector=a+in+(b%2Cc)&dryRun=All&dryRun=x&flag");
        assert_eq!(info.param("labelSelector"), Some("a in (b,c)"));
        assert_eq!(info.query.iter().filter(|(key, _)| key == "dryRun").count(), 2);
        assert_eq!(info.param("flag"), Some(""));
    }

    #[test]
    fn pairs_that_go_does_not_read_are_dropped() {
        let info = info("GET", "/apis/g/v1/widgets?a=%zz&b=%e&limit=1;x&c=%31&d%=1");
        assert_eq!(info.query, [("c".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn people_get_indented_answers() {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, "curl/8.5.0".parse().unwrap());
        let pretty = |uri: &str| RequestInfo::new(&Method::GET, &uri.parse().unwrap(), &headers).pretty;
        assert!(pretty("/apis/g/v1/widgets") && !pretty("/apis/g/v1/widgets?pretty=false"));
    }
}
