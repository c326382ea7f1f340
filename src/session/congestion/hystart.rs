//! HyStart++ (RFC 9406): leaving slow start when the round trip grows, before loss.

use std::time::Duration;

use super::Feedback;

const MIN_THRESHOLD: Duration = Duration::from_millis(4);
const MAX_THRESHOLD: Duration = Duration::from_millis(16);
const THRESHOLD_DIVISOR: u32 = 8;
const SAMPLES: u32 = 8;
const CONSERVATIVE_DIVISOR: usize = 4;
const CONSERVATIVE_ROUNDS: u32 = 5;

/// The state of slow start: standard, conservative, or done.
#[derive(Debug, Default)]
pub(super) struct HyStart {
    round_end: u64,
    last: Option<Duration>,
    current: Option<Duration>,
    samples: u32,
    conservative: Option<Conservative>,
}

#[derive(Debug)]
struct Conservative {
    baseline: Duration,
    rounds: u32,
}

/// What slow start shall do with a packet's acknowledgements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Grow by so many bytes.
    Grow(usize),
    /// Slow start is over: the threshold is the present window.
    Leave,
}

impl HyStart {
    /// Takes a packet in slow start (section 4.2).
    pub(super) fn on_feedback(&mut self, feedback: &Feedback) -> Advice {
        if let Some(rtt) = feedback.rtt {
            self.current = Some(self.current.map_or(rtt, |current| current.min(rtt)));
            self.samples += 1;
        }
        if let (Some(current), true) = (self.current, self.samples >= SAMPLES) {
            match (&self.conservative, self.last) {
                (Some(conservative), _) if current < conservative.baseline => self.conservative = None,
                (None, Some(last)) => {
                    let threshold = (last / THRESHOLD_DIVISOR).clamp(MIN_THRESHOLD, MAX_THRESHOLD);
                    if current >= last + threshold {
                        self.conservative = Some(Conservative { baseline: current, rounds: 0 });
                    }
                }
                _ => {}
            }
        }
        if feedback.newest_acked >= self.round_end {
            self.round_end = feedback.next_tsn;
            self.last = self.current.take().or(self.last);
            self.samples = 0;
            if let Some(conservative) = &mut self.conservative {
                conservative.rounds += 1;
                if conservative.rounds >= CONSERVATIVE_ROUNDS {
                    *self = Self::default();
                    return Advice::Leave;
                }
            }
        }
        let divisor = if self.conservative.is_some() { CONSERVATIVE_DIVISOR } else { 1 };
        Advice::Grow(feedback.acked / divisor)
    }
}
