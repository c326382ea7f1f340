//! Distributed storage over ideal views in virtual time: values are found by everybody, while members leave, and only as their
//! authors signed them.

#[allow(unreachable_pub, dead_code)]
#[path = "../support/ring.rs"]
mod ring;

#[allow(unreachable_pub)]
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;

mod departures;
mod hostile;
mod stories;

use std::collections::BTreeSet;
use std::time::Duration;

use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{GroupId, Output, View};
use p2pt::service::storage::{Storage, StorageConfig, StorageEvent};

/// 2026-01-01.
pub(crate) const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_767_225_600) };
pub(crate) const GROUP: GroupId = GroupId([0x67; 32]);
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

impl ring::Service for Storage {
    type Event = StorageEvent;

    fn message(&mut self, now: Instant, view: &View, peer: PeerId, message: &[u8]) {
        self.message(now, view, peer, message);
    }

    fn writable(&mut self, now: Instant, peer: PeerId, room: usize) {
        self.writable(now, peer, room);
    }

    fn handle_timeout(&mut self, now: Instant, view: &View) {
        self.handle_timeout(now, view);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline()
    }

    fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId) {
        self.peer_down(now, view, peer);
    }

    fn view_changed(&mut self, now: Instant, view: &View) {
        self.view_changed(now, view);
    }

    fn poll(&mut self) -> Option<Output<StorageEvent>> {
        self.poll()
    }
}
