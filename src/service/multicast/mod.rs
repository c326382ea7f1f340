//! Application-level multicast: a stream goes from its publisher to any number of players, each of whom passes it on.
//!
//! The messages are those of the known group protocol, which this module describes as far as other implementations speak
//! them.
//!
//! # Flows
//!
//! Each side of a neighbourhood opens one flow for each stream, with metadata `GR` 11 and a Return Flow Association to
//! the other's flow of the group ([`crate::group::message::CONTROL_METADATA`]); on it go [`StreamMessage`]s. Fragments go on a
//! flow with metadata `GR` 12, associated with the other side's flow of the stream.
//!
//! | first byte | message | fields behind it |
//! |---|---|---|
//! | `21` | [`MediaInfos`]: what the stream is | an option list without the Marker that would end it |
//! | `21` | the stream's end | VLU: the last fragment's ID; less than 36 bytes in all tell it from the former |
//! | `22` | [`FragmentsMap`]: what the sender has | VLU: the highest ID ‖ a bitmap, from there downwards |
//! | `23` | what to push | a bit for each slice: fragments whose ID modulo 8 is its number |
//! | `2b` | a fragment that is asked for | VLU: its ID |
//! | `00`, `10`, `20`, `30` | [`Fragment`] | VLU: its ID ‖ … |
//!
//! # Proofs
//!
//! What the known protocol lacks is carried beside it, and ignored by others. A stream's key is SHA-256(`p2pt/1 stream` 00 ‖
//! group ID ‖ publisher's peer ID ‖ 32 random bytes).
//!
//! | what | bytes |
//! |---|---|
//! | [`Title`] | VLU and certificate of the publisher ‖ VLU and grant ‖ 32 random bytes ‖ VLU and name ‖ VLU: the first fragment for which it holds ‖ VLU and header ‖ VLU and tables ([`media::Head`]) ‖ VLUs in ms: window, fetch period, update period ‖ 1 if availability is told to all, or 0 ‖ signature |
//! | [`Manifest`] | stream key ‖ flags, of which 1 is the end ‖ VLU: microseconds since the stream began ‖ VLU: first fragment ‖ count ‖ a bit for each fragment, the lowest first, with which a player can begin ‖ 16 bytes of BLAKE3 of each fragment's message ‖ signature |
//!
//! Both are signed with Ed25519 over `p2pt/1 stream` 00 ‖ group ID ‖ 1 for a title, 2 for a manifest ‖ what precedes the
//! signature; of a title that begins with the random bytes.
//!
//! # IP multicast
//!
//! Where the groupspec names an IP multicast address, a publisher says there, besides, its title once a second, each manifest
//! twice (the second time with the next one) and each fragment once, in datagrams sealed with a key that all members have
//! ([`crate::group::Caster`]). A message begins with `01` for a title, `02` for a manifest; a fragment is `80` ‖ the first eight
//! bytes of the stream's key ‖ the known message. Who hears most of the fragments asks nobody to push, and neighbours for what it
//! missed. Since nobody knows which member spoke, nobody is left for what is wrong.

mod air;
mod fragment;
mod hearing;
pub mod media;
mod message;
mod near;
mod outbox;
mod own;
mod pace;
mod parents;
mod play;
mod press;
mod proof;
mod pull;
mod rate;
mod relay;
mod rounds;
mod service;
mod stream;
#[cfg(test)]
mod tests;
mod told;
mod tree;
mod types;
mod window;

pub use fragment::{Begin, Fragment, MAX_REMAINING};
pub use message::{FragmentsMap, MAX_BITMAP, MAX_NAME, MediaInfos, StreamKey, StreamMessage};
pub use own::{OwnMessage, Standing};
pub use proof::{FragmentDigest, MAX_FRAGMENTS, MAX_TITLE, Manifest, Title, sign_manifest, sign_title};
pub use service::Multicast;
pub use types::{
    LiveStream, MulticastConfig, MulticastInfo, PlayId, Shown, StreamError, StreamEvent, StreamSettings, Wanted,
};
