//! Bytes arrive, whatever the link does to packets.

use std::time::Duration;

use p2pt::base::{Instant, Rng};
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::session::SessionEvent;
use p2pt::sim::Link;

use crate::pair::{Keys, Pair, Setup, ms};

#[test]
fn a_megabyte_crosses_a_good_link() {
    for keys in [Keys::Plain, Keys::Strong] {
        let link = Link::IDEAL.rate(100_000_000).delay(ms(10)).queue(400_000).mtu(1500);
        let mut pair = Setup { keys, ..Setup::new(1, link) }.build();
        let took = pair.transfer(1 << 20, Duration::from_secs(10)).expect("it arrives");
        assert!(took < ms(450), "{took:?}");
        for end in [pair.near(), pair.far()] {
            let counters = end.session.stats(pair.world.now()).counters;
            assert_eq!((counters.drops.total(), counters.timeouts), (0, 0), "{counters:?}");
        }
    }
}

/// In profile `flash` packet numbers take a byte more from 128 on, and again from 16,384 on: what filled a packet and was
/// lost before has to fit into one behind.
#[test]
fn what_was_lost_before_numbers_grew_is_sent_again() {
    for seed in 0..20 {
        let link = Link::IDEAL.rate(100_000_000).delay(ms(5)).queue(400_000).loss(0.05).mtu(1500);
        let mut pair = Setup { keys: Keys::Flash, ..Setup::new(seed, link) }.build();
        let took = pair.transfer(1 << 20, Duration::from_secs(60)).expect("it arrives");
        assert!(took < Duration::from_secs(5), "seed {seed}: {took:?}");
    }
}

/// A link that a seed makes: up to 20 % loss, reordering, duplication, a queue that overflows.
fn troubled_link(rng: &mut Rng) -> Link {
    let share = |rng: &mut Rng, most: f64| if rng.below(2) == 0 { 0.0 } else { rng.unit() * most };
    let rate = 1_000_000 << rng.below(7);
    let link = Link::IDEAL
        .rate(rate)
        .queue(10_000 + rng.below(100_000) as usize)
        .delay(Duration::from_micros(100 + rng.below(80_000)))
        .loss(share(rng, 0.2))
        .reorder(share(rng, 0.3), Duration::from_micros(1 + rng.below(30_000)))
        .duplicate(share(rng, 0.1))
        .corrupt(share(rng, 0.02))
        .mtu([1500, 1300][rng.below(2) as usize]);
    if rng.below(4) == 0 { link.burst(0.1, 8.0) } else { link }
}

#[test]
fn every_byte_arrives_once_and_in_order_over_a_thousand_troubled_links() {
    for seed in 0..1000 {
        let mut rng = Rng::for_simulation(seed);
        let (up, down) = (troubled_link(&mut rng), troubled_link(&mut rng));
        // A corrupted packet is dropped by the profile that checks it.
        let keys = if up.corrupt + down.corrupt > 0.0 { Keys::Strong } else { Keys::Plain };
        let gro = (rng.below(2) == 0).then(|| Duration::from_micros(rng.below(2000)));
        let mut pair = Setup { up, down, keys, gro, ..Setup::new(seed, Link::IDEAL) }.build();
        let bytes = 1 + rng.below(60_000);
        let back = rng.below(30_000);
        let (near, far) = (pair.near, pair.far);
        let message = [300, 5_000, 70_000][rng.below(3) as usize];
        pair.world.command(near, |end, now| end.feed(now, Priority::Normal, bytes, message, true));
        let confirmed = pair.world.wait_for(Duration::from_secs(60), |world| world.host(far).session.is_confirmed());
        assert!(confirmed, "seed {seed}: the far end hears of the session");
        pair.world.command(far, |end, now| end.feed(now, Priority::Normal, back, message, true));
        let complete = |event: &SessionEvent| matches!(event, SessionEvent::FlowComplete { .. });
        let finished = |event: &SessionEvent| matches!(event, SessionEvent::FlowFinished { complete: true, .. });
        let done = pair.world.wait_for(Duration::from_secs(300), |world| {
            [near, far].iter().all(|&end| {
                let end = world.host(end);
                end.count(complete) == 1 && end.count(finished) == 1
            })
        });
        let (near, far) = (pair.near(), pair.far());
        assert!(done, "seed {seed}: both flows finish: {:?} {:?}", near.events, far.events);
        assert_eq!((far.total_received(), near.total_received()), (bytes, back), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_traffic_to_the_byte() {
    let run = |seed| {
        let link = Link::IDEAL.rate(8_000_000).queue(30_000).delay(ms(20)).loss(0.05).mtu(1500);
        let mut pair = Setup { keys: Keys::Strong, ..Setup::new(seed, link) }.build();
        pair.transfer(300_000, Duration::from_secs(60)).expect("it arrives");
        pair.world.digest()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn random_loss_of_a_thousandth_leaves_a_long_fast_path_filled() {
    let link = Link::IDEAL.rate(100_000_000).delay(ms(50)).queue(1_250_000).loss(0.001).mtu(1500);
    let mut pair = Pair::connected(3, link);
    let near = pair.near;
    pair.world.command(near, |end, now| end.feed(now, Priority::Bulk, 1 << 30, 64 << 10, true));
    pair.world.run_for(Duration::from_secs(3));
    let before = pair.far().total_received();
    pair.world.run_for(Duration::from_secs(10));
    let rate = (pair.far().total_received() - before) as f64 * 8.0 / 10.0;
    assert!(rate > 90e6, "{rate} bit/s of the 94.6 million that packets of 1,452 bytes leave");
}

#[test]
fn hundreds_of_packets_lost_at_once_cost_a_few_round_trips_and_no_timeout() {
    // A receiver whose socket buffer of 200 kB takes bursts much faster than it empties.
    let link = Link::IDEAL.rate(2_000_000_000).queue(200_000).delay(Duration::from_micros(50)).mtu(1500);
    let mut pair = Setup { gro: Some(Duration::from_micros(100)), ..Setup::new(2, link) }.build();
    let bytes = 64 << 20;
    let took = pair.transfer(bytes, Duration::from_secs(10)).expect("it arrives");
    let counters = pair.near().session.stats(pair.world.now()).counters;
    assert_eq!(counters.timeouts, 0);
    assert!(counters.bytes_lost > 20_000, "the buffer did overflow: {counters:?}");
    assert!(took < ms(320), "{took:?}: 270 ms is the link's");
}

#[test]
fn a_lost_tail_costs_a_tail_probe_and_not_a_retransmission_timeout() {
    let link = Link::IDEAL.rate(20_000_000).delay(ms(20)).queue(200_000).mtu(1500);
    let mut pair = Pair::connected(4, link);
    pair.transfer(100_000, Duration::from_secs(5)).expect("it arrives");
    let near = pair.near;
    pair.world.host_mut(pair.far).verify = false;
    let flow = pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 0, 1000, false));
    let start = pair.world.now();
    // Ten packets, of which the last five vanish.
    pair.world.command(near, |end, now| end.write(now, flow, &[0; 6000]));
    pair.world.set_links(near, link.loss(1.0), link);
    pair.world.command(near, |end, now| end.write(now, flow, &[0; 6000]));
    pair.world.run_for(ms(10));
    pair.world.set_links(near, link, link);
    let delivered = |event: &SessionEvent| matches!(event, SessionEvent::Delivered { flow: f, .. } if *f == flow);
    let done = pair.world.wait_for(ms(240), |world| world.host(near).count(delivered) == 2);
    let took = pair.world.now() - start;
    let counters = pair.near().session.stats(pair.world.now()).counters;
    assert!(done && took < ms(240), "{took:?} {counters:?}");
    assert!(counters.tail_probes >= 1 && counters.timeouts == 0, "{counters:?}");
}

/// The second to fetch a file once waited 4 s for its first pieces: more were written at once than a new flow takes.
#[test]
fn a_new_flow_takes_as_much_as_was_reserved() {
    let mut pair = Pair::new(7, Link::IDEAL.rate(100_000_000).delay(ms(5)).mtu(1500));
    pair.connect();
    let near = pair.near;
    pair.world.command(near, |end, now| {
        let piece = bytes::Bytes::from(vec![0; 128 << 10]);
        let taken = |end: &mut crate::pair::End| {
            let flow = end.session.open_flow(now, b"objects", None, Priority::Bulk).unwrap();
            let write = |_: &i32| end.session.write(now, flow, piece.clone(), Lifetime::UNLIMITED).is_ok();
            (0..32).take_while(write).count()
        };
        assert!(taken(end) < 32);
        end.session.reserve_send_buffer(8 << 20);
        assert_eq!(taken(end), 32);
    });
}

#[test]
fn urgent_messages_pass_bulk_and_expired_ones_are_reported_lost() {
    let link = Link::IDEAL.rate(2_000_000).delay(ms(20)).queue(20_000).mtu(1500);
    let mut pair = Pair::new(5, link);
    pair.world.host_mut(pair.far).verify = false;
    pair.connect();
    let near = pair.near;
    pair.world.command(near, |end, now| end.feed(now, Priority::Background, 4 << 20, 64 << 10, false));
    pair.world.run_for(Duration::from_secs(2));
    let now = pair.world.now();
    let (flow, sent) = pair.world.command(near, |end, now| {
        let flow = end.session.open_flow(now, b"live", None, Priority::Immediate).unwrap();
        let lifetime = Lifetime { start_by: None, finish_by: Some(now + ms(5)) };
        // More than the link carries in 5 ms, so these cannot be whole in time; the last one has all the time.
        let sent = (0..3).map(|n| end.session.write(now, flow, vec![n; 5_000].into(), lifetime).unwrap()).count();
        end.session.write(now, flow, b"last".to_vec().into(), Lifetime::UNLIMITED).unwrap();
        (flow, sent)
    });
    let arrived = |world: &p2pt::sim::World<_>| {
        let far: &crate::pair::End = world.host(pair.far);
        far.messages.values().flatten().any(|message| message.as_ref() == b"last")
    };
    assert!(pair.world.wait_for(ms(400), arrived), "ahead of megabytes of bulk");
    let took = pair.world.now() - now;
    assert!(took < ms(400), "{took:?}");
    pair.world.run_for(ms(200));
    let abandoned = |event: &SessionEvent| matches!(event, SessionEvent::Abandoned { flow: f, .. } if *f == flow);
    assert_eq!(pair.near().count(abandoned), sent);
    let lost = |event: &SessionEvent| matches!(event, SessionEvent::Lost { .. });
    assert!(pair.far().count(lost) >= 1);
}

#[test]
fn a_reader_that_stops_stops_the_sender_and_nothing_is_lost_when_it_goes_on() {
    let link = Link::IDEAL.rate(100_000_000).delay(ms(5)).queue(400_000).mtu(1500);
    let mut pair = Pair::new(6, link);
    let far_end = pair.world.host_mut(pair.far);
    far_end.reads = false;
    far_end.capacity = 256 << 10;
    pair.connect();
    let (near, far) = (pair.near, pair.far);
    let bytes = 2 << 20;
    pair.world.command(near, |end, now| end.feed(now, Priority::Normal, bytes, 8 << 10, true));
    pair.world.run_for(Duration::from_secs(20));
    let held = pair.far().total_received();
    assert!(held > 128 << 10 && held <= 280 << 10, "{held}");
    let idle = pair.near().session.stats(pair.world.now()).counters.packets_sent;
    pair.world.run_for(Duration::from_secs(60));
    let probes = pair.near().session.stats(pair.world.now()).counters.packets_sent - idle;
    assert!((2..40).contains(&probes), "{probes} packets in a minute: buffer probes and keepalive");
    pair.world.command(far, |end, _| {
        end.reads = true;
        let flow = *end.received.keys().next().unwrap();
        end.session.consume(flow, held as usize).unwrap();
    });
    assert!(pair.world.wait_for(Duration::from_secs(5), |world| world.host(far).total_received() == bytes));
}

#[test]
fn messages_may_overtake_one_another_where_the_reader_wants_them_as_received() {
    let link = Link::IDEAL.rate(10_000_000).delay(ms(20)).queue(60_000).loss(0.1).mtu(1500);
    let mut pair = Pair::new(7, link);
    let far_end = pair.world.host_mut(pair.far);
    (far_end.verify, far_end.order) = (false, Order::AsReceived);
    pair.connect();
    let (near, far) = (pair.near, pair.far);
    pair.world.command(near, |end, now| {
        let flow = end.session.open_flow(now, b"m", None, Priority::Normal).unwrap();
        for n in 0..200u32 {
            end.session.write(now, flow, n.to_be_bytes().repeat(100).into(), Lifetime::UNLIMITED).unwrap();
        }
    });
    let all = pair.world.wait_for(Duration::from_secs(20), |world| world.host(far).total_received() == 200 * 400);
    assert!(all);
    let mut numbers: Vec<u32> = pair.far().messages.values().flatten().map(|m| number(m)).collect();
    assert!(!numbers.is_sorted());
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..200));
}

fn number(message: &[u8]) -> u32 {
    u32::from_be_bytes(message[..4].try_into().unwrap())
}

#[test]
fn what_is_in_flight_rises_only_within_the_window() {
    let link = Link::IDEAL.rate(10_000_000).delay(ms(30)).queue(50_000).loss(0.02).mtu(1500);
    let mut pair = Pair::new(8, link);
    let sender = pair.near;
    let mut before = 0;
    pair.world.check(move |now: Instant, host, end: &crate::pair::End| {
        if host != sender {
            return;
        }
        let stats = end.session.stats(now);
        // One packet may pass the window's end, and tail probes need no window.
        let most = stats.cwnd + 3 * stats.mtu;
        assert!(stats.outstanding <= before || stats.outstanding <= most, "{} of {}", stats.outstanding, stats.cwnd);
        before = stats.outstanding;
    });
    pair.transfer(2 << 20, Duration::from_secs(60)).expect("it arrives");
}
