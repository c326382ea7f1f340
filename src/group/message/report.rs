//! REPORT: where two neighbours see each other, and the members that the receiver ought to have (flash-groups sections
//! 3.6 and 9).

use std::time::Duration;

use super::init::{FINGERPRINT, MessageError, peer_of};
use crate::base::PeerId;
use crate::wire::{Address, Addresses, DecodeError, put_marker, put_option, vlu};

/// Its type.
pub(super) const REPORT: u8 = 0x0a;
const OBSERVED: u64 = 0x0d;
const ADDRESSES: u64 = 0x0a;
/// The longest report, in bytes.
pub const MAX_REPORT: usize = 20_000;
/// Records of members of which there was no news for so long are ignored.
pub const MAX_RECORD_AGE: Duration = Duration::from_secs(300);

/// A report that was read. All of it is well formed; what it says is hearsay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report<'a> {
    /// Where the sender sees the receiver.
    pub observed: Option<Address>,
    /// The option list about the two, without its end.
    head: &'a [u8],
    records: &'a [u8],
}

/// A member, as a report tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Who; `None` if the endpoint discriminator is of an unknown kind.
    pub peer: Option<PeerId>,
    /// Its endpoint discriminator.
    pub discriminator: &'a [u8],
    /// Seconds since the reporter had news of it.
    pub age: u64,
    /// The option list about it, without its end.
    options: &'a [u8],
}

impl<'a> Report<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// [`MessageError`]; also if it is longer than [`MAX_REPORT`].
    pub fn decode(message: &'a [u8]) -> Result<Self, MessageError> {
        let (&kind, mut rest) = message.split_first().ok_or(MessageError::Malformed)?;
        if kind != REPORT {
            return Err(MessageError::UnknownType(kind));
        }
        if message.len() > MAX_REPORT {
            return Err(MessageError::Malformed);
        }
        let head = take_list(&mut rest)?;
        let observed = value_of(head, OBSERVED).map(|mut value| Address::take(&mut value)).transpose()?;
        let report = Self { observed, head, records: rest };
        while !rest.is_empty() {
            Record::take(&mut rest)?;
        }
        Ok(report)
    }

    /// The sender's addresses.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + use<'a> {
        addresses_in(self.head)
    }

    /// The members.
    #[must_use]
    pub const fn records(&self) -> Records<'a> {
        Records(self.records)
    }

    /// The same bytes again, if lengths were in their shortest form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![REPORT];
        copy_list(&mut out, self.head);
        for record in self.records() {
            vlu::put(&mut out, record.discriminator.len() as u64);
            out.extend_from_slice(record.discriminator);
            vlu::put(&mut out, record.age);
            copy_list(&mut out, record.options);
        }
        out
    }
}

/// The members of a report, in its order.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.0.is_empty() {
            return None;
        }
        // All of it was read once when the report was.
        Record::take(&mut self.0).ok()
    }
}

impl<'a> Record<'a> {
    fn take(from: &mut &'a [u8]) -> Result<Self, DecodeError> {
        let discriminator = take_sized(from)?;
        let age = vlu::take(from)?;
        let options = take_list(from)?;
        Ok(Self { peer: peer_of(discriminator).ok(), discriminator, age, options })
    }

    /// Where it may be.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + use<'a> {
        addresses_in(self.options)
    }
}

/// Writes a report.
#[derive(Debug)]
pub struct ReportWriter(Vec<u8>);

impl ReportWriter {
    /// Begins with what concerns the two: where we see the receiver, and our own addresses.
    #[must_use]
    pub fn new(observed: Option<Address>, addresses: &[Address]) -> Self {
        let mut out = vec![REPORT];
        if let Some(observed) = observed {
            let mut value = Vec::with_capacity(observed.encoded_len());
            observed.encode(&mut value);
            put_option(&mut out, OBSERVED, &value);
        }
        let mut value = Vec::new();
        Addresses::from(addresses).encode(&mut value);
        put_option(&mut out, ADDRESSES, &value);
        put_marker(&mut out);
        Self(out)
    }

    /// Adds a member if there is room; whether there was. `age` in seconds; `addresses` in their encoded form.
    pub fn record(&mut self, peer: PeerId, age: u64, addresses: &[u8]) -> bool {
        let out = &mut self.0;
        let before = out.len();
        out.push((FINGERPRINT.len() + peer.0.len()) as u8);
        out.extend_from_slice(&FINGERPRINT);
        out.extend_from_slice(&peer.0);
        vlu::put(out, age);
        put_option(out, ADDRESSES, addresses);
        put_marker(out);
        let fits = out.len() <= MAX_REPORT;
        if !fits {
            out.truncate(before);
        }
        fits
    }

    /// The report.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes a field after its length. As librtmfp does, a length byte above 81 counts as a plain byte: some old client wrote
/// lengths so, and nothing in a report is longer than 255 bytes.
fn take_sized<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let first = *from.first().ok_or(DecodeError::Truncated)?;
    let len = if first > 0x81 {
        *from = &from[1..];
        u64::from(first)
    } else {
        vlu::take(from)?
    };
    let len = usize::try_from(len).map_err(|_| DecodeError::Truncated)?;
    let (field, rest) = from.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    *from = rest;
    Ok(field)
}

/// Takes a list of options to its end, which is left out; known ones are well formed.
fn take_list<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let start = *from;
    loop {
        let len = start.len() - from.len();
        let option = take_sized(from)?;
        if option.is_empty() {
            return Ok(&start[..len]);
        }
        let mut value = option;
        match vlu::take(&mut value)? {
            ADDRESSES => drop(Addresses::decode(value)?),
            OBSERVED => drop(Address::take(&mut value)?),
            _ => {}
        }
    }
}

/// The options of a list that [`take_list`] took.
fn options(mut list: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        if list.is_empty() {
            return None;
        }
        let mut value = take_sized(&mut list).ok()?;
        let kind = vlu::take(&mut value).ok()?;
        Some((kind, value))
    })
}

fn value_of(list: &[u8], kind: u64) -> Option<&[u8]> {
    options(list).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

fn addresses_in(list: &[u8]) -> impl Iterator<Item = Address> + use<'_> {
    let lists = options(list).filter(|(kind, _)| *kind == ADDRESSES);
    lists.filter_map(|(_, value)| Addresses::decode(value).ok()).flat_map(|addresses| addresses.iter())
}

fn copy_list(out: &mut Vec<u8>, list: &[u8]) {
    for (kind, value) in options(list) {
        put_option(out, kind, value);
    }
    put_marker(out);
}
