//! Payloads of the session startup chunks (RFC 7016 sections 2.3.2 to 2.3.8).

use crate::base::SessionId;

use super::address::{Address, Addresses};
use super::error::DecodeError;
use super::reader::{counted_len, put_counted, take_counted, take_rest, take_u32};

/// Initiator Hello (section 2.3.2): begins the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IHello<'a> {
    /// The Endpoint Discriminator: whom the initiator wants.
    pub epd: &'a [u8],
    /// Comes back in the answer.
    pub tag: &'a [u8],
}

/// Forwarded Initiator Hello (section 2.3.3): an IHello, handed on inside a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FIHello<'a> {
    /// The Endpoint Discriminator of the original.
    pub epd: &'a [u8],
    /// The address to answer to, as the forwarder saw it.
    pub reply: Address,
    /// The tag of the original.
    pub tag: &'a [u8],
}

/// Responder Hello (section 2.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RHello<'a> {
    /// The IHello's tag, unaltered.
    pub tag: &'a [u8],
    /// To be echoed in IIKeying.
    pub cookie: &'a [u8],
    /// The responder's certificate.
    pub certificate: &'a [u8],
}

/// Responder Redirect (section 2.3.5). No destination at all is an Implied Redirect: to where the packet came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect<'a> {
    /// The IHello's tag, unaltered.
    pub tag: &'a [u8],
    /// Addresses to try.
    pub destinations: Addresses<'a>,
}

/// RHello Cookie Change (section 2.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RHelloCookieChange<'a> {
    /// The cookie that the IIKeying brought.
    pub old: &'a [u8],
    /// The one to send instead.
    pub new: &'a [u8],
}

/// Initiator Initial Keying (section 2.3.7). Its fields lie in the signed bytes as they were, or will be, transmitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IIKeying<'a> {
    /// What the responder shall address the initiator by.
    pub initiator_session_id: SessionId,
    /// The cookie of the RHello.
    pub cookie: &'a [u8],
    /// The initiator's certificate.
    pub certificate: &'a [u8],
    /// The Session Key Initiator Component.
    pub skic: &'a [u8],
    /// The initiator's signature over [`Self::signed`].
    pub signature: &'a [u8],
    signed: &'a [u8],
}

/// Responder Initial Keying (section 2.3.8). Its fields lie in the signed bytes as they were, or will be, transmitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RIKeying<'a> {
    /// What the initiator shall address the responder by.
    pub responder_session_id: SessionId,
    /// The Session Key Responder Component.
    pub skrc: &'a [u8],
    /// The responder's signature over [`Self::signed`] and the SKIC.
    pub signature: &'a [u8],
    signed: &'a [u8],
}

impl<'a> IHello<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { epd: take_counted(&mut payload)?, tag: take_rest(&mut payload) })
    }

    pub(super) fn payload_len(&self) -> usize {
        counted_len(self.epd) + self.tag.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        put_counted(out, self.epd);
        out.extend_from_slice(self.tag);
    }
}

impl<'a> FIHello<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { epd: take_counted(&mut payload)?, reply: Address::take(&mut payload)?, tag: take_rest(&mut payload) })
    }

    pub(super) fn payload_len(&self) -> usize {
        counted_len(self.epd) + self.reply.encoded_len() + self.tag.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        put_counted(out, self.epd);
        self.reply.encode(out);
        out.extend_from_slice(self.tag);
    }
}

impl<'a> RHello<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self {
            tag: take_counted(&mut payload)?,
            cookie: take_counted(&mut payload)?,
            certificate: take_rest(&mut payload),
        })
    }

    pub(super) fn payload_len(&self) -> usize {
        counted_len(self.tag) + counted_len(self.cookie) + self.certificate.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        put_counted(out, self.tag);
        put_counted(out, self.cookie);
        out.extend_from_slice(self.certificate);
    }
}

impl<'a> Redirect<'a> {
    /// Whether the packet's own source is the destination.
    #[must_use]
    pub const fn is_implied(&self) -> bool {
        self.destinations.is_empty()
    }

    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { tag: take_counted(&mut payload)?, destinations: Addresses::decode(payload)? })
    }

    pub(super) fn payload_len(&self) -> usize {
        counted_len(self.tag) + self.destinations.encoded_len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        put_counted(out, self.tag);
        self.destinations.encode(out);
    }
}

impl<'a> RHelloCookieChange<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { old: take_counted(&mut payload)?, new: take_rest(&mut payload) })
    }

    pub(super) fn payload_len(&self) -> usize {
        counted_len(self.old) + self.new.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        put_counted(out, self.old);
        out.extend_from_slice(self.new);
    }
}

impl<'a> IIKeying<'a> {
    /// Makes the initiatorSignedParameters, from which [`Self::new`] makes the chunk.
    #[must_use]
    pub fn signed_parameters(id: SessionId, cookie: &[u8], certificate: &[u8], skic: &[u8]) -> Vec<u8> {
        let fields = [cookie, certificate, skic];
        let mut signed = Vec::with_capacity(4 + fields.iter().map(|field| counted_len(field)).sum::<usize>());
        signed.extend_from_slice(&id.0.to_be_bytes());
        for field in fields {
            put_counted(&mut signed, field);
        }
        signed
    }

    /// The chunk of these initiatorSignedParameters and this signature.
    ///
    /// # Errors
    /// If `signed` is not exactly the four fields.
    pub fn new(signed: &'a [u8], signature: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = signed;
        let keying = Self {
            initiator_session_id: SessionId(take_u32(&mut rest)?),
            cookie: take_counted(&mut rest)?,
            certificate: take_counted(&mut rest)?,
            skic: take_counted(&mut rest)?,
            signature,
            signed,
        };
        if rest.is_empty() { Ok(keying) } else { Err(DecodeError::Forbidden) }
    }

    /// The initiatorSignedParameters: the payload before the signature, byte for byte as transmitted.
    #[must_use]
    pub const fn signed(&self) -> &'a [u8] {
        self.signed
    }

    pub(super) fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = payload;
        take_u32(&mut rest)?;
        for _ in 0..3 {
            take_counted(&mut rest)?;
        }
        let (signed, signature) = payload.split_at_checked(payload.len() - rest.len()).ok_or(DecodeError::Truncated)?;
        Self::new(signed, signature)
    }

    pub(super) fn payload_len(&self) -> usize {
        self.signed.len() + self.signature.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.signed);
        out.extend_from_slice(self.signature);
    }
}

impl<'a> RIKeying<'a> {
    /// Makes the responderSignedParametersPortion, from which [`Self::new`] makes the chunk.
    #[must_use]
    pub fn signed_parameters(id: SessionId, skrc: &[u8]) -> Vec<u8> {
        let mut signed = Vec::with_capacity(4 + counted_len(skrc));
        signed.extend_from_slice(&id.0.to_be_bytes());
        put_counted(&mut signed, skrc);
        signed
    }

    /// The chunk of this responderSignedParametersPortion and this signature.
    ///
    /// # Errors
    /// If `signed` is not exactly the two fields.
    pub fn new(signed: &'a [u8], signature: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = signed;
        let keying = Self {
            responder_session_id: SessionId(take_u32(&mut rest)?),
            skrc: take_counted(&mut rest)?,
            signature,
            signed,
        };
        if rest.is_empty() { Ok(keying) } else { Err(DecodeError::Forbidden) }
    }

    /// The responderSignedParametersPortion: the payload before the signature, byte for byte as transmitted.
    #[must_use]
    pub const fn signed(&self) -> &'a [u8] {
        self.signed
    }

    pub(super) fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = payload;
        take_u32(&mut rest)?;
        take_counted(&mut rest)?;
        let (signed, signature) = payload.split_at_checked(payload.len() - rest.len()).ok_or(DecodeError::Truncated)?;
        Self::new(signed, signature)
    }

    pub(super) fn payload_len(&self) -> usize {
        self.signed.len() + self.signature.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.signed);
        out.extend_from_slice(self.signature);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_bytes_are_those_transmitted_even_if_a_length_is_written_the_long_way() {
        // ISID, cookie of 1 with a two-byte length, certificate of 2, SKIC of 1, signature of 2.
        let payload = [0, 0, 0, 9, 0x80, 0x01, 0xaa, 2, 0xbb, 0xbc, 1, 0xcc, 0xdd, 0xde];
        let keying = IIKeying::decode(&payload).unwrap();
        assert_eq!(keying.signed(), &payload[..12]);
        assert_eq!((keying.cookie, keying.skic, keying.signature), (&[0xaa][..], &[0xcc][..], &[0xdd, 0xde][..]));
        let mut out = Vec::new();
        keying.put_payload(&mut out);
        assert_eq!(out, payload);

        let payload = [0, 0, 0, 9, 0x80, 0x01, 0xaa, 0x58];
        let keying = RIKeying::decode(&payload).unwrap();
        assert_eq!((keying.signed(), keying.skrc, keying.signature), (&payload[..7], &[0xaa][..], &[0x58][..]));
    }

    #[test]
    fn signed_bytes_with_something_behind_or_missing_make_no_chunk() {
        let mut signed = IIKeying::signed_parameters(SessionId(7), b"cookie", b"certificate", b"skic");
        assert!(IIKeying::new(&signed, b"X").is_ok());
        assert_eq!(IIKeying::new(&signed[..signed.len() - 1], b"X"), Err(DecodeError::Truncated));
        signed.push(0);
        assert_eq!(IIKeying::new(&signed, b"X"), Err(DecodeError::Forbidden));
        let mut signed = RIKeying::signed_parameters(SessionId(7), b"skrc");
        assert!(RIKeying::new(&signed, b"X").is_ok());
        signed.push(0);
        assert_eq!(RIKeying::new(&signed, b"X"), Err(DecodeError::Forbidden));
    }

    #[test]
    fn one_cut_address_spoils_the_whole_redirect() {
        let whole = [1, 0xaa, 2, 198, 51, 100, 7, 7, 143];
        assert_eq!(Redirect::decode(&whole).unwrap().destinations.iter().count(), 1);
        assert_eq!(Redirect::decode(&whole[..8]), Err(DecodeError::Truncated));
        assert!(Redirect::decode(&whole[..2]).unwrap().is_implied());
    }
}
