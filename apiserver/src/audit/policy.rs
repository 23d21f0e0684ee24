//! How much is told of which request: a Policy of `audit.k8s.io/v1`. The first rule that matches decides; a request that
//! none matches is not told of.

use serde::Deserialize;
use serde_json::Value;

use crate::request::{RequestInfo, Target};

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Level {
    /// Nothing.
    None,
    /// Who, what, when, and what came of it.
    #[default]
    Metadata,
    /// Also the request's object.
    Request,
    /// Also the answer's.
    RequestResponse,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Stage {
    /// It is known who asks.
    RequestReceived,
    /// The answer has begun, and goes on for long.
    ResponseStarted,
    /// The answer is complete.
    ResponseComplete,
    /// The request ended by a fault of ours.
    Panic,
}

/// The policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Policy {
    api_version: String,
    kind: String,
    #[serde(default)]
    #[expect(dead_code, reason = "every object has it")]
    metadata: Value,
    rules: Vec<Rule>,
    #[serde(default)]
    omit_stages: Vec<Stage>,
    #[serde(default)]
    omit_managed_fields: bool,
}

/// What is told of some requests. An empty list matches all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) level: Level,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    user_groups: Vec<String>,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    resources: Vec<Resources>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default, rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
    #[serde(default)]
    pub(super) omit_stages: Vec<Stage>,
    #[serde(default)]
    pub(super) omit_managed_fields: bool,
}

/// Resources of a group; all of them if none is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resources {
    #[serde(default)]
    group: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
}

// === impl Policy ===

impl Policy {
    /// Reads a document.
    pub(super) fn parse(document: Value) -> Result<Self, String> {
        let mut policy: Self = serde_json::from_value(document).map_err(|error| error.to_string())?;
        if (policy.api_version.as_str(), policy.kind.as_str()) != ("audit.k8s.io/v1", "Policy") {
            return Err(format!("it is {}, {}", policy.api_version, policy.kind));
        }
        if policy.rules.is_empty() {
            return Err("it has no rules".to_owned());
        }
        for (at, rule) in policy.rules.iter_mut().enumerate() {
            let of_resources = !rule.resources.is_empty() || !rule.namespaces.is_empty();
            if of_resources && !rule.non_resource_urls.is_empty() {
                return Err(format!("rules[{at}] is both for resources and for nonResourceURLs"));
            }
            rule.omit_stages.extend(policy.omit_stages.iter().copied());
            rule.omit_managed_fields |= policy.omit_managed_fields;
        }
        Ok(policy)
    }

    /// The metadata of every request, once it is answered.
    pub(super) fn metadata() -> Self {
        let rule = Rule { omit_stages: vec![Stage::RequestReceived], ..Rule::default() };
        Self {
            api_version: String::new(),
            kind: String::new(),
            metadata: Value::Null,
            rules: vec![rule],
            omit_stages: Vec::new(),
            omit_managed_fields: false,
        }
    }

    /// The rule for a request, if anything is told of it.
    pub(super) fn rule(&self, info: &RequestInfo, user: &auth::User) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.matches(info, user)).filter(|rule| rule.level > Level::None)
    }
}

// === impl Rule ===

impl Rule {
    fn matches(&self, info: &RequestInfo, user: &auth::User) -> bool {
        let verb = super::event::verb(info);
        any(&self.users, |name| *name == user.name)
            && any(&self.user_groups, |group| user.groups.contains(group))
            && any(&self.verbs, |given| given == "*" || *given == verb)
            && match &info.target {
                Target::Resource(path) => {
                    let namespace = path.namespace.as_deref().unwrap_or_default();
                    self.non_resource_urls.is_empty()
                        && any(&self.namespaces, |given| given == namespace)
                        && any(&self.resources, |resources| resources.contain(path))
                }
                Target::Other => {
                    self.resources.is_empty()
                        && self.namespaces.is_empty()
                        && any(&self.non_resource_urls, |given| matches_url(given, &info.path))
                }
            }
    }
}

// === impl Resources ===

impl Resources {
    fn contain(&self, path: &crate::request::ResourcePath) -> bool {
        let subresource = path.subresource.as_deref();
        let combined = subresource.map_or(path.resource.clone(), |below| format!("{}/{below}", path.resource));
        let named = |given: &String| {
            *given == combined
                || given == "*"
                || given.strip_prefix("*/").is_some_and(|below| Some(below) == subresource)
                || given.strip_suffix("/*").is_some_and(|above| above == path.resource)
        };
        let name = path.name.as_deref().unwrap_or_default();
        self.group == path.group && any(&self.resources, named) && any(&self.resource_names, |given| given == name)
    }
}

fn any<T>(list: &[T], matches: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(matches)
}

fn matches_url(given: &str, path: &str) -> bool {
    given == "*" || given == path || given.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::{HeaderMap, Method};
    use serde_json::json;

    use super::*;

    fn level(policy: &Policy, method: &str, uri: &str, name: &str, groups: &[&str]) -> Level {
        let info =
            RequestInfo::new(&Method::from_bytes(method.as_bytes()).unwrap(), &uri.parse().unwrap(), &HeaderMap::new());
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        let user = auth::User { name: name.to_owned(), groups, ..auth::User::default() };
        policy.rule(&info, &user).map_or(Level::None, |rule| rule.level)
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let policy = Policy::parse(json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                {"level": "None", "users": ["system:kube-proxy"], "verbs": ["watch"]},
                {"level": "None", "nonResourceURLs": ["/healthz*", "/version"]},
                {"level": "RequestResponse", "resources": [{"group": "g", "resources": ["widgets", "*/restart"], "resourceNames": []}]},
                {"level": "Request", "namespaces": ["kube-system"], "userGroups": ["dev"]},
                {"level": "Metadata", "resources": [{"group": "g"}]},
            ],
        }))
        .unwrap();
        let cases = [
            ("GET", "/apis/g/v1/namespaces/n/widgets?watch=1", "system:kube-proxy", Level::None),
            ("GET", "/apis/g/v1/namespaces/n/widgets", "bob", Level::RequestResponse),
            ("PUT", "/apis/g/v1/namespaces/n/widgets/a/status", "bob", Level::Metadata),
            ("POST", "/apis/g/v1/nodes/a/restart", "bob", Level::RequestResponse),
            ("GET", "/apis/g/v1/namespaces/kube-system/gadgets", "bob", Level::Request),
            ("GET", "/apis/g/v1/namespaces/n/gadgets", "bob", Level::Metadata),
            ("GET", "/apis/other/v1/namespaces/n/gadgets", "bob", Level::None),
            ("GET", "/healthz/ping", "bob", Level::None),
            ("GET", "/metrics", "bob", Level::None),
        ];
        for (method, uri, name, expected) in cases {
            assert_eq!(level(&policy, method, uri, name, &["dev"]), expected, "{method} {uri}");
        }
        assert_eq!(policy.rules[0].omit_stages, [Stage::RequestReceived]);
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let rules = json!([{"level": "Metadata"}]);
        for document in [
            json!({}),
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": []}),
            json!({"apiVersion": "audit.k8s.io/v1beta1", "kind": "Policy", "rules": rules}),
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Everything"}]}),
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None", "user": "bob"}]}),
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None", "nonResourceURLs": ["/"], "namespaces": ["n"]}]}),
        ] {
            assert!(Policy::parse(document.clone()).is_err(), "{document}");
        }
        assert!(Policy::parse(json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules})).is_ok());
    }
}
