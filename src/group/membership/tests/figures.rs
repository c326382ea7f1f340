//! What a membership costs, and how its neighbours are spread.

use std::collections::BTreeSet;
use std::mem::size_of;
use std::time::Duration;

use super::net::{Net, ms};
use crate::group::known::Known;
use crate::group::membership::links::Peering;
use crate::group::membership::lost::Gone;
use crate::group::{GroupAddress, Hint, Membership, Neighbour};

/// Bytes of memory, allocations rounded up as allocators do.
fn memory(membership: &Membership) -> usize {
    let lists = membership.links.capacity() * size_of::<Peering>()
        + membership.view.known_capacity() * size_of::<Known>()
        + membership.view.neighbours().len() * 5 / 4 * size_of::<Neighbour>()
        + membership.lost.iter().count() * size_of::<Gone>();
    let addresses = membership.view.known().iter().map(|known| 16 + known.addresses.bytes().len());
    let maps = (membership.dials.len() + membership.holds.len() + membership.banned.len()) * 96;
    let outputs = membership.outputs.capacity() * 128;
    size_of::<Membership>() + lists + addresses.sum::<usize>() + maps + outputs + membership.spec.secret().len() + 256
}

/// A newcomer that the rendezvous introduces to its neighbours on the ring, as far as these are there.
fn introduce(net: &mut Net) -> (usize, Vec<usize>) {
    let living = net.living();
    let new = net.add();
    let place = net.get(new).view().address();
    let mut ring: Vec<_> = living.into_iter().map(|member| (net.get(member).view().address(), member)).collect();
    ring.sort_unstable();
    let at = ring.partition_point(|(address, _)| *address < place);
    let count = ring.len();
    let near: BTreeSet<usize> =
        (0..3.min(count)).flat_map(|step| [(at + step) % count, (at + 2 * count - 1 - step) % count]).collect();
    let near: Vec<usize> = near.into_iter().map(|at| ring[at].1).collect();
    for &member in &near {
        net.hint(member, new, Hint::Neighbor);
    }
    (new, near)
}

#[test]
fn newcomers_are_known_at_once_and_neighbours_are_even() {
    let long = std::env::var_os("P2PT_LONG").is_some();
    let (count, seed) = if long { (3000, 111) } else { (60, 112) };
    let mut net = Net::new(seed, ms(5));
    let started = std::time::Instant::now();
    let (mut longest, mut total) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..count {
        let (new, near) = introduce(&mut net);
        let id = net.id(new);
        let start = net.now;
        let knows = |net: &Net, member: usize| net.get(member).view().neighbour(id).is_some();
        while !near.iter().all(|&member| knows(&net, member)) {
            assert!(net.now - start < ms(2000), "seed {seed}: newcomer {new}");
            net.run(ms(5));
        }
        longest = longest.max(net.now - start);
        total += net.now - start;
    }
    let joined = started.elapsed();
    net.until_closed(3, ms(2000)).expect("closed");
    net.run(ms(60_000));
    let before = net.bytes;
    net.events.clear();
    net.run(ms(60_000));
    let idle = (net.bytes - before) / 60 / count as u64;
    let memories: Vec<usize> = net.living().iter().map(|&member| memory(net.get(member))).collect();
    let (mut few, mut many, mut known) = (usize::MAX, 0, 0);
    for member in net.living() {
        let (neighbours, target) = (net.neighbours(member).len(), net.get(member).target_neighbours());
        assert!(2 * neighbours >= target && 2 * neighbours <= 3 * target, "{member}: {neighbours} of {target}");
        few = few.min(neighbours);
        many = many.max(neighbours);
        known += net.get(member).view().members().len();
    }
    let largest = memories.iter().max().copied().unwrap_or(0);
    if long {
        // For whoever wants to see them: cargo test -- --nocapture.
        let mean = memories.iter().sum::<usize>() / memories.len();
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!(
                "{count} members: newcomer known after {:?} at the mean, {longest:?} at most; {few} to {many} neighbours; \
                 {} known; idle {idle} B/s; memory {mean} B at the mean, {largest} at most; joined in {joined:?}, all in {:?}\n",
                total / count as u32,
                known / count,
                started.elapsed()
            )
            .as_bytes(),
        );
    }
    assert!(idle < 500, "{idle} bytes a second and member");
    assert!(largest < if long { 32 << 10 } else { 64 << 10 }, "{largest}");
}

/// 10,000 members once routed in 19 hops instead of 15: whom enough others had chosen made no long links of its own.
#[test]
fn who_was_chosen_by_many_makes_its_own_long_links() {
    let (count, seed) = (200, 113);
    let mut net = Net::new(seed, ms(5));
    for _ in 0..count {
        introduce(&mut net);
        net.run(ms(20));
    }
    net.run(ms(30_000));
    let ring: Vec<GroupAddress> = net.living().iter().map(|&member| net.get(member).view().address()).collect();
    let (mut arcs, mut empty) = (0, 0);
    for member in net.living() {
        let view = net.get(member).view();
        let me = view.address();
        for exponent in 2..=6 {
            let (from, to) = (GroupAddress::fraction(exponent), GroupAddress::fraction(exponent - 1));
            let is_in = |address: GroupAddress| {
                let distance = address.distance(me);
                distance >= from && distance < to
            };
            if ring.iter().any(|&address| is_in(address)) {
                arcs += 1;
                empty += usize::from(!view.neighbours().any(|neighbour| is_in(neighbour.address)));
            }
        }
    }
    assert!(empty * 100 <= arcs, "seed {seed}: {empty} of {arcs} arcs have nobody in them");
}
