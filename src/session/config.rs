//! What a session is made with.

use std::time::Duration;

use crate::base::{Path, SessionId};
use crate::crypto::{FarIdentity, SessionKeys};
use crate::flow::ReceiveLimits;
use crate::wire::Mode;

use super::congestion::Algorithm;
use super::critical::CriticalBoard;

/// Which end of the keying we were (RFC 7016 section 3.5); decides the mode mark of our packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// We sent the IIKeying.
    Initiator,
    /// We answered it.
    Responder,
}

impl Role {
    /// The mark of the packets that we send.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self {
            Self::Initiator => Mode::Initiator,
            Self::Responder => Mode::Responder,
        }
    }
}

/// Settings of a session. Clones share the time-critical board, so one configuration for all sessions of an endpoint is
/// what makes time-critical notification work across them (section 2.2.4).
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The congestion controller.
    pub congestion: Algorithm,
    /// Round-trip growth that counts as congestion; `None` waits for loss. 100 ms suits real-time data.
    pub congestion_delay: Option<Duration>,
    /// Whether to mark packets with user data ECN-capable as long as the far end reports.
    pub ecn: bool,
    /// The largest datagram that packet size discovery tries, in bytes of UDP payload.
    pub max_datagram: usize,
    /// A Ping goes out when either direction was silent for so long; `None` never.
    pub keepalive: Option<Duration>,
    /// Silence of the far end, with data or pings unanswered, after which the session is dead.
    pub give_up: Duration,
    /// Receiving flows at one time.
    pub max_receiving_flows: usize,
    /// New receiving flows a second, on average; as many at once.
    pub new_flows_per_second: u32,
    /// What a receiving flow may keep until it is accepted.
    pub receive: ReceiveLimits,
    /// Bytes that a sending flow queues at first before it refuses more.
    pub send_buffer: usize,
    /// How far that grows with the congestion window: twice the window keeps a long fast path busy.
    pub max_send_buffer: usize,
    /// Time-critical traffic on all sessions that share this configuration.
    pub critical: CriticalBoard,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            congestion: Algorithm::default(),
            congestion_delay: None,
            ecn: true,
            max_datagram: 1452,
            keepalive: Some(Duration::from_secs(10)),
            // Longer than the outage of 30 s that a session shall survive, plus the seconds that its return takes.
            give_up: Duration::from_secs(34),
            max_receiving_flows: 1024,
            new_flows_per_second: 200,
            receive: ReceiveLimits::default(),
            send_buffer: 1 << 20,
            max_send_buffer: 16 << 20,
            critical: CriticalBoard::default(),
        }
    }
}

/// What the endpoint knows of a session that keying has just opened.
#[derive(Debug)]
pub struct SessionParams {
    /// Our part in the keying.
    pub role: Role,
    /// What the keying yielded.
    pub keys: SessionKeys,
    /// The session ID in packets to us.
    pub near_id: SessionId,
    /// The session ID in packets to the far end.
    pub far_id: SessionId,
    /// DESTADDR: where the far end is.
    pub path: Path,
    /// Who the far end is.
    pub far: FarIdentity,
    /// Its certificate.
    pub far_certificate: Vec<u8>,
    /// Whether the keying proved that the far end is there. A responder's session is not confirmed before a packet
    /// opens under its keys; until then it sends nothing.
    pub confirmed: bool,
    /// Settings.
    pub config: SessionConfig,
}
