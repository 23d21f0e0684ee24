//! What is said to one BMC.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header::RETRY_AFTER};
use power::{
    Secret, asked,
    http::{Client, Endpoint, Limits, Trust},
};
use proto::node::{Error, Result};
use runtime::telemetry::chain;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    machines::Machine,
    system::{ActionInfo, Offer, Reset, System},
};

const SYSTEMS: &str = "/redfish/v1/Systems";

/// The longest part of somebody else's message that is passed on.
const LONGEST: usize = 300;

/// A BMC, and who we are to it.
pub(crate) struct Bmc<'a> {
    client: Client,
    machine: &'a Machine,
    authorization: String,
}

#[derive(Deserialize)]
struct Collection {
    #[serde(rename = "Members")]
    members: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "@odata.id")]
    path: String,
}

// === impl Bmc ===

impl<'a> Bmc<'a> {
    /// The BMC of a machine, with the password that its file holds now.
    pub(crate) fn new(machine: &'a Machine, limits: Limits) -> Result<Self> {
        let password = Secret::read(&machine.password_file)
            .map_err(|error| Error::Forbidden(format!("password-file of {}: {}", machine.url, chain(&error))))?;
        let client = Client::new(Trust::file_or_system(machine.ca_file.clone()), limits)
            .map_err(|error| Error::Unreachable(format!("ca-file of {}: {}", machine.url, chain(&error))))?;
        let basic = STANDARD.encode(format!("{}:{}", machine.username, password.expose()));
        Ok(Self { client, machine, authorization: format!("Basic {basic}") })
    }

    /// The system.
    pub(crate) async fn system(&self) -> Result<System> {
        let path = match self.machine.system.as_deref() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            Some(id) => format!("{SYSTEMS}/{id}"),
            None => self.only_system().await?,
        };
        self.get(&path).await
    }

    /// What the system offers, which it may say elsewhere.
    pub(crate) async fn offer(&self, system: &System) -> Result<Offer> {
        match system.reset() {
            Reset { types: Some(types), .. } => Ok(Offer(Some(types.clone()))),
            Reset { info: Some(path), .. } => Ok(Offer(self.get::<ActionInfo>(path).await?.types())),
            _ => Ok(Offer(None)),
        }
    }

    /// Resets the system, once; answers where the BMC keeps account of it, which may be nowhere.
    pub(crate) async fn reset(&self, system: &System, kind: &str) -> Result<String> {
        let lacking = || Error::Unsupported(format!("{}: the system names no reset", self.machine.url));
        let path = system.reset().target.as_deref().ok_or_else(lacking)?;
        let endpoint = self.at(path)?;
        let body = json!({ "ResetType": kind }).to_string();
        let request = self.finish(Request::post("/").header("content-type", "application/json"), body)?;
        let answer = self.client.send(&endpoint, request).await?;
        if !answer.status().is_success() {
            return Err(self.refusal(&format!("ResetType {kind}"), &answer));
        }
        Ok(text(answer.headers(), "location").unwrap_or_default().to_owned())
    }

    async fn only_system(&self) -> Result<String> {
        let Collection { members } = self.get(SYSTEMS).await?;
        match members.as_slice() {
            [Link { path }] => Ok(path.clone()),
            _ => Err(Error::Invalid(format!(
                "{} has {} systems: name one by `system` in the file of --redfish-machines",
                self.machine.url,
                members.len(),
            ))),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.finish(Request::get("/"), String::new())?;
        let answer = self.client.send(&self.at(path)?, request).await.map_err(asked)?;
        if answer.status() != StatusCode::OK {
            return Err(asked(self.refusal(path, &answer)));
        }
        let unreadable = |_| Error::Unreachable(format!("{}{path}: the answer is not that of a BMC", self.machine.url));
        serde_json::from_slice(answer.body()).map_err(unreadable)
    }

    /// A path that the BMC names is at the BMC: the password goes nowhere else.
    fn at(&self, path: &str) -> Result<Endpoint> {
        let elsewhere = |_| Error::Unsupported(format!("{} names a path that is not its own", self.machine.url));
        self.machine.url.at(path).map_err(elsewhere)
    }

    fn finish(&self, request: http::request::Builder, body: String) -> Result<Request<Bytes>> {
        request
            .header("authorization", &self.authorization)
            .header("accept", "application/json")
            .header("odata-version", "4.0")
            .body(Bytes::from(body))
            .map_err(|_| Error::Forbidden(format!("the username of {} cannot be sent", self.machine.url)))
    }

    /// A 4xx was refused before anything was done. A redirect is not followed, so it was not done either.
    fn refusal(&self, what: &str, answer: &Response<Bytes>) -> Error {
        let status = answer.status();
        let text = format!("{}: {what}: {status}{}", self.machine.url, message(answer.body()));
        match status.as_u16() {
            401 => {
                Error::Forbidden(format!("{text}; see username and password-file in the file of --redfish-machines"))
            }
            403 => Error::Forbidden(text),
            404 | 410 => Error::NotFound(text),
            405 => Error::Unsupported(text),
            409 | 412 => Error::Conflict(text),
            429 => Error::Throttled { message: text, retry_after: retry_after(answer.headers()) },
            300..=399 => Error::Invalid(format!("{text}; set url to where the BMC redirects to")),
            400..=499 => Error::Invalid(text),
            _ => Error::Ambiguous(text),
        }
    }
}

/// The BMC's own words, if it has some.
fn message(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let extended = body.pointer("/error/@Message.ExtendedInfo/0/Message").and_then(Value::as_str);
    let words = extended.or_else(|| body.pointer("/error/message").and_then(Value::as_str));
    words.map_or_else(String::new, |words| format!(": {}", words.chars().take(LONGEST).collect::<String>()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn retry_after(headers: &HeaderMap) -> u32 {
    text(headers, RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}
