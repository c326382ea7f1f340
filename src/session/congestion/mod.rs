//! Congestion control as a replaceable part (RFC 7016 section 3.5.2).
//!
//! A [`Controller`] owns the transmission budget of one session. Two are here: [`AppendixA`], the RFC's own algorithm to
//! the letter, and [`Cubic`], the default, for bulk on long paths. Both honour time-critical notification (section
//! 3.5.2.1). What is outside a controller: finding losses (flows and `transmissions`), spacing packets out ([`Pacer`]),
//! hearing congestion before loss ([`DelayDetector`], ECN reports).

mod appendix_a;
mod cubic;
mod delay;
mod hystart;
mod pacer;

use std::fmt::Debug;
use std::time::Duration;

use crate::base::Instant;

pub use appendix_a::AppendixA;
pub use cubic::Cubic;
pub use delay::{BaseRtt, DelayDetector};
pub use pacer::Pacer;

/// Which controller a session uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// RFC 9438 with HyStart++ (RFC 9406), proportional rate reduction and a milder answer to loss without a queue.
    #[default]
    Cubic,
    /// RFC 7016 appendix A.2.
    AppendixA,
}

impl Algorithm {
    /// A fresh controller for packets with `segment` bytes of chunks.
    #[must_use]
    pub fn controller(self, segment: usize) -> Box<dyn Controller> {
        match self {
            Self::Cubic => Box::new(Cubic::new(segment)),
            Self::AppendixA => Box::new(AppendixA::new(segment)),
        }
    }
}

/// The two conditions of time-critical notification, each true for 800 ms after its cause (sections 2.2.4, A.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCritical {
    /// `TC_SENT`: time-critical data went out on this session.
    pub sent: bool,
    /// `FASTGROW_ALLOWED`: no reverse notification came in on this session, no time-critical data went out on any.
    pub fastgrow: bool,
}

impl TimeCritical {
    /// Nothing time-critical anywhere.
    pub const NONE: Self = Self { sent: false, fastgrow: true };
}

/// What one received packet told about the data outstanding, after all its chunks were processed.
#[derive(Debug, Clone)]
pub struct Feedback {
    /// The time of receipt.
    pub now: Instant,
    /// `ACKED_BYTES_THIS_PACKET`.
    pub acked: usize,
    /// Bytes found lost by this packet.
    pub lost: usize,
    /// The newest transmission among them; 0 if none.
    pub lost_newest: u64,
    /// `ANY_ACKS`.
    pub acks: bool,
    /// `ANY_NAKS`.
    pub naks: bool,
    /// Congestion heard of without loss: an ECN report or a long queue. Answered like loss.
    pub marked: bool,
    /// `PRE_ACK_OUTSTANDING`.
    pub pre_ack_outstanding: usize,
    /// Bytes outstanding now.
    pub outstanding: usize,
    /// `MAX_TSN_ACK`.
    pub newest_acked: u64,
    /// `NEXT_TSN`.
    pub next_tsn: u64,
    /// A round trip measured in microseconds by this packet's acknowledgements.
    pub rtt: Option<Duration>,
    /// The smoothed round trip.
    pub srtt: Option<Duration>,
    /// The shortest round trip of the last minutes, in microseconds.
    pub base_rtt: Option<Duration>,
    /// Whether data waited for the budget when we last sent.
    pub limited: bool,
    /// Whether transmissions are paced, so that many acknowledged bytes at once cause no burst.
    pub paced: bool,
    /// Time-critical notification.
    pub critical: TimeCritical,
}

/// The transmission budget of a session: a congestion window in bytes of encoded chunks.
pub trait Controller: Send + Debug {
    /// Data may be sent while less than this is outstanding.
    fn window(&self) -> usize;
    /// Where slow start ends; `usize::MAX` before the first loss.
    fn threshold(&self) -> usize;
    /// Digests a received packet.
    fn on_feedback(&mut self, feedback: &Feedback);
    /// TIMEOUT_ALARM fired; `was_loss` if anything had been outstanding (section 3.6.2.6).
    fn on_timeout(&mut self, was_loss: bool);
    /// A packet with this many bytes of user data chunks goes out.
    fn on_sent(&mut self, bytes: usize) {
        let _ = bytes;
    }
    /// Packets hold this many bytes of chunks from now on.
    fn set_segment(&mut self, segment: usize);
    /// Whether somebody else bounds what is on its way by how long it waits, over several sessions: then a window may begin
    /// wider, and light loss need not cut it.
    fn set_bounded(&mut self, bounded: bool) {
        let _ = bounded;
    }
    /// Lets the queue in the network drain for a moment, so that a true base round trip shows.
    fn drain(&mut self, pre_ack_outstanding: usize);
    /// How many times faster than a window per round trip packets may leave, in percent.
    fn pacing_gain(&self) -> u32 {
        if self.window() < self.threshold() { 200 } else { 125 }
    }
}

/// `CWND_INIT`: RFC 5681 section 3.1, three segments of the size we use.
fn initial_window(segment: usize) -> usize {
    match segment {
        0..=1095 => 4 * segment,
        1096..=2190 => 3 * segment,
        _ => 2 * segment,
    }
}

/// Appendix A's additive increase: `step` bytes for each MIN(MAX(CWND/16, 64), `cap`) acknowledged.
fn additive_increase(accumulator: &mut usize, acked: usize, window: usize, cap: usize, step: usize) -> usize {
    *accumulator = accumulator.saturating_add(acked);
    let threshold = (window / 16).max(64).min(cap);
    let steps = *accumulator / threshold;
    *accumulator %= threshold;
    steps * step
}

/// Appendix A's increase where FASTGROW_ALLOWED is false: at most 0.5 % (1 % while sending time-critical data) or 384
/// bytes a round trip; slow start only while sending time-critical data, at a quarter (section 3.5.2.1).
fn gentle_increase(accumulator: &mut usize, acked: usize, window: usize, threshold: usize, tc_sent: bool) -> usize {
    if tc_sent && window < threshold {
        return acked.div_ceil(4);
    }
    additive_increase(accumulator, acked, window, if tc_sent { 2400 } else { 4800 }, 24)
}
