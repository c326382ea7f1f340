//! Round-trip time: the timestamp echo facility, SRTT and the retransmission timeout (RFC 7016 section 3.5.2.2).

use std::time::Duration;

use super::congestion::BaseRtt;
use crate::base::Instant;

/// A timestamp is forgotten, and its echo no longer sent, after this long.
const TIMESTAMP_LIFE: Duration = Duration::from_secs(128);
/// One tick of the 250 Hz clock.
const TICK_MILLIS: u64 = 4;
/// What the receiver may delay an acknowledgement by; part of MRTO.
pub(super) const ACK_DELAY: Duration = Duration::from_millis(200);
/// ERTO is never below this.
const MIN_ERTO: Duration = Duration::from_millis(250);
/// ERTO before the first measurement.
pub(super) const INITIAL_ERTO: Duration = Duration::from_secs(3);
/// Backoff ends here, unless MRTO is longer.
const BACKOFF_CAP: Duration = Duration::from_secs(10);

/// The timestamps that pass both ways: what to put into the next packet's header, and what a header tells.
#[derive(Debug, Default, Clone)]
pub(super) struct Timestamps {
    received: Option<(u16, Instant)>,
    echo_sent: Option<u16>,
    sent: Option<u16>,
    echo_received: Option<u16>,
}

impl Timestamps {
    /// Takes the timestamp of an authentic packet. A repeated one is not a new start of its life.
    pub(super) fn on_timestamp(&mut self, now: Instant, timestamp: u16) {
        if self.received.is_none_or(|(last, _)| last != timestamp) {
            self.received = Some((timestamp, now));
        }
    }

    /// Takes the echo of an authentic packet; the round trip that it measures, if it is new and plausible.
    pub(super) fn on_echo(&mut self, now: Instant, echo: u16) -> Option<Duration> {
        if self.echo_received == Some(echo) {
            return None;
        }
        self.echo_received = Some(echo);
        let ticks = now.timestamp().wrapping_sub(echo);
        (ticks <= 32_767).then(|| Duration::from_millis(u64::from(ticks) * TICK_MILLIS))
    }

    /// Timestamp and echo for the header of a packet that goes out now; each only if it differs from the last sent.
    pub(super) fn stamp(&mut self, now: Instant) -> (Option<u16>, Option<u16>) {
        let timestamp = now.timestamp();
        let timestamp = (self.sent != Some(timestamp)).then_some(timestamp);
        if timestamp.is_some() {
            self.sent = timestamp;
        }
        (timestamp, self.echo(now))
    }

    fn echo(&mut self, now: Instant) -> Option<u16> {
        let (timestamp, at) = self.received?;
        let elapsed = now - at;
        if elapsed > TIMESTAMP_LIFE {
            self.received = None;
            self.echo_sent = None;
            return None;
        }
        let ticks = elapsed.as_millis() as u64 / TICK_MILLIS;
        let echo = timestamp.wrapping_add(ticks as u16);
        (self.echo_sent != Some(echo)).then(|| {
            self.echo_sent = Some(echo);
            echo
        })
    }
}

/// How long packets to the far end wait in queues, and no packet of its, by the clocks of both ends: what they are apart does
/// not matter, for only what is above the least of the last minutes counts (as in RFC 6817, LEDBAT).
#[derive(Debug, Default)]
pub(super) struct ForwardDelay {
    reference: Option<u16>,
    base: BaseRtt,
    wait: Option<Duration>,
}

impl ForwardDelay {
    /// Takes the stamps of one header: what the far end's clock said when it was sent, and what ours had said when the packet
    /// was sent that it echoes, plus the time that the echo was held.
    pub(super) fn on_stamps(&mut self, now: Instant, timestamp: u16, echo: u16) {
        let apart = timestamp.wrapping_sub(echo);
        let ticks = apart.wrapping_sub(*self.reference.get_or_insert(apart)).cast_signed();
        // Above zero, however short the first one was.
        let delay = Duration::from_millis((i64::from(ticks) - i64::from(i16::MIN)).unsigned_abs() * TICK_MILLIS);
        self.base.on_sample(now, delay);
        let wait = delay.saturating_sub(self.base.get().unwrap_or(delay));
        self.wait = Some(self.wait.map_or(wait, |smoothed| (smoothed * 3 + wait) / 4));
    }

    /// The wait of late, once measured.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wait
    }
}

/// The smoothed round trip and the effective retransmission timeout.
#[derive(Debug)]
pub(super) struct Rtt {
    srtt: Option<Duration>,
    variance: Duration,
    mrto: Duration,
    erto: Duration,
}

impl Default for Rtt {
    fn default() -> Self {
        Self { srtt: None, variance: Duration::ZERO, mrto: MIN_ERTO, erto: INITIAL_ERTO }
    }
}

impl Rtt {
    /// The smoothed round trip, once measured.
    #[must_use]
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.srtt
    }

    /// The effective retransmission timeout with its backoff.
    #[must_use]
    pub(super) fn erto(&self) -> Duration {
        self.erto
    }

    /// The measured retransmission timeout, without backoff.
    #[must_use]
    pub(super) fn mrto(&self) -> Duration {
        self.mrto
    }

    /// Takes a measurement; ends any backoff.
    pub(super) fn on_sample(&mut self, sample: Duration) {
        match self.srtt {
            None => {
                self.srtt = Some(sample);
                self.variance = sample / 2;
            }
            Some(srtt) => {
                self.variance = (self.variance * 3 + srtt.abs_diff(sample)) / 4;
                self.srtt = Some((srtt * 7 + sample) / 8);
            }
        }
        self.mrto = self.srtt.unwrap_or_default() + self.variance * 4 + ACK_DELAY;
        // MIN_ERTO by the RFC's SHOULD; the sample itself by its MUST: ERTO is not below the round trip, also when a
        // sudden long one has not yet moved the mean.
        self.erto = self.mrto.max(MIN_ERTO).max(sample);
    }

    /// Backs off after a timeout: times 1.4142, at most ten seconds, at least MRTO.
    pub(super) fn back_off(&mut self) {
        self.erto = self.erto.mul_f64(std::f64::consts::SQRT_2).min(BACKOFF_CAP).max(self.mrto);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_on_the_way_out_is_measured_by_clocks_that_are_apart() {
        let at = |millis: u64| Instant::from_micros(millis * 1_000);
        let mut forward = ForwardDelay::default();
        // The far clock is an odd number of ticks ahead and wraps around; packets take 40 ms, and then 120.
        let far = |millis: u64| (millis / 4 + 65_500) as u16;
        let near = |millis: u64| (millis / 4) as u16;
        for sent in (0..2_000).step_by(20) {
            // The answer leaves when the packet has come, by whatever way back.
            let take = if sent < 1_000 { 40 } else { 120 };
            forward.on_stamps(at(sent + take + 50), far(sent + take), near(sent));
            match sent {
                ..1_000 => assert_eq!(forward.wait(), Some(Duration::ZERO)),
                1_200.. => assert!(forward.wait().is_some_and(|wait| wait.as_millis().abs_diff(80) <= 4)),
                _ => {}
            }
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn an_echo_counts_the_time_it_lay_here() {
        let mut near = Timestamps::default();
        let mut far = Timestamps::default();
        let (timestamp, echo) = near.stamp(at(1000));
        assert_eq!((timestamp, echo), (Some(250), None));
        far.on_timestamp(at(5000), 250);
        let (_, echo) = far.stamp(at(5100));
        assert_eq!(echo, Some(275));
        assert_eq!(near.on_echo(at(1180), 275), Some(Duration::from_millis(80)));
        assert_eq!(near.on_echo(at(1180), 275), None, "the same echo measures nothing twice");
    }

    #[test]
    fn a_repeated_timestamp_is_not_a_new_start_and_nothing_is_sent_twice() {
        let mut near = Timestamps::default();
        near.on_timestamp(at(0), 7);
        near.on_timestamp(at(400), 7);
        assert_eq!(near.stamp(at(400)), (Some(100), Some(107)));
        assert_eq!(near.stamp(at(403)), (None, None));
        assert_eq!(near.stamp(at(404)), (Some(101), Some(108)));
    }

    #[test]
    fn a_timestamp_is_forgotten_after_128_seconds() {
        let mut near = Timestamps::default();
        near.on_timestamp(at(0), 0);
        assert_eq!(near.stamp(at(128_000)).1, Some(32_000));
        assert_eq!(near.stamp(at(128_004)).1, None);
        near.on_timestamp(at(200_000), 0);
        assert_eq!(near.stamp(at(200_000)).1, Some(0));
    }

    #[test]
    fn an_echo_from_the_future_or_the_deep_past_is_discarded() {
        let mut near = Timestamps::default();
        assert_eq!(near.on_echo(at(4000), 1001), None);
        assert_eq!(near.on_echo(at(4000), 1000u16.wrapping_sub(32_767)), Some(Duration::from_millis(131_068)));
        assert_eq!(near.on_echo(at(4000), 1000u16.wrapping_sub(32_768)), None);
    }

    #[test]
    fn erto_follows_the_rfc() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.erto(), Duration::from_secs(3));
        rtt.on_sample(Duration::from_millis(80));
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(80)));
        assert_eq!(rtt.erto(), Duration::from_millis(80 + 160 + 200));
        for _ in 0..200 {
            rtt.on_sample(Duration::from_millis(4));
        }
        assert_eq!(rtt.erto(), MIN_ERTO);
        rtt.on_sample(Duration::from_secs(30));
        assert!(rtt.erto() >= Duration::from_secs(30));
    }

    #[test]
    fn backoff_is_capped_at_ten_seconds_but_not_below_mrto() {
        let mut rtt = Rtt::default();
        rtt.on_sample(Duration::from_millis(40));
        let first = rtt.erto();
        rtt.back_off();
        assert_eq!(rtt.erto().as_millis(), (first.as_millis() as f64 * std::f64::consts::SQRT_2) as u128);
        for _ in 0..30 {
            rtt.back_off();
        }
        assert_eq!(rtt.erto(), Duration::from_secs(10));
        rtt.on_sample(Duration::from_secs(20));
        rtt.back_off();
        assert_eq!(rtt.erto(), rtt.mrto());
    }
}
