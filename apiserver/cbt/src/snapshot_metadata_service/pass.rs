//! A request passed on to the cluster, as whoever asks.

use apiserver::{Call, Verb};
use auth::User;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT, VIA, WARNING},
};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use machinery::status::Status;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{PLURAL, VERSION, rewrite::Rewrite};
use crate::GROUP;

/// What this server calls itself to whom it passes requests on.
const PSEUDONYM: &str = "1.1 outrigger";
/// What of a request goes with it.
const ASKED: [HeaderName; 3] = [ACCEPT, CONTENT_TYPE, USER_AGENT];
/// What of an answer comes back.
const ANSWERED: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, WARNING];
/// The bytes of an answer at most: an object is a few KiB, and there is one for each driver.
const ANSWER_LIMIT: usize = 64 << 20;
/// What need not be encoded in a header's name.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Whether this very server has passed the request on already.
pub(super) fn was_passed(call: &Call<'_>) -> bool {
    call.headers().get_all(VIA).iter().any(|via| via == PSEUDONYM)
}

/// The cluster's answer; `None` to a verb that there is not.
pub(super) async fn pass(client: &Client, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
    let Some(method) = method(call.verb()) else { return Ok(None) };
    let (asked, kept) = (call.kind().group_version().to_string(), format!("{GROUP}/{VERSION}"));
    let theirs = Rewrite::new(asked.clone(), kept.clone());
    let body = call.body().await?;
    if asked != kept && theirs.is_other(&body) {
        // The cluster would take it.
        let message = format!("the API version in the data ({kept}) does not match the expected API version ({asked})");
        return Err(Status::bad_request(&message));
    }
    let mut request = Request::new(kube::client::Body::from(theirs.body(body)));
    *request.method_mut() = method;
    *request.uri_mut() =
        uri(call).parse().map_err(|_| Status::bad_request("the request's path cannot be passed on"))?;
    *request.headers_mut() = headers(call)?;
    let answer = client.send(request).await.map_err(|error| failed(&error))?;
    let (head, body) = answer.into_parts();
    let ours = theirs.back();
    let json = head.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let body = match (call.verb(), json) {
        (Verb::Watch, true) if head.status.is_success() => {
            Body::from_stream(lines(body.into_data_stream(), ours).take_until(call.shutdown().draining()))
        }
        (Verb::Watch, false) if head.status.is_success() => {
            Body::from_stream(body.into_data_stream().take_until(call.shutdown().draining()))
        }
        (_, json) => {
            let body = Limited::new(body, ANSWER_LIMIT).collect().await;
            let body = body.map_err(|error| failed(&*error))?.to_bytes();
            // Protobuf holds metadata only, which is of its own version.
            Body::from(if json { ours.json(body) } else { ours.yaml(body) })
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    let kept = head.headers.iter().filter(|(name, _)| ANSWERED.contains(name));
    response.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Some(response))
}

fn method(verb: Verb) -> Option<Method> {
    match verb {
        Verb::Get | Verb::List | Verb::Watch => Some(Method::GET),
        Verb::Create => Some(Method::POST),
        Verb::Update => Some(Method::PUT),
        Verb::Patch => Some(Method::PATCH),
        Verb::Delete | Verb::DeleteCollection => Some(Method::DELETE),
        Verb::Proxy | Verb::Unknown => None,
    }
}

/// The path in the cluster's version, with the query. A path may say that it watches; the cluster hears it in the query.
fn uri(call: &Call<'_>) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut query = call.query().to_vec();
    let mut uri = format!("/apis/{GROUP}/{VERSION}/{PLURAL}");
    match (call.verb(), call.name()) {
        (Verb::Watch, name) => {
            query.retain(|(key, _)| key != "watch");
            query.push(("watch".to_owned(), "1".to_owned()));
            query.extend(name.map(|name| ("fieldSelector".to_owned(), format!("metadata.name={name}"))));
        }
        (_, Some(name)) => uri.push_str(&format!("/{}", encoded(name))),
        (_, None) => {}
    }
    for (index, (key, value)) in query.iter().enumerate() {
        uri.push_str(&format!("{}{}={}", if index == 0 { '?' } else { '&' }, encoded(key), encoded(value)));
    }
    uri
}

fn headers(call: &Call<'_>) -> Result<HeaderMap, Status> {
    let mut headers = impersonation(call.user())
        .ok_or_else(|| Status::bad_request("the cluster cannot be told who asks: a name is no value of a header"))?;
    for name in ASKED {
        headers.extend(call.headers().get_all(&name).iter().map(|value| (name.clone(), value.clone())));
    }
    headers.insert(VIA, HeaderValue::from_static(PSEUDONYM));
    Ok(headers)
}

/// The headers by which one asks as somebody else; `None` when they cannot be written.
fn impersonation(user: &User) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut say = |name: &str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        Some(())
    };
    say("impersonate-user", &user.name)?;
    for group in &user.groups {
        say("impersonate-group", group)?;
    }
    if !user.uid.is_empty() {
        say("impersonate-uid", &user.uid)?;
    }
    for (key, values) in &user.extra {
        let name = format!("impersonate-extra-{}", utf8_percent_encode(key, NAME)).to_ascii_lowercase();
        for value in values {
            say(&name, value)?;
        }
    }
    Some(headers)
}

/// The events of a watch, line by line.
fn lines<E>(body: impl Stream<Item = Result<Bytes, E>>, rewrite: Rewrite) -> impl Stream<Item = Result<Bytes, E>> {
    async_stream::try_stream! {
        let mut rest = BytesMut::new();
        for await bytes in body {
            rest.extend_from_slice(&bytes?);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                yield rewrite.json(rest.split_to(end + 1).freeze());
            }
        }
        if !rest.is_empty() {
            yield rest.freeze();
        }
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Status {
    let why = runtime::telemetry::chain(error);
    tracing::warn!("a request for {PLURAL}.{GROUP} cannot be passed on: {why}");
    Status::unavailable(&format!("{PLURAL}.{GROUP} are the cluster's, which cannot be reached: {why}"), 1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[test]
    fn whoever_asks_is_named_in_full() {
        let user = User {
            name: "system:serviceaccount:a:b".to_owned(),
            uid: "7".to_owned(),
            groups: vec!["system:serviceaccounts".to_owned(), "ä".to_owned()],
            extra: [("authentication.kubernetes.io/Credential-ID".to_owned(), vec!["x".to_owned()])].into(),
        };
        let headers = impersonation(&user).unwrap();
        assert_eq!(headers["impersonate-user"], "system:serviceaccount:a:b");
        assert_eq!(headers["impersonate-uid"], "7");
        assert_eq!(headers.get_all("impersonate-group").iter().count(), 2);
        assert_eq!(headers["impersonate-extra-authentication.kubernetes.io%2fcredential-id"], "x");
        assert!(impersonation(&User { name: "a\nb".to_owned(), ..user }).is_none());
    }

    #[tokio::test]
    async fn events_are_rewritten_however_their_bytes_come() {
        let events = "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"g/b\"}}\n{\"type\":\"DELETED\",\"object\":{\"apiVersion\":\"g/b\"}}\n";
        for size in [1, 7, 60, 500] {
            let pieces = events.as_bytes().chunks(size).map(|piece| Ok::<_, ()>(Bytes::copy_from_slice(piece)));
            let rewrite = Rewrite::new("g/b".to_owned(), "g/a".to_owned());
            let out: Vec<Bytes> = lines(futures::stream::iter(pieces), rewrite).try_collect().await.unwrap();
            assert_eq!(String::from_utf8(out.concat()).unwrap(), events.replace("g/b", "g/a"));
        }
    }
}
