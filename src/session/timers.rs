//! Time alone: what is due when.

use crate::base::Instant;
use crate::wire::Chunk;

use super::event::CloseReason;
use super::state::{Session, State};

impl Session {
    /// When to call [`Session::handle_timeout`], and drain again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if !self.confirmed {
            return None;
        }
        match self.state {
            State::Open => {
                let probe = if self.may_probe() { self.mtu.deadline() } else { None };
                let silence = self.liveness.ping_due(self.rtt.mrto()).min(self.liveness.dead_at());
                [self.outbound.deadline(), self.inbound.deadline(), probe, Some(silence)]
                    .into_iter()
                    .flatten()
                    .min()
                    .filter(|&at| at != Instant::FAR_FUTURE)
            }
            State::NearClose { until, next } => Some(until.min(next)),
            State::FarCloseLinger { until } => Some(until),
            State::Closed => None,
        }
    }

    /// Lets everything happen that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.confirmed {
            return;
        }
        match self.state {
            State::Open => self.handle_open_timeout(now),
            State::NearClose { until, .. } if until <= now => self.finish(CloseReason::Near),
            State::FarCloseLinger { until } if until <= now => self.finish(CloseReason::Far),
            _ => {}
        }
    }

    fn handle_open_timeout(&mut self, now: Instant) {
        if self.liveness.dead_at() <= now {
            self.finish_and_tell(CloseReason::Unresponsive);
            return;
        }
        if self.liveness.ping_due(self.rtt.mrto()) <= now && !self.ping_pending {
            self.ping_pending = true;
            if self.liveness.is_waiting() && !self.liveness.is_opening(now) {
                // Section 3.5.4.1: an unanswered Ping backs off like unanswered data.
                self.rtt.back_off();
            }
        }
        self.inbound.handle_timeout(now, &mut self.events);
        let mut probes = Vec::new();
        let was_loss =
            self.outbound.handle_timeout(now, &mut self.rtt, &mut probes, &mut self.counters, &mut self.events);
        for flow in probes {
            // One that finds no room is sent with the next period.
            self.queue_chunk(&Chunk::BufferProbe { flow });
        }
        if was_loss && self.mtu.on_timeout(now, self.liveness.last_heard()) {
            self.outbound.set_space(self.space());
        }
    }
}
