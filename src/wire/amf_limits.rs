//! What one AMF message may cost its reader, so that few bytes never become many.

use super::error::DecodeError;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 32;
/// Most values that are read from one message. An empty one costs its sender a byte and us about a hundred.
pub const MAX_VALUES: usize = 1 << 16;
/// Most bytes of text, names and byte arrays that are read from one message, repetitions by reference counted again.
pub const MAX_TEXT: usize = 1 << 24;

/// What is left of the limits while a message is read.
#[derive(Debug)]
pub(super) struct Budget {
    depth: usize,
    values: usize,
    text: usize,
}

impl Budget {
    /// All of it.
    pub(super) const fn new() -> Self {
        Self { depth: MAX_DEPTH, values: MAX_VALUES, text: MAX_TEXT }
    }

    /// Pays for a value, and enters it.
    pub(super) fn descend(&mut self) -> Result<(), DecodeError> {
        self.spend_values(1)?;
        spend(&mut self.depth, 1)
    }

    /// Leaves a value.
    pub(super) const fn ascend(&mut self) {
        self.depth += 1;
    }

    /// Pays for `count` values or names.
    pub(super) fn spend_values(&mut self, count: usize) -> Result<(), DecodeError> {
        spend(&mut self.values, count)
    }

    /// Pays for `len` bytes of text.
    pub(super) fn spend_text(&mut self, len: usize) -> Result<(), DecodeError> {
        spend(&mut self.text, len)
    }
}

fn spend(from: &mut usize, amount: usize) -> Result<(), DecodeError> {
    *from = from.checked_sub(amount).ok_or(DecodeError::TooLarge)?;
    Ok(())
}
