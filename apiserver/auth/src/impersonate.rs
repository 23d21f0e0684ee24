//! Asking to be somebody else: `Impersonate-User`, `-Group`, `-Uid`, `-Extra-*`.
//!
//! Who asks needs the verb `impersonate` on each thing that they want to be. Behind the aggregator this is over already.
//! The headers are never ignored: a request is answered for whom it names, or not at all.

use http::{HeaderMap, HeaderName};

use crate::{
    Attributes, Authorizer, Decision, Error, Result, User, forbidden,
    headers::IMPERSONATE,
    request_header::{text, unescape},
};

const USER: HeaderName = HeaderName::from_static("impersonate-user");
const GROUP: HeaderName = HeaderName::from_static("impersonate-group");
const UID: HeaderName = HeaderName::from_static("impersonate-uid");
const EXTRA: &str = "impersonate-extra-";
const AUTHENTICATION: &str = "authentication.k8s.io";

/// The user that the headers name, or `requestor` if they name none.
pub(crate) async fn impersonate(requestor: User, headers: &HeaderMap, authorizer: &dyn Authorizer) -> Result<User> {
    let Some(wanted) = wanted(headers)? else { return Ok(requestor) };
    for attributes in demands(&wanted, headers.contains_key(GROUP)) {
        match authorizer.authorize(&requestor, &attributes).await? {
            Decision::Allow => {}
            Decision::Deny { reason } => {
                return Err(Error::Forbidden(Box::new(forbidden(&requestor, &attributes, &reason))));
            }
        }
    }
    tracing::info!(requestor = requestor.name, user = wanted.name, "{} acts as {}", requestor.name, wanted.name);
    Ok(wanted.impersonated())
}

fn wanted(headers: &HeaderMap) -> Result<Option<User>> {
    let mut user = User::default();
    let mut asks = false;
    for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with(IMPERSONATE)) {
        asks = true;
        let value = text(value).map_err(Error::BadRequest)?;
        let twice = |what: &str| Error::BadRequest(format!("the {what} to impersonate is stated more than once"));
        if *name == USER {
            (user.name.is_empty()).then_some(()).ok_or_else(|| twice("user"))?;
            user.name = value;
        } else if *name == UID {
            (user.uid.is_empty()).then_some(()).ok_or_else(|| twice("uid"))?;
            user.uid = value;
        } else if *name == GROUP {
            user.groups.push(value);
        } else if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            user.extra.entry(unescape(key)).or_default().push(value);
        } else {
            return Err(Error::BadRequest(format!("the header {name} is not one that impersonates")));
        }
    }
    if asks && user.name.is_empty() {
        return Err(Error::BadRequest("requested impersonation without impersonating a user".to_owned()));
    }
    if asks
        && user.groups.is_empty()
        && let Some((namespace, _)) = service_account(&user.name)
    {
        user.groups = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    }
    Ok(asks.then_some(user))
}

/// What the requestor must be allowed, each for itself. Groups that follow from the name need no leave of their own.
fn demands(wanted: &User, groups_stated: bool) -> Vec<Attributes> {
    let demand = |group: &str, resource: &str, name: &str| Attributes {
        verb: "impersonate".to_owned(),
        group: group.to_owned(),
        version: if group.is_empty() { String::new() } else { "v1".to_owned() },
        resource: resource.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    let mut demands = vec![match service_account(&wanted.name) {
        Some((namespace, name)) => {
            Attributes { namespace: namespace.to_owned(), ..demand("", "serviceaccounts", name) }
        }
        None => demand("", "users", &wanted.name),
    }];
    if groups_stated {
        demands.extend(wanted.groups.iter().map(|group| demand("", "groups", group)));
    }
    for (key, values) in &wanted.extra {
        demands.extend(
            values
                .iter()
                .map(|value| Attributes { subresource: key.clone(), ..demand(AUTHENTICATION, "userextras", value) }),
        );
    }
    if !wanted.uid.is_empty() {
        demands.push(demand(AUTHENTICATION, "uids", &wanted.uid));
    }
    demands
}

/// The namespace and the name of a service account's user.
fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    /// Allows everything but what its text says, and remembers what it was asked.
    #[derive(Default)]
    struct Recorder {
        denies: &'static str,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Authorizer for Recorder {
        async fn authorize(&self, user: &User, asked: &Attributes) -> Result<Decision> {
            assert_eq!((user.name.as_str(), asked.verb.as_str()), ("bob", "impersonate"));
            let Attributes { group, resource, subresource, namespace, name, .. } = asked;
            let what = format!("{group}/{resource}/{subresource} {namespace}/{name}");
            self.asked.lock().unwrap().push(what.clone());
            if what == self.denies { Ok(Decision::Deny { reason: String::new() }) } else { Ok(Decision::Allow) }
        }
    }

    async fn act(denies: &'static str, headers: &[(&str, &str)]) -> (Result<User>, Vec<String>) {
        let recorder = Recorder { denies, ..Recorder::default() };
        let headers = headers.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            headers
        });
        let bob = User { name: "bob".to_owned(), groups: vec!["dev".to_owned()], ..User::default() };
        let user = impersonate(bob, &headers, &recorder).await;
        (user, recorder.asked.into_inner().unwrap())
    }

    #[tokio::test]
    async fn without_the_headers_one_is_oneself() {
        let (user, asked) = act("", &[("accept", "*/*")]).await;
        assert_eq!(user.unwrap().name, "bob");
        assert!(asked.is_empty());
    }

    #[tokio::test]
    async fn each_thing_is_asked_for_and_nothing_of_oneself_is_kept() {
        let (user, asked) = act(
            "",
            &[
                ("Impersonate-User", "alice"),
                ("Impersonate-Group", "ops"),
                ("Impersonate-Uid", "7"),
                ("Impersonate-Extra-Example.com%2Fscope", "view"),
            ],
        )
        .await;
        let user = user.unwrap();
        assert_eq!((user.name.as_str(), user.uid.as_str()), ("alice", "7"));
        assert_eq!(user.groups, ["ops", "system:authenticated"]);
        assert_eq!(user.extra["example.com/scope"], ["view"]);
        assert_eq!(
            asked,
            [
                "/users/ /alice",
                "/groups/ /ops",
                "authentication.k8s.io/userextras/example.com/scope /view",
                "authentication.k8s.io/uids/ /7",
            ]
        );
    }

    #[tokio::test]
    async fn a_service_account_has_the_groups_of_its_namespace() {
        let (user, asked) = act("", &[("Impersonate-User", "system:serviceaccount:fleet:agent")]).await;
        let groups = ["system:serviceaccounts", "system:serviceaccounts:fleet", "system:authenticated"];
        assert_eq!(user.unwrap().groups, groups);
        assert_eq!(asked, ["/serviceaccounts/ fleet/agent"]);
    }

    #[tokio::test]
    async fn one_denial_denies_all_of_it() {
        let headers = [("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")];
        let (user, _) = act("/groups/ /system:masters", &headers).await;
        let status = user.unwrap_err().status();
        assert_eq!(status.code, 403);
        assert_eq!(
            status.message,
            r#"groups "system:masters" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" at the cluster scope"#
        );
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused() {
        for headers in [
            &[("Impersonate-Group", "ops")][..],
            &[("Impersonate-Uid", "7")],
            &[("Impersonate-User", "")],
            &[("Impersonate-User", "a"), ("Impersonate-User", "b")],
            &[("Impersonate-User", "a"), ("Impersonate-Whatever", "b")],
        ] {
            let (user, asked) = act("", headers).await;
            assert_eq!(user.unwrap_err().status().code, 400, "{headers:?}");
            assert!(asked.is_empty());
        }
    }
}
