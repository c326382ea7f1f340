//! What a client and the rendezvous say on a group's flow (flash-groups sections 2.5 and 2.6).

use sha2::{Digest as _, Sha256};

use super::init::MessageError;
use crate::base::PeerId;
use crate::group::spec::GroupId;
use crate::wire::{OptionIter, WireOption, put_option};

const JOIN: u8 = 0x01;
const MEMBER: u8 = 0x0b;
const ID: u64 = 0x15;
const HASHED_BY_SERVER: u64 = 0x10;

/// Joins a group; closing the flow leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// By its ID. What clients send.
    Id(GroupId),
    /// By bytes whose SHA-256 is the ID; of older clients.
    Hashed(Vec<u8>),
}

impl Join {
    /// The group.
    #[must_use]
    pub fn group(&self) -> GroupId {
        match self {
            Self::Id(id) => *id,
            Self::Hashed(bytes) => GroupId(Sha256::digest(bytes).into()),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![JOIN];
        match self {
            Self::Id(id) => put_option(&mut out, ID, &id.0),
            Self::Hashed(bytes) => put_option(&mut out, HASHED_BY_SERVER, bytes),
        }
        out
    }

    /// Reads one; options that are not known are ignored, the first known one counts.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        let (&kind, body) = message.split_first().ok_or(MessageError::Malformed)?;
        if kind != JOIN {
            return Err(MessageError::UnknownType(kind));
        }
        for option in OptionIter(body) {
            match option? {
                WireOption::Option { kind: ID, value } => {
                    let id = value.try_into().map_err(|_| MessageError::Malformed)?;
                    return Ok(Self::Id(GroupId(id)));
                }
                WireOption::Option { kind: HASHED_BY_SERVER, value } => return Ok(Self::Hashed(value.to_vec())),
                WireOption::Option { .. } => {}
                WireOption::Marker => break,
            }
        }
        Err(MessageError::Malformed)
    }
}

/// Tells of a member; the client connects to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member(pub PeerId);

impl Member {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&[MEMBER][..], &self.0.0].concat()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        let (&kind, id) = message.split_first().ok_or(MessageError::Malformed)?;
        if kind != MEMBER {
            return Err(MessageError::UnknownType(kind));
        }
        id.try_into().map(|id| Self(PeerId(id))).map_err(|_| MessageError::Malformed)
    }
}
