//! Answering strangers: RHello, Redirect, RIKeying (RFC 7016 sections 3.5.1.1.2, 3.5.1.2, 3.5.1.3).

use std::time::Duration;

use crate::base::{Instant, Interface, Path, SessionId};
use crate::session::{Role, Session, SessionParams};
use crate::wire::{Address, Chunk, IHello, IIKeying, RHello, RHelloCookieChange, RIKeying, Redirect};

use super::answers::is_within;
use super::cookie::CookieCheck;
use super::core::Core;
use super::event::{EndpointEvent, ForwardAnswer};
use super::forward::MAX_FORWARD_RHELLO;
use super::ids::Owner;
use super::opening::Opening;
use super::outbox::{datagram_len, packet};
use super::pendings::{CONFIRM_WITHIN, keying_digest};
use super::stats::DropReason;
use super::table::{Entry, Stage};

/// The longest tag and discriminator that are answered.
const MAX_TAG: usize = 128;
const MAX_EPD: usize = 1024;
/// Addresses in a Redirect of ours.
const MAX_REDIRECT: usize = 8;
/// Answers to multicast queries come after a random time up to this, so that they do not all come at once.
const JITTER: Duration = Duration::from_millis(80);

impl Core {
    /// Takes an IHello that came in a datagram of `request` bytes. No state is kept.
    pub(crate) fn on_ihello(
        &mut self,
        now: Instant,
        path: Path,
        request: usize,
        hello: &IHello<'_>,
    ) -> Result<(), DropReason> {
        if hello.tag.len() > MAX_TAG || hello.epd.len() > MAX_EPD {
            return Err(DropReason::OversizedHello);
        }
        let by_multicast = self.config.receive_only.contains(&path.interface);
        if by_multicast && !self.is_on_link(path) {
            return Err(DropReason::OffLink);
        }
        if let Some(beacon) = crate::crypto::epd::beacon_in(hello.epd) {
            if !by_multicast || !self.config.raise_beacons {
                return Err(DropReason::NotSelected);
            }
            return self.raise_strangers(EndpointEvent::Beacon { path, beacon: beacon.to_vec() });
        }
        let for_anybody = || crate::crypto::epd::Epd::parse(hello.epd).is_none_or(|epd| epd.fingerprint.is_none());
        if !self.profile.selects_near(hello.epd) || self.config.only_fingerprints && for_anybody() {
            if by_multicast || !self.config.raise_unmatched_ihellos {
                return Err(DropReason::NotSelected);
            }
            let (epd, tag) = (hello.epd.to_vec(), hello.tag.to_vec());
            return self.raise_strangers(EndpointEvent::UnmatchedIHello { path, epd, tag, datagram: request });
        }
        let answer = self.rhello_packet(now, path, hello.tag);
        self.afford(now, path, request, answer.len())?;
        self.stats.rhellos += 1;
        if by_multicast {
            let after = Duration::from_micros(self.rng.below(JITTER.as_micros() as u64));
            let path = Path { interface: Interface::MAIN, local: None, remote: path.remote };
            self.out.send_later(now + after, path, &answer, &mut self.stats);
        } else {
            self.out.send(path, SessionId::STARTUP, &answer, &mut self.stats);
        }
        Ok(())
    }

    fn is_on_link(&self, path: Path) -> bool {
        let ip = path.remote.ip();
        let local = match ip {
            std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        };
        local || self.config.on_link.iter().any(|(network, bits)| is_within(ip, *network, *bits))
    }

    /// Whether a request of that many bytes may have an answer whose plain packet has `answer` bytes.
    fn afford(&mut self, now: Instant, path: Path, request: usize, answer: usize) -> Result<(), DropReason> {
        let affordable = self.limits.answers.allows(now, path.remote.ip(), request, datagram_len(answer));
        if affordable { Ok(()) } else { Err(DropReason::AnswerBudget) }
    }

    fn rhello_packet(&mut self, now: Instant, to: Path, tag: &[u8]) -> Vec<u8> {
        let cookie = self.jar.make(now, &mut self.rng, to.remote);
        packet(now, &Chunk::RHello(RHello { tag, cookie: &cookie, certificate: self.profile.certificate() }))
    }

    /// Sends a Redirect in answer to an IHello of `request` bytes.
    pub(crate) fn redirect(
        &mut self,
        now: Instant,
        path: Path,
        tag: &[u8],
        destinations: &[Address],
        request: usize,
    ) -> Result<(), DropReason> {
        if tag.len() > MAX_TAG {
            return Err(DropReason::OversizedHello);
        }
        let destinations = destinations.get(..MAX_REDIRECT).unwrap_or(destinations).into();
        let answer = packet(now, &Chunk::Redirect(Redirect { tag, destinations }));
        // Whoever redirects also forwards: the same request earns the RHello that its FIHello causes.
        let caused = datagram_len(answer.len()) + MAX_FORWARD_RHELLO;
        if !self.limits.answers.allows(now, path.remote.ip(), request, caused) {
            return Err(DropReason::AnswerBudget);
        }
        self.stats.redirects += 1;
        self.out.send(path, SessionId::STARTUP, &answer, &mut self.stats);
        Ok(())
    }

    /// Answers an FIHello that was admitted.
    pub(crate) fn answer_forwarded(
        &mut self,
        now: Instant,
        to: Path,
        tag: &[u8],
        answer: ForwardAnswer,
    ) -> Result<(), DropReason> {
        if tag.len() > MAX_TAG {
            return Err(DropReason::OversizedHello);
        }
        let rhello = self.rhello_packet(now, to, tag);
        let answer = if answer == ForwardAnswer::RHello && datagram_len(rhello.len()) <= MAX_FORWARD_RHELLO {
            self.stats.rhellos += 1;
            rhello
        } else {
            self.stats.redirects += 1;
            packet(now, &Chunk::Redirect(Redirect { tag, destinations: (&[] as &[Address]).into() }))
        };
        self.out.send(to, SessionId::STARTUP, &answer, &mut self.stats);
        Ok(())
    }

    /// Takes an IIKeying that came in a datagram of `request` bytes. Cheap checks first; public-key work last.
    pub(crate) fn on_iikeying(
        &mut self,
        now: Instant,
        path: Path,
        request: usize,
        keying: &IIKeying<'_>,
    ) -> Result<(), DropReason> {
        match self.jar.check(now, keying.cookie, path.remote) {
            CookieCheck::Foreign => return Err(DropReason::ForeignCookie),
            CookieCheck::Expired => return Err(DropReason::ExpiredCookie),
            CookieCheck::OtherAddress => return self.change_cookie(now, path, request, keying),
            CookieCheck::Valid => {}
        }
        let digest = keying_digest(keying);
        if let Some(slot) = self.pendings.slot(&digest) {
            return self.answer_copy(now, path, request, keying, slot);
        }
        if self.pendings.is_settled(&digest) {
            return Err(DropReason::ReplayedKeying);
        }
        let far = self.profile.screen(keying).map_err(DropReason::KeyingRefused)?;
        let source = path.remote.ip();
        if !self.limits.keyings.take(now, source, 1) {
            return Err(DropReason::KeyingRate);
        }
        let (limit, by_prefix) = (self.config.max_unconfirmed, self.config.max_unconfirmed_per_prefix);
        if !self.pendings.have_room(source, limit, by_prefix) {
            return Err(DropReason::UnconfirmedLimit);
        }
        if self.table.len() >= self.config.max_sessions {
            return Err(DropReason::SessionLimit);
        }
        let is_wanted = |opening: &Opening| opening.wants(far.peer_id, keying.certificate);
        let wanted = self.openings.which(|opening| is_wanted(opening));
        if self.profile.near_prevails(keying.certificate)
            && !self.openings.which(|opening| is_wanted(opening) && opening.insists(now)).is_empty()
        {
            return Err(DropReason::Glare);
        }

        let slot = self.table.vacant();
        let near_id = self.ids.allot(now, &mut self.rng, Owner::Session(slot));
        self.stats.keyings_examined += 1;
        let response = match self.profile.respond(&mut self.rng, keying, near_id) {
            Ok(response) => response,
            Err(refusal) => {
                self.ids.retire(now, near_id);
                return Err(DropReason::KeyingRefused(refusal));
            }
        };
        let signed = RIKeying::signed_parameters(near_id, &response.skrc);
        let chunk = RIKeying::new(&signed, &response.signature).expect("these are the parameters just made");
        let answer = packet(now, &Chunk::RIKeying(chunk));
        let params = SessionParams {
            role: Role::Responder,
            keys: response.keys,
            near_id,
            far_id: keying.initiator_session_id,
            path,
            far,
            far_certificate: keying.certificate.to_vec(),
            confirmed: false,
            config: self.config.session.clone(),
        };
        let session = Session::new(now, self.rng.fork(), params);
        let pending = self.pendings.enter(now, slot, source, digest, answer.clone());
        self.table.insert(Entry {
            session,
            near_id,
            role: Role::Responder,
            far,
            since: now,
            stage: Stage::Unconfirmed(Box::new(pending)),
            probes: Vec::new(),
            forwarding: None,
        });
        self.out.send(path, keying.initiator_session_id, &answer, &mut self.stats);
        self.table.touch(slot);
        // Glare: the far end is the initiator, if it confirms.
        for opening in wanted {
            self.openings.with(opening, |opening| opening.yield_to_other(now));
        }
        Ok(())
    }

    fn answer_copy(
        &mut self,
        now: Instant,
        path: Path,
        request: usize,
        keying: &IIKeying<'_>,
        slot: u32,
    ) -> Result<(), DropReason> {
        let entry = self.table.get_mut(slot).ok_or(DropReason::ReplayedKeying)?;
        let Stage::Unconfirmed(pending) = &mut entry.stage else { return Err(DropReason::ReplayedKeying) };
        let affordable = self.limits.answers.allows(now, path.remote.ip(), request, datagram_len(pending.answer.len()));
        if !affordable {
            return Err(DropReason::AnswerBudget);
        }
        pending.expires = now + CONFIRM_WITHIN;
        self.out.send(path, keying.initiator_session_id, &pending.answer, &mut self.stats);
        Ok(())
    }

    /// The cookie is ours, but made for another address: the initiator reaches us from elsewhere than the forwarder
    /// said (RFC 7016 section 3.5.1.2).
    fn change_cookie(
        &mut self,
        now: Instant,
        path: Path,
        request: usize,
        keying: &IIKeying<'_>,
    ) -> Result<(), DropReason> {
        if keying.initiator_session_id == SessionId::STARTUP {
            return Err(DropReason::KeyingRefused(crate::crypto::Refusal::ZeroSessionId));
        }
        let new = self.jar.make(now, &mut self.rng, path.remote);
        let answer = packet(now, &Chunk::RHelloCookieChange(RHelloCookieChange { old: keying.cookie, new: &new }));
        self.afford(now, path, request, answer.len())?;
        self.stats.cookie_changes += 1;
        self.out.send(path, keying.initiator_session_id, &answer, &mut self.stats);
        Ok(())
    }
}
