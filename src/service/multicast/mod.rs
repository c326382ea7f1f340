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

mod fragment;
pub mod media;
mod message;

pub use fragment::{Begin, Fragment, MAX_REMAINING};
pub use message::{FragmentsMap, MAX_BITMAP, MAX_NAME, MediaInfos, StreamKey, StreamMessage};
