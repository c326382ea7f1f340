//! Certificates (RFC 7425 section 4.3): a list of options, whose hash is the peer ID.

use sha2::{Digest as _, Sha256};

use crate::base::PeerId;
use crate::wire::{OptionIter, WireOption};

use super::profile::Refusal;
use super::sign;

/// Longest certificate that is looked at.
pub(super) const MAX_LEN: usize = 4096;
/// Longest certificate of profile `strong`.
pub(super) const MAX_STRONG_LEN: usize = 512;

/// Option: the host name of a server.
pub(super) const HOSTNAME: u64 = 0x00;
/// Option: a server, which can be selected by ancillary data. No value.
pub(super) const ACCEPTS_ANCILLARY: u64 = 0x0a;
/// Option: bytes that make the certificate differ from others.
pub(super) const EXTRA_RANDOMNESS: u64 = 0x0e;
/// Option: a Diffie–Hellman group, as a VLU, in which its owner sends an ephemeral key at keying.
pub(super) const EPHEMERAL_GROUP: u64 = 0x15;
/// Option: a Diffie–Hellman group, as a VLU, and its owner's public key in it.
pub(super) const STATIC_KEY: u64 = 0x1d;
/// Option of profile `strong`: mark, version, Ed25519 key.
pub(super) const STRONG_IDENTITY: u64 = 0x2358;

/// What tells our options from any other use of their numbers: the start of SHA-256("p2pt/strong").
pub(super) const STRONG_MARK: [u8; 8] = [0x38, 0x37, 0xf5, 0x7e, 0x19, 0xc7, 0xde, 0x0d];
/// The version of [`STRONG_IDENTITY`].
pub(super) const STRONG_VERSION: u8 = 0x01;

/// The fingerprint of a certificate (RFC 7425 section 4.3.2): of its canonical section, which a Marker ends. The Marker
/// is hashed too, as rtmfp-cpp does.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> PeerId {
    PeerId(Sha256::digest(canonical_section(certificate)).into())
}

/// Who a certificate of profile `strong` names, and the key that signs for it: what groups need of an author. `None` if it is
/// any other certificate, or a damaged one.
#[must_use]
pub fn signer(certificate: &[u8]) -> Option<(PeerId, [u8; 32])> {
    let key = Certificate::parse(certificate).ok()?.strong?;
    Some((fingerprint(certificate), key))
}

fn canonical_section(certificate: &[u8]) -> &[u8] {
    let mut options = OptionIter(certificate);
    while let Some(Ok(option)) = options.next() {
        if option == WireOption::Marker {
            return &certificate[..certificate.len() - options.rest().len()];
        }
    }
    certificate
}

/// The canonical section of a well-formed certificate, read.
#[derive(Debug, Default)]
pub(super) struct Certificate<'a> {
    pub(super) hostname: Option<&'a [u8]>,
    pub(super) accepts_ancillary: bool,
    /// Ed25519 key of profile `strong`, checked; `None` in a certificate without our mark.
    pub(super) strong: Option<[u8; 32]>,
    /// Groups of [`EPHEMERAL_GROUP`], in order.
    pub(super) ephemeral_groups: Vec<u64>,
    /// Groups and values of [`STATIC_KEY`], in order.
    pub(super) static_keys: Vec<(u64, &'a [u8])>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate. One in which our mark appears other than in exactly one good option of profile `strong` is
    /// refused, so that nothing can be made of a damaged one in any profile.
    pub(super) fn parse(certificate: &'a [u8]) -> Result<Self, Refusal> {
        if certificate.is_empty() || certificate.len() > MAX_LEN {
            return Err(Refusal::CertificateSize);
        }
        let marks = certificate.windows(STRONG_MARK.len()).filter(|bytes| **bytes == STRONG_MARK).count();
        let mut read = Self::default();
        let mut canonical = true;
        for option in OptionIter(certificate) {
            match option.map_err(|_| damage(marks))? {
                WireOption::Marker => canonical = false,
                WireOption::Option { kind, value } if canonical => read.take(kind, value)?,
                WireOption::Option { .. } => {}
            }
        }
        if marks == 0 {
            return Ok(read);
        }
        if certificate.len() > MAX_STRONG_LEN {
            return Err(Refusal::CertificateSize);
        }
        match read.strong {
            Some(_) if marks == 1 && canonical => Ok(read),
            _ => Err(Refusal::DamagedStrongOption),
        }
    }

    /// Whether keying with this certificate takes a secret that belongs to it. An ephemeral certificate of RFC 7425 can be
    /// shown by anyone who has seen it.
    pub(super) fn proves_itself(&self) -> bool {
        self.strong.is_some() || !self.static_keys.is_empty()
    }

    fn take(&mut self, kind: u64, value: &'a [u8]) -> Result<(), Refusal> {
        match kind {
            HOSTNAME => self.hostname = Some(value),
            ACCEPTS_ANCILLARY => self.accepts_ancillary = true,
            EPHEMERAL_GROUP => self.ephemeral_groups.push(group_of(value)?.0),
            STATIC_KEY => self.static_keys.push(group_of(value)?),
            STRONG_IDENTITY => {
                if let Some(rest) = value.strip_prefix(&STRONG_MARK) {
                    let key = rest.strip_prefix(&[STRONG_VERSION]).and_then(|key| <[u8; 32]>::try_from(key).ok());
                    let key = key.ok_or(Refusal::DamagedStrongOption)?;
                    if !sign::is_sound(&key) {
                        return Err(Refusal::WeakIdentityKey);
                    }
                    self.strong = Some(key);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn damage(marks: usize) -> Refusal {
    if marks == 0 { Refusal::MalformedCertificate } else { Refusal::DamagedStrongOption }
}

/// The group that begins an option's value, and what follows it.
pub(super) fn group_of(mut value: &[u8]) -> Result<(u64, &[u8]), Refusal> {
    let group = crate::wire::vlu::take(&mut value).map_err(|_| Refusal::MalformedCertificate)?;
    Ok((group, value))
}
