//! What is said on the lane of asks.

use std::ops::RangeInclusive;

use super::types::MAX_INDEX;
use crate::wire::{DecodeError, vlu};

/// The longest message on the lane of asks, in bytes; longer lists are cut in several.
pub const MAX_MESSAGE: usize = 16 << 10;

const HAVE: u8 = 0x01;
const GONE: u8 = 0x02;
const WANT: u8 = 0x03;
const REQUEST: u8 = 0x04;
const DENY: u8 = 0x05;
const CANCEL: u8 = 0x06;
const GOT: u8 = 0x07;
const BUSY: u8 = 0x08;

/// Indices from the first to the last.
pub type Span = RangeInclusive<u64>;

/// A record of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The sender has these.
    Have(Vec<Span>),
    /// It does not have these any more.
    Gone(Vec<Span>),
    /// It wants these, and nothing else.
    Want(Vec<Span>),
    /// It asks for these, the most wanted first.
    Request(Vec<u64>),
    /// It does not give these.
    Deny(Vec<u64>),
    /// It does not ask for these any more.
    Cancel(Vec<u64>),
    /// It has received these.
    Got(Vec<u64>),
    /// It has these, and others have them, too, who had better be asked.
    Busy(Vec<u64>),
}

impl Record {
    /// Appends it to a message.
    pub fn put(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        let kind = match self {
            Self::Have(spans) => put_spans(HAVE, spans, &mut body),
            Self::Gone(spans) => put_spans(GONE, spans, &mut body),
            Self::Want(spans) => put_spans(WANT, spans, &mut body),
            Self::Request(list) => put_list(REQUEST, list, &mut body),
            Self::Deny(list) => put_list(DENY, list, &mut body),
            Self::Cancel(list) => put_list(CANCEL, list, &mut body),
            Self::Got(list) => put_list(GOT, list, &mut body),
            Self::Busy(list) => put_list(BUSY, list, &mut body),
        };
        out.push(kind);
        vlu::put(out, body.len() as u64);
        out.extend_from_slice(&body);
    }
}

/// The records of a message; unknown ones are left out.
///
/// # Errors
/// If one is cut off, an index is above 2^53, or spans are not in ascending order.
pub fn decode(mut message: &[u8]) -> Result<Vec<Record>, DecodeError> {
    let mut records = Vec::new();
    while let Some((&kind, rest)) = message.split_first() {
        message = rest;
        let len = usize::try_from(vlu::take(&mut message)?).map_err(|_| DecodeError::Truncated)?;
        let (body, rest) = message.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        message = rest;
        records.push(match kind {
            HAVE => Record::Have(spans(body)?),
            GONE => Record::Gone(spans(body)?),
            WANT => Record::Want(spans(body)?),
            REQUEST => Record::Request(list(body)?),
            DENY => Record::Deny(list(body)?),
            CANCEL => Record::Cancel(list(body)?),
            GOT => Record::Got(list(body)?),
            BUSY => Record::Busy(list(body)?),
            _ => continue,
        });
    }
    Ok(records)
}

fn put_spans(kind: u8, spans: &[Span], out: &mut Vec<u8>) -> u8 {
    let mut next = 0;
    for span in spans {
        vlu::put(out, span.start() - next);
        vlu::put(out, span.end() - span.start());
        next = span.end() + 1;
    }
    kind
}

fn spans(mut body: &[u8]) -> Result<Vec<Span>, DecodeError> {
    let mut spans = Vec::new();
    let mut next = 0;
    while !body.is_empty() {
        let start = vlu::take(&mut body)?.checked_add(next).ok_or(DecodeError::TooLarge)?;
        let end = vlu::take(&mut body)?.checked_add(start).filter(|&end| end <= MAX_INDEX);
        let end = end.ok_or(DecodeError::TooLarge)?;
        spans.push(start..=end);
        next = end + 1;
    }
    Ok(spans)
}

fn put_list(kind: u8, list: &[u64], out: &mut Vec<u8>) -> u8 {
    list.iter().for_each(|&index| vlu::put(out, index));
    kind
}

fn list(mut body: &[u8]) -> Result<Vec<u64>, DecodeError> {
    let mut list = Vec::new();
    while !body.is_empty() {
        list.push(index(&mut body)?);
    }
    Ok(list)
}

/// An index off the front, as an object's message begins with.
///
/// # Errors
/// If it is cut off or above 2^53.
pub(super) fn index(from: &mut &[u8]) -> Result<u64, DecodeError> {
    vlu::take(from).and_then(|index| if index <= MAX_INDEX { Ok(index) } else { Err(DecodeError::TooLarge) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans_of(steps: Vec<(u64, u64)>) -> Vec<Span> {
        let mut next = 0;
        let span = |(gap, more): (u64, u64)| {
            let start: u64 = next + gap;
            next = start + more + 1;
            start..=start + more
        };
        steps.into_iter().map(span).collect()
    }

    fn record() -> impl Strategy<Value = Record> {
        let spans = || proptest::collection::vec((0u64..1 << 40, 0u64..1 << 30), 0..20).prop_map(spans_of);
        let list = || proptest::collection::vec(0..=MAX_INDEX, 0..20);
        prop_oneof![
            spans().prop_map(Record::Have),
            spans().prop_map(Record::Gone),
            spans().prop_map(Record::Want),
            list().prop_map(Record::Request),
            list().prop_map(Record::Deny),
            list().prop_map(Record::Cancel),
            list().prop_map(Record::Got),
            list().prop_map(Record::Busy),
        ]
    }

    proptest! {
        #[test]
        fn what_is_put_is_read_and_nothing_else(records in proptest::collection::vec(record(), 0..8)) {
            let mut message = Vec::new();
            records.iter().for_each(|record| record.put(&mut message));
            prop_assert_eq!(decode(&message), Ok(records.clone()));
            // A type of a later version is passed over.
            message.extend([0x6f, 2, 0xff, 0xff]);
            prop_assert_eq!(decode(&message), Ok(records));
            message.push(0x01);
            prop_assert!(decode(&message).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(message: Vec<u8>) {
            for record in decode(&message).into_iter().flatten() {
                if let Record::Have(spans) | Record::Gone(spans) | Record::Want(spans) = record {
                    prop_assert!(spans.iter().all(|span| span.start() <= span.end() && *span.end() <= MAX_INDEX));
                    prop_assert!(spans.windows(2).all(|pair| pair[0].end() < pair[1].start()));
                }
            }
        }
    }

    #[test]
    fn an_index_beyond_the_last_is_refused() {
        let mut message = Vec::new();
        Record::Request(vec![MAX_INDEX + 1]).put(&mut message);
        assert_eq!(decode(&message), Err(DecodeError::TooLarge));
    }
}
