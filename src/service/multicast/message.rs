//! What neighbours tell each other of a stream.

use std::fmt;
use std::time::Duration;

use crate::base::to_hex;
use crate::wire::reader::take_u8;
use crate::wire::{DecodeError, OptionIter, WireOption, put_option, vlu};

/// The longest bitmap of a [`FragmentsMap`], in bytes: 8,192 fragments below the highest.
pub const MAX_BITMAP: usize = 1024;
/// The longest name of a stream, in bytes.
pub const MAX_NAME: usize = 255;

const INFOS: u8 = 0x21;
const MAP: u8 = 0x22;
const PUSH: u8 = 0x23;
const PULL: u8 = 0x2b;

const NAME: u64 = 0x00;
const KEY: u64 = 0x01;
const ALWAYS: u64 = 0x02;
const WINDOW: u64 = 0x03;
const IDLE: u64 = 0x04;
const UPDATE: u64 = 0x05;
const SEND_TO_ALL: u64 = 0x06;
const FETCH: u64 = 0x07;

/// What names a stream in its group: two of one name are two streams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub [u8; 32]);

impl StreamKey {
    /// The number of its lanes ([`crate::group::Lane::Stream`]): its first eight bytes.
    #[must_use]
    pub fn tag(&self) -> u64 {
        u64::from_be_bytes(*self.0.first_chunk().expect("there are 32"))
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// What a stream is, and the publisher's settings for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaInfos {
    /// Its name, of at most [`MAX_NAME`] bytes.
    pub name: String,
    /// Its key.
    pub key: StreamKey,
    /// Option 02, of which nothing is known but that it is always there.
    pub always: bool,
    /// Availability is told to all neighbours each time, not to one after the other (`multicastAvailabilitySendToAll`).
    pub send_to_all: bool,
    /// For how long fragments are gathered before they must be played (`multicastWindowDuration`), in milliseconds.
    pub window: Duration,
    /// Option 04, probably after how long in silence a stream has ended, in milliseconds.
    pub idle: Option<Duration>,
    /// How often availability is told (`multicastAvailabilityUpdatePeriod`), in milliseconds.
    pub update: Duration,
    /// How long after a fragment was announced it is asked for, if nobody pushed it (`multicastFetchPeriod`), in milliseconds.
    pub fetch: Duration,
}

impl MediaInfos {
    fn decode(options: &[u8]) -> Result<Self, DecodeError> {
        let (mut name, mut key) = (None, None);
        let (mut window, mut idle, mut update, mut fetch) = (None, None, None, None);
        let (mut always, mut send_to_all) = (false, false);
        for option in OptionIter(options) {
            let WireOption::Option { kind, value } = option? else { return Err(DecodeError::Forbidden) };
            match kind {
                NAME if value.len() > MAX_NAME => return Err(DecodeError::TooLarge),
                NAME => name = Some(std::str::from_utf8(value).map_err(|_| DecodeError::Utf8)?.to_owned()),
                KEY => key = Some(StreamKey(value.try_into().map_err(|_| DecodeError::Forbidden)?)),
                ALWAYS => always = true,
                WINDOW => window = Some(span(value)?),
                IDLE => idle = Some(span(value)?),
                UPDATE => update = Some(span(value)?),
                SEND_TO_ALL => send_to_all = true,
                FETCH => fetch = Some(span(value)?),
                _ => {}
            }
        }
        Ok(Self {
            name: name.ok_or(DecodeError::Truncated)?,
            key: key.ok_or(DecodeError::Truncated)?,
            always,
            send_to_all,
            window: window.ok_or(DecodeError::Truncated)?,
            idle,
            update: update.ok_or(DecodeError::Truncated)?,
            fetch: fetch.ok_or(DecodeError::Truncated)?,
        })
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_option(out, NAME, self.name.as_bytes());
        put_option(out, KEY, &self.key.0);
        if self.always {
            put_option(out, ALWAYS, &[]);
        }
        if self.send_to_all {
            put_option(out, SEND_TO_ALL, &[]);
        }
        put_span(out, WINDOW, self.window);
        if let Some(idle) = self.idle {
            put_span(out, IDLE, idle);
        }
        put_span(out, UPDATE, self.update);
        put_span(out, FETCH, self.fetch);
    }
}

fn span(mut value: &[u8]) -> Result<Duration, DecodeError> {
    vlu::take(&mut value).map(Duration::from_millis)
}

fn put_span(out: &mut Vec<u8>, kind: u64, span: Duration) {
    let mut value = Vec::new();
    vlu::put(&mut value, u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    put_option(out, kind, &value);
}

/// Which fragments somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentsMap {
    highest: u64,
    /// Bit `k` of byte `j`, the lowest first: fragment `highest - 1 - (8 * j + k)`.
    bitmap: Vec<u8>,
}

impl FragmentsMap {
    /// Of what `has` says, of the fragments from `lowest` to `highest`, which is there. What does not fit in [`MAX_BITMAP`] is
    /// left out.
    #[must_use]
    pub fn new(lowest: u64, highest: u64, has: impl Fn(u64) -> bool) -> Self {
        let below = usize::try_from(highest.saturating_sub(lowest)).unwrap_or(usize::MAX).min(8 * MAX_BITMAP);
        let mut bitmap = vec![0; below.div_ceil(8)];
        for (at, id) in (0..below).zip((1..highest).rev()) {
            bitmap[at / 8] |= u8::from(has(id)) << (at % 8);
        }
        Self { highest, bitmap }
    }

    /// The newest fragment that is there.
    #[must_use]
    pub const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a fragment is there.
    #[must_use]
    pub fn has(&self, id: u64) -> bool {
        let Some(below) = self.highest.checked_sub(id).filter(|_| id > 0) else { return false };
        let Some(at) = below.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return true };
        self.bitmap.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// Those that are there, ascending.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        let below = 8 * self.bitmap.len() as u64;
        (self.highest.saturating_sub(below).max(1)..=self.highest).filter(|id| self.has(*id))
    }

    fn decode(mut from: &[u8]) -> Result<Self, DecodeError> {
        let highest = vlu::take(&mut from)?;
        if highest == 0 {
            return Err(DecodeError::Forbidden);
        }
        if from.len() > MAX_BITMAP {
            return Err(DecodeError::TooLarge);
        }
        Ok(Self { highest, bitmap: from.to_vec() })
    }

    fn put(&self, out: &mut Vec<u8>) {
        vlu::put(out, self.highest);
        out.extend_from_slice(&self.bitmap);
    }
}

/// A message on the flow of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamMessage {
    /// From who has some of the stream: it is here. From who wants it: the same again.
    Infos(MediaInfos),
    /// The stream has ended with this fragment.
    End(u64),
    /// What the sender has.
    Map(FragmentsMap),
    /// Push, as soon as they are there, the fragments whose ID modulo 8 is the number of a bit that is set; no others.
    Push(u8),
    /// Send this fragment.
    Pull(u64),
}

impl StreamMessage {
    /// Reads one.
    ///
    /// # Errors
    /// [`DecodeError`] if it is cut off, too large or none of them.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = message;
        let kind = take_u8(&mut rest)?;
        let message = match kind {
            // The shortest infos have a key and an empty name.
            INFOS if rest.len() >= 36 => return MediaInfos::decode(rest).map(Self::Infos),
            MAP => return FragmentsMap::decode(rest).map(Self::Map),
            INFOS => Self::End(vlu::take(&mut rest)?),
            PULL => Self::Pull(vlu::take(&mut rest)?),
            PUSH => Self::Push(take_u8(&mut rest)?),
            _ => return Err(DecodeError::UnknownType(kind)),
        };
        if rest.is_empty() { Ok(message) } else { Err(DecodeError::Forbidden) }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Infos(infos) => {
                out.push(INFOS);
                infos.put(&mut out);
            }
            Self::End(last) => {
                out.push(INFOS);
                vlu::put(&mut out, *last);
            }
            Self::Map(map) => {
                out.push(MAP);
                map.put(&mut out);
            }
            Self::Push(slices) => out.extend([PUSH, *slices]),
            Self::Pull(id) => {
                out.push(PULL);
                vlu::put(&mut out, *id);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_map_says_what_is_there(highest in 1u64..20_000, window in 0u64..10_000, seed: u64) {
            let there = |id: u64| id == highest || (id ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1;
            let lowest = highest.saturating_sub(window).max(1);
            let map = FragmentsMap::new(lowest, highest, there);
            let message = StreamMessage::Map(map.clone());
            prop_assert_eq!(StreamMessage::decode(&message.encode()), Ok(message));
            let from = lowest.max(highest.saturating_sub(8 * MAX_BITMAP as u64));
            let expected: Vec<u64> = (from..=highest).filter(|id| there(*id)).collect();
            // The last byte's bits reach up to seven IDs further down.
            let told: Vec<u64> = map.ids().filter(|id| *id >= from).collect();
            prop_assert_eq!(told, expected);
            prop_assert!(!map.has(highest + 1) && !map.has(0));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(message) = StreamMessage::decode(&bytes) {
                prop_assert_eq!(StreamMessage::decode(&message.encode()), Ok(message));
            }
        }
    }

    #[test]
    fn infos_lack_nothing_and_may_have_more() {
        let ms = Duration::from_millis;
        let infos = MediaInfos {
            name: String::new(),
            key: StreamKey([7; 32]),
            always: false,
            send_to_all: true,
            window: ms(2000),
            idle: None,
            update: ms(50),
            fetch: ms(250),
        };
        let message = StreamMessage::Infos(infos);
        let mut bytes = message.encode();
        assert_eq!(StreamMessage::decode(&bytes), Ok(message.clone()));
        put_option(&mut bytes, 0x99, b"later");
        assert_eq!(StreamMessage::decode(&bytes), Ok(message));
        assert_eq!(StreamMessage::decode(&bytes[..40]), Err(DecodeError::Truncated), "no window");
        bytes.push(0);
        assert_eq!(StreamMessage::decode(&bytes), Err(DecodeError::Forbidden), "there is no Marker");
    }

    #[test]
    fn what_is_none_is_refused() {
        for (bytes, error) in [
            (&[][..], DecodeError::Truncated),
            (&[PUSH], DecodeError::Truncated),
            (&[PUSH, 1, 2], DecodeError::Forbidden),
            (&[MAP, 0], DecodeError::Forbidden),
            (&[[MAP, 1].as_slice(), &[0; MAX_BITMAP + 1]].concat(), DecodeError::TooLarge),
            (&[0x55], DecodeError::UnknownType(0x55)),
        ] {
            assert_eq!(StreamMessage::decode(bytes), Err(error), "{bytes:?}");
        }
    }
}
