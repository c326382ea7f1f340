//! Floor 1: RFC 7016 section 2 and AMF, bytes to values and back. No state, time or keys.
//!
//! Decoding borrows from the packet; encoding appends to a `Vec<u8>` and cannot fail. A value that decoded is valid: lengths are
//! not stored, and what the RFC forbids in a field was refused. Decoders never panic, whatever the bytes.
//!
//! | module | holds |
//! |---|---|
//! | [`vlu`] | variable length unsigned integers (section 2.1.2) |
//! | [`OptionIter`] and helpers | options and option lists (2.1.3, 2.1.4) |
//! | [`Address`], [`Addresses`] | Internet socket addresses (2.1.5) |
//! | [`Header`] | the packet's common header (2.2.4) |
//! | [`Chunks`], [`RawChunk`], [`Chunk`] | chunks (2.3) |
//! | [`put_user_data`], [`encode_ack`] | what a busy session writes, without allocating |
//! | [`message`] | messages of Flash communication (RFC 7425 section 5) |
//! | [`amf0`], [`amf3`] | the values in them |
//! | [`redirector`] | messages of the redirector protocol |

mod ack;
mod ack_writer;
mod address;
pub mod amf0;
pub mod amf3;
mod amf_limits;
mod chunk;
mod data;
mod error;
mod fragment;
mod frame;
mod header;
pub mod message;
mod option;
pub(crate) mod reader;
pub mod redirector;
mod startup;
pub mod vlu;

pub use ack::{Ack, AckRanges};
pub use ack_writer::{AckForm, AckHead, encode_ack};
pub use address::{Address, Addresses, AddressesIter, Origin};
pub use chunk::Chunk;
pub use data::{
    FragmentControl, NextUserData, UserData, flow_option, put_next_user_data, put_user_data, user_data_len,
};
pub use error::DecodeError;
pub use fragment::{PacketFragment, split_packet};
pub use frame::{CHUNK_HEADER_LEN, Chunks, RawChunk, kind, put_padding};
pub use header::{Header, Mode};
pub use option::{OptionIter, WireOption, option_len, put_marker, put_option, take_option_list};
pub use startup::{FIHello, IHello, IIKeying, RHello, RHelloCookieChange, RIKeying, Redirect};
