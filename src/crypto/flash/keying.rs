//! The handshake of profile `flash`: each end brings a static key in its certificate or an ephemeral one in its component.

use std::fmt::{self, Debug};

use zeroize::Zeroizing;

use crate::base::{Rng, SessionId};
use crate::crypto::certificate::Certificate;
use crate::crypto::group::{Group, PrivateKey};
use crate::crypto::profile::{Initiation, ProfileKind, Refusal, Response, SessionKeys};
use crate::wire::{IIKeying, RIKeying};

use super::component::{Component, Contribution, encode_initiator, encode_responder};
use super::derive::Derived;
use super::packets::{CbcOpener, CbcSealer};
use super::terms::{FarTerms, Terms};

/// The field that says "no signature" (RFC 7425 section 4.3.5).
const NO_SIGNATURE: &[u8] = b"X";

/// What the near end brings.
#[derive(Debug, Clone, Copy)]
pub(in crate::crypto) struct Near<'a> {
    /// The static keys in its certificate; none if that is ephemeral.
    pub(in crate::crypto) static_keys: &'a [PrivateKey],
    /// What it offers and accepts.
    pub(in crate::crypto) terms: &'a Terms,
}

/// Whether a certificate has one kind of key, and whether that is the kind that authenticates its owner.
pub(in crate::crypto) fn judge(certificate: &Certificate<'_>) -> Result<bool, Refusal> {
    match (certificate.static_keys.is_empty(), certificate.ephemeral_groups.is_empty()) {
        (false, true) => Ok(true),
        (true, false) => Ok(false),
        _ => Err(Refusal::KeyKind),
    }
}

impl Near<'_> {
    /// Whether we accept a group and can key in it.
    fn has(self, group: Group) -> bool {
        self.terms.groups.contains(&group)
            && (self.static_keys.is_empty() || self.static_keys.iter().any(|key| key.group() == group))
    }

    /// The accepted group of this number.
    fn group(self, id: u64) -> Result<Group, Refusal> {
        Group::from_id(id).filter(|group| self.has(*group)).ok_or(Refusal::NoCommonGroup)
    }

    fn key(self, rng: &mut Rng, group: Group) -> PrivateKey {
        match self.static_keys.iter().find(|key| key.group() == group) {
            Some(key) => key.clone(),
            None => PrivateKey::generate(rng, group),
        }
    }

    fn contribution<'k>(self, key: &'k PrivateKey, random: &'k [u8; 64]) -> Contribution<'k> {
        if self.static_keys.is_empty() {
            Contribution::Key(key.group(), key.public())
        } else {
            Contribution::Random(random)
        }
    }
}

/// A far end's static public key in `group`; `None` if its certificate is ephemeral. Of several the first counts.
fn static_key<'a>(certificate: &Certificate<'a>, group: Group) -> Result<Option<&'a [u8]>, Refusal> {
    if certificate.static_keys.is_empty() {
        let listed = certificate.ephemeral_groups.contains(&u64::from(group.id()));
        return if listed { Ok(None) } else { Err(Refusal::NoCommonGroup) };
    }
    let key = certificate.static_keys.iter().find(|(id, _)| *id == u64::from(group.id()));
    key.map(|(_, public)| Some(*public)).ok_or(Refusal::NoCommonGroup)
}

/// An initiator's attempt.
pub(in crate::crypto) struct FlashInitiation {
    /// Taken when the attempt is over.
    key: Option<PrivateKey>,
    group: Group,
    /// The responder's static key, or `None` if it sends an ephemeral one.
    responder_key: Option<Vec<u8>>,
    skic: Vec<u8>,
    terms: Terms,
}

impl FlashInitiation {
    /// An attempt towards the owner of a certificate that was judged.
    pub(in crate::crypto) fn new(rng: &mut Rng, near: Near<'_>, responder: &Certificate<'_>) -> Result<Self, Refusal> {
        let group = Self::group(near, responder)?;
        let key = near.key(rng, group);
        Self::with_key(near, responder, key, &rng.bytes())
    }

    /// The most wanted group that both ends can use.
    fn group(near: Near<'_>, responder: &Certificate<'_>) -> Result<Group, Refusal> {
        let wanted = near.terms.groups.iter().copied().filter(|group| near.has(*group));
        wanted.into_iter().find(|group| static_key(responder, *group).is_ok()).ok_or(Refusal::NoCommonGroup)
    }

    pub(super) fn with_key(
        near: Near<'_>,
        responder: &Certificate<'_>,
        key: PrivateKey,
        random: &[u8; 64],
    ) -> Result<Self, Refusal> {
        let group = key.group();
        let responder_key = static_key(responder, group)?;
        responder_key.map_or(Ok(()), |public| group.check_public(public))?;
        Ok(Self {
            skic: encode_initiator(group, &near.contribution(&key, random), near.terms),
            responder_key: responder_key.map(<[u8]>::to_vec),
            key: Some(key),
            group,
            terms: near.terms.clone(),
        })
    }
}

impl Initiation for FlashInitiation {
    fn skic(&self) -> &[u8] {
        &self.skic
    }

    fn sign(&self, _isp: &[u8]) -> Vec<u8> {
        NO_SIGNATURE.to_vec()
    }

    fn complete(&mut self, _isps: &[&[u8]], rikeying: &RIKeying<'_>) -> Result<SessionKeys, Refusal> {
        let key = self.key.as_ref().ok_or(Refusal::Over)?;
        if rikeying.responder_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        let far = Component::parse(rikeying.skrc)?;
        let public = match (&self.responder_key, far.key) {
            (Some(public), _) => public.as_slice(),
            (None, Some((group, public))) if group == u64::from(self.group.id()) => public,
            (None, Some(_)) => return Err(Refusal::NoCommonGroup),
            (None, None) => return Err(Refusal::MalformedComponent),
        };
        let secret = key.agree(public)?;
        let keys = session_keys(&self.terms, far.terms, &secret, &self.skic, rikeying.skrc)?;
        self.key = None;
        Ok(keys)
    }
}

impl Debug for FlashInitiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashInitiation").field("over", &self.key.is_none()).finish_non_exhaustive()
    }
}

/// Whether an IIKeying's component can be answered, as far as that can be told by reading it: the group and public key that
/// would be used. Its signature field says nothing in this profile.
pub(in crate::crypto) fn screen<'a>(
    near: Near<'_>,
    initiator: &Certificate<'a>,
    skic: &'a [u8],
) -> Result<(Group, &'a [u8]), Refusal> {
    let component = Component::parse(skic)?;
    near.terms.settle(component.terms)?;
    let (group, public) = if judge(initiator)? {
        let group = near.group(component.group.ok_or(Refusal::MalformedComponent)?)?;
        (group, static_key(initiator, group)?.ok_or(Refusal::KeyKind)?)
    } else {
        let (id, public) = component.key.ok_or(Refusal::MalformedComponent)?;
        (near.group(id)?, public)
    };
    group.check_public(public)?;
    Ok((group, public))
}

/// Answers an IIKeying that was screened.
pub(in crate::crypto) fn respond(
    rng: &mut Rng,
    near: Near<'_>,
    keying: &IIKeying<'_>,
    group: Group,
    public: &[u8],
) -> Result<Response, Refusal> {
    let key = near.key(rng, group);
    respond_with(near, &key, &rng.bytes(), keying.skic, public)
}

pub(super) fn respond_with(
    near: Near<'_>,
    key: &PrivateKey,
    random: &[u8; 64],
    skic: &[u8],
    initiator_public: &[u8],
) -> Result<Response, Refusal> {
    let far = Component::parse(skic)?;
    let skrc = encode_responder(&near.contribution(key, random), near.terms);
    let secret = key.agree(initiator_public)?;
    let keys = session_keys(near.terms, far.terms, &secret, &skrc, skic)?;
    Ok(Response { skrc, signature: NO_SIGNATURE.to_vec(), keys })
}

fn session_keys(
    terms: &Terms,
    far: FarTerms,
    secret: &Zeroizing<Vec<u8>>,
    near_component: &[u8],
    far_component: &[u8],
) -> Result<SessionKeys, Refusal> {
    let protection = terms.settle(far)?;
    let derived = Derived::new(secret, near_component, far_component);
    Ok(SessionKeys {
        sealer: Box::new(CbcSealer::new(
            derived.encrypt_key(),
            protection.send_hmac.map(|len| (&derived.send_hmac, len)),
            protection.sequence.send,
        )),
        opener: Box::new(CbcOpener::new(
            derived.decrypt_key(),
            protection.check_hmac.map(|len| (&derived.receive_hmac, len)),
            protection.sequence.check.then_some(terms.window),
        )),
        near_nonce: derived.near_nonce,
        far_nonce: derived.far_nonce,
        kind: ProfileKind::Flash,
    })
}
