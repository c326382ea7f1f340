//! A session that we want to open: S_IHELLO_SENT and S_KEYING_SENT (RFC 7016 section 3.5.1.1.1).
//!
//! Departs from the RFC where it trusts the first RHello with the right certificate, which anybody on the path can
//! forge: up to four acceptable ones are kept, and while an IIKeying is unanswered the next one is tried beside it.
//! IHellos go on meanwhile, and after five seconds under a new tag, which a forger has to learn anew. What fails a
//! check is dropped and counted; only time ends an opening.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::base::{Instant, Path, PeerId, Rng, SessionId};
use crate::crypto::{Profile, Refusal, epd};
use crate::wire::{Chunk, IHello, RHello, RHelloCookieChange, RIKeying, Redirect};

use super::candidates::Candidates;
use super::context::Context;
use super::cookie::MAX_COOKIE_LEN;
use super::event::{OpenFailure, OpeningId};
use super::keying::{Attempt, Hello, Keyed};
use super::outbox;
use super::stats::DropReason;

/// RHellos in play or in reserve under one tag; from one source address.
const MAX_HELLOS: usize = 4;
const MAX_HELLOS_PER_SOURCE: usize = 2;
/// How long the latest IIKeying may go unanswered before the next RHello comes into play: twice as long as the first RHello
/// took, within these bounds. Where nothing is lost four of them take less than two seconds, and on a long path the answers to
/// IHellos that were sent again are not taken for other peers.
const NEXT_HELLO_AFTER: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(1)];
/// How long keying may take under one tag.
const NEW_TAG_AFTER: Duration = Duration::from_secs(5);
/// IIKeyings of one opening that may still be answered. Beyond, the oldest is given up.
const MAX_ATTEMPTS: usize = 8;
/// Our IHello is padded so that even three times its length covers a Redirect and the far end's RHello.
const IHELLO_DATAGRAM: usize = 148;
/// How long an opening that yields waits for the other session to be confirmed.
const YIELD_FOR: Duration = Duration::from_secs(3);
/// How often it yields.
const MAX_YIELDS: u32 = 3;

/// Bytes of a tag of ours.
pub(crate) const TAG_LEN: usize = 16;

/// An opening session.
#[derive(Debug)]
pub(crate) struct Opening {
    id: OpeningId,
    epd: Vec<u8>,
    pin: Option<PeerId>,
    tag: [u8; TAG_LEN],
    /// Counts the tags.
    round: u32,
    /// When keying began under this tag.
    keying_since: Option<Instant>,
    began: Instant,
    gives_up: Instant,
    /// How long the next RHello waits for an answer to the latest IIKeying.
    patience: Option<Duration>,
    candidates: Candidates,
    reserve: Vec<Hello>,
    attempts: Vec<Attempt>,
    suspended_until: Option<Instant>,
    was_suspended: bool,
    yielded: u32,
    evidence: Evidence,
}

/// What was seen, for the case that it fails.
#[derive(Debug, Default)]
struct Evidence {
    unknown_peer: bool,
    wrong_identity: bool,
    hello_refused: Option<Refusal>,
    acceptable: bool,
    answer_refused: Option<Refusal>,
}

/// What a Redirect brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taught {
    /// Addresses that are candidates now.
    pub(crate) taken: usize,
    /// Whether it was the hint that the peer is not known there.
    pub(crate) unknown_peer: bool,
}

impl Opening {
    /// Begins to look for whomever `epd` selects.
    pub(crate) fn new(now: Instant, rng: &mut Rng, id: OpeningId, epd: &[u8], timeout: Duration) -> Self {
        Self {
            id,
            epd: epd.to_vec(),
            pin: None,
            tag: rng.bytes(),
            round: 0,
            keying_since: None,
            began: now,
            gives_up: now + timeout,
            patience: None,
            candidates: Candidates::default(),
            reserve: Vec::new(),
            attempts: Vec::new(),
            suspended_until: None,
            was_suspended: false,
            yielded: 0,
            evidence: Evidence::default(),
        }
    }

    /// What RHellos and Redirects for this opening echo.
    pub(crate) const fn tag(&self) -> [u8; TAG_LEN] {
        self.tag
    }

    /// Near IDs of its IIKeyings, to be retired with it.
    pub(crate) fn near_ids(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.attempts.iter().map(|attempt| attempt.near_id)
    }

    /// Insists on this identity.
    pub(crate) fn pin(&mut self, pin: Option<PeerId>) {
        self.pin = pin;
    }

    /// Adds a candidate address of our own user's.
    pub(crate) fn add_candidate(&mut self, now: Instant, path: Path) {
        self.candidates.add_own(now, path);
    }

    /// Adds a candidate address that our owner was told of.
    pub(crate) fn add_hearsay(&mut self, now: Instant, path: Path, teacher: SocketAddr) -> Result<(), DropReason> {
        self.candidates.add_hearsay(now, path, teacher)
    }

    /// Whether it is this peer that we want: dialled by its ID, or the one whose RHello we answer. A name or service
    /// that the peer would answer for too is not enough.
    pub(crate) fn wants(&self, peer: PeerId, certificate: &[u8]) -> bool {
        epd::Epd::parse(&self.epd).and_then(|epd| epd.peer_id()) == Some(peer)
            || self.attempts.iter().any(|attempt| attempt.hello.certificate == certificate)
    }

    /// Asks for addresses anew, unless somebody has answered already.
    pub(crate) fn look_again(&mut self, now: Instant) {
        if self.attempts.is_empty() && self.reserve.is_empty() {
            self.candidates.look_again(now);
        }
    }

    /// Whether a certificate is what was dialled.
    pub(crate) fn selects(&self, profile: &dyn Profile, certificate: &[u8]) -> bool {
        profile.selects(&self.epd, certificate)
    }

    /// Whether an IIKeying is under way: S_KEYING_SENT.
    pub(crate) fn is_keying(&self) -> bool {
        !self.attempts.is_empty()
    }

    /// Whether it ever waited for another session to prove itself.
    pub(crate) const fn was_suspended(&self) -> bool {
        self.was_suspended
    }

    /// Glare with a prevailing near end: whether we go on as the initiator.
    pub(crate) fn insists(&self, now: Instant) -> bool {
        !self.attempts.is_empty() && self.attempts.iter().all(|attempt| attempt.insists(now))
    }

    /// Glare: lets the other session have its chance. What arrives for this one is still taken. Not more than a few
    /// times, or replayed IIKeyings could hold it up for ever.
    pub(crate) fn yield_to_other(&mut self, now: Instant) {
        if self.yielded < MAX_YIELDS {
            self.yielded += 1;
            self.suspend(now + YIELD_FOR);
        }
    }

    /// Sends nothing until then. What arrives is still taken.
    pub(crate) fn suspend(&mut self, until: Instant) {
        self.was_suspended = true;
        self.suspended_until = Some(until);
    }

    /// When to call [`Self::handle_timeout`].
    pub(crate) fn deadline(&self) -> Instant {
        if let Some(until) = self.suspended_until {
            return until.min(self.gives_up);
        }
        let next_hello = self.reserve.first().map(|_| self.next_attempt_at());
        let new_tag = self.keying_since.map(|since| since + NEW_TAG_AFTER);
        let keying = self.attempts.iter().map(Attempt::deadline).min();
        [self.candidates.deadline(), next_hello, new_tag, keying]
            .into_iter()
            .flatten()
            .fold(self.gives_up, Instant::min)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, ctx: &mut Context<'_>) -> Option<OpenFailure> {
        if ctx.now >= self.gives_up {
            return Some(self.failure());
        }
        if let Some(until) = self.suspended_until {
            if ctx.now < until {
                return None;
            }
            self.suspended_until = None;
            for attempt in &mut self.attempts {
                attempt.resume(ctx.now);
            }
        }
        if self.keying_since.is_some_and(|since| ctx.now - since >= NEW_TAG_AFTER) {
            self.tag = ctx.rng.bytes();
            self.round += 1;
            self.keying_since = None;
            self.reserve.clear();
            self.candidates.hasten(ctx.now);
        }
        self.send_hellos(ctx);
        for attempt in &mut self.attempts {
            attempt.send_if_due(ctx);
        }
        self.try_next(ctx);
        None
    }

    fn send_hellos(&mut self, ctx: &mut Context<'_>) {
        let mut packet = Vec::new();
        while let Some((path, hearsay)) = self.candidates.next_due(ctx.now) {
            if hearsay && !ctx.limits.hearsay.take(ctx.now, path.remote.ip(), 1) {
                ctx.stats.drop(DropReason::DestinationLimit);
                continue;
            }
            if packet.is_empty() {
                packet = ihello_packet(ctx.now, &self.epd, &self.tag);
            }
            ctx.out.send(path, SessionId::STARTUP, &packet, ctx.stats);
        }
    }

    /// Takes an RHello that echoes our tag.
    pub(crate) fn on_rhello(
        &mut self,
        ctx: &mut Context<'_>,
        path: Path,
        hello: &RHello<'_>,
    ) -> Result<(), DropReason> {
        if hello.cookie.len() > MAX_COOKIE_LEN {
            return Err(DropReason::OversizedCookie);
        }
        if !self.selects(ctx.profile, hello.certificate) {
            self.evidence.wrong_identity = true;
            return Err(DropReason::WrongIdentity);
        }
        let identity = ctx.profile.examine(hello.certificate).map_err(|refusal| {
            self.evidence.hello_refused = Some(refusal);
            DropReason::RHelloRefused(refusal)
        })?;
        if self.pin.is_some_and(|pin| pin != identity.peer_id) {
            self.evidence.wrong_identity = true;
            return Err(DropReason::WrongIdentity);
        }
        let in_play = self.attempts.iter().filter(|attempt| attempt.round == self.round).map(|attempt| &attempt.hello);
        let known: Vec<&Hello> = self.reserve.iter().chain(in_play).collect();
        if known.iter().any(|known| known.is(&path, hello)) {
            return Ok(());
        }
        let of_source = known.iter().filter(|known| known.path.remote.ip() == path.remote.ip()).count();
        let full = known.len() >= MAX_HELLOS;
        let asked = self.candidates.were_asked(&path);
        let host_asked = self.candidates.was_host_asked(path.remote.ip());
        if of_source >= MAX_HELLOS_PER_SOURCE {
            return Err(DropReason::SurplusRHello);
        }
        if full {
            // Those that were not asked for come last.
            let last = self.reserve.pop_if(|last| asked && !last.asked);
            last.ok_or(DropReason::SurplusRHello)?;
            ctx.stats.drop(DropReason::SurplusRHello);
        }
        self.evidence.acceptable = true;
        let [least, most] = NEXT_HELLO_AFTER;
        self.patience.get_or_insert((2 * (ctx.now - self.began)).clamp(least, most));
        self.candidates.calm(ctx.now);
        let at = if asked { self.reserve.iter().take_while(|known| known.asked).count() } else { self.reserve.len() };
        let (cookie, certificate) = (hello.cookie.to_vec(), hello.certificate.to_vec());
        self.reserve.insert(at, Hello { path, cookie, certificate, identity, asked, host_asked });
        self.try_next(ctx);
        Ok(())
    }

    fn next_attempt_at(&self) -> Instant {
        let in_play = self.attempts.iter().filter(|attempt| attempt.round == self.round);
        let patience = self.patience.unwrap_or(NEXT_HELLO_AFTER[0]);
        in_play.map(|attempt| attempt.started + patience).max().unwrap_or(Instant::ZERO)
    }

    /// Brings the next RHello into play, unless an IIKeying may still be answered soon.
    fn try_next(&mut self, ctx: &mut Context<'_>) {
        while !self.reserve.is_empty() && self.suspended_until.is_none() && self.next_attempt_at() <= ctx.now {
            let hello = self.reserve.remove(0);
            match Attempt::start(ctx, self.id, self.round, hello) {
                Ok(attempt) => self.attempts.push(attempt),
                Err(refusal) => {
                    self.evidence.hello_refused = Some(refusal);
                    ctx.stats.drop(DropReason::RHelloRefused(refusal));
                    continue;
                }
            }
            self.keying_since.get_or_insert(ctx.now);
            if self.attempts.len() > MAX_ATTEMPTS {
                let oldest = self.attempts.remove(0);
                ctx.ids.retire(ctx.now, oldest.near_id);
            }
        }
    }

    /// Takes the addresses of a Redirect that echoes our tag. Departs from section 3.5.1.1.1, which takes them in
    /// S_IHELLO_SENT only: a forged RHello shall not keep the genuine addresses away.
    pub(crate) fn on_redirect(&mut self, ctx: &mut Context<'_>, from: Path, redirect: &Redirect<'_>) -> Taught {
        let mut taught = Taught { taken: 0, unknown_peer: false };
        let mut take = |path: Path| match self.candidates.add_hearsay(ctx.now, path, from.remote) {
            Ok(()) => taught.taken += 1,
            Err(reason) => ctx.stats.drop(reason),
        };
        let hint = |socket: SocketAddr| socket == (Ipv4Addr::UNSPECIFIED, 0).into();
        if redirect.is_implied() {
            take(from);
        } else if redirect.destinations.iter().all(|destination| hint(destination.socket)) {
            taught.unknown_peer = true;
            self.evidence.unknown_peer = true;
        } else {
            for destination in redirect.destinations {
                take(Path { interface: from.interface, local: None, remote: destination.socket });
            }
        }
        if taught.unknown_peer {
            self.candidates.ask_soon(ctx.now, &from);
        } else {
            self.candidates.keep_asking(ctx.now, &from);
        }
        if self.suspended_until.is_none() {
            self.send_hellos(ctx);
        }
        taught
    }

    /// Takes a Cookie Change for the IIKeying with this near ID.
    pub(crate) fn on_cookie_change(
        &mut self,
        ctx: &mut Context<'_>,
        id: SessionId,
        change: &RHelloCookieChange<'_>,
    ) -> Result<(), DropReason> {
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.near_id == id);
        attempt.ok_or(DropReason::UnknownSession)?.on_cookie_change(ctx, change)
    }

    /// Takes an RIKeying for the IIKeying with this near ID. If it is genuine the opening is over.
    pub(crate) fn on_rikeying(
        &mut self,
        ctx: &mut Context<'_>,
        id: SessionId,
        keying: &RIKeying<'_>,
    ) -> Result<Keyed, DropReason> {
        let at = self.attempts.iter().position(|attempt| attempt.near_id == id).ok_or(DropReason::UnknownSession)?;
        match self.attempts[at].on_rikeying(ctx, keying) {
            Ok((keys, far_id)) => Ok(self.attempts.remove(at).finish(keys, far_id)),
            Err(reason) => {
                if let DropReason::AnswerRefused(refusal) = reason {
                    self.evidence.answer_refused = Some(refusal);
                }
                Err(reason)
            }
        }
    }

    /// Keeps a datagram for one of our near IDs that the Default Session Key does not open.
    pub(crate) fn keep_early(&mut self, id: SessionId, path: &Path, datagram: &[u8]) -> Result<(), DropReason> {
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.near_id == id);
        attempt.ok_or(DropReason::UnknownSession)?.keep_early(path, datagram)
    }

    /// The most telling reason why nothing came of it.
    pub(crate) fn failure(&self) -> OpenFailure {
        let seen = &self.evidence;
        if let Some(refusal) = seen.answer_refused {
            OpenFailure::KeyingRefused(refusal)
        } else if seen.acceptable {
            OpenFailure::KeyingUnanswered
        } else if seen.wrong_identity {
            OpenFailure::WrongIdentity
        } else if let Some(refusal) = seen.hello_refused {
            OpenFailure::CertificateRefused(refusal)
        } else if self.candidates.have_hearsay() {
            OpenFailure::Unreachable
        } else if seen.unknown_peer {
            OpenFailure::UnknownPeer
        } else {
            OpenFailure::NoAnswer
        }
    }
}

/// The packet of an IHello, padded.
pub(crate) fn ihello_packet(now: Instant, epd: &[u8], tag: &[u8]) -> Vec<u8> {
    let mut packet = outbox::packet(now, &Chunk::IHello(IHello { epd, tag }));
    outbox::pad(&mut packet, IHELLO_DATAGRAM);
    packet
}
