//! What members that are p2pt tell each other of streams besides the known messages.

use std::time::Duration;

use bytes::Bytes;

use super::message::StreamKey;
use super::tree::{MANIFESTS, TREES, Trees};
use crate::wire::reader::{take_array, take_u8};
use crate::wire::{DecodeError, vlu};

const TITLE: u8 = 0x01;
const MANIFEST: u8 = 0x02;
const FOLLOW: u8 = 0x03;
const MISSING: u8 = 0x04;
const STANDING: u8 = 0x05;
const RELAY: u8 = 0x06;
const GRANTED: u8 = 0x07;

/// In a standing's flags: it takes part.
const TAKES_PART: u8 = 1;
/// In a standing's flags: the stream is its own.
const PUBLISHES: u8 = 2;
/// The longest lag that is told.
const MAX_LAG: u64 = 3_600_000;

/// How a member stands in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// It passes the stream on.
    pub takes_part: bool,
    /// It is the publisher.
    pub publishes: bool,
    /// The newest fragment of which it has the manifest.
    pub newest: u64,
    /// How long after the publisher it gets the fragments of each slice, and the manifests; `None` of those that nobody
    /// pushes to it. Whole milliseconds.
    pub lags: [Option<Duration>; TREES],
    /// To how many more neighbours it would push them.
    pub free: [u8; TREES],
}

/// A message on the lane of titles and manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnMessage {
    /// A [`super::Title`].
    Title(Bytes),
    /// A [`super::Manifest`].
    Manifest(Bytes),
    /// From now on, push manifests to me as they come, or do not.
    Follow {
        /// Of this stream.
        key: StreamKey,
        /// Do.
        on: bool,
        /// Begin with those that you have from this fragment on; 0 for the newest one with which a player can begin.
        from: u64,
    },
    /// Send the manifests from this fragment on.
    Missing {
        /// Of this stream.
        key: StreamKey,
        /// The fragment.
        id: u64,
    },
    /// How I stand.
    Standing {
        /// In this stream.
        key: StreamKey,
        /// So.
        standing: Standing,
    },
    /// I know nobody else who has it: take part, please.
    Relay {
        /// In this stream.
        key: StreamKey,
    },
    /// Of what you asked for, this is what I push to you.
    Granted {
        /// Of this stream.
        key: StreamKey,
        /// These slices, a bit for each.
        slices: u8,
        /// The manifests too.
        manifests: bool,
    },
}

impl OwnMessage {
    /// Reads one; what follows it is left for later versions.
    ///
    /// # Errors
    /// [`DecodeError`] if it is cut off or none of them.
    pub fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut rest = &message[..];
        let from = &mut rest;
        let kind = take_u8(from)?;
        match kind {
            TITLE => return Ok(Self::Title(message.slice(1..))),
            MANIFEST => return Ok(Self::Manifest(message.slice(1..))),
            FOLLOW..=GRANTED => {}
            _ => return Err(DecodeError::UnknownType(kind)),
        }
        let key = StreamKey(take_array(from)?);
        Ok(match kind {
            FOLLOW => Self::Follow { key, on: take_u8(from)? & 1 == 1, from: vlu::take(from)? },
            MISSING => Self::Missing { key, id: vlu::take(from)? },
            STANDING => Self::Standing { key, standing: Standing::take(from)? },
            RELAY => Self::Relay { key },
            _ => Self::Granted { key, slices: take_u8(from)?, manifests: take_u8(from)? & 1 == 1 },
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        let mut begin = |kind: u8, rest: &[u8]| {
            out.reserve(1 + rest.len() + 32);
            out.push(kind);
            out.extend_from_slice(rest);
        };
        match self {
            Self::Title(title) => begin(TITLE, title),
            Self::Manifest(manifest) => begin(MANIFEST, manifest),
            Self::Follow { key, on, from } => {
                begin(FOLLOW, &key.0);
                out.push(u8::from(*on));
                vlu::put(&mut out, *from);
            }
            Self::Missing { key, id } => {
                begin(MISSING, &key.0);
                vlu::put(&mut out, *id);
            }
            Self::Standing { key, standing } => {
                begin(STANDING, &key.0);
                standing.put(&mut out);
            }
            Self::Relay { key } => begin(RELAY, &key.0),
            Self::Granted { key, slices, manifests } => {
                begin(GRANTED, &key.0);
                out.extend([*slices, u8::from(*manifests)]);
            }
        }
        out.into()
    }

    /// What is granted, as trees.
    pub(super) fn granted(key: StreamKey, trees: Trees) -> Self {
        Self::Granted { key, slices: trees.slices(), manifests: trees.has(MANIFESTS) }
    }
}

impl Standing {
    fn take(from: &mut &[u8]) -> Result<Self, DecodeError> {
        let flags = take_u8(from)?;
        let newest = vlu::take(from)?;
        let (mut lags, mut free) = ([None; TREES], [0; TREES]);
        for lag in &mut lags {
            // None is 0, and everything else one more than it is.
            let told = vlu::take(from)?;
            *lag = told.checked_sub(1).map(|ms| Duration::from_millis(ms.min(MAX_LAG)));
        }
        for free in &mut free {
            *free = take_u8(from)?;
        }
        let (takes_part, publishes) = (flags & TAKES_PART != 0, flags & PUBLISHES != 0);
        Ok(Self { takes_part, publishes, newest, lags, free })
    }

    fn put(&self, out: &mut Vec<u8>) {
        let flag = |set, flag| if set { flag } else { 0 };
        out.push(flag(self.takes_part, TAKES_PART) | flag(self.publishes, PUBLISHES));
        vlu::put(out, self.newest);
        for lag in self.lags {
            let ms = lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX).min(MAX_LAG));
            vlu::put(out, ms.map_or(0, |ms| ms + 1));
        }
        out.extend_from_slice(&self.free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn standing() -> impl Strategy<Value = Standing> {
        let lag = proptest::option::of((0..MAX_LAG).prop_map(Duration::from_millis));
        let lags = proptest::collection::vec(lag, TREES);
        (any::<(bool, bool, u64, [u8; TREES])>(), lags).prop_map(|((takes_part, publishes, newest, free), lags)| {
            Standing { takes_part, publishes, newest, lags: lags.try_into().expect("as many"), free }
        })
    }

    proptest! {
        #[test]
        fn what_is_put_is_read(key: [u8; 32], standing in standing(), on: bool, id: u64, slices: u8, bytes: Vec<u8>) {
            let key = StreamKey(key);
            for message in [
                OwnMessage::Title(bytes.clone().into()),
                OwnMessage::Manifest(bytes.into()),
                OwnMessage::Follow { key, on, from: id },
                OwnMessage::Missing { key, id },
                OwnMessage::Standing { key, standing },
                OwnMessage::Relay { key },
                OwnMessage::Granted { key, slices, manifests: on },
            ] {
                let bytes = message.encode();
                prop_assert_eq!(OwnMessage::decode(&bytes), Ok(message.clone()));
                if !matches!(message, OwnMessage::Title(_) | OwnMessage::Manifest(_)) {
                    for cut in 0..bytes.len() {
                        prop_assert!(OwnMessage::decode(&bytes.slice(..cut)).is_err());
                    }
                    let longer = Bytes::from([&bytes[..], b"later"].concat());
                    prop_assert_eq!(OwnMessage::decode(&longer), Ok(message));
                }
            }
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(OwnMessage::decode(&Bytes::new()), Err(DecodeError::Truncated));
        assert_eq!(OwnMessage::decode(&Bytes::from_static(&[8])), Err(DecodeError::UnknownType(8)));
        assert_eq!(OwnMessage::decode(&Bytes::from_static(&[6, 1, 2])), Err(DecodeError::Truncated));
    }
}
