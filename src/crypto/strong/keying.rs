//! The handshake of profile `strong`: two signed ephemeral keys in IIKeying and RIKeying. The initiator's signature covers
//! all that it can know, the responder's everything.

use std::fmt::{self, Debug};

use sha2::{Digest as _, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::base::{Rng, SessionId};
use crate::crypto::profile::{Initiation, ProfileKind, Refusal, Response, SessionKeys};
use crate::crypto::sign::{Label, SignKey, verify};
use crate::wire::{IIKeying, RIKeying};

use super::component;
use super::packets::{GcmOpener, GcmSealer};
use super::schedule::Schedule;

/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// An initiator's attempt.
pub(in crate::crypto) struct StrongInitiation {
    /// The ephemeral secret; erased once the attempt is over.
    ephemeral: Option<StaticSecret>,
    skic: Vec<u8>,
    sign_key: SignKey,
    responder_certificate: Vec<u8>,
    responder_key: [u8; 32],
    window: u32,
}

impl StrongInitiation {
    /// An attempt towards the owner of `responder_certificate`, whose identity key is `responder_key`.
    pub(in crate::crypto) fn new(
        rng: &mut Rng,
        sign_key: &SignKey,
        responder_certificate: &[u8],
        responder_key: [u8; 32],
        window: u32,
    ) -> Self {
        Self::with_ephemeral(ephemeral(rng), sign_key, responder_certificate, responder_key, window)
    }

    pub(super) fn with_ephemeral(
        ephemeral: StaticSecret,
        sign_key: &SignKey,
        responder_certificate: &[u8],
        responder_key: [u8; 32],
        window: u32,
    ) -> Self {
        Self {
            skic: component::encode(PublicKey::from(&ephemeral).as_bytes()),
            ephemeral: Some(ephemeral),
            sign_key: sign_key.clone(),
            responder_certificate: responder_certificate.to_vec(),
            responder_key,
            window,
        }
    }
}

impl Initiation for StrongInitiation {
    fn skic(&self) -> &[u8] {
        &self.skic
    }

    fn sign(&self, isp: &[u8]) -> Vec<u8> {
        let known = known_to_initiator(&self.responder_certificate, isp);
        self.sign_key.sign(Label::Initiator, &[&known]).to_vec()
    }

    fn complete(&mut self, isps: &[&[u8]], rikeying: &RIKeying<'_>) -> Result<SessionKeys, Refusal> {
        let ephemeral = self.ephemeral.as_ref().ok_or(Refusal::Over)?;
        if rikeying.responder_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        if rikeying.signature.len() != SIGNATURE {
            return Err(Refusal::SignatureSize);
        }
        let public = component::decode(rikeying.skrc)?;
        let transcript = isps
            .iter()
            .map(|isp| transcript(&known_to_initiator(&self.responder_certificate, isp), rikeying.signed()))
            .find(|hash| verify(&self.responder_key, Label::Responder, &[hash], rikeying.signature))
            .ok_or(Refusal::BadSignature)?;
        let schedule = agree(ephemeral, public, &transcript)?;
        self.ephemeral = None;
        Ok(SessionKeys {
            sealer: Box::new(GcmSealer::new(schedule.initiator_to_responder)),
            opener: Box::new(GcmOpener::new(schedule.responder_to_initiator, self.window)),
            near_nonce: *schedule.initiator_nonce,
            far_nonce: *schedule.responder_nonce,
            kind: ProfileKind::Strong,
        })
    }
}

impl Debug for StrongInitiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrongInitiation").field("over", &self.ephemeral.is_none()).finish_non_exhaustive()
    }
}

/// What a responder brings to an answer.
pub(in crate::crypto) struct Responder<'a> {
    /// Its identity key.
    pub(in crate::crypto) sign_key: &'a SignKey,
    /// Its certificate.
    pub(in crate::crypto) certificate: &'a [u8],
    /// What it wants to be addressed by.
    pub(in crate::crypto) session_id: SessionId,
    /// Its replay window.
    pub(in crate::crypto) window: u32,
}

/// Whether an IIKeying's component and signature can be good, as far as that can be told by reading them.
pub(in crate::crypto) fn screen(skic: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    component::decode(skic)?;
    if signature.len() == SIGNATURE { Ok(()) } else { Err(Refusal::SignatureSize) }
}

/// Answers an IIKeying that was screened; `initiator_key` is the identity key in its certificate.
pub(in crate::crypto) fn respond(
    rng: &mut Rng,
    near: Responder<'_>,
    keying: &IIKeying<'_>,
    initiator_key: &[u8; 32],
) -> Result<Response, Refusal> {
    let public = component::decode(keying.skic)?;
    let known = known_to_initiator(near.certificate, keying.signed());
    if !verify(initiator_key, Label::Initiator, &[&known], keying.signature) {
        return Err(Refusal::BadSignature);
    }
    respond_with(ephemeral(rng), near, &known, public)
}

pub(super) fn respond_with(
    ephemeral: StaticSecret,
    near: Responder<'_>,
    known_to_initiator: &[u8; 32],
    initiator_public: [u8; 32],
) -> Result<Response, Refusal> {
    let skrc = component::encode(PublicKey::from(&ephemeral).as_bytes());
    let rsp = RIKeying::signed_parameters(near.session_id, &skrc);
    let transcript = transcript(known_to_initiator, &rsp);
    let schedule = agree(&ephemeral, initiator_public, &transcript)?;
    Ok(Response {
        skrc,
        signature: near.sign_key.sign(Label::Responder, &[&transcript]).to_vec(),
        keys: SessionKeys {
            sealer: Box::new(GcmSealer::new(schedule.responder_to_initiator)),
            opener: Box::new(GcmOpener::new(schedule.initiator_to_responder, near.window)),
            near_nonce: *schedule.responder_nonce,
            far_nonce: *schedule.initiator_nonce,
            kind: ProfileKind::Strong,
        },
    })
}

fn ephemeral(rng: &mut Rng) -> StaticSecret {
    StaticSecret::from(*Zeroizing::new(rng.bytes::<32>()))
}

/// The hash of all that the initiator can know when it signs: whom it wants, and what it says.
pub(super) fn known_to_initiator(responder_certificate: &[u8], isp: &[u8]) -> [u8; 32] {
    let hash = Sha256::new_with_prefix("p2pt/strong/1 transcript\0");
    with_length(with_length(hash, responder_certificate), isp).finalize().into()
}

/// The hash of everything.
pub(super) fn transcript(known_to_initiator: &[u8; 32], rsp: &[u8]) -> [u8; 32] {
    with_length(Sha256::new_with_prefix(known_to_initiator), rsp).finalize().into()
}

fn with_length(hash: Sha256, field: &[u8]) -> Sha256 {
    let len = u32::try_from(field.len()).expect("a field is shorter than a packet");
    hash.chain_update(len.to_be_bytes()).chain_update(field)
}

/// All keys, unless the far public key has small order and the secret would be zero.
fn agree(ephemeral: &StaticSecret, public: [u8; 32], transcript: &[u8; 32]) -> Result<Schedule, Refusal> {
    let shared = ephemeral.diffie_hellman(&PublicKey::from(public));
    if !shared.was_contributory() {
        return Err(Refusal::WeakPublicKey);
    }
    Ok(Schedule::new(transcript, shared.as_bytes()))
}
