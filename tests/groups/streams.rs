//! Lanes of streams on real sessions.

use crate::acts::long;
use crate::sharing::legacy;
use crate::stage::{MS, S, Stage, Ways, live_spec};
use bytes::Bytes;
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::group::message::CONTROL_METADATA;
use p2pt::node::multicast::media::{Format, Splitter};
use p2pt::node::multicast::{MediaInfos, Shown, StreamEvent, StreamKey, StreamMessage, StreamSettings, Wanted};
use p2pt::node::{MemberEvent, NodeEvent, PeerHandle};
use p2pt::session::FlowId;
use p2pt::sim::HostId;
use std::time::Duration;

/// What the flow of a stream is opened with, and that of its fragments.
const STREAM: &[u8] = &[0x47, 0x52, 0x11];
const FRAGMENTS: &[u8] = &[0x47, 0x52, 0x12];
/// How late everything is played.
const LATENCY: Duration = Duration::from_millis(300);

impl Stage {
    /// A member of the live group.
    fn join_live(&mut self, ways: &Ways) -> HostId {
        let host = self.add(ways.nat);
        let config = self.config_of(host, live_spec(), ways);
        self.world.command(host, |peer, now| peer.join(now, config));
        self.members.push(host);
        host
    }

    /// Publishes bytes under a name.
    fn publish(&mut self, host: HostId, name: &str) -> StreamKey {
        let settings = StreamSettings::for_latency(LATENCY);
        self.act(host, |member, now| member.publish(now, name, settings)).expect("it may publish")
    }

    fn write(&mut self, host: HostId, key: StreamKey, bytes: &[u8]) {
        let mut splitter = Splitter::new(Format::Raw);
        splitter.push(bytes);
        while let Some(unit) = splitter.next(true).expect("any bytes") {
            self.act(host, |member, now| member.write_unit(now, key, &unit, &splitter.head())).expect("it is there");
        }
    }

    fn play(&mut self, host: HostId, name: &str) {
        let wanted = Wanted { name: name.to_owned(), publisher: None, latency: None };
        self.act(host, |member, now| member.play(now, wanted)).expect("streams are enabled");
    }

    fn flows(&self, one: HostId, other: HostId) -> usize {
        let peer = self.world.host(one);
        peer.node.group_flows(peer.group.expect("it joined"), self.id(other))
    }
}

/// What was shown, one after the other.
fn shown(stage: &Stage, host: HostId) -> Vec<u8> {
    let shown = |(_, event): (_, &MemberEvent)| match event {
        MemberEvent::Multicast(StreamEvent::Show { shown: Shown { unit, .. }, .. }) => Some(unit.data.clone()),
        _ => None,
    };
    stage.world.host(host).told().filter_map(shown).collect::<Vec<Bytes>>().concat()
}

fn ends(stage: &Stage, host: HostId) -> usize {
    let end = |(_, event): &(_, &MemberEvent)| matches!(event, MemberEvent::Multicast(StreamEvent::End { .. }));
    stage.world.host(host).told().filter(end).count()
}

/// Flows that a peer of another make has seen opened, with these metadata.
fn opened(stage: &Stage, host: HostId, wanted: &[u8]) -> Vec<FlowId> {
    let events = stage.world.host(host).events.iter();
    let flows = events.filter_map(|(_, event)| match event {
        NodeEvent::FlowOpened { flow, metadata, .. } if metadata == wanted => Some(*flow),
        _ => None,
    });
    flows.collect()
}

fn refused(stage: &Stage, host: HostId) -> Vec<FlowId> {
    let events = stage.world.host(host).events.iter();
    let flows = events.filter_map(|(_, event)| match event {
        NodeEvent::FlowException { flow, .. } => Some(*flow),
        _ => None,
    });
    flows.collect()
}

/// Opens a flow of another make, and says something on it.
fn say(stage: &mut Stage, host: HostId, session: PeerHandle, of: (&[u8], Option<FlowId>), message: &[u8]) -> FlowId {
    stage.world.command(host, |peer, now| {
        let flow = peer.node.open_flow(now, session, of.0, of.1, Priority::Normal).expect("an open session");
        let message = Bytes::copy_from_slice(message);
        peer.node.write(now, session, flow, message, Lifetime::default()).expect("room");
        flow
    })
}

fn infos(key: StreamKey) -> Vec<u8> {
    let (window, update, fetch) = (2 * S, 100 * MS, 250 * MS);
    let name = "of another make".to_owned();
    let infos = MediaInfos { name, key, always: true, send_to_all: false, window, idle: None, update, fetch };
    StreamMessage::Infos(infos).encode()
}

/// A member, and a peer of another make that is its neighbour, whose control flow it has taken.
fn beside(seed: u64) -> (Stage, HostId, HostId, PeerHandle, FlowId) {
    let mut stage = Stage::new(seed);
    let member = stage.join_live(&Ways::default());
    let (host, session) = legacy(&mut stage, member, live_spec().id(), live_spec().secret());
    stage.world.run_for(S);
    let control = *opened(&stage, host, CONTROL_METADATA).first().expect("the member greets");
    stage.world.command(host, |peer, _| peer.node.accept_flow(session, control, Order::Original)).expect("it is there");
    stage.world.run_for(S);
    let id = stage.id(host);
    assert!(stage.world.host(member).view().expect("joined").neighbour(id).is_some());
    (stage, member, host, session, control)
}

#[test]
fn a_flow_that_names_no_stream_or_answers_nothing_is_refused() {
    let (mut stage, member, host, session, control) = beside(60);
    let key = StreamKey([7; 32]);
    let end = StreamMessage::End(9).encode();
    let good = say(&mut stage, host, session, (STREAM, Some(control)), &infos(key));
    let wrong = [
        say(&mut stage, host, session, (STREAM, Some(control)), &end),
        say(&mut stage, host, session, (STREAM, Some(control)), b"nonsense"),
        say(&mut stage, host, session, (STREAM, None), &infos(key)),
        say(&mut stage, host, session, (FRAGMENTS, Some(control)), &[0x20, 1, 9, 0, 0, 0, 0]),
        say(&mut stage, host, session, (FRAGMENTS, None), &[0x20, 1, 9, 0, 0, 0, 0]),
    ];
    stage.world.run_for(S);
    let mut got = refused(&stage, host);
    got.sort_unstable();
    assert_eq!(got, wrong, "and {good:?} was taken");
    assert_eq!(stage.world.host(member).node.group_stats().nameless, 2);
    let id = stage.id(host);
    assert!(stage.world.host(member).view().expect("joined").neighbour(id).is_some(), "it stays a neighbour");
}

#[test]
fn flows_of_streams_are_bounded() {
    let (mut stage, _, host, session, control) = beside(61);
    for round in 0..4u8 {
        for number in 0..100u8 {
            let mut key = [round; 32];
            key[1] = number;
            say(&mut stage, host, session, (STREAM, Some(control)), &infos(StreamKey(key)));
        }
        stage.world.run_for(2 * S);
    }
    assert_eq!(refused(&stage, host).len(), 400 - 256);
}

#[test]
fn a_group_without_multicast_refuses_streams() {
    let mut stage = Stage::new(62);
    let member = stage.join(&Ways::default());
    let spec = crate::stage::spec();
    let (host, session) = legacy(&mut stage, member, spec.id(), spec.secret());
    stage.world.run_for(S);
    let control = *opened(&stage, host, CONTROL_METADATA).first().expect("the member greets");
    let flow = say(&mut stage, host, session, (STREAM, Some(control)), &infos(StreamKey([7; 32])));
    stage.world.run_for(S);
    assert_eq!(refused(&stage, host), [flow]);
}

#[test]
fn who_refuses_the_flow_of_a_stream_does_no_harm() {
    let (mut stage, member, host, session, _) = beside(63);
    let at = stage.at(member);
    let other = stage.join_live(&Ways { bootstrap: vec![(stage.id(member), at)], ..Ways::default() });
    stage.play(other, "film");
    stage.world.run_for(3 * S);
    assert!(stage.are_neighbours(member, other));
    let key = stage.publish(member, "film");
    let mut written = Vec::new();
    for round in 0..20u8 {
        let flows = [STREAM, b"p2pt group 1\0\x05", b"p2pt group 1\0\x01"].map(|wanted| opened(&stage, host, wanted));
        stage.world.command(host, |peer, _| {
            for flow in flows.into_iter().flatten() {
                let _ = peer.node.reject_flow(session, flow, 0);
            }
        });
        let piece = vec![round; 5_000];
        stage.write(member, key, &piece);
        written.extend(piece);
        stage.world.run_for(100 * MS);
    }
    stage.act(member, |member, now| member.unpublish(now, key)).expect("enabled");
    stage.world.run_for(2 * S);
    assert!(shown(&stage, other) == written);
    let id = stage.id(host);
    assert!(stage.world.host(member).view().expect("joined").neighbour(id).is_some(), "it stays a neighbour");
}

#[test]
fn a_stream_that_comes_and_goes_leaves_nothing_behind() {
    let mut stage = Stage::new(64);
    let one = stage.join_live(&Ways::default());
    let at = stage.at(one);
    let other = stage.join_live(&Ways { bootstrap: vec![(stage.id(one), at)], ..Ways::default() });
    stage.wait_mesh(3 * S);
    stage.play(other, "film");
    let (mut before, mut written) = (0, Vec::new());
    let streams = if long() { 1_000 } else { 200 };
    for number in 0..streams {
        let key = stage.publish(one, "film");
        let piece = [number as u8; 700];
        stage.write(one, key, &piece);
        written.extend(piece);
        stage.world.run_for(200 * MS);
        stage.act(one, |member, now| member.unpublish(now, key)).expect("enabled");
        // A group remembers eight streams of one publisher until they are forgotten.
        stage.world.run_for(if number % 8 == 7 { 14 * S } else { S });
        assert_eq!(ends(&stage, other), number + 1, "the last one has ended");
        if number % 8 == 7 {
            let flows = [stage.flows(one, other), stage.flows(other, one)];
            println!("{} streams: {flows:?} flows", number + 1);
            before = if number == 7 { flows[0].max(flows[1]) } else { before };
            assert!(flows.into_iter().all(|flows| flows <= before), "{flows:?} flows, once {before}");
        }
    }
    assert!(shown(&stage, other) == written);
}
