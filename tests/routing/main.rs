//! Directed routing over ideal views in virtual time: who gets what, over how many links, past members that cannot connect to
//! each other and members that are dead.

#[allow(unreachable_pub)]
#[path = "../support/hand.rs"]
mod hand;
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;
#[allow(unreachable_pub, dead_code)]
#[path = "../support/ring.rs"]
mod ring;

mod hops;
mod hostile;
mod stories;

use std::time::Duration;

use p2pt::base::{Instant, Rng};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::service::routing::{Routing, RoutingConfig};

use hand::{CLOCK, GROUP};

pub(crate) fn routing(rng: &mut Rng) -> Routing {
    let author = Identity::generate(rng, IdentityKind::default());
    let config = RoutingConfig { group: GROUP, author, clock: CLOCK, ack_timeout: Duration::from_secs(10) };
    Routing::new(Instant::ZERO, rng.fork(), config)
}
