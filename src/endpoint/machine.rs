//! The endpoint itself: inputs, commands, outputs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::base::{Instant, Path, PeerId, Received, Rng, SessionId, Transmit};
use crate::crypto::{Profile, epd};
use crate::session::Session;
use crate::wire::Address;

use super::config::EndpointConfig;
use super::core::Core;
use super::event::{EndpointEvent, ForwardAnswer, ForwardTrust, OpenFailure, OpeningId, OpeningTerms, SessionHandle};
use super::forward::Forwarding;
use super::opening::{Opening, ihello_packet};
use super::stats::{DropReason, Stats};
use super::table::{Entry, Purpose, Stage};

/// Many sessions with many peers over a few sockets, sans I/O.
///
/// Whoever changes something drains [`Endpoint::poll_transmit`] and then [`Endpoint::poll_event`] afterwards, and only
/// then asks for [`Endpoint::deadline`].
#[derive(Debug)]
pub struct Endpoint {
    core: Core,
}

/// Inputs.
impl Endpoint {
    /// An endpoint with the identity and the rules of `profile`.
    #[must_use]
    pub fn new(_now: Instant, rng: Rng, profile: Arc<dyn Profile>, config: EndpointConfig) -> Self {
        Self { core: Core::new(rng, profile, config) }
    }

    /// Takes what one receive brought.
    pub fn handle(&mut self, now: Instant, received: Received<'_>) {
        self.core.receive(now, received);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(slot) = self.core.table.next_due(now) {
            self.core.on_session_timeout(now, slot);
        }
        while let Some(id) = self.core.openings.due(now) {
            self.core.on_opening_timeout(now, id);
        }
        self.core.reassembler.expire(now, &mut self.core.stats);
    }
}

/// Commands.
impl Endpoint {
    /// Opens a session to whomever `epd` selects, looking for him at `candidates`. Ends with
    /// [`EndpointEvent::Opened`] or [`EndpointEvent::OpenFailed`].
    pub fn connect(&mut self, now: Instant, epd: &[u8], candidates: &[Path]) -> OpeningId {
        self.connect_with(now, epd, candidates, OpeningTerms::default())
    }

    /// Like [`Self::connect`], on terms of its own.
    pub fn connect_with(&mut self, now: Instant, epd: &[u8], candidates: &[Path], terms: OpeningTerms) -> OpeningId {
        let core = &mut self.core;
        let id = core.openings.next_id();
        let wanted = epd::Epd::parse(epd).and_then(|epd| epd.peer_id());
        let failure = if wanted == Some(core.profile.peer_id()) {
            Some(OpenFailure::OwnIdentity)
        } else if core.openings.len() >= core.config.max_openings {
            Some(OpenFailure::TooMany)
        } else {
            None
        };
        if let Some(reason) = failure {
            core.events.push_back(EndpointEvent::OpenFailed { opening: id, reason });
            return id;
        }
        let timeout = terms.timeout.unwrap_or(core.config.open_timeout);
        let mut opening = Opening::new(now, &mut core.rng, id, epd, timeout);
        opening.pin(terms.pin);
        for path in candidates {
            opening.add_candidate(now, *path);
        }
        core.openings.insert(id, opening);
        core.on_opening_timeout(now, id);
        // A session with that peer serves as well, if it is alive.
        let existing = wanted.and_then(|peer| core.announced_with(peer).next());
        if let Some(slot) = existing.filter(|slot| core.table.get(*slot).is_some_and(|entry| entry.far.authenticated)) {
            core.probe(now, slot, Purpose::Serve(id));
        }
        id
    }

    /// Adds a candidate address to an opening.
    pub fn add_candidate(&mut self, now: Instant, opening: OpeningId, path: Path) {
        self.core.openings.with(opening, |opening| opening.add_candidate(now, path));
        self.core.on_opening_timeout(now, opening);
    }

    /// Adds an address that others have told of, to be asked five times at most. `teacher` is who did, for the limit on each:
    /// 8, and 24 of all.
    pub fn add_hearsay(&mut self, now: Instant, opening: OpeningId, path: Path, teacher: SocketAddr) {
        let core = &mut self.core;
        let taken = core.openings.with(opening, |opening| opening.add_hearsay(now, path, teacher));
        if let Some(Err(reason)) = taken {
            core.stats.drop(reason);
        }
        core.on_opening_timeout(now, opening);
    }

    /// Looks for the far end of an opening anew, as another opening would: whoever can tell its addresses is asked now, and
    /// addresses that were asked in vain may be told, and asked, again. Nothing happens once somebody has answered there.
    pub fn look_again(&mut self, now: Instant, opening: OpeningId) {
        self.core.openings.with(opening, |opening| opening.look_again(now));
        self.core.on_opening_timeout(now, opening);
    }

    /// Gives an opening up. No event follows. Answers the most telling reason seen so far why it had not succeeded.
    pub fn cancel(&mut self, now: Instant, opening: OpeningId) -> OpenFailure {
        let Some(ended) = self.core.openings.remove(opening) else { return OpenFailure::NoAnswer };
        for id in ended.near_ids() {
            self.core.ids.retire(now, id);
        }
        ended.failure()
    }

    /// From now on only IHellos that name our fingerprint select us; those that look for any server are raised like
    /// those for strangers. For a service that sends newcomers elsewhere (RFC 7016 section 3.5.1.4).
    pub fn answer_only_fingerprints(&mut self, only: bool) {
        self.core.config.only_fingerprints = only;
    }

    /// Whether IHellos that do not select us become events from now on.
    pub fn raise_unmatched_ihellos(&mut self, raise: bool) {
        self.core.config.raise_unmatched_ihellos = raise;
    }

    /// Whether groups' beacons become events from now on.
    pub fn raise_beacons(&mut self, raise: bool) {
        self.core.config.raise_beacons = raise;
    }

    /// Answers an IHello of `request` bytes that did not select us: the wanted endpoint can be reached at
    /// `destinations`, of which at most eight are told. Implied, if there are none.
    ///
    /// # Errors
    /// If the answer is too long for its request, and the budgets for such are spent.
    pub fn send_redirect(
        &mut self,
        now: Instant,
        path: Path,
        tag: &[u8],
        destinations: &[Address],
        request: usize,
    ) -> Result<(), DropReason> {
        let outcome = self.core.redirect(now, path, tag, destinations, request);
        self.core.count(outcome);
        outcome
    }

    /// Hands an IHello on to the peer of a session (RFC 7016 section 3.5.1.5).
    pub fn forward_ihello(&mut self, via: SessionHandle, epd: &[u8], reply: Address, tag: &[u8]) {
        if let Some(session) = self.session_mut(via) {
            session.send_fihello(epd, reply, tag);
        }
    }

    /// Sends a single IHello, as a probe. The answer is [`EndpointEvent::UnmatchedRHello`], if such are asked for.
    pub fn send_ihello(&mut self, now: Instant, path: Path, epd: &[u8], tag: &[u8]) {
        let packet = ihello_packet(now, epd, tag);
        self.core.out.send(path, SessionId::STARTUP, &packet, &mut self.core.stats);
    }

    /// What to do with FIHellos that come in a session. Without this they are ignored.
    pub fn set_forwarding(&mut self, session: SessionHandle, answer: ForwardAnswer, trust: ForwardTrust) {
        let Some(slot) = self.core.table.slot(session) else { return };
        if let Some(entry) = self.core.table.get_mut(slot) {
            entry.forwarding = Some(Box::new(Forwarding::new(answer, trust)));
        }
    }

    /// The networks that our links lead to, when they have changed.
    pub fn set_on_link(&mut self, networks: Vec<(IpAddr, u8)>) {
        self.core.config.on_link = networks;
    }
}

/// Sessions.
impl Endpoint {
    /// A session that the owner knows of, until it is forgotten.
    #[must_use]
    pub fn session(&self, handle: SessionHandle) -> Option<&Session> {
        let slot = self.core.table.slot(handle)?;
        self.core.table.get(slot).map(|entry| &entry.session)
    }

    /// A session, to command it.
    pub fn session_mut(&mut self, handle: SessionHandle) -> Option<&mut Session> {
        let slot = self.core.table.slot(handle)?;
        self.core.table.touch(slot);
        self.core.table.get_mut(slot).map(|entry| &mut entry.session)
    }

    /// The sessions that the owner has been told of and that are open.
    pub fn sessions(&self) -> impl Iterator<Item = SessionHandle> + '_ {
        let announced = self.core.table.iter().filter(|(_, entry)| matches!(entry.stage, Stage::Announced));
        announced.map(|(handle, _)| handle)
    }

    /// The open sessions with a peer.
    pub fn sessions_of(&self, peer: PeerId) -> impl Iterator<Item = SessionHandle> + '_ {
        let slots = self.core.table.of_peer(peer);
        let announced = slots
            .filter(|slot| self.core.table.get(*slot).is_some_and(|entry| matches!(entry.stage, Stage::Announced)));
        announced.map(|slot| self.core.table.handle(slot))
    }

    /// How many sessions take memory, also those that nobody has confirmed or that are closing.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.core.table.len()
    }

    /// Our own identity and rules.
    #[must_use]
    pub fn profile(&self) -> &dyn Profile {
        &*self.core.profile
    }

    /// What was dropped and done since the start.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.core.stats
    }
}

/// Outputs.
impl Endpoint {
    /// The next datagrams to send; asked until there are none. Sessions take turns.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self.core.out.poll(now) {
            return Some(transmit);
        }
        while let Some(slot) = self.core.table.next_ready() {
            let Some(entry) = self.core.table.get_mut(slot) else { continue };
            if let Some(transmit) = entry.session.poll_transmit(now) {
                self.core.table.touch(slot);
                return Some(transmit);
            }
            // Commands of the owner make events too.
            self.core.drain(now, slot);
            let is_over = |entry: &Entry| entry.session.is_gone() && matches!(entry.stage, Stage::Closed);
            if self.core.table.get(slot).is_some_and(is_over) {
                self.core.discard(now, slot);
            } else {
                self.core.table.rearm(slot);
            }
        }
        None
    }

    /// The next event; asked until there is none.
    pub fn poll_event(&mut self) -> Option<EndpointEvent> {
        self.core.events.pop_front()
    }

    /// When to call [`Endpoint::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let core = &self.core;
        let ready = core.table.has_ready().then_some(Instant::ZERO);
        let parts =
            [ready, core.out.deadline(), core.table.deadline(), core.openings.deadline(), core.reassembler.deadline()];
        parts.into_iter().flatten().min()
    }
}
