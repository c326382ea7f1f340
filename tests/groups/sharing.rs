//! Groups and others share sessions; strangers get none.

use crate::stage::{MS, S, Stage, Ways, other_spec, spec};
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::group::message::{CONTROL_METADATA, Control, Init};
use p2pt::group::{GroupId, MembershipEvent, ReceiveMode};
use p2pt::node::posting::PostingEvent;
use p2pt::node::{CloseReason, Dial, MemberEvent, NodeEvent, PeerHandle};
use p2pt::sim::HostId;
use std::net::SocketAddr;

fn dial(stage: &mut Stage, from: HostId, to: HostId) {
    let candidates = vec![SocketAddr::new(stage.world.address_of(to), 5000)];
    let (rendezvous, multicast) = Default::default();
    let dial = Dial { peer: stage.id(to), candidates, rendezvous, multicast, timeout: 5 * S };
    stage.world.command(from, |peer, now| peer.node.dial(now, &dial));
}

fn find<T>(stage: &Stage, host: HostId, wanted: impl Fn(&NodeEvent) -> Option<T>) -> Option<T> {
    stage.world.host(host).events.iter().find_map(|(_, event)| wanted(event))
}

fn dialled(stage: &Stage, host: HostId) -> Option<PeerHandle> {
    find(stage, host, |event| if let NodeEvent::Dialled { peer, .. } = event { Some(*peer) } else { None })
}

fn incoming(stage: &Stage, host: HostId) -> Option<PeerHandle> {
    find(stage, host, |event| if let NodeEvent::Incoming { peer, .. } = event { Some(*peer) } else { None })
}

#[test]
fn members_have_ordinary_business_in_the_same_session() {
    let mut stage = Stage::new(1);
    stage.add_server();
    let (one, other) = (stage.join(&Ways::registered()), stage.join(&Ways::registered()));
    stage.wait_mesh(2 * S);
    dial(&mut stage, one, other);
    stage.world.run_for(S);
    let near = dialled(&stage, one).expect("the session is there");
    assert_eq!(incoming(&stage, other), None, "nothing is wanted of the owner yet");
    let flow = stage.world.command(one, |peer, now| {
        let flow = peer.node.open_flow(now, near, b"ordinary", None, Priority::Normal).expect("an open session");
        peer.node.write(now, near, flow, b"business".as_slice().into(), Lifetime::default()).expect("room");
        flow
    });
    stage.world.run_for(S);
    let far = incoming(&stage, other).expect("the owner is asked now");
    stage.world.command(other, |peer, _| {
        peer.node.accept(far);
        peer.node.accept_flow(far, flow, Order::Original).expect("it is there");
    });
    stage.world.run_for(S);
    let message =
        find(
            &stage,
            other,
            |event| if let NodeEvent::Message { data, .. } = event { Some(data.clone()) } else { None },
        );
    assert_eq!(message.as_deref(), Some(&b"business"[..]));
    for host in [one, other] {
        assert_eq!(stage.world.host(host).node.endpoint().sessions().count(), 2, "rendezvous and peer");
    }
    // The owners are done; the groups are not.
    stage.world.command(one, |peer, now| peer.node.close_peer(now, near));
    stage.world.run_for(20 * S);
    let closed = find(&stage, one, |event| match event {
        NodeEvent::PeerClosed { peer, reason } => Some((*peer, *reason)),
        _ => None,
    });
    assert_eq!(closed, Some((near, CloseReason::Near)));
    stage.wait_mesh(MS);
    assert!(stage.are_neighbours(one, other));
}

#[test]
fn who_does_nothing_but_groups_turns_others_away() {
    let mut stage = Stage::new(2);
    let member = stage.join(&Ways::default());
    stage.world.command(member, |peer, _| peer.node.set_groups_only(true));
    let stranger = stage.add(None);
    dial(&mut stage, stranger, member);
    stage.world.run_for(S);
    let near = dialled(&stage, stranger).expect("sessions are open to all");
    stage.world.command(stranger, |peer, now| {
        let flow = peer.node.open_flow(now, near, b"ordinary", None, Priority::Normal).expect("an open session");
        peer.node.write(now, near, flow, b"business".as_slice().into(), Lifetime::default()).expect("room");
    });
    stage.world.run_for(S);
    let refused = |event: &NodeEvent| matches!(event, NodeEvent::FlowException { .. }).then_some(());
    assert!(find(&stage, stranger, refused).is_some());
    assert_eq!(incoming(&stage, member), None);
    // And who shows nothing of a member is dropped.
    stage.world.run_for(10 * S);
    let closed = |event: &NodeEvent| matches!(event, NodeEvent::PeerClosed { .. }).then_some(());
    assert!(find(&stage, stranger, closed).is_some());
    assert_eq!(stage.world.host(member).node.endpoint().sessions().count(), 0);
}

#[test]
fn one_session_carries_two_groups_until_the_second_is_left() {
    let mut stage = Stage::new(3);
    stage.add_server();
    let hosts = [stage.join(&Ways::registered()), stage.join(&Ways::registered())];
    stage.wait_mesh(2 * S);
    let second = hosts.map(|host| {
        let config = stage.config_of(host, other_spec(), &Ways::registered());
        stage.world.command(host, |peer, now| peer.node.join_group(now, config))
    });
    stage.world.run_for(3 * S);
    for (host, other, group) in [(hosts[0], hosts[1], second[0]), (hosts[1], hosts[0], second[1])] {
        let node = &stage.world.host(host).node;
        let id = stage.id(other);
        assert!(node.group(group).expect("joined").view().neighbour(id).is_some());
        assert_eq!(node.endpoint().sessions_of(id).count(), 1);
        let first = stage.world.host(host).group.expect("joined");
        assert_eq!(node.group_session(group, id), node.group_session(first, id));
    }
    stage.world.command(hosts[0], |peer, now| peer.node.leave_group(now, second[0]));
    stage.world.run_for(5 * S);
    assert!(stage.are_neighbours(hosts[0], hosts[1]), "the first group goes on");
    assert_eq!(stage.world.host(hosts[1]).node.group(second[1]).expect("joined").view().neighbours().len(), 0);
    let (first, id) = (stage.world.host(hosts[0]).group.expect("joined"), stage.id(hosts[1]));
    let session = stage.world.host(hosts[0]).node.group_session(first, id).expect("neighbours");
    stage.world.command(hosts[0], |peer, now| peer.leave(now));
    let left = |stage: &Stage| {
        let left = |event: &NodeEvent| (*event == NodeEvent::GroupLeft { group: first }).then_some(());
        find(stage, hosts[0], left).is_some()
    };
    assert!(!left(&stage), "not before the session is closed");
    stage.world.run_for(2 * S);
    assert!(left(&stage));
    let node = &stage.world.host(hosts[0]).node;
    let open = node.endpoint().session(session).is_some_and(|session| session.is_open());
    assert!(!open, "nothing uses the session any more");
}

/// A host that speaks only the known group protocol, and refuses all flows but the control flow.
pub(crate) fn legacy(stage: &mut Stage, member: HostId, group: GroupId, secret: &[u8]) -> (HostId, PeerHandle) {
    let host = stage.add(None);
    dial(stage, host, member);
    stage.world.run_for(S);
    let session = dialled(stage, host).expect("sessions are open to all");
    let receiver = stage.id(member);
    stage.world.command(host, |peer, now| {
        let nonce = peer.node.far_nonce(session).expect("an open session");
        let token = Init::token(secret, &nonce);
        let flow = peer.node.open_flow(now, session, CONTROL_METADATA, None, Priority::High).expect("an open session");
        let init = Init { group, token, receiver };
        for message in [Control::Init(init), Control::Unknown02, Control::Begin(ReceiveMode::Exact)] {
            peer.node.write(now, session, flow, message.encode().into(), Lifetime::default()).expect("room");
        }
    });
    (host, session)
}

#[test]
fn a_member_of_another_make_refuses_our_lanes_and_nothing_else_suffers() {
    let mut stage = Stage::new(4);
    stage.add_server();
    let (one, other) = (stage.join(&Ways::registered()), stage.join(&Ways::registered()));
    stage.wait_mesh(2 * S);
    let (host, session) = legacy(&mut stage, one, spec().id(), spec().secret());
    stage.world.run_for(S);
    let id = stage.id(host);
    for round in 0..30u8 {
        let opened = stage.world.host(host).events.iter().filter_map(|(_, event)| match event {
            NodeEvent::FlowOpened { flow, metadata, .. } => Some((*flow, metadata.clone())),
            _ => None,
        });
        let opened: Vec<_> = opened.collect();
        stage.world.command(host, |peer, _| {
            for (flow, metadata) in opened {
                let _ = match metadata == CONTROL_METADATA {
                    true => peer.node.accept_flow(session, flow, Order::Original),
                    false => peer.node.reject_flow(session, flow, 0),
                };
            }
        });
        stage.world.command(one, |peer, now| {
            let body = vec![round; 100].into();
            peer.with(now, |member, now| member.post(now, None, body)).expect("joined").expect("it may post")
        });
        stage.world.run_for(S);
    }
    let view = stage.world.host(one).view().expect("joined");
    assert!(view.neighbour(id).is_some(), "it stays a neighbour");
    assert!(stage.are_neighbours(one, other));
    let posts = stage.world.host(other).told();
    let posts = posts.filter(|(_, event)| matches!(event, MemberEvent::Posting(PostingEvent::Notify(_)))).count();
    assert_eq!(posts, 30);
}

#[test]
fn who_does_not_know_the_secret_is_no_neighbour_and_stays_not_long() {
    let mut stage = Stage::new(5);
    let member = stage.join(&Ways::default());
    let (host, _) = legacy(&mut stage, member, spec().id(), b"G:guessed");
    stage.world.run_for(3 * S);
    let id = stage.id(host);
    let told = |(_, event): &(_, &MemberEvent)| {
        matches!(event, MemberEvent::Membership(MembershipEvent::NeighborConnect { .. }))
    };
    assert_eq!(stage.world.host(member).told().filter(told).count(), 0);
    assert_eq!(stage.world.host(member).node.endpoint().sessions_of(id).count(), 0);
}

#[test]
fn idle_members_send_little() {
    let mut stage = Stage::new(6);
    stage.add_server();
    for _ in 0..10 {
        stage.join(&Ways::registered());
    }
    stage.wait_mesh(3 * S);
    stage.world.run_for(60 * S);
    let sent = |stage: &Stage| stage.world.link_stats(stage.members[3]).0;
    let before = sent(&stage);
    stage.world.run_for(300 * S);
    let after = sent(&stage);
    let (bytes, packets) = ((after.bytes - before.bytes) / 300, (after.packets - before.packets) / 300);
    println!("an idle member with nine neighbours sends {bytes} bytes and {packets} packets a second");
    assert!(bytes < 1_500, "{bytes} bytes a second");
}
