//! AES-128 in CBC mode with a zero IV (RFC 7425 section 4.7): many chains at once when encrypting, many blocks of one
//! chain when decrypting.

use std::fmt::{self, Debug};
use std::ops::Range;

use aes::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128Dec, Aes128Enc, Block};
use zeroize::Zeroize as _;

/// Bytes of a cipher block.
pub(super) const BLOCK: usize = 16;

/// Chains encrypted side by side. A chain alone waits for each block before it can begin the next.
const LANES: usize = 16;

/// `len` rounded up to whole blocks.
pub(super) const fn whole_blocks(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

/// Encrypts.
pub(super) struct Encryptor(Aes128Enc);

/// Decrypts.
pub(super) struct Decryptor(Aes128Dec);

/// A chain under way: what is left of it.
#[derive(Clone)]
struct Lane {
    at: usize,
    end: usize,
}

impl Encryptor {
    /// An encryptor with this key.
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Aes128Enc::new(&Array(*key)))
    }

    /// Encrypts one chain, of whole blocks, in place.
    pub(super) fn encrypt(&self, data: &mut [u8]) {
        let mut chain = Block::default();
        for block in data.as_chunks_mut::<BLOCK>().0 {
            xor(&mut chain, block);
            self.0.encrypt_block(&mut chain);
            *block = chain.0;
        }
    }

    /// Encrypts chains side by side, in place. Each range holds whole blocks.
    pub(super) fn encrypt_batch(&self, buf: &mut [u8], chains: impl Iterator<Item = Range<usize>>) {
        const NONE: Lane = Lane { at: 0, end: 0 };
        let mut lanes = [NONE; LANES];
        let mut active = 0;
        for chain in chains {
            lanes[active] = Lane { at: chain.start, end: chain.end };
            active += 1;
            if active == LANES {
                self.encrypt_lanes(buf, &mut lanes);
                active = 0;
            }
        }
        self.encrypt_lanes(buf, &mut lanes[..active]);
    }

    fn encrypt_lanes(&self, buf: &mut [u8], mut lanes: &mut [Lane]) {
        let mut state = [Block::default(); LANES];
        while !lanes.is_empty() {
            let blocks = lanes.iter().map(|lane| (lane.end - lane.at) / BLOCK).min().unwrap_or(0);
            for _ in 0..blocks {
                for (lane, chain) in lanes.iter().zip(&mut state) {
                    xor(chain, block_at(buf, lane.at));
                }
                self.0.encrypt_blocks(&mut state[..lanes.len()]);
                for (lane, chain) in lanes.iter_mut().zip(&state) {
                    *block_at(buf, lane.at) = chain.0;
                    lane.at += BLOCK;
                }
            }
            let mut kept = 0;
            for index in 0..lanes.len() {
                if lanes[index].at < lanes[index].end {
                    lanes.swap(kept, index);
                    state.swap(kept, index);
                    kept += 1;
                }
            }
            lanes = &mut lanes[..kept];
        }
        state.as_mut_slice().iter_mut().for_each(|chain| chain.0.zeroize());
    }
}

impl Decryptor {
    /// A decryptor with this key.
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Aes128Dec::new(&Array(*key)))
    }

    /// Decrypts one chain, of whole blocks, in place.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        let mut chain = [0; BLOCK];
        let mut plain = [Block::default(); LANES];
        for group in data.as_chunks_mut::<BLOCK>().0.chunks_mut(LANES) {
            let plain = &mut plain[..group.len()];
            for (out, cipher) in plain.iter_mut().zip(group.iter()) {
                out.0 = *cipher;
            }
            self.0.decrypt_blocks(plain);
            for (out, cipher) in plain.iter_mut().zip(group) {
                let next = *cipher;
                xor(out, &chain);
                *cipher = out.0;
                chain = next;
            }
        }
    }
}

fn block_at(buf: &mut [u8], at: usize) -> &mut [u8; BLOCK] {
    buf[at..].first_chunk_mut().expect("chains are whole blocks")
}

fn xor(chain: &mut Block, block: &[u8; BLOCK]) {
    let mixed = u128::from_ne_bytes(chain.0) ^ u128::from_ne_bytes(*block);
    chain.0 = mixed.to_ne_bytes();
}

impl Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryptor")
    }
}

impl Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decryptor")
    }
}
