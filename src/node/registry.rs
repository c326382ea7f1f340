//! The node as a client of rendezvous services.

use std::net::SocketAddr;
use std::ops::Bound;
use std::time::Duration;

use super::Node;
use super::event::{NodeEvent, RegistrationId};
use super::parts::{Registered, Role, key};
use crate::base::{Instant, Path, PeerId};
use crate::crypto::epd;
use crate::endpoint::{ForwardAnswer, ForwardTrust, OpenFailure, OpeningId, OpeningTerms, SessionHandle};
use crate::flow::{Lifetime, Order, Priority};
use crate::group::message::JOIN_METADATA;
use crate::service::rendezvous::{Client, ClientEvent, ClientOutput, ProbeTarget};
use crate::session::{SessionEvent, SessionStats};

/// Where to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Addresses of the service; all are tried.
    pub servers: Vec<SocketAddr>,
    /// Its URI, `rtmfp://HOST:PORT`, without key or id: it stands in an IHello, readable by anyone.
    pub uri: String,
    /// The identity that the service must have.
    pub pin: Option<PeerId>,
    /// The developer key to show.
    pub developer_key: Option<String>,
}

impl Node {
    /// Begins to register, and goes on for as long as the node lives.
    pub fn register(&mut self, now: Instant, registration: Registration) -> RegistrationId {
        let Registration { servers, uri, pin, developer_key } = registration;
        let client = Client::register(uri, developer_key, self.local_addresses.clone());
        self.add_client(now, client, servers, pin)
    }

    /// Asks a rendezvous service for a connectivity check; [`NodeEvent::Checked`] answers.
    pub fn check(
        &mut self,
        now: Instant,
        servers: Vec<SocketAddr>,
        uri: String,
        pin: Option<PeerId>,
    ) -> RegistrationId {
        self.add_client(now, Client::check(uri), servers, pin)
    }

    /// Asks a rendezvous service to probe another socket of this machine, that of `target`, as it is seen outside;
    /// [`NodeEvent::Checked`] answers. A developer key is not asked for. That a packet arrived there unasked means something
    /// only if that socket never sent to the service.
    pub fn check_target(&mut self, now: Instant, server: Registration, target: ProbeTarget) -> RegistrationId {
        self.add_client(now, Client::check_target(server.uri, target), server.servers, server.pin)
    }

    /// Ends a registration.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) {
        if let Some(registered) = self.registrations.get_mut(&id) {
            registered.client.stop();
        }
        self.work(now);
        self.forget(now, id);
    }

    /// What the session with a rendezvous measures; `None` while there is none.
    #[must_use]
    pub fn registration_stats(&self, now: Instant, id: RegistrationId) -> Option<SessionStats> {
        let session = self.registrations.get(&id)?.session?;
        self.endpoint.session(session).map(|session| session.stats(now))
    }

    fn add_client(
        &mut self,
        now: Instant,
        client: Client,
        servers: Vec<SocketAddr>,
        pin: Option<PeerId>,
    ) -> RegistrationId {
        let id = RegistrationId(self.new_id());
        let (opening, session, control, answers) = Default::default();
        let (groups, members) = Default::default();
        let registered = Registered { client, servers, pin, opening, session, control, answers, groups, members };
        self.registrations.insert(id, registered);
        self.work(now);
        id
    }

    fn forget(&mut self, now: Instant, id: RegistrationId) {
        let Some(registered) = self.registrations.remove(&id) else { return };
        if let Some(opening) = registered.opening {
            self.endpoint.cancel(now, opening);
        }
    }

    pub(super) fn registration_opened(&mut self, now: Instant, opening: OpeningId, session: SessionHandle) {
        let found = self.registrations.iter_mut().find(|(_, registered)| registered.opening == Some(opening));
        let Some((&id, registered)) = found else {
            return self.close_session(now, session);
        };
        registered.opening = None;
        let far = self.endpoint.session(session).map(|session| session.far().peer_id);
        if let (Some(pin), Some(found)) = (registered.pin, far)
            && pin != found
        {
            registered.client.stop();
            self.events.push_back(NodeEvent::RendezvousImposter { registration: id, found });
            self.close_session(now, session);
            return;
        }
        if let Some(session) = self.endpoint.session_mut(session) {
            session.set_give_up(THREE_PINGS);
        }
        registered.session = Some(session);
        registered.control = None;
        registered.answers = None;
        registered.groups.clear();
        registered.members.clear();
        registered.client.session_up(now, key(session));
        self.roles.insert(session, Role::Registration(id));
        self.endpoint.set_forwarding(session, ForwardAnswer::RHello, ForwardTrust::Rendezvous);
    }

    pub(super) fn registration_failed(&mut self, opening: OpeningId, reason: OpenFailure) {
        for (&id, registered) in &mut self.registrations {
            if registered.opening == Some(opening) {
                registered.opening = None;
                if let (OpenFailure::WrongIdentity, Some(pin)) = (reason, registered.pin) {
                    registered.client.stop();
                    self.events.push_back(NodeEvent::RendezvousImposter { registration: id, found: pin });
                } else {
                    registered.client.session_failed();
                }
            }
        }
    }

    pub(super) fn registration_event(&mut self, now: Instant, session: SessionHandle, event: SessionEvent) {
        let Some(Role::Registration(id)) = self.roles.get(&session) else { return };
        let Some(registered) = self.registrations.get_mut(id) else {
            if matches!(event, SessionEvent::Closed(_)) {
                self.roles.remove(&session);
            }
            return;
        };
        match event {
            SessionEvent::FlowOpened { flow, return_of, .. } => {
                let Some(session) = self.endpoint.session_mut(session) else { return };
                let group = registered.groups.iter().find(|&(_, ours)| return_of == Some(*ours));
                if return_of.is_some() && return_of == registered.control {
                    registered.answers = Some(flow);
                    let _ = session.accept_flow(flow, Order::Original, CONTROL_WINDOW);
                } else if let Some((&group, _)) = group {
                    registered.members.insert(flow, group);
                    let _ = session.accept_flow(flow, Order::Original, CONTROL_WINDOW);
                } else {
                    let _ = session.reject_flow(flow, 0);
                }
            }
            SessionEvent::Message { flow, data, .. } => {
                match registered.members.get(&flow) {
                    Some(&group) => registered.client.group_message(group, &data),
                    None => registered.client.message(&data),
                }
                if let Some(session) = self.endpoint.session_mut(session) {
                    let _ = session.consume(flow, data.len());
                }
            }
            SessionEvent::FlowFinished { flow, .. } if registered.members.contains_key(&flow) => {
                registered.members.remove(&flow);
            }
            SessionEvent::FlowException { flow, .. } if Some(flow) != registered.control => {
                let refused = registered.groups.iter().find(|&(_, ours)| *ours == flow).map(|(&group, _)| group);
                if let Some(group) = refused {
                    registered.groups.remove(&group);
                    registered.client.group_refused(now, group);
                }
            }
            SessionEvent::FlowFinished { .. } | SessionEvent::FlowException { .. } => self.close_session(now, session),
            SessionEvent::Delivered { flow, .. } if Some(flow) == registered.control => {
                let waits = self.endpoint.session(session).and_then(|session| session.buffered(flow).ok());
                if waits == Some(0) {
                    registered.client.heard();
                }
            }
            SessionEvent::Closed(_) => {
                // Unless another one has taken its place.
                if registered.session == Some(session) {
                    registered.session = None;
                    registered.client.session_down(now);
                }
                self.roles.remove(&session);
            }
            _ => {}
        }
    }

    /// Does what the clients want. Answers whether they wanted anything.
    pub(super) fn drive_registrations(&mut self, now: Instant) -> bool {
        let mut moved = false;
        let mut next = self.registrations.first_key_value().map(|(&id, _)| id);
        while let Some(id) = next {
            next = self.registrations.range((Bound::Excluded(id), Bound::Unbounded)).next().map(|(&id, _)| id);
            while let Some(output) = self.registrations.get_mut(&id).and_then(|registered| registered.client.poll()) {
                moved = true;
                self.client_output(now, id, output);
            }
        }
        moved
    }

    fn client_output(&mut self, now: Instant, id: RegistrationId, output: ClientOutput) {
        let Some(registered) = self.registrations.get_mut(&id) else { return };
        match output {
            ClientOutput::Dial { within } => {
                let paths: Vec<Path> = registered.servers.iter().map(|&server| Path::to(server)).collect();
                let epd = epd::ancillary(registered.client.uri());
                let terms = OpeningTerms { pin: registered.pin, timeout: Some(within) };
                registered.opening = Some(self.endpoint.connect_with(now, &epd, &paths, terms));
            }
            ClientOutput::OpenControl { metadata, .. } => {
                let Some(session) = registered.session.and_then(|session| self.endpoint.session_mut(session)) else {
                    return;
                };
                registered.control = session.open_flow(now, metadata, None, Priority::High).ok();
            }
            ClientOutput::Send { message, .. } => {
                let Some(session) = registered.session.and_then(|session| self.endpoint.session_mut(session)) else {
                    return;
                };
                if let Some(flow) = registered.control {
                    // A control flow that is full belongs to a server that does not answer; its silence is dealt with.
                    let _ = session.write(now, flow, message.into(), Lifetime::default());
                }
            }
            ClientOutput::JoinGroup { group, message, .. } => {
                let Some(session) = registered.session.and_then(|session| self.endpoint.session_mut(session)) else {
                    return;
                };
                if registered.groups.contains_key(&group) {
                    return;
                }
                if let Ok(flow) = session.open_flow(now, JOIN_METADATA, registered.answers, Priority::High) {
                    registered.groups.insert(group, flow);
                    let _ = session.write(now, flow, message.into(), Lifetime::default());
                }
            }
            ClientOutput::LeaveGroup { group, .. } => {
                let session = registered.session.and_then(|session| self.endpoint.session_mut(session));
                if let (Some(session), Some(flow)) = (session, registered.groups.remove(&group)) {
                    let _ = session.close_flow(flow);
                }
            }
            ClientOutput::KeepAlive { period, .. } => {
                if let Some(session) = registered.session.and_then(|session| self.endpoint.session_mut(session)) {
                    session.set_keepalive(Some(period));
                }
            }
            ClientOutput::Close { .. } => {
                if let Some(session) = registered.session {
                    self.close_session(now, session);
                }
            }
            ClientOutput::Event(event) => {
                match &event {
                    ClientEvent::Registered { observed } => self.group_registration(now, id, *observed),
                    ClientEvent::Lost => self.group_registration(now, id, None),
                    ClientEvent::Member { group, peer } => return self.group_named(now, id, *group, *peer),
                    _ => {}
                }
                self.events.push_back(match event {
                    ClientEvent::Registered { observed } => NodeEvent::Registered { registration: id, observed },
                    ClientEvent::Refused(refusal) => NodeEvent::RegistrationRefused { registration: id, refusal },
                    ClientEvent::Unreachable => NodeEvent::RendezvousUnreachable { registration: id },
                    ClientEvent::Lost => NodeEvent::RegistrationLost { registration: id },
                    ClientEvent::Member { .. } => return,
                    ClientEvent::Checked(report) => NodeEvent::Checked { registration: id, report },
                })
            }
        }
    }
}

/// Three unanswered pings, one a second, mean that a rendezvous is gone.
const THREE_PINGS: Duration = Duration::from_millis(3_200);

/// Receive window of control flows: commands are short.
pub(super) const CONTROL_WINDOW: usize = 64 << 10;

/// How long a refused client may take to read why.
pub(super) const READ_WHY: Duration = Duration::from_secs(1);
