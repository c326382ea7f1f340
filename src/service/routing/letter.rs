//! The payloads of routed letters.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::types::MAX_BODY;
use crate::base::PeerId;
use crate::crypto::sign::{Label, verify};
use crate::crypto::{Identity, signer};
use crate::group::{GroupAddress, GroupId};
use crate::wire::reader::{put_counted, take_array, take_counted};
use crate::wire::{DecodeError, vlu};

pub(super) const MESSAGE: u8 = 0x01;
pub(super) const ACK: u8 = 0x02;
pub(super) const NO_ROUTE: u8 = 0x03;
/// Flag of a MESSAGE.
const ACK_WANTED: u8 = 0x01;

/// A MESSAGE, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The author's certificate.
    pub certificate: Bytes,
    /// Where answers go.
    pub reply: GroupAddress,
    /// An acknowledgement is wanted.
    pub ack: bool,
    flags: u8,
    /// Which process of the author.
    pub instance: [u8; 8],
    /// Which of that process's messages.
    pub sequence: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The body.
    pub body: Bytes,
    signature: [u8; 64],
}

/// An ACK, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// What it acknowledges.
    pub name: [u8; 32],
    /// Links that that passed.
    pub hops: u64,
    /// The receiver's certificate.
    pub certificate: Bytes,
    /// The receiver's place.
    pub address: GroupAddress,
    signature: [u8; 64],
}

/// What names a message: SHA-256 of its payload.
pub(super) fn name(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

/// The name in a NO_ROUTE.
///
/// # Errors
/// If it is something else, or truncated.
pub fn no_route_name(payload: &[u8]) -> Result<[u8; 32], DecodeError> {
    let mut rest = after_kind(payload, NO_ROUTE)?;
    take_array(&mut rest)
}

impl Message {
    /// A message, signed.
    #[must_use]
    pub(super) fn sign(
        author: &Identity,
        (group, target, reply): (GroupId, GroupAddress, GroupAddress),
        (instance, sequence, time): ([u8; 8], u64, u64),
        ack: bool,
        body: Bytes,
    ) -> Self {
        let flags = if ack { ACK_WANTED } else { 0 };
        let certificate = Bytes::copy_from_slice(author.certificate());
        let signature = [0; 64];
        let mut message = Self { certificate, reply, ack, flags, instance, sequence, time, body, signature };
        let parts = message.signed(group, author.peer_id(), target);
        message.signature = author.sign_key().sign(Label::Route, &[&parts, &message.body]);
        message
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = vec![MESSAGE];
        put_counted(&mut out, &self.certificate);
        out.extend_from_slice(&self.reply.0);
        out.push(self.flags);
        out.extend_from_slice(&self.instance);
        vlu::put(&mut out, self.sequence);
        vlu::put(&mut out, self.time);
        put_counted(&mut out, &self.body);
        out.extend_from_slice(&self.signature);
        out.into()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// If it is something else, truncated or too long.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = after_kind(payload, MESSAGE)?;
        let certificate = take_counted(&mut rest)?;
        let reply = GroupAddress(take_array(&mut rest)?);
        let [flags] = take_array(&mut rest)?;
        let instance = take_array(&mut rest)?;
        let sequence = vlu::take(&mut rest)?;
        let time = vlu::take(&mut rest)?;
        let body = take_counted(&mut rest)?;
        if body.len() > MAX_BODY {
            return Err(DecodeError::TooLarge);
        }
        let signature = take_array(&mut rest)?;
        let ack = flags & ACK_WANTED != 0;
        let (certificate, body) = (Bytes::copy_from_slice(certificate), Bytes::copy_from_slice(body));
        Ok(Self { certificate, reply, ack, flags, instance, sequence, time, body, signature })
    }

    /// Who wrote it, if the signature holds for this group and target.
    #[must_use]
    pub fn author(&self, group: GroupId, target: GroupAddress) -> Option<PeerId> {
        let (author, key) = signer(&self.certificate)?;
        let parts = self.signed(group, author, target);
        verify(&key, Label::Route, &[&parts, &self.body], &self.signature).then_some(author)
    }

    /// What is signed, without the body.
    fn signed(&self, group: GroupId, author: PeerId, target: GroupAddress) -> Vec<u8> {
        [
            &group.0[..],
            &author.0,
            &self.reply.0,
            &target.0,
            &[self.flags],
            &self.instance,
            &self.sequence.to_be_bytes(),
            &self.time.to_be_bytes(),
            &(self.body.len() as u32).to_be_bytes(),
        ]
        .concat()
    }
}

impl Ack {
    /// An acknowledgement, signed.
    #[must_use]
    pub(super) fn sign(
        receiver: &Identity,
        (group, address, reply): (GroupId, GroupAddress, GroupAddress),
        name: [u8; 32],
        hops: u64,
    ) -> Self {
        let certificate = Bytes::copy_from_slice(receiver.certificate());
        let mut ack = Self { name, hops, certificate, address, signature: [0; 64] };
        ack.signature = receiver.sign_key().sign(Label::Ack, &[&ack.signed(group, receiver.peer_id(), reply)]);
        ack
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = vec![ACK];
        out.extend_from_slice(&self.name);
        vlu::put(&mut out, self.hops);
        put_counted(&mut out, &self.certificate);
        out.extend_from_slice(&self.address.0);
        out.extend_from_slice(&self.signature);
        out.into()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// If it is something else, or truncated.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = after_kind(payload, ACK)?;
        let name = take_array(&mut rest)?;
        let hops = vlu::take(&mut rest)?;
        let certificate = Bytes::copy_from_slice(take_counted(&mut rest)?);
        let address = GroupAddress(take_array(&mut rest)?);
        Ok(Self { name, hops, certificate, address, signature: take_array(&mut rest)? })
    }

    /// Who received, if the signature holds for this group and return address.
    #[must_use]
    pub fn receiver(&self, group: GroupId, reply: GroupAddress) -> Option<PeerId> {
        let (receiver, key) = signer(&self.certificate)?;
        verify(&key, Label::Ack, &[&self.signed(group, receiver, reply)], &self.signature).then_some(receiver)
    }

    fn signed(&self, group: GroupId, receiver: PeerId, reply: GroupAddress) -> Vec<u8> {
        [&group.0[..], &receiver.0, &self.address.0, &reply.0, &self.name, &self.hops.to_be_bytes()].concat()
    }
}

fn after_kind(payload: &[u8], wanted: u8) -> Result<&[u8], DecodeError> {
    match payload.split_first() {
        Some((&kind, rest)) if kind == wanted => Ok(rest),
        Some((&kind, _)) => Err(DecodeError::UnknownType(kind)),
        None => Err(DecodeError::Truncated),
    }
}
