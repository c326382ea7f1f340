//! Making groupspecs, as GroupSpecifier does (flash-groups section 7.1).

use super::error::GroupspecError;
use super::key::PasswordKey;
use super::option::{IpMulticast, PasswordHash, SpecOption, kind};
use super::value::{Groupspec, rank};
use crate::base::PeerId;
use crate::wire::vlu;

/// A groupspec in the making. Written in Flash's order, so that whoever sets the same options gets the same group.
#[derive(Debug, Clone)]
pub struct GroupspecBuilder {
    version: u64,
    name: String,
    unique: Option<[u8; 32]>,
    canonical: Vec<SpecOption>,
    tail: Vec<SpecOption>,
}

/// Why a groupspec cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A group has a name.
    #[error("a group's name is not empty")]
    NoName,
    /// A version above 2.
    #[error("groupspecs have version 1 or 2")]
    Version,
    /// More than fits.
    #[error("more than fits into a groupspec")]
    TooLong,
    /// A key and a password of Flash's, which would give its secret away or contradict it.
    #[error("a group has a password of p2pt or one of Flash for the same thing, not both")]
    TwoPasswords,
}

impl GroupspecBuilder {
    /// A group of this name with nothing enabled, of version 2.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { version: 2, name: name.to_owned(), unique: None, canonical: Vec::new(), tail: Vec::new() }
    }

    /// Sets the version: 2, or 1 for the oldest Flash Players.
    #[must_use]
    pub const fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// Makes it a group of its own that nobody can guess: `makeUnique`.
    #[must_use]
    pub const fn unique(mut self, chance: [u8; 32]) -> Self {
        self.unique = Some(chance);
        self
    }

    /// Enables posting.
    #[must_use]
    pub fn posting(self) -> Self {
        self.set(kind::POSTING, &[])
    }

    /// Enables multicast.
    #[must_use]
    pub fn multicast(self) -> Self {
        self.set(kind::MULTICAST, &[])
    }

    /// Enables object replication.
    #[must_use]
    pub fn object_replication(self) -> Self {
        self.set(kind::OBJECT_REPLICATION, &[])
    }

    /// Enables directed routing.
    #[must_use]
    pub fn routing(self) -> Self {
        self.set(kind::ROUTING, &[])
    }

    /// Lets members find each other through the rendezvous.
    #[must_use]
    pub fn server_channel(self) -> Self {
        self.set(kind::SERVER_CHANNEL, &[])
    }

    /// Forbids connections between members.
    #[must_use]
    pub fn peer_to_peer_disabled(self) -> Self {
        self.set(kind::PEER_TO_PEER_DISABLED, &[])
    }

    /// Lets members find each other by IP multicast.
    #[must_use]
    pub fn member_updates(self) -> Self {
        self.set(kind::MEMBER_UPDATES, &[])
    }

    /// Posts and stored values need this key's grants.
    #[must_use]
    pub fn posting_key(self, key: &PasswordKey) -> Self {
        self.set(kind::POSTING_KEY, &key.encode())
    }

    /// Streams need this key's grants.
    #[must_use]
    pub fn publishing_key(self, key: &PasswordKey) -> Self {
        self.set(kind::PUBLISHING_KEY, &key.encode())
    }

    /// Flash's `setPostingPassword`; with `in_clear` the groupspec brings the password along, for those who may post.
    #[must_use]
    pub fn flash_posting_password(self, password: &str, salt: &[u8], in_clear: bool) -> Self {
        self.flash_password(kind::POSTING_PASSWORD_HASH, kind::POSTING_PASSWORD, password, salt, in_clear)
    }

    /// Flash's `setPublishPassword`; with `in_clear` the groupspec brings the password along, for those who may publish.
    #[must_use]
    pub fn flash_publish_password(self, password: &str, salt: &[u8], in_clear: bool) -> Self {
        self.flash_password(kind::PUBLISH_PASSWORD_HASH, kind::PUBLISH_PASSWORD, password, salt, in_clear)
    }

    /// A member to begin with.
    #[must_use]
    pub fn bootstrap_peer(mut self, peer: PeerId) -> Self {
        self.tail.push(SpecOption::new(kind::BOOTSTRAP_PEER, &peer.0));
        self
    }

    /// An IP multicast address.
    #[must_use]
    pub fn ip_multicast(mut self, address: &IpMulticast) -> Self {
        self.tail.push(SpecOption::new(kind::IP_MULTICAST, &address.encode()));
        self
    }

    /// The groupspec.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(mut self) -> Result<Groupspec, BuildError> {
        if self.name.is_empty() {
            return Err(BuildError::NoName);
        }
        if !(1..=2).contains(&self.version) {
            return Err(BuildError::Version);
        }
        let has = |kind| self.canonical.iter().any(|option| option.kind == kind);
        let twice = |ours, flash| has(ours) && has(flash);
        if twice(kind::POSTING_KEY, kind::POSTING_PASSWORD_HASH)
            || twice(kind::PUBLISHING_KEY, kind::PUBLISH_PASSWORD_HASH)
        {
            return Err(BuildError::TwoPasswords);
        }
        if self.version > 1 {
            let mut version = Vec::new();
            vlu::put(&mut version, self.version);
            self.canonical.push(SpecOption::new(kind::VERSION, &version));
        }
        self.canonical.push(SpecOption::new(kind::NAME, self.name.as_bytes()));
        self.canonical.extend(self.unique.map(|chance| SpecOption::new(kind::NAME, &chance)));
        self.canonical.sort_by_key(rank);
        self.tail.sort_by_key(rank);
        Groupspec::of_options(&self.canonical, &self.tail).map_err(|error| match error {
            GroupspecError::TooLong => BuildError::TooLong,
            error => unreachable!("the builder writes sound options: {error}"),
        })
    }

    fn flash_password(self, hash: u64, clear: u64, password: &str, salt: &[u8], in_clear: bool) -> Self {
        let mut set = self.set(hash, &PasswordHash::of(password, salt).encode());
        set.tail.retain(|option| option.kind != clear);
        if in_clear {
            set.tail.push(SpecOption::new(clear, password.as_bytes()));
        }
        set
    }

    fn set(mut self, kind: u64, value: &[u8]) -> Self {
        self.canonical.retain(|option| option.kind != kind);
        self.canonical.push(SpecOption::new(kind, value));
        self
    }
}
