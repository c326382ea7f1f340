//! Floor 2: the cryptography profiles behind one trait.
//!
//! | profile | for | has |
//! |---|---|---|
//! | `strong` | p2pt to p2pt, always | X25519, Ed25519, AES-128-GCM: mutual authentication by peer ID, forward secrecy |
//! | `flash` | RTMFP peers of other makes, when asked for | RFC 7425: MODP groups, AES-128-CBC, HMAC-SHA-256 |
//! | [`Plain`] | simulations | nothing |
//!
//! [`Keyring`] is the profile of a real endpoint; [`FlashPeer`] stands for RTMFP peers of other makes in simulations.
//!
//! [`Profile`] is what the floors above see: certificates are judged by [`Profile::examine`], a session is opened by
//! [`Profile::initiate`] at one end and [`Profile::respond`] at the other, and lives on as a [`Sealer`] and an [`Opener`].
//! Which profile a session has follows from the far certificate alone; nothing is negotiated, so nothing can be downgraded.
//!
//! Not here: cookies, rates, who is let in (`endpoint`), and what the application proves with the session nonces.

mod cast;
mod cbc;
mod certificate;
mod checksum;
pub mod epd;
mod flash;
mod group;
mod group_key;
mod identity;
mod keyring;
pub mod mac;
mod packet;
pub mod password;
mod plain;
mod profile;
pub mod sign;
pub mod startup;
mod strong;
mod window;

pub use cast::{CAST_LEN, CastOpener, CastSealer, cast_sender};
pub use certificate::{fingerprint, signer};
pub use flash::FlashPeer;
pub use group::Group;
pub use group_key::{GroupKey, SEAL_LEN};
pub use identity::{HostnameError, Identity, IdentityError, IdentityKind};
pub use keyring::{Keyring, Policy};
pub use packet::{OpenError, Opened, Opener, Sealer, session_id_of};
pub use plain::Plain;
pub use profile::{FarIdentity, Initiation, Profile, ProfileKind, Refusal, Response, SessionKeys};
