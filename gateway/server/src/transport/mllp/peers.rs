//! Who may connect and how often: networks by CIDR (RFC 4632, RFC 4291 2.3) and places by address. Knows addresses only.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: u128,
    prefix: u8,
    v4: bool,
}

impl Cidr {
    /// Whether the address lies in it. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (bits, v4) = bits(address.to_canonical());
        v4 == self.v4 && mask(bits, self.prefix, v4) == self.network
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("not an address or network such as 10.1.0.0/16: {text}");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (bits, v4) = bits(address);
        let width = if v4 { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(wrong());
        }
        if mask(bits, prefix, v4) != bits {
            return Err(format!("{text} has bits beyond its prefix"));
        }
        Ok(Self {
            network: bits,
            prefix,
            v4,
        })
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match (self.v4, u32::try_from(self.network)) {
            (true, Ok(bits)) => IpAddr::V4(bits.into()),
            _ => IpAddr::V6(self.network.into()),
        };
        write!(f, "{address}/{}", self.prefix)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

fn mask(bits: u128, prefix: u8, v4: bool) -> u128 {
    let width: u32 = if v4 { 32 } else { 128 };
    let drop = width.saturating_sub(u32::from(prefix));
    bits.checked_shr(drop)
        .and_then(|high| high.checked_shl(drop))
        .unwrap_or(0)
}

/// Counts the places that are taken.
#[derive(Debug, Clone, Default)]
pub(in crate::transport) struct Places(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_peer: HashMap<IpAddr, u32>,
}

/// A taken place, given back on drop.
#[derive(Debug)]
pub(in crate::transport) struct Place {
    places: Places,
    peer: IpAddr,
}

impl Places {
    /// A place, unless `all` or `per_peer` are taken.
    pub(in crate::transport) fn take(&self, peer: IpAddr, all: u32, per_peer: u32) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = taken.by_peer.get(&peer).copied().unwrap_or(0);
        if taken.all >= all || of_peer >= per_peer {
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, of_peer + 1);
        drop(taken);
        Some(Place {
            places: self.clone(),
            peer,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let left = taken.by_peer.get(&self.peer).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            taken.by_peer.remove(&self.peer);
        } else {
            taken.by_peer.insert(self.peer, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(cidr("10.1.0.0/16").contains(ip("10.1.255.3")));
        assert!(!cidr("10.1.0.0/16").contains(ip("10.2.0.0")));
        assert!(cidr("10.1.0.0/16").contains(ip("::ffff:10.1.2.3")));
        assert!(cidr("127.0.0.1").contains(ip("127.0.0.1")));
        assert!(!cidr("127.0.0.1").contains(ip("127.0.0.2")));
        assert!(cidr("0.0.0.0/0").contains(ip("255.0.0.1")));
        assert!(!cidr("0.0.0.0/0").contains(ip("2001:db8::1")));
        assert!(cidr("2001:db8::/32").contains(ip("2001:db8:1::9")));
        assert!(cidr("::/0").contains(ip("2001:db8::1")));
    }

    #[test]
    fn a_network_with_host_bits_or_a_wide_prefix_is_refused() {
        for text in ["10.1.0.1/16", "10.0.0.0/33", "::/129", "10.0.0", "host/8", "10.0.0.0/x"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_given_back() {
        let places = Places::default();
        let one: IpAddr = "10.0.0.1".parse().unwrap();
        let two: IpAddr = "10.0.0.2".parse().unwrap();
        let first = places.take(one, 2, 1).unwrap();
        assert!(places.take(one, 2, 1).is_none());
        let _second = places.take(two, 2, 1).unwrap();
        assert!(places.take("10.0.0.3".parse().unwrap(), 2, 1).is_none());
        drop(first);
        assert!(places.take(one, 2, 1).is_some());
    }
}
