//! An object and the URL that it is sent to name the same thing.

use machinery::{meta::ObjectMeta, status::Status};
use serde_json::Value;

use crate::error::Result;

/// An object may leave its namespace out, but not name another than the URL. One that lives in no namespace loses what
/// it names.
pub(super) fn namespace(url: Option<&str>, object: &mut Value) -> Result<()> {
    let given = ObjectMeta::of(object).namespace();
    match url {
        _ if given.is_empty() => Ok(()),
        Some(url) if url == given => Ok(()),
        Some(_) => {
            let text = "the namespace of the provided object does not match the namespace sent on the request";
            Err(Status::bad_request(text).into())
        }
        None => {
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("namespace");
            }
            Ok(())
        }
    }
}

/// The name in the object is the name in the URL.
pub(super) fn name(url: &str, object: &Value) -> Result<()> {
    let text = match ObjectMeta::of(object).name() {
        given if given == url => return Ok(()),
        "" => format!("the name of the object ({url} based on URL) was undeterminable: name must be provided"),
        given => format!("the name of the object ({given}) does not match the name on the URL ({url})"),
    };
    Err(Status::bad_request(&text).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(result: Result<()>) -> String {
        result.expect_err("a refusal").0.message
    }

    #[test]
    fn a_namespace_is_that_of_the_url_or_none() {
        let object = |namespace: &str| json!({ "metadata": { "name": "a", "namespace": namespace } });
        assert!(namespace(Some("n"), &mut object("n")).is_ok());
        assert!(namespace(Some("n"), &mut object("")).is_ok());
        assert!(namespace(Some("n"), &mut json!({})).is_ok());
        let refused = refusal(namespace(Some("n"), &mut object("other")));
        assert_eq!(refused, "the namespace of the provided object does not match the namespace sent on the request");
        let mut object = object("other");
        assert!(namespace(None, &mut object).is_ok());
        assert_eq!(object, json!({ "metadata": { "name": "a" } }));
    }

    #[test]
    fn a_name_is_that_of_the_url() {
        let object = |name: &str| json!({ "metadata": { "name": name } });
        assert!(name("a", &object("a")).is_ok());
        assert_eq!(
            refusal(name("a", &object("b"))),
            "the name of the object (b) does not match the name on the URL (a)"
        );
        let undeterminable = "the name of the object (a based on URL) was undeterminable: name must be provided";
        assert_eq!(refusal(name("a", &object(""))), undeterminable);
        assert_eq!(refusal(name("a", &json!({}))), undeterminable);
    }
}
