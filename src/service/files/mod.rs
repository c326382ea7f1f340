//! Files as objects of a group: pieces, proofs, lists of files, safe names. Values and pure functions; who carries the
//! objects is no concern of theirs.
//!
//! # Pieces
//!
//! A file, of 4 TiB at most, is cut into pieces of its size / 1024, rounded up to a power of two, at least 16 KiB and at most 1 MiB. The last piece may be
//! shorter; an empty file is one empty piece. Pieces are subtrees of BLAKE3's own tree, so that the root of the tree over them is what `b3sum`
//! prints. A *chaining value* is what BLAKE3 gives for a subtree (32 bytes); the left subtree has the largest power of two of
//! pieces that is less than all.
//!
//! # Index space
//!
//! A group has one space of object indices, 0 to 2^53. A file with the hash H owns 2^31 of them from *base*(H) = the first 22 bits of H,
//! shifted left by 31. What lies at an index:
//!
//! ```text
//! base + i           piece i: proof ‖ data
//! base + 2^31 - 2    no bytes: who has it says that all is there, the file or every file of the list; it proves nothing
//! base + 2^31 - 1    the head: size of the file (VLU) ‖ proof of the last piece ‖ data of the last piece
//! ```
//!
//! The *proof* of a piece is the chaining values of its siblings from its own level up to the children of the root. Which of them
//! are left follows from the number of pieces. The last piece and its proof show the size, since a chunk's number and length are hashed with it, and
//! only the last subtree has no sibling to its right.
//!
//! In a list, whose files are in one group, a file whose 2^31 indices an earlier one has takes the next free ones (modulo 2^22 of them). The list itself comes
//! first.
//!
//! # Lists
//!
//! Several files are named by a list, which is a file too; its hash stands in the address. Numbers are VLUs in their shortest form:
//!
//! ```text
//! "p2pt list 1" 00 ‖ count ‖ count × (length ‖ name ‖ size ‖ BLAKE3 hash (32))
//! ```
//!
//! Names are UTF-8, parts divided by `/`, in ascending order of their bytes, none twice, and none a folder of another; each of them
//! passes [`check_path`]. There is one way to write a list, and nothing follows.

mod apart;
mod list;
mod name;
mod object;
mod shape;
mod space;
mod tree;

pub use apart::{Folding, apart};
pub use list::{List, ListFault, Listed, MAX_FILES, MAX_LIST};
pub use name::{MAX_NAME, MAX_PATH, NameFault, check_name, check_path, safe_name};
pub use object::{Head, MAX_BEFORE, Refused, begin_head, begin_piece, head, piece, read_head, read_piece};
pub use shape::{MAX_PIECE, MAX_PIECES, MAX_SIZE, MIN_PIECE, Shape, TooLarge};
pub use space::{ALL, HEAD, SPAN, Space, base_of};
pub use tree::{Cv, Learnt, MAX_DEPTH, Tree, leaf};
