//! The client's side: stay registered at one rendezvous for as long as the process lives.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::messages::{self, Command};
use super::{CONTROL_METADATA, CheckReport, ProbeTarget, SessionKey};
use crate::base::{Instant, PeerId};
use crate::group::GroupId;
use crate::group::message::{Join, Member};

/// How long one attempt to open a session may take before a fresh one starts. Short, so that the IHello backoff never
/// grows past a few seconds and a server that returns is found soon.
pub(super) const ATTEMPT: Duration = Duration::from_secs(5);
/// How long the server may take to answer `connect`.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The pause after a session that opened but ended at once, so that a broken server is not hammered.
const PAUSE: Duration = Duration::from_secs(2);
/// How long to wait before joining a group again that the server refused.
const JOIN_AGAIN: Duration = Duration::from_secs(5);

/// Why a server does not want us. Final: the same key will not be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct Refusal {
    /// The server's code, such as `NetConnection.Connect.Rejected`.
    pub code: String,
    /// The server's words.
    pub description: String,
}

/// What the user of a registration learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// Registered: the server knows our addresses, and others can be introduced to us from now on.
    Registered {
        /// Our address as the server sees it, if it says so.
        observed: Option<SocketAddr>,
    },
    /// The server refused us; the registration is over.
    Refused(Refusal),
    /// An attempt got no answer; the next one has begun.
    Unreachable,
    /// The server went away after we had been registered; an attempt to return has begun.
    Lost,
    /// The server names a member of a group that we joined there: connect to it.
    Member {
        /// The group.
        group: GroupId,
        /// The member.
        peer: PeerId,
    },
    /// The answer to [`Client::check`].
    Checked(CheckReport),
}

/// What the owner shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientOutput {
    /// Open a session to the server; answer with [`Client::session_up`] or [`Client::session_failed`].
    Dial {
        /// How long it may take.
        within: Duration,
    },
    /// Open a sending flow with this metadata for the messages to come.
    OpenControl {
        /// The session.
        session: SessionKey,
        /// Its metadata.
        metadata: &'static [u8],
    },
    /// Send on that flow.
    Send {
        /// The session.
        session: SessionKey,
        /// The message.
        message: Vec<u8>,
    },
    /// Ping the server this often when nothing else is sent.
    KeepAlive {
        /// The session.
        session: SessionKey,
        /// The period.
        period: Duration,
    },
    /// Open a flow with metadata [`crate::group::message::JOIN_METADATA`], in return to the server's control flow, and send this on it.
    JoinGroup {
        /// The session.
        session: SessionKey,
        /// The group.
        group: GroupId,
        /// The message.
        message: Vec<u8>,
    },
    /// Close that flow.
    LeaveGroup {
        /// The session.
        session: SessionKey,
        /// The group.
        group: GroupId,
    },
    /// Close the session in order.
    Close {
        /// The session.
        session: SessionKey,
    },
    /// Tell the user.
    Event(ClientEvent),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Dialling,
    Connecting {
        session: SessionKey,
        until: Instant,
    },
    /// The server has taken us in, and our addresses are on their way to it: it introduces us when it has them.
    Reporting {
        session: SessionKey,
        observed: Option<SocketAddr>,
    },
    Open {
        session: SessionKey,
    },
    Pausing {
        until: Instant,
    },
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Register,
    Check(Option<ProbeTarget>),
}

/// One registration, sans-IO.
#[derive(Debug)]
pub struct Client {
    uri: String,
    developer_key: String,
    purpose: Purpose,
    addresses: Vec<SocketAddr>,
    state: State,
    /// Groups to be in, and when to try again with one that the server refused.
    groups: BTreeMap<GroupId, Option<Instant>>,
    outputs: VecDeque<ClientOutput>,
}

impl Client {
    /// Starts to register at the server of `uri` (`rtmfp://HOST:PORT`), showing `developer_key` if there is one.
    #[must_use]
    pub fn register(uri: String, developer_key: Option<String>, addresses: Vec<SocketAddr>) -> Self {
        Self::start(uri, developer_key, addresses, Purpose::Register)
    }

    /// Starts a connectivity check at the server of `uri`; nothing is registered.
    #[must_use]
    pub fn check(uri: String) -> Self {
        Self::start(uri, None, Vec::new(), Purpose::Check(None))
    }

    /// Asks the server of `uri` to probe another socket of ours; nothing is registered.
    #[must_use]
    pub fn check_target(uri: String, target: ProbeTarget) -> Self {
        Self::start(uri, None, Vec::new(), Purpose::Check(Some(target)))
    }

    fn start(uri: String, key: Option<String>, addresses: Vec<SocketAddr>, purpose: Purpose) -> Self {
        let mut client = Self {
            uri,
            developer_key: key.unwrap_or_default(),
            purpose,
            addresses,
            state: State::Over,
            groups: BTreeMap::new(),
            outputs: VecDeque::new(),
        };
        client.dial();
        client
    }

    /// The URI of the server, which is also the endpoint discriminator's ancillary data.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The session in use.
    #[must_use]
    pub const fn session(&self) -> Option<SessionKey> {
        match self.state {
            State::Connecting { session, .. } | State::Reporting { session, .. } | State::Open { session } => {
                Some(session)
            }
            State::Dialling | State::Pausing { .. } | State::Over => None,
        }
    }

    /// The session asked for is open.
    pub fn session_up(&mut self, now: Instant, session: SessionKey) {
        self.state = State::Connecting { session, until: now + ANSWER_WITHIN };
        self.outputs.push_back(ClientOutput::OpenControl { session, metadata: CONTROL_METADATA });
        match self.purpose {
            Purpose::Register => self.send(session, &Command::connect(&self.uri, &self.developer_key)),
            Purpose::Check(target) => self.send(session, &Command::ConnectivityCheck { transaction: 2.0, target }),
        }
    }

    /// The session asked for did not open.
    pub fn session_failed(&mut self) {
        if self.state == State::Dialling {
            self.outputs.push_back(ClientOutput::Event(ClientEvent::Unreachable));
            self.dial();
        }
    }

    /// The session ended.
    pub fn session_down(&mut self, now: Instant) {
        match self.state {
            State::Open { .. } => {
                self.outputs.push_back(ClientOutput::Event(ClientEvent::Lost));
                self.dial();
            }
            State::Connecting { .. } | State::Reporting { .. } => {
                self.outputs.push_back(ClientOutput::Event(ClientEvent::Unreachable));
                self.state = State::Pausing { until: now + PAUSE };
            }
            State::Dialling | State::Pausing { .. } | State::Over => {}
        }
    }

    /// A message came on the control flow that the server opened in return.
    pub fn message(&mut self, message: &[u8]) {
        let Some(session) = self.session() else { return };
        match messages::decode(message) {
            Ok(Command::Success { observed, .. }) if self.purpose == Purpose::Register => {
                if matches!(self.state, State::Connecting { .. }) {
                    self.state = State::Reporting { session, observed };
                    self.send_addresses(session);
                    let groups: Vec<GroupId> = self.groups.keys().copied().collect();
                    groups.into_iter().for_each(|group| self.join(group));
                }
            }
            Ok(Command::Failure { code, description, .. }) => {
                self.state = State::Over;
                self.outputs.push_back(ClientOutput::Event(ClientEvent::Refused(Refusal { code, description })));
                self.outputs.push_back(ClientOutput::Close { session });
            }
            Ok(Command::SetKeepalive(timers)) => {
                self.outputs.push_back(ClientOutput::KeepAlive { session, period: timers.server });
            }
            Ok(Command::CheckResult { report, .. }) => {
                self.outputs.push_back(ClientOutput::Event(ClientEvent::Checked(report)));
                if self.purpose != Purpose::Register {
                    self.state = State::Over;
                    self.outputs.push_back(ClientOutput::Close { session });
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// The server has acknowledged all that was sent on the control flow.
    pub fn heard(&mut self) {
        let is_out = !self.outputs.iter().any(|output| matches!(output, ClientOutput::Send { .. }));
        if let State::Reporting { session, observed } = self.state
            && is_out
        {
            self.state = State::Open { session };
            self.outputs.push_back(ClientOutput::Event(ClientEvent::Registered { observed }));
        }
    }

    /// Our own addresses are these now; the server is told if they changed.
    pub fn set_addresses(&mut self, addresses: &[SocketAddr]) {
        if self.addresses == addresses {
            return;
        }
        self.addresses = addresses.to_vec();
        if let Some(session) = self.taken_in() {
            self.send_addresses(session);
        }
    }

    /// Joins a group there, now and after each registration to come.
    pub fn join(&mut self, group: GroupId) {
        self.groups.insert(group, None);
        if let Some(session) = self.taken_in() {
            let message = Join::Id(group).encode();
            self.outputs.push_back(ClientOutput::JoinGroup { session, group, message });
        }
    }

    /// Leaves a group there.
    pub fn leave(&mut self, group: GroupId) {
        if self.groups.remove(&group).is_some()
            && let Some(session) = self.taken_in()
        {
            self.outputs.push_back(ClientOutput::LeaveGroup { session, group });
        }
    }

    /// The server does not want our flow about a group: it has too many, or knows nothing of groups.
    pub fn group_refused(&mut self, now: Instant, group: GroupId) {
        if let Some(again) = self.groups.get_mut(&group) {
            *again = Some(now + JOIN_AGAIN);
        }
    }

    /// A message came on the server's flow about a group.
    pub fn group_message(&mut self, group: GroupId, message: &[u8]) {
        if let Ok(Member(peer)) = Member::decode(message) {
            self.outputs.push_back(ClientOutput::Event(ClientEvent::Member { group, peer }));
        }
    }

    /// Ends the registration.
    pub fn stop(&mut self) {
        if let Some(session) = self.session() {
            self.outputs.push_back(ClientOutput::Close { session });
        }
        self.state = State::Over;
    }

    /// When to call [`Client::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Connecting { until, .. } | State::Pausing { until } => Some(until),
            State::Reporting { .. } | State::Open { .. } => self.groups.values().flatten().min().copied(),
            State::Dialling | State::Over => None,
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Connecting { session, until } if until <= now => {
                self.outputs.push_back(ClientOutput::Close { session });
                self.session_down(now);
            }
            State::Pausing { until } if until <= now => self.dial(),
            State::Reporting { .. } | State::Open { .. } => {
                let due = self.groups.iter().filter(|(_, again)| again.is_some_and(|again| again <= now));
                for group in due.map(|(&group, _)| group).collect::<Vec<_>>() {
                    self.join(group);
                }
            }
            _ => {}
        }
    }

    /// What to do next; drain to `None`.
    pub fn poll(&mut self) -> Option<ClientOutput> {
        self.outputs.pop_front()
    }

    /// The session, once the server has taken us in.
    const fn taken_in(&self) -> Option<SessionKey> {
        match self.state {
            State::Reporting { session, .. } | State::Open { session } => Some(session),
            State::Connecting { .. } | State::Dialling | State::Pausing { .. } | State::Over => None,
        }
    }

    fn dial(&mut self) {
        self.state = State::Dialling;
        self.outputs.push_back(ClientOutput::Dial { within: ATTEMPT });
    }

    fn send_addresses(&mut self, session: SessionKey) {
        let addresses = self.addresses.clone();
        self.send(session, &Command::SetPeerInfo { addresses });
    }

    fn send(&mut self, session: SessionKey, command: &Command) {
        self.outputs.push_back(ClientOutput::Send { session, message: messages::encode(command) });
    }
}
