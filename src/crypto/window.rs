//! Which packet numbers came before.

use super::packet::OpenError;

/// A sliding window over packet numbers: the highest so far and a bit for each of the `size` numbers up to it.
/// What is below was forgotten and is refused.
#[derive(Debug)]
pub(super) struct Window {
    size: u64,
    /// Highest number marked; `None` before the first.
    highest: Option<u64>,
    /// A ring of bits, a power of two long and at least `size`: number `n` has bit `n mod length`.
    bits: Box<[u64]>,
}

impl Window {
    /// A window that remembers the last `size` numbers, at least 1.
    pub(super) fn new(size: u32) -> Self {
        let size = u64::from(size.max(1));
        let words = (size.next_power_of_two() / 64).max(1) as usize;
        Self { size, highest: None, bits: vec![0; words].into_boxed_slice() }
    }

    /// Whether every number of the window is at least `number`, so that nothing below it will be accepted again.
    pub(super) fn is_past(&self, number: u64) -> bool {
        self.highest.is_some_and(|highest| highest >= self.size - 1 && highest - (self.size - 1) >= number)
    }

    /// Whether `number` may still come. To be asked before opening.
    pub(super) fn check(&self, number: u64) -> Result<(), OpenError> {
        let Some(highest) = self.highest else { return Ok(()) };
        if number > highest {
            Ok(())
        } else if highest - number >= self.size {
            Err(OpenError::BelowWindow)
        } else if self.bits[self.word(number)] & bit(number) != 0 {
            Err(OpenError::Replayed)
        } else {
            Ok(())
        }
    }

    /// Remembers a number that passed [`Window::check`] and whose packet is authentic; says whether it is the highest.
    pub(super) fn mark(&mut self, number: u64) -> bool {
        let newest = match self.highest {
            None => true,
            Some(highest) if number > highest => {
                self.forget(highest, number);
                true
            }
            Some(_) => false,
        };
        if newest {
            self.highest = Some(number);
        }
        let word = self.word(number);
        self.bits[word] |= bit(number);
        newest
    }

    /// Clears the bits of the numbers after `highest` up to `number`.
    fn forget(&mut self, highest: u64, number: u64) {
        let length = self.bits.len() as u64 * 64;
        if number - highest >= length {
            self.bits.fill(0);
            return;
        }
        for passed in highest + 1..=number {
            let word = self.word(passed);
            self.bits[word] &= !bit(passed);
        }
    }

    fn word(&self, number: u64) -> usize {
        (number / 64) as usize & (self.bits.len() - 1)
    }
}

fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn accepts_each_number_once_and_nothing_below(
            size in 1u32..300,
            start in prop_oneof![Just(0u64), Just(u64::MAX - 5_000), any::<u32>().prop_map(u64::from)],
            steps in proptest::collection::vec(-400i64..500, 1..200),
        ) {
            let mut window = Window::new(size);
            let mut seen = BTreeSet::new();
            let mut at = start;
            for step in steps {
                at = at.saturating_add_signed(step);
                let highest: Option<u64> = seen.last().copied();
                let expected = match highest {
                    Some(highest) if at <= highest && highest - at >= u64::from(size) => Err(OpenError::BelowWindow),
                    Some(_) if seen.contains(&at) => Err(OpenError::Replayed),
                    _ => Ok(()),
                };
                prop_assert_eq!(window.check(at), expected);
                if expected.is_ok() {
                    prop_assert_eq!(window.mark(at), highest.is_none_or(|highest| at > highest));
                    seen.insert(at);
                }
            }
        }
    }

    #[test]
    fn a_leap_over_the_whole_number_line_forgets_everything() {
        let mut window = Window::new(4096);
        window.mark(7);
        assert!(!window.is_past(0));
        window.mark(u64::MAX);
        assert_eq!(window.check(7), Err(OpenError::BelowWindow));
        assert_eq!(window.check(u64::MAX), Err(OpenError::Replayed));
        assert_eq!(window.check(u64::MAX - 4095), Ok(()));
        assert_eq!(window.check(u64::MAX - 4096), Err(OpenError::BelowWindow));
        assert!(window.is_past(u64::MAX - 4095) && !window.is_past(u64::MAX - 4094));
    }
}
