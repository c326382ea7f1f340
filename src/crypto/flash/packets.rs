//! Packets of profile `flash` (RFC 7425 section 4.7): sequence number, checksum or HMAC, AES-128-CBC.

use std::fmt::{self, Debug};
use std::ops::Range;

use crate::base::SessionId;
use crate::crypto::cbc::{BLOCK, Decryptor, Encryptor, whole_blocks};
use crate::crypto::checksum::checksum;
use crate::crypto::mac::{MacKey, equal};
use crate::crypto::packet::{OpenError, Opened, Opener, Sealer, scramble};
use crate::crypto::window::Window;
use crate::wire::vlu;

/// Bytes of the session ID.
const ID: usize = 4;
const CHECKSUM: usize = 2;
/// Numbers stop here, far beyond any session.
const LAST_NUMBER: u64 = u64::MAX;

/// An HMAC key and how much of each HMAC is sent.
struct Tag {
    key: MacKey,
    len: usize,
}

impl Tag {
    fn new((key, len): (&[u8; 32], usize)) -> Self {
        Self { key: MacKey::new(key), len }
    }
}

/// Bytes of the checksum, which an HMAC replaces.
fn checksum_len(tag: Option<&Tag>) -> usize {
    if tag.is_some() { 0 } else { CHECKSUM }
}

/// Seals packets of one direction.
pub(super) struct CbcSealer {
    cipher: Encryptor,
    tag: Option<Tag>,
    /// The next sequence number, if there are any.
    number: Option<u64>,
}

impl CbcSealer {
    /// A sealer with this AES key, with HMACs or checksums, with or without sequence numbers.
    pub(super) fn new(key: &[u8; 16], tag: Option<(&[u8; 32], usize)>, sequence: bool) -> Self {
        Self::starting_at(key, tag, sequence.then_some(0))
    }

    pub(super) fn starting_at(key: &[u8; 16], tag: Option<(&[u8; 32], usize)>, number: Option<u64>) -> Self {
        Self { cipher: Encryptor::new(key), tag: tag.map(Tag::new), number }
    }

    /// Encrypted bytes before the packet.
    fn prefix(&self) -> usize {
        self.number.map_or(0, vlu::len) + checksum_len(self.tag.as_ref())
    }

    fn tag_len(&self) -> usize {
        self.tag.as_ref().map_or(0, |tag| tag.len)
    }

    /// Writes everything that is encrypted with a packet: `chain` is `prefix` bytes, `plain` bytes of packet, padding.
    fn complete(&mut self, chain: &mut [u8], prefix: usize, plain: usize) {
        chain[prefix + plain..].fill(0xff);
        if self.tag.is_none() {
            let sum = checksum(&chain[prefix..]).to_be_bytes();
            chain[prefix - CHECKSUM..prefix].copy_from_slice(&sum);
        }
        if let Some(number) = &mut self.number {
            put_vlu(chain, *number);
            *number += 1;
        }
    }
}

/// Where the bytes are that are encrypted with the plaintext at `packet`.
fn chain_of(packet: &Range<usize>, prefix: usize) -> Range<usize> {
    let start = packet.start - prefix;
    start..start + whole_blocks(packet.end - start)
}

impl Sealer for CbcSealer {
    fn head(&self) -> usize {
        ID + self.prefix()
    }

    fn max_plain(&self, datagram: usize) -> usize {
        let blocks = datagram.saturating_sub(ID + self.tag_len()) / BLOCK;
        (blocks * BLOCK).saturating_sub(self.prefix())
    }

    fn sealed_len(&self, plain: usize) -> usize {
        ID + whole_blocks(self.prefix() + plain) + self.tag_len()
    }

    fn max_batch(&self) -> usize {
        let Some(number) = self.number else { return usize::MAX };
        let bits = 7 * vlu::len(number) as u32;
        let end = 1u64.checked_shl(bits).unwrap_or(LAST_NUMBER);
        usize::try_from(end - number).unwrap_or(usize::MAX)
    }

    fn seal_batch(&mut self, id: SessionId, buf: &mut [u8], packets: &[Range<usize>]) {
        assert!(packets.len() <= self.max_batch(), "no more packets than max_batch");
        // The same for the whole batch, but perhaps not after it.
        let prefix = self.prefix();
        for packet in packets {
            self.complete(&mut buf[chain_of(packet, prefix)], prefix, packet.len());
        }
        let chains = packets.iter().map(|packet| chain_of(packet, prefix));
        self.cipher.encrypt_batch(buf, chains.clone());
        for chain in chains {
            let datagram = &mut buf[chain.start - ID..chain.end + self.tag_len()];
            if let Some(tag) = &self.tag {
                let (sealed, place) = datagram.split_at_mut(ID + chain.len());
                place.copy_from_slice(&tag.key.tag(&sealed[ID..])[..tag.len]);
            }
            scramble(id, datagram);
        }
    }
}

impl Debug for CbcSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CbcSealer").field("hmac", &self.tag_len()).field("number", &self.number).finish_non_exhaustive()
    }
}

fn put_vlu(out: &mut [u8], value: u64) {
    let len = vlu::len(value);
    for (at, byte) in out[..len].iter_mut().enumerate() {
        let group = len - 1 - at;
        *byte = (value >> (7 * group)) as u8 & 0x7f | if group > 0 { 0x80 } else { 0 };
    }
}

/// Opens packets of one direction.
pub(super) struct CbcOpener {
    cipher: Decryptor,
    tag: Option<Tag>,
    /// Of sequence numbers, if there are any.
    window: Option<Window>,
}

impl CbcOpener {
    /// An opener with this AES key, for HMACs or checksums; with sequence numbers if they shall be remembered.
    pub(super) fn new(key: &[u8; 16], tag: Option<(&[u8; 32], usize)>, window: Option<u32>) -> Self {
        Self { cipher: Decryptor::new(key), tag: tag.map(Tag::new), window: window.map(Window::new) }
    }

    /// Opens a datagram that lies at `at` in the data that came.
    fn open(&mut self, at: usize, datagram: &mut [u8]) -> Opened {
        let mut number = None;
        match self.open_numbered(datagram, &mut number) {
            Ok((plain, newest)) => Opened { plain: at + plain.start..at + plain.end, number, newest, result: Ok(()) },
            Err(error) => Opened::failed(at, number, error),
        }
    }

    fn open_numbered(
        &mut self,
        datagram: &mut [u8],
        number: &mut Option<u64>,
    ) -> Result<(Range<usize>, bool), OpenError> {
        let tag_len = self.tag.as_ref().map_or(0, |tag| tag.len);
        if datagram.len() < ID + BLOCK + tag_len {
            return Err(OpenError::TooShort);
        }
        let end = datagram.len() - tag_len;
        if !(end - ID).is_multiple_of(BLOCK) {
            return Err(OpenError::NotWholeBlocks);
        }
        let (sealed, tag) = datagram.split_at_mut(end);
        let chain = &mut sealed[ID..];
        if let Some(expected) = &self.tag
            && !equal(&expected.key.tag(chain)[..tag_len], tag)
        {
            return Err(OpenError::NotAuthentic);
        }
        self.cipher.decrypt(chain);
        let mut rest = &*chain;
        if let Some(window) = &self.window {
            let sequence = vlu::take(&mut rest).map_err(|_| OpenError::BadSequenceNumber)?;
            *number = Some(sequence);
            window.check(sequence)?;
        }
        if self.tag.is_none() {
            let (sum, covered) = rest.split_first_chunk::<CHECKSUM>().ok_or(OpenError::BadChecksum)?;
            if *sum != checksum(covered).to_be_bytes() {
                return Err(OpenError::BadChecksum);
            }
            rest = covered;
        }
        let start = end - rest.len();
        // Only an HMAC makes a number worth anything to whoever asks where the far end is.
        let newest = match (&mut self.window, *number) {
            (Some(window), Some(number)) => window.mark(number) && self.tag.is_some(),
            _ => false,
        };
        Ok((start..end, newest))
    }
}

impl Opener for CbcOpener {
    fn open_batch(&mut self, _id: SessionId, data: &mut [u8], segment: usize, out: &mut Vec<Opened>) {
        let mut at = 0;
        for datagram in data.chunks_mut(segment.max(1)) {
            out.push(self.open(at, datagram));
            at += datagram.len();
        }
    }
}

impl Debug for CbcOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CbcOpener").field("hmac", &self.tag.is_some()).finish_non_exhaustive()
    }
}
