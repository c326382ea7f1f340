//! Posting: every member that is connected receives each post once.

mod beat;
mod compare;
mod format;
mod lag;
mod machine;
mod missing;
mod neighbour;
mod receive;
mod signed;
mod store;
mod streams;
mod tree;
mod types;

pub use machine::Posting;
pub use signed::{MAX_NICK, sign_post};
pub use types::{MAX_BODY, Post, PostError, PostId, PostingConfig, PostingEvent, PostingStats, Verdict};

#[cfg(test)]
mod tests;
