//! Neighbours that lie, repeat themselves and talk too much.

use super::super::limits::{MAX_BANNED, MAX_HINTED, MAX_HOLDS, MAX_PROBES};
use super::handshake::{befriend, init};
use super::net::{Net, ms};
use crate::base::{PeerId, Rng};
use crate::group::message::{Control, ReportWriter};
use crate::group::{MAX_LOST, MAX_OPENING, MAX_UNPROVEN, Membership, ReceiveMode};

fn fakes(rng: &mut Rng, count: usize) -> Vec<u8> {
    let mut report = ReportWriter::new(None, &[]);
    for _ in 0..count {
        report.record(PeerId(rng.bytes()), 0, &[2, 10, 9, 9, 9, 7, 0x8f]);
    }
    report.finish()
}

#[test]
fn a_liar_s_fakes_are_few_and_push_nobody_out() {
    let mut net = Net::new(81, ms(1));
    for _ in 0..20 {
        net.join();
        net.run(ms(20));
    }
    net.until_closed(3, ms(2000)).expect("closed");
    let liar = net.add_puppet();
    for member in 0..5 {
        befriend(&mut net, liar, member);
    }
    let mut rng = Rng::for_simulation(82);
    // The ring is watched while the liar reports a thousand fakes every second.
    for second in 0..60 {
        for member in 0..5 {
            for _ in 0..4 {
                net.say(liar, member, fakes(&mut rng, 250));
            }
        }
        net.run(ms(1000));
        assert!(net.gaps(&net.living(), 1).is_empty(), "second {second}");
        // From the liar itself, and what others pass on.
        for member in net.living() {
            let known = net.get(member).view().members().len();
            assert!(known <= 21 + 4 * usize::from(MAX_UNPROVEN), "second {second}: {known}");
        }
    }
    let stats = net.get(0).stats();
    assert!(stats.over_quota > 1000 && stats.gone > 0, "{stats:?}");
    // When it goes, its lies go too.
    net.remove(liar, false);
    net.run(ms(600_000));
    for member in net.living() {
        assert_eq!(net.get(member).view().members().len(), 19, "{member}");
    }
    assert!(net.gaps(&net.living(), 3).is_empty());
}

#[test]
fn a_flood_is_dropped_and_answered_no_more_often_than_the_rate() {
    let mut net = Net::new(91, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    befriend(&mut net, puppet, member);
    let before = net.get(member).stats().reports_sent;
    for _ in 0..10_000 {
        net.say(puppet, member, ReportWriter::new(None, &[]).finish());
    }
    net.run(ms(1000));
    let stats = net.get(member).stats();
    assert!(stats.flooded > 9_900, "{stats:?}");
    assert!(stats.reports_sent - before < 40, "{stats:?}");
}

#[test]
fn addresses_that_nobody_may_teach_are_dropped() {
    let mut net = Net::new(95, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    befriend(&mut net, puppet, member);
    let loopback = [2, 127, 0, 0, 1, 0, 80];
    let multicast = [2, 239, 1, 1, 1, 0, 80];
    let no_port = [2, 10, 0, 0, 1, 0, 0];
    let good = [2, 10, 0, 0, 1, 0, 80];
    let mut report = ReportWriter::new(None, &[]);
    report.record(PeerId([9; 32]), 0, &[loopback, multicast, no_port, good].concat());
    net.say(puppet, member, report.finish());
    net.run(ms(10));
    assert_eq!(net.get(member).stats().bad_addresses, 3);
    let remembered = net.get(member).remembered();
    let told = remembered.iter().find(|(peer, _)| *peer == PeerId([9; 32])).unwrap();
    assert_eq!(told.1.len(), 1);
}

/// The tables of a member that has one neighbour: how long each is, and may be.
fn sizes(member: &Membership) -> [(&'static str, usize, usize); 7] {
    let dials = MAX_OPENING + MAX_HINTED + MAX_PROBES;
    [
        ("members", member.view().members().len(), usize::from(MAX_UNPROVEN) + 1),
        ("neighbours", member.view().neighbours().len(), 1),
        ("links", member.links.len(), 1),
        ("dials", member.dials.len(), dials),
        ("holds", member.holds.len(), MAX_HOLDS),
        ("lost", member.lost.iter().count(), MAX_LOST),
        ("banned", member.banned.len(), MAX_BANNED),
    ]
}

#[test]
fn mutated_messages_grow_nothing_beyond_its_limits() {
    let mut net = Net::new(101, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    let mut rng = Rng::for_simulation(102);
    let peer = net.id(puppet);
    let link = |net: &Net| crate::group::Link {
        remote: ([192, 0, 2, 1], 1935).into(),
        near_nonce: Net::nonce(member, puppet),
        far_nonce: Net::nonce(puppet, member),
        initiator: net.now.as_micros().is_multiple_of(2),
        rtt: None,
    };
    let runs = if std::env::var_os("P2PT_LONG").is_some() { 100_000 } else { 5_000 };
    let honest = Control::Init(init(&net, puppet, member)).encode();
    let mut most = [0; 7];
    for run in 0..runs {
        let seeds = [
            honest.clone(),
            fakes(&mut rng, 1 + run % 40),
            Control::Begin(ReceiveMode::Exact).encode(),
            Control::AskDisconnect.encode(),
            Control::Unknown02.encode(),
        ];
        for mut data in seeds {
            if rng.below(4) != 0 {
                for _ in 0..rng.below(4) {
                    let at = rng.below(data.len() as u64) as usize;
                    data[at] ^= 1 << rng.below(8);
                }
                data.truncate(1 + rng.below(data.len() as u64) as usize);
            }
            let link = link(&net);
            net.command(member, |member, now| {
                member.peer_up(now, peer, link);
                member.message(now, peer, &data);
            });
            // Its messages count whether it is connected or not: a second for each.
        }
        net.run(ms(1000));
        for (most, (_, size, _)) in std::iter::zip(&mut most, sizes(net.get(member))) {
            *most = size.max(*most);
        }
    }
    for (most, (what, _, limit)) in std::iter::zip(most, sizes(net.get(member))) {
        println!("{what}: {most} at most, {limit} allowed");
        assert!(most <= limit, "{what}: {most} of {limit}");
    }
    let stats = net.get(member).stats();
    assert!(stats.malformed > 0 && stats.handshakes > 0 && stats.gone > 0, "{stats:?}");
}
