//! The profile of a real endpoint: an identity, and what it accepts. A far certificate with our option means `strong`, in
//! both roles, always; only a certificate without it may mean `flash`, and only when the policy says so.

use crate::base::{PeerId, Rng, SessionId};
use crate::wire::IIKeying;

use super::certificate::{Certificate, fingerprint};
use super::epd::{self, Epd};
use super::identity::Identity;
use super::profile::{FarIdentity, Initiation, Profile, ProfileKind, Refusal, Response};
use super::strong;

/// What an endpoint accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Talk in profile `flash` to peers whose certificate is not p2pt's.
    pub flash: bool,
    /// Packet numbers that are remembered against replay.
    pub window: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { flash: false, window: 4096 }
    }
}

/// An identity and a policy.
#[derive(Debug)]
pub struct Keyring {
    identity: Identity,
    policy: Policy,
}

impl Keyring {
    /// The profile of `identity` under `policy`.
    #[must_use]
    pub fn new(identity: Identity, policy: Policy) -> Self {
        Self { identity, policy }
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
        Err(Refusal::FlashNotAllowed)
    }
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
                self.policy.window,
            ))),
            None => Err(Refusal::FlashNotAllowed),
        }
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        self.screen_read(keying).map(|(_, far)| far)
    }

    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        responder_session_id: SessionId,
    ) -> Result<Response, Refusal> {
        let (read, _) = self.screen_read(keying)?;
        match read.strong {
            Some(initiator_key) => strong::respond(
                rng,
                strong::Responder {
                    sign_key: self.identity.sign_key(),
                    certificate: self.certificate(),
                    session_id: responder_session_id,
                    window: self.policy.window,
                },
                keying,
                &initiator_key,
            ),
            None => Err(Refusal::FlashNotAllowed),
        }
    }
}

impl Keyring {
    fn screen_read<'a>(&self, keying: &IIKeying<'a>) -> Result<(Certificate<'a>, FarIdentity), Refusal> {
        if keying.initiator_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        let (read, far) = self.judge(keying.certificate)?;
        match far.kind {
            ProfileKind::Strong => strong::screen(keying.skic, keying.signature)?,
            ProfileKind::Flash | ProfileKind::Plain => return Err(Refusal::FlashNotAllowed),
        }
        Ok((read, far))
    }
}
