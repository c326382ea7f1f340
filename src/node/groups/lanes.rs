//! What the flow of each lane looks like.

use crate::flow::{Order, Priority};
use crate::group::Lane;
use crate::group::message::CONTROL_METADATA as CONTROL;

/// Metadata of our other lanes, but for the last byte.
const OURS: &[u8] = b"p2pt group 1\0";
/// The known protocol's: what is told of a stream, and its fragments.
const STREAM: &[u8] = &[0x47, 0x52, 0x11];
const FRAGMENTS: &[u8] = &[0x47, 0x52, 0x12];
/// How far the receive window of a lane may grow; what comes is dealt with at once.
const LANE_WINDOW: usize = 512 << 10;
/// The same of the lane of objects, which are up to a mebibyte long and of which several are on their way.
const OBJECTS_WINDOW: usize = 8 << 20;
/// The same of a stream's fragments: as much as may be sent ahead.
const FRAGMENTS_WINDOW: usize = 4 << 20;

/// What a flow was opened for, as far as its metadata tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    /// A group, which its first message names.
    Control,
    /// One of our lanes.
    Lane(Lane),
    /// A stream, which its first message names.
    Stream,
    /// The fragments of the stream whose flow it answers.
    Fragments,
    /// A lane of ours that we do not know.
    Unknown,
}

impl Opened {
    /// Reads it; `None` for what is no group's.
    pub(super) fn by(metadata: &[u8]) -> Option<Self> {
        Some(match metadata {
            CONTROL => Self::Control,
            STREAM => Self::Stream,
            FRAGMENTS => Self::Fragments,
            other => match other.strip_prefix(OURS)? {
                [1] => Self::Lane(Lane::Posts),
                [2] => Self::Lane(Lane::Routes),
                [3] => Self::Lane(Lane::Records),
                [4] => Self::Lane(Lane::Objects),
                [5] => Self::Lane(Lane::Manifests),
                [6] => Self::Lane(Lane::Asks),
                _ => Self::Unknown,
            },
        })
    }
}

/// What the flow of a lane is opened with.
pub(super) fn metadata(lane: Lane) -> Vec<u8> {
    match lane {
        Lane::Control => CONTROL.to_vec(),
        Lane::Posts => [OURS, &[1]].concat(),
        Lane::Routes => [OURS, &[2]].concat(),
        Lane::Records => [OURS, &[3]].concat(),
        Lane::Objects => [OURS, &[4]].concat(),
        Lane::Manifests => [OURS, &[5]].concat(),
        Lane::Asks => [OURS, &[6]].concat(),
        Lane::Stream(_) => STREAM.to_vec(),
        Lane::Fragments(_) => FRAGMENTS.to_vec(),
    }
}

/// How far a lane's receive window may grow, and in which order its messages are wanted: objects and fragments mean
/// something by themselves.
pub(super) const fn reception(lane: Option<Lane>) -> (Order, usize) {
    match lane {
        Some(Lane::Objects) => (Order::AsReceived, OBJECTS_WINDOW),
        Some(Lane::Fragments(_)) => (Order::AsReceived, FRAGMENTS_WINDOW),
        _ => (Order::Original, LANE_WINDOW),
    }
}

/// The handshake and reports go first, and with them what says whether fragments are to be believed; objects last.
///
/// Fragments are not marked as time-critical (RFC 7016 section 2.2.4). Between members of one stream every session carries
/// it, so that the mark would tell nobody to make room; but it forbids a window to grow by more than a hundredth each round
/// trip, with which a member cannot take over the share of another that has gone before these fragments are due. They take
/// turns with posts, and go before everything that may wait.
pub(super) const fn priority(lane: Lane) -> Priority {
    match lane {
        Lane::Control | Lane::Manifests | Lane::Stream(_) => Priority::High,
        Lane::Posts | Lane::Routes | Lane::Asks | Lane::Fragments(_) => Priority::Normal,
        Lane::Records => Priority::Low,
        Lane::Objects => Priority::Bulk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_known_by_its_metadata() {
        assert_eq!(metadata(Lane::Control), [0x47, 0x52, 0x1c]);
        for lane in Lane::ALL {
            let opened = match lane {
                Lane::Control => Opened::Control,
                Lane::Stream(_) => Opened::Stream,
                Lane::Fragments(_) => Opened::Fragments,
                ours => Opened::Lane(ours),
            };
            assert_eq!(Opened::by(&metadata(lane)), Some(opened));
        }
        assert_eq!(Opened::by(b"p2pt group 1\0\x63"), Some(Opened::Unknown));
        assert_eq!(Opened::by(b"GR"), None);
        assert_eq!(Opened::by(b""), None);
    }

    #[test]
    fn a_stream_goes_before_what_may_wait() {
        let [manifests, fragments] = [Lane::Manifests, Lane::Fragments(7)].map(priority);
        assert!(manifests > fragments && priority(Lane::Stream(7)) > fragments);
        assert!([Lane::Records, Lane::Objects].into_iter().all(|lane| priority(lane) < fragments));
        assert!(fragments <= priority(Lane::Posts), "posts do not starve");
    }
}
