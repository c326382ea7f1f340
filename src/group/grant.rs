//! Grants: what lets an identity post, store or publish where the groupspec asks for a password (security.md, "Groups").
//! The password's key signs them; the password itself never travels.
//!
//! Form: version (1) ‖ kind ‖ not-after (8 bytes, milliseconds since 1970) ‖ Ed25519 signature (64) over label, kind, group
//! ID, author's peer ID and not-after.

use std::time::Duration;

use bytes::Bytes;

use super::spec::GroupId;
use crate::base::PeerId;
use crate::crypto::sign::{Label, SignKey, verify};

const VERSION: u8 = 1;
/// Bytes of a grant.
pub const GRANT_LEN: usize = 1 + 1 + 8 + 64;
/// The longest life of a grant.
pub const MAX_GRANT_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How far the clocks of those who sign and those who check may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantKind {
    /// Posts and stored values.
    Posting,
    /// Streams.
    Publishing,
}

impl GrantKind {
    const fn code(self) -> u8 {
        match self {
            Self::Posting => 1,
            Self::Publishing => 2,
        }
    }
}

/// Why a grant allows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is none, or of another kind.
    #[error("not a grant of this kind")]
    Malformed,
    /// Its time is over.
    #[error("the grant has expired")]
    Expired,
    /// It would live longer than grants may.
    #[error("the grant lives longer than seven days")]
    TooLong,
    /// The signature is not this group's, or it is for another author.
    #[error("the grant is another's, or not this group's")]
    NotOurs,
}

/// Signs a grant for `author` that ends at `not_after`, in milliseconds since 1970.
#[must_use]
pub fn sign_grant(key: &SignKey, kind: GrantKind, group: GroupId, author: PeerId, not_after: u64) -> Bytes {
    let not_after = not_after.to_be_bytes();
    let signature = key.sign(Label::Grant, &[&[kind.code()][..], &group.0, &author.0, &not_after]);
    [&[VERSION, kind.code()][..], &not_after, &signature].concat().into()
}

/// Checks that `grant` allows `author` what `kind` says, at `now` in milliseconds since 1970. `key` is the groupspec's.
///
/// # Errors
/// [`GrantError`].
pub fn verify_grant(
    grant: &[u8],
    key: &[u8; 32],
    kind: GrantKind,
    group: GroupId,
    author: PeerId,
    now: u64,
) -> Result<(), GrantError> {
    let (head, signature) = grant.split_at_checked(10).ok_or(GrantError::Malformed)?;
    let not_after: [u8; 8] = head[2..].try_into().map_err(|_| GrantError::Malformed)?;
    if head[..2] != [VERSION, kind.code()] || signature.len() != 64 {
        return Err(GrantError::Malformed);
    }
    let end = u64::from_be_bytes(not_after);
    if end <= now {
        return Err(GrantError::Expired);
    }
    if end > now.saturating_add((MAX_GRANT_LIFE + CLOCK_SKEW).as_millis() as u64) {
        return Err(GrantError::TooLong);
    }
    let sound = verify(key, Label::Grant, &[&[kind.code()][..], &group.0, &author.0, &not_after], signature);
    if sound { Ok(()) } else { Err(GrantError::NotOurs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600 * 1000;

    #[test]
    fn a_grant_serves_one_author_one_group_one_kind_and_its_time() {
        let key = SignKey::from_seed(&[5; 32]);
        let (group, author) = (GroupId([1; 32]), PeerId([2; 32]));
        let grant = sign_grant(&key, GrantKind::Posting, group, author, DAY);
        assert_eq!(grant.len(), GRANT_LEN);
        let check =
            |grant: &[u8], kind, group, author, now| verify_grant(grant, &key.public(), kind, group, author, now);
        assert_eq!(check(&grant, GrantKind::Posting, group, author, 5), Ok(()));
        assert_eq!(check(&grant, GrantKind::Publishing, group, author, 5), Err(GrantError::Malformed));
        assert_eq!(check(&grant, GrantKind::Posting, GroupId([3; 32]), author, 5), Err(GrantError::NotOurs));
        assert_eq!(check(&grant, GrantKind::Posting, group, PeerId([3; 32]), 5), Err(GrantError::NotOurs));
        assert_eq!(check(&grant, GrantKind::Posting, group, author, DAY), Err(GrantError::Expired));
        assert_eq!(check(&grant[..73], GrantKind::Posting, group, author, 5), Err(GrantError::Malformed));
        let long = sign_grant(&key, GrantKind::Posting, group, author, 9 * DAY);
        assert_eq!(check(&long, GrantKind::Posting, group, author, 5), Err(GrantError::TooLong));
        let other = sign_grant(&SignKey::from_seed(&[6; 32]), GrantKind::Posting, group, author, DAY);
        assert_eq!(check(&other, GrantKind::Posting, group, author, 5), Err(GrantError::NotOurs));
    }
}
