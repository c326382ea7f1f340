//! One attempt to reach a peer: which ways are tried, and why it failed if it did.

use std::net::SocketAddr;
use std::time::Duration;

use super::event::{DialError, DialId};
use crate::base::{Instant, PeerId};
use crate::endpoint::{OpenFailure, OpeningId};

/// How long to go on after a rendezvous has said that it does not know the peer: it is only a hint, and anybody can
/// forge it (product.md, "When which").
const AFTER_HINT: Duration = Duration::from_secs(3);
/// How long packets may fail to get through once addresses are known.
const PUNCH_FOR: Duration = Duration::from_secs(10);
/// How long a rendezvous may be silent, if there is no other way.
const RENDEZVOUS_ANSWERS: Duration = Duration::from_secs(10);

/// Whom to reach, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// The peer.
    pub peer: PeerId,
    /// Addresses where it may be.
    pub candidates: Vec<SocketAddr>,
    /// Rendezvous services that may know it.
    pub rendezvous: Vec<SocketAddr>,
    /// IP multicast groups on which it may listen.
    pub multicast: Vec<SocketAddr>,
    /// When to give up. Earlier, if it is plain that waiting will not help.
    pub timeout: Duration,
}

/// An attempt in progress.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) id: DialId,
    pub(super) opening: OpeningId,
    only_rendezvous: bool,
    asked_rendezvous: bool,
    give_up: Instant,
    addresses_known: bool,
    answered: bool,
    not_found: bool,
}

impl Attempt {
    pub(super) fn new(now: Instant, id: DialId, opening: OpeningId, dial: &Dial) -> Self {
        let only_rendezvous = dial.candidates.is_empty() && dial.multicast.is_empty();
        let timeout = if only_rendezvous { dial.timeout.min(RENDEZVOUS_ANSWERS) } else { dial.timeout };
        Self {
            id,
            opening,
            only_rendezvous,
            asked_rendezvous: !dial.rendezvous.is_empty(),
            give_up: now + timeout,
            addresses_known: false,
            answered: false,
            not_found: false,
        }
    }

    /// An attempt to reach a server at known addresses.
    pub(super) fn at_server(now: Instant, id: DialId, opening: OpeningId, timeout: Duration) -> Self {
        Self {
            id,
            opening,
            only_rendezvous: false,
            asked_rendezvous: false,
            give_up: now + timeout,
            addresses_known: false,
            answered: false,
            not_found: false,
        }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.give_up
    }

    /// A Redirect brought addresses.
    pub(super) fn redirected(&mut self, now: Instant) {
        if !self.addresses_known && self.only_rendezvous {
            self.give_up = now + PUNCH_FOR;
        }
        self.addresses_known = true;
        self.answered = true;
        self.not_found = false;
    }

    /// A rendezvous said that it does not know the peer.
    pub(super) fn hinted(&mut self, now: Instant) {
        self.answered = true;
        if !self.addresses_known && !self.not_found {
            self.not_found = true;
            self.give_up = self.give_up.min(now + AFTER_HINT);
        }
    }

    /// Why it failed, given what the endpoint saw.
    pub(super) const fn verdict(&self, failure: OpenFailure) -> DialError {
        match failure {
            OpenFailure::WrongIdentity => DialError::WrongIdentity,
            OpenFailure::OwnIdentity => DialError::Itself,
            _ if self.addresses_known => DialError::Unreachable,
            _ if self.not_found => DialError::NotFound,
            _ if self.asked_rendezvous && !self.answered && self.only_rendezvous => DialError::RendezvousUnreachable,
            _ => DialError::TimedOut,
        }
    }
}
