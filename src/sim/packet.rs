//! A datagram under way, what can befall it, and the record of it all.

use crate::base::{Ecn, Instant};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// A host of the world, for as long as the world lasts: the number of one that left is not given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) u32);

impl HostId {
    /// Its number, counted from 0 in the order in which hosts were added.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A datagram under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The source address as it stands in the packet at this place: NATs rewrite it.
    pub source: SocketAddr,
    /// The destination address as it stands in the packet at this place.
    pub destination: SocketAddr,
    /// Its congestion mark.
    pub ecn: Ecn,
    /// The UDP payload.
    pub data: Vec<u8>,
}

impl Packet {
    /// Bytes on the wire, IP and UDP headers included.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        let headers = if self.destination.is_ipv4() { 28 } else { 48 };
        self.data.len() + headers
    }
}

/// Why a datagram did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A link lost it at random.
    Loss,
    /// A link lost it in a burst.
    Burst,
    /// A link's queue was full.
    QueueFull,
    /// It is longer than a link's MTU, and the link says nothing about it.
    TooBig,
    /// A link was down.
    Outage,
    /// Sender and receiver are on different islands of a partitioned network.
    Partition,
    /// Nobody has that address there, or the sender has no way to it.
    NoRoute,
    /// The host has no socket at that port.
    NoSocket,
    /// A NAT has no mapping for it.
    NatUnmapped,
    /// A NAT has a mapping, but filters this sender.
    NatFiltered,
    /// A NAT does not turn traffic between its inside hosts round.
    NatHairpin,
    /// A NAT has no port left.
    NatExhausted,
}

/// What happened to a datagram, for observers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A host sent it.
    Sent(HostId),
    /// A host's machine is handed it.
    Delivered(HostId),
    /// It is gone, and why.
    Dropped(Cause),
    /// A link made a second one of it.
    Duplicated,
    /// A link flipped a bit of it.
    Corrupted,
    /// A link's queue set its congestion mark.
    Marked,
}

/// Counts of what happened to all datagrams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams that hosts sent.
    pub sent: u64,
    /// Their payload bytes.
    pub sent_bytes: u64,
    /// Datagrams that machines were handed.
    pub delivered: u64,
    /// Their payload bytes.
    pub delivered_bytes: u64,
    /// Second copies that links made.
    pub duplicated: u64,
    /// Datagrams of which a link flipped a bit.
    pub corrupted: u64,
    /// Datagrams marked "congestion experienced".
    pub marked: u64,
    /// Datagrams that did not arrive, by cause.
    pub dropped: BTreeMap<Cause, u64>,
}

impl Counters {
    /// Datagrams that did not arrive for this cause.
    #[must_use]
    pub fn dropped_by(&self, cause: Cause) -> u64 {
        self.dropped.get(&cause).copied().unwrap_or(0)
    }

    /// Datagrams that did not arrive.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// Called for each thing that happens to a datagram.
pub type Observer = Box<dyn FnMut(Instant, Fate, &Packet)>;

/// The record: counters, the digest of all traffic, and whoever watches.
pub(super) struct Record {
    pub(super) counters: Counters,
    pub(super) observers: Vec<Observer>,
    digest: Sha256,
}

impl Record {
    pub(super) fn new() -> Self {
        Self { counters: Counters::default(), observers: Vec::new(), digest: Sha256::new() }
    }

    pub(super) fn note(&mut self, now: Instant, fate: Fate, packet: &Packet) {
        let bytes = packet.data.len() as u64;
        match fate {
            Fate::Sent(host) => {
                self.counters.sent += 1;
                self.counters.sent_bytes += bytes;
                self.write(b's', now, host, packet);
                self.digest.update(&packet.data);
            }
            Fate::Delivered(host) => {
                self.counters.delivered += 1;
                self.counters.delivered_bytes += bytes;
                // The bytes were written when they were sent; a corrupted one shows in what the receiver does.
                self.write(b'r', now, host, packet);
            }
            Fate::Dropped(cause) => *self.counters.dropped.entry(cause).or_default() += 1,
            Fate::Duplicated => self.counters.duplicated += 1,
            Fate::Corrupted => self.counters.corrupted += 1,
            Fate::Marked => self.counters.marked += 1,
        }
        for observer in &mut self.observers {
            observer(now, fate, packet);
        }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    fn write(&mut self, what: u8, now: Instant, host: HostId, packet: &Packet) {
        let mut head = [0; 64];
        head[0] = what;
        head[1] = packet.ecn as u8;
        head[2..10].copy_from_slice(&now.as_micros().to_be_bytes());
        head[10..14].copy_from_slice(&host.0.to_be_bytes());
        head[14..22].copy_from_slice(&(packet.data.len() as u64).to_be_bytes());
        put_address(&mut head[22..40], packet.source);
        put_address(&mut head[40..58], packet.destination);
        self.digest.update(head);
    }
}

fn put_address(out: &mut [u8], address: SocketAddr) {
    out[..2].copy_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => out[2..6].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out[2..18].copy_from_slice(&ip.octets()),
    }
}
