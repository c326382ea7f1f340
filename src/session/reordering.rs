//! How long a packet may be overtaken before it counts as lost, learnt from those that were given up too early.
//!
//! RFC 7016 section 3.6.2.5 asks (SHOULD) to take a fragment for lost with three negative acknowledgements. Departs from it once
//! packets have been seen to overtake each other: then, as in RFC 8985 sections 3.3 and 6.2, only time counts, and the time
//! grows as long as it turns out too short.

use std::time::Duration;

/// Less than this is no order at all.
const LEAST: Duration = Duration::from_millis(1);
/// Rounds with loss and none too early, after which the path counts as orderly again (RFC 8985: 16 recoveries).
const PATIENCE: u32 = 16;
/// The window grows by quarters of a round trip up to a whole one.
const MOST: u32 = 4;

/// What is known of the path's order.
#[derive(Debug, Default)]
pub(super) struct Reordering {
    /// Quarters of a round trip; 0 as long as the path keeps the order.
    quarters: u32,
    /// Rounds with loss since something came late.
    orderly: u32,
    /// The round ends with the acknowledgement of what was sent from here on.
    round: u64,
    late: bool,
    lost: bool,
}

impl Reordering {
    /// Whether packets overtake each other on this path.
    pub(super) const fn is_seen(&self) -> bool {
        self.quarters > 0
    }

    /// How much later a packet may leave and still arrive before another one.
    pub(super) fn window(&self, srtt: Duration) -> Duration {
        (srtt / 4 * self.quarters.max(1)).max(LEAST)
    }

    /// A packet of acknowledgements was read: `late` fragments came that had been found lost, `lost` whether some were found lost
    /// now.
    pub(super) fn on_feedback(&mut self, newest_acked: u64, next_tsn: u64, late: u32, lost: bool) {
        self.lost |= lost;
        // The first one says it; after that the window grows once a round, for all of a round is one experience.
        if late > 0 {
            self.late = true;
            self.quarters = self.quarters.max(1);
        }
        if newest_acked < self.round {
            return;
        }
        self.round = next_tsn;
        // What happened in this round says nothing about the next one.
        let (late, lost) = (std::mem::take(&mut self.late), std::mem::take(&mut self.lost));
        if late {
            self.quarters = (self.quarters + 1).min(MOST);
            self.orderly = 0;
        } else if lost && self.is_seen() {
            self.orderly += 1;
            if self.orderly >= PATIENCE {
                *self = Self { round: self.round, ..Self::default() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(100);

    #[test]
    fn a_loss_counts_for_its_own_round_only() {
        let mut order = Reordering::default();
        let mut tsn = 1;
        let mut round = |order: &mut Reordering, late, lost| {
            order.on_feedback(tsn, tsn + 10, late, lost);
            tsn += 10;
        };
        for _ in 0..2 * PATIENCE {
            round(&mut order, 1, true);
            round(&mut order, 0, false);
            assert_eq!(order.orderly, 0, "a round without loss proves nothing");
        }
        (0..PATIENCE - 1).for_each(|_| round(&mut order, 0, true));
        assert!(order.is_seen());
        round(&mut order, 0, true);
        assert!(!order.is_seen());
    }

    #[test]
    fn the_window_grows_with_the_rounds_in_which_it_was_too_short_and_is_forgotten_in_orderly_ones() {
        let mut order = Reordering::default();
        assert_eq!((order.is_seen(), order.window(RTT)), (false, RTT / 4));
        let mut tsn = 1;
        let mut round = |order: &mut Reordering, late, lost| {
            order.on_feedback(tsn, tsn + 10, late, lost);
            order.on_feedback(tsn + 5, tsn + 10, late, lost);
            tsn += 10;
        };
        round(&mut order, 3, true);
        assert!(order.is_seen());
        for quarters in [3, 4, 4] {
            round(&mut order, 1, true);
            assert_eq!(order.window(RTT), RTT / 4 * quarters);
        }
        (0..100).for_each(|_| round(&mut order, 0, false));
        (0..PATIENCE - 2).for_each(|_| round(&mut order, 0, true));
        assert!(order.is_seen());
        (0..3).for_each(|_| round(&mut order, 0, true));
        assert!(!order.is_seen());
    }
}
