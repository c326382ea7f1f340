//! Open sessions with members, and those who may become such.

use std::net::SocketAddr;
use std::time::Duration;

use super::limits::{ASK_AGAIN, MAX_UNPROVEN, MESSAGE_BURST, MESSAGE_RATE};
use crate::base::{Instant, PeerId, TokenBucket};
use crate::group::address::GroupAddress;
use crate::group::contract::Link;

/// What is needed until both INITs are proven.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) near_nonce: [u8; 32],
    pub(super) far_nonce: [u8; 32],
    /// Whether we asked for the session.
    pub(super) dialled: bool,
    /// When to give up.
    pub(super) until: Instant,
    /// When to send INIT although it was for the other side to begin.
    pub(super) speak_at: Option<Instant>,
    /// Whether INIT is sent.
    pub(super) told: bool,
}

/// A session with a peer, as far as the group goes.
#[derive(Debug)]
pub(super) struct Peering {
    pub(super) peer: PeerId,
    pub(super) address: GroupAddress,
    /// Its name in [`crate::group::known::Known::reporters`].
    pub(super) mark: u16,
    pub(super) remote: SocketAddr,
    pub(super) rtt: Duration,
    /// `None` once the peer is a neighbour.
    pub(super) handshake: Option<Box<Handshake>>,
    /// Since when it is a neighbour.
    pub(super) since: Instant,
    /// Whether our first report is sent.
    pub(super) reported: bool,
    /// Whether the next report is an answer to ours, which needs none.
    pub(super) started: bool,
    /// When to send the next report because something changed.
    pub(super) report_at: Option<Instant>,
    /// When the last report was sent.
    pub(super) reported_at: Instant,
    /// The least time to the next report on a change, in milliseconds.
    pub(super) gap_ms: u16,
    /// When we asked to be left.
    pub(super) asked_at: Option<Instant>,
    /// When the peer asked to be left.
    pub(super) asked_us_at: Option<Instant>,
    /// What it may claim, and what it claims: members that nobody has proven.
    pub(super) credit: u8,
    pub(super) claims: u8,
    /// Where it sees us.
    pub(super) observed: Option<SocketAddr>,
    pub(super) bucket: TokenBucket,
}

impl Peering {
    /// A session that is just open.
    pub(super) fn new(peer: PeerId, link: &Link, mark: u16, handshake: Handshake) -> Self {
        Self {
            peer,
            address: GroupAddress::of(peer),
            mark,
            remote: link.remote,
            rtt: link.rtt.unwrap_or_default(),
            handshake: Some(Box::new(handshake)),
            since: Instant::ZERO,
            reported: false,
            started: false,
            report_at: None,
            reported_at: Instant::ZERO,
            gap_ms: 0,
            asked_at: None,
            asked_us_at: None,
            credit: MAX_UNPROVEN,
            claims: 0,
            observed: None,
            bucket: TokenBucket::new(MESSAGE_RATE, MESSAGE_BURST),
        }
    }

    /// Whether the peer is a neighbour.
    pub(super) const fn complete(&self) -> bool {
        self.handshake.is_none()
    }

    /// Whether the peer asked to be left, lately.
    pub(super) fn asked_us(&self, now: Instant) -> bool {
        self.asked_us_at.is_some_and(|at| now - at < 2 * ASK_AGAIN)
    }

    /// Whether INIT is sent.
    pub(super) fn is_told(&self) -> bool {
        self.handshake.as_ref().is_none_or(|handshake| handshake.told)
    }

    /// When it has something to do by itself.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        match &self.handshake {
            None => self.report_at,
            Some(handshake) => Some(handshake.speak_at.map_or(handshake.until, |at| at.min(handshake.until))),
        }
    }
}

/// The sessions, sorted by peer. Packed, since there may be very many memberships in one process.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Peering>);

impl Links {
    fn find(&self, peer: PeerId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&peer, |link| link.peer)
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&Peering> {
        self.find(peer).ok().map(|at| &self.0[at])
    }

    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Peering> {
        self.find(peer).ok().map(|at| &mut self.0[at])
    }

    pub(super) fn insert(&mut self, link: Peering) {
        if let Err(at) = self.find(link.peer) {
            if self.0.len() == self.0.capacity() {
                self.0.reserve_exact(4);
            }
            self.0.insert(at, link);
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Peering> {
        self.find(peer).ok().map(|at| self.0.remove(at))
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Peering> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Peering> {
        self.0.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many it has room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The link with this mark.
    pub(super) fn marked(&mut self, mark: u16) -> Option<&mut Peering> {
        if mark == 0 { None } else { self.0.iter_mut().find(|link| link.mark == mark) }
    }

    /// Takes all.
    pub(super) fn take(&mut self) -> Vec<Peering> {
        std::mem::take(&mut self.0)
    }
}
