//! Sets of numbers kept as ranges.

use std::ops::RangeInclusive;

/// So few ranges are quicker to put in one by one.
const FEW: usize = 8;

/// A set of `u64`, as sorted, disjoint, non-adjacent inclusive ranges. Operations near the end are O(1); others are
/// O(log n) to find and O(n) to shift, n being the number of ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeSet {
    ranges: Vec<(u64, u64)>,
}

impl FromIterator<RangeInclusive<u64>> for RangeSet {
    fn from_iter<I: IntoIterator<Item = RangeInclusive<u64>>>(ranges: I) -> Self {
        let mut set = Self::new();
        ranges.into_iter().for_each(|range| set.insert_range(range));
        set
    }
}

impl RangeSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many disjoint ranges it takes.
    #[must_use]
    pub fn range_count(&self) -> usize {
        self.ranges.len()
    }

    /// Whether `value` is in it.
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        let at = self.ranges.partition_point(|&(_, end)| end < value);
        self.ranges.get(at).is_some_and(|&(start, _)| start <= value)
    }

    /// Adds one number; `false` if it was there.
    pub fn insert(&mut self, value: u64) -> bool {
        if let Some(last) = self.ranges.last_mut()
            && last.1.checked_add(1) == Some(value)
        {
            last.1 = value;
            return true;
        }
        if self.contains(value) {
            return false;
        }
        self.insert_range(value..=value);
        true
    }

    /// Adds all numbers of `range`; nothing if it is empty.
    pub fn insert_range(&mut self, range: RangeInclusive<u64>) {
        let (mut start, mut end) = range.into_inner();
        if start > end {
            return;
        }
        let first = self.ranges.partition_point(|&(_, e)| e < start.saturating_sub(1));
        let mut last = first;
        while let Some(&(s, e)) = self.ranges.get(last) {
            if s > end.saturating_add(1) {
                break;
            }
            start = start.min(s);
            end = end.max(e);
            last += 1;
        }
        self.ranges.splice(first..last, [(start, end)]);
    }

    /// Takes out all numbers of `range`.
    pub fn remove_range(&mut self, range: RangeInclusive<u64>) {
        let (start, end) = range.into_inner();
        if start > end {
            return;
        }
        let first = self.ranges.partition_point(|&(_, e)| e < start);
        let last = first + self.ranges[first..].partition_point(|&(s, _)| s <= end);
        if first == last {
            return;
        }
        let (left, right) = (self.ranges[first].0, self.ranges[last - 1].1);
        let before = (left < start).then(|| (left, start - 1));
        let after = (right > end).then(|| (end + 1, right));
        self.ranges.splice(first..last, before.into_iter().chain(after));
    }

    /// Adds all of `other`, in one pass.
    pub fn add_all(&mut self, other: &Self) {
        if other.ranges.len() <= FEW {
            return other.iter().for_each(|range| self.insert_range(range));
        }
        let mine = std::mem::take(&mut self.ranges);
        let (mut left, mut right) = (mine.iter().peekable(), other.ranges.iter().peekable());
        self.ranges.reserve(mine.len() + other.ranges.len());
        loop {
            let from = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if b.0 < a.0 => &mut right,
                (Some(_), _) => &mut left,
                (None, _) => &mut right,
            };
            let Some(&(start, end)) = from.next() else { break };
            match self.ranges.last_mut().filter(|last| start <= last.1.saturating_add(1)) {
                Some(last) => last.1 = last.1.max(end),
                None => self.ranges.push((start, end)),
            }
        }
        self.ranges.shrink_to(self.ranges.len() * 2);
    }

    /// Takes out all of `other`, in one pass.
    pub fn remove_all(&mut self, other: &Self) {
        if other.ranges.len() <= FEW {
            return other.iter().for_each(|range| self.remove_range(range));
        }
        let mut at = 0;
        let mut kept = Vec::with_capacity(self.ranges.len());
        for &(mut start, end) in &self.ranges {
            while other.ranges.get(at).is_some_and(|taken| taken.1 < start) {
                at += 1;
            }
            let mut whole = true;
            while let Some(&(from, to)) = other.ranges.get(at).filter(|taken| taken.0 <= end) {
                if from > start {
                    kept.push((start, from - 1));
                }
                if to >= end {
                    whole = false;
                    break;
                }
                start = to + 1;
                at += 1;
            }
            if whole {
                kept.push((start, end));
            }
        }
        self.ranges = kept;
    }

    /// What is in both, found in one pass.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let (mut mine, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            let (start, end) = (a.0.max(b.0), a.1.min(b.1));
            if start <= end {
                ranges.push((start, end));
            }
            if a.1 <= b.1 {
                mine.next()
            } else {
                theirs.next()
            };
        }
        Self { ranges }
    }

    /// What lies in `range`, in ascending order.
    pub fn within(&self, range: RangeInclusive<u64>) -> impl Iterator<Item = RangeInclusive<u64>> + Clone + '_ {
        let (start, end) = range.into_inner();
        let first = self.ranges.partition_point(|&(_, e)| e < start);
        let among = self.ranges[first..].iter().take_while(move |&&(s, _)| s <= end && start <= end);
        among.map(move |&(s, e)| s.max(start)..=e.min(end))
    }

    /// How many numbers are in it; 2^64 − 1 if there are more.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().fold(0, |sum: u64, &(start, end)| sum.saturating_add((end - start).saturating_add(1)))
    }

    /// The highest number.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.ranges.last().map(|&(_, end)| end)
    }

    /// The ranges in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RangeInclusive<u64>> + Clone + '_ {
        self.ranges.iter().map(|&(start, end)| start..=end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(inserts in proptest::collection::vec((0u64..200, 0u64..12), 0..80)) {
            let mut ranges = RangeSet::new();
            let mut plain = BTreeSet::new();
            for (start, len) in inserts {
                if len == 0 {
                    prop_assert_eq!(ranges.insert(start), plain.insert(start));
                } else {
                    ranges.insert_range(start..=start + len);
                    plain.extend(start..=start + len);
                }
            }
            for value in 0..220 {
                prop_assert_eq!(ranges.contains(value), plain.contains(&value));
            }
            let listed: Vec<u64> = ranges.iter().flatten().collect();
            prop_assert_eq!(listed, plain.into_iter().collect::<Vec<_>>());
            let bounds: Vec<_> = ranges.iter().map(RangeInclusive::into_inner).collect();
            prop_assert!(bounds.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    proptest! {
        #[test]
        fn takes_out_what_a_plain_set_does(
            acts in proptest::collection::vec((any::<bool>(), 0u64..200, 0u64..12), 0..80),
            from in 0u64..200,
            len in 0u64..60,
        ) {
            let mut ranges = RangeSet::new();
            let mut plain = BTreeSet::new();
            for (takes, start, len) in acts {
                if takes {
                    ranges.remove_range(start..=start + len);
                    plain.retain(|value| !(start..=start + len).contains(value));
                } else {
                    ranges.insert_range(start..=start + len);
                    plain.extend(start..=start + len);
                }
            }
            prop_assert_eq!(ranges.len(), plain.len() as u64);
            prop_assert_eq!(ranges.iter().flatten().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            let within: Vec<u64> = ranges.within(from..=from + len).flatten().collect();
            prop_assert_eq!(within, plain.range(from..=from + len).copied().collect::<Vec<_>>());
            let bounds: Vec<_> = ranges.iter().map(RangeInclusive::into_inner).collect();
            prop_assert!(bounds.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    proptest! {
        #[test]
        fn whole_sets_meet_as_plain_ones_do(
            mine in proptest::collection::vec((0u64..400, 0u64..9), 0..60),
            other in proptest::collection::vec((0u64..400, 0u64..9), 0..60),
        ) {
            let set = |list: &[(u64, u64)]| list.iter().map(|&(start, len)| start..=start + len).collect::<RangeSet>();
            let (mine, other) = (set(&mine), set(&other));
            let plain = |set: &RangeSet| set.iter().flatten().collect::<BTreeSet<u64>>();
            let (a, b) = (plain(&mine), plain(&other));
            let (mut sum, mut rest, both) = (mine.clone(), mine.clone(), mine.common(&other));
            sum.add_all(&other);
            rest.remove_all(&other);
            prop_assert_eq!(plain(&sum), &a | &b);
            prop_assert_eq!(plain(&rest), &a - &b);
            prop_assert_eq!(plain(&both), &a & &b);
            for made in [sum, rest] {
                prop_assert!(made.ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
            prop_assert!(both.ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn the_ends_of_the_number_line_do_not_overflow() {
        let mut ranges = RangeSet::new();
        ranges.insert_range(u64::MAX - 1..=u64::MAX);
        assert!(!ranges.insert(u64::MAX));
        assert!(ranges.insert(0));
        assert_eq!(ranges.range_count(), 2);
    }
}
