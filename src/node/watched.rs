//! A machine whose deadline is remembered.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use crate::base::Instant;

/// A machine, and its deadline since it was last touched. To ask a machine for its deadline may mean to look at all that
/// it waits for; a member asks after everything that happens, and most of that concerns another of its machines.
#[derive(Debug)]
pub(super) struct Watched<T> {
    machine: T,
    deadline: Cell<Option<Option<Instant>>>,
}

impl<T> Watched<T> {
    pub(super) const fn new(machine: T) -> Self {
        Self { machine, deadline: Cell::new(None) }
    }

    /// Its deadline, by `ask` if it was touched.
    pub(super) fn deadline(&self, ask: impl FnOnce(&T) -> Option<Instant>) -> Option<Instant> {
        let deadline = self.deadline.get().unwrap_or_else(|| ask(&self.machine));
        self.deadline.set(Some(deadline));
        deadline
    }

    /// The machine, for what does not move its deadline: to drain it.
    pub(super) const fn drained(&mut self) -> &mut T {
        &mut self.machine
    }
}

impl<T> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.machine
    }
}

impl<T> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.deadline.set(None);
        &mut self.machine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_again_once_it_is_touched() {
        let mut watched = Watched::new(3);
        let ask = |at: &u64| Some(Instant::from_micros(*at));
        assert_eq!(watched.deadline(ask), Some(Instant::from_micros(3)));
        assert_eq!(watched.deadline(|_| panic!("it is remembered")), Some(Instant::from_micros(3)));
        *watched = 4;
        assert_eq!(watched.deadline(ask), Some(Instant::from_micros(4)));
        *watched.drained() = 5;
        assert_eq!(watched.deadline(ask), Some(Instant::from_micros(4)));
    }
}
