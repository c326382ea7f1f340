//! Time-critical notification (RFC 7016 sections 2.2.4 and 3.5.2.1) on one session and across those of an endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::{Instant, SessionId};

use super::congestion::TimeCritical;

/// How long a notification counts.
const LIFE: Duration = Duration::from_millis(800);
/// No time has this number; an atomic cannot hold an `Option`.
const NEVER: u64 = u64::MAX;

/// When time-critical packets last went out and came in on any of the sessions that share this board. One thread drives
/// them all; the atomics only make the sharing safe.
#[derive(Debug, Clone)]
pub struct CriticalBoard(Arc<Board>);

#[derive(Debug)]
struct Board {
    sent: AtomicU64,
    received: AtomicU64,
    received_by: AtomicU64,
    received_elsewhere: AtomicU64,
}

impl Default for CriticalBoard {
    fn default() -> Self {
        let [sent, received, received_by, received_elsewhere] = [const { AtomicU64::new(NEVER) }; 4];
        Self(Arc::new(Board { sent, received, received_by, received_elsewhere }))
    }
}

impl CriticalBoard {
    fn on_received(&self, now: Instant, session: SessionId) {
        let board = &*self.0;
        let session = u64::from(session.0);
        if board.received_by.swap(session, Ordering::Relaxed) != session {
            // What is on the board came on another session than the one that takes its place.
            board.received_elsewhere.store(board.received.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        board.received.store(now.as_micros(), Ordering::Relaxed);
    }

    fn received_elsewhere(&self, now: Instant, session: SessionId) -> bool {
        let board = &*self.0;
        let own = board.received_by.load(Ordering::Relaxed) == u64::from(session.0);
        recent(now, if own { &board.received_elsewhere } else { &board.received })
    }
}

fn recent(now: Instant, at: &AtomicU64) -> bool {
    let at = at.load(Ordering::Relaxed);
    at != NEVER && now - Instant::from_micros(at) < LIFE
}

/// One session's view.
#[derive(Debug)]
pub(super) struct Critical {
    board: CriticalBoard,
    session: SessionId,
    sent: Option<Instant>,
    reverse_received: Option<Instant>,
}

impl Critical {
    pub(super) fn new(board: CriticalBoard, session: SessionId) -> Self {
        Self { board, session, sent: None, reverse_received: None }
    }

    /// A packet with time-critical data goes out.
    pub(super) fn on_sent(&mut self, now: Instant) {
        self.sent = Some(now);
        self.board.0.sent.store(now.as_micros(), Ordering::Relaxed);
    }

    /// A packet came with these flags.
    pub(super) fn on_received(&mut self, now: Instant, time_critical: bool, reverse: bool) {
        if time_critical {
            self.board.on_received(now, self.session);
        }
        if reverse {
            self.reverse_received = Some(now);
        }
    }

    /// Whether our packets carry the reverse notification: other sessions receive time-critical packets.
    pub(super) fn notify_reverse(&self, now: Instant) -> bool {
        self.board.received_elsewhere(now, self.session)
    }

    /// The conditions that congestion control asks for.
    pub(super) fn state(&self, now: Instant) -> TimeCritical {
        let recently = |at: Option<Instant>| at.is_some_and(|at| now - at < LIFE);
        TimeCritical {
            sent: recently(self.sent),
            fastgrow: !recently(self.reverse_received) && !recent(now, &self.board.0.sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn others_are_told_while_one_session_receives() {
        let board = CriticalBoard::default();
        let mut one = Critical::new(board.clone(), SessionId(1));
        let mut two = Critical::new(board.clone(), SessionId(2));
        let three = Critical::new(board, SessionId(3));
        one.on_received(at(0), true, false);
        assert!(!one.notify_reverse(at(1)) && two.notify_reverse(at(1)) && three.notify_reverse(at(1)));
        two.on_received(at(400), true, false);
        assert!(one.notify_reverse(at(500)) && two.notify_reverse(at(500)));
        assert!(one.notify_reverse(at(900)) && !two.notify_reverse(at(900)) && three.notify_reverse(at(900)));
        assert!(!one.notify_reverse(at(1200)));
    }

    #[test]
    fn sending_anywhere_or_a_reverse_notification_slows_growth_for_800_ms() {
        let board = CriticalBoard::default();
        let mut one = Critical::new(board.clone(), SessionId(1));
        let mut two = Critical::new(board, SessionId(2));
        assert_eq!(one.state(at(0)), TimeCritical::NONE);
        one.on_sent(at(0));
        assert_eq!(one.state(at(799)), TimeCritical { sent: true, fastgrow: false });
        assert_eq!(two.state(at(799)), TimeCritical { sent: false, fastgrow: false });
        assert_eq!(two.state(at(800)), TimeCritical::NONE);
        two.on_received(at(1000), false, true);
        assert_eq!(two.state(at(1799)), TimeCritical { sent: false, fastgrow: false });
        assert_eq!(one.state(at(1799)), TimeCritical::NONE);
    }
}
