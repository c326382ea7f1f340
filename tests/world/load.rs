//! What peers send each other, so made that the receiver can tell whether it is right.

use bytes::Bytes;
use p2pt::flow::Order;
use std::collections::BTreeSet;
use std::time::Duration;

/// So many messages, each of a length that follows from its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Tells this load from others.
    pub(crate) seed: u64,
    /// How many messages.
    pub(crate) messages: u32,
    /// The length of the longest.
    pub(crate) longest: usize,
    /// Whether all are as long as the longest.
    pub(crate) uniform: bool,
    /// Time between two; none sends as fast as it goes.
    pub(crate) every: Option<Duration>,
}

impl Load {
    /// Messages of various lengths as fast as it goes.
    pub(crate) const fn new(seed: u64, messages: u32, longest: usize) -> Self {
        Self { seed, messages, longest, uniform: false, every: None }
    }

    /// So many bytes in long messages.
    pub(crate) const fn bulk(seed: u64, bytes: usize) -> Self {
        let longest = 8_192;
        Self { seed, messages: bytes.div_ceil(longest) as u32, longest, uniform: true, every: None }
    }

    /// A message each `every`.
    pub(crate) const fn paced(seed: u64, messages: u32, length: usize, every: Duration) -> Self {
        Self { seed, messages, longest: length, uniform: true, every: Some(every) }
    }

    /// A message: its number and bytes that follow from it.
    pub(crate) fn message(&self, number: u32) -> Bytes {
        let mut state = mix(self.seed ^ (u64::from(number) << 32));
        let spread = (self.longest - 4) as u64;
        let length = if self.uniform { self.longest } else { 4 + (state % (spread + 1)) as usize };
        let mut message = Vec::with_capacity(length + 8);
        message.extend_from_slice(&number.to_be_bytes());
        while message.len() < length {
            state = mix(state);
            message.extend_from_slice(&state.to_be_bytes());
        }
        message.truncate(length);
        message.into()
    }

    /// Where the far end gets to know which load a flow carries.
    pub(crate) fn metadata(&self) -> Vec<u8> {
        let mut metadata = b"load".to_vec();
        metadata.extend_from_slice(&self.seed.to_be_bytes());
        metadata
    }
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Harvest {
    load: Load,
    order: Order,
    seen: BTreeSet<u32>,
    /// Bytes delivered.
    pub(crate) bytes: usize,
    /// Whether the flow ended.
    pub(crate) finished: bool,
}

impl Harvest {
    pub(crate) const fn new(load: Load, order: Order) -> Self {
        Self { load, order, seen: BTreeSet::new(), bytes: 0, finished: false }
    }

    /// How many messages came.
    pub(crate) fn count(&self) -> usize {
        self.seen.len()
    }

    /// Takes a message, which has to be new, whole, right, and in order if the flow keeps it.
    pub(crate) fn take(&mut self, data: &[u8]) {
        let number = data.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).expect("a message has a number");
        assert!(!self.finished, "message {number} after the end");
        assert_eq!(data, self.load.message(number), "message {number} is corrupted");
        if self.order == Order::Original {
            assert_eq!(number as usize, self.seen.len(), "messages out of order");
        }
        assert!(self.seen.insert(number), "message {number} is delivered twice");
        self.bytes += data.len();
    }

    /// The flow is at its end: everything has to be there.
    pub(crate) fn finish(&mut self) {
        assert_eq!(self.seen.len(), self.load.messages as usize, "the flow ended early");
        self.finished = true;
    }
}

fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn a_harvest_notices_what_is_not_as_sent() {
    let load = Load::new(1, 3, 100);
    let (zero, one) = (load.message(0), load.message(1));
    let mut flipped = zero.to_vec();
    *flipped.last_mut().expect("it has bytes") ^= 1;
    let cases: [(&str, Order, Vec<&[u8]>); 5] = [
        ("twice", Order::AsReceived, vec![&zero, &zero]),
        ("out of order", Order::Original, vec![&one]),
        ("corrupted", Order::Original, vec![&flipped]),
        ("cut short", Order::Original, vec![&zero[..zero.len() - 1]]),
        ("ended early", Order::Original, vec![&zero, &one]),
    ];
    for (what, order, messages) in cases {
        let outcome = std::panic::catch_unwind(|| {
            let mut harvest = Harvest::new(load, order);
            messages.into_iter().for_each(|message| harvest.take(message));
            harvest.finish();
        });
        assert!(outcome.is_err(), "{what} goes unnoticed");
    }
}
