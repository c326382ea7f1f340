//! Data acknowledgements, both forms (RFC 7016 sections 2.3.13 and 2.3.14).

use std::ops::RangeInclusive;

use super::error::DecodeError;
use super::frame::{CHUNK_HEADER_LEN, kind, put_chunk_header};
use super::vlu;

const BLOCK: u64 = 1024;

/// A decoded acknowledgement of one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The flow.
    pub flow: u64,
    /// Bytes that the receiver can take.
    pub buffer_available: u64,
    /// Everything up to here has been received.
    pub cumulative: u64,
    runs: Runs<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs<'a> {
    Bitmap(&'a [u8]),
    Ranges(&'a [u8]),
}

/// How to write an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckForm {
    /// Bitmap Ack.
    Bitmap,
    /// Range Ack; the only form that rtmfp-cpp reads completely.
    Range,
    /// Whichever is shorter.
    Compact,
}

/// The part of an acknowledgement before its ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckHead {
    /// The flow.
    pub flow: u64,
    /// Blocks of 1,024 bytes that the receiver can take.
    pub buffer_blocks: u64,
    /// Everything up to here has been received.
    pub cumulative: u64,
}

impl<'a> Ack<'a> {
    /// What was received above [`Self::cumulative`]: ascending, disjoint, with gaps between. Numbers above 2^64 − 1, and a range that
    /// is cut off, are left out.
    #[must_use]
    pub const fn ranges(&self) -> AckRanges<'a> {
        match self.runs {
            Runs::Bitmap(bits) => AckRanges(State::Bitmap { base: self.cumulative.checked_add(2), bits, bit: 0 }),
            Runs::Ranges(pairs) => AckRanges(State::Ranges { cursor: self.cumulative, pairs }),
        }
    }

    pub(super) fn decode_bitmap(payload: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode(payload, Runs::Bitmap)
    }

    pub(super) fn decode_ranges(payload: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode(payload, Runs::Ranges)
    }

    fn decode(mut payload: &'a [u8], runs: impl Fn(&'a [u8]) -> Runs<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            flow: vlu::take(&mut payload)?,
            buffer_available: vlu::take(&mut payload)?.saturating_mul(BLOCK),
            cumulative: vlu::take(&mut payload)?,
            runs: runs(payload),
        })
    }

    const fn head(&self) -> AckHead {
        AckHead { flow: self.flow, buffer_blocks: self.buffer_available.div_ceil(BLOCK), cumulative: self.cumulative }
    }

    const fn tail(&self) -> &'a [u8] {
        match self.runs {
            Runs::Bitmap(bytes) | Runs::Ranges(bytes) => bytes,
        }
    }

    pub(super) fn payload_len(&self) -> usize {
        self.head().len() + self.tail().len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        self.head().put(out);
        out.extend_from_slice(self.tail());
    }
}

impl AckHead {
    const fn len(&self) -> usize {
        vlu::len(self.flow) + vlu::len(self.buffer_blocks) + vlu::len(self.cumulative)
    }

    fn put(&self, out: &mut Vec<u8>) {
        vlu::put(out, self.flow);
        vlu::put(out, self.buffer_blocks);
        vlu::put(out, self.cumulative);
    }
}

/// Iterator over [`Ack::ranges`].
#[derive(Debug, Clone)]
pub struct AckRanges<'a>(State<'a>);

#[derive(Debug, Clone)]
enum State<'a> {
    /// `base` is what bit 0 of the first byte of `bits` stands for, `bit` the next one to look at.
    Bitmap {
        base: Option<u64>,
        bits: &'a [u8],
        bit: u64,
    },
    Ranges {
        cursor: u64,
        pairs: &'a [u8],
    },
}

impl Iterator for AckRanges<'_> {
    type Item = RangeInclusive<u64>;

    fn next(&mut self) -> Option<RangeInclusive<u64>> {
        match &mut self.0 {
            State::Bitmap { base, bits, bit } => {
                let from = (*bit..).find(|&at| bit_at(bits, at) != Some(false)).expect("bits end before u64 does");
                let to = (from..).find(|&at| bit_at(bits, at) != Some(true)).expect("bits end before u64 does");
                *bit = to;
                let start = base.and_then(|base| base.checked_add(from)).filter(|_| from < to)?;
                let end = start.saturating_add(to - from - 1);
                Some(start..=end)
            }
            State::Ranges { cursor, pairs } => {
                let pair = take_pair(pairs);
                let range = pair.and_then(|(holes, received)| {
                    let start = cursor.checked_add(2)?.checked_add(holes)?;
                    Some(start..=start.saturating_add(received))
                });
                match &range {
                    Some(range) => *cursor = *range.end(),
                    None => *pairs = &[],
                }
                range
            }
        }
    }
}

/// Bit `at`, least significant first; `None` behind the last.
fn bit_at(bits: &[u8], at: u64) -> Option<bool> {
    bits.get(usize::try_from(at / 8).ok()?).map(|byte| byte >> (at % 8) & 1 == 1)
}

fn take_pair(pairs: &mut &[u8]) -> Option<(u64, u64)> {
    Some((vlu::take(pairs).ok()?, vlu::take(pairs).ok()?))
}

/// Appends an acknowledgement chunk of at most `max_len` bytes, header included, and gives its length; 0 if not even its head fits.
///
/// `ranges` are what was received, ascending and disjoint. They may begin below `cumulative`; one that touches it raises it. What
/// does not fit is left out from the end. Allocates nothing if `out` has room.
pub fn encode_ack(
    out: &mut Vec<u8>,
    mut head: AckHead,
    mut ranges: impl Iterator<Item = RangeInclusive<u64>> + Clone,
    form: AckForm,
    max_len: usize,
) -> usize {
    let first = ranges.find(|range| !raise(&mut head.cumulative, range));
    let runs = first.into_iter().chain(ranges);
    let Some(room) = max_len.min(CHUNK_HEADER_LEN + usize::from(u16::MAX)).checked_sub(CHUNK_HEADER_LEN + head.len())
    else {
        return 0;
    };
    let bitmap = match form {
        AckForm::Bitmap => true,
        AckForm::Range => false,
        AckForm::Compact => bitmap_is_shorter(head.cumulative, runs.clone(), room),
    };
    let start = out.len();
    put_chunk_header(out, if bitmap { kind::BITMAP_ACK } else { kind::RANGE_ACK }, 0);
    head.put(out);
    if bitmap {
        put_bitmap(out, head.cumulative, runs, room);
    } else {
        put_ranges(out, head.cumulative, runs, room);
    }
    let len = out.len() - start;
    let payload_len = u16::try_from(len - CHUNK_HEADER_LEN).expect("room was held to what the length field can say");
    if let Some(field) = out.get_mut(start + 1..start + CHUNK_HEADER_LEN) {
        field.copy_from_slice(&payload_len.to_be_bytes());
    }
    len
}

/// Raises `cumulative` to the end of `range` if the range begins at most one above it.
fn raise(cumulative: &mut u64, range: &RangeInclusive<u64>) -> bool {
    let touches = *range.start() <= cumulative.saturating_add(1);
    if touches {
        *cumulative = (*cumulative).max(*range.end());
    }
    touches
}

/// Whether the bitmap of `runs` takes fewer bytes than their ranges, as far as `room` matters.
fn bitmap_is_shorter(cumulative: u64, runs: impl Iterator<Item = RangeInclusive<u64>>, room: usize) -> bool {
    let (mut pairs, mut last, mut cursor) = (0, cumulative, cumulative);
    for range in runs {
        let (holes, received) = run_lengths(cursor, &range);
        pairs += vlu::len(holes) + vlu::len(received);
        cursor = *range.end();
        last = cursor;
        if pairs > room {
            break;
        }
    }
    // Bit 0 is cumulative + 2.
    let bits = last.saturating_sub(cumulative).saturating_sub(1);
    bits.div_ceil(8) < pairs as u64
}

/// The two numbers that say `range` in a Range Ack, `cursor` being the end of the range before.
const fn run_lengths(cursor: u64, range: &RangeInclusive<u64>) -> (u64, u64) {
    let holes = range.start().saturating_sub(cursor).saturating_sub(2);
    (holes, range.end().saturating_sub(*range.start()))
}

fn put_ranges(out: &mut Vec<u8>, cumulative: u64, runs: impl Iterator<Item = RangeInclusive<u64>>, mut room: usize) {
    let mut cursor = cumulative;
    for range in runs {
        let (holes, received) = run_lengths(cursor, &range);
        let len = vlu::len(holes) + vlu::len(received);
        let Some(left) = room.checked_sub(len) else {
            return;
        };
        room = left;
        vlu::put(out, holes);
        vlu::put(out, received);
        cursor = *range.end();
    }
}

fn put_bitmap(out: &mut Vec<u8>, cumulative: u64, runs: impl Iterator<Item = RangeInclusive<u64>>, room: usize) {
    let start = out.len();
    for range in runs {
        let (from, to) = (bit_of(cumulative, *range.start()), bit_of(cumulative, *range.end()));
        for byte in from / 8..=to / 8 {
            if byte >= room as u64 {
                return;
            }
            let index = start + byte as usize;
            if out.len() <= index {
                out.resize(index + 1, 0);
            }
            let low = if byte == from / 8 { from % 8 } else { 0 };
            let high = if byte == to / 8 { to % 8 } else { 7 };
            if let Some(bits) = out.get_mut(index) {
                *bits |= (0xff << low) & (0xff >> (7 - high));
            }
        }
    }
}

/// The bit that stands for `sequence`, counted from the first byte's least significant.
const fn bit_of(cumulative: u64, sequence: u64) -> u64 {
    sequence.saturating_sub(cumulative).saturating_sub(2)
}
