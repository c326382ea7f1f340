//! The life of sessions in the endpoint: confirmed, announced, replaced, probed, closed.

use std::time::Duration;

use crate::base::{Ecn, Instant, Path, PeerId, Received};
use crate::session::{Role, Session, SessionEvent, SessionParams};
use crate::wire::Address;

use super::core::Core;
use super::event::{EndpointEvent, OpenFailure, OpeningId, SessionHandle};
use super::glare::{CONTEST, GLARE_WINDOW, Rivalry, SERVE, SILENCE, Verdict};
use super::ids::Owner;
use super::keying::Keyed;
use super::stats::DropReason;
use super::table::{Entry, Probe, Purpose, Stage};

/// Between two pings of a probe.
const PROBE_EVERY: Duration = Duration::from_millis(500);

impl Core {
    /// Follows up on whatever just happened in a session.
    pub(crate) fn attend(&mut self, now: Instant, slot: u32) {
        self.drain(now, slot);
        self.table.touch(slot);
    }

    /// Takes what a session tells.
    pub(crate) fn drain(&mut self, now: Instant, slot: u32) {
        self.settle_probes(now, slot);
        while let Some(entry) = self.table.get_mut(slot) {
            // A held session keeps its events until it is announced.
            if matches!(entry.stage, Stage::Held) {
                break;
            }
            let Some(event) = entry.session.poll_event() else { break };
            self.on_session_event(now, slot, event);
        }
    }

    fn on_session_event(&mut self, now: Instant, slot: u32, event: SessionEvent) {
        let handle = self.table.handle(slot);
        match event {
            SessionEvent::Confirmed => self.on_confirmed(now, slot),
            SessionEvent::FIHello { epd, reply, tag } => {
                let outcome = self.on_fihello(now, slot, &epd, reply, &tag);
                self.count(outcome);
            }
            SessionEvent::Closed(reason) => {
                let Some(entry) = self.table.get_mut(slot) else { return };
                let stage = std::mem::replace(&mut entry.stage, Stage::Closed);
                let probes = std::mem::take(&mut entry.probes);
                self.table.list(slot, false);
                match stage {
                    Stage::Unconfirmed(pending) => self.pendings.forget(&pending),
                    Stage::Announced => {
                        self.events.push_back(EndpointEvent::Session(handle, SessionEvent::Closed(reason)))
                    }
                    Stage::Held | Stage::Closed => {}
                }
                for probe in probes {
                    self.on_probed_silent(now, probe.purpose);
                }
            }
            event => self.events.push_back(EndpointEvent::Session(handle, event)),
        }
    }

    /// The far end of a session that we answered has proved that it holds the keys. Only now it counts
    /// (departs from RFC 7016 section 3.5.1.1.2, invisibly on the wire).
    fn on_confirmed(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        if !matches!(entry.stage, Stage::Unconfirmed(_)) {
            return;
        }
        let Stage::Unconfirmed(pending) = std::mem::replace(&mut entry.stage, Stage::Held) else { return };
        let (peer, path) = (entry.far.peer_id, entry.session.path());
        self.pendings.settle(&pending);
        self.stats.confirmed += 1;
        self.table.list(slot, true);
        let handle = self.table.handle(slot);
        let rivals: Vec<u32> = self.table.of_peer(peer).filter(|rival| *rival != slot).collect();
        let mut contested = false;
        for rival in rivals {
            match self.rivalry(slot, rival, pending.since, path).map(Rivalry::verdict) {
                None => {}
                Some(Verdict::CloseOld) => self.replace(now, rival, handle),
                Some(Verdict::ProbeOld) => self.probe(now, rival, Purpose::Alive),
                Some(Verdict::Contest) => {
                    contested = true;
                    self.probe(now, rival, Purpose::Contest(handle));
                }
            }
        }
        if !contested {
            self.announce(now, slot);
        }
    }

    /// How an older session and the one in `slot` stand to each other; nothing if their certificates differ.
    fn rivalry(&self, slot: u32, rival: u32, since: Instant, path: Path) -> Option<Rivalry> {
        let (new, old) = (self.table.get(slot)?, self.table.get(rival)?);
        let certificate = new.session.far_certificate();
        (old.session.far_certificate() == certificate).then(|| Rivalry {
            near_initiated: old.role == Role::Initiator,
            recent: since - old.since < GLARE_WINDOW,
            near_prevails: self.profile.near_prevails(certificate),
            same_address: old.session.path().remote == path.remote,
        })
    }

    /// Tells the owner of a confirmed session: as what an opening wanted, or as an incoming one.
    fn announce(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        entry.stage = Stage::Announced;
        let far = entry.far;
        let handle = self.table.handle(slot);
        let mut wanted = Vec::new();
        if far.authenticated
            && let Some(certificate) = self.table.get(slot).map(|entry| entry.session.far_certificate())
        {
            wanted = self.openings.which(|opening| opening.wants(far.peer_id, certificate));
        }
        if wanted.is_empty() {
            self.events.push_back(EndpointEvent::Incoming { session: handle });
        }
        for opening in wanted {
            self.finish_opening(now, opening, Ok(handle));
        }
    }

    /// Ends an opening and says how.
    pub(crate) fn finish_opening(
        &mut self,
        now: Instant,
        opening: OpeningId,
        outcome: Result<SessionHandle, OpenFailure>,
    ) {
        let Some(ended) = self.openings.remove(opening) else { return };
        for id in ended.near_ids() {
            self.ids.retire(now, id);
        }
        self.events.push_back(match outcome {
            Ok(session) => EndpointEvent::Opened { opening, session },
            Err(reason) => EndpointEvent::OpenFailed { opening, reason },
        });
    }

    /// Makes the session that an opening of ours has keyed.
    pub(crate) fn adopt(&mut self, now: Instant, opening: OpeningId, keyed: Keyed) {
        let Keyed { keys, near_id, far_id, path, certificate, identity, early } = keyed;
        self.stats.opened += 1;
        let params = SessionParams {
            role: Role::Initiator,
            keys,
            near_id,
            far_id,
            path,
            far: identity,
            far_certificate: certificate,
            confirmed: true,
            config: self.config.session.clone(),
        };
        let older: Vec<u32> = self
            .announced_with(identity.peer_id)
            .filter(|slot| self.has_certificate(*slot, &params.far_certificate))
            .collect();
        let session = Session::new(now, self.rng.fork(), params);
        let handle = self.table.insert(Entry {
            session,
            near_id,
            role: Role::Initiator,
            far: identity,
            since: now,
            stage: Stage::Announced,
            probes: Vec::new(),
            forwarding: None,
        });
        self.ids.assign(near_id, Owner::Session(handle.slot));
        self.table.list(handle.slot, true);
        self.finish_opening(now, opening, Ok(handle));
        // They were asked whether they could serve, and were silent; the far end has a new session now.
        for slot in older {
            self.replace(now, slot, handle);
        }
        for mut datagram in early {
            let segment = datagram.len().max(1);
            self.deliver(now, handle.slot, Received { path, ecn: Ecn::NotEct, segment, data: &mut datagram });
        }
        self.attend(now, handle.slot);
    }

    /// The open sessions with a peer that the owner knows of.
    pub(crate) fn announced_with(&self, peer: PeerId) -> impl Iterator<Item = u32> + '_ {
        let is_announced = |slot: &u32| self.table.get(*slot).is_some_and(|e| matches!(e.stage, Stage::Announced));
        self.table.of_peer(peer).filter(is_announced)
    }

    /// Whether the far end of a session showed this certificate.
    pub(crate) fn has_certificate(&self, slot: u32, certificate: &[u8]) -> bool {
        self.table.get(slot).is_some_and(|entry| entry.session.far_certificate() == certificate)
    }

    /// Hands datagrams to a session.
    pub(crate) fn deliver(&mut self, now: Instant, slot: u32, mut received: Received<'_>) {
        if let Some(entry) = self.table.get_mut(slot) {
            entry.session.receive(now, &mut received);
        }
        self.attend(now, slot);
    }

    /// Asks a session whether its far end is still there.
    pub(crate) fn probe(&mut self, now: Instant, slot: u32, purpose: Purpose) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        let patience = match purpose {
            Purpose::Alive => SILENCE,
            Purpose::Contest(_) => CONTEST,
            Purpose::Serve(_) => SERVE,
        };
        entry.probes.retain(|probe| probe.purpose != purpose);
        entry.probes.push(Probe { asked: now, next_ping: now + PROBE_EVERY, until: now + patience, purpose });
        entry.session.ping();
        self.table.touch(slot);
    }

    /// Ends the probes that were answered.
    fn settle_probes(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        let heard = entry.session.last_heard();
        let answered: Vec<Probe> = entry.probes.extract_if(.., |probe| heard > probe.asked).collect();
        let handle = self.table.handle(slot);
        for probe in answered {
            match probe.purpose {
                Purpose::Alive => {}
                Purpose::Contest(newer) => {
                    if let Some(newer) = self.table.slot(newer) {
                        self.dismiss(now, newer);
                    }
                }
                Purpose::Serve(opening) => self.finish_opening(now, opening, Ok(handle)),
            }
        }
    }

    /// Does what is due for a session.
    pub(crate) fn on_session_timeout(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        if let Stage::Unconfirmed(pending) = &entry.stage
            && pending.expires <= now
        {
            self.stats.unconfirmed_expired += 1;
            return self.discard(now, slot);
        }
        entry.session.handle_timeout(now);
        let mut silent = Vec::new();
        let mut wants_ping = false;
        entry.probes.retain_mut(|probe| {
            if probe.until <= now {
                silent.push(*probe);
                return false;
            }
            if probe.next_ping <= now {
                probe.next_ping = now + PROBE_EVERY;
                wants_ping = true;
            }
            true
        });
        if wants_ping {
            entry.session.ping();
        }
        // One that does not serve an opening need not be dead: the new session, if there comes one, decides.
        let successor = silent.iter().find_map(|probe| match probe.purpose {
            Purpose::Contest(newer) if self.is_held(newer) => Some(newer),
            _ => None,
        });
        if let Some(newer) = successor {
            self.replace(now, slot, newer);
        } else if silent.iter().any(|probe| !matches!(probe.purpose, Purpose::Serve(_))) {
            self.dismiss(now, slot);
        }
        for probe in silent {
            self.on_probed_silent(now, probe.purpose);
        }
        self.attend(now, slot);
    }

    fn on_probed_silent(&mut self, now: Instant, purpose: Purpose) {
        if let Purpose::Contest(newer) = purpose
            && self.is_held(newer)
        {
            self.announce(now, newer.slot);
            self.attend(now, newer.slot);
        }
    }

    /// Whether a session is confirmed and waits for an older one to be found dead.
    fn is_held(&self, session: SessionHandle) -> bool {
        let entry = self.table.slot(session).and_then(|slot| self.table.get(slot));
        entry.is_some_and(|entry| matches!(entry.stage, Stage::Held))
    }

    /// Closes a session because another one takes its place.
    fn replace(&mut self, now: Instant, old: u32, new: SessionHandle) {
        let handle = self.table.handle(old);
        if self.table.get(old).is_some_and(|entry| matches!(entry.stage, Stage::Announced)) {
            self.events.push_back(EndpointEvent::Replaced { old: handle, new });
        }
        self.dismiss(now, old);
    }

    /// Closes a session abruptly: one that is stale, or one too many.
    fn dismiss(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        entry.session.abort(now);
        if matches!(entry.stage, Stage::Held) {
            entry.stage = Stage::Closed;
            self.table.list(slot, false);
        }
        self.attend(now, slot);
    }

    /// Forgets a session without a farewell, and its ID for a while.
    pub(crate) fn discard(&mut self, now: Instant, slot: u32) {
        let Some(entry) = self.table.remove(slot) else { return };
        if let Stage::Unconfirmed(pending) = &entry.stage {
            self.pendings.forget(pending);
        }
        self.ids.retire(now, entry.near_id);
    }

    /// Answers an FIHello that came in a session (RFC 7016 section 3.5.1.1.2).
    fn on_fihello(
        &mut self,
        now: Instant,
        slot: u32,
        epd: &[u8],
        reply: Address,
        tag: &[u8],
    ) -> Result<(), DropReason> {
        let entry = self.table.get_mut(slot).ok_or(DropReason::ForwardNotAllowed)?;
        let forwarding = entry.forwarding.as_deref_mut().ok_or(DropReason::ForwardNotAllowed)?;
        let path = entry.session.path();
        if !self.profile.selects_near(epd) {
            return Err(DropReason::NotSelected);
        }
        self.gate.admit(now, forwarding, path.remote.ip(), reply.socket)?;
        let answer = forwarding.answer;
        let to = Path { interface: path.interface, local: None, remote: reply.socket };
        self.answer_forwarded(now, to, tag, answer)
    }
}
