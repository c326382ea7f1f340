//! Following the far end to a new address (RFC 7016 sections 3.5.3 and 3.5.4.2), by a Ping that only it can answer.
//!
//! The Ping's message is 16 fresh random bytes kept here, instead of the RFC's keyed hash: nothing to compute, nothing
//! that could be answered twice or from elsewhere.

use std::time::Duration;

use crate::base::{Instant, Path, Rng};

/// Between two checks.
const CHECK_PERIOD: Duration = Duration::from_secs(1);
/// An answer counts for so long.
const CHECK_LIFE: Duration = Duration::from_secs(10);
/// Bytes of a check's message.
const MESSAGE_LEN: usize = 16;

/// A check of one new address.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// Where its Ping goes, and nothing else.
    pub(super) path: Path,
    /// The Ping's message.
    pub(super) message: [u8; MESSAGE_LEN],
    at: Instant,
}

/// The state of the method: at most one check at a time.
#[derive(Debug, Default)]
pub(super) struct Mobility {
    check: Option<Check>,
    unsent: bool,
    /// The highest packet number that came from DESTADDR.
    highest_at_home: Option<u64>,
}

impl Mobility {
    /// An authentic packet came from DESTADDR.
    pub(super) fn on_home_packet(&mut self, number: Option<u64>) {
        self.highest_at_home = self.highest_at_home.max(number);
    }

    /// The newest packet so far came from `path`, which is not DESTADDR: checks it, unless another check began less than
    /// a second ago.
    pub(super) fn on_foreign_packet(&mut self, now: Instant, path: Path, rng: &mut Rng) {
        if self.check.as_ref().is_none_or(|check| now - check.at >= CHECK_PERIOD) {
            self.check = Some(Check { path, message: rng.bytes(), at: now });
            self.unsent = true;
        }
    }

    /// The Ping to send, once.
    pub(super) fn take_ping(&mut self) -> Option<&Check> {
        if std::mem::take(&mut self.unsent) { self.check.as_ref() } else { None }
    }

    /// A Ping Reply with `message` came from `path` in the packet `number`. The new DESTADDR and its round trip, if it answers the check:
    /// from that very address, in time, in a packet newer than all from the old address.
    pub(super) fn on_ping_reply(
        &mut self,
        now: Instant,
        path: Path,
        number: Option<u64>,
        message: &[u8],
    ) -> Option<(Path, Duration)> {
        let check = self.check.as_ref()?;
        if *message != check.message
            || !path.leads_like(&check.path)
            || now - check.at > CHECK_LIFE
            || number <= self.highest_at_home
        {
            return None;
        }
        let rtt = now - check.at;
        self.highest_at_home = number;
        self.check = None;
        self.unsent = false;
        Some((path, rtt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn path(port: u16) -> Path {
        Path::to(([192, 0, 2, 1], port).into())
    }

    fn started(mobility: &mut Mobility, time: u64, port: u16) -> Option<Vec<u8>> {
        mobility.on_foreign_packet(at(time), path(port), &mut Rng::for_simulation(time));
        mobility.take_ping().map(|check| {
            assert_eq!(check.path, path(port));
            check.message.to_vec()
        })
    }

    #[test]
    fn an_answer_counts_from_that_address_in_time_and_newer_than_all_from_the_old() {
        let mut mobility = Mobility::default();
        mobility.on_home_packet(Some(10));
        let message = started(&mut mobility, 0, 2).unwrap();
        assert_eq!(mobility.on_ping_reply(at(50), path(3), Some(12), &message), None, "from a third address");
        assert_eq!(mobility.on_ping_reply(at(50), path(2), Some(9), &message), None, "older than one from home");
        assert_eq!(mobility.on_ping_reply(at(50), path(2), Some(12), b"forged"), None);
        assert_eq!(mobility.on_ping_reply(at(10_001), path(2), Some(12), &message), None, "too late");
        assert_eq!(
            mobility.on_ping_reply(at(50), path(2), Some(12), &message),
            Some((path(2), Duration::from_millis(50)))
        );
        assert_eq!(mobility.on_ping_reply(at(51), path(2), Some(13), &message), None, "only once");
    }

    #[test]
    fn no_more_than_one_check_a_second() {
        let mut mobility = Mobility::default();
        assert!(started(&mut mobility, 0, 2).is_some());
        assert!(mobility.take_ping().is_none());
        assert!(started(&mut mobility, 999, 3).is_none());
        assert!(started(&mut mobility, 1000, 3).is_some());
    }

    #[test]
    fn unnumbered_packets_move_nothing() {
        let mut mobility = Mobility::default();
        let message = started(&mut mobility, 0, 2).unwrap();
        assert_eq!(mobility.on_ping_reply(at(50), path(2), None, &message), None);
    }
}
