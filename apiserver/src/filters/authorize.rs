//! May they. Every request is asked about, also those that the aggregator has asked about already.

use std::sync::Arc;

use auth::{Attributes, Decision, Requirement, User};
use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use machinery::{
    name,
    selector::{FieldSelector, LabelSelector, Operator},
    status::Status,
};

use super::authenticate::is_health;
use crate::{
    api::Api,
    error::Result,
    request::{RequestInfo, Target, Verb},
    respond,
};

/// Marks the answer to who may not, among other answers of the same code.
#[derive(Clone, Copy)]
struct Refused;

/// Refuses with 403 what the user may not ask for.
pub(super) async fn check(api: &Arc<Api>, info: &RequestInfo, user: &User) -> Result<()> {
    if is_health(&info.path) {
        return Ok(());
    }
    allowed(api, user, &attributes(info)).await
}

/// The answer to who is nobody or may not.
pub(super) fn refused(status: &Status, info: &RequestInfo) -> Response<Body> {
    let mut response = respond::status(status, info);
    if response.status() == StatusCode::FORBIDDEN {
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.extensions_mut().insert(Refused);
    }
    response
}

/// Whether an answer is one of those.
pub(super) fn was_refused(response: &Response<Body>) -> bool {
    response.extensions().get::<Refused>().is_some()
}

/// Refuses with 403 what the user may not do.
pub(crate) async fn allowed(api: &Api, user: &User, attributes: &Attributes) -> Result<()> {
    match api.authorizer().authorize(user, attributes).await {
        Ok(Decision::Allow) => Ok(()),
        Ok(Decision::Deny { reason }) => Err(auth::forbidden(user, attributes, &reason).into()),
        Err(error) => {
            tracing::warn!(error = %error, "an authorization failed");
            Err(error.status().into())
        }
    }
}

fn attributes(info: &RequestInfo) -> Attributes {
    match &info.target {
        Target::Resource(path) => Attributes {
            verb: info.verb.as_str().to_owned(),
            group: path.group.clone(),
            version: path.version.clone(),
            resource: path.resource.clone(),
            subresource: path.subresource.clone().unwrap_or_default(),
            namespace: path.namespace.clone().unwrap_or_default(),
            name: path.name.clone().or_else(|| selected_name(info)).unwrap_or_default(),
            labels: labels(info),
            fields: fields(info),
            ..Attributes::default()
        },
        Target::Other => Attributes::path(&info.method.as_str().to_ascii_lowercase(), &info.path),
    }
}

/// The one name that a list or watch selects: a role for that name allows it.
fn selected_name(info: &RequestInfo) -> Option<String> {
    if !matches!(info.verb, Verb::List | Verb::Watch) {
        return None;
    }
    let selector = FieldSelector::parse(selector(info, "fieldSelector")).ok()?;
    selector.exact("metadata.name").filter(|selected| name::path_segment(selected).is_none()).map(str::to_owned)
}

/// The label requirements that a policy may look at. A selector that cannot be read is refused later, with its reason.
fn labels(info: &RequestInfo) -> Vec<Requirement> {
    let selector = LabelSelector::parse(selector(info, "labelSelector")).unwrap_or_default();
    let known = selector.requirements.into_iter().filter_map(|requirement| {
        let operator = match requirement.operator {
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            // Reviews have no word for these.
            Operator::GreaterThan | Operator::LessThan => return None,
        };
        Some(Requirement { key: requirement.key, operator, values: requirement.values })
    });
    known.collect()
}

fn fields(info: &RequestInfo) -> Vec<Requirement> {
    let selector = FieldSelector::parse(selector(info, "fieldSelector")).unwrap_or_default();
    let requirements = selector.requirements.into_iter().map(|requirement| Requirement {
        key: requirement.field,
        operator: if requirement.equal { "In" } else { "NotIn" },
        values: vec![requirement.value],
    });
    requirements.collect()
}

/// A selector of a verb that selects; empty for the others.
fn selector<'a>(info: &'a RequestInfo, name: &str) -> &'a str {
    match info.verb {
        Verb::List | Verb::Watch | Verb::DeleteCollection => info.param(name).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn of(method: &str, uri: &str) -> Attributes {
        attributes(&RequestInfo::new(&method.parse().unwrap(), &uri.parse().unwrap(), &HeaderMap::new()))
    }

    #[test]
    fn a_list_of_one_name_is_allowed_to_who_may_see_that_name() {
        let cases = [
            ("GET", "?fieldSelector=metadata.name%3Da", "a"),
            ("GET", "?watch=1&fieldSelector=metadata.name%3Da", "a"),
            ("GET", "?fieldSelector=metadata.name!%3Da", ""),
            ("GET", "?fieldSelector=metadata.name%3D..", ""),
            ("GET", "?fieldSelector=metadata.namespace%3Da", ""),
            ("DELETE", "?fieldSelector=metadata.name%3Da", ""),
            ("GET", "/b?fieldSelector=metadata.name%3Da", "b"),
        ];
        for (method, rest, name) in cases {
            assert_eq!(of(method, &format!("/apis/g/v1/widgets{rest}")).name, name, "{method} {rest}");
        }
    }

    #[test]
    fn what_is_no_resource_is_asked_for_by_its_method() {
        let Attributes { verb, path, .. } = of("POST", "/version");
        assert_eq!((verb.as_str(), path.as_str()), ("post", "/version"));
    }
}
