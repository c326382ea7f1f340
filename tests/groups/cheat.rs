//! Peers that know the groupspec and mean harm, made of a node and of flows opened by hand.

use crate::stage::{S, Stage, spec};
use bytes::Bytes;
use p2pt::base::Rng;
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::group::ReceiveMode;
use p2pt::group::message::{CONTROL_METADATA, Control, Init};
use p2pt::node::{Dial, NodeEvent, PeerHandle};
use p2pt::session::FlowId;
use p2pt::sim::HostId;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// In which way a cheat is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes everything, and passes nothing on.
    Silent,
    /// Never reads what it lets others send.
    Deaf,
    /// Passes on what it heard with a bit turned over.
    Forging,
    /// Says what it heard again and again, to everybody.
    Replaying,
    /// Says on one lane what it heard on another.
    Misrouting,
    /// Says nonsense as fast as it may.
    Flooding,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Silent, Self::Deaf, Self::Forging, Self::Replaying, Self::Misrouting, Self::Flooding];
}

/// Our lanes' metadata, without the lane's byte.
const LANES: &[u8] = b"p2pt group 1\0";
/// How many messages it remembers.
const MEMORY: usize = 100;

/// One of them.
pub(crate) struct Cheat {
    pub(crate) host: HostId,
    kind: Kind,
    rng: Rng,
    /// How many events were looked at.
    read: usize,
    peers: BTreeMap<PeerHandle, Neighbour>,
    heard: Vec<(u8, Bytes)>,
    /// Messages that it was allowed to send.
    pub(crate) said: usize,
}

#[derive(Default)]
struct Neighbour {
    /// Its control flow, which our lanes answer.
    control: Option<FlowId>,
    /// Its flows, by lane.
    theirs: BTreeMap<FlowId, u8>,
    /// Ours.
    ours: BTreeMap<u8, FlowId>,
}

impl Cheat {
    /// A cheat that dials all these members.
    pub(crate) fn new(stage: &mut Stage, kind: Kind, members: &[HostId]) -> Self {
        let host = stage.add(None);
        for &member in members {
            let candidates = vec![SocketAddr::new(stage.world.address_of(member), 5000)];
            let (rendezvous, multicast) = Default::default();
            let dial = Dial { peer: stage.id(member), candidates, rendezvous, multicast, timeout: 5 * S };
            stage.world.command(host, |peer, now| peer.node.dial(now, &dial));
        }
        let (peers, heard) = Default::default();
        Self { host, kind, rng: stage.world.rng(), read: 0, peers, heard, said: 0 }
    }

    /// Looks at what came, and does what it does.
    pub(crate) fn turn(&mut self, stage: &mut Stage) {
        let events: Vec<NodeEvent> =
            stage.world.host(self.host).events[self.read..].iter().map(|(_, event)| event.clone()).collect();
        self.read += events.len();
        for event in events {
            match event {
                NodeEvent::Dialled { peer, .. } => self.meet(stage, peer),
                NodeEvent::Incoming { peer, .. } => {
                    stage.world.command(self.host, |host, _| host.node.accept(peer));
                    self.meet(stage, peer);
                }
                NodeEvent::FlowOpened { peer, flow, metadata, .. } => self.opened(stage, peer, flow, &metadata),
                NodeEvent::Message { peer, flow, data, .. } => self.hear(stage, peer, flow, data),
                NodeEvent::PeerClosed { peer, .. } => drop(self.peers.remove(&peer)),
                _ => {}
            }
        }
        let peers: Vec<PeerHandle> = self.peers.keys().copied().collect();
        for peer in peers {
            for _ in 0..10 {
                let Some((lane, message)) = self.lie() else { break };
                self.say(stage, peer, lane, message);
            }
        }
    }

    /// The handshake of members.
    fn meet(&mut self, stage: &mut Stage, session: PeerHandle) {
        if self.peers.contains_key(&session) {
            return;
        }
        let done = stage.world.command(self.host, |host, now| {
            let (receiver, nonce) = (host.node.far(session)?.peer_id, host.node.far_nonce(session)?);
            let flow = host.node.open_flow(now, session, CONTROL_METADATA, None, Priority::High).ok()?;
            let init = Init { group: spec().id(), token: Init::token(spec().secret(), &nonce), receiver };
            for message in [Control::Init(init), Control::Unknown02, Control::Begin(ReceiveMode::Exact)] {
                host.node.write(now, session, flow, message.encode().into(), Lifetime::default()).ok()?;
            }
            Some(())
        });
        if done.is_some() {
            self.peers.insert(session, Neighbour::default());
        }
    }

    fn opened(&mut self, stage: &mut Stage, session: PeerHandle, flow: FlowId, metadata: &[u8]) {
        let neighbour = self.peers.entry(session).or_default();
        let lane = metadata.strip_prefix(LANES).and_then(|lane| lane.first());
        match lane {
            None => neighbour.control = Some(flow),
            Some(_) if self.kind == Kind::Deaf => return,
            Some(&lane) => drop(neighbour.theirs.insert(flow, lane)),
        }
        let _ = stage.world.command(self.host, |host, _| host.node.accept_flow(session, flow, Order::Original));
    }

    fn hear(&mut self, stage: &mut Stage, session: PeerHandle, flow: FlowId, data: Bytes) {
        stage.world.command(self.host, |host, _| host.node.consume(session, flow, data.len()));
        let lane = self.peers.get(&session).and_then(|neighbour| neighbour.theirs.get(&flow));
        if let Some(&lane) = lane {
            if self.heard.len() == MEMORY {
                self.heard.remove(0);
            }
            self.heard.push((lane, data));
        }
    }

    /// What it has to say, if anything.
    fn lie(&mut self) -> Option<(u8, Bytes)> {
        if self.kind == Kind::Flooding {
            let mut data = vec![0; 1 + self.rng.below(300) as usize];
            self.rng.fill(&mut data);
            data[0] %= 10;
            return Some((1 + self.rng.below(3) as u8, data.into()));
        }
        let heard = self.rng.below(self.heard.len().max(1) as u64) as usize;
        let (lane, data) = self.heard.get(heard)?.clone();
        match self.kind {
            Kind::Silent | Kind::Deaf | Kind::Flooding => None,
            Kind::Replaying => Some((lane, data)),
            Kind::Misrouting => Some((lane % 3 + 1, data)),
            Kind::Forging => {
                let mut data = data.to_vec();
                let at = self.rng.below(data.len() as u64) as usize;
                data[at] ^= 1 << self.rng.below(8);
                Some((lane, data.into()))
            }
        }
    }

    fn say(&mut self, stage: &mut Stage, session: PeerHandle, lane: u8, message: Bytes) {
        let Some(neighbour) = self.peers.get_mut(&session) else { return };
        let Some(control) = neighbour.control else { return };
        let known = neighbour.ours.get(&lane).copied();
        let metadata = [LANES, &[lane]].concat();
        let said = stage.world.command(self.host, |host, now| {
            let open = || host.node.open_flow(now, session, &metadata, Some(control), Priority::Normal).ok();
            let flow = known.or_else(open)?;
            host.node.write(now, session, flow, message, Lifetime::default()).ok().map(|_| flow)
        });
        if let Some(flow) = said {
            neighbour.ours.insert(lane, flow);
            self.said += 1;
        }
    }
}
