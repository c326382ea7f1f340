//! INIT: the first message of a control flow (flash-groups sections 3.4 and 3.5).

use bytes::Bytes;

use crate::base::{PeerId, to_hex};
use crate::crypto::mac;
use crate::group::spec::GroupId;
use crate::wire::{DecodeError, OptionIter, WireOption, put_option};

/// Its type.
pub(super) const INIT: u8 = 0x01;
const GROUP: u64 = 0x00;
const TOKEN: u64 = 0x01;
const RECEIVER: u64 = 0x03;
/// What precedes a peer ID in the endpoint discriminator of a peer.
pub(super) const FINGERPRINT: [u8; 2] = [0x21, 0x0f];

/// Why bytes are not a message of the group protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Nothing at all, or cut off, or a field has the wrong form.
    #[error("malformed")]
    Malformed,
    /// A type that is not known on this flow; to be ignored.
    #[error("unknown message type {0:#04x}")]
    UnknownType(u8),
}

impl From<DecodeError> for MessageError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// Says which group a control flow is for, proves that the sender knows its secret, and names the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Init {
    /// The group.
    pub group: GroupId,
    /// [`Init::token`] over the receiver's nonce.
    pub token: [u8; 32],
    /// The receiver.
    pub receiver: PeerId,
}

impl Init {
    /// The proof for the owner of `nonce` that its maker knows the group's `secret`: HMAC-SHA-256 (section 3.5).
    #[must_use]
    pub fn token(secret: &[u8], nonce: &[u8; 32]) -> [u8; 32] {
        mac::hmac(secret, &[nonce])
    }

    /// Whether it proves knowledge of `secret` to the owner of `nonce`. Takes a time that does not tell where it differs.
    #[must_use]
    pub fn proves(&self, secret: &[u8], nonce: &[u8; 32]) -> bool {
        mac::equal(&self.token, &Self::token(secret, nonce))
    }

    /// Its bytes: 137.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(137);
        out.push(INIT);
        put_option(&mut out, GROUP, to_hex(&self.group.0).as_bytes());
        put_option(&mut out, TOKEN, &self.token);
        put_option(&mut out, RECEIVER, &[&FINGERPRINT[..], &self.receiver.0].concat());
        out
    }

    /// Reads one, in any order of options and either case of digits; unknown options are ignored.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        let (&kind, body) = message.split_first().ok_or(MessageError::Malformed)?;
        if kind != INIT {
            return Err(MessageError::UnknownType(kind));
        }
        let (mut group, mut token, mut receiver) = (None, None, None);
        for option in OptionIter(body) {
            match option? {
                WireOption::Option { kind: GROUP, value } => group = Some(group_id(value)?),
                WireOption::Option { kind: TOKEN, value } => token = Some(array(value)?),
                WireOption::Option { kind: RECEIVER, value } => receiver = Some(peer_of(value)?),
                WireOption::Option { .. } => {}
                WireOption::Marker => break,
            }
        }
        match (group, token, receiver) {
            (Some(group), Some(token), Some(receiver)) => Ok(Self { group, token, receiver }),
            _ => Err(MessageError::Malformed),
        }
    }
}

/// Whether `message` is the first of a control flow (INIT), and of which group: its ID, for whoever has to find the
/// membership that it is for.
#[must_use]
pub fn init_group(message: &Bytes) -> Option<GroupId> {
    Init::decode(message).ok().map(|init| init.group)
}

fn array(value: &[u8]) -> Result<[u8; 32], MessageError> {
    value.try_into().map_err(|_| MessageError::Malformed)
}

fn group_id(digits: &[u8]) -> Result<GroupId, MessageError> {
    let text = std::str::from_utf8(digits).map_err(|_| MessageError::Malformed)?;
    text.parse().map(|PeerId(bytes)| GroupId(bytes)).map_err(|_| MessageError::Malformed)
}

/// The peer that an endpoint discriminator names by its fingerprint.
pub(super) fn peer_of(discriminator: &[u8]) -> Result<PeerId, MessageError> {
    let id = discriminator.strip_prefix(&FINGERPRINT).ok_or(MessageError::Malformed)?;
    array(id).map(PeerId)
}
