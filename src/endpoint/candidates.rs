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
/// Addresses that our own user may give.
const MAX_OWN: usize = 64;

/// The candidate set of one opening.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    list: Vec<Candidate>,
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
        } else if self.list.iter().filter(|known| known.teacher.is_none()).count() < MAX_OWN {
            self.list.push(Candidate { path, teacher: None, backoff: Backoff::new(now) });
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
        self.list.push(Candidate { path, teacher: Some(teacher), backoff: Backoff::new(now) });
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
        self.list.iter().any(|known| known.teacher.is_some())
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
        assert_eq!(candidates.next_due(half), Some((path("192.0.2.2:2"), true)));
        assert_eq!(candidates.next_due(half), None);
        assert_eq!(candidates.deadline(), Some(Instant::from_micros(1_000_000)));
        let mut own = 1;
        while let Some(next) = candidates.deadline().filter(|next| *next < Instant::from_micros(95_000_000)) {
            own += usize::from(candidates.next_due(next).is_some_and(|(_, hearsay)| !hearsay));
        }
        assert_eq!(own, 12);
    }
}
