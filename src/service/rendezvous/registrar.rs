//! In which language a client registers, and what proves its password in the redirector's.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::wire::redirector::SIGNATURE;

/// What a client's flow speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// RTMP commands on a control flow (RFC 7425 section 5.3).
    Control,
    /// The redirector's messages.
    Redirector,
}

/// Whether a flow of this metadata speaks the redirector's language; options may follow behind a zero byte.
pub(super) fn is_redirector(metadata: &[u8]) -> bool {
    metadata.strip_prefix(SIGNATURE).is_some_and(|rest| matches!(rest, [] | [0, ..]))
}

/// Whether `mac` is what only a holder of `password` can make of this session's nonce. Takes the same time for every
/// wrong one.
pub(super) fn proves(password: &str, near_nonce: &[u8; 32], mac: &[u8; 32]) -> bool {
    let Ok(mut expected) = Hmac::<Sha256>::new_from_slice(password.as_bytes()) else { return false };
    expected.update(near_nonce);
    expected.verify_slice(mac).is_ok()
}
