//! Options of a groupspec (section 1.2) and what their values say.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::crypto::mac;

/// Types of options.
pub mod kind {
    /// Directed routing is enabled.
    pub const ROUTING: u64 = 0x00;
    /// Multicast is enabled.
    pub const MULTICAST: u64 = 0x01;
    /// Object replication is enabled.
    pub const OBJECT_REPLICATION: u64 = 0x02;
    /// Posting is enabled.
    pub const POSTING: u64 = 0x03;
    /// Hash of Flash's publish password.
    pub const PUBLISH_PASSWORD_HASH: u64 = 0x05;
    /// Hash of Flash's posting password.
    pub const POSTING_PASSWORD_HASH: u64 = 0x07;
    /// An IP multicast address.
    pub const IP_MULTICAST: u64 = 0x0a;
    /// A bootstrap peer.
    pub const BOOTSTRAP_PEER: u64 = 0x0b;
    /// Members may find each other through the rendezvous.
    pub const SERVER_CHANNEL: u64 = 0x0c;
    /// No connections between members.
    pub const PEER_TO_PEER_DISABLED: u64 = 0x0d;
    /// The name; a second one holds chance.
    pub const NAME: u64 = 0x0e;
    /// Flash's publish password in clear.
    pub const PUBLISH_PASSWORD: u64 = 0x15;
    /// Flash's posting password in clear.
    pub const POSTING_PASSWORD: u64 = 0x17;
    /// Members find each other by IP multicast.
    pub const MEMBER_UPDATES: u64 = 0x1b;
    /// The groupspec's version.
    pub const VERSION: u64 = 0x7f;
    /// The posting key: ours.
    pub const POSTING_KEY: u64 = 0x2359;
    /// The publishing key: ours.
    pub const PUBLISHING_KEY: u64 = 0x235a;
}

/// One option, erased when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SpecOption {
    /// Its type.
    pub kind: u64,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

impl SpecOption {
    /// An option.
    #[must_use]
    pub fn new(kind: u64, value: &[u8]) -> Self {
        Self { kind, value: Zeroizing::new(value.to_vec()) }
    }

    /// What it is called, if it is known.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        Some(match self.kind {
            kind::ROUTING => "routing",
            kind::MULTICAST => "multicast",
            kind::OBJECT_REPLICATION => "object replication",
            kind::POSTING => "posting",
            kind::PUBLISH_PASSWORD_HASH => "publish password hash",
            kind::POSTING_PASSWORD_HASH => "posting password hash",
            kind::IP_MULTICAST => "IP multicast address",
            kind::BOOTSTRAP_PEER => "bootstrap peer",
            kind::SERVER_CHANNEL => "server channel",
            kind::PEER_TO_PEER_DISABLED => "peer-to-peer disabled",
            kind::NAME => "name",
            kind::PUBLISH_PASSWORD => "publish password",
            kind::POSTING_PASSWORD => "posting password",
            kind::MEMBER_UPDATES => "IP multicast member updates",
            kind::VERSION => "version",
            kind::POSTING_KEY => "posting key",
            kind::PUBLISHING_KEY => "publishing key",
            _ => return None,
        })
    }
}

impl fmt::Debug for SpecOption {
    /// The type and the length, since the value may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}({} bytes)", self.kind, self.value.len())
    }
}

/// An IP multicast address of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpMulticast {
    /// Address and port.
    pub group: SocketAddr,
    /// The only sender to be heard (source-specific multicast), of the same family.
    pub source: Option<IpAddr>,
}

impl IpMulticast {
    /// The option's value. A source of the other family is left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let port = self.group.port().to_be_bytes();
        match (self.group.ip(), self.source) {
            (IpAddr::V4(ip), Some(IpAddr::V4(source))) => [&ip.octets()[..], &port, &source.octets()].concat(),
            (IpAddr::V6(ip), Some(IpAddr::V6(source))) => [&ip.octets()[..], &port, &source.octets()].concat(),
            (IpAddr::V4(ip), _) => [&ip.octets()[..], &port].concat(),
            (IpAddr::V6(ip), _) => [&ip.octets()[..], &port].concat(),
        }
    }

    /// Reads the option's value; `None` if it has another length than such values have.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        fn ip(bytes: &[u8]) -> Option<IpAddr> {
            <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
        }
        let len = match value.len() {
            6 | 10 => 4,
            18 | 34 => 16,
            _ => return None,
        };
        let port = u16::from_be_bytes([value[len], value[len + 1]]);
        let source = Some(&value[len + 2..]).filter(|source| !source.is_empty());
        Some(Self { group: SocketAddr::new(ip(&value[..len])?, port), source: source.and_then(ip) })
    }
}

impl fmt::Display for IpMulticast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        self.source.map_or(Ok(()), |source| write!(f, " from {source}"))
    }
}

/// The hash of a password as Flash makes it (section 1.3): salt ‖ SHA-256(salt ‖ password). It keeps nobody out who reads
/// the groupspec with another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// The salt, possibly empty.
    pub salt: Vec<u8>,
    /// The digest.
    pub digest: [u8; 32],
}

impl PasswordHash {
    /// The hash of a password.
    #[must_use]
    pub fn of(password: &str, salt: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(salt).chain_update(password).finalize().into();
        Self { salt: salt.to_vec(), digest }
    }

    /// Whether it is this password's.
    #[must_use]
    pub fn fits(&self, password: &str) -> bool {
        mac::equal(&Self::of(password, &self.salt).digest, &self.digest)
    }

    /// The option's value.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.salt[..], &self.digest].concat()
    }

    /// Reads the option's value; `None` if it is too short.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        let (salt, digest) = value.split_last_chunk::<32>()?;
        Some(Self { salt: salt.to_vec(), digest: *digest })
    }
}
