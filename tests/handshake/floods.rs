//! Floods from strangers: no state, no public-key work, no more bytes out than the budgets allow.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use p2pt::base::{Interface, Rng, SessionId};
use p2pt::crypto::{IdentityKind, epd};
use p2pt::endpoint::{DropReason, EndpointConfig, EndpointEvent};
use p2pt::wire::{Chunk, IHello, IIKeying};

use crate::net::{Kind, Net, NodeId, ms, open, startup_datagram, strong};

/// Datagrams of a flood: a million with `P2PT_LONG=1`.
static FLOOD: LazyLock<usize> =
    LazyLock::new(|| if std::env::var_os("P2PT_LONG").is_some() { 1_000_000 } else { 100_000 });

fn spoofed(rng: &mut Rng) -> SocketAddr {
    let ip = if rng.below(2) == 0 {
        IpAddr::from([1 + rng.below(126) as u8, rng.below(256) as u8, rng.below(256) as u8, rng.below(256) as u8])
    } else {
        let [mut bytes] = [rng.bytes::<16>()];
        bytes[0] = 0x20;
        IpAddr::from(bytes)
    };
    SocketAddr::new(ip, 1 + rng.below(65_535) as u16)
}

/// Delivers a flood, twenty datagrams a millisecond, and says how many bytes went out.
fn flood(net: &mut Net, node: NodeId, mut make: impl FnMut(&mut Rng) -> Vec<u8>) -> (usize, usize) {
    let mut rng = net.rng.fork();
    let (mut bytes_in, mut bytes_out) = (0, 0);
    for n in 0..*FLOOD {
        if n % 20 == 0 {
            net.run_for(ms(1));
        }
        let data = make(&mut rng);
        bytes_in += data.len();
        net.deliver(node, Interface::MAIN, spoofed(&mut rng), &data);
        bytes_out += net.log.drain(..).map(|(_, _, datagram)| datagram.data.len()).sum::<usize>();
    }
    (bytes_in, bytes_out)
}

fn assert_untouched(net: &Net, node: NodeId) {
    let endpoint = &net.nodes[node].endpoint;
    assert_eq!((endpoint.session_count(), endpoint.stats().keyings_examined, endpoint.deadline()), (0, 0, None));
    assert!(net.nodes[node].events.is_empty());
}

#[test]
fn padded_ihellos_are_answered_without_state_and_without_amplification() {
    let mut net = Net::new(50);
    let a = net.add("192.0.2.1:1000");
    let wanted = epd::fingerprint(net.peer(a));
    let (bytes_in, bytes_out) = flood(&mut net, a, |rng| {
        let tag: [u8; 16] = rng.bytes();
        let padding = [0xff; 80];
        let mut datagram = startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &tag })]);
        let mut packet = open(&datagram).unwrap();
        packet.extend_from_slice(&padding);
        datagram = p2pt::crypto::startup::seal(SessionId::STARTUP, &packet);
        datagram
    });
    assert_untouched(&net, a);
    assert_eq!(net.nodes[a].endpoint.stats().rhellos, *FLOOD as u64);
    assert!(bytes_out <= bytes_in, "{bytes_out} out for {bytes_in} in");
}

#[test]
fn short_ihellos_for_a_large_certificate_are_answered_within_the_budget_only() {
    let mut net = Net::new(51);
    let profile = strong(&mut net.rng, IdentityKind { flash: true, ..IdentityKind::default() });
    let config = EndpointConfig::default();
    let budget = config.answer_bytes_per_second as usize;
    let a = net.add_with("192.0.2.1:1000", profile, config);
    let wanted = epd::fingerprint(net.peer(a));
    let start = net.now;
    let (_, bytes_out) = flood(&mut net, a, |rng| {
        let tag: [u8; 4] = rng.bytes();
        startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &tag })])
    });
    assert_untouched(&net, a);
    let seconds = (net.now - start).as_secs_f64();
    assert!(bytes_out as f64 <= budget as f64 * (seconds + 1.0), "{bytes_out} in {seconds} s");
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!(stats.dropped(DropReason::AnswerBudget) + stats.rhellos, *FLOOD as u64);
    assert!(stats.rhellos > 0 && stats.dropped(DropReason::AnswerBudget) > 90_000);
}

#[test]
fn ihellos_for_others_cause_at_most_a_bounded_number_of_events() {
    let mut net = Net::new(52);
    let config = EndpointConfig { raise_unmatched_ihellos: true, ..EndpointConfig::default() };
    let profile = strong(&mut net.rng, IdentityKind::default());
    let mut endpoint = p2pt::endpoint::Endpoint::new(net.now, net.rng.fork(), profile, config);
    let mut rng = net.rng.fork();
    for _ in 0..*FLOOD {
        let wanted = epd::fingerprint(p2pt::base::PeerId(rng.bytes()));
        let mut data = startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &[1; 16] })]);
        let (path, segment) = (p2pt::base::Path::to(spoofed(&mut rng)), data.len());
        let received = p2pt::base::Received { path, ecn: p2pt::base::Ecn::NotEct, segment, data: &mut data };
        endpoint.handle(net.now, received);
    }
    assert!(endpoint.poll_transmit(net.now).is_none());
    let mut events = 0;
    while let Some(event) = endpoint.poll_event() {
        assert!(matches!(event, EndpointEvent::UnmatchedIHello { .. }));
        events += 1;
    }
    assert_eq!(events, 4096);
    assert_eq!(endpoint.stats().dropped(DropReason::EventsFull), *FLOOD as u64 - 4096);
}

#[test]
fn redirects_and_the_rhellos_of_their_fihellos_stay_within_three_times_the_requests_and_the_budget() {
    let mut net = Net::new(56);
    let config = EndpointConfig { raise_unmatched_ihellos: true, ..EndpointConfig::default() };
    let budget = config.answer_bytes_per_second;
    let profile = strong(&mut net.rng, IdentityKind::default());
    let a = net.add_with("192.0.2.1:1000", profile, config);
    let destinations: Vec<_> = (1..=9u16)
        .map(|n| p2pt::wire::Address::new(Default::default(), SocketAddr::new("2001:db8::1".parse().unwrap(), n)))
        .collect();
    let wanted = epd::fingerprint(p2pt::base::PeerId([3; 32]));
    let short = startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &[1; 8] })]);
    let mut packet = open(&short).unwrap();
    packet.resize(142, 0xff);
    let padded = p2pt::crypto::startup::seal(SessionId::STARTUP, &packet);
    assert_eq!(padded.len(), 148);
    let mut rng = net.rng.fork();
    let (mut free, mut charged, mut refused) = (0, 0, 0);
    for n in 0..*FLOOD / 10 {
        let data = if n % 2 == 0 { &short } else { &padded };
        net.deliver(a, Interface::MAIN, spoofed(&mut rng), data);
        let Some(EndpointEvent::UnmatchedIHello { path, tag, datagram, .. }) = net.nodes[a].events.pop() else {
            panic!("an event for each")
        };
        let sent = net.command(a, |endpoint, now| endpoint.send_redirect(now, path, &tag, &destinations, datagram));
        // An FIHello goes with each, and makes somebody send 148 bytes.
        let caused: usize = net.log.drain(..).map(|(_, _, datagram)| datagram.data.len() + 148).sum();
        match sent {
            Err(reason) => {
                assert_eq!((reason, caused), (DropReason::AnswerBudget, 0));
                refused += 1;
            }
            Ok(()) if n % 2 == 0 => charged += caused,
            Ok(()) => {
                assert!(caused <= 3 * data.len(), "{caused}");
                free += 1;
            }
        }
    }
    assert_eq!(free, *FLOOD / 20);
    assert!(charged as u64 <= budget && charged > 0 && refused > 0, "{charged} bytes, {refused} refused");
}

#[test]
fn iikeyings_with_bad_cookies_cause_no_work_no_state_and_no_answer() {
    let mut net = Net::new(53);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(b, a);
    net.filter = Box::new(|_, datagram| match crate::net::kind_of(&datagram.data) {
        Kind::IIKeying => crate::net::Fate::Drop,
        _ => crate::net::Fate::Pass,
    });
    net.run_until(ms(1000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let genuine = open(&net.first(Kind::IIKeying).data).unwrap();
    net.log.clear();
    let Some(Chunk::IIKeying(keying)) = crate::net::chunk_of(&genuine) else { panic!("it is one") };
    let (_, bytes_out) = flood(&mut net, a, |rng| {
        let mut cookie = keying.cookie.to_vec();
        match rng.below(4) {
            0 => rng.fill(&mut cookie),
            1 => cookie.truncate(rng.below(64) as usize),
            2 => cookie.resize(1025, 0),
            _ => cookie[rng.below(40) as usize] ^= 1 + rng.below(255) as u8,
        }
        let id = SessionId(rng.u32());
        let signed = IIKeying::signed_parameters(id, &cookie, keying.certificate, keying.skic);
        let chunk = IIKeying::new(&signed, keying.signature).unwrap();
        startup_datagram(SessionId::STARTUP, &[Chunk::IIKeying(chunk)])
    });
    // What goes out are the dialler's own packets.
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!(stats.dropped(DropReason::ForeignCookie), *FLOOD as u64);
    assert_eq!((stats.keyings_examined, stats.cookie_changes), (0, 0));
    assert_eq!(net.nodes[a].endpoint.session_count(), 0);
    assert!(bytes_out < *FLOOD / 10, "{bytes_out}");
}

#[test]
fn a_real_source_gets_so_many_public_key_operations_and_unconfirmed_sessions() {
    // One host asks for cookies honestly, and then keys as fast as it can, from many ports and with fresh identities.
    let mut net = Net::new(54);
    let a = net.add("192.0.2.1:1000");
    let wanted = epd::fingerprint(net.peer(a));
    let mut rng = net.rng.fork();
    for n in 0..600u16 {
        let from: SocketAddr = SocketAddr::from(([198, 51, 100, (n % 256) as u8], 1000 + n));
        let hello = startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &[2; 16] })]);
        net.deliver(a, Interface::MAIN, from, &hello);
        let rhello = open(&net.log.last().unwrap().2.data).unwrap();
        let Some(Chunk::RHello(rhello)) = crate::net::chunk_of(&rhello) else { panic!("an RHello") };
        let profile = strong(&mut rng, IdentityKind::default());
        let initiation = profile.initiate(&mut rng, rhello.certificate).unwrap();
        let id = SessionId(rng.u32() | 1);
        let signed = IIKeying::signed_parameters(id, rhello.cookie, profile.certificate(), initiation.skic());
        let signature = initiation.sign(&signed);
        let keying = IIKeying::new(&signed, &signature).unwrap();
        net.deliver(a, Interface::MAIN, from, &startup_datagram(SessionId::STARTUP, &[Chunk::IIKeying(keying)]));
        net.run_for(ms(10));
    }
    let endpoint = &net.nodes[a].endpoint;
    let stats = endpoint.stats();
    assert_eq!(endpoint.session_count(), 64, "64 from one prefix");
    assert!(stats.dropped(DropReason::UnconfirmedLimit) > 0 && stats.dropped(DropReason::KeyingRate) > 0);
    assert_eq!(stats.keyings_examined, 64);
    net.run_for(ms(21_000));
    assert_eq!(net.nodes[a].endpoint.session_count(), 0, "memory is back in 20 s");
    assert_eq!(net.nodes[a].endpoint.stats().unconfirmed_expired, 64);
    assert!(net.nodes[a].events.is_empty());
}

#[test]
fn a_flood_of_noise_is_counted_by_reason() {
    let mut net = Net::new(55);
    let a = net.add("192.0.2.1:1000");
    let (_, bytes_out) = flood(&mut net, a, |rng| {
        let mut noise = vec![0; rng.below(200) as usize + 1];
        rng.fill(&mut noise);
        noise
    });
    assert_eq!(bytes_out, 0);
    assert_untouched(&net, a);
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!(stats.drops().map(|(_, count)| count).sum::<u64>(), *FLOOD as u64);
    assert!(stats.dropped(DropReason::TooShort) > 0 && stats.dropped(DropReason::UnknownSession) > 90_000);
}

#[test]
fn honest_peers_meet_in_their_time_while_a_flood_goes_on() {
    let mut net = Net::new(57);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(b, a);
    let usual = net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    let keying = open(&net.first(Kind::IIKeying).data).unwrap();
    let Some(Chunk::IIKeying(keying)) = crate::net::chunk_of(&keying) else { panic!("an IIKeying") };
    let wanted = epd::fingerprint(net.peer(a));
    let mut rng = net.rng.fork();
    let newcomer = net.add("192.0.2.3:3000");
    net.dial(newcomer, a);
    let start = net.now;
    while net.opened(newcomer).is_empty() {
        for _ in 0..100 {
            let data = if rng.below(2) == 0 {
                startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &rng.bytes::<16>() })])
            } else {
                let signed = IIKeying::signed_parameters(
                    SessionId(rng.u32()),
                    &rng.bytes::<64>(),
                    keying.certificate,
                    keying.skic,
                );
                let chunk = Chunk::IIKeying(IIKeying::new(&signed, keying.signature).unwrap());
                startup_datagram(SessionId::STARTUP, &[chunk])
            };
            net.deliver(a, Interface::MAIN, spoofed(&mut rng), &data);
        }
        net.run_for(ms(1));
    }
    let took = net.now - start;
    assert!(took <= 2 * usual, "{took:?}, usually {usual:?}");
    assert_eq!(net.nodes[a].endpoint.session_count(), 2);
}
