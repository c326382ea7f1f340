//! Which pieces need not be hashed again before they are given.

use std::time::SystemTime;

/// What shows that a file was changed: its length, and when.
pub type Stamp = (u64, SystemTime);

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

    /// We changed the file ourselves.
    pub(super) const fn moved(&mut self, now: Option<Stamp>) {
        self.stamp = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_change_by_others_undoes_it() {
        let stamp = |seconds| Some((7, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)));
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
}
