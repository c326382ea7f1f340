//! The values that callers of multicast see.

use std::time::Duration;

use bytes::Bytes;

use super::media::{Head, Unit};
use super::message::StreamKey;
use crate::base::{Instant, PeerId, WallClock};
use crate::crypto::Identity;
use crate::group::GroupId;

/// How multicast begins.
#[derive(Debug, Clone)]
pub struct MulticastConfig {
    /// The group.
    pub group: GroupId,
    /// Who signs what we publish.
    pub author: Identity,
    /// The key whose grants are needed to publish, if the groupspec has one.
    pub publishing_key: Option<[u8; 32]>,
    /// Our grant, as [`crate::group`] makes it.
    pub grant: Option<Bytes>,
    /// The time of day.
    pub clock: WallClock,
}

/// The settings of NetStream that begin with `multicast`. Those of the publisher are distributed with the stream, but for the
/// last two, which each member has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSettings {
    /// `multicastWindowDuration`: for how long fragments are gathered before they must be played.
    pub window: Duration,
    /// `multicastFetchPeriod`: how long after a fragment is known to be somewhere it is asked for, if nobody pushed it.
    pub fetch: Duration,
    /// `multicastAvailabilityUpdatePeriod`: how often neighbours are told what is here.
    pub update: Duration,
    /// `multicastAvailabilitySendToAll`: all of them each time, not one after the other.
    pub send_to_all: bool,
    /// `multicastPushNeighborLimit`: to so many neighbours a fragment is pushed at most.
    pub push_limit: usize,
    /// `multicastRelayMarginDuration`: for how long beyond the window fragments are kept for others.
    pub relay_margin: Duration,
}

impl StreamSettings {
    /// Flash's.
    pub const FLASH: Self = Self {
        window: Duration::from_secs(8),
        fetch: Duration::from_millis(2500),
        update: Duration::from_millis(100),
        send_to_all: false,
        push_limit: 4,
        relay_margin: Duration::from_secs(2),
    };

    /// For a stream that is played so long after it was published: a window of that length, and an eighth of it to wait
    /// for what is pushed.
    #[must_use]
    pub fn for_latency(latency: Duration) -> Self {
        Self { window: latency, fetch: latency / 8, relay_margin: latency.max(Duration::from_secs(2)), ..Self::FLASH }
    }
}

/// What a player wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The stream's name.
    pub name: String,
    /// Only this publisher's. Otherwise that stream of the name whose title came first, until it ends or falls silent.
    pub publisher: Option<PeerId>,
    /// How long after its publication everything is played; `None` for the publisher's window.
    pub latency: Option<Duration>,
}

/// What names somebody's playing of a stream here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The name is longer than [`super::MAX_NAME`].
    #[error("a stream's name has at most 255 bytes")]
    Name,
    /// The group's streams need a grant, and we have none.
    #[error("this group needs a publishing password")]
    NoGrant,
    /// The groupspec does not have it.
    #[error("multicast is not enabled in this group")]
    Disabled,
    /// There is no such stream of ours.
    #[error("no such stream is published here")]
    Unknown,
    /// The unit cannot be cut into 256 fragments.
    #[error("a unit of a stream has at most 16 MiB")]
    TooLong,
    /// We take part in as many streams as we can.
    #[error("too many streams at once")]
    TooMany,
}

/// A piece of a stream, to be shown now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// It.
    pub unit: Unit,
    /// The stream begins with it.
    pub is_first: bool,
    /// What a decoder must know before it, if it begins with this unit.
    pub head: Head,
    /// When the last of it had come and was found to be the publisher's.
    pub ready: Instant,
}

/// What happens with streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// A stream is there (NetGroup.MulticastStream.PublishNotify).
    PublishNotify {
        /// Which.
        key: StreamKey,
        /// Its name.
        name: String,
        /// Whose.
        publisher: PeerId,
    },
    /// It has ended, or nothing more came of it for long (NetGroup.MulticastStream.UnpublishNotify).
    UnpublishNotify {
        /// Which.
        key: StreamKey,
        /// Its name.
        name: String,
        /// Whose.
        publisher: PeerId,
    },
    /// What is played is this stream from now on (NetStream.MulticastStream.Reset). Its first unit is one with which a decoder can begin.
    Reset {
        /// By whom.
        play: PlayId,
        /// Which.
        key: StreamKey,
        /// Whose.
        publisher: PeerId,
    },
    /// Something is to be shown.
    Show {
        /// By whom.
        play: PlayId,
        /// What.
        shown: Shown,
    },
    /// Something did not come in time, and was left out.
    Lost {
        /// By whom.
        play: PlayId,
        /// So many fragments.
        fragments: u64,
    },
    /// The stream came to its end in good order, and everything was shown. Another of that name is played if one comes.
    End {
        /// By whom.
        play: PlayId,
        /// Which.
        key: StreamKey,
    },
    /// A neighbour did what nobody does by mistake, or too often: it is left.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What.
        reason: &'static str,
    },
}

/// A stream of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveStream {
    /// Its key.
    pub key: StreamKey,
    /// Its name.
    pub name: String,
    /// Whose.
    pub publisher: PeerId,
    /// Its publisher's settings, as far as they are distributed, and ours.
    pub settings: StreamSettings,
    /// We publish it.
    pub is_ours: bool,
    /// Neighbours that take part in it.
    pub neighbours: usize,
    /// The newest fragment that is here.
    pub newest: u64,
    /// When something of it that is signed was heard last.
    pub heard: Instant,
}

/// NetStreamMulticastInfo (flash-groups section 7.5): totals since the stream began here, and rates over the last few
/// seconds, in bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MulticastInfo {
    /// `sendDataBytesPerSecond`: of fragments.
    pub send_data_rate: u64,
    /// `sendControlBytesPerSecond`: of everything else.
    pub send_control_rate: u64,
    /// `receiveDataBytesPerSecond`.
    pub receive_data_rate: u64,
    /// `receiveControlBytesPerSecond`.
    pub receive_control_rate: u64,
    /// `receiveDataBytesPerSecondFromIPMulticast`.
    pub receive_ip_multicast_rate: u64,
    /// `bytesPushedToPeers`.
    pub bytes_pushed_to_peers: u64,
    /// `fragmentsPushedToPeers`.
    pub fragments_pushed_to_peers: u64,
    /// `bytesRequestedByPeers`: that they asked for and got.
    pub bytes_requested_by_peers: u64,
    /// `fragmentsRequestedByPeers`.
    pub fragments_requested_by_peers: u64,
    /// `bytesPushedFromPeers`.
    pub bytes_pushed_from_peers: u64,
    /// `fragmentsPushedFromPeers`.
    pub fragments_pushed_from_peers: u64,
    /// `bytesRequestedFromPeers`: that we asked for and got.
    pub bytes_requested_from_peers: u64,
    /// `fragmentsRequestedFromPeers`.
    pub fragments_requested_from_peers: u64,
    /// `bytesReceivedFromIPMulticast`.
    pub bytes_received_from_ip_multicast: u64,
    /// `fragmentsReceivedFromIPMulticast`.
    pub fragments_received_from_ip_multicast: u64,
    /// `bytesPushedToIPMulticast`.
    pub bytes_pushed_to_ip_multicast: u64,
    /// Fragments that came again.
    pub duplicates: u64,
    /// Fragments that no manifest vouches for.
    pub forged: u64,
    /// Fragments that did not come in time for who played here.
    pub lost: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages dropped because a table was full or a rate exceeded.
    pub limited: u64,
}
