//! AES-128 in CBC mode with a zero IV (RFC 7425 section 4.7): many chains at once when encrypting, many blocks of one
//! chain when decrypting.

use std::fmt::{self, Debug};
use std::ops::Range;

use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockCipherDecrypt as _, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt as _,
    BlockSizeUser, KeyInit as _,
};
use aes::{Aes128Dec, Aes128Enc, Block};

/// Bytes of a cipher block.
pub(super) const BLOCK: usize = 16;

/// Chains encrypted side by side. A chain alone waits for each block before it can begin the next.
const LANES: usize = 16;

/// Blocks of one chain decrypted at once.
const AHEAD: usize = 64;

/// `len` rounded up to whole blocks.
pub(super) const fn whole_blocks(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

/// Encrypts.
pub(super) struct Encryptor(Aes128Enc);

/// Decrypts.
pub(super) struct Decryptor(Aes128Dec);

/// A chain under way: what is left of it.
#[derive(Clone, Copy)]
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
    pub(super) fn encrypt(&self, buf: &mut [u8]) {
        let lanes = &mut [Lane { at: 0, end: buf.len() }];
        self.0.encrypt_with_backend(Chains { buf, lanes });
    }

    /// Encrypts chains side by side, in place. Each range holds whole blocks.
    pub(super) fn encrypt_batch(&self, buf: &mut [u8], chains: impl Iterator<Item = Range<usize>>) {
        let mut lanes = [Lane { at: 0, end: 0 }; LANES];
        let mut active = 0;
        for chain in chains {
            lanes[active] = Lane { at: chain.start, end: chain.end };
            active += 1;
            if active == LANES {
                self.0.encrypt_with_backend(Chains { buf, lanes: &mut lanes });
                active = 0;
            }
        }
        self.0.encrypt_with_backend(Chains { buf, lanes: &mut lanes[..active] });
    }
}

/// At most [`LANES`] chains to encrypt. As a closure, it is compiled into the cipher's own code for each kind of processor,
/// with the round keys at hand.
struct Chains<'a> {
    buf: &'a mut [u8],
    lanes: &'a mut [Lane],
}

impl BlockSizeUser for Chains<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Chains<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, cipher: &B) {
        let Chains { buf, mut lanes } = self;
        let mut state = [Block::default(); LANES];
        while !lanes.is_empty() {
            let blocks = lanes.iter().map(|lane| (lane.end - lane.at) / BLOCK).min().unwrap_or(0);
            for _ in 0..blocks {
                // The lanes do not wait for each other: the processor runs them side by side.
                for (lane, chain) in lanes.iter_mut().zip(&mut state) {
                    let block: &mut [u8; BLOCK] = buf[lane.at..].first_chunk_mut().expect("chains are whole blocks");
                    xor(chain, block);
                    cipher.encrypt_block_inplace(chain);
                    *block = chain.0;
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
    }
}

impl Decryptor {
    /// A decryptor with this key.
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Aes128Dec::new(&Array(*key)))
    }

    /// Decrypts one chain, of whole blocks, in place.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        let mut before = [0; BLOCK];
        let mut plain = [Block::default(); AHEAD];
        for group in data.as_chunks_mut::<BLOCK>().0.chunks_mut(AHEAD) {
            let plain = &mut plain[..group.len()];
            self.0.decrypt_blocks_b2b(Block::cast_slice_from_core(group), plain).expect("as many blocks out as in");
            let last = group[group.len() - 1];
            for at in (1..group.len()).rev() {
                xor(&mut plain[at], &group[at - 1]);
                group[at] = plain[at].0;
            }
            xor(&mut plain[0], &before);
            group[0] = plain[0].0;
            before = last;
        }
    }
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
