//! Where the hosts of a test live: on the wide network, or each behind a NAT of its own.

use std::net::IpAddr;

use p2pt::sim::{Machine, Nat, NetworkId, World};

/// The place of the `number`-th host: 198.51.100.`number` on `wide`, or 10.0.`number`.2 behind a NAT that has that address.
pub fn home<M: Machine>(world: &mut World<M>, wide: NetworkId, number: u8, nat: Option<Nat>) -> (NetworkId, IpAddr) {
    let outside = IpAddr::from([198, 51, 100, number]);
    let Some(nat) = nat else { return (wide, outside) };
    let nat = world.add_nat(wide, outside, nat);
    (world.inside(nat), IpAddr::from([10, 0, number, 2]))
}
