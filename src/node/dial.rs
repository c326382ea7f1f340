//! One attempt to reach a peer: which ways are tried, and why it failed if it did.

use std::net::SocketAddr;
use std::time::Duration;

use super::event::{DialError, DialId};
use crate::base::{Instant, PeerId};
use crate::endpoint::{OpenFailure, OpeningId};

/// How long to go on after a rendezvous has said that it does not know the peer: it is only a hint, and anybody can
/// forge it (product.md, "When which").
const AFTER_HINT: Duration = Duration::from_secs(3);
/// How long packets may fail to get through once addresses are known. A peer answers three introductions in ten seconds; if
/// all of these answers are lost, and with them the holes that they punch, there is time for the next three.
const PUNCH_FOR: Duration = Duration::from_secs(14);
/// After so long without success addresses are looked up anew: those that we know were all asked as often as they may be.
const LOOK_AGAIN: Duration = Duration::from_secs(4);
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
    look_again: Option<Instant>,
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
            look_again: None,
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
            look_again: None,
            addresses_known: false,
            answered: false,
            not_found: false,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.look_again.map_or(self.give_up, |at| at.min(self.give_up))
    }

    /// Whether its time is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.give_up <= now
    }

    /// Whether it is time to look addresses up anew; if so it counts.
    pub(super) fn looks_again(&mut self, now: Instant) -> bool {
        let is_due = self.look_again.is_some_and(|at| at <= now);
        if is_due {
            self.look_again = Some(now + LOOK_AGAIN);
        }
        is_due
    }

    /// A Redirect brought addresses.
    pub(super) fn redirected(&mut self, now: Instant) {
        if !self.addresses_known && self.only_rendezvous {
            self.give_up = now + PUNCH_FOR;
        }
        self.look_again.get_or_insert(now + LOOK_AGAIN);
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
