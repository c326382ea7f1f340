//! Pieces of a stream's messages.

use crate::wire::reader::{take_u8, take_u32};
use crate::wire::{DecodeError, vlu};

/// So many fragments of a message can follow its first one.
pub const MAX_REMAINING: u8 = u8::MAX;

/// Set in the first byte: a message begins.
const BEGINS: u8 = 0x20;
/// Set in the first byte: more fragments of the message follow.
const CONTINUES: u8 = 0x10;

/// What begins with a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The message's type, as in TC messages ([`crate::wire::message::message_kind`]).
    pub kind: u8,
    /// Milliseconds on the stream's own clock, which wraps.
    pub timestamp: u32,
}

/// A piece of a message. Fragments of a stream are numbered from 1 on, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Its number.
    pub id: u64,
    /// The message that begins with it, if one does.
    pub begin: Option<Begin>,
    /// How many more fragments of the message follow.
    pub remaining: u8,
    /// The bytes.
    pub data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads one.
    ///
    /// Two oddities of one implementation are not read: a first fragment without the number that follow, and a last one
    /// that stands alone.
    ///
    /// # Errors
    /// [`DecodeError`] if it is cut off, another message, or says that none follows where one must.
    pub fn decode(mut message: &'a [u8]) -> Result<Self, DecodeError> {
        let from = &mut message;
        let flags = take_u8(from)?;
        if flags & !(BEGINS | CONTINUES) != 0 {
            return Err(DecodeError::UnknownType(flags));
        }
        let id = vlu::take(from)?;
        let remaining = if flags & CONTINUES == 0 { 0 } else { take_u8(from)? };
        if id == 0 || flags & CONTINUES != 0 && remaining == 0 {
            return Err(DecodeError::Forbidden);
        }
        let mut begin = None;
        if flags & BEGINS != 0 {
            let kind = take_u8(from)?;
            begin = Some(Begin { kind, timestamp: take_u32(from)? });
        }
        Ok(Self { id, begin, remaining, data: message })
    }

    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        let flag = |set, flag| if set { flag } else { 0 };
        out.push(flag(self.begin.is_some(), BEGINS) | flag(self.remaining > 0, CONTINUES));
        vlu::put(out, self.id);
        if self.remaining > 0 {
            out.push(self.remaining);
        }
        if let Some(Begin { kind, timestamp }) = self.begin {
            out.push(kind);
            out.extend_from_slice(&timestamp.to_be_bytes());
        }
        out.extend_from_slice(self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_read(
            id in 1u64..,
            begin in proptest::option::of((any::<u8>(), any::<u32>())),
            remaining: u8,
            data in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let begin = begin.map(|(kind, timestamp)| Begin { kind, timestamp });
            let fragment = Fragment { id, begin, remaining, data: &data };
            let mut message = Vec::new();
            fragment.put(&mut message);
            prop_assert_eq!(Fragment::decode(&message), Ok(fragment));
            for cut in 0..message.len() - data.len() {
                prop_assert!(Fragment::decode(&message[..cut]).is_err());
            }
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(Fragment::decode(&[0x40, 1]), Err(DecodeError::UnknownType(0x40)));
        assert_eq!(Fragment::decode(&[0x00, 0]), Err(DecodeError::Forbidden), "IDs begin with 1");
        assert_eq!(Fragment::decode(&[0x10, 5, 0]), Err(DecodeError::Forbidden), "one must follow");
    }
}
