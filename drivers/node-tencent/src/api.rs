//! One call of Tencent Cloud's API.

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;
use power::http::{Client, Endpoint};
use proto::node::{Error, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    credentials::Key,
    refusal,
    sign::{self, Scope},
};

const JSON: &str = "application/json; charset=utf-8";

/// An endpoint, and the name of the service there.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) client: Client,
    pub(crate) endpoint: Endpoint,
    pub(crate) service: &'static str,
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) action: &'static str,
    pub(crate) version: &'static str,
    pub(crate) region: &'a str,
}

/// Who calls.
pub(crate) enum Auth<'a> {
    /// The owner of a key.
    Key(&'a Key),
    /// Nobody yet: who asks STS for a key has none.
    Skip,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    error: Option<Refusal>,
    request_id: String,
    #[serde(flatten)]
    rest: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
}

// === impl Api ===

impl Api {
    /// Makes a call once; answers what came back, and the id of the request.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        arguments: &Value,
        auth: Auth<'_>,
        now: i64,
    ) -> Result<(T, String)> {
        let answer = self.client.send(&self.endpoint, self.request(call, arguments, auth, now)?).await?;
        read(call.action, answer.status(), answer.body())
    }

    fn request(&self, call: Call<'_>, arguments: &Value, auth: Auth<'_>, now: i64) -> Result<Request<Bytes>> {
        let payload = Bytes::from(arguments.to_string());
        let host = self.endpoint.authority();
        let mut request = Request::post("/")
            .header("content-type", JSON)
            .header("x-tc-action", call.action)
            .header("x-tc-version", call.version)
            .header("x-tc-region", call.region)
            .header("x-tc-timestamp", now)
            .header("x-tc-language", "en-US");
        let Auth::Key(key) = auth else {
            return finish(request.header("authorization", "SKIP"), payload);
        };
        if let Some(token) = &key.token {
            request = request.header("x-tc-token", token.expose());
        }
        let headers = [("content-type", JSON), ("host", host), ("x-tc-action", call.action)];
        let signed = sign::Request { method: "POST", query: "", headers: &headers, payload: &payload };
        let scope = Scope { timestamp: now, date: &date(now), service: self.service };
        let authorization = sign::authorization(&key.id, key.secret.expose(), &scope, &signed);
        finish(request.header("authorization", authorization), payload)
    }
}

/// What cannot be a header is not repeated: it may be a key.
fn finish(request: http::request::Builder, payload: Bytes) -> Result<Request<Bytes>> {
    request.body(payload).map_err(|_| {
        Error::Forbidden("the Tencent Cloud credentials hold a character that no header may have".to_owned())
    })
}

fn read<T: DeserializeOwned>(action: &str, status: StatusCode, body: &[u8]) -> Result<(T, String)> {
    let unreadable =
        || Error::Ambiguous(format!("{action}: the answer, of status {}, is not Tencent Cloud's", status.as_u16()));
    if status != StatusCode::OK {
        return Err(unreadable());
    }
    let Envelope { response } = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if let Some(Refusal { code, message }) = response.error {
        return Err(refusal::of(action, &code, &message));
    }
    let answer = serde_json::from_value(response.rest).map_err(|_| unreadable())?;
    Ok((answer, response.request_id))
}

fn date(now: i64) -> String {
    let moment = Timestamp::from_second(now).unwrap_or_default();
    moment.to_string().chars().take_while(|c| *c != 'T').collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn heard(status: u16, body: &str) -> Result<(Value, String)> {
        read("RebootInstances", StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn the_date_is_that_of_utc() {
        assert_eq!(date(1_551_113_065), "2019-02-25");
        assert_eq!(date(1_551_139_199), "2019-02-25");
        assert_eq!(date(1_551_139_200), "2019-02-26");
    }

    #[test]
    fn an_answer_has_an_id_or_is_nobodys() {
        let (rest, id) = heard(200, r#"{"Response":{"RequestId":"r","TotalCount":0}}"#).unwrap();
        assert_eq!((rest["TotalCount"].as_u64(), id.as_str()), (Some(0), "r"));
        let refused = heard(200, r#"{"Response":{"Error":{"Code":"AuthFailure.X","Message":"m"},"RequestId":"r"}}"#);
        assert_eq!(refused, Err(Error::Forbidden("RebootInstances: AuthFailure.X: m".to_owned())));
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"Response":{}}"#),
            (500, r#"{"Response":{"RequestId":"r"}}"#),
            (302, ""),
        ] {
            assert!(matches!(heard(status, body), Err(Error::Ambiguous(_))), "{status} {body}");
        }
    }
}
