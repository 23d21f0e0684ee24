//! `metav1.Status`: how the API says that something failed, or that it is gone.
//!
//! Clients key on code, reason and causes, people on the message; all of them are those of the kube-apiserver. Each
//! constructor is one kind of answer. [`Status::to_json`] keeps Go's order of fields.

mod wire;

use std::fmt;

use serde::Deserialize;

use crate::{GroupKind, GroupResource, field, go};

pub use self::wire::{Cause, Details};

/// An answer that is not an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code. A success does not carry it in its body.
    pub code: u16,
    /// Why, in a word that clients know. `None` is Go's unknown.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub message: String,
    /// What it is about.
    pub details: Option<Box<Details>>,
    /// Where an expired list can go on.
    pub continue_: Option<String>,
}

/// The reasons that clients know, and those that admission webhooks make up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[expect(missing_docs, reason = "Kubernetes' words, said again in the answers")]
pub enum Reason {
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestEntityTooLarge,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    #[serde(untagged)]
    Other(Box<str>),
}

// === impl Status ===

impl Status {
    /// A failure without details.
    pub fn new(code: u16, reason: Option<Reason>, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continue_: None }
    }

    /// There is no such object.
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} not found", go::Quoted(name));
        Self::new(404, Some(Reason::NotFound), message).about(resource, name)
    }

    /// There is such an object already.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} already exists", go::Quoted(name));
        Self::new(409, Some(Reason::AlreadyExists), message).about(resource, name)
    }

    /// There is such an object, on its way out.
    pub fn being_deleted(resource: &GroupResource, name: &str) -> Self {
        let mut status = Self::already_exists(resource, name);
        status.message = format!("object is being deleted: {}", status.message);
        status
    }

    /// Every name that was generated from the prefix `name` is taken.
    pub fn not_unique(resource: &GroupResource, name: &str) -> Self {
        let mut status = Self::already_exists(resource, name).retry_after(1);
        status.message.push_str(", the server was not able to generate a unique name for the object");
        status
    }

    /// Somebody was faster, or the object is not the one that was meant.
    pub fn conflict(resource: &GroupResource, name: &str, problem: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} {}: {problem}", go::Quoted(name));
        Self::new(409, Some(Reason::Conflict), message).about(resource, name)
    }

    /// The object is well-formed and wrong.
    pub fn invalid(kind: &GroupKind, name: &str, errors: field::ErrorList) -> Self {
        let mut message = format!("{kind} {} is invalid", go::Quoted(name));
        if !errors.is_empty() {
            message = format!("{message}: {}", field::aggregate(&errors));
        }
        let causes = errors.iter().map(|error| Cause {
            reason: error.kind.reason().to_owned(),
            message: error.body(),
            field: error.field.clone(),
        });
        let details = Details {
            name: name.to_owned(),
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            causes: causes.collect(),
            ..Details::default()
        };
        Self::new(422, Some(Reason::Invalid), message).with(details)
    }

    /// A patch is well-formed and cannot be applied.
    pub fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(422, Some(Reason::Invalid), message).with(Details::default())
    }

    /// The request makes no sense.
    pub fn bad_request(message: &str) -> Self {
        Self::new(400, Some(Reason::BadRequest), message)
    }

    /// Nobody knows who is asking.
    pub fn unauthorized() -> Self {
        Self::new(401, Some(Reason::Unauthorized), "Unauthorized")
    }

    /// Whoever asks may not. An empty resource is a request for none, an empty name one for a collection.
    pub fn forbidden(resource: &GroupResource, name: &str, why: &str) -> Self {
        let message = match (resource.resource.is_empty(), name.is_empty()) {
            (true, _) => format!("forbidden: {why}"),
            (false, true) => format!("{resource} is forbidden: {why}"),
            (false, false) => format!("{resource} {} is forbidden: {why}", go::Quoted(name)),
        };
        Self::new(403, Some(Reason::Forbidden), message).about(resource, name)
    }

    /// The resource has no such verb.
    pub fn method_not_allowed(resource: &GroupResource, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind {}", go::Quoted(&resource.to_string()));
        Self::new(405, Some(Reason::MethodNotAllowed), message).about(resource, "")
    }

    /// Nothing that the client accepts can be made.
    pub fn not_acceptable(offered: &[&str]) -> Self {
        let message = format!("only the following media types are accepted: {}", offered.join(", "));
        Self::new(406, Some(Reason::NotAcceptable), message)
    }

    /// The body is of a type that cannot be read.
    pub fn unsupported_media_type(read: &[&str]) -> Self {
        let types = read.join(", ");
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {types}");
        Self::new(415, Some(Reason::UnsupportedMediaType), message)
    }

    /// The body, or what it makes of an object, is too large.
    pub fn too_large(message: &str) -> Self {
        Self::new(413, Some(Reason::RequestEntityTooLarge), format!("Request entity too large: {message}"))
    }

    /// What is asked for has been compacted away.
    pub fn expired(message: &str) -> Self {
        Self::new(410, Some(Reason::Expired), message)
    }

    /// A page of a list cannot be read as of the first page any more; `token` goes on without that promise.
    pub fn expired_continue(token: &str) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results. Continuing with the provided token results in an \
                       inconsistent list - objects that were created, modified, or deleted between the time the \
                       first chunk was returned and now may show up in the list.";
        Self { continue_: Some(token.to_owned()), ..Self::expired(message) }
    }

    /// It took too long. 0 seconds says nothing about another try.
    pub fn timeout(message: &str, retry_after_seconds: u32) -> Self {
        Self::new(504, Some(Reason::Timeout), format!("Timeout: {message}")).retry_after(retry_after_seconds)
    }

    /// A revision that has not been reached, after waiting for it.
    pub fn resource_version_too_large(requested: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {requested}, current: {current}");
        let mut status = Self::timeout(&message, 1);
        let cause = Cause {
            reason: "ResourceVersionTooLarge".to_owned(),
            message: "Too large resource version".to_owned(),
            field: String::new(),
        };
        status.details.get_or_insert_default().causes.push(cause);
        status
    }

    /// The server cannot answer now. 0 seconds says nothing about another try.
    pub fn unavailable(message: &str, retry_after_seconds: u32) -> Self {
        let status = Self::new(503, Some(Reason::ServiceUnavailable), message);
        if retry_after_seconds == 0 { status } else { status.retry_after(retry_after_seconds) }
    }

    /// The client asks too often.
    pub fn too_many_requests(message: &str, retry_after_seconds: u32) -> Self {
        Self::new(429, Some(Reason::TooManyRequests), message).retry_after(retry_after_seconds)
    }

    /// A fault of the server.
    pub fn internal(message: &str) -> Self {
        let cause = Cause { message: message.to_owned(), ..Cause::default() };
        let details = Details { causes: vec![cause], ..Details::default() };
        Self::new(500, Some(Reason::InternalError), format!("Internal error occurred: {message}")).with(details)
    }

    /// What Kubernetes has and this server has not.
    pub fn not_implemented(message: &str) -> Self {
        Self::new(501, None, message)
    }

    /// Done.
    pub fn success(details: Details) -> Self {
        Self::new(200, None, "").with(details)
    }

    /// The object is gone.
    pub fn deleted(resource: &GroupResource, name: &str, uid: &str) -> Self {
        Self::success(Details {
            name: name.to_owned(),
            group: resource.group.clone(),
            kind: resource.resource.clone(),
            uid: uid.to_owned(),
            ..Details::default()
        })
    }

    /// Whether it says that all is well.
    pub fn is_success(&self) -> bool {
        self.code < 400
    }

    /// When the client may try again, if the status says so.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0)
    }

    fn with(mut self, details: Details) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    fn about(self, resource: &GroupResource, name: &str) -> Self {
        let (group, kind) = (resource.group.clone(), resource.resource.clone());
        self.with(Details { name: name.to_owned(), group, kind, ..Details::default() })
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

// === impl Reason ===

impl Reason {
    /// The word itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::AlreadyExists => "AlreadyExists",
            Self::BadRequest => "BadRequest",
            Self::Conflict => "Conflict",
            Self::Expired => "Expired",
            Self::Forbidden => "Forbidden",
            Self::Gone => "Gone",
            Self::InternalError => "InternalError",
            Self::Invalid => "Invalid",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::NotFound => "NotFound",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::ServerTimeout => "ServerTimeout",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Timeout => "Timeout",
            Self::TooManyRequests => "TooManyRequests",
            Self::Unauthorized => "Unauthorized",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::Other(reason) => reason,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::field::Error;

    fn json(status: &Status) -> String {
        String::from_utf8(status.to_json()).unwrap()
    }

    fn widgets() -> GroupResource {
        GroupResource::new("gold.example.com", "widgets")
    }

    /// The right side of each case was recorded from a kube-apiserver 1.36.
    #[test]
    fn failures_are_the_bytes_of_a_kube_apiserver() {
        let widget = GroupKind::new("gold.example.com", "Widget");
        let modified = "the object has been modified; please apply your changes to the latest version and try again";
        let cases = [
            (
                Status::already_exists(&widgets(), "a"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"widgets.gold.example.com \"a\" already exists","reason":"AlreadyExists","details":{"name":"a","group":"gold.example.com","kind":"widgets"},"code":409}"#,
            ),
            (
                Status::being_deleted(&widgets(), "d2"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"object is being deleted: widgets.gold.example.com \"d2\" already exists","reason":"AlreadyExists","details":{"name":"d2","group":"gold.example.com","kind":"widgets"},"code":409}"#,
            ),
            (
                Status::not_found(&GroupResource::new("", "namespaces"), "nope"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"namespaces \"nope\" not found","reason":"NotFound","details":{"name":"nope","kind":"namespaces"},"code":404}"#,
            ),
            (
                Status::conflict(&widgets(), "a", modified),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Operation cannot be fulfilled on widgets.gold.example.com \"a\": the object has been modified; please apply your changes to the latest version and try again","reason":"Conflict","details":{"name":"a","group":"gold.example.com","kind":"widgets"},"code":409}"#,
            ),
            (
                Status::invalid(
                    &widget,
                    "",
                    vec![Error::required("metadata.name", "name or generateName is required")],
                ),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Widget.gold.example.com \"\" is invalid: metadata.name: Required value: name or generateName is required","reason":"Invalid","details":{"group":"gold.example.com","kind":"Widget","causes":[{"reason":"FieldValueRequired","message":"Required value: name or generateName is required","field":"metadata.name"}]},"code":422}"#,
            ),
            (
                Status::invalid(
                    &widget,
                    "z",
                    vec![
                        Error::invalid(
                            "spec.size",
                            json!(-1),
                            "spec.size in body should be greater than or equal to 0",
                        ),
                        Error::duplicate("spec.tags[1]", "a"),
                    ],
                ),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Widget.gold.example.com \"z\" is invalid: [spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0, spec.tags[1]: Duplicate value: \"a\"]","reason":"Invalid","details":{"name":"z","group":"gold.example.com","kind":"Widget","causes":[{"reason":"FieldValueInvalid","message":"Invalid value: -1: spec.size in body should be greater than or equal to 0","field":"spec.size"},{"reason":"FieldValueDuplicate","message":"Duplicate value: \"a\"","field":"spec.tags[1]"}]},"code":422}"#,
            ),
            (
                Status::unprocessable(),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server rejected our request due to an error in our request","reason":"Invalid","details":{},"code":422}"#,
            ),
            (
                Status::unauthorized(),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#,
            ),
            (
                Status::forbidden(
                    &widgets(),
                    "",
                    "User \"bob\" cannot list resource \"widgets\" in API group \"gold.example.com\" at the cluster scope",
                ),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"widgets.gold.example.com is forbidden: User \"bob\" cannot list resource \"widgets\" in API group \"gold.example.com\" at the cluster scope","reason":"Forbidden","details":{"group":"gold.example.com","kind":"widgets"},"code":403}"#,
            ),
            (
                Status::forbidden(&widgets(), "a", "no"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"widgets.gold.example.com \"a\" is forbidden: no","reason":"Forbidden","details":{"name":"a","group":"gold.example.com","kind":"widgets"},"code":403}"#,
            ),
            (
                Status::forbidden(&GroupResource::default(), "", "User \"bob\" cannot get path \"/metrics\""),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \"bob\" cannot get path \"/metrics\"","reason":"Forbidden","details":{},"code":403}"#,
            ),
            (
                Status::method_not_allowed(&widgets(), ""),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":" is not supported on resources of kind \"widgets.gold.example.com\"","reason":"MethodNotAllowed","details":{"group":"gold.example.com","kind":"widgets"},"code":405}"#,
            ),
            (
                Status::too_large("limit is 3145728"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Request entity too large: limit is 3145728","reason":"RequestEntityTooLarge","code":413}"#,
            ),
            (
                Status::resource_version_too_large(999_999, 373),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Timeout: Too large resource version: 999999, current: 373","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1},"code":504}"#,
            ),
            (
                Status::expired("too old resource version: 1 (219)"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (219)","reason":"Expired","code":410}"#,
            ),
            (
                Status::deleted(&widgets(), "d2", "d9b748b1"),
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"d2","group":"gold.example.com","kind":"widgets","uid":"d9b748b1"}}"#,
            ),
        ];
        for (status, recorded) in cases {
            assert_eq!(json(&status), recorded);
            assert_eq!(status.to_value(), serde_json::from_str::<serde_json::Value>(recorded).unwrap());
        }
    }

    #[test]
    fn messages_name_what_is_offered() {
        assert_eq!(
            Status::not_acceptable(&["application/json", "application/yaml"]).message,
            "only the following media types are accepted: application/json, application/yaml"
        );
        assert_eq!(
            Status::unsupported_media_type(&["application/json-patch+json"]).message,
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json"
        );
        assert_eq!(
            Status::not_unique(&widgets(), "gen-").message,
            "widgets.gold.example.com \"gen-\" already exists, the server was not able to generate a unique name for the object"
        );
        assert_eq!(Status::internal("oh").message, "Internal error occurred: oh");
    }

    #[test]
    fn an_expired_page_carries_the_token_that_goes_on() {
        let status = Status::expired_continue("abc");
        assert!(json(&status).starts_with(r#"{"kind":"Status","apiVersion":"v1","metadata":{"continue":"abc"},"status":"Failure","message":"The provided continue parameter is too old to display a consistent list result. You can start a new list"#));
        assert!(status.message.ends_with("was returned and now may show up in the list."));
        assert!(!status.message.contains("  "));
    }

    #[test]
    fn retries_are_announced_only_where_they_are_meant() {
        assert_eq!(Status::unavailable("starting", 5).retry_after_seconds(), Some(5));
        assert_eq!(Status::unavailable("starting", 0).retry_after_seconds(), None);
        assert_eq!(Status::not_unique(&widgets(), "a").retry_after_seconds(), Some(1));
        assert_eq!(Status::timeout("slow", 0).retry_after_seconds(), None);
    }
}
