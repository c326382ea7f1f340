//! Whose the near session IDs are: the look-up of the demultiplexer (RFC 7016 section 3.3).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use crate::base::{Instant, Rng, SessionId};

use super::event::OpeningId;

/// How long an ID stays unused after its session is gone, so that stragglers reach nobody. Longer than any
/// retransmission schedule of the RFC (120 s and a little).
const QUARANTINE: Duration = Duration::from_secs(130);
/// IDs in quarantine; beyond, the oldest leave early. Chance alone makes reuse unlikely.
const QUARANTINE_LIMIT: usize = 1 << 16;

/// Who receives under an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The session in this slot.
    Session(u32),
    /// An opening in S_KEYING_SENT.
    Opening(OpeningId),
    /// Nobody any more.
    Quarantine,
}

/// Near session IDs: random, never 0, not used again for 130 s.
#[derive(Debug, Default)]
pub(crate) struct SessionIds {
    /// Never iterated; IDs are random, so they are their own hash.
    owners: HashMap<SessionId, Owner, BuildHasherDefault<IdHasher>>,
    quarantine: VecDeque<(Instant, SessionId)>,
}

impl SessionIds {
    /// A new ID for `owner`.
    pub(crate) fn allot(&mut self, now: Instant, rng: &mut Rng, owner: Owner) -> SessionId {
        while let Some(&(until, id)) = self.quarantine.front() {
            if until > now && self.quarantine.len() <= QUARANTINE_LIMIT {
                break;
            }
            self.quarantine.pop_front();
            self.owners.remove(&id);
        }
        loop {
            let id = SessionId(rng.u32());
            if id != SessionId::STARTUP && !self.owners.contains_key(&id) {
                self.owners.insert(id, owner);
                return id;
            }
        }
    }

    /// Who receives under `id`.
    pub(crate) fn owner(&self, id: SessionId) -> Option<Owner> {
        self.owners.get(&id).copied()
    }

    /// Hands an ID on: from an opening to its session.
    pub(crate) fn assign(&mut self, id: SessionId, owner: Owner) {
        self.owners.insert(id, owner);
    }

    /// Puts an ID out of use.
    pub(crate) fn retire(&mut self, now: Instant, id: SessionId) {
        self.owners.insert(id, Owner::Quarantine);
        self.quarantine.push_back((now + QUARANTINE, id));
    }
}

/// Passes a `u32` through, spread over the upper bits, which the table looks at too.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0.rotate_left(8) ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_id_reaches_nobody_for_130_seconds() {
        let mut ids = SessionIds::default();
        let mut rng = Rng::for_simulation(9);
        let start = Instant::from_micros(1);
        let id = ids.allot(start, &mut rng, Owner::Session(3));
        assert_eq!(ids.owner(id), Some(Owner::Session(3)));
        ids.retire(start, id);
        ids.allot(start + Duration::from_secs(129), &mut rng, Owner::Session(4));
        assert_eq!(ids.owner(id), Some(Owner::Quarantine));
        ids.allot(start + Duration::from_secs(130), &mut rng, Owner::Session(5));
        assert_eq!(ids.owner(id), None);
    }
}
