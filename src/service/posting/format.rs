//! The messages of the lane of posts: bytes to values and back. The forms are in the documentation of [`super`].

use super::{PostId, Verdict};
use crate::wire::reader::take_array;
use crate::wire::{DecodeError, vlu};

/// Message types.
mod kind {
    pub(super) const POST: u8 = 1;
    pub(super) const HAVE: u8 = 2;
    pub(super) const WANT: u8 = 3;
    pub(super) const LINK: u8 = 4;
    pub(super) const ANSWER: u8 = 5;
    pub(super) const COMPARE: u8 = 6;
    pub(super) const LIST: u8 = 7;
}

/// The short name of one process of one author: the first 12 bytes of SHA-256(author's peer ID ‖ instance).
pub(super) type StreamName = [u8; 12];

/// Consecutive posts of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) stream: StreamName,
    /// The first one's sequence number, from 1.
    pub(super) first: u64,
    /// How many, from 1; `first + count` does not overflow.
    pub(super) count: u64,
}

impl Run {
    /// Fewest bytes of one on the wire.
    const MIN_LEN: usize = 14;
    /// Most bytes of one on the wire.
    pub(super) const MAX_LEN: usize = 12 + 2 * vlu::MAX_LEN;

    pub(super) fn sequences(self) -> impl Iterator<Item = u64> {
        self.first..self.first + self.count
    }
}

/// What somebody holds of the posts whose times lie in `from..to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Milliseconds since 1970.
    pub(super) from: u64,
    /// Milliseconds since 1970, not before `from`.
    pub(super) to: u64,
    pub(super) count: u64,
    pub(super) digest: [u8; 8],
}

/// How the sender sees the link to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Announce to me.
    Lazy,
    /// Push to me, as I to you.
    Eager,
    /// The same, and you are my parent in the tree.
    Parent,
}

/// A message of the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message<'a> {
    Post { hops: u64, signed: &'a [u8] },
    Have(Vec<Run>),
    Want(Vec<Run>),
    Link(LinkState),
    Answer(Vec<(Verdict, PostId)>),
    Compare(Vec<Span>),
    List { from: u64, to: u64, runs: Vec<Run> },
}

impl<'a> Message<'a> {
    /// What `message` says; `None` if it is of a type unknown here.
    pub(super) fn decode(message: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let (&kind, mut rest) = message.split_first().ok_or(DecodeError::Truncated)?;
        let rest = &mut rest;
        Ok(Some(match kind {
            kind::POST => Self::Post { hops: vlu::take(rest)?, signed: rest },
            kind::HAVE => Self::Have(take_runs(rest)?),
            kind::WANT => Self::Want(take_runs(rest)?),
            kind::LINK => Self::Link(match vlu::take(rest)? {
                0 => LinkState::Lazy,
                1 => LinkState::Eager,
                2 => LinkState::Parent,
                _ => return Ok(None),
            }),
            kind::ANSWER => Self::Answer(take_answers(rest)?),
            kind::COMPARE => Self::Compare(take_spans(rest)?),
            kind::LIST => {
                let (from, to) = take_bounds(rest)?;
                Self::List { from, to, runs: take_runs(rest)? }
            }
            _ => return Ok(None),
        }))
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Post { hops, signed } => {
                out.reserve(signed.len() + 3);
                out.push(kind::POST);
                vlu::put(&mut out, *hops);
                out.extend_from_slice(signed);
            }
            Self::Have(runs) => put_runs(&mut out, kind::HAVE, runs),
            Self::Want(runs) => put_runs(&mut out, kind::WANT, runs),
            Self::Link(state) => out.extend([
                kind::LINK,
                match state {
                    LinkState::Lazy => 0,
                    LinkState::Eager => 1,
                    LinkState::Parent => 2,
                },
            ]),
            Self::Answer(answers) => {
                out.push(kind::ANSWER);
                for (verdict, id) in answers {
                    vlu::put(&mut out, verdict.code());
                    out.extend_from_slice(&id.0);
                }
            }
            Self::Compare(spans) => {
                out.push(kind::COMPARE);
                for span in spans {
                    put_bounds(&mut out, span.from, span.to);
                    vlu::put(&mut out, span.count);
                    out.extend_from_slice(&span.digest);
                }
            }
            Self::List { from, to, runs } => {
                out.push(kind::LIST);
                put_bounds(&mut out, *from, *to);
                runs.iter().for_each(|run| put_run(&mut out, *run));
            }
        }
        out
    }
}

impl Verdict {
    const fn code(self) -> u64 {
        match self {
            Self::Accepted => 0,
            Self::TooOld => 1,
            Self::InFuture => 2,
            Self::NoGrant => 3,
            Self::Malformed => 4,
        }
    }

    const fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Accepted,
            1 => Self::TooOld,
            2 => Self::InFuture,
            3 => Self::NoGrant,
            4 => Self::Malformed,
            _ => return None,
        })
    }
}

fn put_runs(out: &mut Vec<u8>, kind: u8, runs: &[Run]) {
    out.push(kind);
    runs.iter().for_each(|run| put_run(out, *run));
}

fn put_run(out: &mut Vec<u8>, run: Run) {
    out.extend_from_slice(&run.stream);
    vlu::put(out, run.first);
    vlu::put(out, run.count);
}

fn take_runs(from: &mut &[u8]) -> Result<Vec<Run>, DecodeError> {
    let mut runs = Vec::with_capacity(from.len() / Run::MIN_LEN);
    while !from.is_empty() {
        let stream = take_array(from)?;
        let (first, count) = (vlu::take(from)?, vlu::take(from)?);
        if first == 0 || count == 0 || first.checked_add(count).is_none() {
            return Err(DecodeError::Forbidden);
        }
        runs.push(Run { stream, first, count });
    }
    Ok(runs)
}

fn take_answers(from: &mut &[u8]) -> Result<Vec<(Verdict, PostId)>, DecodeError> {
    let mut answers = Vec::new();
    while !from.is_empty() {
        let code = vlu::take(from)?;
        let id = PostId(take_array(from)?);
        answers.extend(Verdict::from_code(code).map(|verdict| (verdict, id)));
    }
    Ok(answers)
}

fn take_spans(from: &mut &[u8]) -> Result<Vec<Span>, DecodeError> {
    let mut spans = Vec::new();
    while !from.is_empty() {
        let (start, to) = take_bounds(from)?;
        spans.push(Span { from: start, to, count: vlu::take(from)?, digest: take_array(from)? });
    }
    Ok(spans)
}

/// The second bound is written as its distance from the first.
fn put_bounds(out: &mut Vec<u8>, from: u64, to: u64) {
    vlu::put(out, from);
    vlu::put(out, to.saturating_sub(from));
}

fn take_bounds(from: &mut &[u8]) -> Result<(u64, u64), DecodeError> {
    let start = vlu::take(from)?;
    Ok((start, start.saturating_add(vlu::take(from)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn run() -> impl Strategy<Value = Run> {
        (any::<[u8; 12]>(), 1..u64::MAX / 2, 1..u64::MAX / 2).prop_map(|(stream, first, count)| Run {
            stream,
            first,
            count,
        })
    }

    fn span() -> impl Strategy<Value = Span> {
        (0..u64::MAX / 2, 0..u64::MAX / 2, any::<u64>(), any::<[u8; 8]>()).prop_map(|(from, len, count, digest)| Span {
            from,
            to: from + len,
            count,
            digest,
        })
    }

    proptest! {
        #[test]
        fn messages_survive_the_wire_and_no_cut_of_them_panics(
            runs in vec(run(), 0..5),
            spans in vec(span(), 0..5),
            answers in vec((0u64..5, any::<[u8; 32]>()), 0..4),
            hops: u64,
            signed in vec(any::<u8>(), 0..60),
            link in 0u64..3,
        ) {
            let link = [LinkState::Lazy, LinkState::Eager, LinkState::Parent][link as usize];
            let answers = answers.into_iter().map(|(code, id)| (Verdict::from_code(code).unwrap(), PostId(id)));
            let (from, to) = spans.first().map_or((0, 9), |span| (span.from, span.to));
            let messages = [
                Message::Post { hops, signed: &signed },
                Message::Have(runs.clone()),
                Message::Want(runs.clone()),
                Message::Link(link),
                Message::Answer(answers.collect()),
                Message::Compare(spans),
                Message::List { from, to, runs },
            ];
            for message in messages {
                let bytes = message.encode();
                prop_assert_eq!(Message::decode(&bytes), Ok(Some(message)));
                for cut in 0..bytes.len() {
                    let _ = Message::decode(&bytes[..cut]);
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..100), kind in 0u8..10) {
            let bytes = [&[kind][..], &bytes].concat();
            if let Ok(Some(message)) = Message::decode(&bytes) {
                let again = message.encode();
                prop_assert_eq!(Message::decode(&again), Ok(Some(message)));
            }
        }
    }

    #[test]
    fn the_forms_are_those_of_the_documentation() {
        let run = Run { stream: *b"twelve bytes", first: 200, count: 3 };
        assert_eq!(Message::Have(vec![run]).encode(), b"\x02twelve bytes\x81\x48\x03");
        assert_eq!(Message::Want(vec![run]).encode(), b"\x03twelve bytes\x81\x48\x03");
        assert_eq!(Message::Post { hops: 2, signed: b"signed" }.encode(), b"\x01\x02signed");
        assert_eq!(Message::Link(LinkState::Parent).encode(), b"\x04\x02");
        let answer = Message::Answer(vec![(Verdict::NoGrant, PostId([b'i'; 32]))]);
        assert_eq!(answer.encode(), [&b"\x05\x03"[..], &[b'i'; 32]].concat());
        let span = Span { from: 5, to: 9, count: 2, digest: *b"8 bytes!" };
        assert_eq!(Message::Compare(vec![span]).encode(), b"\x06\x05\x04\x028 bytes!");
        let list = Message::List { from: 5, to: 9, runs: vec![run] };
        assert_eq!(list.encode(), b"\x07\x05\x04twelve bytes\x81\x48\x03");
        assert_eq!(Message::decode(b"\x63whatever"), Ok(None));
        assert!(Message::decode(b"").is_err());
    }
}
