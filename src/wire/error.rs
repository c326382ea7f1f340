//! Why bytes are not the value that was wanted.

/// Why bytes could not be decoded. The bytes are to blame, never the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the value.
    #[error("truncated")]
    Truncated,
    /// A packet mode of 0 (RFC 7016 section 2.2.4).
    #[error("forbidden packet mode")]
    Mode,
    /// A field holds a value that its specification forbids.
    #[error("forbidden value in a field")]
    Forbidden,
    /// A type marker or format byte that is not known.
    #[error("unknown type {0:#04x}")]
    UnknownType(u8),
    /// A text that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// Deeper or larger than is accepted here.
    #[error("deeper or larger than the limit")]
    TooLarge,
    /// A reference to something that was not sent before.
    #[error("dangling reference")]
    Reference,
}
