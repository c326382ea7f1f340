//! RFC 7016 appendix A.2.

use super::{Controller, Feedback, additive_increase, gentle_increase, initial_window};

/// Above this many bytes outstanding a loss costs an eighth instead of half: the point where 1 % exceeds 768 bytes.
const SCALABLE: usize = 67_200;

/// The RFC's example algorithm, figures 24 and 25 to the letter.
#[derive(Debug)]
pub struct AppendixA {
    segment: usize,
    window: usize,
    threshold: usize,
    accumulator: usize,
}

impl AppendixA {
    /// In slow start with CWND_INIT.
    #[must_use]
    pub fn new(segment: usize) -> Self {
        Self { segment, window: initial_window(segment), threshold: usize::MAX, accumulator: 0 }
    }
}

impl Controller for AppendixA {
    fn window(&self) -> usize {
        self.window
    }

    fn threshold(&self) -> usize {
        self.threshold
    }

    fn on_feedback(&mut self, feedback: &Feedback) {
        let before = feedback.pre_ack_outstanding;
        let fastgrow = feedback.critical.fastgrow;
        let tc_sent = feedback.critical.sent;
        if feedback.lost > 0 || feedback.marked {
            let kept = if tc_sent || (before > SCALABLE && fastgrow) {
                before / 8 * 7 + before % 8 * 7 / 8
            } else {
                before / 2
            };
            self.threshold = kept.max(initial_window(self.segment));
            self.window = self.threshold;
            self.accumulator = 0;
        } else if feedback.acks && !feedback.naks && before >= self.window {
            let increase = if !fastgrow {
                gentle_increase(&mut self.accumulator, feedback.acked, self.window, self.threshold, tc_sent)
            } else if self.window < self.threshold {
                feedback.acked
            } else {
                additive_increase(&mut self.accumulator, feedback.acked, self.window, 4800, 48)
            };
            self.window = (self.window + increase.min(self.segment)).max(initial_window(self.segment));
        }
    }

    fn on_timeout(&mut self, was_loss: bool) {
        self.threshold = self.threshold.max(self.window / 4 * 3 + self.window % 4 * 3 / 4);
        self.accumulator = 0;
        self.window = if was_loss { self.segment } else { initial_window(self.segment) };
    }

    fn set_segment(&mut self, segment: usize) {
        self.segment = segment;
        self.window = self.window.max(segment);
    }

    fn drain(&mut self, pre_ack_outstanding: usize) {
        self.threshold = self.window;
        self.window = (pre_ack_outstanding / 32 * 21).max(initial_window(self.segment));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Feedback, TimeCritical};
    use super::*;
    use crate::base::Instant;

    fn feedback(acked: usize, before: usize) -> Feedback {
        Feedback {
            now: Instant::ZERO,
            acked,
            lost: 0,
            lost_newest: 0,
            acks: acked > 0,
            naks: false,
            marked: false,
            pre_ack_outstanding: before,
            outstanding: before - acked,
            newest_acked: 0,
            next_tsn: 1,
            rtt: None,
            srtt: None,
            base_rtt: None,
            limited: true,
            paced: false,
            critical: TimeCritical::NONE,
        }
    }

    const TC_SENT: TimeCritical = TimeCritical { sent: true, fastgrow: false };
    const REVERSE: TimeCritical = TimeCritical { sent: false, fastgrow: false };

    #[test]
    fn slow_start_grows_by_what_is_acknowledged_at_most_a_segment_a_packet() {
        let mut control = AppendixA::new(1460);
        assert_eq!(control.window(), 4380);
        control.on_feedback(&feedback(1000, 4380));
        assert_eq!(control.window(), 5380);
        control.on_feedback(&feedback(2920, 5380));
        assert_eq!(control.window(), 5380 + 1460);
        control.on_feedback(&feedback(1000, 6839));
        assert_eq!(control.window(), 6840, "a window that was not full does not grow");
        control.on_feedback(&Feedback { naks: true, ..feedback(1000, 6840) });
        assert_eq!(control.window(), 6840, "nor after a negative acknowledgement");
    }

    #[test]
    fn loss_costs_half_of_a_small_window_and_an_eighth_of_a_large_one() {
        let lost = |before, critical| {
            let mut control = AppendixA::new(1460);
            control.on_feedback(&Feedback { lost: 1460, critical, ..feedback(0, before) });
            (control.window(), control.threshold())
        };
        assert_eq!(lost(60_000, TimeCritical::NONE), (30_000, 30_000));
        assert_eq!(lost(67_208, TimeCritical::NONE), (58_807, 58_807));
        assert_eq!(lost(67_208, REVERSE), (33_604, 33_604));
        assert_eq!(lost(40_000, TC_SENT), (35_000, 35_000));
        assert_eq!(lost(5_000, TimeCritical::NONE), (4380, 4380));
    }

    #[test]
    fn additive_increase_is_768_bytes_or_one_percent_a_round() {
        let round = |window: usize, critical| {
            let mut control = AppendixA::new(1460);
            control.on_feedback(&Feedback { lost: 1, critical: TC_SENT, ..feedback(0, window * 8 / 7) });
            let start = control.window();
            let mut left = start;
            while left > 0 {
                let acked = left.min(1000);
                control.on_feedback(&Feedback { critical, ..feedback(acked, control.window()) });
                left -= acked;
            }
            control.window() - start
        };
        assert!((720..=768).contains(&round(30_000, TimeCritical::NONE)), "{}", round(30_000, TimeCritical::NONE));
        assert!((1900..=2000).contains(&round(200_000, TimeCritical::NONE)));
        assert!((360..=384).contains(&round(30_000, TC_SENT)));
        assert!((1900..=2000).contains(&round(200_000, TC_SENT)), "1 % as A.1 says");
        assert!((360..=384).contains(&round(30_000, REVERSE)));
        assert!((950..=1000).contains(&round(200_000, REVERSE)), "0.5 %");
    }

    #[test]
    fn reverse_notification_disables_slow_start_and_sending_critical_data_slows_it() {
        let mut control = AppendixA::new(1460);
        control.on_feedback(&Feedback { critical: REVERSE, ..feedback(1000, 4380) });
        assert_eq!(control.window(), 4380 + 3 * 24);
        let mut control = AppendixA::new(1460);
        control.on_feedback(&Feedback { critical: TC_SENT, ..feedback(1001, 4380) });
        assert_eq!(control.window(), 4380 + 251);
    }

    #[test]
    fn a_timeout_with_loss_leaves_one_segment_and_without_the_initial_window() {
        let mut control = AppendixA::new(1460);
        control.on_feedback(&Feedback { lost: 1, ..feedback(0, 100_000) });
        control.on_timeout(true);
        assert_eq!((control.window(), control.threshold()), (1460, 87_500));
        control.on_timeout(false);
        assert_eq!((control.window(), control.threshold()), (4380, 87_500));
    }
}
