//! Members on the same link find each other by beacons ([`Beacons`]).

use std::net::SocketAddr;
use std::time::Duration;

use super::super::Node;
use super::super::event::GroupHandle;
use super::parts::Lan;
use crate::base::{Instant, Path, Rng};
use crate::crypto::epd;
use crate::group::{Beacons, Hint};
use crate::wire::{Address, Origin};

/// When the first beacons go out after joining, in milliseconds; each comes up to a quarter of a second later. The later
/// ones reach those that began at the same time and did not listen yet.
const FIRST: [u64; 4] = [0, 300, 1_000, 3_000];
/// Then one each 30 to 60 seconds.
const EVERY: (u64, u64) = (30_000, 60_000);
/// Who hears a newcomer answers with a beacon within this many milliseconds, unless enough others have.
const ANSWER: (u64, u64) = (5, 150);
/// So many others are enough: the newcomer learns of the rest from them.
const ENOUGH: u32 = 3;
/// Between two beacons at least.
const PAUSE: Duration = Duration::from_secs(1);
/// Addresses heard in beacons that are remembered as not being hearsay.
const MAX_FIRSTHAND: usize = 4096;

impl Lan {
    pub(super) fn new(now: Instant, secret: &[u8], groups: Vec<SocketAddr>) -> Self {
        let beacons = Beacons::new(secret);
        Self { beacons, groups, sent: 0, joined: now, next: now, last: None, answer_at: None, answers_heard: 0 }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.answer_at.map_or(self.next, |answer| answer.min(self.next))
    }

    /// A newcomer was heard; it shall know of us soon, too.
    fn answer(&mut self, now: Instant, rng: &mut Rng) {
        if self.answer_at.is_some() {
            self.answers_heard += 1;
            if self.answers_heard >= ENOUGH {
                self.answer_at = None;
            }
        } else if self.last.is_none_or(|last| last + PAUSE <= now) {
            self.answers_heard = 0;
            self.answer_at = Some(now + millis(rng, ANSWER));
        }
    }

    /// A beacon goes out now; when the next one does.
    fn on_sent(&mut self, now: Instant, rng: &mut Rng) {
        self.last = Some(now);
        self.answer_at = None;
        if self.next <= now {
            self.sent += 1;
            self.next = match FIRST.get(self.sent) {
                Some(&at) => (self.joined + millis(rng, (at, at + 250))).max(now + Duration::from_millis(1)),
                None => now + millis(rng, EVERY),
            };
        }
    }
}

fn millis(rng: &mut Rng, (from, to): (u64, u64)) -> Duration {
    Duration::from_millis(from + rng.below(to - from))
}

impl Node {
    /// Sends the beacons that are due.
    pub(super) fn lan_timeout(&mut self, now: Instant) {
        let due = self
            .groups
            .joined
            .iter()
            .filter(|(_, joined)| joined.lan.as_ref().is_some_and(|lan| lan.deadline() <= now));
        for group in due.map(|(&group, _)| group).collect::<Vec<GroupHandle>>() {
            let me = self.profile.peer_id();
            let Some(lan) = self.groups.joined.get_mut(&group).and_then(|joined| joined.lan.as_mut()) else { continue };
            let epd = epd::beacon(&lan.beacons.make(&mut self.rng, me));
            let tag: [u8; 16] = self.rng.bytes();
            lan.on_sent(now, &mut self.rng);
            for &remote in &lan.groups {
                self.endpoint.send_ihello(now, Path::to(remote), &epd, &tag);
            }
        }
    }

    /// A beacon was heard on one of our links.
    pub(in super::super) fn on_beacon(&mut self, now: Instant, path: Path, beacon: &[u8]) {
        let me = self.profile.peer_id();
        let Some(limits) = self.groups.limits.as_mut() else { return };
        if !limits.beacons.take(now, path.remote.ip(), 1) {
            self.groups.stats.beacons_limited += 1;
            return;
        }
        for joined in self.groups.joined.values_mut() {
            let Some(lan) = &mut joined.lan else { continue };
            let Some(peer) = lan.beacons.read(beacon) else { continue };
            if peer == me {
                return;
            }
            self.groups.stats.beacons += 1;
            if joined.firsthand.len() < MAX_FIRSTHAND {
                joined.firsthand.insert(path.remote);
            }
            let here = Address { origin: Origin::Local, socket: path.remote };
            if joined.member.view().neighbour(peer).is_none() {
                lan.answer(now, &mut self.rng);
            }
            joined.member.hint(now, peer, &[here], Hint::Member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beacons_are_many_at_first_and_few_later() {
        let mut rng = Rng::for_simulation(1);
        let mut lan = Lan::new(Instant::ZERO, b"G:0101", Vec::new());
        let mut times = Vec::new();
        while times.len() < 10 {
            let now = lan.deadline();
            times.push(now.as_micros() / 1000);
            lan.on_sent(now, &mut rng);
        }
        assert_eq!(times[0], 0);
        for (at, first) in times[1..].iter().zip(&FIRST[1..]) {
            assert!((*first..first + 250).contains(at), "{times:?}");
        }
        for pair in times[3..].windows(2) {
            assert!((30_000..60_000).contains(&(pair[1] - pair[0])), "{times:?}");
        }
    }

    #[test]
    fn a_newcomer_is_answered_unless_enough_others_have_done_that() {
        let mut rng = Rng::for_simulation(1);
        let mut lan = Lan::new(Instant::ZERO, b"G:0101", Vec::new());
        for _ in 0..4 {
            let now = lan.deadline();
            lan.on_sent(now, &mut rng);
        }
        let idle = lan.deadline();
        let now = Instant::from_micros(10_000_000);
        lan.answer(now, &mut rng);
        assert!(lan.deadline() <= now + Duration::from_millis(150));
        (0..ENOUGH).for_each(|_| lan.answer(now, &mut rng));
        assert_eq!(lan.deadline(), idle);
        lan.answer(now, &mut rng);
        lan.on_sent(lan.deadline(), &mut rng);
        assert_eq!(lan.deadline(), idle, "an answer does not change the rhythm");
        lan.answer(now + Duration::from_millis(500), &mut rng);
        assert_eq!(lan.deadline(), idle, "and there is a pause after it");
    }
}
