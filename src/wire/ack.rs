//! Reading data acknowledgements, both forms (RFC 7016 sections 2.3.13 and 2.3.14).

use std::ops::RangeInclusive;

use super::ack_writer::AckHead;
use super::error::DecodeError;
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
                let from = find_bit(bits, *bit, true);
                let to = find_bit(bits, from, false);
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

/// The first bit from `at` on, least significant first, that is as `wanted`; behind the last bit if there is none.
fn find_bit(bits: &[u8], mut at: u64, wanted: bool) -> u64 {
    while let Some(byte) = usize::try_from(at / 8).ok().and_then(|index| bits.get(index)) {
        let candidates = (if wanted { *byte } else { !*byte }) >> (at % 8);
        if candidates != 0 {
            return at + u64::from(candidates.trailing_zeros());
        }
        at = (at / 8 + 1) * 8;
    }
    at
}

fn take_pair(pairs: &mut &[u8]) -> Option<(u64, u64)> {
    Some((vlu::take(pairs).ok()?, vlu::take(pairs).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_give_ascending_ranges_with_gaps(payload in proptest::collection::vec(any::<u8>(), 0..80)) {
            for decoded in [Ack::decode_bitmap(&payload), Ack::decode_ranges(&payload)] {
                let Ok(ack) = decoded else { continue };
                let mut above = ack.cumulative;
                for range in ack.ranges() {
                    prop_assert!(*range.start() > above && range.start() - above >= 2);
                    prop_assert!(range.start() <= range.end());
                    above = *range.end();
                }
            }
        }
    }

    #[test]
    fn arithmetic_at_the_end_of_the_numbers() {
        let mut payload = Vec::new();
        AckHead { flow: 1, buffer_blocks: u64::MAX, cumulative: u64::MAX - 3 }.put(&mut payload);
        payload.extend([0, 9, 0, 0]);
        let ack = Ack::decode_ranges(&payload).unwrap();
        assert_eq!(ack.buffer_available, u64::MAX);
        assert_eq!(ack.ranges().collect::<Vec<_>>(), [u64::MAX - 1..=u64::MAX]);
        let bits = payload.len() - 4;
        payload.truncate(bits);
        payload.push(0xff);
        let ack = Ack::decode_bitmap(&payload).unwrap();
        assert_eq!(ack.ranges().collect::<Vec<_>>(), [u64::MAX - 1..=u64::MAX]);
        let past = Ack { cumulative: u64::MAX, ..ack };
        assert_eq!(past.ranges().next(), None);
    }
}
