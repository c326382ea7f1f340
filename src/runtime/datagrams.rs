//! What a system call brings and takes, in the form of the floors below.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV6};

use quinn_udp::{EcnCodepoint, RecvMeta};

use crate::base::{Ecn, Interface, Path, Received};

/// Receives that one system call may bring, each of up to 64 datagrams.
const RECEIVES: usize = 8;
/// Room for the largest of them.
const RECEIVE_LEN: usize = 1 << 16;

/// Buffers that are received into again and again.
pub struct Buffers {
    memory: Box<[u8]>,
    meta: [RecvMeta; RECEIVES],
    filled: usize,
}

impl Buffers {
    /// Buffers for one receive at a time, of any socket.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: vec![0; RECEIVES * RECEIVE_LEN].into_boxed_slice(),
            meta: [RecvMeta::default(); RECEIVES],
            filled: 0,
        }
    }

    /// Runs one receive, which says how many of the slices it filled.
    pub(super) fn fill(
        &mut self,
        receive: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.filled = 0;
        let mut chunks = self.memory.chunks_mut(RECEIVE_LEN);
        let mut slices: [IoSliceMut<'_>; RECEIVES] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        self.filled = receive(&mut slices, &mut self.meta)?.min(RECEIVES);
        Ok(self.filled)
    }

    /// What the last receive brought, in the order of arrival, as coming in through `interface`.
    pub fn received(&mut self, interface: Interface) -> impl Iterator<Item = Received<'_>> {
        self.memory.chunks_mut(RECEIVE_LEN).zip(&self.meta).take(self.filled).filter_map(move |(memory, meta)| {
            let data = memory.get_mut(..meta.len)?;
            // A datagram of no bytes has nothing to say.
            let segment = meta.stride.min(meta.len);
            if segment == 0 {
                return None;
            }
            let local = meta.dst_ip.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_multicast());
            let path = Path { interface, local, remote: canonical(meta.addr) };
            Some(Received { path, ecn: mark(meta.ecn), segment, data })
        })
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").field("filled", &self.filled).finish_non_exhaustive()
    }
}

/// The address as everything above writes it: IPv4 never mapped, no flow label, a zone only where it means something.
#[must_use]
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(v4.into(), v6.port()),
            None => {
                let zone = if v6.ip().is_unicast_link_local() || v6.ip().is_multicast() { v6.scope_id() } else { 0 };
                SocketAddrV6::new(*v6.ip(), v6.port(), 0, zone).into()
            }
        },
    }
}

pub(super) fn codepoint(ecn: Ecn) -> Option<EcnCodepoint> {
    match ecn {
        Ecn::NotEct => None,
        Ecn::Ect => Some(EcnCodepoint::Ect0),
        Ecn::Ce => Some(EcnCodepoint::Ce),
    }
}

fn mark(codepoint: Option<EcnCodepoint>) -> Ecn {
    match codepoint {
        None => Ecn::NotEct,
        Some(EcnCodepoint::Ect0 | EcnCodepoint::Ect1) => Ecn::Ect,
        Some(EcnCodepoint::Ce) => Ecn::Ce,
    }
}
