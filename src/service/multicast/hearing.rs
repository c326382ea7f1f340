//! How well a stream is heard on the group's own IP multicast address, and what is said there.

use std::time::Duration;

use bytes::Bytes;

use super::own::OwnMessage;
use crate::base::{Instant, PeerId};

pub(super) const FRAGMENT: u8 = 0x80;
/// In place of a neighbour, where something was heard.
pub(super) const AIR: PeerId = PeerId([0; 32]);
/// After so long in silence it is heard no more.
const SILENT: Duration = Duration::from_millis(300);
/// Fragments of which the share is seen.
const ENOUGH_TO_SAY: usize = 40;
/// The share of fragments that has to come on this way for nobody to be asked to push them, and under which neighbours are
/// asked again.
const ENOUGH: f64 = 0.8;
const TOO_FEW: f64 = 0.6;

/// How well a stream is heard.
#[derive(Debug, Clone, Default)]
pub(super) struct Hearing {
    /// When the last fragment was heard.
    heard: Option<Instant>,
    /// The share of the latest fragments that were heard.
    share: f64,
    /// Fragments heard, and known, since the share was seen.
    count: (usize, usize),
    /// It is good enough.
    good: bool,
    /// When the title was said last, by its publisher.
    pub(super) titled: Option<Instant>,
    /// The manifest that it said last.
    pub(super) said: Option<Bytes>,
}

impl Hearing {
    /// A fragment was heard, whether a neighbour was faster or not.
    pub(super) fn came(&mut self, now: Instant) {
        self.heard = Some(now);
        self.count.0 += 1;
    }

    /// So many fragments are known to be somewhere that were not.
    pub(super) fn expects(&mut self, count: usize) {
        self.count.1 += count;
        if self.count.1 >= ENOUGH_TO_SAY {
            self.share = self.count.0 as f64 / self.count.1 as f64;
            self.count = (0, 0);
        }
    }

    /// Whether neighbours need not push.
    pub(super) fn is_good(&mut self, now: Instant) -> bool {
        let alive = self.heard.is_some_and(|heard| now.since(heard) < SILENT);
        self.good = alive && self.share > if self.good { TOO_FEW } else { ENOUGH };
        self.good
    }
}

/// What was heard.
pub(super) enum Heard {
    Own(OwnMessage),
    /// A fragment of the stream with this tag.
    Fragment(u64, Bytes),
}

/// Reads what was heard; `None` if it is nothing that is said there.
pub(super) fn read(message: &Bytes) -> Option<Heard> {
    match message.split_first()? {
        (&FRAGMENT, rest) => {
            let tag = u64::from_be_bytes(*rest.first_chunk()?);
            Some(Heard::Fragment(tag, message.slice(9..)))
        }
        _ => match OwnMessage::decode(message).ok()? {
            own @ (OwnMessage::Title(_) | OwnMessage::Manifest(_)) => Some(Heard::Own(own)),
            _ => None,
        },
    }
}
