//! Profile `flash` (RFC 7425), for RTMFP peers of other makes: AES-128-CBC, HMAC-SHA-256, session sequence numbers, keys from
//! Diffie–Hellman in MODP groups. Certificates with a static key authenticate their owner; there is no forward secrecy
//! towards whoever holds such a key later, and certificates are not bound into the keys.

mod component;
mod derive;
mod keying;
mod packets;
mod peer;
mod terms;
#[cfg(test)]
mod tests;

pub(super) use keying::{FlashInitiation, Near, judge, respond, screen};
pub use peer::FlashPeer;
pub(super) use terms::{Terms, Want};
