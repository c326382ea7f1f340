//! Writing data acknowledgements (RFC 7016 sections 2.3.13 and 2.3.14).

use std::ops::RangeInclusive;

use super::frame::{CHUNK_HEADER_LEN, kind, put_chunk_header};
use super::vlu;

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

impl AckHead {
    pub(super) const fn len(&self) -> usize {
        vlu::len(self.flow) + vlu::len(self.buffer_blocks) + vlu::len(self.cumulative)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        vlu::put(out, self.flow);
        vlu::put(out, self.buffer_blocks);
        vlu::put(out, self.cumulative);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RangeSet;
    use crate::wire::{Ack, Chunk, Chunks};
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Ack<'_> {
        let mut chunks = Chunks::new(bytes);
        let ack = match Chunk::decode(chunks.next().unwrap()).unwrap() {
            Chunk::BitmapAck(ack) | Chunk::RangeAck(ack) => ack,
            other => panic!("{other:?}"),
        };
        assert_eq!(chunks.next(), None);
        ack
    }

    fn acked(ack: &Ack<'_>) -> RangeSet {
        let mut set = RangeSet::new();
        set.insert_range(0..=ack.cumulative);
        for range in ack.ranges() {
            set.insert_range(range);
        }
        set
    }

    fn encode(cumulative: u64, set: &RangeSet, form: AckForm, max_len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let head = AckHead { flow: 3, buffer_blocks: 64, cumulative };
        assert_eq!(encode_ack(&mut out, head, set.iter(), form, max_len), out.len());
        out
    }

    fn received() -> impl Strategy<Value = RangeSet> {
        proptest::collection::vec((0u64..400, 0u64..20), 0..24).prop_map(|ranges| {
            let mut set = RangeSet::new();
            set.insert_range(0..=0);
            for (start, len) in ranges {
                set.insert_range(start..=start + len);
            }
            set
        })
    }

    proptest! {
        #[test]
        fn both_forms_say_what_was_received(set in received()) {
            for form in [AckForm::Bitmap, AckForm::Range, AckForm::Compact] {
                let bytes = encode(0, &set, form, 1200);
                prop_assert_eq!(&acked(&decode(&bytes)), &set);
            }
        }

        #[test]
        fn the_compact_form_is_the_shorter_of_the_two(set in received()) {
            let len = |form| encode(0, &set, form, 1200).len();
            prop_assert_eq!(len(AckForm::Compact), len(AckForm::Bitmap).min(len(AckForm::Range)));
        }

        #[test]
        fn a_limit_cuts_from_the_end_and_claims_nothing_more(set in received(), max_len in 0usize..40) {
            for form in [AckForm::Bitmap, AckForm::Range, AckForm::Compact] {
                let bytes = encode(0, &set, form, max_len);
                prop_assert!(bytes.len() <= max_len);
                if bytes.is_empty() {
                    continue;
                }
                let whole = encode(0, &set, form, 1200);
                if whole.len() <= max_len {
                    prop_assert_eq!(bytes, whole);
                    continue;
                }
                let said = acked(&decode(&bytes));
                prop_assert_eq!(said.iter().next(), set.iter().next());
                for value in 0..500 {
                    prop_assert!(!said.contains(value) || set.contains(value));
                }
            }
        }
    }

    #[test]
    fn ranges_that_touch_the_cumulative_number_raise_it() {
        let mut set = RangeSet::new();
        for range in [0..=4, 5..=9, 12..=12] {
            set.insert_range(range);
        }
        for cumulative in [0, 3, 9] {
            let bytes = encode(cumulative, &set, AckForm::Range, 100);
            let ack = decode(&bytes);
            assert_eq!(ack.cumulative, 9);
            assert_eq!(ack.ranges().collect::<Vec<_>>(), [12..=12]);
        }
    }

    #[test]
    fn one_byte_of_bitmap_stands_for_eight_numbers_and_ranges_cross_bytes() {
        let mut set = RangeSet::new();
        set.insert_range(9..=10);
        set.insert_range(13..=29);
        let bytes = encode(0, &set, AckForm::Bitmap, 100);
        // Bit 0 is 2: 9 and 10 are bits 7 and 8, 13..=29 are bits 11..=27.
        assert_eq!(bytes, [0x50, 0, 7, 3, 64, 0, 0b1000_0000, 0b1111_1001, 0xff, 0b0000_1111]);
    }

    #[test]
    fn a_far_away_number_costs_a_range_not_a_mile_of_bitmap() {
        let mut set = RangeSet::new();
        set.insert(1 << 40);
        let bytes = encode(0, &set, AckForm::Compact, 1200);
        assert_eq!(bytes[0], kind::RANGE_ACK);
        let cut = encode(0, &set, AckForm::Bitmap, 1200);
        assert_eq!(acked(&decode(&cut)).max(), Some(0));
    }

    #[test]
    fn nothing_is_written_where_the_head_does_not_fit() {
        assert!(encode(0, &RangeSet::new(), AckForm::Range, 5).is_empty());
        assert_eq!(encode(0, &RangeSet::new(), AckForm::Range, 6).len(), 6);
    }

    #[test]
    fn a_huge_limit_stays_within_the_length_field() {
        let mut set = RangeSet::new();
        for value in 0..100_000u64 {
            set.insert(2 + value * 6);
        }
        for form in [AckForm::Bitmap, AckForm::Range] {
            let bytes = encode(0, &set, form, usize::MAX);
            assert!((65_530..=65_538).contains(&bytes.len()), "{}", bytes.len());
            decode(&bytes);
        }
    }
}
