//! IIKeyings that were answered: which copies are which session's, and how many may wait for confirmation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::base::{Instant, source_prefix};
use crate::wire::IIKeying;

/// How long after its IIKeying's last copy an unconfirmed session dies.
pub(crate) const CONFIRM_WITHIN: Duration = Duration::from_secs(20);
/// Confirmed IIKeyings remembered, so that their replays cost nothing. More replays than that get as far as another
/// unconfirmed session, and no further.
const MAX_SETTLED: usize = 1024;

/// The digest of a whole IIKeying.
pub(crate) type KeyingDigest = [u8; 32];

/// An answered IIKeying, until its session is confirmed.
#[derive(Debug)]
pub(crate) struct Pending {
    /// What its copies are known by.
    pub(crate) digest: KeyingDigest,
    /// The plain packet of the RIKeying, for copies.
    pub(crate) answer: Vec<u8>,
    /// When it came.
    pub(crate) since: Instant,
    /// When the session dies.
    pub(crate) expires: Instant,
    prefix: u64,
}

/// The register of pending and settled IIKeyings.
#[derive(Debug, Default)]
pub(crate) struct Pendings {
    slots: BTreeMap<KeyingDigest, u32>,
    by_prefix: BTreeMap<u64, usize>,
    settled: BTreeSet<KeyingDigest>,
    settled_order: VecDeque<KeyingDigest>,
}

impl Pendings {
    /// Whether one more from `source` may wait.
    pub(crate) fn have_room(&self, source: IpAddr, limit: usize, limit_per_prefix: usize) -> bool {
        let of_prefix = self.by_prefix.get(&source_prefix(source)).copied().unwrap_or(0);
        self.slots.len() < limit && of_prefix < limit_per_prefix
    }

    /// The session that this IIKeying made, if it still waits.
    pub(crate) fn slot(&self, digest: &KeyingDigest) -> Option<u32> {
        self.slots.get(digest).copied()
    }

    /// Whether this IIKeying's session was confirmed.
    pub(crate) fn is_settled(&self, digest: &KeyingDigest) -> bool {
        self.settled.contains(digest)
    }

    /// Enters an IIKeying from `source` whose session is in `slot`.
    pub(crate) fn enter(
        &mut self,
        now: Instant,
        slot: u32,
        source: IpAddr,
        digest: KeyingDigest,
        answer: Vec<u8>,
    ) -> Pending {
        let prefix = source_prefix(source);
        self.slots.insert(digest, slot);
        *self.by_prefix.entry(prefix).or_default() += 1;
        Pending { digest, answer, since: now, expires: now + CONFIRM_WITHIN, prefix }
    }

    /// Its session died unconfirmed.
    pub(crate) fn forget(&mut self, pending: &Pending) {
        self.slots.remove(&pending.digest);
        if let Some(count) = self.by_prefix.get_mut(&pending.prefix) {
            *count -= 1;
            if *count == 0 {
                self.by_prefix.remove(&pending.prefix);
            }
        }
    }

    /// Its session is confirmed.
    pub(crate) fn settle(&mut self, pending: &Pending) {
        self.forget(pending);
        if self.settled.insert(pending.digest) {
            self.settled_order.push_back(pending.digest);
        }
        if self.settled_order.len() > MAX_SETTLED
            && let Some(oldest) = self.settled_order.pop_front()
        {
            self.settled.remove(&oldest);
        }
    }
}

/// What copies of an IIKeying are known by: all of its bytes.
pub(crate) fn keying_digest(keying: &IIKeying<'_>) -> KeyingDigest {
    let length = (keying.signed().len() as u64).to_be_bytes();
    Sha256::new().chain_update(length).chain_update(keying.signed()).chain_update(keying.signature).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_in_all_and_by_prefix_and_comes_back() {
        let mut pendings = Pendings::default();
        let mut entered = Vec::new();
        for n in 0..200u32 {
            let source = IpAddr::from([10, 0, (n % 4) as u8, n as u8]);
            if pendings.have_room(source, 100, 30) {
                let mut digest = [0; 32];
                digest[..4].copy_from_slice(&n.to_be_bytes());
                entered.push(pendings.enter(Instant::ZERO, n, source, digest, Vec::new()));
            }
        }
        assert_eq!(entered.len(), 100);
        for pending in &entered[..50] {
            pendings.forget(pending);
            assert_eq!(pendings.slot(&pending.digest), None);
        }
        for pending in &entered[50..] {
            pendings.settle(pending);
            assert!(pendings.is_settled(&pending.digest));
        }
        assert!(pendings.slots.is_empty() && pendings.by_prefix.is_empty());
    }
}
