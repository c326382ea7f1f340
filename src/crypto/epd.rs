//! Endpoint discriminators (RFC 7425 section 4.4): whom an IHello is for.

use crate::base::PeerId;
use crate::wire::{OptionIter, WireOption, put_option};

use super::certificate::{self, ACCEPTS_ANCILLARY, Certificate, HOSTNAME};

/// Option: the fingerprint of the wanted certificate.
const FINGERPRINT: u64 = 0x0f;
/// Option of ours: a member of a group tells that it is here. Selects nobody.
const BEACON: u64 = 0x70;

/// A discriminator, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epd<'a> {
    /// The host name that the certificate must have.
    pub hostname: Option<&'a [u8]>,
    /// For a server: which of its services is wanted, a URI.
    pub ancillary: Option<&'a [u8]>,
    /// The wanted peer ID. Of the wrong length it selects nobody.
    pub fingerprint: Option<&'a [u8]>,
}

impl<'a> Epd<'a> {
    /// Reads a discriminator; `None` if it is malformed or says nothing. Of several options of one type the last counts.
    #[must_use]
    pub fn parse(epd: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        for option in OptionIter(epd) {
            match option.ok()? {
                WireOption::Option { kind: HOSTNAME, value } => read.hostname = Some(value),
                WireOption::Option { kind: ACCEPTS_ANCILLARY, value } => read.ancillary = Some(value),
                WireOption::Option { kind: FINGERPRINT, value } => read.fingerprint = Some(value),
                WireOption::Option { .. } | WireOption::Marker => {}
            }
        }
        (read != Self::default()).then_some(read)
    }

    /// The peer that is wanted by its ID.
    #[must_use]
    pub fn peer_id(&self) -> Option<PeerId> {
        self.fingerprint.and_then(|bytes| bytes.try_into().ok()).map(PeerId)
    }
}

/// The discriminator of a peer: its canonical one.
#[must_use]
pub fn fingerprint(peer_id: PeerId) -> Vec<u8> {
    let mut epd = Vec::with_capacity(34);
    put_option(&mut epd, FINGERPRINT, &peer_id.0);
    epd
}

/// The discriminator of whatever server answers for `uri`.
#[must_use]
pub fn ancillary(uri: &str) -> Vec<u8> {
    let mut epd = Vec::with_capacity(uri.len() + 3);
    put_option(&mut epd, ACCEPTS_ANCILLARY, uri.as_bytes());
    epd
}

/// The discriminator that carries a group's beacon.
#[must_use]
pub fn beacon(value: &[u8]) -> Vec<u8> {
    let mut epd = Vec::with_capacity(value.len() + 3);
    put_option(&mut epd, BEACON, value);
    epd
}

/// The beacon that a discriminator carries, if it is nothing else.
#[must_use]
pub fn beacon_in(epd: &[u8]) -> Option<&[u8]> {
    let mut options = OptionIter(epd);
    match (options.next()?.ok()?, options.next()) {
        (WireOption::Option { kind: BEACON, value }, None) => Some(value),
        _ => None,
    }
}

/// Whether `epd` selects `certificate`, whoever shows it. A fingerprint decides alone; otherwise everything that the
/// discriminator has must hold.
#[must_use]
pub fn selects(epd: &[u8], certificate: &[u8]) -> bool {
    let Some(epd) = Epd::parse(epd) else { return false };
    if epd.fingerprint.is_some() {
        return epd.peer_id() == Some(certificate::fingerprint(certificate));
    }
    let Ok(certificate) = Certificate::parse(certificate) else { return false };
    (epd.hostname.is_none() || epd.hostname == certificate.hostname)
        && (epd.ancillary.is_none() || certificate.accepts_ancillary)
}
