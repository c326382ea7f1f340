//! A membership of our own: a host under a fresh peer ID, in one group.

use std::cell::Cell;
use std::net::SocketAddr;
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
    EndpointConfig, GroupConfig, Identity, IdentityKind, IpMulticast, Keyring, MemberConfig, NodeConfig, NodeEvent,
    Policy, Registration, RegistrationId,
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
    /// Whether to send to the group's own IP multicast addresses and to hear them.
    pub(super) cast: bool,
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
            cast: false,
        }
    }
}

/// A membership, and the host that it runs on.
pub(super) struct Entered {
    pub(super) hub: Hub,
    host: Host,
    registration: Option<RegistrationId>,
    rendezvous: Cell<Standing>,
    lan: bool,
}

/// How we stand with the rendezvous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The group is joined without one.
    None,
    /// It has not answered yet.
    Asked,
    /// It does not answer.
    Silent,
    /// It introduces us, as whoever is at this address.
    Registered(Option<SocketAddr>),
    /// It did, and went away.
    Lost,
    /// It does not want us.
    Refused,
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
        let cast = if wishes.cast { place.spec.ip_multicast() } else { Vec::new() };
        let host = start(call, me, lan, cast.clone())?;
        let registration = place.through.as_ref().map(|server| host.register(registration(server, servers.clone())));
        let now = host.with_node(|_, now| now);
        let mut member = MemberConfig::new(place.spec.clone(), host.peer_id(), right.author().clone(), wall_clock(now));
        member.mode = wishes.mode;
        member.retention = wishes.retention;
        member.patience = wishes.patience;
        member.posting_key = place.spec.posting_key().map(|key| key.public);
        member.publishing_key = place.spec.publishing_key().map(|key| key.public);
        right.configure(&mut member);
        let mut config = GroupConfig::new(member);
        config.cast = cast.into_iter().map(|address| address.group).collect();
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
        let standing = if registration.is_some() { Standing::Asked } else { Standing::None };
        let hub = Hub::new(group, right, wishes.stays);
        Ok(Self { hub, host, registration, rendezvous: Cell::new(standing), lan })
    }

    /// How we stand with the rendezvous.
    pub(super) fn standing(&self) -> Standing {
        self.rendezvous.get()
    }

    /// Where members are sought, and with what success so far.
    pub(super) fn search(&self) -> String {
        let through = match self.standing() {
            Standing::None => None,
            Standing::Asked => Some("the rendezvous has not answered yet".to_owned()),
            Standing::Silent => Some("the rendezvous does not answer".to_owned()),
            Standing::Registered(None) => Some("registered at the rendezvous".to_owned()),
            Standing::Registered(Some(seen)) => Some(format!("registered at the rendezvous, which sees us at {seen}")),
            Standing::Lost => Some("the rendezvous went away".to_owned()),
            Standing::Refused => Some("the rendezvous refused us".to_owned()),
        };
        let lan = self.lan.then(|| "asking on this LAN".to_owned());
        let is_known = self.hub.group().look(|member| member.view().members().len() > 0).unwrap_or(false);
        let known = is_known.then(|| "members are known, but none could be reached yet".to_owned());
        through.into_iter().chain(lan).chain(known).collect::<Vec<_>>().join("; ")
    }

    /// A failure to find members, with what was tried in vain.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        if !super::hub::is_nobody(&failure) {
            return failure;
        }
        let came = format!("{} ({})", failure.came, self.search());
        match self.standing() {
            Standing::Asked | Standing::Silent | Standing::Lost => {
                Failure { status: Status::Rendezvous, came, ..failure }
                    .next("see with p2pt check whether the rendezvous answers")
            }
            _ => Failure { came, ..failure },
        }
    }

    pub(super) fn peer_id(&self) -> PeerId {
        self.host.peer_id()
    }

    /// Says what becomes of the rendezvous, on standard error and as events, and keeps time, for as long as the membership lasts. Returns what ends it.
    pub(super) async fn follow(&self, out: &Output, tell: impl Fn(Event)) -> Failure {
        let mut tick = tokio::time::interval(TICK);
        let mut ticks = 0_u32;
        loop {
            tokio::select! {
                notice = self.host.notice() => match notice {
                    Some(notice) => if let Some(failure) = self.noticed(&notice, out, &tell) {
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

    fn noticed(&self, notice: &NodeEvent, out: &Output, tell: &impl Fn(Event)) -> Option<Failure> {
        let before = self.standing();
        match notice {
            NodeEvent::Registered { registration, observed } if Some(*registration) == self.registration => {
                match before {
                    Standing::Lost => out.say("registered at the rendezvous again"),
                    Standing::Silent => out.say("the rendezvous answers now"),
                    _ => {}
                }
                self.rendezvous.set(Standing::Registered(*observed));
                tell(Event::new("registered").with("observed", observed.map(|address| address.to_string())));
                None
            }
            NodeEvent::RegistrationLost { .. } => {
                out.say("the rendezvous went away; looking for it (members that are connected stay so)");
                self.rendezvous.set(Standing::Lost);
                tell(Event::new("rendezvous_lost"));
                None
            }
            // Said once, not for every attempt.
            NodeEvent::RendezvousUnreachable { .. } if before == Standing::Asked => {
                out.say("the rendezvous does not answer; trying on");
                self.rendezvous.set(Standing::Silent);
                tell(Event::new("rendezvous_unreachable"));
                None
            }
            NodeEvent::RegistrationRefused { refusal, .. } => {
                self.rendezvous.set(Standing::Refused);
                Some(
                    Failure::new(Status::Rendezvous, "register at the rendezvous", refusal)
                        .next("put the right key into the address: rtmfp://HOST/KEY"),
                )
            }
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

fn start(call: &Call, identity: Identity, lan: bool, cast: Vec<IpMulticast>) -> Result<Host, Failure> {
    let policy = Policy { flash: call.switch("flash"), ..Policy::default() };
    let node = NodeConfig { profile: Arc::new(Keyring::new(identity, policy)), endpoint: EndpointConfig::default() };
    let mut config = HostConfig::new(node);
    let bind = call.socket("bind").expect("the table has a default");
    config.bind = vec![bind];
    config.lan = lan;
    config.cast = cast;
    let host = net::start(config, bind)?;
    if let Some(advice) = host.advice() {
        tracing::info!("{advice}");
    }
    Ok(host)
}
