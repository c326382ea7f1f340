//! Keepalive, silence and death of the far end (RFC 7016 section 3.5.4.1).
//!
//! Departs from 3.5.4.1 ("not more often than once per ERTO") while something is unanswered: ERTO backs off to ten
//! seconds, and after an outage a flow shall run again within one. So a Ping goes out each second, or each MRTO if that is
//! longer; it is one small packet. And the first Pings of an initiator go out each quarter of a second, for five seconds:
//! the far end holds the session back until one arrives, and nothing tells how long a round trip takes.

use std::time::Duration;

use crate::base::Instant;

/// Between two Pings in silence.
const PROBE_PERIOD: Duration = Duration::from_secs(1);

/// A session that gives up so soon that fewer than this went out would take a few losses for death: then they are closer.
const LEAST_PROBES: u32 = 10;
/// Between the first Pings of an initiator, and how long they go on.
const OPENING_PERIOD: Duration = Duration::from_millis(250);
const OPENING: Duration = Duration::from_secs(5);

/// Silence of this length was an outage.
pub(super) const OUTAGE: Duration = Duration::from_millis(500);

/// When we last heard and spoke, and what is due.
#[derive(Debug)]
pub(super) struct Liveness {
    keepalive: Option<Duration>,
    give_up: Duration,
    heard: Option<Instant>,
    /// A responder waits this much longer with keepalives, so that they do not cross.
    extra: Duration,
    created: Instant,
    last_sent: Instant,
    last_ping: Option<Instant>,
    /// Since when something that we sent wants an answer and nothing was heard.
    unanswered: Option<Instant>,
}

impl Liveness {
    pub(super) fn new(now: Instant, keepalive: Option<Duration>, give_up: Duration, extra: Duration) -> Self {
        Self { keepalive, give_up, heard: None, extra, created: now, last_sent: now, last_ping: None, unanswered: None }
    }

    /// Sets the keepalive period.
    pub(super) fn set_keepalive(&mut self, period: Option<Duration>) {
        self.keepalive = period;
    }

    /// Sets how long a question may stay unanswered.
    pub(super) fn set_give_up(&mut self, after: Duration) {
        self.give_up = after;
    }

    /// An authentic packet came. How long the far end had been silent while we wanted an answer.
    pub(super) fn on_heard(&mut self, now: Instant) -> Duration {
        let silence = self.unanswered.map_or(Duration::ZERO, |since| now - since.max(self.last_heard()));
        self.heard = Some(now);
        self.unanswered = None;
        silence
    }

    /// A batch goes out; `wants_answer` if it holds user data or a Ping.
    pub(super) fn on_sent(&mut self, now: Instant, wants_answer: bool, ping: bool) {
        self.last_sent = now;
        if ping {
            self.last_ping = Some(now);
        }
        if wants_answer && self.unanswered.is_none() {
            self.unanswered = Some(now);
        }
    }

    /// Whether something that we sent waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Whether the session is so new that the far end may not know of it.
    pub(super) fn is_opening(&self, now: Instant) -> bool {
        self.heard.is_none() && now - self.created < OPENING
    }

    /// When something last came; before that, when the session began.
    pub(super) fn last_heard(&self) -> Instant {
        self.heard.unwrap_or(self.created)
    }

    /// When to send the next Ping.
    pub(super) fn ping_due(&self, mrto: Duration) -> Instant {
        let silence = self.unanswered.map_or(Instant::FAR_FUTURE, |since| {
            let last = self.last_ping.map_or(since, |ping| ping.max(since));
            let period = PROBE_PERIOD.min(self.give_up / LEAST_PROBES);
            last + if self.is_opening(last) { OPENING_PERIOD } else { period.max(mrto) }
        });
        let idle = self
            .keepalive
            .map_or(Instant::FAR_FUTURE, |period| self.last_sent.min(self.last_heard()) + period + self.extra);
        // In silence the probes set the pace, whatever the period.
        if self.unanswered.is_some() { silence } else { idle }
    }

    /// When the far end counts as gone.
    pub(super) fn dead_at(&self) -> Instant {
        self.unanswered.map_or(Instant::FAR_FUTURE, |since| since.max(self.last_heard()) + self.give_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    const MRTO: Duration = Duration::from_millis(300);

    fn liveness() -> Liveness {
        Liveness::new(at(0), Some(Duration::from_secs(10)), Duration::from_secs(40), Duration::ZERO)
    }

    #[test]
    fn idle_sessions_ping_once_a_period_whichever_direction_was_silent() {
        let mut live = liveness();
        assert_eq!(live.ping_due(MRTO), at(10_000));
        live.on_heard(at(4_000));
        live.on_sent(at(6_000), false, false);
        assert_eq!(live.ping_due(MRTO), at(14_000));
        live.on_sent(at(14_000), true, true);
        assert_eq!(live.ping_due(MRTO), at(15_000), "then each second until an answer");
        live.on_heard(at(14_080));
        assert_eq!(live.ping_due(MRTO), at(24_000));
        assert_eq!(live.dead_at(), Instant::FAR_FUTURE);
    }

    #[test]
    fn the_first_pings_come_each_quarter_of_a_second_until_something_is_heard_or_for_five_seconds() {
        let mut live = liveness();
        let mut sent = Vec::new();
        live.on_sent(at(0), true, true);
        while sent.last() < Some(&at(8_000)) {
            let due = live.ping_due(MRTO);
            live.on_sent(due, true, true);
            sent.push(due);
        }
        assert!((1..=20).all(|n| sent.contains(&at(n * 250))) && sent.len() == 23, "{sent:?}");
        assert_eq!(sent[20..], [at(6_000), at(7_000), at(8_000)]);
        let mut live = liveness();
        live.on_sent(at(0), true, true);
        live.on_heard(at(100));
        live.on_sent(at(200), true, true);
        assert_eq!(live.ping_due(MRTO), at(1_200));
    }

    #[test]
    fn death_counts_from_the_last_word_or_the_oldest_question() {
        let mut live = liveness();
        live.on_heard(at(1_000));
        live.on_sent(at(5_000), true, false);
        live.on_sent(at(7_000), true, true);
        assert_eq!(live.dead_at(), at(45_000));
        assert_eq!(live.ping_due(Duration::from_secs(3)), at(10_000), "not faster than MRTO");
        assert_eq!(live.on_heard(at(12_000)), Duration::from_secs(7));
    }
}
