//! Directed routing over ideal views in virtual time: who gets what, over how many links, past members that cannot connect to
//! each other and members that are dead.

#[allow(unreachable_pub, dead_code)]
#[path = "../support/ring.rs"]
mod ring;

#[allow(unreachable_pub)]
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;

mod hops;
mod hostile;
mod stories;

use std::time::Duration;

use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{GroupId, Output, View};
use p2pt::service::routing::{Routing, RoutingConfig, RoutingEvent};

/// 2026-01-01.
pub(crate) const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_767_225_600) };
pub(crate) const GROUP: GroupId = GroupId([0x67; 32]);

pub(crate) fn routing(rng: &mut Rng) -> Routing {
    let author = Identity::generate(rng, IdentityKind::default());
    let config = RoutingConfig { group: GROUP, author, clock: CLOCK, ack_timeout: Duration::from_secs(10) };
    Routing::new(Instant::ZERO, rng.fork(), config)
}

impl ring::Service for Routing {
    type Event = RoutingEvent;

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

    fn view_changed(&mut self, _: Instant, _: &View) {}

    fn poll(&mut self) -> Option<Output<RoutingEvent>> {
        self.poll()
    }
}
