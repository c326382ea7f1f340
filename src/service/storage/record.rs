//! Records: values as their authors signed them, byte for byte what travels and what is held.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::types::{MAX_KEY, MAX_LIFE, MAX_VALUE, Record};
use crate::base::PeerId;
use crate::crypto::sign::{Label, verify};
use crate::crypto::{Identity, signer};
use crate::group::{GrantKind, GroupAddress, GroupId, verify_grant};
use crate::wire::reader::{put_counted, take_array, take_counted_to};
use crate::wire::{DecodeError, vlu};

/// The longest record, in bytes: key, value, certificate, grant, signature and their lengths.
pub const MAX_RECORD: usize = MAX_VALUE + MAX_KEY + 1024;

const SIGNED: u8 = 0x01;
const CONTENT: u8 = 0x02;
const TOMBSTONE: u8 = 0x01;
const GRANT: u8 = 0x02;
/// How far clocks may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// What names a slot: one author's place under one key.
pub(super) type Slot = [u8; 16];
/// Which of two records of a slot is the newer one: the larger.
pub(super) type Version = (u64, [u8; 64]);

/// A record, read; whether it holds is for [`SignedRecord::check`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRecord {
    bytes: Bytes,
    key: Bytes,
    certificate: Option<Bytes>,
    sequence: u64,
    expiry: u64,
    value: Option<Bytes>,
    grant: Option<Bytes>,
    signature: [u8; 64],
    author: Option<(PeerId, [u8; 32])>,
    is_content: bool,
}

/// Why a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The signature does not hold, or it is another group's.
    Unsigned,
    /// The grant is missing, another's, or was over when the record was written.
    NoGrant,
    /// It would live too long.
    Life,
    /// It was written in the future: somebody's clock is wrong.
    Clock,
}

/// Signs a record: under `identity`, for this group and key; `sequence` larger than any before, `expiry` in milliseconds
/// since 1970, without a value a tombstone. `grant` where the groupspec has a posting key.
#[must_use]
pub fn sign_record(
    identity: &Identity,
    group: GroupId,
    key: &[u8],
    sequence: u64,
    expiry: u64,
    value: Option<&[u8]>,
    grant: Option<&[u8]>,
) -> Bytes {
    let parts = signed_parts(group, key, identity.peer_id(), sequence, expiry, value);
    let signature = identity.sign_key().sign(Label::Store, &[&parts, value.unwrap_or_default()]);
    let mut out = vec![SIGNED];
    put_counted(&mut out, key);
    put_counted(&mut out, identity.certificate());
    vlu::put(&mut out, sequence);
    vlu::put(&mut out, expiry);
    out.push(if value.is_none() { TOMBSTONE } else { 0 } | if grant.is_some() { GRANT } else { 0 });
    [value, grant].into_iter().flatten().for_each(|field| put_counted(&mut out, field));
    out.extend_from_slice(&signature);
    out.into()
}

/// A content-addressed record. With a `warrant`, who stores it, when, and with which grant, for groups that ask for one.
#[must_use]
pub fn content_record(group: GroupId, expiry: u64, value: &[u8], warrant: Option<(&Identity, u64, &[u8])>) -> Bytes {
    let mut out = vec![CONTENT];
    vlu::put(&mut out, expiry);
    out.push(if warrant.is_some() { GRANT } else { 0 });
    put_counted(&mut out, value);
    if let Some((identity, sequence, grant)) = warrant {
        let key = Sha256::digest(value);
        let parts = signed_parts(group, &key, identity.peer_id(), sequence, expiry, Some(value));
        put_counted(&mut out, identity.certificate());
        vlu::put(&mut out, sequence);
        put_counted(&mut out, grant);
        out.extend_from_slice(&identity.sign_key().sign(Label::Store, &[&parts, value]));
    }
    out.into()
}

/// What names the slot of `author` under `key`.
pub(super) fn slot(key: &[u8], author: Option<PeerId>) -> Slot {
    let digest: [u8; 32] = Sha256::new()
        .chain_update((key.len() as u32).to_be_bytes())
        .chain_update(key)
        .chain_update(author.map_or([0; 32], |author| author.0))
        .finalize()
        .into();
    std::array::from_fn(|at| digest[at])
}

/// What is signed, after the label and before the value.
fn signed_parts(
    group: GroupId,
    key: &[u8],
    author: PeerId,
    sequence: u64,
    expiry: u64,
    value: Option<&[u8]>,
) -> Vec<u8> {
    let lp = |len: usize| (len as u32).to_be_bytes();
    let mut parts =
        [&group.0[..], &lp(key.len()), key, &author.0, &sequence.to_be_bytes(), &expiry.to_be_bytes()].concat();
    if let Some(value) = value {
        parts.extend_from_slice(&lp(value.len()));
    }
    parts
}

impl SignedRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// If its form is wrong, or it is too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_RECORD {
            return Err(DecodeError::TooLarge);
        }
        let whole = Bytes::copy_from_slice(bytes);
        let (&kind, mut rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
        let owned = |field: &[u8]| whole.slice_ref(&whole[offset(bytes, field)..offset(bytes, field) + field.len()]);
        let mut record = Self {
            bytes: whole.clone(),
            key: Bytes::new(),
            certificate: None,
            sequence: 0,
            expiry: 0,
            value: None,
            grant: None,
            signature: [0; 64],
            author: None,
            is_content: kind == CONTENT,
        };
        match kind {
            SIGNED => {
                record.key = owned(take_counted_to(&mut rest, MAX_KEY)?);
                record.certificate = Some(owned(take_counted_to(&mut rest, 512)?));
                record.sequence = vlu::take(&mut rest)?;
                record.expiry = vlu::take(&mut rest)?;
                let flags = take_flags(&mut rest, TOMBSTONE | GRANT)?;
                if flags & TOMBSTONE == 0 {
                    record.value = Some(owned(take_counted_to(&mut rest, MAX_VALUE)?));
                }
                if flags & GRANT != 0 {
                    record.grant = Some(owned(take_counted_to(&mut rest, 255)?));
                }
                record.signature = take_array(&mut rest)?;
            }
            CONTENT => {
                record.expiry = vlu::take(&mut rest)?;
                let flags = take_flags(&mut rest, GRANT)?;
                let value = take_counted_to(&mut rest, MAX_VALUE)?;
                record.key = Bytes::copy_from_slice(&Sha256::digest(value));
                record.value = Some(owned(value));
                if flags & GRANT != 0 {
                    record.certificate = Some(owned(take_counted_to(&mut rest, 512)?));
                    record.sequence = vlu::take(&mut rest)?;
                    record.grant = Some(owned(take_counted_to(&mut rest, 255)?));
                    record.signature = take_array(&mut rest)?;
                }
            }
            kind => return Err(DecodeError::UnknownType(kind)),
        }
        if !rest.is_empty() {
            return Err(DecodeError::Forbidden);
        }
        if let Some(certificate) = &record.certificate {
            record.author = Some(signer(certificate).ok_or(DecodeError::Forbidden)?);
        }
        Ok(record)
    }

    /// Whether it may be held: `now` in milliseconds since 1970, `posting_key` the groupspec's. A record whose time is over
    /// passes: it may take the place of an older one.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn check(&self, group: GroupId, posting_key: Option<&[u8; 32]>, now: u64) -> Result<(), Fault> {
        let skew = CLOCK_SKEW.as_millis() as u64;
        let longest = MAX_LIFE.as_millis() as u64 + skew;
        if self.expiry > now.saturating_add(longest) {
            return Err(Fault::Life);
        }
        if self.sequence > now.saturating_add(skew) {
            return Err(Fault::Clock);
        }
        if let Some(posting_key) = posting_key {
            let (Some((author, _)), Some(grant)) = (self.author, &self.grant) else { return Err(Fault::NoGrant) };
            // Of the time of writing, so that the record can be moved on when the grant is over; and it lives no
            // longer for having been written in the past.
            let written = self.sequence.min(now);
            if self.expiry > written.saturating_add(longest) {
                return Err(Fault::Life);
            }
            let granted = verify_grant(grant, posting_key, GrantKind::Posting, group, author, written);
            granted.map_err(|_| Fault::NoGrant)?;
        }
        let Some((author, public)) = self.author else { return Ok(()) };
        let value = self.value.as_deref();
        let parts = signed_parts(group, &self.key, author, self.sequence, self.expiry, value);
        let holds = verify(&public, Label::Store, &[&parts, value.unwrap_or_default()], &self.signature);
        if holds { Ok(()) } else { Err(Fault::Unsigned) }
    }

    /// The record as it travels.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Bytes {
        &self.key
    }

    /// Whose slot it is in.
    #[must_use]
    pub fn author(&self) -> Option<PeerId> {
        self.author.filter(|_| !self.is_content).map(|(author, _)| author)
    }

    /// Where it belongs on the ring.
    #[must_use]
    pub fn target(&self) -> GroupAddress {
        GroupAddress::of_key(&self.key)
    }

    pub(super) fn slot(&self) -> Slot {
        slot(&self.key, self.author())
    }

    /// Of content only the expiry can differ.
    pub(super) const fn version(&self) -> Version {
        if self.is_content { (self.expiry, [0; 64]) } else { (self.sequence, self.signature) }
    }

    pub(super) const fn expiry(&self) -> u64 {
        self.expiry
    }

    /// The sequence, which is about the time of writing in ms since 1970.
    pub(super) const fn written(&self) -> u64 {
        self.sequence
    }

    /// As a user gets it.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            key: Bytes::copy_from_slice(&self.key),
            author: self.author(),
            sequence: if self.is_content { 0 } else { self.sequence },
            expiry: self.expiry,
            value: self.value.as_deref().map(Bytes::copy_from_slice),
        }
    }
}

/// Where `part` begins in `whole`, of which it is a piece.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len() - part.len())
}

fn take_flags(from: &mut &[u8], known: u8) -> Result<u8, DecodeError> {
    let (&flags, rest) = from.split_first().ok_or(DecodeError::Truncated)?;
    *from = rest;
    if flags & !known != 0 { Err(DecodeError::Forbidden) } else { Ok(flags) }
}
