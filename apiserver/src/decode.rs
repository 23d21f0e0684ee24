//! From a request's body to an object of the kind, and what was wrong with it on the way.
//!
//! What a schema does not know is dropped; what was dropped or came twice is a problem that `fieldValidation` turns into
//! an error, a warning or silence.

mod type_meta;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use machinery::{json, meta, negotiate, options::FieldValidation, status::Status, yaml};
use serde_json::Value;

use self::type_meta::TypeMeta;
use crate::{
    context::Context,
    error::{Failure, Result},
    kinds::Kind,
    problems,
};

/// The kube-apiserver's limit on a request's body, in bytes.
pub(crate) const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// How many bytes of a body a refusal shows.
const SUMMARY: usize = 30;

/// An object as a client meant it, and strict decoding's complaints about it, in order.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// The object, pruned and defaulted.
    pub object: Value,
    /// Such as `unknown field "spec.nope"`.
    pub problems: Vec<String>,
}

/// Reads a body to its end.
pub(crate) async fn body(body: axum::body::Body) -> Result<Bytes> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Status::too_large(&format!("limit is {BODY_LIMIT}")).into())
        }
        Err(error) => Err(Status::bad_request(&format!("reading the request's body: {error}")).into()),
    }
}

/// Why a value is no object of the kind.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It does not say what it is.
    Kindless,
    /// Its metadata cannot be decoded.
    Malformed(String),
}

// === impl Unfit ===

impl Unfit {
    /// What is wrong with the `document` that was decoded, in Go's words.
    pub(crate) fn problem(&self, document: &[u8]) -> String {
        match self {
            Self::Kindless => format!("Object 'Kind' is missing in '{}'", String::from_utf8_lossy(document)),
            Self::Malformed(problem) => problem.clone(),
        }
    }
}

/// The object that a body is, in the version of the URL. What strict decoding complains of is judged here.
pub(crate) fn object(context: &Context, validation: FieldValidation, body: &[u8]) -> Result<Value> {
    let kind = &context.kind;
    let Read { value, duplicates, yaml_problem } = read(kind, &context.headers, body)?;
    let said = TypeMeta::read(&value).map_err(|problem| unrecognized(kind, &problem, body))?;
    let decoded = fit(kind, value, duplicates).map_err(|unfit| match (&unfit, unfit.problem(body)) {
        (Unfit::Kindless, problem) => unrecognized(kind, &problem, body),
        (Unfit::Malformed(_), problem) => unhandled(kind, &said, &problem).into(),
    })?;
    let problems = yaml_problem.into_iter().chain(decoded.problems).collect();
    context.warnings.add(problems::judge(validation, problems, |problem| unhandled(kind, &said, problem))?);
    of_version(kind, &said)?;
    Ok(decoded.object)
}

/// A body as a value.
struct Read {
    value: Value,
    /// The paths of fields that come twice.
    duplicates: Vec<String>,
    /// What Go's YAML decoder says of them instead.
    yaml_problem: Option<String>,
}

fn read(kind: &Kind, headers: &HeaderMap, body: &[u8]) -> Result<Read> {
    if negotiate::content_type(content_type(headers))? == negotiate::Encoding::Yaml {
        let decoded = yaml::decode(body).map_err(|error| unrecognized(kind, &error.to_string(), body))?;
        return Ok(Read { yaml_problem: decoded.problem(), value: decoded.value, duplicates: Vec::new() });
    }
    match json::decode(body) {
        Ok(decoded) => Ok(Read { value: decoded.value, duplicates: decoded.duplicates, yaml_problem: None }),
        Err(error) => Err(match error.document().map(TypeMeta::read) {
            // It can be read well enough to know what it means to be.
            Some(Ok(said)) => unhandled(kind, &said.or(kind), &error.to_string()).into(),
            Some(Err(problem)) => unrecognized(kind, &problem, body),
            None => unrecognized(kind, &format!("couldn't get version/kind; json parse error: {error}"), body),
        }),
    }
}

/// Makes a decoded value an object of the kind: it must say what it is, and is pruned and defaulted. Whether it says
/// the right thing is another question.
pub(crate) fn fit(kind: &Kind, mut object: Value, duplicates: Vec<String>) -> Result<Decoded, Unfit> {
    let said = TypeMeta::read(&object).map_err(Unfit::Malformed)?;
    if said.kind.is_empty() {
        return Err(Unfit::Kindless);
    }
    let mut problems: Vec<String> = duplicates.iter().map(|path| format!("duplicate field {path:?}")).collect();
    let unknown_meta = meta::coerce(&mut object).map_err(Unfit::Malformed)?;
    let unknown = match said == TypeMeta::of(kind) {
        true => kind.schema().prune(&mut object),
        // There is no schema that would know the fields of another version, and none at all of another kind.
        false if said.kind == kind.name() && said.group() == kind.definition().group => prune_all(&mut object),
        false => Vec::new(),
    };
    problems.extend(unknown_meta.iter().chain(&unknown).map(|path| format!("unknown field \"{path}\"")));
    if said == TypeMeta::of(kind) {
        kind.schema().default(&mut object);
    }
    Ok(Decoded { object, problems })
}

/// Drops all but what every object has.
fn prune_all(object: &mut Value) -> Vec<String> {
    let Some(fields) = object.as_object_mut() else { return Vec::new() };
    let unknown = fields.keys().filter(|field| !matches!(field.as_str(), "apiVersion" | "kind" | "metadata"));
    let unknown: Vec<String> = unknown.cloned().collect();
    fields.retain(|field, _| !unknown.contains(field));
    unknown
}

/// Decodes a body that need not be there.
pub(crate) fn optional(headers: &HeaderMap, body: &[u8]) -> Result<Option<Value>> {
    if body.is_empty() {
        return Ok(None);
    }
    let refused = |problem: String| Failure::from(Status::bad_request(&problem));
    let value = match negotiate::content_type(content_type(headers))? {
        negotiate::Encoding::Yaml => yaml::decode(body).map_err(|error| refused(error.to_string()))?.value,
        _ => {
            let unparsed = |error| refused(format!("couldn't get version/kind; json parse error: {error}"));
            json::decode(body).map_err(unparsed)?.value
        }
    };
    TypeMeta::read(&value).map_err(refused)?;
    Ok(Some(value))
}

/// The request's content type, empty when it names none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A body is in the version that the URL names.
fn of_version(kind: &Kind, said: &TypeMeta) -> Result<()> {
    let (given, expected) = (&said.api_version, kind.group_version().to_string());
    if *given == expected {
        return Ok(());
    }
    let message = format!("the API version in the data ({given}) does not match the expected API version ({expected})");
    Err(Status::bad_request(&message).into())
}

/// The refusal of a body that says what it is.
fn unhandled(kind: &Kind, said: &TypeMeta, problem: &str) -> Status {
    let (given, version, name) = (&said.kind, said.version(), kind.name());
    Status::bad_request(&format!("{given} in version {version:?} cannot be handled as a {name}: {problem}"))
}

/// The refusal of a body that does not.
fn unrecognized(kind: &Kind, problem: &str, body: &[u8]) -> Failure {
    let (name, summary) = (kind.name(), summary(body));
    let message = format!("the object provided is unrecognized (must be of type {name}): {problem} ({summary})");
    Status::bad_request(&message).into()
}

/// The beginning of a body: as text if it looks like JSON, else in hexadecimal.
fn summary(body: &[u8]) -> String {
    let (beginning, rest) = body.split_at(body.len().min(SUMMARY));
    let shown = match beginning {
        [] => return "<empty>".to_owned(),
        [b'{', ..] => String::from_utf8_lossy(beginning).into_owned(),
        bytes => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if rest.is_empty() { shown } else { shown + " ..." }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_beginning_of_a_body_is_shown() {
        for (body, shown) in [
            ("", "<empty>"),
            ("{\"a\":1}", "{\"a\":1}"),
            ("[]", "5b5d"),
            ("{234567890123456789012345678901", "{23456789012345678901234567890 ..."),
            ("a234567890123456789012345678901", "613233343536373839303132333435363738393031323334353637383930 ..."),
        ] {
            assert_eq!(summary(body.as_bytes()), shown);
        }
    }

    #[test]
    fn of_another_version_only_what_every_object_has_is_kept() {
        let mut object = json!({ "apiVersion": "g/v9", "kind": "K", "metadata": {}, "spec": {}, "data": 1 });
        assert_eq!(prune_all(&mut object), ["data", "spec"]);
        assert_eq!(object, json!({ "apiVersion": "g/v9", "kind": "K", "metadata": {} }));
    }
}
