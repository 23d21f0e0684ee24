//! Whose pages may ask, and whose may write (CORS).
//!
//! A page elsewhere may always send a request, CORS only keeps the answer from it. So what a browser sends with an `Origin` that is neither
//! listed nor our own host does not write.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{Asked, text};
use crate::{
    error::{Code, Error, Result},
    reply::{self, Answer},
};

const METHODS: &str = "DELETE,GET,PATCH,POST,PUT";
const HEADERS: &str = "Authorization,Content-Type";
/// How long a browser may remember that, in seconds.
const MAX_AGE: &str = "600";

/// Whose pages may ask.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    listed: BTreeSet<String>,
    /// Our own name, where we are told.
    host: Option<String>,
}

// === impl Origins ===

impl Origins {
    pub(crate) fn new(listed: &[String], host: Option<&str>) -> Self {
        Self { listed: listed.iter().cloned().collect(), host: host.map(str::to_owned) }
    }

    /// The answer to a browser that asks whether it may ask; `None` when it does not, or may not.
    pub(super) fn preflight(&self, asked: &Asked) -> Option<Answer> {
        let asks = asked.method == Method::OPTIONS && asked.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        self.of(&asked.headers).filter(|_| asks)?;
        let mut answer = reply::empty(StatusCode::OK);
        reply::set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        reply::set(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        reply::set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(answer)
    }

    /// Lets a listed origin's page read the answer.
    pub(super) fn mark(&self, headers: &HeaderMap, answer: &mut Answer) {
        if let Some(origin) = self.of(headers) {
            reply::set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }

    /// Refuses writes of pages from elsewhere.
    pub(super) fn check(&self, asked: &Asked) -> Result<()> {
        let Some(origin) = text(asked.headers.get(header::ORIGIN)).filter(|_| asked.method != Method::GET) else {
            return Ok(());
        };
        let host = origin.split_once("://").map(|(_, host)| host);
        let named = |name: &String| host.is_some_and(|host| host == name || host.split(':').next() == Some(name));
        let ours = host.is_some() && host == text(asked.headers.get(header::HOST));
        if ours || self.listed.contains(origin) || self.host.as_ref().is_some_and(named) {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "Pages of this origin may not write: list it with --cors-allowed-origin"))
    }

    fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        text(headers.get(header::ORIGIN)).filter(|origin| self.listed.contains(*origin))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::params::Params;

    fn asked(method: Method, headers: &[(&'static str, &'static str)]) -> Asked {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Asked {
            method,
            path: "/".into(),
            params: Params::default(),
            headers: map,
            target: None,
            operation: String::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn pages_from_elsewhere_do_not_write() {
        let origins = Origins::new(&["https://console.redhat.com".to_owned()], Some("fleet.example"));
        let may = |method, headers: &[_]| origins.check(&asked(method, headers)).is_ok();
        assert!(may(Method::POST, &[]), "who is no browser says no origin");
        assert!(may(Method::POST, &[("origin", "https://console.redhat.com")]));
        assert!(may(Method::POST, &[("origin", "http://localhost:8000"), ("host", "localhost:8000")]));
        assert!(may(Method::POST, &[("origin", "https://fleet.example"), ("host", "10.0.0.1:8000")]));
        assert!(may(Method::GET, &[("origin", "https://evil.example")]));
        assert!(!may(Method::POST, &[("origin", "https://evil.example"), ("host", "localhost:8000")]));
        assert!(!may(Method::DELETE, &[("origin", "null"), ("host", "localhost:8000")]));
    }

    #[test]
    fn listed_origins_are_told_that_they_may_ask() {
        let origins = Origins::new(&["https://console.redhat.com".to_owned()], None);
        let method = ("access-control-request-method", "POST");
        let preflight = |headers: &[_]| origins.preflight(&asked(Method::OPTIONS, headers));
        assert_eq!(preflight(&[("origin", "https://console.redhat.com"), method]).unwrap().status(), 200);
        assert!(preflight(&[("origin", "https://console.redhat.com")]).is_none());
        assert!(preflight(&[("origin", "https://evil.example"), method]).is_none());
    }
}
