//! Session keys and nonces (RFC 7425 sections 4.6.3 to 4.6.5).

use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::crypto::mac::hmac;

/// All that the near end derives. The far end has the same with the directions exchanged.
#[derive(ZeroizeOnDrop)]
pub(super) struct Derived {
    pub(super) encrypt: [u8; 32],
    pub(super) decrypt: [u8; 32],
    pub(super) send_hmac: [u8; 32],
    pub(super) receive_hmac: [u8; 32],
    pub(super) near_nonce: [u8; 32],
    pub(super) far_nonce: [u8; 32],
}

impl Derived {
    /// Derives from the shared secret, without leading zero bytes, and the two components as transmitted.
    pub(super) fn new(secret: &[u8], near: &[u8], far: &[u8]) -> Self {
        let one_way = |key: &[u8], message: &[u8]| hmac(secret, &[&Zeroizing::new(hmac(key, &[message]))[..]]);
        let encrypt = one_way(far, near);
        let decrypt = one_way(near, far);
        Self {
            send_hmac: hmac(secret, &[&encrypt]),
            receive_hmac: hmac(secret, &[&decrypt]),
            near_nonce: hmac(secret, &[near]),
            far_nonce: hmac(secret, &[far]),
            encrypt,
            decrypt,
        }
    }

    /// The AES key of what we send.
    pub(super) fn encrypt_key(&self) -> &[u8; 16] {
        self.encrypt.first_chunk().expect("32 bytes begin with 16")
    }

    /// The AES key of what we receive.
    pub(super) fn decrypt_key(&self) -> &[u8; 16] {
        self.decrypt.first_chunk().expect("32 bytes begin with 16")
    }
}
