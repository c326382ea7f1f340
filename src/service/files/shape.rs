//! How a file is cut into pieces.

use std::ops::Range;

/// The smallest size of pieces, in bytes.
pub const MIN_PIECE: u64 = 16 << 10;
/// The largest.
pub const MAX_PIECE: u64 = 1 << 20;
/// Pieces of a file at most. What is known of them is held in memory, 64 bytes for each: 256 MiB for the largest file, of
/// which only what has been proven takes room.
pub const MAX_PIECES: u64 = 1 << 22;
/// The largest file: 4 TiB.
pub const MAX_SIZE: u64 = MAX_PIECES * MAX_PIECE;
/// Pieces of a file whose size the limits above do not decide.
const PIECES: u64 = 1_024;

/// A file is larger than [`MAX_SIZE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file of {0} bytes is too large")]
pub struct TooLarge(pub u64);

/// The size of a file, and so its pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    size: u64,
}

impl Shape {
    /// Of a file of so many bytes.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub const fn new(size: u64) -> Result<Self, TooLarge> {
        if size > MAX_SIZE { Err(TooLarge(size)) } else { Ok(Self { size }) }
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.size
    }

    /// Bytes of every piece but the last.
    #[must_use]
    pub fn piece_size(self) -> u64 {
        self.size.div_ceil(PIECES).next_power_of_two().clamp(MIN_PIECE, MAX_PIECE)
    }

    /// How many pieces; at least one.
    #[must_use]
    pub fn pieces(self) -> u64 {
        self.size.div_ceil(self.piece_size()).max(1)
    }

    /// The bytes of a piece.
    ///
    /// # Panics
    /// If there is no such piece.
    #[must_use]
    pub fn range(self, piece: u64) -> Range<u64> {
        assert!(piece < self.pieces(), "piece {piece} of {}", self.pieces());
        let start = piece * self.piece_size();
        start..(start + self.piece_size()).min(self.size)
    }

    /// How many bytes a piece has.
    ///
    /// # Panics
    /// If there is no such piece.
    #[must_use]
    pub fn len(self, piece: u64) -> usize {
        let range = self.range(piece);
        (range.end - range.start) as usize
    }

    /// Whether the file is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.size == 0
    }

    /// The piece that is last.
    #[must_use]
    pub fn last(self) -> u64 {
        self.pieces() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_by_size() {
        let table = [
            (0, 16 << 10, 1),
            (1, 16 << 10, 1),
            (16 << 10, 16 << 10, 1),
            ((16 << 10) + 1, 16 << 10, 2),
            (16 << 20, 16 << 10, 1_024),
            ((16 << 20) + 1, 32 << 10, 513),
            (512 << 20, 512 << 10, 1_024),
            (1 << 30, 1 << 20, 1_024),
            (100 << 30, 1 << 20, 102_400),
        ];
        for (size, piece, count) in table {
            let shape = Shape::new(size).unwrap();
            assert_eq!((shape.piece_size(), shape.pieces()), (piece, count), "{size}");
            assert_eq!(shape.range(shape.last()).end, size);
        }
        assert_eq!(Shape::new(MAX_SIZE).unwrap().pieces(), MAX_PIECES);
        const { assert!(MAX_PIECES < super::super::space::ALL) };
        assert_eq!(Shape::new(MAX_SIZE + 1), Err(TooLarge(MAX_SIZE + 1)));
    }
}
