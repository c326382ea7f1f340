//! Groups: `group new`, `show`, `join`, `members`, `info`, `post`, what goes through a membership: `route`, `store`; files:
//! `replicate-file`; and streams: `multicast`.
//!
//! A membership is held by a hub, which answers [`request::Request`]s. `group join` has one for as long as it runs and
//! lets other commands of this user work through it, by a control socket; those have a short one of their own where none
//! runs. Whoever posts or stores signs it itself, so what goes through the socket needs no trust.

mod access;
#[cfg(unix)]
mod client;
mod clock;
mod enter;
#[cfg(unix)]
mod frames;
mod hub;
pub(super) mod join;
mod lines;
pub(super) mod look;
pub(super) mod multicast;
pub(super) mod new;
mod place;
pub(super) mod post;
mod printer;
mod remember;
pub(super) mod replicate;
pub mod request;
mod right;
pub(super) mod route;
#[cfg(unix)]
mod server;
pub(super) mod show;
mod sight;
mod socket;
pub(super) mod store;
mod told;
mod writer;
