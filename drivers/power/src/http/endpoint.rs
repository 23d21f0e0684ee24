//! The address of a provider.

use std::{fmt, str::FromStr};

use http::{Uri, uri::Scheme};

/// An `https` URL. Its path and query may hold a token, so only its host and port are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    host: String,
}

/// What is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("it is not a URL: write https://HOST, https://HOST:PORT or https://HOST/PATH")]
    Malformed,
    /// It is no `https` URL.
    #[error("it does not begin with https://")]
    Scheme,
    /// It holds a user's name or password.
    #[error("it holds a user or a password; these have their own settings")]
    Credentials,
}

// === impl Endpoint ===

impl Endpoint {
    /// The URL itself.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The same host with another path, which begins with a slash.
    pub fn at(&self, path: &str) -> Result<Self, EndpointError> {
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(EndpointError::Malformed);
        }
        format!("https://{}{path}", self.authority()).parse()
    }

    /// The name or address to dial, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(443)
    }

    /// What a `Host` header says.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let uri: Uri = url.parse().map_err(|_| EndpointError::Malformed)?;
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(EndpointError::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() { Err(EndpointError::Malformed) } else { Ok(Self { uri, host }) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        let cases = [
            ("https://a.example", "a.example", 443),
            ("https://a.example:8443/x?y", "a.example", 8443),
            ("https://[::1]:1", "::1", 1),
            ("https://10.0.0.1/", "10.0.0.1", 443),
        ];
        for (url, host, port) in cases {
            let endpoint: Endpoint = url.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
        }
    }

    #[test]
    fn only_https_without_credentials_is_an_endpoint() {
        let cases = [
            ("http://a.example", EndpointError::Scheme),
            ("a.example", EndpointError::Scheme),
            ("/path", EndpointError::Malformed),
            ("", EndpointError::Malformed),
            ("https://", EndpointError::Malformed),
            ("https://user:canary@a.example", EndpointError::Credentials),
        ];
        for (url, error) in cases {
            let found = url.parse::<Endpoint>().unwrap_err();
            assert_eq!(found, error, "{url}");
            assert!(!found.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_path_stays_at_its_host_and_is_not_shown() {
        let endpoint: Endpoint = "https://a.example:1/hook?token=canary".parse().unwrap();
        assert_eq!(format!("{endpoint} {endpoint:?}"), "https://a.example:1 https://a.example:1");
        assert_eq!(endpoint.at("/b?c=d").unwrap().uri().to_string(), "https://a.example:1/b?c=d");
        for path in ["https://b.example/", "//b.example/", "b", ""] {
            assert!(endpoint.at(path).is_err(), "{path}");
        }
    }
}
