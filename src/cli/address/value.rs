//! What an address says, and how it is typed.

use super::percent;
use crate::base::{PeerId, to_hex};
use std::fmt;
use zeroize::Zeroizing;

/// The port of a rendezvous that names none.
pub const DEFAULT_PORT: u16 = 1935;

/// A whole address: how to find somebody, and whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Through whom; `None` is `rtmfp:`, no server.
    pub rendezvous: Option<Rendezvous>,
    /// Whom or what.
    pub target: Target,
}

/// The part before `#` that names a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendezvous {
    /// Where it listens.
    pub host: HostPort,
    /// What it asks of those who register. A secret: shown by no `Debug`.
    pub developer_key: Option<Zeroizing<String>>,
    /// Who it has to be.
    pub id: Option<PeerId>,
}

/// A name or an address in numbers (IPv6 without brackets), and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The host, in lower case.
    pub host: String,
    /// The UDP port.
    pub port: u16,
}

/// The part after `#`.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A peer, and where it may be met without asking anybody.
    Peer {
        /// Who.
        id: PeerId,
        /// Where, if it is known.
        direct: Vec<HostPort>,
    },
    /// A group, or an object in it.
    Group {
        /// `G:` and hex digits. A secret, since whoever has it can join: shown by no `Debug`.
        spec: Zeroizing<String>,
        /// What is meant in it, if not the group itself.
        object: Option<Object>,
    },
}

/// A file in a group, or a list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The BLAKE3 hash of the file or list.
    pub hash: [u8; 32],
    /// Whether it is a list of files.
    pub list: bool,
    /// The name to save it under; safe ([`crate::node::files::check_name`]).
    pub name: Option<String>,
}

impl Rendezvous {
    /// What an IHello says of it, for anyone to read: host and port, neither key nor id.
    #[must_use]
    pub fn public_uri(&self) -> String {
        format!("rtmfp://{}", self.host)
    }
}

impl fmt::Display for Address {
    /// The address as it is typed, secrets included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rendezvous {
            Some(rendezvous) => write!(f, "{rendezvous}")?,
            None => f.write_str("rtmfp:")?,
        }
        write!(f, "#{}", self.target)
    }
}

impl fmt::Display for Rendezvous {
    /// The part before `#` as it is typed, the developer key included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rtmfp://{}", self.host.show(DEFAULT_PORT))?;
        if let Some(key) = &self.developer_key {
            f.write_str("/")?;
            percent::encode(key, f)?;
        }
        match &self.id {
            Some(id) => write!(f, "?id={id}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    /// The part after `#` as it is typed, secrets included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { id, direct } => {
                write!(f, "{id}")?;
                for (index, host) in direct.iter().enumerate() {
                    write!(f, "{}{host}", if index == 0 { '@' } else { ',' })?;
                }
                Ok(())
            }
            Self::Group { spec, object } => {
                f.write_str(spec)?;
                object.as_ref().map_or(Ok(()), |object| write!(f, "/{object}"))
            }
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", if self.list { "b3list" } else { "b3" }, to_hex(&self.hash))?;
        let Some(name) = &self.name else { return Ok(()) };
        f.write_str("/")?;
        percent::encode(name, f)
    }
}

impl HostPort {
    /// The host, and the port unless it is the usual one.
    fn show(&self, usual: u16) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show(0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("rendezvous", &self.rendezvous).field("target", &self.target).finish()
    }
}

impl fmt::Debug for Rendezvous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.developer_key.as_ref().map(|_| "…");
        f.debug_struct("Rendezvous")
            .field("host", &self.host)
            .field("developer_key", &key)
            .field("id", &self.id)
            .finish()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { id, direct } => write!(f, "Peer({id:?} at {direct:?})"),
            Self::Group { object, .. } => write!(f, "Group(…, object: {})", object.is_some()),
        }
    }
}
