//! The sessions of an endpoint: by slot, by peer, by time, and which of them have something to send.

use std::collections::{BTreeSet, VecDeque};

use crate::base::{Instant, PeerId, SessionId};
use crate::crypto::FarIdentity;
use crate::session::{Role, Session};

use super::event::{OpeningId, SessionHandle};
use super::forward::Forwarding;
use super::pendings::Pending;

/// A session and what the endpoint knows about it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) session: Session,
    pub(crate) near_id: SessionId,
    pub(crate) role: Role,
    pub(crate) far: FarIdentity,
    /// When its keying succeeded.
    pub(crate) since: Instant,
    pub(crate) stage: Stage,
    pub(crate) probes: Vec<Probe>,
    pub(crate) forwarding: Option<Box<Forwarding>>,
}

/// How far a session has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// We answered its IIKeying; nobody hears of it before a packet opens under its keys.
    Unconfirmed(Box<Pending>),
    /// Confirmed, but nobody hears of it before an older one was found dead.
    Held,
    /// The owner knows it.
    Announced,
    /// Over for the owner; it lives on to answer the far end.
    Closed,
}

/// A question to a session: is the far end still there?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) asked: Instant,
    pub(crate) next_ping: Instant,
    pub(crate) until: Instant,
    pub(crate) purpose: Purpose,
}

/// Why it is asked. A silent session closes in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Only to close it if it is silent.
    Alive,
    /// If it is alive, this newer one closes; if not, this one takes its place.
    Contest(SessionHandle),
    /// If it is alive, it is what this opening wants.
    Serve(OpeningId),
}

impl Entry {
    /// What the endpoint itself has to do about it, and when.
    fn deadline(&self) -> Option<Instant> {
        let expires = match &self.stage {
            Stage::Unconfirmed(pending) => Some(pending.expires),
            _ => None,
        };
        let probe = self.probes.iter().map(|probe| probe.next_ping.min(probe.until)).min();
        [expires, probe, self.session.deadline()].into_iter().flatten().min()
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
    /// Open sessions that are confirmed, by peer.
    peers: BTreeSet<(PeerId, u32)>,
    /// A session's timer may stand too early, never too late: later deadlines are entered when the earlier one is
    /// reached.
    timers: BTreeSet<(Instant, u32)>,
    ready: VecDeque<u32>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    entry: Option<Box<Entry>>,
    timer: Option<Instant>,
    is_ready: bool,
}

impl Table {
    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// A free slot, for the session that [`Self::insert`] is about to bring.
    pub(crate) fn vacant(&mut self) -> u32 {
        self.free.last().copied().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            let slot = (self.slots.len() - 1) as u32;
            self.free.push(slot);
            slot
        })
    }

    /// Puts a session into the slot that [`Self::vacant`] named.
    pub(crate) fn insert(&mut self, entry: Entry) -> SessionHandle {
        let slot = self.vacant();
        self.free.pop();
        self.live += 1;
        self.slots[slot as usize].entry = Some(Box::new(entry));
        self.handle(slot)
    }

    /// Takes a session out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Box<Entry>> {
        let cell = self.slots.get_mut(slot as usize)?;
        let entry = cell.entry.take()?;
        cell.generation = cell.generation.wrapping_add(1);
        if let Some(at) = cell.timer.take() {
            self.timers.remove(&(at, slot));
        }
        self.peers.remove(&(entry.far.peer_id, slot));
        self.free.push(slot);
        self.live -= 1;
        Some(entry)
    }

    /// The name of the session in this slot.
    pub(crate) fn handle(&self, slot: u32) -> SessionHandle {
        let generation = self.slots.get(slot as usize).map_or(0, |cell| cell.generation);
        SessionHandle { slot, generation }
    }

    /// The slot of a session that is still there.
    pub(crate) fn slot(&self, handle: SessionHandle) -> Option<u32> {
        let cell = self.slots.get(handle.slot as usize)?;
        (cell.generation == handle.generation && cell.entry.is_some()).then_some(handle.slot)
    }

    /// A session.
    pub(crate) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.entry.as_deref()
    }

    /// A session, to change it; [`Self::touch`] has to follow.
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.entry.as_deref_mut()
    }

    /// All sessions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionHandle, &Entry)> {
        self.slots.iter().enumerate().filter_map(|(slot, cell)| {
            let handle = SessionHandle { slot: slot as u32, generation: cell.generation };
            Some((handle, cell.entry.as_deref()?))
        })
    }

    /// Lets the session be found by its peer, or no longer.
    pub(crate) fn list(&mut self, slot: u32, is_listed: bool) {
        if let Some(peer) = self.get(slot).map(|entry| entry.far.peer_id) {
            if is_listed {
                self.peers.insert((peer, slot));
            } else {
                self.peers.remove(&(peer, slot));
            }
        }
    }

    /// The open, confirmed sessions with a peer.
    pub(crate) fn of_peer(&self, peer: PeerId) -> impl Iterator<Item = u32> + '_ {
        self.peers.range((peer, 0)..=(peer, u32::MAX)).map(|(_, slot)| *slot)
    }

    /// Notes that the session may have something to send. When it wants to be woken is known once it has sent it.
    pub(crate) fn touch(&mut self, slot: u32) {
        if let Some(cell) = self.slots.get_mut(slot as usize)
            && cell.entry.is_some()
            && !cell.is_ready
        {
            cell.is_ready = true;
            self.ready.push_back(slot);
        }
    }

    /// Sees to it that the session is woken in time.
    pub(crate) fn rearm(&mut self, slot: u32) {
        let Some(cell) = self.slots.get_mut(slot as usize) else { return };
        let Some(deadline) = cell.entry.as_deref().and_then(Entry::deadline) else { return };
        if cell.timer.is_none_or(|timer| deadline < timer) {
            if let Some(timer) = cell.timer.replace(deadline) {
                self.timers.remove(&(timer, slot));
            }
            self.timers.insert((deadline, slot));
        }
    }

    /// A session whose deadline has come, if its timer did not merely stand too early.
    pub(crate) fn next_due(&mut self, now: Instant) -> Option<u32> {
        while let Some(&(timer, slot)) = self.timers.first() {
            if timer > now {
                return None;
            }
            self.timers.pop_first();
            if let Some(cell) = self.slots.get_mut(slot as usize) {
                cell.timer = None;
                let deadline = cell.entry.as_deref().and_then(Entry::deadline);
                if deadline.is_some_and(|deadline| deadline <= now) {
                    return Some(slot);
                }
            }
            self.rearm(slot);
        }
        None
    }

    /// When to call [`Self::next_due`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(timer, _)| *timer)
    }

    /// The next session that may have something to send. It goes to the end of the line.
    pub(crate) fn next_ready(&mut self) -> Option<u32> {
        let slot = self.ready.pop_front()?;
        if let Some(cell) = self.slots.get_mut(slot as usize) {
            cell.is_ready = false;
        }
        Some(slot)
    }

    /// Whether any session may have something to send.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }
}
