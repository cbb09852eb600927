//! Who may speak to us: addresses and keys.
//!
//! Guarantees: keys are compared by their hashes in constant time; an IPv4 address in IPv6 clothes is that IPv4 address.
//! Deliberately not here: `X-Forwarded-For`, which anybody can write.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::header;
use axum::http::request::Parts;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    net: IpAddr,
    bits: u8,
}

/// A text is no address and no block of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an address (192.0.2.7) or a block of them (192.0.2.0/24)")]
pub struct SourceError;

impl Source {
    /// This machine.
    pub const LOOPBACK: [Self; 2] = [
        Self { net: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Self { net: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// Reads an address or a CIDR block.
    ///
    /// # Errors
    /// When it is neither, or the block has more bits than the address.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let (net, bits) = match text.split_once('/') {
            Some((net, bits)) => (net, Some(bits.parse().map_err(|_| SourceError)?)),
            None => (text, None),
        };
        let net: IpAddr = net.parse().map_err(|_| SourceError)?;
        let bits_max = if net.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(bits_max);
        if bits <= bits_max { Ok(Self { net, bits }) } else { Err(SourceError) }
    }

    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (net, address) = match (self.net, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                (u128::from(net.to_bits()) << 96, u128::from(address.to_bits()) << 96)
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => (net.to_bits(), address.to_bits()),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        // The bits that differ, counted from the front.
        self.bits == 0 || (net ^ address).leading_zeros() >= u32::from(self.bits)
    }
}

/// As it is written in a configuration.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.net, self.bits)
    }
}

/// What a configuration keeps of a key.
pub fn key_hash(key: &str) -> [u8; 32] {
    blake3::hash(key.as_bytes()).into()
}

/// Compares hashes of keys in constant time.
pub(super) fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.ct_eq(other).into()
}

/// The key of a request: `Authorization: Bearer …`, else `X-Api-Key: …`, else `?key=…` for aggregators that can set no
/// header (proxies may log it; it is read as it stands, so it must be URL-safe).
pub(super) fn presented_key(parts: &Parts) -> Option<Zeroizing<String>> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let key = bearer.or_else(|| header("x-api-key")).or_else(|| {
        let query = parts.uri.query()?;
        query.split('&').find_map(|pair| pair.strip_prefix("key="))
    });
    key.map(|key| Zeroizing::new(String::from(key.trim())))
}

#[cfg(test)]
mod tests {
    use super::Source;
    use std::net::IpAddr;

    fn contains(source: &str, address: &str) -> bool {
        let address: IpAddr = address.parse().expect("an address");
        Source::parse(source).expect("a source").contains(address)
    }

    #[test]
    fn addresses_and_blocks() {
        for (source, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.0/24", "::ffff:192.0.2.1", "::1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::/0", "2001:db9::1", "192.0.2.7"),
            ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
        ] {
            assert!(contains(source, inside), "{source} {inside}");
            assert!(!contains(source, outside), "{source} {outside}");
        }
        for bad in ["", "192.0.2", "192.0.2.0/33", "::/129", "192.0.2.0/", "example.org", "192.0.2.0/-1"] {
            assert!(Source::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_the_default() {
        let inside = |address: &str| {
            let address: IpAddr = address.parse().expect("an address");
            Source::LOOPBACK.iter().any(|source| source.contains(address))
        };
        assert!(inside("127.0.0.1") && inside("::1") && inside("::ffff:127.0.0.1"));
        assert!(!inside("10.0.0.1"));
    }
}
