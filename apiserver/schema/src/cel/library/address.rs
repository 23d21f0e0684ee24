//! Addresses and networks.

use std::{fmt, net::IpAddr};

/// A network: an address, whatever its last bits are, and how many of its bits are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cel) struct Cidr {
    pub(in crate::cel) address: IpAddr,
    pub(in crate::cel) bits: u8,
}

/// Reads an address. IPv4 addresses within IPv6 are none, nor are those of a zone.
pub(in crate::cel) fn read_address(text: &str) -> Result<IpAddr, String> {
    let unreadable = || {
        format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
        )
    };
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<std::net::Ipv6Addr>().is_ok()
    {
        return Err(format!("IP address {text:?} with zone value is not allowed"));
    }
    match text.parse().map_err(|_| unreadable())? {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        address => Ok(address),
    }
}

// === impl Cidr ===

impl Cidr {
    /// Reads one, such as `10.0.0.0/8`.
    pub(in crate::cel) fn read(text: &str) -> Result<Self, String> {
        let because = |why: &str| {
            format!("network address parse error during conversion from string: netip.ParsePrefix({text:?}): {why}")
        };
        let (address, bits) = text.rsplit_once('/').ok_or_else(|| because("no '/'"))?;
        let address: IpAddr =
            address.parse().map_err(|_| because(&format!("ParseAddr({address:?}): unable to parse IP")))?;
        if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            return Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"));
        }
        let plain =
            !bits.is_empty() && bits.bytes().all(|one| one.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
        let read = bits
            .parse::<u8>()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| because(&format!("bad bits after slash: {bits:?}")))?;
        if read > width(address) {
            return Err(because("prefix length out of range"));
        }
        Ok(Self { address, bits: read })
    }

    /// The network without the bits of any of its addresses.
    pub(in crate::cel) fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => IpAddr::V4((address.to_bits() & mask_32(self.bits)).into()),
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask_128(self.bits)).into()),
        };
        Self { address, ..self }
    }

    /// Whether an address is one of the network's.
    pub(in crate::cel) fn contains(self, address: IpAddr) -> bool {
        let same = self.address.is_ipv4() == address.is_ipv4();
        same && Self { address, ..self }.masked() == self.masked()
    }

    /// Whether all addresses of another network are the network's.
    pub(in crate::cel) fn contains_all(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.address)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask_32(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or_default()
}

fn mask_128(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or_default()
}
