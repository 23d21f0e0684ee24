//! Every request but a watch ends within a minute, sooner if the client says so with `timeout`.

use std::time::Duration;

use machinery::{status::Status, time::parse_duration};

use crate::{error::Result, request::RequestInfo};

const AT_MOST: Duration = Duration::from_secs(60);

/// The outcome of `answer`, or 504.
pub(super) async fn within<T>(info: &RequestInfo, answer: impl Future<Output = Result<T>>) -> Result<T> {
    if info.long_running() {
        return answer.await;
    }
    let limit = limit(info)?;
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        let text = "request did not complete within the allotted timeout";
        Err(Status::timeout(text, 0).into())
    })
}

fn limit(info: &RequestInfo) -> Result<Duration> {
    let Some(given) = info.param("timeout").filter(|given| !given.is_empty()) else { return Ok(AT_MOST) };
    match parse_duration(given) {
        // Like the kube-apiserver: zero and negative durations mean the default.
        Ok(asked) => Ok(asked.filter(|asked| !asked.is_zero()).map_or(AT_MOST, |asked| asked.min(AT_MOST))),
        Err(problem) => {
            Err(Status::bad_request(&format!("invalid timeout specified in the request URL - {problem}")).into())
        }
    }
}
