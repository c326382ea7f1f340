//! What is counted of a stream.

use super::types::MulticastInfo;
use crate::base::Instant;

/// Seconds that a rate is the mean of.
const SPAN: usize = 4;

/// Bytes of the last seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rate {
    /// Of each second, the oldest replaced by the newest.
    seconds: [u64; SPAN],
    /// The second that is counted now.
    now: u64,
}

impl Rate {
    fn advance(&mut self, now: Instant) {
        let second = now.as_micros() / 1_000_000;
        let passed = second.saturating_sub(self.now).min(SPAN as u64);
        for at in 0..passed {
            self.seconds[((second - at) % SPAN as u64) as usize] = 0;
        }
        self.now = self.now.max(second);
    }

    pub(super) fn add(&mut self, now: Instant, bytes: usize) {
        self.advance(now);
        self.seconds[(self.now % SPAN as u64) as usize] += bytes as u64;
    }

    /// Bytes a second.
    pub(super) fn get(mut self, now: Instant) -> u64 {
        self.advance(now);
        // The second that is not over counts as far as it has passed.
        let micros = (SPAN as u64 - 1) * 1_000_000 + now.as_micros() % 1_000_000;
        self.seconds.iter().sum::<u64>() * 1_000_000 / micros.max(1)
    }
}

/// What is counted of a stream.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) info: MulticastInfo,
    pub(super) sent_data: Rate,
    pub(super) sent_control: Rate,
    pub(super) received_data: Rate,
    pub(super) received_control: Rate,
    pub(super) received_air: Rate,
}

impl Counts {
    /// A fragment went to a neighbour, which had asked for it or not.
    pub(super) fn gave(&mut self, now: Instant, bytes: usize, asked: bool) {
        self.sent_data.add(now, bytes);
        let info = &mut self.info;
        let (all, count) = match asked {
            true => (&mut info.bytes_requested_by_peers, &mut info.fragments_requested_by_peers),
            false => (&mut info.bytes_pushed_to_peers, &mut info.fragments_pushed_to_peers),
        };
        *all += bytes as u64;
        *count += 1;
    }

    /// A fragment that was not here came, because we had asked for it or not.
    pub(super) fn got(&mut self, bytes: usize, asked: bool) {
        let info = &mut self.info;
        let (all, count) = match asked {
            true => (&mut info.bytes_requested_from_peers, &mut info.fragments_requested_from_peers),
            false => (&mut info.bytes_pushed_from_peers, &mut info.fragments_pushed_from_peers),
        };
        *all += bytes as u64;
        *count += 1;
    }

    /// A fragment that was not here was heard on the group's own IP multicast address.
    pub(super) fn heard(&mut self, bytes: usize) {
        self.info.bytes_received_from_ip_multicast += bytes as u64;
        self.info.fragments_received_from_ip_multicast += 1;
    }

    /// All of it.
    pub(super) fn info(&self, now: Instant) -> MulticastInfo {
        MulticastInfo {
            send_data_rate: self.sent_data.get(now),
            send_control_rate: self.sent_control.get(now),
            receive_data_rate: self.received_data.get(now),
            receive_ip_multicast_rate: self.received_air.get(now),
            receive_control_rate: self.received_control.get(now),
            ..self.info
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_mean_of_a_few_seconds() {
        let mut rate = Rate::default();
        let at = |ms: u64| Instant::from_micros(1000 * ms);
        for ms in (0..20_000).step_by(10) {
            rate.add(at(ms), 1000);
        }
        let mean = rate.get(at(20_000));
        assert!((95_000..105_000).contains(&mean), "{mean}");
        assert_eq!(rate.get(at(30_000)), 0);
    }
}
