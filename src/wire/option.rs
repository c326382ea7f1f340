//! Options and option lists (RFC 7016 sections 2.1.3 and 2.1.4).

use super::error::DecodeError;
use super::reader::{take, take_counted};
use super::vlu;

/// One element of a sequence of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireOption<'a> {
    /// An option with a type and a value.
    Option {
        /// Its type.
        kind: u64,
        /// Its value, possibly empty.
        value: &'a [u8],
    },
    /// The empty option, which ends an option list.
    Marker,
}

/// The options of `.0`, Markers among them, up to the end of the bytes. After an error it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionIter<'a>(pub &'a [u8]);

impl<'a> OptionIter<'a> {
    /// The bytes that are not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for OptionIter<'a> {
    type Item = Result<WireOption<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let option = take_option(&mut self.0);
        if option.is_err() {
            self.0 = &[];
        }
        Some(option)
    }
}

fn take_option<'a>(from: &mut &'a [u8]) -> Result<WireOption<'a>, DecodeError> {
    let mut body = take_counted(from)?;
    if body.is_empty() {
        return Ok(WireOption::Marker);
    }
    let kind = vlu::take(&mut body)?;
    Ok(WireOption::Option { kind, value: body })
}

/// Takes an option list: the bytes of its options, without the Marker that ends it. Every option in them is well formed.
///
/// # Errors
/// If an option is malformed, or no Marker comes.
pub fn take_option_list<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let start = *from;
    let mut options = OptionIter(start);
    loop {
        let before = options.rest().len();
        match options.next().ok_or(DecodeError::Truncated)?? {
            WireOption::Option { .. } => {}
            WireOption::Marker => {
                *from = options.rest();
                return take(&mut &*start, start.len() - before);
            }
        }
    }
}

/// Appends an option.
pub fn put_option(out: &mut Vec<u8>, kind: u64, value: &[u8]) {
    vlu::put(out, (vlu::len(kind) + value.len()) as u64);
    vlu::put(out, kind);
    out.extend_from_slice(value);
}

/// Appends a Marker.
pub fn put_marker(out: &mut Vec<u8>) {
    out.push(0);
}

/// Bytes that [`put_option`] appends.
#[must_use]
pub const fn option_len(kind: u64, value_len: usize) -> usize {
    let body = vlu::len(kind) + value_len;
    vlu::len(body as u64) + body
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_round_trips_and_every_truncation_fails(
            options in proptest::collection::vec((any::<u64>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..6),
            behind: u8,
        ) {
            let mut list = Vec::new();
            for (kind, value) in &options {
                let before = list.len();
                put_option(&mut list, *kind, value);
                prop_assert_eq!(list.len() - before, option_len(*kind, value.len()));
            }
            let inner = list.len();
            put_marker(&mut list);
            for cut in 0..list.len() {
                prop_assert_eq!(take_option_list(&mut &list[..cut]), Err(DecodeError::Truncated));
            }
            list.push(behind);
            let mut rest = &list[..];
            let body = take_option_list(&mut rest).unwrap();
            prop_assert_eq!(body, &list[..inner]);
            prop_assert_eq!(rest, [behind]);
            let read: Vec<_> = OptionIter(body).map(Result::unwrap).collect();
            let written: Vec<_> =
                options.iter().map(|(kind, value)| WireOption::Option { kind: *kind, value }).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn any_bytes_end_after_the_first_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let read: Vec<_> = OptionIter(&bytes).collect();
            let errors = read.iter().filter(|option| option.is_err()).count();
            prop_assert!(errors == 0 || (errors == 1 && read.last().unwrap().is_err()));
            let _ = take_option_list(&mut &bytes[..]);
        }
    }

    #[test]
    fn a_type_that_its_length_does_not_hold_is_truncated() {
        // Length 1, but the type says that it goes on.
        assert_eq!(OptionIter(&[0x01, 0x81, 0x00]).next(), Some(Err(DecodeError::Truncated)));
        // A length near 2^64.
        let huge = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00];
        assert_eq!(OptionIter(&huge).next(), Some(Err(DecodeError::Truncated)));
    }
}
