//! An endpoint that knows nothing but RFC 7425, like RTMFP peers of other makes.

use crate::base::{PeerId, Rng, SessionId};
use crate::crypto::certificate::{
    ACCEPTS_ANCILLARY, Certificate, EPHEMERAL_GROUP, EXTRA_RANDOMNESS, STATIC_KEY, fingerprint,
};
use crate::crypto::epd;
use crate::crypto::group::{Group, PrivateKey};
use crate::crypto::profile::{FarIdentity, Initiation, Profile, ProfileKind, Refusal, Response};
use crate::wire::{IIKeying, put_option};

use super::keying::{FlashInitiation, Near, judge, respond, screen};
use super::terms::{Terms, Want};

/// A peer as other makes are: profile `flash` with everybody, p2pt's own option in a certificate ignored. It stands for them
/// in simulations and tests; a real endpoint is a [`Keyring`](crate::crypto::Keyring).
#[derive(Debug)]
pub struct FlashPeer {
    certificate: Vec<u8>,
    peer_id: PeerId,
    static_keys: Vec<PrivateKey>,
    terms: Terms,
}

impl FlashPeer {
    /// A peer like a client of rtmfp-cpp: a static key in group 14, HMAC and sequence numbers required.
    #[must_use]
    pub fn client(rng: &mut Rng) -> Self {
        let key = PrivateKey::generate(rng, Group::Modp2048);
        let mut certificate = Vec::new();
        put_option(&mut certificate, STATIC_KEY, &[&[key.group().id()], key.public()].concat());
        Self::new(certificate, vec![key])
    }

    /// A peer like a server of rtmfp-cpp: ephemeral keys in group 14, selected by ancillary data.
    #[must_use]
    pub fn server(rng: &mut Rng) -> Self {
        let mut certificate = Vec::new();
        put_option(&mut certificate, ACCEPTS_ANCILLARY, &[]);
        put_option(&mut certificate, EPHEMERAL_GROUP, &[Group::Modp2048.id()]);
        put_option(&mut certificate, EXTRA_RANDOMNESS, &rng.bytes::<64>());
        Self::new(certificate, Vec::new())
    }

    fn new(certificate: Vec<u8>, static_keys: Vec<PrivateKey>) -> Self {
        let both = Want { always: true, require: true };
        let terms =
            Terms { groups: vec![Group::Modp2048], hmac: both, hmac_len: 16, hmac_min: 4, sequence: both, window: 32 };
        Self { peer_id: fingerprint(&certificate), certificate, static_keys, terms }
    }

    fn near(&self) -> Near<'_> {
        Near { static_keys: &self.static_keys, terms: &self.terms }
    }
}

impl Profile for FlashPeer {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    fn selects_near(&self, epd: &[u8]) -> bool {
        epd::selects(epd, &self.certificate)
    }

    fn selects(&self, epd: &[u8], certificate: &[u8]) -> bool {
        epd::selects(epd, certificate)
    }

    fn examine(&self, certificate: &[u8]) -> Result<FarIdentity, Refusal> {
        let authenticated = judge(&Certificate::parse(certificate)?)?;
        let peer_id = fingerprint(certificate);
        if peer_id == self.peer_id {
            return Err(Refusal::OwnIdentity);
        }
        Ok(FarIdentity { peer_id, kind: ProfileKind::Flash, authenticated })
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.certificate() <= far_certificate
    }

    fn initiate(&self, rng: &mut Rng, responder_certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal> {
        self.examine(responder_certificate)?;
        let responder = Certificate::parse(responder_certificate)?;
        Ok(Box::new(FlashInitiation::new(rng, self.near(), &responder)?))
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        if keying.initiator_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        let far = self.examine(keying.certificate)?;
        screen(self.near(), &Certificate::parse(keying.certificate)?, keying.skic)?;
        Ok(far)
    }

    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        _responder_session_id: SessionId,
    ) -> Result<Response, Refusal> {
        self.screen(keying)?;
        let initiator = Certificate::parse(keying.certificate)?;
        let (group, public) = screen(self.near(), &initiator, keying.skic)?;
        respond(rng, self.near(), keying, group, public)
    }
}
