//! The addresses at which an opening looks for its far end (RFC 7016 section 3.5.1.1.1).

use std::net::{IpAddr, SocketAddr};

use crate::base::{Instant, Path};

use super::answers::is_fit_on_hearsay;
use super::backoff::Backoff;
use super::stats::DropReason;

/// REDIRECT_THRESHOLD of section 3.5.1.1.1: addresses taken on hearsay, in all.
const MAX_HEARSAY: usize = 24;
/// Addresses taken from one teacher.
const MAX_PER_TEACHER: usize = 8;
/// IHellos to an address known from hearsay only.
const MAX_HEARSAY_HELLOS: u32 = 5;
/// Addresses that our own user may give, and how many of them are asked briskly.
const MAX_OWN: usize = 64;
const MAX_BRISK: usize = 8;

/// The candidate set of one opening.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    list: Vec<Candidate>,
    /// Whether any address ever came by hearsay.
    heard: bool,
}

#[derive(Debug)]
struct Candidate {
    path: Path,
    /// Who told us, unless our own user did.
    teacher: Option<IpAddr>,
    backoff: Backoff,
}

impl Candidate {
    fn is_open(&self) -> bool {
        self.teacher.is_none() || self.backoff.sent() < MAX_HEARSAY_HELLOS
    }
}

impl Candidates {
    /// Adds an address that our own user vouches for.
    pub(crate) fn add_own(&mut self, now: Instant, path: Path) {
        if let Some(known) = self.list.iter_mut().find(|known| known.path.leads_like(&path)) {
            known.teacher = None;
            return;
        }
        let own = self.list.iter().filter(|known| known.teacher.is_none()).count();
        if own < MAX_OWN {
            let brisk = own < MAX_BRISK && !path.remote.ip().is_multicast();
            let backoff = if brisk { Backoff::brisk(now) } else { Backoff::new(now) };
            self.list.push(Candidate { path, teacher: None, backoff });
        }
    }

    /// Adds an address that `teacher` told us.
    pub(crate) fn add_hearsay(&mut self, now: Instant, path: Path, teacher: SocketAddr) -> Result<(), DropReason> {
        let teacher = teacher.ip();
        if !is_fit_on_hearsay(path.remote, teacher) {
            return Err(DropReason::HearsayForbidden);
        }
        if self.list.iter().any(|known| known.path.leads_like(&path)) {
            return Ok(());
        }
        let hearsay = self.list.iter().filter_map(|known| known.teacher);
        if hearsay.clone().count() >= MAX_HEARSAY || hearsay.filter(|t| *t == teacher).count() >= MAX_PER_TEACHER {
            return Err(DropReason::HearsayLimit);
        }
        let backoff = Backoff::doubling(now);
        self.list.push(Candidate { path, teacher: Some(teacher), backoff });
        self.heard = true;
        Ok(())
    }

    /// The next candidate to which an IHello is due, and whether we know it from hearsay only. Counts as sent.
    pub(crate) fn next_due(&mut self, now: Instant) -> Option<(Path, bool)> {
        let due = self.list.iter_mut().find(|known| known.is_open() && known.backoff.next() <= now)?;
        due.backoff.advance(now);
        Some((due.path, due.teacher.is_some()))
    }

    /// Whether an IHello went to `path`, so that an answer from there is to be expected.
    pub(crate) fn were_asked(&self, path: &Path) -> bool {
        self.list.iter().any(|known| known.backoff.sent() > 0 && known.path.leads_like(path))
    }

    /// Whether any address came by hearsay.
    pub(crate) fn have_hearsay(&self) -> bool {
        self.heard
    }

    /// Whether an IHello went to that host.
    pub(crate) fn was_host_asked(&self, host: IpAddr) -> bool {
        self.list.iter().any(|known| known.backoff.sent() > 0 && known.path.remote.ip() == host)
    }

    /// Whoever is looked for answered: no hurry any more.
    pub(crate) fn calm(&mut self, now: Instant) {
        self.list.iter_mut().for_each(|known| known.backoff.calm(now));
    }

    /// Whoever is at `path` told us where to look.
    pub(crate) fn keep_asking(&mut self, now: Instant, path: &Path) {
        for known in self.list.iter_mut().filter(|known| known.path.leads_like(path)) {
            known.backoff.keep_asking(now);
        }
    }

    /// Whoever is at `path` does not know the far end, or not yet.
    pub(crate) fn ask_soon(&mut self, now: Instant, path: &Path) {
        for known in self.list.iter_mut().filter(|known| known.path.leads_like(path)) {
            known.backoff.ask_soon(now);
        }
    }

    /// Begins the search anew: forgets what came by hearsay and was asked in vain, so that it may come again, and asks those
    /// that our own user gave.
    pub(crate) fn look_again(&mut self, now: Instant) {
        self.list.retain(Candidate::is_open);
        self.hasten(now);
    }

    /// Asks everybody again now.
    pub(crate) fn hasten(&mut self, now: Instant) {
        for known in &mut self.list {
            known.backoff.hasten(now);
        }
    }

    /// When the next IHello is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.list.iter().filter(|known| known.is_open()).map(|known| known.backoff.next()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn path(text: &str) -> Path {
        Path::to(text.parse().unwrap())
    }

    #[test]
    fn hearsay_is_bounded_by_teacher_in_all_and_in_tries() {
        let mut candidates = Candidates::default();
        let teacher = |n: u8| SocketAddr::from(([203, 0, 113, n], 1935));
        let mut taken = 0;
        for n in 0..5u8 {
            for port in 1..=20u16 {
                let told = Path::to(SocketAddr::from(([198, 51, 100, n], port)));
                taken += usize::from(candidates.add_hearsay(Instant::ZERO, told, teacher(n)).is_ok());
            }
        }
        assert_eq!(taken, 24);
        let mut sent = 0;
        while let Some(next) = candidates.deadline() {
            while candidates.next_due(next).is_some() {
                sent += 1;
            }
        }
        assert_eq!(sent, 24 * 5);
    }

    #[test]
    fn each_candidate_has_its_own_schedule_and_own_ones_go_on() {
        let mut candidates = Candidates::default();
        candidates.add_own(Instant::ZERO, path("192.0.2.1:1"));
        assert!(!candidates.were_asked(&path("192.0.2.1:1")));
        assert_eq!(candidates.next_due(Instant::ZERO), Some((path("192.0.2.1:1"), false)));
        assert!(candidates.were_asked(&path("192.0.2.1:1")));
        let half = Instant::from_micros(500_000);
        candidates.add_hearsay(half, path("192.0.2.2:2"), "192.0.2.1:1".parse().unwrap()).unwrap();
        assert_eq!(candidates.next_due(half), Some((path("192.0.2.1:1"), false)));
        assert_eq!(candidates.next_due(half), Some((path("192.0.2.2:2"), true)));
        assert_eq!(candidates.next_due(half), None);
        candidates.calm(half);
        assert_eq!(candidates.deadline(), Some(Instant::from_micros(750_000)), "the one that we know from hearsay");
        let mut own = 1;
        while let Some(next) = candidates.deadline().filter(|next| *next < Instant::from_micros(95_000_000)) {
            own += usize::from(candidates.next_due(next).is_some_and(|(_, hearsay)| !hearsay));
        }
        // At 0.5 s, 1.5 s, and so on by the schedule of the RFC.
        assert_eq!(own, 12);
    }

    #[test]
    fn what_was_asked_in_vain_is_asked_again_only_in_a_new_search_that_brings_it_again() {
        let mut candidates = Candidates::default();
        let [introducer, told] = ["192.0.2.1:1", "192.0.2.2:2"].map(path);
        candidates.add_own(Instant::ZERO, introducer);
        let mut now = Instant::ZERO;
        let mut asked = Vec::new();
        for search in 0..4 {
            let mut count = 0;
            for _ in 0..40 {
                while let Some((_, hearsay)) = candidates.next_due(now) {
                    count += u32::from(hearsay);
                    // In the last one the introducer is silent.
                    if !hearsay && search < 3 {
                        candidates.add_hearsay(now, told, introducer.remote).unwrap();
                    }
                }
                now += Duration::from_millis(250);
            }
            asked.push(count);
            candidates.look_again(now);
            assert!(candidates.have_hearsay() && candidates.deadline() <= Some(now));
        }
        assert_eq!(asked, [5, 5, 5, 0]);
    }
}
