//! CUBIC (RFC 9438) for bulk on long paths, within RFC 7016 section 3.5.2.
//!
//! - Slow start is HyStart++; a window grows by bytes acknowledged, so that it doubles in a round trip and never more
//!   than that (RFC 7016's bound), however many packets one acknowledgement covers.
//! - One cut per recovery period, and proportional rate reduction (RFC 9937) while it lasts.
//! - While time-critical notification rules, growth and cuts are appendix A's.
//!
//! Departs from RFC 9438 section 4.6 in the answer to loss without a queue: when under 2 % of the bytes of the last eight
//! rounds were lost (BBR's bound), the window is cut to what fits the path without a queue (as TCP Westwood does), if that is
//! more than 0.7; and not at all if the round trip is the base. At a full queue of any common size the cut is to 0.7 all
//! the same; where a radio or a bad cable loses packets at random the window stays.
//!
//! Where somebody else bounds what is on its way by how long packets wait, over all sessions of an uplink
//! ([`Controller::set_bounded`]), loss of under 2 %, or of two packets, is no reason to cut (as BBR has it): it is that bound
//! which keeps the queue short, and a window of a twentieth of the uplink cannot.

use std::time::Duration;

use crate::base::Instant;

use super::hystart::{Advice, HyStart};
use super::{Controller, Feedback, gentle_increase, initial_window};

const C: f64 = 0.4;
const BETA: f64 = 0.7;
/// Reno-friendly growth: 3 (1 - BETA) / (1 + BETA).
const ALPHA: f64 = 0.529_411_764_705_882_4;
/// Loss below one part in this many may be chance.
const CHANCE_DIVISOR: usize = 50;
/// Rounds over which the share of loss is taken: long enough for a burst not to look like more.
const MEMORY: usize = 8;
/// Round trips measured in a round before their least is believed.
const SAMPLES: u32 = 8;
/// Round trips within this part of the base, or this much, above it have met no queue.
const QUEUE_DIVISOR: u32 = 32;
const MIN_QUEUE: Duration = Duration::from_millis(1);
/// What a loss in slow start leaves of the window: it had doubled since the path was full.
const SLOW_START_BETA: f64 = 0.5;
/// HyStart++'s L without pacing: an acknowledgement grows the window by at most so many segments.
const UNPACED_LIMIT: usize = 8;

/// Segments of the window to begin with, and of the least after a silence, which are let out at the pace of the round trip.
/// RFC 6928 has ten; with twelve a message of 16 KiB goes out at once.
const FIRST: usize = 12;
/// The same where somebody else bounds what is on its way: as QUIC has it in Chromium.
const FIRST_BOUNDED: usize = 32;
/// Segments whose loss may be chance however few were sent, where somebody else bounds what is on its way.
const STRAY: usize = 2;

fn first_window(segment: usize, bounded: bool) -> usize {
    let count = if bounded { FIRST_BOUNDED } else { FIRST };
    (count * segment).min((count * 1_472).max(2 * segment))
}

/// The controller.
#[derive(Debug)]
pub struct Cubic {
    segment: usize,
    window: usize,
    threshold: usize,
    slow_start: HyStart,
    /// The window just before the last reduction, in bytes (`W_max` after fast convergence).
    w_max: f64,
    prior: f64,
    epoch: Option<Epoch>,
    recovery: Option<Recovery>,
    /// A reduction answers all loss of what was sent before this transmission.
    cut_until: u64,
    /// The queue that a cut was to empty is not empty before what was sent before this is acknowledged.
    settled: u64,
    round: Round,
    accumulator: usize,
    timed_out: bool,
    /// Somebody else bounds what is on its way, by delay.
    bounded: bool,
}

/// A period of congestion avoidance.
#[derive(Debug)]
struct Epoch {
    start: Instant,
    k: f64,
    w_est: f64,
    fraction: f64,
    last: Instant,
}

/// Proportional rate reduction after a cut.
#[derive(Debug)]
struct Recovery {
    flight: usize,
    delivered: usize,
    sent: usize,
}

/// What happened in this round trip, the one before it, and fading, in those before.
#[derive(Debug, Default)]
struct Round {
    end: u64,
    rtt: Option<Duration>,
    samples: u32,
    previous_rtt: Option<Duration>,
    acked: usize,
    lost: usize,
}

impl Round {
    fn on_feedback(&mut self, feedback: &Feedback) {
        if feedback.newest_acked >= self.end {
            self.end = feedback.next_tsn;
            self.previous_rtt = self.rtt.take().or(self.previous_rtt);
            self.samples = 0;
            self.acked -= self.acked / MEMORY;
            self.lost -= self.lost / MEMORY;
        }
        if let Some(rtt) = feedback.rtt {
            self.rtt = Some(self.rtt.map_or(rtt, |shortest| shortest.min(rtt)));
            self.samples += 1;
        }
        self.acked += feedback.acked;
        self.lost += feedback.lost;
    }

    /// What was lost until now has its answer.
    fn forget(&mut self) {
        (self.acked, self.lost) = (0, 0);
    }

    /// Whether what was lost is so small a part of what was sent, or of a window, that it may be chance.
    /// `stray` bytes may be chance in any case.
    fn is_light(&self, feedback: &Feedback, stray: usize) -> bool {
        let sent = (self.acked + self.lost).max(feedback.pre_ack_outstanding);
        !feedback.marked && self.lost <= (sent / CHANCE_DIVISOR).max(stray)
    }

    /// The part of the window to keep: `beta`, or more if the loss looks like chance.
    fn kept(&self, feedback: &Feedback, beta: f64) -> f64 {
        if !self.is_light(feedback, 0) {
            return beta;
        }
        // The least of a few samples says nothing where the path jitters.
        let now = self.rtt.filter(|_| self.samples >= SAMPLES);
        let (Some(base), Some(rtt)) = (feedback.base_rtt, now.or(self.previous_rtt)) else { return beta };
        if rtt <= base + (base / QUEUE_DIVISOR).max(MIN_QUEUE) {
            return 1.0;
        }
        (base.as_secs_f64() / rtt.as_secs_f64()).max(beta)
    }
}

impl Cubic {
    /// In slow start with the initial window.
    #[must_use]
    pub fn new(segment: usize) -> Self {
        Self {
            segment,
            window: first_window(segment, false),
            threshold: usize::MAX,
            slow_start: HyStart::default(),
            w_max: 0.0,
            prior: 0.0,
            epoch: None,
            recovery: None,
            cut_until: 0,
            settled: 0,
            round: Round::default(),
            accumulator: 0,
            timed_out: false,
            bounded: false,
        }
    }

    fn cut(&mut self, feedback: &Feedback) {
        let beta = if self.window < self.threshold { SLOW_START_BETA } else { BETA };
        let stray = STRAY * self.segment;
        let kept = match feedback.critical.sent {
            true => 7.0 / 8.0,
            false if self.bounded && self.round.is_light(feedback, stray) => 1.0,
            false => self.round.kept(feedback, beta),
        };
        if kept == 1.0 || (feedback.newest_acked < self.settled && self.round.is_light(feedback, 0)) {
            return;
        }
        self.cut_until = feedback.next_tsn;
        // A window that nobody filled was not what the path refused.
        let window = if feedback.limited { self.window } else { self.window.min(feedback.pre_ack_outstanding) } as f64;
        // Fast convergence (section 4.7): a window that shrinks leaves room for newcomers sooner.
        self.w_max = if window < self.w_max && kept <= BETA { window * (1.0 + BETA) / 2.0 } else { window };
        self.round.forget();
        self.prior = window;
        let floor = initial_window(self.segment).min(self.window);
        self.threshold = ((window * kept) as usize).max(floor);
        self.epoch = None;
        self.accumulator = 0;
        self.recovery =
            Some(Recovery { flight: feedback.pre_ack_outstanding.max(1), delivered: feedback.acked, sent: 0 });
        self.reduce(feedback, self.segment);
    }

    /// RFC 9937: lets out in proportion to what arrives, down to the threshold. Where much was lost at once the window is
    /// the threshold; it is pacing that keeps the burst away, not a second slow start.
    fn reduce(&mut self, feedback: &Feedback, at_least: usize) {
        let Some(recovery) = &self.recovery else { return };
        self.window = if feedback.outstanding > self.threshold {
            let allowed = recovery.delivered as u128 * self.threshold as u128 / recovery.flight as u128;
            feedback.outstanding + (allowed as usize).saturating_sub(recovery.sent).max(at_least)
        } else {
            self.threshold
        };
    }

    fn grow(&mut self, feedback: &Feedback) {
        let critical = feedback.critical;
        if !critical.fastgrow {
            let increase =
                gentle_increase(&mut self.accumulator, feedback.acked, self.window, self.threshold, critical.sent);
            self.window += increase.min(self.segment);
            self.epoch = None;
        } else if self.window < self.threshold {
            match self.slow_start.on_feedback(feedback) {
                Advice::Leave => self.threshold = self.window,
                Advice::Grow(bytes) => {
                    let limit = if feedback.paced { usize::MAX } else { UNPACED_LIMIT * self.segment };
                    self.window += bytes.min(limit.max(feedback.acked / 2));
                }
            }
        } else {
            self.avoid(feedback);
        }
    }

    /// Congestion avoidance, RFC 9438 sections 4.2 to 4.5, in bytes.
    fn avoid(&mut self, feedback: &Feedback) {
        let segment = self.segment as f64;
        let window = self.window as f64;
        let now = feedback.now;
        let (w_max, prior) = (&mut self.w_max, self.prior);
        let epoch = self.epoch.get_or_insert_with(|| {
            // Slow start that ended without a loss has no plateau to return to.
            *w_max = w_max.max(window);
            Epoch { start: now, k: ((*w_max - window) / segment / C).cbrt(), w_est: window, fraction: 0.0, last: now }
        });
        epoch.last = now;
        let time = (now - epoch.start + feedback.srtt.unwrap_or_default()).as_secs_f64() - epoch.k;
        let target = (C * time.powi(3) * segment + self.w_max).clamp(window, 1.5 * window);
        let alpha = if epoch.w_est < prior { ALPHA } else { 1.0 };
        epoch.w_est += alpha * segment * feedback.acked as f64 / window;
        let wanted = (target - window) / window * feedback.acked as f64;
        let growth = wanted.max(epoch.w_est - window).min(feedback.acked as f64) + epoch.fraction;
        epoch.fraction = growth.fract();
        self.window += growth as usize;
    }
}

impl Controller for Cubic {
    fn window(&self) -> usize {
        self.window
    }

    fn threshold(&self) -> usize {
        self.threshold
    }

    fn on_feedback(&mut self, feedback: &Feedback) {
        self.round.on_feedback(feedback);
        if feedback.acks {
            self.timed_out = false;
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.delivered += feedback.acked;
            if feedback.newest_acked >= self.cut_until {
                self.recovery = None;
                self.window = self.threshold;
                self.settled = feedback.next_tsn;
                self.round.forget();
            }
        }
        let answered = feedback.lost_newest < self.cut_until;
        let news = (feedback.lost > 0 && !answered) || (feedback.marked && feedback.newest_acked >= self.cut_until);
        if news {
            self.cut(feedback);
        } else if self.recovery.is_some() {
            self.reduce(feedback, 0);
        } else if feedback.acks && feedback.limited && feedback.pre_ack_outstanding >= self.window / 2 {
            self.grow(feedback);
        } else if let Some(epoch) = &mut self.epoch {
            // Time in which nothing wanted to be sent does not count (section 5.8).
            epoch.start += feedback.now - epoch.last;
            epoch.last = feedback.now;
        }
    }

    fn on_timeout(&mut self, was_loss: bool) {
        if was_loss {
            if !self.timed_out {
                self.w_max = self.window as f64;
                self.prior = self.w_max;
                self.threshold = ((self.w_max * BETA) as usize).max(2 * self.segment);
            }
            self.timed_out = true;
            self.window = self.segment;
        } else {
            self.threshold = self.threshold.max(self.window / 4 * 3);
            // As RFC 2861: what has not been used for a while may be half as much.
            self.window = first_window(self.segment, self.bounded).max(self.window / 2);
        }
        self.slow_start = HyStart::default();
        self.recovery = None;
        self.epoch = None;
        self.accumulator = 0;
    }

    fn on_sent(&mut self, bytes: usize) {
        if let Some(recovery) = &mut self.recovery {
            recovery.sent += bytes;
        }
    }

    fn set_bounded(&mut self, bounded: bool) {
        self.bounded = bounded;
        // Before the first loss.
        if bounded && self.threshold == usize::MAX {
            self.window = self.window.max(first_window(self.segment, true));
        }
    }

    fn set_segment(&mut self, segment: usize) {
        self.segment = segment;
        self.window = self.window.max(segment);
    }

    fn drain(&mut self, pre_ack_outstanding: usize) {
        self.threshold = self.window;
        self.window = (pre_ack_outstanding / 32 * 21).max(initial_window(self.segment));
        self.epoch = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::TimeCritical;
    use super::*;

    const SEGMENT: usize = 1400;
    const BASE: Duration = Duration::from_millis(100);

    /// A path of `BASE` that carries what the window holds, a packet acknowledged at a time.
    struct Path {
        control: Cubic,
        now: Instant,
        tsn: u64,
        rtt: Duration,
    }

    impl Path {
        fn new() -> Self {
            Self { control: Cubic::new(SEGMENT), now: Instant::ZERO, tsn: 1, rtt: BASE }
        }

        fn feedback(&self) -> Feedback {
            let window = self.control.window();
            Feedback {
                now: self.now,
                acked: SEGMENT,
                lost: 0,
                lost_newest: 0,
                acks: true,
                naks: false,
                marked: false,
                pre_ack_outstanding: window,
                outstanding: window - SEGMENT.min(window),
                newest_acked: self.tsn,
                next_tsn: self.tsn + (window / SEGMENT) as u64,
                rtt: Some(self.rtt),
                srtt: Some(self.rtt),
                base_rtt: Some(BASE),
                limited: true,
                paced: true,
                critical: TimeCritical::NONE,
            }
        }

        fn round(&mut self) {
            let packets = (self.control.window() / SEGMENT).max(1) as u32;
            for _ in 0..packets {
                self.tsn += 1;
                self.now += self.rtt / packets;
                self.control.on_feedback(&self.feedback());
                self.control.on_sent(SEGMENT);
            }
        }

        /// Some packets sent a round trip ago turn out lost.
        fn lose(&mut self, packets: usize) {
            self.tsn += packets as u64 + 1;
            let lost = packets * SEGMENT;
            self.control.on_feedback(&Feedback { lost, lost_newest: self.tsn - 1, naks: true, ..self.feedback() });
        }

        fn rounds(&mut self, count: u32) {
            (0..count).for_each(|_| self.round());
        }
    }

    #[test]
    fn slow_start_doubles_a_round_and_never_more() {
        let mut path = Path::new();
        for _ in 0..8 {
            let before = path.control.window();
            path.round();
            let after = path.control.window();
            assert!(after > before * 19 / 10 && after <= before * 2, "{before} {after}");
        }
    }

    #[test]
    fn a_queue_that_grows_ends_slow_start_in_a_few_rounds() {
        let mut path = Path::new();
        path.rounds(6);
        path.rtt = BASE + Duration::from_millis(14);
        let before = path.control.window();
        path.rounds(7);
        assert!(path.control.threshold() < usize::MAX);
        assert!(path.control.window() < before * 6, "a quarter as fast meanwhile: {}", path.control.window());
        let left = path.control.window();
        path.round();
        assert!(path.control.window() < left * 11 / 10);
    }

    /// In congestion avoidance with a window of about 400 packets.
    fn avoiding() -> Path {
        let mut path = Path::new();
        path.rounds(5);
        path.rtt = BASE * 2;
        path.lose(40);
        path.rounds(3);
        assert!(path.control.recovery.is_none());
        path
    }

    #[test]
    fn a_recovery_period_has_one_cut() {
        let mut path = avoiding();
        let before = path.control.window();
        path.lose(20);
        let threshold = path.control.threshold();
        assert!(threshold.abs_diff(before * 7 / 10) < SEGMENT, "{before} {threshold}");
        path.lose(20);
        path.lose(20);
        assert_eq!(path.control.threshold(), threshold, "more of the same period");
        path.rounds(3);
        assert!(path.control.window() >= threshold);
        path.lose(20);
        assert!(path.control.threshold() < threshold, "a new period");
    }

    #[test]
    fn a_stray_loss_without_a_queue_costs_nothing_and_with_a_short_one_only_the_queue() {
        let mut path = avoiding();
        path.rtt = BASE;
        path.rounds(10);
        let before = path.control.window();
        path.lose(1);
        assert!(path.control.window() >= before);
        path.rtt = BASE * 5 / 4;
        path.rounds(2);
        let before = path.control.window();
        path.lose(1);
        let threshold = path.control.threshold();
        assert!(threshold.abs_diff(before * 4 / 5) < SEGMENT, "{before} {threshold}");
        path.rtt = BASE;
        path.rounds(10);
        let before = path.control.window();
        path.lose(before / SEGMENT / 10);
        assert!(path.control.threshold().abs_diff(before * 7 / 10) < SEGMENT, "a tenth of a window is no stray loss");
    }

    #[test]
    fn where_somebody_else_bounds_what_is_on_its_way_stray_loss_costs_nothing_and_more_does() {
        let mut path = Path::new();
        path.control.set_bounded(true);
        assert_eq!(path.control.window(), FIRST_BOUNDED * SEGMENT);
        path.rounds(2);
        path.rtt = BASE * 2;
        path.rounds(10);
        let before = path.control.window();
        path.lose(2);
        assert!(path.control.window() >= before, "two packets of a window are no sign");
        path.rounds(10);
        let before = path.control.window();
        path.lose(before / SEGMENT / 4);
        assert!(path.control.threshold() < before * 8 / 10, "a quarter is one");
        path.rounds(10);
        path.control.set_bounded(false);
        let before = path.control.window();
        path.lose(2);
        assert!(path.control.threshold() < before, "and any is, if nobody bounds it");
    }

    #[test]
    fn growth_is_slow_near_the_old_window_and_fast_beyond() {
        let mut path = avoiding();
        path.rounds(20);
        let before = path.control.window();
        path.lose(before / SEGMENT / 10);
        path.rounds(2);
        path.rtt = BASE;
        let growth = |path: &mut Path| {
            let start = path.control.window();
            path.rounds(10);
            path.control.window() - start
        };
        let growths: Vec<usize> = (0..12).map(|_| growth(&mut path)).collect();
        let slowest = growths.iter().min().copied().unwrap_or_default();
        assert!(growths[0] > 3 * slowest && growths[11] > 3 * slowest, "{growths:?}");
        assert!(path.control.window() > before);
    }

    #[test]
    fn nothing_grows_while_nothing_waits() {
        let mut path = avoiding();
        let before = path.control.window();
        for _ in 0..1000 {
            path.tsn += 1;
            path.now += Duration::from_millis(10);
            path.control.on_feedback(&Feedback { limited: false, ..path.feedback() });
        }
        assert_eq!(path.control.window(), before);
        path.round();
        assert!(path.control.window() < before * 11 / 10, "nor all at once afterwards");
    }

    #[test]
    fn while_sending_critical_data_a_cut_is_an_eighth() {
        let mut path = avoiding();
        let before = path.control.window();
        path.tsn += 20;
        let critical = TimeCritical { sent: true, fastgrow: false };
        let lost = Feedback { lost: 20 * SEGMENT, lost_newest: path.tsn - 1, critical, ..path.feedback() };
        path.control.on_feedback(&lost);
        assert!(path.control.threshold().abs_diff(before * 7 / 8) < SEGMENT);
    }

    #[test]
    fn repeated_timeouts_keep_the_threshold_of_the_first() {
        let mut path = avoiding();
        let before = path.control.window();
        path.control.on_timeout(true);
        let threshold = path.control.threshold();
        assert!(threshold.abs_diff(before * 7 / 10) < SEGMENT);
        path.control.on_timeout(true);
        assert_eq!((path.control.window(), path.control.threshold()), (SEGMENT, threshold));
    }
}
