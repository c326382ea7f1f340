//! Distributed storage over ideal views in virtual time: values are found by everybody, while members leave, and only as their
//! authors signed them.

#[allow(unreachable_pub)]
#[path = "../support/hand.rs"]
mod hand;
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;
#[allow(unreachable_pub, dead_code)]
#[path = "../support/ring.rs"]
mod ring;

mod departures;
mod hostile;
mod stories;

use std::collections::BTreeSet;
use std::time::Duration;

use p2pt::base::{Instant, Rng};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::service::storage::{Storage, StorageConfig, StorageEvent};

use hand::{CLOCK, GROUP};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) type Ring = ring::Ring<Storage>;

pub(crate) fn config(rng: &mut Rng) -> StorageConfig {
    StorageConfig {
        group: GROUP,
        author: Identity::generate(rng, IdentityKind::default()),
        posting_key: None,
        grant: None,
        clock: CLOCK,
        capacity: 16 << 20,
        timeout: Duration::from_secs(10),
    }
}

pub(crate) fn ring(count: usize, seed: u64, blocked: BTreeSet<(usize, usize)>) -> Ring {
    Ring::new(count, seed, blocked, |_, _, rng| {
        let config = config(rng);
        Storage::new(Instant::ZERO, rng.fork(), config)
    })
}

/// What was told since the last call.
pub(crate) fn told(ring: &mut Ring) -> Vec<(usize, StorageEvent)> {
    ring.events.drain(..).map(|(at, _, event)| (at, event)).collect()
}
