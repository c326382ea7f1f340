//! Groups: `group new`, `show`, `join`, `members`, `info`, `post`, and what goes through a membership: `route`, `store`.

pub(super) mod new;
pub(super) mod show;
