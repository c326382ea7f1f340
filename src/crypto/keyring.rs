//! The profile of a real endpoint: an identity, and what it accepts. A far certificate with our option means `strong`, in
//! both roles, always; only a certificate without it may mean `flash`, and only when the policy says so.

use crate::base::{PeerId, Rng, SessionId};
use crate::wire::IIKeying;

use super::certificate::{Certificate, fingerprint};
use super::epd::{self, Epd};
use super::flash;
use super::group::Group;
use super::identity::Identity;
use super::profile::{FarIdentity, Initiation, Profile, ProfileKind, Refusal, Response};
use super::strong;

/// Bytes of HMAC that we send in profile `flash`.
const HMAC_LEN: u8 = 16;

/// What an endpoint accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Talk in profile `flash` to peers whose certificate is not p2pt's.
    pub flash: bool,
    /// Groups for profile `flash`, most wanted first.
    pub flash_groups: Vec<Group>,
    /// Fewest bytes of HMAC on the packets of profile `flash` that we accept.
    pub flash_hmac_min: u8,
    /// Packet numbers that are remembered against replay.
    pub window: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { flash: false, flash_groups: vec![Group::Modp4096, Group::Modp2048], flash_hmac_min: 16, window: 4096 }
    }
}

/// An identity and a policy.
#[derive(Debug)]
pub struct Keyring {
    identity: Identity,
    /// For profile `flash`, if that is on.
    flash: Option<flash::Terms>,
    window: u32,
}

impl Keyring {
    /// The profile of `identity` under `policy`.
    #[must_use]
    pub fn new(identity: Identity, policy: Policy) -> Self {
        let both = flash::Want { always: true, require: true };
        let terms = flash::Terms {
            groups: policy.flash_groups,
            hmac: both,
            hmac_len: HMAC_LEN,
            hmac_min: policy.flash_hmac_min,
            sequence: both,
            window: policy.window,
        };
        Self { identity, flash: policy.flash.then_some(terms), window: policy.window }
    }

    /// The identity.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn judge<'a>(&self, certificate: &'a [u8]) -> Result<(Certificate<'a>, FarIdentity), Refusal> {
        let read = Certificate::parse(certificate)?;
        let peer_id = fingerprint(certificate);
        if peer_id == self.identity.peer_id() {
            return Err(Refusal::OwnIdentity);
        }
        if read.strong.is_some() {
            return Ok((read, FarIdentity { peer_id, kind: ProfileKind::Strong, authenticated: true }));
        }
        if self.flash.is_none() {
            return Err(Refusal::FlashNotAllowed);
        }
        let authenticated = flash::judge(&read)?;
        Ok((read, FarIdentity { peer_id, kind: ProfileKind::Flash, authenticated }))
    }

    fn flash(&self) -> Result<flash::Near<'_>, Refusal> {
        let terms = self.flash.as_ref().ok_or(Refusal::FlashNotAllowed)?;
        Ok(flash::Near { static_keys: self.identity.flash_keys(), terms })
    }

    /// What can be told of an IIKeying by reading it, and what keying will need of that.
    fn read<'a>(&self, keying: &IIKeying<'a>) -> Result<(FarIdentity, FarKey<'a>), Refusal> {
        if keying.initiator_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        let (read, far) = self.judge(keying.certificate)?;
        let key = match read.strong {
            Some(key) => {
                strong::screen(keying.skic, keying.signature)?;
                FarKey::Strong(key)
            }
            None => {
                let (group, public) = flash::screen(self.flash()?, &read, keying.skic)?;
                FarKey::Flash(group, public)
            }
        };
        Ok((far, key))
    }
}

/// An initiator's key that was not proven yet.
enum FarKey<'a> {
    /// Ed25519.
    Strong([u8; 32]),
    /// Diffie–Hellman.
    Flash(Group, &'a [u8]),
}

impl Profile for Keyring {
    fn certificate(&self) -> &[u8] {
        self.identity.certificate()
    }

    fn peer_id(&self) -> PeerId {
        self.identity.peer_id()
    }

    fn selects_near(&self, epd: &[u8]) -> bool {
        epd::selects(epd, self.certificate())
    }

    fn selects(&self, epd: &[u8], certificate: &[u8]) -> bool {
        let named = Epd::parse(epd).is_some_and(|epd| epd.fingerprint.is_some());
        epd::selects(epd, certificate)
            && (!named || Certificate::parse(certificate).is_ok_and(|read| read.proves_itself()))
    }

    fn examine(&self, certificate: &[u8]) -> Result<FarIdentity, Refusal> {
        self.judge(certificate).map(|(_, far)| far)
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.certificate() <= far_certificate
    }

    fn initiate(&self, rng: &mut Rng, responder_certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal> {
        let (read, _) = self.judge(responder_certificate)?;
        match read.strong {
            Some(responder_key) => Ok(Box::new(strong::StrongInitiation::new(
                rng,
                self.identity.sign_key(),
                responder_certificate,
                responder_key,
                self.window,
            ))),
            None => Ok(Box::new(flash::FlashInitiation::new(rng, self.flash()?, &read)?)),
        }
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        self.read(keying).map(|(far, _)| far)
    }

    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        responder_session_id: SessionId,
    ) -> Result<Response, Refusal> {
        match self.read(keying)?.1 {
            FarKey::Strong(initiator_key) => {
                let near = strong::Responder {
                    sign_key: self.identity.sign_key(),
                    certificate: self.certificate(),
                    session_id: responder_session_id,
                    window: self.window,
                };
                strong::respond(rng, near, keying, &initiator_key)
            }
            FarKey::Flash(group, public) => flash::respond(rng, self.flash()?, keying, group, public),
        }
    }
}
