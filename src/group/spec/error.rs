//! What may be wrong with a groupspec. No error shows its digits, which are secret.

use super::option::kind;

/// Why a text is no groupspec. Characters are counted from 1, the first being the one behind `G:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupspecError {
    /// It does not begin with `G:`.
    #[error("a groupspec begins with G:")]
    Prefix,
    /// A character that is no hex digit.
    #[error("character {at} of the groupspec, {found:?}, is not a hex digit")]
    Digit {
        /// Which.
        at: usize,
        /// What stands there.
        found: char,
    },
    /// Half a byte, or nothing.
    #[error("the groupspec has {digits} hex digits; there must be pairs of them")]
    Odd {
        /// How many there are.
        digits: usize,
    },
    /// Longer than any groupspec.
    #[error("a groupspec has at most {} characters", super::value::MAX_TEXT)]
    TooLong,
    /// An option says that it is longer than what is left.
    #[error("the option that begins at character {at} of the groupspec goes on beyond its end; is the end missing?")]
    Truncated {
        /// Where it begins.
        at: usize,
    },
    /// Nothing ends the canonical part.
    #[error("the groupspec's options do not end with 00; is the end missing?")]
    Unended,
    /// A version whose group ID nobody here can tell.
    #[error("the groupspec's version is {version}; 1 and 2 are known here")]
    Version {
        /// Which.
        version: u64,
    },
    /// A posting or publishing key that is malformed, of a later version, or one of several: the group could not be kept
    /// as its maker meant it.
    #[error("the {} at character {at} of the groupspec is malformed, or of a later version of p2pt", key_name(*.kind))]
    Key {
        /// The option's type.
        kind: u64,
        /// Where it begins.
        at: usize,
    },
}

const fn key_name(kind: u64) -> &'static str {
    if kind == kind::POSTING_KEY { "posting key" } else { "publishing key" }
}
