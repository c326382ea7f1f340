//! Groupspecs (flash-groups section 1): read, made, put in Flash's order.
//!
//! Besides Flash's options there are two of ours, in the canonical part behind `1b`: 0x2359, the posting key, and 0x235a, the
//! publishing key ([`PasswordKey`]). Their value is: version 01 ‖ Ed25519 public key (32 bytes) and, if it belongs to a person's
//! password, ‖ salt (16 bytes) ‖ memory in KiB ‖ passes ‖ lanes, the last three VLUs, for Argon2id.

mod builder;
mod error;
mod key;
mod option;
mod value;

pub use builder::{BuildError, GroupspecBuilder};
pub use error::GroupspecError;
pub use key::PasswordKey;
pub use option::{IpMulticast, PasswordHash, SpecOption, kind};
pub use value::{GroupId, Groupspec, MAX_TEXT};

#[cfg(test)]
mod tests;
