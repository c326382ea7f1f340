//! What members say on their control flow (flash-groups section 3.3).

use super::init::{INIT, Init, MessageError};
use super::report::{REPORT, Report};
use crate::group::view::ReceiveMode;

const UNKNOWN_02: u8 = 0x02;
const ASK_DISCONNECT: u8 = 0x0c;
const BEGIN_EXACT: u8 = 0x0e;
const BEGIN_NEAREST: u8 = 0x0f;

/// A message of the control flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control<'a> {
    /// First of all.
    Init(Init),
    /// Follows INIT; its meaning is not known.
    Unknown02,
    /// The sender is ready, and takes routed messages in this mode.
    Begin(ReceiveMode),
    /// Who ought to be the receiver's neighbours.
    Report(Report<'a>),
    /// The sender can do without this link.
    AskDisconnect,
}

impl<'a> Control<'a> {
    /// Reads one. What follows the type of a message without fields is ignored.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(message: &'a [u8]) -> Result<Self, MessageError> {
        match *message.first().ok_or(MessageError::Malformed)? {
            INIT => Init::decode(message).map(Self::Init),
            UNKNOWN_02 => Ok(Self::Unknown02),
            REPORT => Report::decode(message).map(Self::Report),
            ASK_DISCONNECT => Ok(Self::AskDisconnect),
            BEGIN_EXACT => Ok(Self::Begin(ReceiveMode::Exact)),
            BEGIN_NEAREST => Ok(Self::Begin(ReceiveMode::Nearest)),
            other => Err(MessageError::UnknownType(other)),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Init(init) => init.encode(),
            Self::Unknown02 => vec![UNKNOWN_02],
            Self::Begin(ReceiveMode::Exact) => vec![BEGIN_EXACT],
            Self::Begin(ReceiveMode::Nearest) => vec![BEGIN_NEAREST],
            Self::Report(report) => report.encode(),
            Self::AskDisconnect => vec![ASK_DISCONNECT],
        }
    }
}
