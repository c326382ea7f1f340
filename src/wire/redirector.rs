//! Messages of the redirector protocol of RFC 7016's author: servers register, and are introduced to whoever asks.

use super::address::Address;
use super::error::DecodeError;
use super::option::{OptionIter, WireOption, put_option};
use super::reader::{take_array, take_rest, take_u8};
use super::vlu;

/// Metadata of its flows, both ways; `00` and options may follow.
pub const SIGNATURE: &[u8] = b"http://zenomt.com/ns/rtmfp#redirector";

/// Option: include the reflexive address.
const INCLUDE_REFLEXIVE: u64 = 0x0d;
/// Option: an additional address.
const ADDITIONAL_ADDRESS: u64 = 0x0a;

mod command {
    pub(super) const DRAINING: u8 = 0x00;
    pub(super) const SETTINGS: u8 = 0x05;
    pub(super) const REFLEXIVE_ADDRESS: u8 = 0x0d;
    pub(super) const LOAD_FACTOR: u8 = 0x0f;
    pub(super) const USER_DATA: u8 = 0x10;
    pub(super) const SIMPLE_AUTH: u8 = 0x1d;
}

/// What a server tells the redirector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectorCommand<'a> {
    /// Proof of a password.
    SimpleAuth {
        /// HMAC-SHA-256 with the password as key, over the redirector's near nonce.
        mac: [u8; 32],
        /// Which password.
        key_id: &'a [u8],
    },
    /// Register, or replace the registration.
    Settings {
        /// Whether to hand out the address that the redirector sees.
        include_reflexive: bool,
        /// Further addresses to hand out.
        additional: Vec<Address>,
    },
    /// No new clients by load balancing.
    Draining,
    /// How busy the server is; lower is preferred.
    LoadFactor(u64),
    /// For the redirector's application.
    UserData(&'a [u8]),
}

/// What the redirector tells a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectorReport<'a> {
    /// The address that it sees.
    ReflexiveAddress(Address),
    /// From the redirector's application.
    UserData(&'a [u8]),
}

impl<'a> RedirectorCommand<'a> {
    /// The command in a message.
    ///
    /// # Errors
    /// If it is malformed or unknown.
    pub fn decode(mut message: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match take_u8(&mut message)? {
            command::SIMPLE_AUTH => {
                Self::SimpleAuth { mac: take_array(&mut message)?, key_id: take_rest(&mut message) }
            }
            command::SETTINGS => Self::decode_settings(message)?,
            command::DRAINING => Self::Draining,
            command::LOAD_FACTOR => Self::LoadFactor(vlu::take(&mut message)?),
            command::USER_DATA => Self::UserData(message),
            unknown => return Err(DecodeError::UnknownType(unknown)),
        })
    }

    fn decode_settings(options: &[u8]) -> Result<Self, DecodeError> {
        let (mut include_reflexive, mut additional) = (false, Vec::new());
        for option in OptionIter(options) {
            match option? {
                WireOption::Marker => break,
                WireOption::Option { kind: INCLUDE_REFLEXIVE, .. } => include_reflexive = true,
                WireOption::Option { kind: ADDITIONAL_ADDRESS, mut value } => {
                    additional.push(Address::take(&mut value)?);
                }
                WireOption::Option { .. } => {}
            }
        }
        Ok(Self::Settings { include_reflexive, additional })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SimpleAuth { mac, key_id } => {
                out.push(command::SIMPLE_AUTH);
                out.extend_from_slice(mac);
                out.extend_from_slice(key_id);
            }
            Self::Settings { include_reflexive, additional } => {
                out.push(command::SETTINGS);
                if *include_reflexive {
                    put_option(out, INCLUDE_REFLEXIVE, &[]);
                }
                let mut value = Vec::with_capacity(19);
                for address in additional {
                    value.clear();
                    address.encode(&mut value);
                    put_option(out, ADDITIONAL_ADDRESS, &value);
                }
            }
            Self::Draining => out.push(command::DRAINING),
            Self::LoadFactor(factor) => {
                out.push(command::LOAD_FACTOR);
                vlu::put(out, *factor);
            }
            Self::UserData(data) => {
                out.push(command::USER_DATA);
                out.extend_from_slice(data);
            }
        }
    }
}

impl<'a> RedirectorReport<'a> {
    /// The report in a message.
    ///
    /// # Errors
    /// If it is malformed or unknown.
    pub fn decode(mut message: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match take_u8(&mut message)? {
            command::REFLEXIVE_ADDRESS => Self::ReflexiveAddress(Address::take(&mut message)?),
            command::USER_DATA => Self::UserData(message),
            unknown => return Err(DecodeError::UnknownType(unknown)),
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::ReflexiveAddress(address) => {
                out.push(command::REFLEXIVE_ADDRESS);
                address.encode(out);
            }
            Self::UserData(data) => {
                out.push(command::USER_DATA);
                out.extend_from_slice(data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_decodes_from_any_bytes_encodes_to_the_same_value(
            command in proptest::sample::select(vec![0x00u8, 0x05, 0x0d, 0x0f, 0x10, 0x1d, 0x77]),
            body in proptest::collection::vec(prop_oneof![0u8..16, any::<u8>()], 0..60),
        ) {
            let bytes = [&[command], &body[..]].concat();
            if let Ok(command) = RedirectorCommand::decode(&bytes) {
                let mut out = Vec::new();
                command.encode(&mut out);
                prop_assert_eq!(RedirectorCommand::decode(&out), Ok(command));
            }
            if let Ok(report) = RedirectorReport::decode(&bytes) {
                let mut out = Vec::new();
                report.encode(&mut out);
                prop_assert_eq!(RedirectorReport::decode(&out), Ok(report));
            }
        }
    }

    #[test]
    fn truncated_commands_are_refused() {
        for bytes in
            [&[][..], &[command::SIMPLE_AUTH; 32], &[command::LOAD_FACTOR, 0x80], &[command::SETTINGS, 0x05, 0x0a]]
        {
            assert_eq!(RedirectorCommand::decode(bytes), Err(DecodeError::Truncated));
        }
        assert_eq!(RedirectorReport::decode(&[command::REFLEXIVE_ADDRESS, 2, 1]), Err(DecodeError::Truncated));
        // An option of an address whose value is cut off, though the option itself is whole.
        let settings = [command::SETTINGS, 0x03, 0x0a, 0x00, 0xc6];
        assert_eq!(RedirectorCommand::decode(&settings), Err(DecodeError::Truncated));
    }

    #[test]
    fn unknown_settings_are_ignored() {
        let settings = RedirectorCommand::decode(&[command::SETTINGS, 0x02, 0x55, 0x00, 0x01, 0x0d]);
        assert_eq!(settings, Ok(RedirectorCommand::Settings { include_reflexive: true, additional: vec![] }));
    }
}
