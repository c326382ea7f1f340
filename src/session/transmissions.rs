//! When which transmission sequence numbers left: round trips in microseconds, and loss by time.
//!
//! Adds to RFC 7016 section 3.6.2.5 (three negative acknowledgements) the rule of RFC 8985: a fragment is lost, too, when
//! one that left a reordering window later is acknowledged. At the tail of a transfer there are no three more
//! acknowledgements to come, and waiting for ERTO would stall it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Instant;

/// Batches remembered at most; beyond them the oldest gives no sample any more.
const MAX_BATCHES: usize = 1 << 16;

/// The batches of packets that may still be acknowledged, in order.
#[derive(Debug, Default)]
pub(super) struct Transmissions {
    batches: VecDeque<Batch>,
    /// Bytes to be sent again; while there are any, a batch may hold what was sent before.
    to_repeat: usize,
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    first: u64,
    at: Instant,
    /// An acknowledgement may be for an earlier transmission: no round trip follows from it.
    repeated: bool,
}

/// What the newest acknowledgement means for time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acked {
    /// The round trip, unless something in the batch had been sent before.
    pub(super) rtt: Option<Duration>,
    /// What was sent before this number is acknowledged or lost.
    pub(super) lost_below: u64,
}

impl Transmissions {
    /// A batch left, `bytes` of chunks long, whose first number is `first`.
    pub(super) fn on_sent(&mut self, now: Instant, first: u64, bytes: usize) {
        if self.batches.len() == MAX_BATCHES {
            self.batches.pop_front();
        }
        self.batches.push_back(Batch { first, at: now, repeated: self.to_repeat > 0 });
        self.to_repeat = self.to_repeat.saturating_sub(bytes);
    }

    /// So many bytes will be sent again.
    pub(super) fn on_lost(&mut self, bytes: usize) {
        self.to_repeat += bytes;
    }

    /// `newest` is the highest number acknowledged, and higher than ever before; `window` is how much later a packet may
    /// overtake another.
    pub(super) fn on_acked(&mut self, now: Instant, newest: u64, window: Duration) -> Acked {
        let behind = self.batches.partition_point(|batch| batch.first <= newest);
        let Some(batch) = behind.checked_sub(1).and_then(|at| self.batches.get(at)).copied() else {
            return Acked { rtt: None, lost_below: 0 };
        };
        let horizon = batch.at.minus(window);
        let keep = self.batches.partition_point(|batch| batch.at < horizon);
        self.batches.drain(..keep.min(behind - 1));
        let lost_below = self.batches.front().map_or(0, |batch| batch.first);
        Acked { rtt: (!batch.repeated).then(|| now - batch.at), lost_below }
    }

    /// Everything in flight is lost, or the path is another one.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    const WINDOW: Duration = Duration::from_millis(10);

    #[test]
    fn what_left_a_window_before_the_newest_acknowledged_is_lost() {
        let mut sent = Transmissions::default();
        for (time, first) in [(0, 1), (5, 11), (20, 21), (25, 31)] {
            sent.on_sent(at(time), first, 1000);
        }
        assert_eq!(sent.on_acked(at(40), 12, WINDOW), Acked { rtt: Some(Duration::from_millis(35)), lost_below: 1 });
        assert_eq!(sent.on_acked(at(41), 25, WINDOW), Acked { rtt: Some(Duration::from_millis(21)), lost_below: 21 });
        assert_eq!(sent.on_acked(at(42), 33, WINDOW), Acked { rtt: Some(Duration::from_millis(17)), lost_below: 21 });
    }

    #[test]
    fn no_round_trip_from_what_was_sent_twice() {
        let mut sent = Transmissions::default();
        sent.on_sent(at(0), 1, 1000);
        sent.on_lost(1500);
        sent.on_sent(at(50), 2, 1000);
        sent.on_sent(at(60), 3, 1000);
        sent.on_sent(at(70), 4, 1000);
        assert_eq!(sent.on_acked(at(80), 2, WINDOW).rtt, None);
        assert_eq!(sent.on_acked(at(90), 3, WINDOW).rtt, None);
        assert_eq!(sent.on_acked(at(100), 4, WINDOW).rtt, Some(Duration::from_millis(30)));
    }
}
