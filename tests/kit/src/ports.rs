//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, Result};

/// `N` different ports that were free a moment ago. All are held while choosing, so they differ.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
        *port = listener.local_addr().context("reading the address of a listener")?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    #[test]
    fn ports_differ() {
        let [a, b, c] = super::free().unwrap();
        assert!(a != b && b != c && a != c && a > 0);
    }
}
