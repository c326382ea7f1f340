//! A node in the world, with whatever it told.

use std::sync::Arc;

use super::world::Machine;
use crate::base::{Instant, PeerId, Received, Rng, Transmit};
use crate::crypto::Profile;
use crate::endpoint::EndpointConfig;
use crate::group::View;
use crate::node::{GroupConfig, GroupHandle, Member, MemberEvent, Node, NodeConfig, NodeEvent};

/// A node whose events are kept, and the group that it is in if it is in one.
#[derive(Debug)]
pub struct Participant {
    /// The node.
    pub node: Node,
    /// The group that it joined last.
    pub group: Option<GroupHandle>,
    /// What it told, and when.
    pub events: Vec<(Instant, NodeEvent)>,
}

impl Participant {
    /// A participant that does nothing yet.
    #[must_use]
    pub fn new(now: Instant, rng: Rng, profile: Arc<dyn Profile>, endpoint: EndpointConfig) -> Self {
        let node = Node::new(now, rng, NodeConfig { profile, endpoint });
        Self { node, group: None, events: Vec::new() }
    }

    /// Its peer ID.
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.node.peer_id()
    }

    /// Joins a group.
    pub fn join(&mut self, now: Instant, config: GroupConfig) {
        self.group = Some(self.node.join_group(now, config));
        self.drain(now);
    }

    /// Leaves it.
    pub fn leave(&mut self, now: Instant) {
        if let Some(group) = self.group.take() {
            self.node.leave_group(now, group);
        }
        self.drain(now);
    }

    /// Its member, if it is in a group.
    #[must_use]
    pub fn member(&self) -> Option<&Member> {
        self.node.group(self.group?)
    }

    /// What its member sees.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        self.member().map(Member::view)
    }

    /// Does something with its member.
    pub fn with<R>(&mut self, now: Instant, run: impl FnOnce(&mut Member, Instant) -> R) -> Option<R> {
        let result = self.node.with_group(now, self.group?, run);
        self.drain(now);
        result
    }

    /// What its memberships told.
    pub fn told(&self) -> impl Iterator<Item = (Instant, &MemberEvent)> {
        self.events.iter().filter_map(|(at, event)| match event {
            NodeEvent::Group { event, .. } => Some((*at, event)),
            _ => None,
        })
    }

    fn drain(&mut self, now: Instant) {
        while let Some(event) = self.node.poll_event(now) {
            self.events.push((now, event));
        }
    }
}

impl Machine for Participant {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        self.node.handle(now, received);
        self.drain(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
        self.drain(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.node.poll_transmit(now);
        self.drain(now);
        transmit
    }
}
