//! Datagrams and the paths they take.

use std::net::{IpAddr, SocketAddr};

/// One of the endpoint's sockets, by the number its owner gave it. 0 is the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Interface(pub u16);

impl Interface {
    /// The socket that a machine sends from when nothing else is said.
    pub const MAIN: Self = Self(0);
    /// The receive-only sockets that listen to the LAN discovery groups. What comes in here is answered from
    /// [`Interface::MAIN`].
    pub const DISCOVERY: Self = Self(u16::MAX);
    /// The receive-only sockets that listen to groups' own IP multicast addresses, on which no RTMFP is spoken.
    pub const CAST: Self = Self(u16::MAX - 1);
}

/// Where a datagram comes from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The socket it passes.
    pub interface: Interface,
    /// The local address that it was sent to or shall be sent from; `None` leaves the choice to the kernel.
    pub local: Option<IpAddr>,
    /// The far end's address as seen here; IPv4 is never written as a mapped IPv6 address.
    pub remote: SocketAddr,
}

impl Path {
    /// The way to `remote` through the main socket.
    #[must_use]
    pub const fn to(remote: SocketAddr) -> Self {
        Self { interface: Interface::MAIN, local: None, remote }
    }

    /// Whether both lead to the same far address through the same socket. The local address does not count.
    #[must_use]
    pub fn leads_like(&self, other: &Self) -> bool {
        self.interface == other.interface && self.remote == other.remote
    }
}

/// Explicit congestion notification of a datagram (RFC 3168).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ecn {
    /// Not ECN-capable.
    #[default]
    NotEct,
    /// ECN-capable, not marked: ECT(0) or ECT(1).
    Ect,
    /// Congestion experienced.
    Ce,
}

/// What one receive brought: one or more datagrams of one path, `segment` bytes each but for the last, which may be
/// shorter. They are opened in place.
#[derive(Debug)]
pub struct Received<'a> {
    /// Where they came from.
    pub path: Path,
    /// Their ECN mark.
    pub ecn: Ecn,
    /// Bytes of each datagram but the last; not 0.
    pub segment: usize,
    /// The datagrams, end to end.
    pub data: &'a mut [u8],
}

/// What one send takes: datagrams for one path, cut by the kernel (GSO) every `segment` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where they go.
    pub path: Path,
    /// Whether to mark them ECN-capable.
    pub ecn: Ecn,
    /// Bytes of each datagram but the last; not 0.
    pub segment: usize,
    /// The datagrams, end to end.
    pub data: Vec<u8>,
}

impl Transmit {
    /// A single datagram.
    #[must_use]
    pub fn single(path: Path, data: Vec<u8>) -> Self {
        Self { path, ecn: Ecn::NotEct, segment: data.len().max(1), data }
    }

    /// The datagrams one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        self.data.chunks(self.segment)
    }
}
