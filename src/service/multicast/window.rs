//! What is here of a stream: manifests, fragments that one of them vouches for, and for a while others.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::message::FragmentsMap;
use super::proof::{FragmentDigest, Manifest};
use crate::base::{Instant, PeerId};

/// Fragments between the oldest and the newest at most.
const MAX_SLOTS: u64 = 16_384;
/// Bytes of fragments at most; the oldest go.
const MAX_BYTES: usize = 64 << 20;
/// Fragments that wait for their manifest, their bytes, and those of one neighbour.
const MAX_HELD: usize = 4096;
const MAX_HELD_BYTES: usize = 8 << 20;
const MAX_HELD_OF_ONE: usize = 2 << 20;
/// How long they wait.
const HELD: Duration = Duration::from_secs(5);

/// What a manifest says of a fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    digest: FragmentDigest,
    /// A player can begin with it.
    pub(super) key: bool,
    /// When it was signed, in microseconds since the stream began.
    pub(super) at: u64,
}

/// A fragment's place.
#[derive(Debug)]
struct Slot {
    /// Since when there is such a place here.
    since: Instant,
    mark: Option<Mark>,
    message: Option<Bytes>,
    /// When it came.
    came: Instant,
}

/// What became of a fragment that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is here now.
    New,
    /// It was here, or nobody wants it any more.
    Known,
    /// It waits for its manifest.
    Held,
    /// It is not the publisher's.
    Forged,
    /// There is no place for it.
    Refused,
}

/// A fragment that waited for its manifest.
pub(super) struct Waited {
    pub(super) from: PeerId,
    pub(super) id: u64,
    pub(super) len: usize,
    pub(super) arrival: Arrival,
}

/// Two manifests of one publisher contradict each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

/// What is here.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// ID of the first slot.
    low: u64,
    slots: VecDeque<Slot>,
    /// By their first fragments, with that behind their last one.
    manifests: BTreeMap<u64, (u64, Bytes)>,
    bytes: usize,
    /// The newest that is here.
    newest: u64,
    /// Something was given up already: what is older does not come back.
    moved: bool,
    held: BTreeMap<(u64, PeerId), (Instant, Bytes)>,
    held_bytes: usize,
    held_of: BTreeMap<PeerId, usize>,
}

impl Window {
    /// Below this everything was given up; 0 before anything is known.
    pub(super) const fn low(&self) -> u64 {
        self.low
    }

    /// Whether nothing was given up yet, so that older things may still come.
    pub(super) const fn is_whole(&self) -> bool {
        !self.moved
    }

    /// Behind the newest of which a manifest told.
    pub(super) fn high(&self) -> u64 {
        self.low + self.slots.len() as u64
    }

    /// The newest that is here, or 0.
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    fn slot(&self, id: u64) -> Option<&Slot> {
        self.slots.get(usize::try_from(id.checked_sub(self.low)?).ok()?)
    }

    fn slot_mut(&mut self, id: u64) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(id.checked_sub(self.low)?).ok()?)
    }

    /// What a manifest said of a fragment.
    pub(super) fn mark(&self, id: u64) -> Option<&Mark> {
        self.slot(id)?.mark.as_ref()
    }

    /// What a manifest said of this fragment, or of the next one of which one did.
    pub(super) fn mark_from(&self, id: u64) -> Option<(u64, &Mark)> {
        (id.max(self.low)..self.high()).find_map(|id| Some((id, self.mark(id)?)))
    }

    /// The first fragment from this one on of which no manifest told, though it did of later ones.
    pub(super) fn unknown_from(&self, id: u64) -> Option<u64> {
        if id < self.low && self.is_whole() {
            return Some(id);
        }
        (id.max(self.low)..self.high()).find(|id| self.mark(*id).is_none())
    }

    /// The message of a fragment that is here, and when it came.
    pub(super) fn get(&self, id: u64) -> Option<(&Bytes, Instant)> {
        let slot = self.slot(id)?;
        Some((slot.message.as_ref()?, slot.came))
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.get(id).is_some()
    }

    /// The newest fragment with which a player can begin.
    pub(super) fn newest_key(&self) -> Option<u64> {
        (self.low..self.high()).rev().find(|id| self.mark(*id).is_some_and(|mark| mark.key))
    }

    /// What to tell neighbours.
    pub(super) fn map(&self) -> Option<FragmentsMap> {
        (self.newest > 0).then(|| FragmentsMap::new(self.low.max(1), self.newest, |id| self.has(id)))
    }

    /// Whether this manifest is here.
    pub(super) fn knows(&self, first: u64, manifest: &Bytes) -> bool {
        self.manifests.get(&first).is_some_and(|(_, known)| known == manifest)
    }

    /// The manifests from a fragment on, the oldest first.
    pub(super) fn manifests_from(&self, id: u64) -> impl Iterator<Item = &Bytes> {
        let begin = self.manifests.range(..=id).next_back().filter(|(_, (end, _))| *end > id);
        let begin = begin.map_or(id, |(first, _)| *first);
        self.manifests.range(begin..).map(|(_, (_, manifest))| manifest)
    }

    /// A manifest came whose signature is right; the fragments that were not known before.
    ///
    /// # Errors
    /// [`Contradiction`]; nothing was changed.
    pub(super) fn vouch(
        &mut self,
        now: Instant,
        manifest: &Manifest,
        bytes: &Bytes,
    ) -> Result<Vec<u64>, Contradiction> {
        let end = manifest.first + manifest.fragments.len() as u64;
        let said = (manifest.first..end).zip(&manifest.fragments);
        let differs = |(id, (digest, _)): (u64, &(FragmentDigest, bool))| {
            self.mark(id).is_some_and(|mark| mark.digest != *digest)
        };
        if said.clone().any(differs) {
            return Err(Contradiction);
        }
        self.make_place(now, manifest.first, end);
        let mut new = Vec::new();
        for (id, &(digest, key)) in said {
            if let Some(slot) = self.slot_mut(id).filter(|slot| slot.mark.is_none()) {
                slot.mark = Some(Mark { digest, key, at: manifest.at });
                new.push(id);
            }
        }
        if !new.is_empty() {
            self.manifests.insert(manifest.first, (end, bytes.clone()));
        }
        Ok(new)
    }

    /// Slots for these fragments, unless they are too old.
    fn make_place(&mut self, now: Instant, first: u64, end: u64) {
        if self.slots.is_empty() && first >= self.high() || first > self.high() + MAX_SLOTS {
            // Nothing that is here is near: begin anew.
            self.moved |= !self.slots.is_empty();
            self.drop_to(first);
            self.low = first;
        }
        let slot = || Slot { since: now, mark: None, message: None, came: now };
        while self.high() < end {
            self.slots.push_back(slot());
        }
        while !self.moved && self.low > first && self.slots.len() < MAX_SLOTS as usize {
            self.slots.push_front(slot());
            self.low -= 1;
        }
        if self.slots.len() > MAX_SLOTS as usize {
            self.drop_to(self.high() - MAX_SLOTS);
        }
    }

    /// A fragment came from a neighbour, or from ourselves.
    pub(super) fn put(&mut self, now: Instant, id: u64, message: &Bytes) -> Arrival {
        if id < self.low {
            return Arrival::Known;
        }
        let Some(slot) = self.slot_mut(id) else { return Arrival::Held };
        let Some(mark) = slot.mark else { return Arrival::Held };
        if let Some(here) = &slot.message {
            // Whoever sends it again need not be checked again if it is the same.
            return if here == message { Arrival::Known } else { Arrival::Forged };
        }
        if FragmentDigest::of(message) != mark.digest {
            return Arrival::Forged;
        }
        (slot.message, slot.came) = (Some(message.clone()), now);
        self.bytes += message.len();
        self.newest = self.newest.max(id);
        while self.bytes > MAX_BYTES {
            self.drop_to(self.low + 1);
        }
        Arrival::New
    }

    /// Keeps a fragment until its manifest comes.
    pub(super) fn hold(&mut self, now: Instant, id: u64, from: PeerId, message: &Bytes) -> Arrival {
        let is_near = self.slots.is_empty() || id < self.high() + MAX_SLOTS;
        let of_one = self.held_of.get(&from).copied().unwrap_or(0) + message.len();
        let all = self.held_bytes + message.len();
        let fits = self.held.len() < MAX_HELD && all <= MAX_HELD_BYTES && of_one <= MAX_HELD_OF_ONE.max(message.len());
        if !is_near || !fits {
            return Arrival::Refused;
        }
        if self.held.contains_key(&(id, from)) {
            return Arrival::Known;
        }
        self.held_bytes = all;
        self.held_of.insert(from, of_one);
        self.held.insert((id, from), (now, message.clone()));
        Arrival::Held
    }

    /// The oldest fragment that has waited for its manifest since before `before`, and who sent it.
    pub(super) fn waits_since(&self, before: Instant) -> Option<(u64, PeerId)> {
        self.held.iter().find(|(_, (since, _))| *since <= before).map(|(&key, _)| key)
    }

    /// What had waited for the manifests that are here now.
    pub(super) fn release(&mut self, now: Instant, ids: &[u64]) -> Vec<Waited> {
        let mut waited = Vec::new();
        for &id in ids {
            let from = (id, PeerId([0; 32]))..=(id, PeerId([255; 32]));
            let held: Vec<(u64, PeerId)> = self.held.range(from).map(|(&key, _)| key).collect();
            for key in held {
                let Some(message) = self.drop_held(key) else { continue };
                let arrival = self.put(now, id, &message);
                waited.push(Waited { from: key.1, id, len: message.len(), arrival });
            }
        }
        waited
    }

    /// Gives up what is older than `keep`.
    pub(super) fn expire(&mut self, now: Instant, keep: Duration) {
        let before = now.minus(keep);
        let old = self.slots.iter().take_while(|slot| slot.since < before).count() as u64;
        if old > 0 {
            self.drop_to(self.low + old);
        }
        let before = now.minus(HELD);
        let late = self.held.iter().filter(|(_, (since, _))| *since < before);
        let late: Vec<(u64, PeerId)> = late.map(|(&key, _)| key).collect();
        late.into_iter().for_each(|key| {
            self.drop_held(key);
        });
    }

    fn drop_held(&mut self, key: (u64, PeerId)) -> Option<Bytes> {
        let (_, message) = self.held.remove(&key)?;
        self.held_bytes -= message.len();
        if let Some(bytes) = self.held_of.get_mut(&key.1) {
            *bytes -= message.len();
            if *bytes == 0 {
                self.held_of.remove(&key.1);
            }
        }
        Some(message)
    }

    fn drop_to(&mut self, low: u64) {
        while self.low < low {
            let Some(slot) = self.slots.pop_front() else { break };
            self.moved = true;
            self.low += 1;
            self.bytes -= slot.message.map_or(0, |message| message.len());
        }
        while self.manifests.first_entry().is_some_and(|manifest| manifest.get().0 <= self.low) {
            self.manifests.pop_first();
        }
    }
}
