//! What is remembered of one member.

use crate::base::{Instant, PeerId};
use crate::wire::Address;

use super::address::GroupAddress;

/// Addresses kept for one peer.
pub(super) const MAX_ADDRESSES: usize = 8;

/// A list of at most [`MAX_ADDRESSES`] addresses in their encoded form: a quarter of the memory, and ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// The first of these addresses, each once.
    pub(super) fn new(addresses: impl IntoIterator<Item = Address>) -> Self {
        let mut kept: Vec<Address> = Vec::new();
        let mut bytes = Vec::new();
        for address in addresses {
            if kept.len() == MAX_ADDRESSES {
                break;
            }
            if !kept.iter().any(|other| other.socket == address.socket) {
                address.encode(&mut bytes);
                kept.push(address);
            }
        }
        Self(bytes.into())
    }

    /// The addresses.
    pub(super) fn iter(&self) -> impl Iterator<Item = Address> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || if rest.is_empty() { None } else { Address::take(&mut rest).ok() })
    }

    /// Their encoded form.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A member that we heard of.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Where on the ring.
    pub(super) address: GroupAddress,
    /// Who.
    pub(super) peer: PeerId,
    /// When there was news of it.
    pub(super) heard: Instant,
    /// Where it may be.
    pub(super) addresses: Packed,
    /// Marks of links whose far ends told of it: first the one that did so before all others and answers for it until it
    /// is proven, then the latest two. 0 is nobody.
    pub(super) reporters: [u16; 3],
    /// Whether we ever had a proven link with it.
    pub(super) proven: bool,
    /// Whether `addresses` come from itself.
    pub(super) own_addresses: bool,
    /// Whether it is a neighbour.
    pub(super) linked: bool,
    /// How often in a row it was not reached.
    pub(super) failures: u8,
}

impl Known {
    /// A member of which nothing else is known.
    pub(super) fn new(peer: PeerId) -> Self {
        Self {
            address: GroupAddress::of(peer),
            peer,
            heard: Instant::ZERO,
            addresses: Packed::default(),
            reporters: [0; 3],
            proven: false,
            own_addresses: false,
            linked: false,
            failures: 0,
        }
    }
}
