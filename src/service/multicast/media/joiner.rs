//! Units, written as the stream that they were cut from.

use super::flv::put_tag;
use super::unit::unit_kind::{MPEG_TS, RAW};
use super::unit::{Head, Unit};

/// Writes what a player gets: nothing before a unit with which one can begin, then the head, then every unit.
#[derive(Debug, Default)]
pub struct Joiner {
    begun: bool,
    /// Something was written of a stream before.
    follows: bool,
}

impl Joiner {
    /// Nothing was written.
    #[must_use]
    pub const fn new() -> Self {
        Self { begun: false, follows: false }
    }

    /// Another stream follows: nothing before a unit with which one can begin, then what it needs. A header is written once.
    pub fn follow(&mut self) {
        self.follows |= self.begun;
        self.begun = false;
    }

    /// Appends a unit to what is written; before the first one, the head. `is_first`: the stream begins with it. Whether it
    /// was written.
    pub fn put(&mut self, unit: &Unit, is_first: bool, head: &Head, out: &mut Vec<u8>) -> bool {
        if !self.begun {
            if !unit.key && !is_first {
                return false;
            }
            self.begun = true;
            if !self.follows {
                out.extend_from_slice(&head.header);
            }
            if !is_first {
                out.extend_from_slice(&head.tables);
            }
        }
        match unit.kind {
            MPEG_TS | RAW => out.extend_from_slice(&unit.data),
            _ => put_tag(unit, out),
        }
        true
    }

    /// Whether anything was written.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun
    }
}
