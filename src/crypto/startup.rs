//! Packets under the Default Session Key (RFC 7425 section 4.1): hidden from nobody, guarded against accidents by a
//! checksum. IHello to RIKeying travel in them.

use std::ops::Range;

use crate::base::SessionId;

use super::cbc::{BLOCK, Decryptor, Encryptor, whole_blocks};
use super::checksum::checksum;
use super::packet::{OpenError, scramble};

/// The key that everybody knows.
const DEFAULT_SESSION_KEY: &[u8; 16] = b"Adobe Systems 02";
/// Bytes before the packet: the session ID and the checksum.
const HEAD: usize = 4 + 2;

/// The datagram for a startup packet (RFC 7016 section 2.2.4, mode mark and chunks) to session `id`: 0, or for RIKeying
/// and Cookie Change the one that the initiator chose.
#[must_use]
pub fn seal(id: SessionId, packet: &[u8]) -> Vec<u8> {
    let len = 4 + whole_blocks(2 + packet.len());
    let mut datagram = Vec::with_capacity(len);
    datagram.extend_from_slice(&[0; HEAD]);
    datagram.extend_from_slice(packet);
    datagram.resize(len, 0xff);
    let sum = checksum(&datagram[HEAD..]);
    datagram[4..HEAD].copy_from_slice(&sum.to_be_bytes());
    Encryptor::new(DEFAULT_SESSION_KEY).encrypt(&mut datagram[4..]);
    scramble(id, &mut datagram);
    datagram
}

/// Opens a startup datagram in place and says where its packet is, padding included.
///
/// # Errors
/// What is wrong with it.
pub fn open(datagram: &mut [u8]) -> Result<Range<usize>, OpenError> {
    if datagram.len() < 4 + BLOCK {
        return Err(OpenError::TooShort);
    }
    if !(datagram.len() - 4).is_multiple_of(BLOCK) {
        return Err(OpenError::NotWholeBlocks);
    }
    Decryptor::new(DEFAULT_SESSION_KEY).decrypt(&mut datagram[4..]);
    if datagram[4..HEAD] != checksum(&datagram[HEAD..]).to_be_bytes() {
        return Err(OpenError::BadChecksum);
    }
    Ok(HEAD..datagram.len())
}
