//! Internet socket addresses with their origin (RFC 7016 section 2.1.5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::error::DecodeError;
use super::reader::{take_array, take_u8, take_u16};

const INET6: u8 = 0x80;

/// Where an address was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Origin {
    /// Not said, or something else.
    #[default]
    Unknown = 0,
    /// Its owner reports it as one of its interfaces'.
    Local = 1,
    /// A packet came from it (a reflexive address).
    Observed = 2,
    /// A relay's, proxy's or introducer's.
    Relay = 3,
}

/// A socket address, tagged with its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Where it was learned.
    pub origin: Origin,
    /// The address. IPv6 flow label and scope are not transmitted.
    pub socket: SocketAddr,
}

impl Address {
    /// An address with its origin.
    #[must_use]
    pub const fn new(origin: Origin, socket: SocketAddr) -> Self {
        Self { origin, socket }
    }

    /// Bytes that [`Self::encode`] appends.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        if self.socket.is_ipv6() { 19 } else { 7 }
    }

    /// Appends the address.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self.socket.ip() {
            IpAddr::V4(ip) => {
                out.push(self.origin as u8);
                out.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                out.push(INET6 | self.origin as u8);
                out.extend_from_slice(&ip.octets());
            }
        }
        out.extend_from_slice(&self.socket.port().to_be_bytes());
    }

    /// Takes an address off the front of `from`; reserved bits are ignored.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if the bytes end inside it.
    pub fn take(from: &mut &[u8]) -> Result<Self, DecodeError> {
        let flags = take_u8(from)?;
        let origin = match flags & 3 {
            1 => Origin::Local,
            2 => Origin::Observed,
            3 => Origin::Relay,
            _ => Origin::Unknown,
        };
        let ip = if flags & INET6 == 0 {
            IpAddr::V4(Ipv4Addr::from(take_array::<4>(from)?))
        } else {
            IpAddr::V6(Ipv6Addr::from(take_array::<16>(from)?))
        };
        Ok(Self { origin, socket: SocketAddr::new(ip, take_u16(from)?) })
    }
}

/// A list of addresses: decoded ones stay in the packet, ones to be sent in their owner's slice.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a>(Source<'a>);

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    /// Decodes without error to its end.
    Encoded(&'a [u8]),
    List(&'a [Address]),
}

impl<'a> Addresses<'a> {
    /// The addresses that `bytes` consist of.
    ///
    /// # Errors
    /// If the last one is cut off.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            Address::take(&mut rest)?;
        }
        Ok(Self(Source::Encoded(bytes)))
    }

    /// The addresses one by one.
    #[must_use]
    pub const fn iter(&self) -> AddressesIter<'a> {
        AddressesIter(self.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self.0 {
            Source::Encoded(bytes) => bytes.is_empty(),
            Source::List(list) => list.is_empty(),
        }
    }

    /// Bytes that [`Self::encode`] appends.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.iter().map(|address| address.encoded_len()).sum()
    }

    /// Appends them all.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for address in self.iter() {
            address.encode(out);
        }
    }
}

impl<'a> From<&'a [Address]> for Addresses<'a> {
    fn from(list: &'a [Address]) -> Self {
        Self(Source::List(list))
    }
}

impl<'a> IntoIterator for Addresses<'a> {
    type Item = Address;
    type IntoIter = AddressesIter<'a>;

    fn into_iter(self) -> AddressesIter<'a> {
        self.iter()
    }
}

impl PartialEq for Addresses<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Addresses<'_> {}

/// Iterator over [`Addresses`].
#[derive(Debug, Clone)]
pub struct AddressesIter<'a>(Source<'a>);

impl Iterator for AddressesIter<'_> {
    type Item = Address;

    fn next(&mut self) -> Option<Address> {
        match &mut self.0 {
            Source::Encoded(bytes) => Address::take(bytes).ok(),
            Source::List(list) => {
                let (first, rest) = list.split_first()?;
                *list = rest;
                Some(*first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address() -> impl Strategy<Value = Address> {
        let origin =
            prop_oneof![Just(Origin::Unknown), Just(Origin::Local), Just(Origin::Observed), Just(Origin::Relay)];
        (origin, any::<IpAddr>(), any::<u16>())
            .prop_map(|(origin, ip, port)| Address::new(origin, SocketAddr::new(ip, port)))
    }

    proptest! {
        #[test]
        fn lists_round_trip_and_a_cut_address_spoils_them(
            list in proptest::collection::vec(address(), 0..6),
        ) {
            let addresses = Addresses::from(&list[..]);
            let mut out = Vec::new();
            addresses.encode(&mut out);
            prop_assert_eq!(out.len(), addresses.encoded_len());
            let read = Addresses::decode(&out).unwrap();
            prop_assert_eq!(read, addresses);
            prop_assert_eq!(read.is_empty(), list.is_empty());
            let mut ends = vec![0];
            ends.extend(list.iter().scan(0, |end, address| {
                *end += address.encoded_len();
                Some(*end)
            }));
            for cut in 0..=out.len() {
                prop_assert_eq!(Addresses::decode(&out[..cut]).is_ok(), ends.contains(&cut));
            }
        }

        #[test]
        fn reserved_bits_are_ignored(address in address(), reserved in 0u8..32) {
            let mut out = Vec::new();
            address.encode(&mut out);
            out[0] |= reserved << 2;
            prop_assert_eq!(Address::take(&mut &out[..]), Ok(address));
        }
    }
}
