//! Where to listen, as Go writes it.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};

/// The address that `HOST:PORT` of a flag means: `localhost:8000`, `:8000` for everywhere, `[::1]:8000`. Of several the IPv4 one.
pub(crate) async fn listen(flag: &str, text: &str) -> anyhow::Result<SocketAddr> {
    let wrong = || format!("{flag} {text:?} is not HOST:PORT");
    if let Some(port) = text.strip_prefix(':') {
        return Ok(SocketAddr::new([0, 0, 0, 0].into(), port.parse().with_context(wrong)?));
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host(text).await.with_context(wrong)?.collect();
    match found.iter().find(|address| address.is_ipv4()).or(found.first()) {
        Some(address) => Ok(*address),
        None => bail!("{flag} {text:?} names no address"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_read_as_go_reads_them() {
        let address = |text: &'static str| async move { listen("--x", text).await.map(|address| address.to_string()) };
        assert_eq!(address("localhost:8000").await.unwrap(), "127.0.0.1:8000");
        assert_eq!(address(":8000").await.unwrap(), "0.0.0.0:8000");
        assert_eq!(address("[::1]:8000").await.unwrap(), "[::1]:8000");
        for wrong in ["", "8000", ":x", "localhost", "localhost:99999"] {
            let error = address(wrong).await.unwrap_err();
            assert!(format!("{error:#}").contains("--x"), "{error:#}");
        }
    }
}
