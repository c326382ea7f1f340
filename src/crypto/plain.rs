//! Profile `plain`: numbers packets and tells sessions apart, hides and proves nothing. It exists so that a simulation of
//! thousands of peers spends its time on the protocol; only simulations and tests construct it, and `runtime` refuses it.

use std::fmt::Debug;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::base::{PeerId, Rng, SessionId};
use crate::wire::{IIKeying, RIKeying};

use super::certificate;
use super::epd;
use super::packet::{OpenError, Opened, Opener, Sealer, scramble};
use super::profile::{FarIdentity, Initiation, Profile, ProfileKind, Refusal, Response, SessionKeys};
use super::window::Window;

/// Session ID and number.
const HEAD: usize = 4 + 6;
/// What stands in place of an authenticator: the same for every packet of a direction.
const TAG: usize = 16;
const NUMBERS: u64 = 1 << 48;
const COMPONENT: usize = 32;

/// An identity of profile `plain`. No secrecy and no authentication; for simulations only.
#[derive(Debug, Clone)]
pub struct Plain {
    certificate: Vec<u8>,
    peer_id: PeerId,
    window: u32,
}

impl Plain {
    /// A new identity, selectable by ancillary data if `server`.
    #[must_use]
    pub fn new(rng: &mut Rng, server: bool) -> Self {
        let mut certificate = if server { vec![0x01, 0x0a] } else { Vec::new() };
        certificate.extend_from_slice(&[0x21, 0x0e]);
        certificate.extend_from_slice(&rng.bytes::<32>());
        let peer_id = certificate::fingerprint(&certificate);
        Self { certificate, peer_id, window: 4096 }
    }
}

impl Profile for Plain {
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
        if !(34..=36).contains(&certificate.len()) {
            return Err(Refusal::CertificateSize);
        }
        if certificate == self.certificate {
            return Err(Refusal::OwnIdentity);
        }
        let peer_id = certificate::fingerprint(certificate);
        Ok(FarIdentity { peer_id, kind: ProfileKind::Plain, authenticated: true })
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.certificate.as_slice() <= far_certificate
    }

    fn initiate(&self, rng: &mut Rng, responder_certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal> {
        self.examine(responder_certificate)?;
        Ok(Box::new(PlainInitiation {
            skic: rng.bytes(),
            responder_certificate: responder_certificate.to_vec(),
            window: self.window,
        }))
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        if keying.initiator_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        if keying.skic.len() != COMPONENT {
            return Err(Refusal::ComponentSize);
        }
        if *keying.signature != digest("plain initiator", &[keying.signed()]) {
            return Err(Refusal::BadSignature);
        }
        self.examine(keying.certificate)
    }

    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        responder_session_id: SessionId,
    ) -> Result<Response, Refusal> {
        self.screen(keying)?;
        let skrc: [u8; COMPONENT] = rng.bytes();
        let rsp = RIKeying::signed_parameters(responder_session_id, &skrc);
        let secret = digest("plain secret", &[&self.certificate, keying.signed(), &rsp]);
        Ok(Response {
            skrc: skrc.to_vec(),
            signature: digest("plain responder", &[&secret]).to_vec(),
            keys: keys(&secret, false, self.window),
        })
    }
}

#[derive(Debug)]
struct PlainInitiation {
    skic: [u8; COMPONENT],
    responder_certificate: Vec<u8>,
    window: u32,
}

impl Initiation for PlainInitiation {
    fn skic(&self) -> &[u8] {
        &self.skic
    }

    fn sign(&self, isp: &[u8]) -> Vec<u8> {
        digest("plain initiator", &[isp]).to_vec()
    }

    fn complete(&mut self, isps: &[&[u8]], rikeying: &RIKeying<'_>) -> Result<SessionKeys, Refusal> {
        if rikeying.responder_session_id == SessionId::STARTUP {
            return Err(Refusal::ZeroSessionId);
        }
        isps.iter()
            .map(|isp| digest("plain secret", &[&self.responder_certificate, isp, rikeying.signed()]))
            .find(|secret| *rikeying.signature == digest("plain responder", &[secret]))
            .map(|secret| keys(&secret, true, self.window))
            .ok_or(Refusal::BadSignature)
    }
}

fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(label);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn keys(secret: &[u8; 32], initiator: bool, window: u32) -> SessionKeys {
    let [i2r, r2i] = ["i2r", "r2i"].map(|way| digest(way, &[secret]));
    let (near, far) = if initiator { (i2r, r2i) } else { (r2i, i2r) };
    let tag = |way: &[u8; 32]| *way.first_chunk().expect("a digest is longer than a tag");
    SessionKeys {
        sealer: Box::new(PlainSealer { tag: tag(&near), next: 0 }),
        opener: Box::new(PlainOpener { tag: tag(&far), window: Window::new(window) }),
        near_nonce: digest("nonce", &[&near]),
        far_nonce: digest("nonce", &[&far]),
        kind: ProfileKind::Plain,
    }
}

#[derive(Debug)]
struct PlainSealer {
    tag: [u8; TAG],
    next: u64,
}

impl Sealer for PlainSealer {
    fn head(&self) -> usize {
        HEAD
    }

    fn max_plain(&self, datagram: usize) -> usize {
        datagram.saturating_sub(HEAD + TAG)
    }

    fn sealed_len(&self, plain: usize) -> usize {
        HEAD + plain + TAG
    }

    fn max_batch(&self) -> usize {
        usize::try_from(NUMBERS - 1 - self.next).unwrap_or(usize::MAX)
    }

    fn seal_batch(&mut self, id: SessionId, buf: &mut [u8], packets: &[Range<usize>]) {
        for packet in packets {
            let datagram = &mut buf[packet.start - HEAD..packet.end + TAG];
            datagram[4..HEAD].copy_from_slice(&self.next.to_be_bytes()[2..]);
            let tag = datagram.len() - TAG;
            datagram[tag..].copy_from_slice(&self.tag);
            scramble(id, datagram);
            self.next += 1;
        }
    }
}

#[derive(Debug)]
struct PlainOpener {
    tag: [u8; TAG],
    window: Window,
}

impl Opener for PlainOpener {
    fn open_batch(&mut self, _id: SessionId, data: &mut [u8], segment: usize, out: &mut Vec<Opened>) {
        let mut at = 0;
        for datagram in data.chunks(segment.max(1)) {
            out.push(self.open(at, datagram));
            at += datagram.len();
        }
    }
}

impl PlainOpener {
    fn open(&mut self, at: usize, datagram: &[u8]) -> Opened {
        if datagram.len() < HEAD + TAG + 1 {
            return Opened::failed(at, None, OpenError::TooShort);
        }
        let mut number = [0; 8];
        number[2..].copy_from_slice(&datagram[4..HEAD]);
        let number = u64::from_be_bytes(number);
        let tag = datagram.len() - TAG;
        let checked = self
            .window
            .check(number)
            .and_then(|()| if datagram[tag..] == self.tag { Ok(()) } else { Err(OpenError::NotAuthentic) });
        match checked {
            Ok(()) => {
                let newest = self.window.mark(number);
                Opened { plain: at + HEAD..at + tag, number: Some(number), newest, result: Ok(()) }
            }
            Err(error) => Opened::failed(at, Some(number), error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ends_key_each_other_and_refuse_what_came_before() {
        let mut rng = Rng::for_simulation(1);
        let near = Plain::new(&mut rng, false);
        let far = Plain::new(&mut rng, true);
        assert!(far.selects_near(&epd::ancillary("rtmfp:")) && !near.selects_near(&epd::ancillary("rtmfp:")));
        assert!(near.selects(&epd::fingerprint(far.peer_id()), far.certificate()));
        assert_ne!(near.near_prevails(far.certificate()), far.near_prevails(near.certificate()));
        let mut initiation = near.initiate(&mut rng, far.certificate()).unwrap();
        let isp = IIKeying::signed_parameters(SessionId(5), b"cookie", near.certificate(), initiation.skic());
        let signature = initiation.sign(&isp);
        let iikeying = IIKeying::new(&isp, &signature).unwrap();
        assert_eq!(far.screen(&iikeying).unwrap().peer_id, near.peer_id());
        let mut response = far.respond(&mut rng, &iikeying, SessionId(6)).unwrap();
        let rsp = RIKeying::signed_parameters(SessionId(6), &response.skrc);
        let rikeying = RIKeying::new(&rsp, &response.signature).unwrap();
        assert_eq!(initiation.complete(&[b"other"], &rikeying).err(), Some(Refusal::BadSignature));
        let mut keys = initiation.complete(&[b"other", &isp], &rikeying).unwrap();
        assert_eq!((keys.near_nonce, keys.far_nonce), (response.keys.far_nonce, response.keys.near_nonce));

        let mut data = keys.sealer.seal(SessionId(6), b"hello");
        assert_eq!(super::super::session_id_of(&data), Some(SessionId(6)));
        let mut opened = Vec::new();
        let segment = data.len();
        data.extend_from_within(..);
        response.keys.opener.open_batch(SessionId(6), &mut data, segment, &mut opened);
        assert_eq!(&data[opened[0].plain.clone()], b"hello");
        assert!(opened[0].newest && opened[0].number == Some(0));
        assert_eq!(opened[1].result, Err(OpenError::Replayed));
        opened.clear();
        response.keys.sealer.seal(SessionId(5), b"lost");
        let mut data = response.keys.sealer.seal(SessionId(5), b"back");
        response.keys.opener.open_batch(SessionId(6), &mut data, 64, &mut opened);
        assert_eq!(opened[0].result, Err(OpenError::NotAuthentic));
        keys.opener.open_batch(SessionId(5), &mut data, 64, &mut opened);
        assert_eq!(opened[1].result, Ok(()));
    }
}
