//! Groupspecs (flash-groups section 1).

use std::fmt;

use zeroize::Zeroizing;

/// A parsed groupspec: what a group is, how to reach it, and what its holder may do. Its text is a secret, since whoever has
/// it can join; `Debug` shows the group ID only.
#[derive(Clone, PartialEq, Eq)]
pub struct Groupspec {
    /// T of section 1.4: the text up to, and without, the Marker that ends the canonical part.
    secret: Zeroizing<String>,
    id: GroupId,
}

/// A group's name: what the rendezvous and neighbours are told (section 1.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub [u8; 32]);

impl Groupspec {
    /// Its group's name.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// T, which proves membership (section 3.5).
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::base::to_hex(&self.0))
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}…", crate::base::to_hex(&self.0[..4]))
    }
}

impl fmt::Debug for Groupspec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Groupspec").field(&self.id).finish()
    }
}
