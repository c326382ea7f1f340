//! Hearing congestion as delay, before loss (flash-profile notes section 8.2, as rtmfp-cpp does).

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Instant;

use super::Controller;

const BUCKET: Duration = Duration::from_secs(30);
const BUCKETS: usize = 6;
/// Below this, delay says nothing: the 4 ms ticks and the receiver's scheduling are as large.
const MIN_RTT: Duration = Duration::from_millis(32);
/// Round trips between two probes for the base.
const PROBE_ROUNDS: u32 = 60;

/// The shortest round trip of the last three minutes.
#[derive(Debug, Default)]
pub struct BaseRtt {
    buckets: VecDeque<(Instant, Duration)>,
}

impl BaseRtt {
    /// Takes a sample.
    pub fn on_sample(&mut self, now: Instant, rtt: Duration) {
        match self.buckets.back_mut() {
            Some((since, shortest)) if now - *since < BUCKET => *shortest = rtt.min(*shortest),
            _ => {
                self.buckets.push_back((now, rtt));
                while self.buckets.len() > BUCKETS {
                    self.buckets.pop_front();
                }
            }
        }
    }

    /// The shortest, if anything was measured.
    #[must_use]
    pub fn get(&self) -> Option<Duration> {
        self.buckets.iter().map(|&(_, rtt)| rtt).min()
    }

    /// Forgets all: the path may be another one.
    pub fn clear(&mut self) {
        self.buckets.clear();
    }
}

/// Declares congestion when the round trip exceeds its base by a threshold.
#[derive(Debug)]
pub struct DelayDetector {
    threshold: Option<Duration>,
    base: BaseRtt,
    quiet_since: Instant,
}

impl DelayDetector {
    /// A detector; without a threshold it never speaks. 100 ms is a good one.
    #[must_use]
    pub fn new(now: Instant, threshold: Option<Duration>) -> Self {
        Self { threshold, base: BaseRtt::default(), quiet_since: now }
    }

    /// Takes a round-trip sample; whether to act as for loss.
    pub fn on_sample(&mut self, now: Instant, rtt: Duration, srtt: Duration) -> bool {
        let Some(threshold) = self.threshold else { return false };
        self.base.on_sample(now, rtt);
        srtt >= MIN_RTT && self.base.get().is_some_and(|base| srtt > base + threshold)
    }

    /// Takes the disposition of a received packet and lets the queue drain now and then, so that a true base shows.
    pub fn on_feedback(
        &mut self,
        now: Instant,
        trouble: bool,
        srtt: Option<Duration>,
        before: usize,
        segment: usize,
        control: &mut dyn Controller,
    ) {
        if self.threshold.is_none() {
            return;
        }
        if trouble {
            self.quiet_since = now;
        }
        let window = control.window();
        let due = srtt.is_some_and(|srtt| now - self.quiet_since >= srtt * PROBE_ROUNDS);
        if due
            && self.base.get().is_some_and(|base| base > MIN_RTT)
            && window > 4 * segment
            && window > control.threshold()
            && before > window / 2
        {
            self.quiet_since = now;
            control.drain(before);
        }
    }

    /// After a timeout, a window at its minimum, or a new path: the base is unknown.
    pub fn reset(&mut self) {
        self.base.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn speaks_only_above_base_plus_threshold() {
        let mut detector = DelayDetector::new(at(0), Some(Duration::from_millis(100)));
        let ms = Duration::from_millis;
        assert!(!detector.on_sample(at(0), ms(40), ms(40)));
        assert!(!detector.on_sample(at(1), ms(140), ms(140)));
        assert!(detector.on_sample(at(2), ms(200), ms(141)));
        detector.reset();
        assert!(!detector.on_sample(at(3), ms(200), ms(200)), "the base is unknown again");
        let mut off = DelayDetector::new(at(0), None);
        off.on_sample(at(0), ms(1), ms(1));
        assert!(!off.on_sample(at(1), ms(9000), ms(9000)));
    }

    #[test]
    fn the_base_forgets_after_three_minutes() {
        let mut base = BaseRtt::default();
        base.on_sample(at(0), Duration::from_millis(10));
        for second in 1..=180 {
            base.on_sample(at(second), Duration::from_millis(50));
        }
        assert_eq!(base.get(), Some(Duration::from_millis(50)));
    }
}
