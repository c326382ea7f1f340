//! A membership of our own: a host under a fresh peer ID, in one group.

use std::sync::Arc;
use std::time::Duration;

use super::clock::wall_clock;
use super::hub::Hub;
use super::place::Place;
use super::remember;
use super::right::Right;
use crate::base::PeerId;
use crate::cli::address::Rendezvous;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::{Event, Output};
use crate::cli::status::Status;
use crate::group::{Hint, ReceiveMode};
use crate::node::{
    EndpointConfig, GroupConfig, Identity, IdentityKind, Keyring, MemberConfig, NodeConfig, NodeEvent, Policy,
    Registration, RegistrationId,
};
use crate::runtime::multicast::{GROUP_V4, GROUP_V6};
use crate::runtime::{Host, HostConfig};

/// How often the time of day is compared, rates are measured, and members remembered.
const TICK: Duration = Duration::from_secs(1);
/// Every so many ticks members are remembered and the clock is set.
const RARELY: u32 = 30;

/// How to be in a group.
pub(super) struct Wishes {
    pub(super) mode: ReceiveMode,
    pub(super) retention: Duration,
    pub(super) patience: Duration,
    /// Whether the membership goes on after what was asked of it.
    pub(super) stays: bool,
    /// Members to connect to at once.
    pub(super) neighbors: Vec<PeerId>,
}

impl Wishes {
    /// As a short call is.
    pub(super) fn brief(timeout: Duration) -> Self {
        let mode = ReceiveMode::default();
        Self {
            mode,
            retention: Duration::from_secs(300),
            patience: timeout.min(Duration::from_secs(10)),
            neighbors: Vec::new(),
            stays: false,
        }
    }
}

/// A membership, and the host that it runs on.
pub(super) struct Entered {
    pub(super) hub: Hub,
    host: Host,
    registration: Option<RegistrationId>,
}

impl Entered {
    /// Joins. Nobody need be there.
    pub(super) async fn begin(call: &Call, place: &Place, right: Right, wishes: Wishes) -> Result<Self, Failure> {
        let servers = match &place.through {
            Some(server) => net::lookup(&server.host.host, server.host.port, Status::Rendezvous).await?,
            None => Vec::new(),
        };
        if place.through.is_some() && !place.spec.server_channel() {
            call.out.say("this group has no server channel: the rendezvous may introduce members, but names none");
        }
        let lan = place.through.is_none() || place.spec.member_updates();
        let me = Identity::generate(&mut net::rng()?, IdentityKind::default());
        let host = start(call, me, lan)?;
        let registration = place.through.as_ref().map(|server| host.register(registration(server, servers.clone())));
        let now = host.with_node(|_, now| now);
        let mut member = MemberConfig::new(place.spec.clone(), host.peer_id(), right.author().clone(), wall_clock(now));
        member.mode = wishes.mode;
        member.retention = wishes.retention;
        member.patience = wishes.patience;
        member.posting_key = place.spec.posting_key().map(|key| key.public);
        member.grant = right.own_grant();
        let mut config = GroupConfig::new(member);
        config.registrations.extend(registration);
        config.rendezvous = servers;
        if lan {
            config.lan = vec![GROUP_V4, GROUP_V6];
        }
        config.bootstrap = place.spec.bootstrap_peers().into_iter().map(|peer| (peer, Vec::new())).collect();
        let group = host.join_group(config);
        host.with_node(|node, _| node.set_groups_only(true));
        let _ = group.with(|member, now| {
            for (peer, addresses) in remember::load(place.spec.id()) {
                member.hint(now, peer, &addresses, Hint::Remembered);
            }
            for peer in wishes.neighbors {
                member.hint(now, peer, &[], Hint::Neighbor);
            }
        });
        Ok(Self { hub: Hub::new(group, right, wishes.stays), host, registration })
    }

    pub(super) fn peer_id(&self) -> PeerId {
        self.host.peer_id()
    }

    /// Says what becomes of the rendezvous, on standard error and as events, and keeps time, for as long as the membership lasts. Returns what ends it.
    pub(super) async fn follow(&self, out: &Output, tell: impl Fn(Event)) -> Failure {
        let mut registered = false;
        let mut tick = tokio::time::interval(TICK);
        let mut ticks = 0_u32;
        loop {
            tokio::select! {
                notice = self.host.notice() => match notice {
                    Some(notice) => if let Some(failure) = self.noticed(&notice, &mut registered, out, &tell) {
                        return failure;
                    },
                    None => return Failure::new(Status::LocalIo, "go on", "the sockets were closed"),
                },
                _ = tick.tick() => {
                    self.hub.measure();
                    ticks += 1;
                    if ticks.is_multiple_of(RARELY) {
                        let _ = self.hub.group().with(|member, now| member.set_clock(wall_clock(now)));
                        self.remember();
                    }
                }
            }
        }
    }

    fn noticed(
        &self,
        notice: &NodeEvent,
        registered: &mut bool,
        out: &Output,
        tell: &impl Fn(Event),
    ) -> Option<Failure> {
        match notice {
            NodeEvent::Registered { registration, observed } if Some(*registration) == self.registration => {
                if *registered {
                    out.say("registered at the rendezvous again");
                }
                *registered = true;
                tell(Event::new("registered").with("observed", observed.map(|address| address.to_string())));
                None
            }
            NodeEvent::RegistrationLost { .. } => {
                out.say("the rendezvous went away; looking for it (members that are connected stay so)");
                tell(Event::new("rendezvous_lost"));
                None
            }
            NodeEvent::RendezvousUnreachable { .. } => {
                out.say("the rendezvous does not answer; trying on");
                None
            }
            NodeEvent::RegistrationRefused { refusal, .. } => Some(
                Failure::new(Status::Rendezvous, "register at the rendezvous", refusal)
                    .next("put the right key into the address: rtmfp://HOST/KEY"),
            ),
            NodeEvent::RendezvousImposter { .. } => Some(
                Failure::new(
                    Status::Mismatch,
                    "register at the rendezvous",
                    "who answers there has another identity than the address says",
                )
                .next("get the address anew from whoever runs the rendezvous; do not just leave out its ?id="),
            ),
            _ => None,
        }
    }

    /// Keeps the members that are known for next time.
    pub(super) fn remember(&self) {
        let group = self.hub.group();
        if let Some((id, members)) = group.look(|member| (member.group(), member.membership().remembered())) {
            remember::save(id, &members);
        }
    }

    /// Leaves in good order.
    pub(super) async fn leave(&self) {
        self.remember();
        self.hub.group().leave().await;
        self.host.shut_down().await;
    }
}

fn registration(server: &Rendezvous, servers: Vec<std::net::SocketAddr>) -> Registration {
    Registration {
        servers,
        uri: server.public_uri(),
        pin: server.id,
        developer_key: server.developer_key.as_ref().map(|key| key.to_string()),
    }
}

fn start(call: &Call, identity: Identity, lan: bool) -> Result<Host, Failure> {
    let policy = Policy { flash: call.switch("flash"), ..Policy::default() };
    let node = NodeConfig { profile: Arc::new(Keyring::new(identity, policy)), endpoint: EndpointConfig::default() };
    let mut config = HostConfig::new(node);
    let bind = call.socket("bind").expect("the table has a default");
    config.bind = vec![bind];
    config.lan = lan;
    let host = net::start(config, bind)?;
    if let Some(advice) = host.advice() {
        tracing::info!("{advice}");
    }
    Ok(host)
}
