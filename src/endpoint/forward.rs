//! How much forwarders may make us send (RFC 7016 section 3.5.1.5).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{Instant, Rng, TokenBucket};

use super::answers::{RecentAddresses, is_fit_on_hearsay};
use super::event::{ForwardAnswer, ForwardTrust};
use super::stats::DropReason;

/// Answers to one reply address within [`REPLY_WINDOW`].
const PER_REPLY_ADDRESS: usize = 3;
const REPLY_WINDOW: Duration = Duration::from_secs(10);
/// Rows of four reply addresses: more than a rendezvous can name in a window.
const REPLY_ROWS: usize = 512;
/// The longest RHello datagram that goes to a reply address. A longer one would make us an amplifier for the
/// forwarder's clients.
pub(crate) const MAX_FORWARD_RHELLO: usize = 148;

/// What one session may make us send.
#[derive(Debug)]
pub(crate) struct Forwarding {
    pub(crate) answer: ForwardAnswer,
    rate: TokenBucket,
}

impl Forwarding {
    /// Rate and burst together stay within what is allowed in any one second.
    pub(crate) fn new(answer: ForwardAnswer, trust: ForwardTrust) -> Self {
        let rate = match trust {
            ForwardTrust::Rendezvous => TokenBucket::new(80, 20),
            ForwardTrust::Member => TokenBucket::new(7, 3),
        };
        Self { answer, rate }
    }
}

/// What all forwarders together may make us send.
#[derive(Debug)]
pub(crate) struct ForwardGate {
    replies: RecentAddresses<PER_REPLY_ADDRESS>,
}

impl ForwardGate {
    /// Nobody got anything yet.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { replies: RecentAddresses::new(rng, REPLY_ROWS, REPLY_WINDOW) }
    }

    /// Whether an FIHello from `forwarder` may make us send to `reply`; if so it counts.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        forwarding: &mut Forwarding,
        forwarder: IpAddr,
        reply: SocketAddr,
    ) -> Result<(), DropReason> {
        if forwarding.answer == ForwardAnswer::Ignore {
            return Err(DropReason::ForwardNotAllowed);
        }
        if !is_fit_on_hearsay(reply, forwarder) {
            return Err(DropReason::ForwardForbidden);
        }
        if !forwarding.rate.take(now, 1) || !self.replies.allows(now, reply) {
            return Err(DropReason::ForwardRate);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    fn at_ms(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    #[test]
    fn forwarders_are_limited_by_the_second_and_addresses_by_ten() {
        for (trust, limit) in [(ForwardTrust::Rendezvous, 100), (ForwardTrust::Member, 10)] {
            let mut gate = ForwardGate::new(&mut Rng::for_simulation(1));
            let mut forwarding = Forwarding::new(ForwardAnswer::RHello, trust);
            let admitted: Vec<u64> = (0..5000u64)
                .filter(|ms| {
                    let reply = SocketAddr::from(([198, 51, (ms >> 8) as u8, *ms as u8], 9));
                    gate.admit(at_ms(*ms), &mut forwarding, FORWARDER, reply).is_ok()
                })
                .collect();
            for start in &admitted {
                let in_second = admitted.iter().filter(|at| (*start..start + 1000).contains(*at)).count();
                assert!(in_second <= limit, "{in_second}");
            }
            assert!(admitted.len() >= limit * 3);
        }
        let mut gate = ForwardGate::new(&mut Rng::for_simulation(1));
        let mut forwarding = Forwarding::new(ForwardAnswer::RHello, ForwardTrust::Rendezvous);
        let reply = "198.51.100.7:9".parse().unwrap();
        let admitted = (0..10_000).filter(|ms| gate.admit(at_ms(*ms), &mut forwarding, FORWARDER, reply).is_ok());
        assert_eq!(admitted.count(), 3);
    }

    #[test]
    fn nobody_is_sent_for_who_was_not_asked_to_or_where_nobody_may_go() {
        let mut gate = ForwardGate::new(&mut Rng::for_simulation(1));
        let mut admit = |answer, reply: &str| {
            let mut forwarding = Forwarding::new(answer, ForwardTrust::Rendezvous);
            gate.admit(Instant::ZERO, &mut forwarding, FORWARDER, reply.parse().unwrap())
        };
        assert_eq!(admit(ForwardAnswer::Ignore, "198.51.100.7:9"), Err(DropReason::ForwardNotAllowed));
        for reply in ["224.0.0.251:5353", "255.255.255.255:9", "198.51.100.7:0", "127.0.0.1:9", "[ff02::1]:9"] {
            assert_eq!(admit(ForwardAnswer::RHello, reply), Err(DropReason::ForwardForbidden), "{reply}");
        }
        assert_eq!(admit(ForwardAnswer::ImpliedRedirect, "198.51.100.7:9"), Ok(()));
    }
}
