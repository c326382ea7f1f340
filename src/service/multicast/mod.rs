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
//! # Among members that are p2pt
//!
//! On the lane of titles and manifests, one flow for all streams. *key* is the stream's; numbers are VLUs; unknown messages are
//! ignored, and so is what follows a message.
//!
//! | first byte | message | fields behind it |
//! |---|---|---|
//! | `01` | a title | [`Title`] |
//! | `02` | a manifest | [`Manifest`]; one that vouches for nothing and is no end is a sign of life |
//! | `03` | follow | key ‖ 1 or 0: push manifests to me, or do not ‖ begin with those that you have from this fragment on; 0 for the newest with which a player can begin |
//! | `04` | manifests are missing | key ‖ from this fragment on |
//! | `05` | how I stand | key ‖ flags: 1 I take part, 2 I publish ‖ the newest fragment of which I have a manifest ‖ for each of the nine trees, lag behind the publisher in ms plus one, 0 for none ‖ for each tree, a byte: places that are free |
//! | `06` | take part, please | key |
//! | `07` | what I push to you | key ‖ a bit for each slice ‖ 1 with the manifests |
//!
//! **Trees.** Fragments whose IDs are the same modulo 8 are a slice, and each slice a tree; the manifests are the ninth. A member
//! asks for slices with the known `23` and for manifests with `03`, and is told with `07` what it gets; `07` comes again when that
//! changes. It asks the neighbour with the least lag plus half the round-trip time that has a free place and is not behind it, spread over
//! several, and the manifests of two. A parent that is gone, or silent for three round trips while newer fragments are known, is replaced at once.
//! About every two seconds one tree's parent runs against a better candidate, and whoever brings the next fragment first stays.
//!
//! **Who takes part.** Every member passes titles on to all its neighbours, and one manifest a minute, and the last one. Publisher and players take part:
//! they tell their neighbours how they stand, when that changes and every two seconds. Who finds nobody that has the stream asks up to
//! three of those who told it of the title first; these take part for ten seconds after it asked last, which it does every three.
//!
//! **Pulls.** What a manifest tells of and nobody has pushed within the fetch period, or as long as pushes usually take if that is longer, is asked
//! for from a neighbour that says it has it, or that lags less; from another after two round trips. Who does not have it yet sends it when
//! it comes. The publisher gives little to those who ask beside what it pushes.
//!
//! **Nothing unverified is passed on or shown.** A fragment waits for its manifest; whose fragments or manifests are not the publisher's is left
//! ([`StreamEvent::Misbehaved`]), since every member verifies before it passes on. A member knows 64 streams at most, eight of one
//! publisher, keeps 64 MiB and 16,384 fragments of each, and holds 8 MiB without manifest, 2 MiB of one neighbour.
//!
//! **Play-out.** A unit is shown when as much time has passed since its last fragment was signed as the player wants, counted from the
//! fastest manifest; what is not complete then is lost, and the next unit's turn comes. Streams that end are over once all was shown; a stream
//! of which nothing signed came for 10 s (5 s if the same publisher has another) gives way to another of its name; after 300 s it is forgotten.
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
