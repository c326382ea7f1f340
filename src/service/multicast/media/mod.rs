//! What streams are made of: formats that come in as bytes are cut into [`Unit`]s at places that mean something, and come out as
//! the same bytes.
//!
//! Whoever begins in the middle needs a place to begin at ([`Unit::key`]) and what a decoder must know before it, the
//! [`Head`]. [`Splitter`] finds both while a stream is published; [`Joiner`] writes what a player gets.
//! [`Pacer`] says when to publish what is there already.

mod flv;
mod joiner;
mod mpegts;
mod pacer;
mod raw;
mod splitter;
#[cfg(test)]
mod tests;
mod unit;

pub use joiner::Joiner;
pub use pacer::Pacer;
pub use splitter::{Format, MediaError, Splitter};
pub use unit::{Head, MAX_TABLES, Unit, unit_kind};
