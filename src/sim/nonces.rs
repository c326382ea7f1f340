//! That no nonce is used twice with one key: with AES-GCM a single repetition gives the authentication key away.

use super::packet::HostId;
use crate::base::{RangeSet, SessionId};
use crate::crypto::{session_id_of, startup};
use std::collections::BTreeMap;
use std::fmt;

/// Where the packet number stands, after the session ID.
const NUMBER: std::ops::Range<usize> = 4..10;
/// Startup datagrams are whole cipher blocks behind the session ID.
const BLOCK: usize = 16;

/// The packet numbers that each host has used in each of its sessions.
///
/// In profile `strong` (and `plain`, which counts alike) a packet's number stands in the clear, the key follows from the
/// session, the direction and the upper bits of the number, and the nonce from the key and the number. So one sender may use a
/// number once in a session, which the session ID of the receiver's choice tells from all others. It means nothing for profile
/// `flash`, whose packets hide their numbers.
#[derive(Debug, Default)]
pub struct Nonces {
    used: BTreeMap<(HostId, SessionId), RangeSet>,
    packets: u64,
}

/// A number that was used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedNonce {
    /// Who sent both packets.
    pub host: HostId,
    /// In which session.
    pub session: SessionId,
    /// The number.
    pub number: u64,
}

impl fmt::Display for RepeatedNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, session, number } = self;
        write!(f, "{host:?} has sealed two packets to session {session:?} with number {number}")
    }
}

impl Nonces {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a datagram as a host has sent it. Startup datagrams are sealed under a key that everybody knows, and do not
    /// count.
    ///
    /// # Errors
    /// If the host has used the number before.
    pub fn sent(&mut self, host: HostId, datagram: &[u8]) -> Result<(), RepeatedNonce> {
        let (Some(session), Some(bytes)) = (session_id_of(datagram), datagram.get(NUMBER)) else { return Ok(()) };
        if session == SessionId::STARTUP || is_startup(datagram) {
            return Ok(());
        }
        let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.packets += 1;
        let is_new = self.used.entry((host, session)).or_default().insert(number);
        if is_new { Ok(()) } else { Err(RepeatedNonce { host, session, number }) }
    }

    /// How many packets were looked at.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }
}

fn is_startup(datagram: &[u8]) -> bool {
    (datagram.len() - 4).is_multiple_of(BLOCK) && startup::open(&mut datagram.to_vec()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Instant, Path, Received, Rng, Transmit};
    use crate::crypto::{Identity, IdentityKind, Keyring, Policy, Profile, SessionKeys};
    use crate::sim::{Host, Machine, World};
    use crate::wire::{IIKeying, RIKeying};
    use std::collections::VecDeque;

    /// The keys of the two ends of a session of profile `strong`, to session 2 and to session 1.
    fn session(seed: u64) -> [SessionKeys; 2] {
        let mut rng = Rng::for_simulation(seed);
        let [near, far] =
            [0, 1].map(|_| Keyring::new(Identity::generate(&mut rng, IdentityKind::default()), Policy::default()));
        let mut initiation = near.initiate(&mut rng, far.certificate()).unwrap();
        let signed = IIKeying::signed_parameters(SessionId(1), &[5; 64], near.certificate(), initiation.skic());
        let signature = initiation.sign(&signed);
        let keying = IIKeying::new(&signed, &signature).unwrap();
        let response = far.respond(&mut rng, &keying, SessionId(2)).unwrap();
        let answer = RIKeying::signed_parameters(SessionId(2), &response.skrc);
        let answer = RIKeying::new(&answer, &response.signature).unwrap();
        let keys = initiation.complete(&[&signed], &answer).unwrap();
        [keys, response.keys]
    }

    #[test]
    fn a_number_counts_once_for_each_sender_and_session() {
        let [mut near, mut far] = session(1);
        let mut nonces = Nonces::new();
        let [alice, bob] = [HostId(0), HostId(1)];
        for _ in 0..100 {
            nonces.sent(alice, &near.sealer.seal(SessionId(2), b"hello")).unwrap();
            nonces.sent(bob, &far.sealer.seal(SessionId(1), b"hello")).unwrap();
            nonces.sent(alice, &far.sealer.seal(SessionId(3), b"another session")).unwrap();
        }
        assert_eq!(nonces.packets(), 300);
        // The same keys again: its counter begins anew.
        let [mut twin, _] = session(1);
        let repeated = RepeatedNonce { host: alice, session: SessionId(2), number: 0 };
        assert_eq!(nonces.sent(alice, &twin.sealer.seal(SessionId(2), b"other words")), Err(repeated));
        assert!(repeated.to_string().contains("number 0"));
    }

    #[test]
    fn startup_datagrams_may_be_sent_again() {
        let mut nonces = Nonces::new();
        for id in [SessionId::STARTUP, SessionId(7)] {
            let datagram = startup::seal(id, &[0x0b; 61]);
            for _ in 0..3 {
                nonces.sent(HostId(0), &datagram).unwrap();
            }
        }
        for len in 0..12 {
            nonces.sent(HostId(0), &vec![0; len]).unwrap();
        }
    }

    /// Seals as a session does, but goes back to the beginning of its numbers after a while.
    struct Forgetful(VecDeque<Transmit>);

    impl Forgetful {
        fn new(limit: usize) -> Self {
            let to = Path::to("192.0.2.2:1935".parse().unwrap());
            let again = [limit, 2].into_iter().flat_map(|count| {
                let [mut keys, _] = session(2);
                (0..count).map(move |n| Transmit::single(to, keys.sealer.seal(SessionId(2), &[n as u8; 20])))
            });
            Self(again.collect())
        }
    }

    impl Machine for Forgetful {
        fn handle(&mut self, _: Instant, _: Received<'_>) {}
        fn handle_timeout(&mut self, _: Instant) {}
        fn deadline(&self) -> Option<Instant> {
            None
        }
        fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
            self.0.pop_front()
        }
    }

    #[test]
    #[should_panic(expected = "with number 0")]
    fn a_world_stops_at_a_machine_that_uses_a_number_twice() {
        let mut world = World::new(1);
        world.forbid_repeated_nonces();
        world.add_host(&Host::at(world.internet(), "192.0.2.1".parse().unwrap()), Forgetful::new(50));
    }

    #[test]
    fn what_the_network_doubles_is_not_the_senders_fault() {
        let mut world = World::new(1);
        world.forbid_repeated_nonces();
        let link = crate::sim::Link::IDEAL.duplicate(1.0);
        let host = Host::at(world.internet(), "192.0.2.1".parse().unwrap()).links(link, link);
        let mut machine = Forgetful::new(50);
        machine.0.truncate(50);
        world.add_host(&host, machine);
        world.run_until(Instant::from_micros(1_000_000));
        assert_eq!((world.counters().sent, world.counters().duplicated), (50, 50));
    }
}
