//! Who the near end is: a certificate and the secrets that prove it.

use std::fmt::{self, Debug};

use zeroize::Zeroizing;

use crate::base::{PeerId, Rng};
use crate::wire::{OptionIter, WireOption, put_option};

use super::certificate::{
    ACCEPTS_ANCILLARY, Certificate, EPHEMERAL_GROUP, HOSTNAME, STATIC_KEY, STRONG_IDENTITY, STRONG_MARK,
    STRONG_VERSION, fingerprint,
};
use super::group::{Group, PrivateKey};
use super::profile::Refusal;
use super::sign::SignKey;

/// How a file of [`Identity::to_bytes`] begins.
const MAGIC: &[u8] = b"p2pt identity 1\n";
/// Options after it.
const CERTIFICATE: u64 = 1;
const SIGN_SEED: u64 = 2;
const FLASH_KEY: u64 = 3;

/// The group of an identity's static key for profile `flash`.
const FLASH_GROUP: Group = Group::Modp2048;

/// What kind of identity to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityKind {
    /// A server: selected by an IHello that names no peer, only a URI.
    pub server: bool,
    /// Its certificate has a static key for profile `flash` too, so that RTMFP peers of other makes can tell it by its
    /// peer ID. 254 bytes more.
    pub flash: bool,
}

/// An identity: certificate, peer ID and secrets. The secrets are erased when it is dropped and never shown by `Debug`.
#[derive(Clone)]
pub struct Identity {
    certificate: Vec<u8>,
    peer_id: PeerId,
    sign_key: SignKey,
    flash_key: Option<PrivateKey>,
}

/// Why bytes are no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// They do not begin like one.
    #[error("not a p2pt identity")]
    NotAnIdentity,
    /// They begin like one, but something is missing or wrong.
    #[error("damaged p2pt identity")]
    Damaged,
    /// The secrets are not those of the certificate.
    #[error("p2pt identity whose secrets do not fit its certificate")]
    Mismatch,
}

/// A host name that cannot stand in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host name has 1 to 255 bytes, without control characters")]
pub struct HostnameError;

impl Identity {
    /// A new identity.
    #[must_use]
    pub fn generate(rng: &mut Rng, kind: IdentityKind) -> Self {
        let sign_key = SignKey::generate(rng);
        let flash_key = kind.flash.then(|| PrivateKey::generate(rng, FLASH_GROUP));
        Self::new(sign_key, flash_key, kind.server)
    }

    pub(super) fn new(sign_key: SignKey, flash_key: Option<PrivateKey>, server: bool) -> Self {
        let mut certificate = Vec::new();
        if server {
            put_option(&mut certificate, ACCEPTS_ANCILLARY, &[]);
        }
        let strong = [&STRONG_MARK[..], &[STRONG_VERSION], &sign_key.public()].concat();
        put_option(&mut certificate, STRONG_IDENTITY, &strong);
        match &flash_key {
            Some(key) => put_option(&mut certificate, STATIC_KEY, &[&[key.group().id()], key.public()].concat()),
            None => [Group::Modp4096, Group::Modp2048]
                .iter()
                .for_each(|group| put_option(&mut certificate, EPHEMERAL_GROUP, &[group.id()])),
        }
        Self { peer_id: fingerprint(&certificate), certificate, sign_key, flash_key }
    }

    /// The same secrets under a certificate that also has a host name, by which RTMFP peers of other makes may select it
    /// (RFC 7425 section 4.3.3). It has another peer ID, always the same one for the same name.
    ///
    /// # Errors
    /// The name is empty or too long, or the certificate has one already.
    pub fn with_hostname(&self, name: &str) -> Result<Self, HostnameError> {
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(HostnameError);
        }
        let mut certificate = Vec::new();
        put_option(&mut certificate, HOSTNAME, name.as_bytes());
        certificate.extend_from_slice(&self.certificate);
        let had_none = Certificate::parse(&self.certificate).is_ok_and(|read| read.hostname.is_none());
        // Read anew, so that whoever meets it will find a sound certificate of profile `strong`.
        let sound = Certificate::parse(&certificate).is_ok_and(|read| read.strong == Some(self.sign_key.public()));
        if !had_none || !sound {
            return Err(HostnameError);
        }
        Ok(Self { peer_id: fingerprint(&certificate), certificate, ..self.clone() })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate's fingerprint.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// The key that signs for this identity, in the handshake and in groups.
    #[must_use]
    pub fn sign_key(&self) -> &SignKey {
        &self.sign_key
    }

    /// The static key for profile `flash`, if there is one.
    pub(super) fn flash_keys(&self) -> &[PrivateKey] {
        self.flash_key.as_slice()
    }

    /// Everything, secrets included, for the identity file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Grown once, so that no copy of a secret stays behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAGIC.len() + self.certificate.len() + 128));
        bytes.extend_from_slice(MAGIC);
        put_option(&mut bytes, CERTIFICATE, &self.certificate);
        put_option(&mut bytes, SIGN_SEED, self.sign_key.seed());
        if let Some(key) = &self.flash_key {
            put_option(&mut bytes, FLASH_KEY, key.exponent());
        }
        bytes
    }

    /// Reads what [`Identity::to_bytes`] wrote.
    ///
    /// # Errors
    /// If it is anything else, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let options = bytes.strip_prefix(MAGIC).ok_or(IdentityError::NotAnIdentity)?;
        let (mut certificate, mut seed, mut flash) = (None, None, None);
        for option in OptionIter(options) {
            match option.map_err(|_| IdentityError::Damaged)? {
                WireOption::Option { kind: CERTIFICATE, value } => certificate = Some(value),
                WireOption::Option { kind: SIGN_SEED, value } => seed = Some(value),
                WireOption::Option { kind: FLASH_KEY, value } => flash = Some(value),
                WireOption::Option { .. } | WireOption::Marker => return Err(IdentityError::Damaged),
            }
        }
        let certificate = certificate.ok_or(IdentityError::Damaged)?;
        let seed = seed.and_then(|seed| seed.try_into().ok()).ok_or(IdentityError::Damaged)?;
        let sign_key = SignKey::from_seed(seed);
        let flash_key = flash
            .map(|exponent| PrivateKey::from_exponent(FLASH_GROUP, exponent).ok_or(IdentityError::Damaged))
            .transpose()?;
        let read = Certificate::parse(certificate).map_err(|_: Refusal| IdentityError::Damaged)?;
        let fits = read.strong == Some(sign_key.public())
            && match &flash_key {
                Some(key) => read.static_keys == [(u64::from(key.group().id()), key.public())],
                None => read.static_keys.is_empty(),
            };
        if !fits {
            return Err(IdentityError::Mismatch);
        }
        Ok(Self { certificate: certificate.to_vec(), peer_id: fingerprint(certificate), sign_key, flash_key })
    }
}

impl Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.peer_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_have_the_sizes_that_the_design_counts_on() {
        let mut rng = Rng::for_simulation(1);
        for (server, flash, len) in [(false, false, 50), (true, false, 52), (false, true, 304)] {
            let mut identity = Identity::generate(&mut rng, IdentityKind { server, flash });
            // A public key in 256 begins with a zero byte, which is not written.
            while identity.flash_key.as_ref().is_some_and(|key| key.public().len() != 256) {
                identity = Identity::generate(&mut rng, IdentityKind { server, flash });
            }
            assert_eq!(identity.certificate().len(), len);
        }
    }

    #[test]
    fn a_host_name_stands_in_a_sound_certificate_of_its_own() {
        let mut rng = Rng::for_simulation(3);
        let identity = Identity::generate(&mut rng, IdentityKind { server: true, flash: false });
        let named = identity.with_hostname("redirector.example").unwrap();
        let read = Certificate::parse(named.certificate()).unwrap();
        assert_eq!((read.hostname, read.accepts_ancillary), (Some(&b"redirector.example"[..]), true));
        assert_eq!(read.strong, Some(identity.sign_key().public()));
        assert_ne!(named.peer_id(), identity.peer_id());
        assert_eq!(named.peer_id(), identity.with_hostname("redirector.example").unwrap().peer_id());
        assert_eq!(Identity::from_bytes(&named.to_bytes()).unwrap().peer_id(), named.peer_id());
        let wrong = ["", "a\n", &"n".repeat(256)];
        assert!(wrong.iter().all(|name| identity.with_hostname(name).is_err()));
        assert!(named.with_hostname("again").is_err());
    }

    #[test]
    fn an_identity_outlives_the_process() {
        let mut rng = Rng::for_simulation(2);
        for (server, flash) in [(false, false), (true, true)] {
            let identity = Identity::generate(&mut rng, IdentityKind { server, flash });
            let bytes = identity.to_bytes();
            let read = Identity::from_bytes(&bytes).unwrap();
            assert_eq!(read.certificate(), identity.certificate());
            let named = (identity.peer_id(), identity.sign_key().public());
            assert_eq!(crate::crypto::signer(identity.certificate()), Some(named));
            assert_eq!(read.to_bytes(), bytes);
            for len in 0..bytes.len() {
                assert!(Identity::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
            }
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1;
                if let Ok(read) = Identity::from_bytes(&damaged) {
                    assert_ne!(read.peer_id(), identity.peer_id(), "byte {at}");
                }
            }
            assert!(!format!("{identity:?} {:?}", identity.sign_key()).contains(&crate::base::to_hex(&bytes[80..96])));
        }
        assert_eq!(Identity::from_bytes(b"p2pt").err(), Some(IdentityError::NotAnIdentity));
    }
}
