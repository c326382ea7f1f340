//! Which pieces need not be hashed again before they are given.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// How long ago a file was changed at least, if a change from now on is to show. The times of files are coarse, two seconds on some disks: a
/// change within one of their steps leaves no trace. And who writes through a mapping of memory changes the time once, and then bytes until the
/// system has written them to the disk, half a minute later.
const COARSE: Duration = Duration::from_secs(40);

/// What shows that a file was changed: its length, and when its bytes and what is told of it changed. Whoever sets the first of those times back
/// cannot set back the second, which there is on Unix only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    len: u64,
    modified: SystemTime,
    /// Seconds and nanoseconds of the second time, and the number of the file on its disk.
    changed: (i64, i64, u64),
}

impl Stamp {
    /// What is told of a file; `None` if that is too little.
    #[must_use]
    pub fn of(about: &Metadata) -> Option<Self> {
        #[cfg(unix)]
        let changed = {
            use std::os::unix::fs::MetadataExt as _;
            (about.ctime(), about.ctime_nsec(), about.ino())
        };
        #[cfg(not(unix))]
        let changed = (0, 0, 0);
        Some(Self { len: about.len(), modified: about.modified().ok()?, changed })
    }

    /// Whether its bytes are as they were, as far as the file's length and time tell: it may have another name, or another owner.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        (self.len, self.modified) == (other.len, other.modified)
    }

    /// Whether all that changes from now on will show.
    fn is_settled(&self, now: SystemTime) -> bool {
        let before = |time: SystemTime| now.duration_since(time).is_ok_and(|ago| ago > COARSE);
        let seconds = u64::try_from(self.changed.0).unwrap_or(0);
        before(self.modified) && before(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }
}

/// The pieces that were hashed since the file was last changed by others. A piece that is not what it should be would have us
/// taken for a liar by whoever gets it; but each is given several times.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust {
    stamp: Option<Stamp>,
    hashed: Vec<bool>,
}

impl Trust {
    /// Whether a piece of the file as it is now was hashed.
    pub(super) fn has(&mut self, now: Option<Stamp>, piece: u64) -> bool {
        if now.is_none() || now != self.stamp {
            self.hashed.clear();
            self.stamp = now;
        }
        usize::try_from(piece).is_ok_and(|piece| self.hashed.get(piece) == Some(&true))
    }

    /// It was, the file being as it was then.
    pub(super) fn add(&mut self, piece: u64) {
        let Ok(piece) = usize::try_from(piece) else { return };
        if self.hashed.len() <= piece {
            self.hashed.resize(piece + 1, false);
        }
        self.hashed[piece] = true;
    }

    /// It was, unless a change after that might not show; `now` is the time before it was read.
    pub(super) fn add_settled(&mut self, piece: u64, now: SystemTime) {
        if self.stamp.is_some_and(|stamp| stamp.is_settled(now)) {
            self.add(piece);
        }
    }

    /// All were, the file being as it was at `stamp`, and read after `now`.
    pub(super) fn of_all(stamp: Option<Stamp>, pieces: u64, now: SystemTime) -> Self {
        let hashed = stamp.is_some_and(|stamp| stamp.is_settled(now));
        Self { stamp, hashed: vec![hashed; usize::try_from(pieces).unwrap_or(0)] }
    }

    /// We changed the file ourselves.
    pub(super) const fn moved(&mut self, now: Option<Stamp>) {
        self.stamp = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamp(seconds: u64) -> Option<Stamp> {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Some(Stamp { len: 7, modified, changed: (seconds as i64, 0, 1) })
    }

    #[test]
    fn a_change_by_others_undoes_it() {
        let mut trust = Trust::default();
        assert!(!trust.has(stamp(1), 3));
        trust.add(3);
        assert!(trust.has(stamp(1), 3) && !trust.has(stamp(1), 2));
        trust.moved(stamp(2));
        assert!(trust.has(stamp(2), 3));
        assert!(!trust.has(stamp(3), 3));
        assert!(!trust.has(stamp(2), 3), "for good");
        trust.add(3);
        assert!(!trust.has(None, 3), "what cannot be told is not trusted");
    }

    #[test]
    fn what_was_changed_just_now_may_change_again_unseen() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut trust = Trust::default();
        assert!(!trust.has(stamp(100), 3));
        // A clock that was set back, the same moment, a coarse clock's next step.
        for now in [90, 100, 139] {
            trust.add_settled(3, at(now));
            assert!(!trust.has(stamp(100), 3), "{now}");
            assert!(!Trust::of_all(stamp(100), 5, at(now)).has(stamp(100), 3), "{now}");
        }
        trust.add_settled(3, at(141));
        assert!(trust.has(stamp(100), 3));
        assert!(Trust::of_all(stamp(100), 5, at(141)).has(stamp(100), 3));
        // The time of the bytes is set back by hand; that of the change is not.
        let back = Stamp { modified: at(10), changed: (110, 0, 1), ..stamp(100).unwrap() };
        assert!(!trust.has(Some(back), 3));
        trust.add_settled(3, at(141));
        assert!(!trust.has(Some(back), 3));
    }
}
