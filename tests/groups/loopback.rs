//! Groups of real hosts on this machine, without a server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::{Rng, WallClock};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::endpoint::EndpointConfig;
use p2pt::group::Groupspec;
use p2pt::group::GroupspecBuilder;
use p2pt::node::posting::PostingEvent;
use p2pt::node::{GroupConfig, MemberConfig, MemberEvent, NodeConfig};
use p2pt::runtime::multicast::{GROUP_V4, GROUP_V6};
use p2pt::runtime::{Group, GroupItem, Host, HostConfig};

const PATIENCE: Duration = Duration::from_secs(20);

fn host(seed: u64, spec: &Groupspec) -> (Host, Group) {
    let mut rng = Rng::for_simulation(seed);
    let identity = Identity::generate(&mut rng, IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity.clone(), Policy::default()));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    let host = Host::start(HostConfig { lan: true, ..HostConfig::new(node) }).expect("sockets");
    host.with_node(|node, _| node.set_groups_only(true));
    let clock = WallClock { at_zero: Duration::from_secs(1_800_000_000) };
    let mut config = GroupConfig::new(MemberConfig::new(spec.clone(), identity.peer_id(), identity, clock));
    config.lan = vec![GROUP_V4, GROUP_V6];
    let group = host.join_group(config);
    (host, group)
}

async fn wait_for(group: &Group, wanted: impl Fn(&MemberEvent) -> bool) -> MemberEvent {
    let wait = async {
        loop {
            match group.next().await {
                Some(GroupItem::Event(event)) if wanted(&event) => return event,
                Some(_) => {}
                None => panic!("the group is over"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it happens in time")
}

#[tokio::test]
async fn hosts_on_one_machine_meet_post_and_leave() {
    // A group of its own, so that other runs on this machine are not disturbed.
    let mut unique = [0; 32];
    unique[..4].copy_from_slice(&std::process::id().to_be_bytes());
    let spec = GroupspecBuilder::new("loopback").unique(unique).posting().build().expect("a good groupspec");
    let hosts: Vec<(Host, Group)> = (1..=3).map(|seed| host(seed, &spec)).collect();
    for (_, group) in &hosts {
        let mut others = 0;
        while others < 2 {
            let connected = |event: &MemberEvent| {
                matches!(event, MemberEvent::Membership(p2pt::group::MembershipEvent::NeighborConnect { .. }))
            };
            wait_for(group, connected).await;
            others += 1;
        }
    }
    let posted = hosts[0].1.with(|member, now| member.post(now, Some("one"), Bytes::from_static(b"hello")));
    posted.expect("it is in the group").expect("it may post");
    for (_, group) in &hosts[1..] {
        let event = wait_for(group, |event| matches!(event, MemberEvent::Posting(PostingEvent::Notify(_)))).await;
        let MemberEvent::Posting(PostingEvent::Notify(post)) = event else { unreachable!("that was waited for") };
        assert_eq!((&post.body[..], post.author), (&b"hello"[..], hosts[0].0.peer_id()));
    }
    hosts[0].1.leave().await;
    assert_eq!(hosts[0].1.look(|_| ()), None);
    for (_, group) in &hosts[1..] {
        let gone = |event: &MemberEvent| {
            matches!(event, MemberEvent::Membership(p2pt::group::MembershipEvent::NeighborDisconnect { .. }))
        };
        wait_for(group, gone).await;
    }
    while hosts[0].1.next().await.is_some() {}
    for (host, _) in &hosts {
        host.shut_down().await;
    }
    // What was told before is still there; then comes the end.
    while hosts[1].1.next().await.is_some() {}
}
