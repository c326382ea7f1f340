//! The seam between a cryptography profile and everything above it (RFC 7016 sections 2.2.3 and 3.2).

use std::fmt::{self, Debug};

use zeroize::Zeroize as _;

use crate::base::{PeerId, Rng, SessionId};
use crate::wire::{IIKeying, RIKeying};

use super::packet::{Opener, Sealer};

/// The near end's identity, and what it accepts from far ends. Every answer follows from the arguments alone.
pub trait Profile: Send + Sync + Debug {
    /// The near end's certificate, as it goes into RHello and IIKeying.
    fn certificate(&self) -> &[u8];

    /// The near end's peer ID: the fingerprint of [`Profile::certificate`].
    fn peer_id(&self) -> PeerId;

    /// Whether an IHello with this endpoint discriminator is meant for the near end (RFC 7016 section 3.2).
    fn selects_near(&self, epd: &[u8]) -> bool;

    /// Whether `epd` selects the end that showed `certificate`. A fingerprint selects nobody who does not have to
    /// prove it: an ephemeral certificate of RFC 7425 can be shown by anyone.
    fn selects(&self, epd: &[u8], certificate: &[u8]) -> bool;

    /// Who shows this certificate, and whether we would talk to them. No public-key work.
    ///
    /// # Errors
    /// The reason not to.
    fn examine(&self, certificate: &[u8]) -> Result<FarIdentity, Refusal>;

    /// Glare (RFC 7016 section 3.5.1.3): whether the near end stays the initiator. The smaller certificate does.
    fn near_prevails(&self, far_certificate: &[u8]) -> bool;

    /// Begins one attempt to open a session to whoever answered with `responder_certificate`. Every attempt has keys
    /// of its own.
    ///
    /// # Errors
    /// As [`Profile::examine`].
    fn initiate(&self, rng: &mut Rng, responder_certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal>;

    /// All that can be known about an IIKeying without public-key work: sizes, versions, who it claims to be from.
    ///
    /// # Errors
    /// The reason to drop it.
    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal>;

    /// Answers an IIKeying that passed [`Profile::screen`] (which is repeated here). This is the expensive part; the
    /// cookie and the rate of the source are checked before.
    ///
    /// # Errors
    /// The reason to drop it.
    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        responder_session_id: SessionId,
    ) -> Result<Response, Refusal>;
}

/// An attempt to open a session, from IIKeying to RIKeying. Its secrets are erased when it completes or is dropped.
pub trait Initiation: Send + Debug {
    /// The session key initiator component for the IIKeying.
    fn skic(&self) -> &[u8];

    /// The signature for an IIKeying; `isp` is its payload before the signature, as it will be transmitted.
    fn sign(&self, isp: &[u8]) -> Vec<u8>;

    /// Takes the responder's answer to any of `isps`, the payloads signed for this attempt (a cookie change makes a
    /// second one). A refused answer leaves the attempt as it was: the genuine one may follow.
    ///
    /// # Errors
    /// The reason to drop the answer.
    fn complete(&mut self, isps: &[&[u8]], rikeying: &RIKeying<'_>) -> Result<SessionKeys, Refusal>;
}

/// What a responder sends, and the session that results.
#[derive(Debug)]
pub struct Response {
    /// The session key responder component for the RIKeying.
    pub skrc: Vec<u8>,
    /// The signature for the RIKeying.
    pub signature: Vec<u8>,
    /// The keys of the session.
    pub keys: SessionKeys,
}

/// What keying yields: the two directions of packet protection, and a pair of secrets for the application.
pub struct SessionKeys {
    /// Protects what we send.
    pub sealer: Box<dyn Sealer>,
    /// Opens what we receive.
    pub opener: Box<dyn Opener>,
    /// The near end's session nonce (RFC 7425 section 4.6.5): equal to the far end's `far_nonce`, unknown to others.
    pub near_nonce: [u8; 32],
    /// The far end's session nonce.
    pub far_nonce: [u8; 32],
    /// The profile that they belong to.
    pub kind: ProfileKind,
}

impl Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Drop for SessionKeys {
    fn drop(&mut self) {
        self.near_nonce.zeroize();
        self.far_nonce.zeroize();
    }
}

/// Which protection a session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileKind {
    /// p2pt's own: X25519, Ed25519, AES-128-GCM.
    Strong,
    /// RFC 7425: Diffie–Hellman in MODP groups, AES-128-CBC, HMAC-SHA-256.
    Flash,
    /// None; for simulations.
    Plain,
}

/// Who a certificate belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarIdentity {
    /// The fingerprint of the certificate.
    pub peer_id: PeerId,
    /// The profile that a session with it has.
    pub kind: ProfileKind,
    /// Whether the session, once open, proves that the far end is `peer_id`. If not, anyone can have copied the
    /// certificate: it satisfies no dialled peer ID and no list of allowed peers.
    pub authenticated: bool,
}

impl FarIdentity {
    /// The peer ID if the session proves it: the only one to look for in a list. An anonymous far end has none.
    #[must_use]
    pub fn proven_id(&self) -> Option<PeerId> {
        self.authenticated.then_some(self.peer_id)
    }
}

/// Why a certificate, a keying message or an answer is dropped. Counted by reason, never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// The session ID is 0, which names the startup pseudo-session.
    #[error("session ID 0")]
    ZeroSessionId,
    /// The far end shows the near end's own identity: a reflection, or somebody dialling himself.
    #[error("own identity")]
    OwnIdentity,
    /// The certificate is empty or longer than allowed.
    #[error("certificate too long or empty")]
    CertificateSize,
    /// The certificate is no list of options.
    #[error("malformed certificate")]
    MalformedCertificate,
    /// The mark of profile `strong` stands in the certificate, but not exactly once in one good option.
    #[error("certificate with a damaged p2pt option")]
    DamagedStrongOption,
    /// The identity key is not canonical, no point of the curve, or of small order.
    #[error("weak identity key")]
    WeakIdentityKey,
    /// The certificate is for profile `flash`, which is off.
    #[error("not a p2pt peer, and RTMFP peers of other makes are not allowed")]
    FlashNotAllowed,
    /// The certificate has both static keys and ephemeral groups, or neither (RFC 7425 section 4.3).
    #[error("certificate without one kind of key")]
    KeyKind,
    /// No Diffie–Hellman group that both ends can use.
    #[error("no common Diffie-Hellman group")]
    NoCommonGroup,
    /// The keying component is empty or longer than allowed.
    #[error("keying component too long or empty")]
    ComponentSize,
    /// The keying component is no list of options, or lacks one that it needs.
    #[error("malformed keying component")]
    MalformedComponent,
    /// The keying component belongs to another profile than the certificate.
    #[error("keying component of another profile")]
    WrongProfile,
    /// The keying component has a version or suite that we do not know.
    #[error("unknown version of the keying component")]
    UnknownVersion,
    /// The signature does not have the length of a signature.
    #[error("signature of the wrong length")]
    SignatureSize,
    /// The signature does not verify.
    #[error("bad signature")]
    BadSignature,
    /// A Diffie–Hellman public key outside its limits, or one that yields no secret.
    #[error("weak Diffie-Hellman key")]
    WeakPublicKey,
    /// The far end neither sends nor offers a packet authenticator that we require, or only a shorter one.
    #[error("no acceptable packet authentication")]
    NoHmac,
    /// The far end neither sends nor offers session sequence numbers, which we require.
    #[error("no session sequence numbers")]
    NoSequenceNumbers,
    /// The attempt was completed before.
    #[error("attempt is over")]
    Over,
}
