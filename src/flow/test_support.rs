//! What the tests of this floor share: packets to look at, acknowledgements to give.

use bytes::Bytes;

use crate::base::Instant;
use crate::wire::{AckForm, AckHead, Chunk, Chunks, FragmentControl, UserData, encode_ack};

use super::*;

/// A moment, by milliseconds.
pub(super) const fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1000)
}

/// A User Data chunk that was sent, Next User Data resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) sequence: u64,
    pub(super) forward: u64,
    pub(super) control: FragmentControl,
    pub(super) abandoned: bool,
    pub(super) is_final: bool,
    pub(super) options: Option<Vec<u8>>,
    pub(super) data: Vec<u8>,
}

/// The User Data chunks of a packet without header.
pub(super) fn chunks_of(packet: &[u8]) -> Vec<Sent> {
    let mut previous: Option<UserData<'_>> = None;
    let mut sent = Vec::new();
    for raw in Chunks::new(packet) {
        let chunk = match Chunk::decode(raw).unwrap() {
            Chunk::UserData(chunk) => chunk,
            Chunk::NextUserData(next) => previous.unwrap().followed_by(&next).unwrap(),
            other => panic!("{other:?}"),
        };
        previous = Some(chunk);
        sent.push(Sent {
            sequence: chunk.sequence,
            forward: chunk.forward_sequence,
            control: chunk.fragment,
            abandoned: chunk.abandoned,
            is_final: chunk.is_final,
            options: chunk.options.map(<[u8]>::to_vec),
            data: chunk.data.to_vec(),
        });
    }
    sent
}

/// A session's part of a sending flow's life.
pub(super) struct Sender {
    pub(super) flow: SendFlow,
    pub(super) now: Instant,
    pub(super) tsn: u64,
    pub(super) max_tsn_ack: u64,
    pub(super) naks: Naks,
}

impl Sender {
    /// Flow 2 with metadata "m".
    pub(super) fn new(options: SendOptions) -> Self {
        let flow = SendFlow::open(2, b"m", None, options).unwrap();
        Self { flow, now: at(0), tsn: 1, max_tsn_ack: 0, naks: Naks::default() }
    }

    pub(super) fn write(&mut self, data: &[u8]) -> MessageId {
        self.flow.write(self.now, Bytes::copy_from_slice(data), Lifetime::UNLIMITED).unwrap()
    }

    /// One packet of at most `limit` bytes.
    pub(super) fn packet(&mut self, limit: usize) -> Vec<Sent> {
        let mut out = Vec::new();
        self.flow.assemble(self.now, &mut out, limit, &mut self.tsn);
        assert!(out.len() <= limit);
        chunks_of(&out)
    }

    /// One packet with room for many chunks: sequence and forward sequence numbers.
    pub(super) fn numbers(&mut self) -> Vec<(u64, u64)> {
        self.packet(1000).iter().map(|chunk| (chunk.sequence, chunk.forward)).collect()
    }

    /// A packet with one acknowledgement of everything up to `cumulative` and of `ranges`, with 64 blocks to spare.
    pub(super) fn ack(&mut self, cumulative: u64, ranges: &[(u64, u64)]) -> AckOutcome {
        self.ack_with(64, cumulative, ranges)
    }

    pub(super) fn ack_with(&mut self, buffer_blocks: u64, cumulative: u64, ranges: &[(u64, u64)]) -> AckOutcome {
        let mut packet = Vec::new();
        let head = AckHead { flow: self.flow.id(), buffer_blocks, cumulative };
        encode_ack(&mut packet, head, ranges.iter().map(|&(from, to)| from..=to), AckForm::Range, 1000);
        let chunk = Chunk::decode(Chunks::new(&packet).next().unwrap()).unwrap();
        let Chunk::RangeAck(ack) = chunk else { panic!("{chunk:?}") };
        let outcome = self.flow.on_ack(self.now, &ack);
        self.max_tsn_ack = self.max_tsn_ack.max(outcome.max_tsn);
        self.naks = self.flow.on_naks(self.max_tsn_ack);
        outcome
    }

    pub(super) fn events(&mut self) -> Vec<SendEvent> {
        std::iter::from_fn(|| self.flow.poll()).collect()
    }
}

/// A plain chunk of flow 3.
pub(super) const fn chunk(sequence: u64, forward_sequence: u64, data: &[u8]) -> UserData<'_> {
    UserData {
        flow: 3,
        sequence,
        forward_sequence,
        fragment: FragmentControl::Whole,
        abandoned: false,
        is_final: false,
        options: None,
        data,
    }
}

/// The option list of a flow with metadata "m".
pub(super) const METADATA: Option<&[u8]> = Some(&[2, 0, b'm']);

/// Flow 3, accepted, with the given limits.
pub(super) fn receiver(order: Order, limits: ReceiveLimits) -> RecvFlow {
    let mut flow = RecvFlow::open(&UserData { options: METADATA, ..chunk(1, 0, b"") }, limits, |_| false);
    assert!(flow.is_open());
    flow.accept(order, limits);
    flow
}

/// Takes the acknowledgement: blocks, everything up to, ranges above that.
pub(super) fn take_ack(flow: &mut RecvFlow) -> (u64, u64, Vec<(u64, u64)>) {
    let mut packet = Vec::new();
    assert!(flow.should_ack() && flow.put_ack(&mut packet, 1000, AckForm::Compact, Fit::Truncated));
    assert!(!flow.should_ack());
    let last = Chunks::new(&packet).last().unwrap();
    let (Chunk::RangeAck(ack) | Chunk::BitmapAck(ack)) = Chunk::decode(last).unwrap() else { panic!("{last:?}") };
    assert_eq!(ack.flow, flow.id());
    (ack.buffer_available / 1024, ack.cumulative, ack.ranges().map(std::ops::RangeInclusive::into_inner).collect())
}

/// What the user gets: messages as text, gaps as "lost first-last".
pub(super) fn told(flow: &mut RecvFlow) -> Vec<String> {
    std::iter::from_fn(|| flow.poll())
        .map(|event| match event {
            RecvEvent::Message { data, .. } => String::from_utf8_lossy(&data).into_owned(),
            RecvEvent::Lost { first, last } => format!("lost {first}-{last}"),
            other => format!("{other:?}"),
        })
        .collect()
}
