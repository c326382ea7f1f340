//! Packets of profile `strong`: session ID, number, AES-128-GCM. Keys change every 2^23 packets.

use std::fmt::{self, Debug};
use std::ops::Range;

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::base::SessionId;
use crate::crypto::packet::{OpenError, Opened, Opener, Sealer, scramble};
use crate::crypto::window::Window;

use super::schedule::{EPOCH_BITS, EpochSecret};

/// Session ID and number.
const HEAD: usize = 4 + 6;
const TAG: usize = 16;
/// A packet begins with at least a byte of flags.
const SHORTEST: usize = HEAD + 1 + TAG;
/// Numbers stop here, and with them the session.
pub(super) const LAST_NUMBER: u64 = (1 << 48) - 1;

/// A key ready for use.
struct Key {
    key: LessSafeKey,
    iv: u128,
}

impl Key {
    fn of(secret: &EpochSecret) -> Self {
        let material = secret.key();
        let key = UnboundKey::new(&AES_128_GCM, &material.key).expect("AES-128 takes 16 bytes");
        let mut iv = [0; 16];
        iv[4..].copy_from_slice(&material.iv);
        Self { key: LessSafeKey::new(key), iv: u128::from_be_bytes(iv) }
    }

    fn nonce(&self, number: u64) -> Nonce {
        let nonce = (self.iv ^ u128::from(number)).to_be_bytes();
        Nonce::assume_unique_for_key(*nonce.last_chunk().expect("16 bytes end in 12"))
    }
}

/// What is authenticated besides the packet: the session ID, as the far end chose it, and the number.
fn associated(id: SessionId, number: u64) -> Aad<[u8; 10]> {
    let both = u128::from(id.0) << 48 | u128::from(number);
    Aad::from(*both.to_be_bytes().last_chunk().expect("16 bytes end in 10"))
}

/// Seals packets of one direction.
pub(super) struct GcmSealer {
    key: Key,
    /// Of the epoch after `key`'s.
    next_secret: EpochSecret,
    number: u64,
}

impl GcmSealer {
    /// A sealer for packet 0 and on.
    pub(super) fn new(secret: EpochSecret) -> Self {
        Self::starting_at(secret, 0)
    }

    pub(super) fn starting_at(mut secret: EpochSecret, number: u64) -> Self {
        for _ in 0..number >> EPOCH_BITS {
            secret.advance();
        }
        let key = Key::of(&secret);
        secret.advance();
        Self { key, next_secret: secret, number }
    }

    fn next_epoch(&mut self) {
        self.key = Key::of(&self.next_secret);
        self.next_secret.advance();
    }
}

impl Sealer for GcmSealer {
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
        usize::try_from(LAST_NUMBER - self.number).unwrap_or(usize::MAX)
    }

    fn seal_batch(&mut self, id: SessionId, buf: &mut [u8], packets: &[Range<usize>]) {
        for packet in packets {
            let number = self.number;
            assert!(number < LAST_NUMBER, "no packet beyond max_batch");
            let datagram = &mut buf[packet.start - HEAD..packet.end + TAG];
            let (head, rest) = datagram.split_at_mut(HEAD);
            let (plain, tag) = rest.split_at_mut(packet.len());
            head[4..].copy_from_slice(&number.to_be_bytes()[2..]);
            let sealed = self
                .key
                .key
                .seal_in_place_separate_tag(self.key.nonce(number), associated(id, number), plain)
                .expect("a packet is far below the limit of AES-GCM");
            tag.copy_from_slice(sealed.as_ref());
            scramble(id, datagram);
            self.number += 1;
            if self.number.trailing_zeros() >= EPOCH_BITS {
                self.next_epoch();
            }
        }
    }
}

impl Debug for GcmSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcmSealer").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Opens packets of one direction: of the present epoch, of the next, and of the last one while the window reaches into it.
///
/// A key is half a kilobyte, and most sessions never see a second epoch: the others are made when they are needed.
pub(super) struct GcmOpener {
    epoch: u64,
    last: Option<Box<Key>>,
    present: Box<Key>,
    /// Made by the first packet that claims to be of the next epoch.
    next: Option<Box<Key>>,
    /// Of the next epoch.
    secret: EpochSecret,
    window: Window,
}

impl GcmOpener {
    /// An opener for packet 0 and on.
    pub(super) fn new(mut secret: EpochSecret, window: u32) -> Self {
        let present = Box::new(Key::of(&secret));
        secret.advance();
        Self { epoch: 0, last: None, present, next: None, secret, window: Window::new(window) }
    }

    fn open(&mut self, id: SessionId, datagram: &mut [u8]) -> (Option<u64>, Result<bool, OpenError>) {
        if datagram.len() < SHORTEST {
            return (None, Err(OpenError::TooShort));
        }
        let (head, rest) = datagram.split_at_mut(HEAD);
        let mut number = [0; 8];
        number[2..].copy_from_slice(&head[4..]);
        let number = u64::from_be_bytes(number);
        (Some(number), self.open_numbered(id, number, rest))
    }

    fn open_numbered(&mut self, id: SessionId, number: u64, sealed: &mut [u8]) -> Result<bool, OpenError> {
        self.window.check(number)?;
        let epoch = number >> EPOCH_BITS;
        let key = if epoch == self.epoch {
            &self.present
        } else if epoch == self.epoch + 1 {
            self.next.get_or_insert_with(|| Box::new(Key::of(&self.secret)))
        } else if epoch + 1 == self.epoch {
            self.last.as_ref().ok_or(OpenError::OtherEpoch)?
        } else {
            return Err(OpenError::OtherEpoch);
        };
        key.key
            .open_in_place(key.nonce(number), associated(id, number), sealed)
            .map_err(|_| OpenError::NotAuthentic)?;
        let newest = self.window.mark(number);
        if epoch > self.epoch {
            self.next_epoch();
        }
        if self.last.is_some() && self.window.is_past(self.epoch << EPOCH_BITS) {
            self.last = None;
        }
        Ok(newest)
    }

    fn next_epoch(&mut self) {
        self.epoch += 1;
        let next = self.next.take().unwrap_or_else(|| Box::new(Key::of(&self.secret)));
        self.secret.advance();
        self.last = Some(std::mem::replace(&mut self.present, next));
    }
}

impl Opener for GcmOpener {
    fn open_batch(&mut self, id: SessionId, data: &mut [u8], segment: usize, out: &mut Vec<Opened>) {
        let mut at = 0;
        for datagram in data.chunks_mut(segment.max(1)) {
            let end = at + datagram.len();
            out.push(match self.open(id, datagram) {
                (number, Ok(newest)) => Opened { plain: at + HEAD..end - TAG, number, newest, result: Ok(()) },
                (number, Err(error)) => Opened::failed(at, number, error),
            });
            at = end;
        }
    }
}

impl Debug for GcmOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcmOpener")
            .field("epoch", &self.epoch)
            .field("last", &self.last.is_some())
            .finish_non_exhaustive()
    }
}
