//! What members do on the stage, and what they hear of it.

use crate::stage::{S, Stage, Ways};
use p2pt::base::Instant;
use p2pt::group::GroupAddress;
use p2pt::node::posting::PostingEvent;
use p2pt::node::routing::{RouteId, RoutingEvent, SendResult};
use p2pt::node::storage::{Record, StorageEvent, StoreId};
use p2pt::node::{Member, MemberEvent};
use p2pt::sim::{HostId, Participant, World};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a stored value of the stories lives.
pub(crate) const LIFE: Duration = Duration::from_secs(3600);

/// Whether the long form was asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("P2PT_LONG").is_some_and(|wanted| wanted == "1")
}

/// The posts that a member was given, and when.
pub(crate) fn heard(world: &World<Participant>, host: HostId) -> Vec<(Instant, String)> {
    let post = |(at, event): (Instant, &MemberEvent)| match event {
        MemberEvent::Posting(PostingEvent::Notify(post)) => {
            Some((at, String::from_utf8_lossy(&post.body).into_owned()))
        }
        _ => None,
    };
    world.host(host).told().filter_map(post).collect()
}

impl Stage {
    /// So many members, who join one after the other.
    pub(crate) fn crowd(&mut self, count: usize, ways: &Ways) -> Vec<HostId> {
        (0..count).map(|_| self.join(ways)).collect()
    }

    /// Does something with a member.
    pub(crate) fn act<R>(&mut self, host: HostId, act: impl FnOnce(&mut Member, Instant) -> R) -> R {
        self.world.command(host, |peer, now| peer.with(now, act)).expect("it is in the group")
    }

    pub(crate) fn post(&mut self, host: HostId, body: &str) {
        self.act(host, |member, now| member.post(now, None, body.to_owned().into())).expect("it may post");
    }

    /// Each of these posts has come to each member but its author once, and nothing else has.
    ///
    /// # Panics
    /// If it is not so by `limit`.
    pub(crate) fn wait_posts(&mut self, posts: &[(HostId, String)], members: &[HostId], limit: Duration) {
        let due = |host: HostId| posts.iter().filter(move |(author, _)| *author != host).count();
        let all = |world: &World<Participant>| members.iter().all(|&host| heard(world, host).len() >= due(host));
        self.world.wait_for(limit, all);
        for &host in members {
            let mut got: Vec<String> = heard(&self.world, host).into_iter().map(|(_, body)| body).collect();
            let mut wanted: Vec<&str> =
                posts.iter().filter(|(author, _)| *author != host).map(|(_, body)| body.as_str()).collect();
            got.sort();
            wanted.sort_unstable();
            let missing: Vec<&&str> = wanted.iter().filter(|body| !got.iter().any(|got| got == **body)).collect();
            assert!(got == wanted, "{host:?} has {} of {}, without {missing:?}", got.len(), wanted.len());
        }
    }

    /// Routes a message to a member, and waits until it knows that it arrived.
    ///
    /// # Panics
    /// If it did not arrive there, or not within a few seconds.
    pub(crate) fn route(&mut self, from: HostId, to: HostId, body: &str) {
        let target = GroupAddress::of(self.id(to));
        let (id, result) =
            self.act(from, |member, now| member.route_to_nearest(now, target, body.to_owned().into(), true));
        assert_eq!(result, SendResult::Sent);
        assert!(self.world.wait_for(5 * S, |world| is_delivered(world, from, id)), "{from:?} to {to:?}");
        let notified = |(_, event): (Instant, &MemberEvent)| match event {
            MemberEvent::Routing(RoutingEvent::Notify(routed)) => routed.target == Some(target) && routed.body == body,
            _ => false,
        };
        assert_eq!(self.world.host(to).told().filter(|told| notified(*told)).count(), 1, "{from:?} to {to:?}");
    }

    /// Stores, and waits until somebody holds it; in how many copies.
    pub(crate) fn put(&mut self, host: HostId, key: &str, value: Option<&str>, life: Duration) -> usize {
        let value = value.map(|value| value.to_owned().into());
        let id = self.act(host, |member, now| member.put(now, key.as_bytes(), value, life)).expect("a good value");
        let stored = |world: &World<Participant>| {
            stored(world, host).find_map(|event| match event {
                StorageEvent::Stored { id: answered, copies } if *answered == id => Some(*copies),
                _ => None,
            })
        };
        assert!(
            self.world.wait_for(15 * S, |world| stored(world).is_some_and(|copies| copies > 0)),
            "{key} by {host:?}"
        );
        stored(&self.world).expect("it was seen")
    }

    /// What all these members find under a key, asked at once.
    pub(crate) fn get(&mut self, askers: &[HostId], key: &str) -> Vec<Vec<Record>> {
        let asked: Vec<(HostId, StoreId)> =
            askers.iter().map(|&host| (host, self.act(host, |member, now| member.get(now, key.as_bytes())))).collect();
        let answer = |world: &World<Participant>, (host, id): (HostId, StoreId)| {
            stored(world, host).find_map(|event| match event {
                StorageEvent::Found { id: answered, records, .. } if *answered == id => Some(records.clone()),
                _ => None,
            })
        };
        let all = |world: &World<Participant>| asked.iter().all(|&asked| answer(world, asked).is_some());
        assert!(self.world.wait_for(20 * S, all), "{key}: no answer");
        asked.iter().filter_map(|&asked| answer(&self.world, asked)).collect()
    }

    /// Who was called misbehaving by whom.
    pub(crate) fn blamed(&self, members: &[HostId]) -> BTreeSet<(HostId, p2pt::base::PeerId, &'static str)> {
        let blamed = |event: &MemberEvent| match event {
            MemberEvent::Posting(PostingEvent::Misbehaved { peer, reason })
            | MemberEvent::Routing(RoutingEvent::Misbehaved { peer, reason })
            | MemberEvent::Storage(StorageEvent::Misbehaved { peer, reason }) => Some((*peer, *reason)),
            _ => None,
        };
        let told = |&host: &HostId| {
            let blamed = self.world.host(host).told().filter_map(move |(_, event)| blamed(event));
            blamed.map(move |(peer, reason)| (host, peer, reason)).collect::<Vec<_>>()
        };
        members.iter().flat_map(told).collect()
    }
}

/// Whether a routed message was acknowledged.
fn is_delivered(world: &World<Participant>, from: HostId, id: RouteId) -> bool {
    world.host(from).told().any(|(_, event)| match event {
        MemberEvent::Routing(RoutingEvent::Delivered { id: arrived, .. }) => *arrived == id,
        _ => false,
    })
}

fn stored(world: &World<Participant>, host: HostId) -> impl Iterator<Item = &StorageEvent> {
    world.host(host).told().filter_map(|(_, event)| match event {
        MemberEvent::Storage(event) => Some(event),
        _ => None,
    })
}
