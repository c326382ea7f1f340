//! A peer that changes its address in the middle of a transfer (RFC 7016 section 3.5.4.2).

use crate::load::Load;
use crate::seeds::for_each_seed;
use crate::stage::{MS, Pair, ip};
use p2pt::base::{Interface, Rng};
use p2pt::sim::{Link, Nat};
use std::net::IpAddr;
use std::time::Duration;

/// The address of the `n`th place.
fn place(n: u64) -> IpAddr {
    IpAddr::from([192, 0, 2, 10 + n as u8])
}

#[test]
fn a_transfer_survives_changes_of_address() {
    for_each_seed("changes_of_address", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link =
            Link::IDEAL.rate(8_000_000).queue(64_000).delay(15 * MS).loss([0.0, 0.01, 0.05][rng.below(3) as usize]);
        let mut pair = Pair::new(seed, link);
        let forth = (seed % 3 != 0).then(|| Load::new(seed, 40, 3_000));
        let back = (seed % 3 != 1).then(|| Load::new(seed + 1, 40, 3_000));
        pair.loads(forth, back);
        pair.dial();
        pair.wait_open(Duration::from_secs(60));
        for n in 0..1 + rng.below(3) {
            let (pause, what) = (rng.below(60) as u32 * MS, rng.below(3));
            pair.world.run_for(pause);
            let near = pair.near;
            match what {
                0 => pair.world.set_address(near, place(n)),
                1 => pair.world.set_socket_port(near, Interface(0), 2_000 + n as u16),
                _ => {
                    let nat = pair.world.add_nat(pair.world.internet(), place(n), Nat::PORT_RESTRICTED);
                    let inside = pair.world.inside(nat);
                    pair.world.set_network(near, inside, ip("192.168.1.2"));
                }
            }
            pair.ping();
        }
        pair.wait_done(Duration::from_secs(60));
        pair.close();
        pair.world.digest()
    });
}

/// Nobody tells the peer: its NAT has another address, or has forgotten it.
#[test]
fn a_transfer_survives_a_nat_that_restarts() {
    for_each_seed("a_nat_that_restarts", |seed| {
        let mut pair = Pair::new(seed, Link::IDEAL.rate(8_000_000).queue(64_000).delay(15 * MS));
        let nat = pair.world.add_nat(pair.world.internet(), ip("203.0.113.1"), Nat::SYMMETRIC);
        let inside = pair.world.inside(nat);
        pair.world.set_network(pair.near, inside, ip("192.168.1.2"));
        pair.loads(Some(Load::new(seed, 40, 3_000)), Some(Load::new(seed + 1, 40, 3_000)));
        pair.dial();
        pair.wait_open(Duration::from_secs(10));
        pair.world.run_for(Duration::from_millis(seed % 60));
        if seed % 2 == 0 {
            pair.world.restart_nat(nat)
        } else {
            pair.world.set_address(nat, ip("203.0.113.2"))
        }
        pair.wait_done(Duration::from_secs(60));
        assert_eq!(pair.world.address_of(pair.near), ip("192.168.1.2"));
        pair.world.digest()
    });
}
