//! What a session counts.

use std::time::Duration;

use crate::base::Path;
use crate::crypto::OpenError;

/// Why a packet, or something in one, was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// See [`OpenError::TooShort`].
    TooShort,
    /// See [`OpenError::NotWholeBlocks`].
    NotWholeBlocks,
    /// See [`OpenError::NotAuthentic`].
    NotAuthentic,
    /// See [`OpenError::BadChecksum`].
    BadChecksum,
    /// See [`OpenError::BadSequenceNumber`].
    BadSequenceNumber,
    /// See [`OpenError::Replayed`].
    Replayed,
    /// See [`OpenError::BelowWindow`].
    BelowWindow,
    /// See [`OpenError::OtherEpoch`].
    OtherEpoch,
    /// A header that cannot be read, or mode 0.
    BadHeader,
    /// The packet carries our own mode mark: a reflection (section 2.2.4).
    OwnMode,
    /// A startup packet under session keys.
    StartupMode,
    /// A startup chunk in a session packet.
    StartupChunk,
    /// A chunk that cannot be read.
    BadChunk,
    /// A chunk that the session's state has no use for.
    WrongState,
    /// Next User Data without a User Data before it.
    StrayNextUserData,
    /// A new flow above the limits.
    TooManyFlows,
    /// A Ping whose reply does not fit or is one too many.
    PingNotAnswered,
    /// A packet fragment that has no place.
    Fragment,
}

/// How many variants [`DropReason`] has.
const DROPS: usize = DropReason::Fragment as usize + 1;

impl From<OpenError> for DropReason {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::TooShort => Self::TooShort,
            OpenError::NotWholeBlocks => Self::NotWholeBlocks,
            OpenError::NotAuthentic => Self::NotAuthentic,
            OpenError::BadChecksum => Self::BadChecksum,
            OpenError::BadSequenceNumber => Self::BadSequenceNumber,
            OpenError::Replayed => Self::Replayed,
            OpenError::BelowWindow => Self::BelowWindow,
            OpenError::OtherEpoch => Self::OtherEpoch,
        }
    }
}

/// Counters of [`DropReason`]s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drops([u64; DROPS]);

impl Drops {
    /// How many were dropped for this reason.
    #[must_use]
    pub fn of(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// How many were dropped at all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn count(&mut self, reason: DropReason) {
        self.0[reason as usize] += 1;
    }
}

/// Running counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Datagrams that opened.
    pub packets_received: u64,
    /// Bytes of all that came, opened or not.
    pub bytes_received: u64,
    /// Encoded bytes of user data chunks found lost.
    pub bytes_lost: u64,
    /// Encoded bytes of user data chunks acknowledged.
    pub bytes_acked: u64,
    /// Retransmission timeouts with loss.
    pub timeouts: u64,
    /// Tail probes sent.
    pub tail_probes: u64,
    /// What was dropped, by reason.
    pub drops: Drops,
}

/// A look at a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStats {
    /// The smoothed round trip.
    pub srtt: Option<Duration>,
    /// The shortest round trip of the last minutes.
    pub base_rtt: Option<Duration>,
    /// The congestion window.
    pub cwnd: usize,
    /// User data chunk bytes in flight.
    pub outstanding: usize,
    /// DESTADDR.
    pub path: Path,
    /// Bytes of the datagrams in use.
    pub mtu: usize,
    /// How long nothing was heard.
    pub silence: Duration,
    /// Running counts.
    pub counters: Counters,
}
