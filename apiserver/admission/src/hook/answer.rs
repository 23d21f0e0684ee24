//! What a webhook answered: a document, or why there is none in the words of Kubernetes' client.

use machinery::{json, quote, status::Status};
use serde_json::Value;

/// So much of an answer that is no document is told.
const SHOWN: usize = 2048;

/// The document of an answer.
pub(super) fn read(code: u16, content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    if !(200..=206).contains(&code) {
        return Err(told(body).unwrap_or_else(|| generic(code, &text(content_type, body))));
    }
    if body.is_empty() {
        let content_type = content_type.unwrap_or("application/json");
        return Err(format!("0-length response with status code: {code} and content type: {content_type}"));
    }
    let document =
        json::decode(body).map_err(|error| format!("couldn't get version/kind; json parse error: {error}"))?;
    told(body).map_or(Ok(document.value), Err)
}

/// The message of an answer that is a Status.
fn told(body: &[u8]) -> Option<String> {
    let status: Value = serde_json::from_slice(body).ok()?;
    (status["kind"] == "Status" && status["status"] != "Success").then_some(())?;
    Some(Status::from_json(body).map_or_else(|| "unknown".to_owned(), |status| status.message))
}

/// What an answer that is no document says, as far as it is text.
fn text(content_type: Option<&str>, body: &[u8]) -> String {
    match content_type {
        Some(content_type) if !content_type.starts_with("text/") => "unknown".to_owned(),
        _ => String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).trim().to_owned(),
    }
}

/// What a code says by itself.
fn generic(code: u16, said: &str) -> String {
    let message = match code {
        400 => "the server rejected our request for an unknown reason",
        401 => "the server has asked for the client to provide credentials",
        403 | 415 => said,
        404 => "the server could not find the requested resource",
        405 => "the server does not allow this method on the requested resource",
        406 if said.is_empty() || said == "unknown" => {
            "the server was unable to respond with a content type that the client supports"
        }
        406 => said,
        409 => "the server reported a conflict",
        422 => "the server rejected our request due to an error in our request",
        429 => "the server has received too many requests and has asked us to try again later",
        503 => "the server is currently unable to handle the request",
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
        }
        500.. => {
            return format!("an error on the server ({}) has prevented the request from succeeding", quote(said));
        }
        _ => {
            return format!("the server responded with the status code {code} but did not return more information");
        }
    };
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_words_of_a_status_or_of_the_code() {
        let json = Some("application/json");
        let cases = [
            (
                500,
                Some("text/plain"),
                "boom\n",
                "an error on the server (\"boom\") has prevented the request from succeeding",
            ),
            (500, json, "boom", "an error on the server (\"unknown\") has prevented the request from succeeding"),
            (404, None, "x", "the server could not find the requested resource"),
            (302, None, "", "the server responded with the status code 302 but did not return more information"),
            (418, json, r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"tea","code":418}"#, "tea"),
            (200, json, "", "0-length response with status code: 200 and content type: application/json"),
        ];
        for (code, content_type, body, message) in cases {
            assert_eq!(read(code, content_type, body.as_bytes()), Err(message.to_owned()));
        }
        assert!(read(200, json, br#"{"kind":"AdmissionReview"}"#).is_ok());
    }
}
