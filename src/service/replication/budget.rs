//! How much work a neighbour may cause by what it says.

use crate::base::Instant;

/// Work that a neighbour may cause at once: more than all indices that are tracked, said to be there once and gone once.
const WORK: u64 = 1 << 19;
/// Work that it may cause in a second, in the long run: eight times what a gibibit a second of the smallest pieces does.
const WORK_EACH_SECOND: u64 = 1 << 17;

/// What a neighbour may still cause. A unit is an index or range that is looked up, about half a microsecond.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    at: Instant,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self { left: WORK, at: Instant::ZERO }
    }

    /// Takes so much; `false` if there is not so much.
    pub(super) fn spend(&mut self, now: Instant, work: u64) -> bool {
        // A minute is more than enough to earn everything.
        let earned = now.since(self.at).as_micros().min(60_000_000) as u64 * WORK_EACH_SECOND / 1_000_000;
        if earned > 0 {
            self.left = self.left.saturating_add(earned).min(WORK);
            self.at = now;
        }
        let enough = work <= self.left;
        self.left = self.left.saturating_sub(work);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn work_is_earned_with_time_and_not_hoarded() {
        let mut budget = Budget::new();
        let begin = Instant::from_micros(3_600_000_000);
        assert!(budget.spend(begin, WORK) && !budget.spend(begin, 1));
        let later = begin + Duration::from_secs(1);
        assert!(budget.spend(later, WORK_EACH_SECOND) && !budget.spend(later, 100));
        // In small steps as in large ones.
        let steps = (1..=1_000).filter(|&step| budget.spend(later + Duration::from_millis(step), 131)).count();
        assert!(steps > 995, "{steps}");
        let much_later = begin + Duration::from_secs(3_600 * 24 * 365 * 100);
        assert!(budget.spend(much_later, WORK) && !budget.spend(much_later, 1));
    }
}
