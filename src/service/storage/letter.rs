//! The payloads of storage's letters.

use bytes::Bytes;

use super::record::Slot;
use super::types::MAX_KEY;
use crate::group::GroupAddress;
use crate::wire::reader::take_array as take;
use crate::wire::{DecodeError, vlu};

/// Versions in one HOLDS at most.
pub(super) const MAX_VERSIONS: usize = 64;
/// Slots in one OFFER or WANT at most.
pub(super) const MAX_OFFER: usize = 512;

/// Who asks, and how an answer finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Its name for the question; zeros if no answer is wanted.
    pub question: [u8; 8],
    /// Its place.
    pub reply: GroupAddress,
    /// The member that it handed the question to.
    pub gateway: Option<GroupAddress>,
}

/// A slot and what is held in it: sequence, and the start of the signature.
pub type Offer = (Slot, u64, [u8; 8]);

/// A payload, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Hold this, and have others hold it.
    Put(Asker, Bytes),
    /// Hold this.
    Copy(Asker, Bytes),
    /// A holder's answer to these: question, holder, verdict, holders in all or 0, its newer record.
    Held([u8; 8], GroupAddress, u8, u64, Bytes),
    /// Which values has this key?
    Get(Asker, Bytes),
    /// The same, from the member that was asked first; whether full values are wanted.
    Look(Asker, bool, Bytes),
    /// A value: question, holder, holders asked in all or 0, values of this holder in all, the record.
    Value([u8; 8], GroupAddress, u64, u64, Bytes),
    /// What a holder has: question, holder, author (zeros for content), sequence and start of signature of each.
    Holds([u8; 8], GroupAddress, Vec<([u8; 32], u64, [u8; 8])>),
    /// The value of one author, please: zeros for content.
    Fetch(Asker, [u8; 32], Bytes),
    /// What the sender has, that the receiver should have too; the sender's number for the offer.
    Offer(GroupAddress, u64, Vec<Offer>),
    /// What of that is wanted; what is on its way from others already.
    Want(GroupAddress, u64, Vec<Slot>, Vec<Slot>),
}

impl Payload {
    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        match self {
            Self::Put(asker, record) | Self::Copy(asker, record) => {
                out.push(if matches!(self, Self::Put(..)) { 0x01 } else { 0x02 });
                asker.encode(&mut out);
                out.extend_from_slice(record);
            }
            Self::Held(question, holder, verdict, others, record) => {
                out.push(0x03);
                out.extend_from_slice(question);
                out.extend_from_slice(&holder.0);
                out.push(*verdict);
                vlu::put(&mut out, *others);
                out.extend_from_slice(record);
            }
            Self::Get(asker, key) => {
                out.push(0x04);
                asker.encode(&mut out);
                out.extend_from_slice(key);
            }
            Self::Look(asker, full, key) => {
                out.push(0x05);
                asker.encode(&mut out);
                out.push(u8::from(*full));
                out.extend_from_slice(key);
            }
            Self::Value(question, holder, others, count, record) => {
                out.push(0x06);
                out.extend_from_slice(question);
                out.extend_from_slice(&holder.0);
                vlu::put(&mut out, *others);
                vlu::put(&mut out, *count);
                out.extend_from_slice(record);
            }
            Self::Holds(question, holder, versions) => {
                out.push(0x07);
                out.extend_from_slice(question);
                out.extend_from_slice(&holder.0);
                for (author, sequence, tie) in versions {
                    out.extend_from_slice(author);
                    vlu::put(&mut out, *sequence);
                    out.extend_from_slice(tie);
                }
            }
            Self::Fetch(asker, author, key) => {
                out.push(0x08);
                asker.encode(&mut out);
                out.extend_from_slice(author);
                out.extend_from_slice(key);
            }
            Self::Offer(sender, number, offers) => {
                out.push(0x09);
                out.extend_from_slice(&sender.0);
                vlu::put(&mut out, *number);
                for (slot, sequence, tie) in offers {
                    out.extend_from_slice(slot);
                    vlu::put(&mut out, *sequence);
                    out.extend_from_slice(tie);
                }
            }
            Self::Want(sender, number, wanted, coming) => {
                out.push(0x0a);
                out.extend_from_slice(&sender.0);
                vlu::put(&mut out, *number);
                vlu::put(&mut out, wanted.len() as u64);
                wanted.iter().chain(coming).for_each(|slot| out.extend_from_slice(slot));
            }
        }
        out.into()
    }

    /// Reads it; `None` if its kind is unknown.
    ///
    /// # Errors
    /// If its form is wrong.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        let (&kind, mut rest) = payload.split_first().ok_or(DecodeError::Truncated)?;
        let rest = &mut rest;
        Ok(Some(match kind {
            0x01 => Self::Put(Asker::take(rest)?, take_rest(rest)),
            0x02 => Self::Copy(Asker::take(rest)?, take_rest(rest)),
            0x03 => {
                let (question, holder, [verdict]) = (take(rest)?, GroupAddress(take(rest)?), take(rest)?);
                Self::Held(question, holder, verdict, vlu::take(rest)?, take_rest(rest))
            }
            0x04 => Self::Get(Asker::take(rest)?, take_key(rest)?),
            0x05 => {
                let (asker, [full]) = (Asker::take(rest)?, take(rest)?);
                Self::Look(asker, full & 1 == 1, take_key(rest)?)
            }
            0x06 => {
                let (question, holder) = (take(rest)?, GroupAddress(take(rest)?));
                Self::Value(question, holder, vlu::take(rest)?, vlu::take(rest)?, take_rest(rest))
            }
            0x07 => {
                let (question, holder) = (take(rest)?, GroupAddress(take(rest)?));
                let versions = take_all(rest, MAX_VERSIONS, |rest| Ok((take(rest)?, vlu::take(rest)?, take(rest)?)))?;
                Self::Holds(question, holder, versions)
            }
            0x08 => Self::Fetch(Asker::take(rest)?, take(rest)?, take_key(rest)?),
            0x09 => {
                let (sender, number) = (GroupAddress(take(rest)?), vlu::take(rest)?);
                let offers = take_all(rest, MAX_OFFER, |rest| Ok((take(rest)?, vlu::take(rest)?, take(rest)?)))?;
                Self::Offer(sender, number, offers)
            }
            0x0a => {
                let (sender, number) = (GroupAddress(take(rest)?), vlu::take(rest)?);
                let count = vlu::take(rest)?;
                let mut wanted = take_all(rest, MAX_OFFER, take::<16>)?;
                let count = usize::try_from(count).ok().filter(|count| *count <= wanted.len());
                let coming = wanted.split_off(count.ok_or(DecodeError::Truncated)?);
                Self::Want(sender, number, wanted, coming)
            }
            _ => return Ok(None),
        }))
    }
}

impl Asker {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.question);
        out.extend_from_slice(&self.reply.0);
        out.push(u8::from(self.gateway.is_some()));
        out.extend_from_slice(self.gateway.as_ref().map_or(&[], |gateway| &gateway.0));
    }

    fn take(from: &mut &[u8]) -> Result<Self, DecodeError> {
        let (question, reply, [flags]) = (take(from)?, GroupAddress(take(from)?), take(from)?);
        let gateway = if flags & 1 == 1 { Some(GroupAddress(take(from)?)) } else { None };
        Ok(Self { question, reply, gateway })
    }
}

fn take_rest(from: &mut &[u8]) -> Bytes {
    Bytes::copy_from_slice(std::mem::take(from))
}

fn take_key(from: &mut &[u8]) -> Result<Bytes, DecodeError> {
    if from.len() > MAX_KEY { Err(DecodeError::TooLarge) } else { Ok(take_rest(from)) }
}

fn take_all<T>(
    from: &mut &[u8],
    most: usize,
    mut item: impl FnMut(&mut &[u8]) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut all = Vec::new();
    while !from.is_empty() {
        if all.len() >= most {
            return Err(DecodeError::TooLarge);
        }
        all.push(item(from)?);
    }
    Ok(all)
}
