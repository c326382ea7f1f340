//! A hostile member on packets. A node carries members over sessions, and those are honest; so a hostile one does by hand
//! what a node does, on flows that it opens itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::swarm::Actor as _;
use super::hostile::Player;
use crate::base::{Instant, PeerId};
use crate::flow::{Lifetime, Order, Priority};
use crate::group::message::CONTROL_METADATA;
use crate::group::{FIRST_ROOM, Lane, Link, Outgoing, Output, Unreachable};
use crate::node::{Dial, DialError, DialId, Node, NodeEvent, PeerHandle};
use crate::session::{FlowId, Role};
use crate::wire::{Address, Origin};

/// Metadata of the lanes that are our own, but for the last byte.
const OURS: &[u8] = b"p2pt group 1\0";
/// The lanes by that byte.
const LANES: [(u8, Lane); 5] =
    [(1, Lane::Posts), (2, Lane::Routes), (3, Lane::Records), (4, Lane::Objects), (6, Lane::Asks)];
/// How long it looks for somebody.
const PATIENCE: Duration = Duration::from_secs(14);

/// A hostile member and whom it is connected with.
pub(super) struct Rogue {
    player: Player,
    rendezvous: SocketAddr,
    links: BTreeMap<PeerId, Meeting>,
    dials: BTreeMap<DialId, PeerId>,
}

/// A session with a member.
struct Meeting {
    session: PeerHandle,
    /// The member's control flow, which our lanes answer.
    control: Option<FlowId>,
    theirs: BTreeMap<FlowId, Lane>,
    ours: BTreeMap<Lane, FlowId>,
}

fn metadata(lane: Lane) -> Vec<u8> {
    let own = LANES.iter().find(|known| known.1 == lane);
    own.map_or_else(|| CONTROL_METADATA.to_vec(), |&(byte, _)| [OURS, &[byte]].concat())
}

fn lane_of(metadata: &[u8]) -> Option<Lane> {
    if metadata == CONTROL_METADATA {
        return Some(Lane::Control);
    }
    let byte = metadata.strip_prefix(OURS)?;
    LANES.iter().find(|known| [known.0] == byte).map(|known| known.1)
}

impl Rogue {
    pub(super) fn new(player: Player, rendezvous: SocketAddr) -> Self {
        let (links, dials) = Default::default();
        Self { player, rendezvous, links, dials }
    }

    /// The member that it pretends to be.
    pub(super) const fn player(&self) -> &Player {
        &self.player
    }

    /// The same, to command it.
    pub(super) const fn player_mut(&mut self) -> &mut Player {
        &mut self.player
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.player.deadline()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.player.deadline().is_some_and(|deadline| deadline <= now) {
            self.player.handle_timeout(now);
        }
    }

    /// Does what it wants. Answers whether it wanted anything.
    pub(super) fn drive(&mut self, now: Instant, node: &mut Node) -> bool {
        let mut moved = false;
        while let Some(output) = self.player.poll(now) {
            moved = true;
            match output {
                Output::Connect { peer, addresses, introducers } => {
                    self.connect(now, node, peer, &addresses, &introducers);
                }
                Output::Disconnect { peer } => {
                    if let Some(meeting) = self.links.remove(&peer) {
                        node.close_peer(now, meeting.session);
                    }
                }
                Output::Send(outgoing) => self.send(now, node, outgoing),
                Output::Cancel { .. } | Output::Finish { .. } | Output::Cast(_) | Output::Event(_) => {}
            }
        }
        moved
    }

    fn connect(&mut self, now: Instant, node: &mut Node, peer: PeerId, addresses: &[Address], introducers: &[PeerId]) {
        if self.links.contains_key(&peer) || self.dials.values().any(|&dialled| dialled == peer) {
            return;
        }
        let known = introducers.iter().filter_map(|peer| self.links.get(peer));
        let introducers = known.filter_map(|meeting| Some(node.endpoint().session(meeting.session)?.path().remote));
        let (relays, own): (Vec<&Address>, Vec<&Address>) =
            addresses.iter().partition(|address| address.origin == Origin::Relay);
        let candidates = own.iter().map(|address| address.socket).collect();
        let relays = relays.iter().map(|address| address.socket);
        let rendezvous = relays.chain(introducers).chain([self.rendezvous]).collect();
        let dial = Dial { peer, candidates, rendezvous, multicast: Vec::new(), timeout: PATIENCE };
        self.dials.insert(node.dial(now, &dial), peer);
    }

    fn send(&mut self, now: Instant, node: &mut Node, outgoing: Outgoing) {
        let Outgoing { peer, lane, data, start_by, finish_by, .. } = outgoing;
        let Some(meeting) = self.links.get_mut(&peer) else { return };
        let flow = match meeting.ours.get(&lane) {
            Some(&flow) => flow,
            None => {
                // A lane of our own answers the control flow of the other end.
                let answered = meeting.control.filter(|_| lane != Lane::Control);
                if lane != Lane::Control && answered.is_none() {
                    return;
                }
                let priority = if lane == Lane::Control { Priority::High } else { Priority::Normal };
                let opened = node.open_flow(now, meeting.session, &metadata(lane), answered, priority);
                let Ok(flow) = opened else { return };
                meeting.ours.insert(lane, flow);
                flow
            }
        };
        // What there is no room for is not missed.
        let _ = node.write(now, meeting.session, flow, data, Lifetime { start_by, finish_by });
    }

    /// Something happened to its node.
    pub(super) fn hear(&mut self, now: Instant, node: &mut Node, event: NodeEvent) {
        match event {
            NodeEvent::Dialled { dial, peer: session } => {
                self.dials.remove(&dial);
                self.meet(now, node, session);
            }
            NodeEvent::DialFailed { dial, error } => {
                let why = if error == DialError::Unreachable { Unreachable::Blocked } else { Unreachable::Gone };
                if let Some(peer) = self.dials.remove(&dial) {
                    self.player.unreachable(now, peer, why);
                }
            }
            NodeEvent::Incoming { peer: session, .. } => {
                node.accept(session);
                self.meet(now, node, session);
            }
            NodeEvent::FlowOpened { peer: session, flow, metadata, .. } => {
                let lane = lane_of(&metadata);
                let Some((_, meeting)) = self.meeting(session) else { return };
                let Some(lane) = lane else {
                    let _ = node.reject_flow(session, flow, 0);
                    return;
                };
                if lane == Lane::Control {
                    meeting.control = Some(flow);
                }
                meeting.theirs.insert(flow, lane);
                let _ = node.accept_flow(session, flow, Order::Original);
            }
            NodeEvent::Message { peer: session, flow, data, .. } => {
                node.consume(session, flow, data.len());
                let Some((peer, meeting)) = self.meeting(session) else { return };
                if let Some(&lane) = meeting.theirs.get(&flow) {
                    self.player.message(now, peer, lane, &data);
                }
            }
            NodeEvent::FlowFinished { peer: session, flow, .. }
            | NodeEvent::FlowException { peer: session, flow, .. } => {
                let Some((_, meeting)) = self.meeting(session) else { return };
                if meeting.control == Some(flow) || meeting.ours.get(&Lane::Control) == Some(&flow) {
                    self.part(now, session);
                    node.close_peer(now, session);
                }
            }
            NodeEvent::Delivered { peer: session, flow, .. } | NodeEvent::Abandoned { peer: session, flow, .. } => {
                let buffered = node.endpoint().session(session).and_then(|session| session.buffered(flow).ok());
                let Some((peer, meeting)) = self.meeting(session) else { return };
                let lane = meeting.ours.iter().find(|(_, ours)| **ours == flow).map(|(&lane, _)| lane);
                if let (Some(lane), Some(buffered)) = (lane, buffered) {
                    self.player.writable(now, peer, lane, FIRST_ROOM.saturating_sub(buffered));
                }
            }
            NodeEvent::PeerClosed { peer: session, .. } => self.part(now, session),
            _ => {}
        }
    }

    fn meeting(&mut self, session: PeerHandle) -> Option<(PeerId, &mut Meeting)> {
        let found = self.links.iter_mut().find(|(_, meeting)| meeting.session == session);
        found.map(|(&peer, meeting)| (peer, meeting))
    }

    fn meet(&mut self, now: Instant, node: &mut Node, session: PeerHandle) {
        let Some(open) = node.endpoint().session(session) else { return };
        let (peer, link) = (
            open.far().peer_id,
            Link {
                remote: open.path().remote,
                near_nonce: *open.near_nonce(),
                far_nonce: *open.far_nonce(),
                initiator: open.role() == Role::Initiator,
                rtt: open.stats(now).srtt,
            },
        );
        if self.links.get(&peer).is_some_and(|meeting| meeting.session == session) {
            return;
        }
        // Another session with the same peer takes the place of the old one.
        if self.links.remove(&peer).is_some() {
            self.player.peer_down(now, peer);
        }
        let (theirs, ours) = Default::default();
        self.links.insert(peer, Meeting { session, control: None, theirs, ours });
        node.answer_forwarded(session);
        self.player.peer_up(now, peer, link);
    }

    fn part(&mut self, now: Instant, session: PeerHandle) {
        if let Some((peer, _)) = self.meeting(session) {
            self.links.remove(&peer);
            self.player.peer_down(now, peer);
        }
    }
}
