//! A whole membership: the overlay of a group and the services on it, as one machine that speaks of peers and messages.
//! The node carries its messages over sessions; a simulation may carry them in any other way.

mod objects;
mod streams;

use std::time::Duration;

use bytes::Bytes;

use super::watched::Watched;
use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::crypto::Identity;
use crate::group::{
    GroupAddress, GroupId, Groupspec, Hint, Lane, Link, Membership, MembershipConfig, MembershipEvent, Output,
    ReceiveMode, Unreachable, View,
};
use crate::service::multicast::{Multicast, MulticastConfig, StreamEvent};
use crate::service::posting::{PostError, PostId, Posting, PostingConfig, PostingEvent};
use crate::service::replication::{Replication, ReplicationConfig, ReplicationEvent};
use crate::service::routing::{RouteId, Routing, RoutingConfig, RoutingEvent, SendMode, SendResult};
use crate::service::storage::{Storage, StorageConfig, StorageEvent, StoreError, StoreId};
use crate::wire::Address;

/// How a member begins.
#[derive(Debug, Clone)]
pub struct MemberConfig {
    /// The group.
    pub spec: Groupspec,
    /// Our peer ID in it.
    pub me: PeerId,
    /// Who signs what we say; may be another identity than the peer's.
    pub author: Identity,
    /// For what we take routed messages.
    pub mode: ReceiveMode,
    /// The key whose grants are needed to post and store, if the groupspec has one.
    pub posting_key: Option<[u8; 32]>,
    /// Our grant.
    pub grant: Option<Bytes>,
    /// The key whose grants are needed to publish streams, if the groupspec has one.
    pub publishing_key: Option<[u8; 32]>,
    /// Our grant to publish.
    pub publishing_grant: Option<Bytes>,
    /// The time of day.
    pub clock: WallClock,
    /// How long posts are kept for those who missed them.
    pub retention: Duration,
    /// How long to wait for the acknowledgement of a routed message, and for the answers of storage.
    pub patience: Duration,
    /// Bytes of values that we hold for others at most.
    pub capacity: usize,
    /// How objects are replicated, if the groupspec has that.
    pub replication: ReplicationConfig,
}

impl MemberConfig {
    /// Posts kept for five minutes, 64 MiB for stored values, ten seconds of patience.
    #[must_use]
    pub fn new(spec: Groupspec, me: PeerId, author: Identity, clock: WallClock) -> Self {
        Self {
            spec,
            me,
            author,
            mode: ReceiveMode::default(),
            posting_key: None,
            grant: None,
            publishing_key: None,
            publishing_grant: None,
            clock,
            retention: Duration::from_secs(300),
            patience: Duration::from_secs(10),
            capacity: 64 << 20,
            replication: ReplicationConfig::default(),
        }
    }
}

/// What happens to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEvent {
    /// In the overlay.
    Membership(MembershipEvent),
    /// Posts.
    Posting(PostingEvent),
    /// Routed messages.
    Routing(RoutingEvent),
    /// Stored values.
    Storage(StorageEvent),
    /// Replicated objects.
    Replication(ReplicationEvent),
    /// Streams.
    Multicast(StreamEvent),
}

impl MemberEvent {
    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let held = match self {
            Self::Posting(PostingEvent::Notify(post)) => post.body.len() + post.nick.as_ref().map_or(0, String::len),
            Self::Routing(RoutingEvent::Notify(routed)) => routed.body.len(),
            Self::Storage(StorageEvent::Found { records, .. }) => {
                let held = |value: &Option<Bytes>| value.as_ref().map_or(0, Bytes::len);
                records.iter().map(|record| size_of_val(record) + record.key.len() + held(&record.value)).sum()
            }
            Self::Replication(ReplicationEvent::FetchResult { object, .. }) => object.len(),
            Self::Multicast(StreamEvent::Show { shown, .. }) => shown.unit.data.len(),
            _ => 0,
        };
        size_of::<Self>() + held
    }
}

/// One membership with its services.
#[derive(Debug)]
pub struct Member {
    membership: Membership,
    posting: Watched<Posting>,
    routing: Watched<Routing>,
    storage: Watched<Storage>,
    /// If the groupspec has it.
    replication: Option<Watched<Replication>>,
    /// If the groupspec has it.
    multicast: Option<Watched<Multicast>>,
}

impl Member {
    /// A member that knows nobody yet.
    #[must_use]
    pub fn new(now: Instant, mut rng: Rng, config: MemberConfig) -> Self {
        let group = config.spec.id();
        let replicates = config.spec.object_replication();
        let multicasts = config.spec.multicast();
        let membership = MembershipConfig { spec: config.spec, me: config.me, mode: config.mode };
        let posting = PostingConfig {
            group,
            author: config.author.clone(),
            posting_key: config.posting_key,
            grant: config.grant.clone(),
            clock: config.clock,
            retention: config.retention,
        };
        let routing =
            RoutingConfig { group, author: config.author.clone(), clock: config.clock, ack_timeout: config.patience };
        let multicast = MulticastConfig {
            group,
            author: config.author.clone(),
            publishing_key: config.publishing_key,
            grant: config.publishing_grant,
            clock: config.clock,
        };
        let storage = StorageConfig {
            group,
            author: config.author,
            posting_key: config.posting_key,
            grant: config.grant,
            clock: config.clock,
            capacity: config.capacity,
            timeout: config.patience,
        };
        Self {
            membership: Membership::new(now, rng.fork(), membership),
            posting: Watched::new(Posting::new(now, rng.fork(), posting)),
            routing: Watched::new(Routing::new(now, rng.fork(), routing)),
            storage: Watched::new(Storage::new(now, rng.fork(), storage)),
            replication: replicates.then(|| Watched::new(Replication::new(now, rng.fork(), config.replication))),
            multicast: multicasts.then(|| Watched::new(Multicast::new(now, rng.fork(), multicast))),
        }
    }

    /// The overlay.
    #[must_use]
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The overlay, to hint and to configure.
    pub const fn membership_mut(&mut self) -> &mut Membership {
        &mut self.membership
    }

    /// What we see of the group.
    #[must_use]
    pub const fn view(&self) -> &View {
        self.membership.view()
    }

    /// The group.
    #[must_use]
    pub const fn group(&self) -> GroupId {
        self.membership.spec().id()
    }

    /// Posts, and what is counted of them.
    #[must_use]
    pub fn posting(&self) -> &Posting {
        &self.posting
    }

    /// Routed messages, and what is counted of them.
    #[must_use]
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Stored values, and what is counted of them.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Replicated objects, and what is counted of them; `None` if the groupspec does not have it.
    #[must_use]
    pub fn replication(&self) -> Option<&Replication> {
        self.replication.as_deref()
    }

    /// Streams, and what is counted of them; `None` if the groupspec does not have it.
    #[must_use]
    pub fn multicast(&self) -> Option<&Multicast> {
        self.multicast.as_deref()
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        if let Some(multicast) = &mut self.multicast {
            multicast.set_clock(clock);
        }
        self.posting.set_clock(clock);
        self.routing.set_clock(clock);
        self.storage.set_clock(clock);
    }

    /// [`Posting::post`].
    ///
    /// # Errors
    /// [`PostError`].
    pub fn post(&mut self, now: Instant, nick: Option<&str>, body: Bytes) -> Result<PostId, PostError> {
        self.posting.post(now, nick, body)
    }

    /// [`Posting::inject`].
    ///
    /// # Errors
    /// [`PostError`].
    pub fn inject_post(&mut self, now: Instant, signed: Bytes) -> Result<PostId, PostError> {
        self.posting.inject(now, signed)
    }

    /// [`Routing::send_to_nearest`].
    pub fn send_to_nearest(&mut self, now: Instant, target: GroupAddress, body: Bytes) -> SendResult {
        self.routing.send_to_nearest(now, self.membership.view(), target, body)
    }

    /// [`Routing::send_to_neighbor`].
    pub fn send_to_neighbor(&mut self, now: Instant, mode: SendMode, body: Bytes) -> SendResult {
        self.routing.send_to_neighbor(now, self.membership.view(), mode, body)
    }

    /// [`Routing::send_to_all_neighbors`].
    pub fn send_to_all_neighbors(&mut self, now: Instant, body: Bytes) -> SendResult {
        self.routing.send_to_all_neighbors(now, self.membership.view(), body)
    }

    /// [`Routing::route_to_nearest`].
    pub fn route_to_nearest(
        &mut self,
        now: Instant,
        target: GroupAddress,
        body: Bytes,
        ack: bool,
    ) -> (RouteId, SendResult) {
        self.routing.route_to_nearest(now, self.membership.view(), target, body, ack)
    }

    /// [`Storage::put`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put(
        &mut self,
        now: Instant,
        key: &[u8],
        value: Option<Bytes>,
        life: Duration,
    ) -> Result<StoreId, StoreError> {
        self.storage.put(now, self.membership.view(), key, value, life)
    }

    /// [`Storage::put_content`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_content(&mut self, now: Instant, value: Bytes, life: Duration) -> Result<StoreId, StoreError> {
        self.storage.put_content(now, self.membership.view(), value, life)
    }

    /// [`Storage::inject`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn inject_record(&mut self, now: Instant, signed: Bytes) -> Result<StoreId, StoreError> {
        self.storage.inject(now, self.membership.view(), signed)
    }

    /// [`Storage::get`].
    pub fn get(&mut self, now: Instant, key: &[u8]) -> StoreId {
        self.storage.get(now, self.membership.view(), key)
    }

    /// Something was heard on the group's own IP multicast address.
    pub fn heard_cast(&mut self, now: Instant, message: &Bytes) {
        if let Some(multicast) = &mut self.multicast {
            multicast.heard_cast(now, message);
        }
    }

    /// Whether the group has an IP multicast address of its own, to which streams are sent.
    pub fn set_casting(&mut self, casting: bool) {
        if let Some(multicast) = &mut self.multicast {
            multicast.set_casting(casting);
        }
    }

    /// [`Membership::hint`].
    pub fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint) {
        self.membership.hint(now, peer, addresses, hint);
    }

    /// [`Membership::peer_up`].
    pub fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link) {
        self.membership.peer_up(now, peer, link);
    }

    /// [`Membership::peer_down`].
    pub fn peer_down(&mut self, now: Instant, peer: PeerId) {
        self.membership.peer_down(now, peer);
    }

    /// [`Membership::unreachable`].
    pub fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable) {
        self.membership.unreachable(now, peer, why);
    }

    /// [`Membership::rtt`].
    pub fn rtt(&mut self, peer: PeerId, rtt: Duration) {
        self.membership.rtt(peer, rtt);
    }

    /// [`Replication::queue_to`].
    pub fn queue_to(&mut self, peer: PeerId, wait: Duration) {
        if let Some(replication) = &mut self.replication {
            replication.queue_to(peer, wait);
        }
    }

    /// A message came. On other lanes than the control lane only neighbours are heard.
    pub fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &Bytes) {
        if lane == Lane::Control {
            return self.membership.message(now, peer, message);
        }
        let view = self.membership.view();
        if view.neighbour(peer).is_none() {
            return;
        }
        match lane {
            Lane::Control => {}
            Lane::Posts => self.posting.message(now, peer, message),
            Lane::Routes => self.routing.message(now, view, peer, message),
            Lane::Records => self.storage.message(now, view, peer, message),
            Lane::Objects | Lane::Asks => {
                if let Some(replication) = &mut self.replication {
                    replication.message(now, peer, lane, message);
                }
            }
            Lane::Manifests | Lane::Stream(_) | Lane::Fragments(_) => {
                if let Some(multicast) = &mut self.multicast {
                    multicast.message(now, view, peer, lane, message);
                }
            }
        }
    }

    /// So many bytes may be sent to a neighbour on this lane now.
    pub fn writable(&mut self, now: Instant, peer: PeerId, lane: Lane, room: usize) {
        match lane {
            Lane::Control => {}
            Lane::Posts => self.posting.writable(now, peer, room),
            Lane::Routes => self.routing.writable(now, peer, room),
            Lane::Records => self.storage.writable(now, peer, room),
            Lane::Objects | Lane::Asks => {
                if let Some(replication) = &mut self.replication {
                    replication.writable(now, peer, lane, room);
                }
            }
            Lane::Manifests | Lane::Stream(_) | Lane::Fragments(_) => {
                if let Some(multicast) = &mut self.multicast {
                    multicast.writable(now, peer, lane, room);
                }
            }
        }
    }

    /// Leaves the group.
    pub fn leave(&mut self, now: Instant) {
        self.membership.leave(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if due(self.membership.deadline()) {
            self.membership.handle_timeout(now);
        }
        if due(self.posting.deadline(Posting::deadline)) {
            self.posting.handle_timeout(now);
        }
        if due(self.routing.deadline(Routing::deadline)) {
            self.routing.handle_timeout(now, self.membership.view());
        }
        if due(self.storage.deadline(Storage::deadline)) {
            self.storage.handle_timeout(now, self.membership.view());
        }
        if let Some(replication) = &mut self.replication
            && due(replication.deadline(Replication::deadline))
        {
            replication.handle_timeout(now);
        }
        if let Some(multicast) = &mut self.multicast
            && due(multicast.deadline(Multicast::deadline))
        {
            multicast.handle_timeout(now, self.membership.view());
        }
    }

    /// When to call [`Member::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let services = [
            self.posting.deadline(Posting::deadline),
            self.routing.deadline(Routing::deadline),
            self.storage.deadline(Storage::deadline),
            self.replication.as_ref().and_then(|replication| replication.deadline(Replication::deadline)),
            self.multicast.as_ref().and_then(|multicast| multicast.deadline(Multicast::deadline)),
        ];
        services.into_iter().chain([self.membership.deadline()]).flatten().min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>> {
        if let Some(output) = self.membership.poll() {
            if let Output::Event(event) = &output {
                self.overlay_changed(now, event);
            }
            return Some(output.map(MemberEvent::Membership));
        }
        if let Some(output) = self.posting.drained().poll() {
            if let Output::Event(PostingEvent::Misbehaved { peer, .. }) = &output {
                self.membership.ban(now, *peer);
            }
            return Some(output.map(MemberEvent::Posting));
        }
        if let Some(output) = self.routing.drained().poll() {
            if let Output::Event(RoutingEvent::Misbehaved { peer, .. }) = &output {
                self.membership.ban(now, *peer);
            }
            return Some(output.map(MemberEvent::Routing));
        }
        if let Some(output) = self.storage.drained().poll() {
            if let Output::Event(StorageEvent::Misbehaved { peer, .. }) = &output {
                self.membership.ban(now, *peer);
            }
            return Some(output.map(MemberEvent::Storage));
        }
        if let Some(output) = self.multicast.as_mut().and_then(|multicast| multicast.drained().poll()) {
            if let Output::Event(StreamEvent::Misbehaved { peer, .. }) = &output {
                self.membership.ban(now, *peer);
            }
            return Some(output.map(MemberEvent::Multicast));
        }
        let replication = self.replication.as_mut().filter(|replication| replication.has_work())?;
        let output = replication.poll(now)?;
        if let Output::Event(ReplicationEvent::Misbehaved { peer, .. }) = &output {
            self.membership.ban(now, *peer);
        }
        Some(output.map(MemberEvent::Replication))
    }

    /// Tells the services what the overlay tells.
    fn overlay_changed(&mut self, now: Instant, event: &MembershipEvent) {
        let view = self.membership.view();
        match *event {
            MembershipEvent::NeighborConnect { peer } => {
                let rtt = view.neighbour(peer).map_or(Duration::ZERO, |neighbour| neighbour.rtt);
                self.posting.peer_up(now, peer, rtt);
                self.storage.view_changed(now, view);
                if let Some(replication) = &mut self.replication {
                    replication.peer_up(now, peer, rtt);
                }
                if let Some(multicast) = &mut self.multicast {
                    multicast.peer_up(now, view, peer);
                }
            }
            MembershipEvent::NeighborDisconnect { peer } => {
                self.posting.peer_down(now, peer);
                self.routing.peer_down(now, view, peer);
                self.storage.peer_down(now, view, peer);
                if let Some(replication) = &mut self.replication {
                    replication.peer_down(now, peer);
                }
                if let Some(multicast) = &mut self.multicast {
                    multicast.peer_down(now, view, peer);
                }
                self.storage.view_changed(now, view);
            }
            MembershipEvent::LocalCoverage => self.storage.view_changed(now, view),
        }
    }
}
