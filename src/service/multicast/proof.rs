//! What a publisher signs, so that nobody on the way can alter its stream: a title once, manifests all along.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::media::{Head, MAX_TABLES};
use super::message::{MAX_NAME, StreamKey};
use super::types::StreamSettings;
use crate::base::PeerId;
use crate::crypto::sign::{Label, verify};
use crate::crypto::{Identity, signer};
use crate::group::GroupId;
use crate::wire::reader::{put_counted, take_array, take_counted_to, take_u8};
use crate::wire::{DecodeError, vlu};

/// Fragments that a manifest vouches for at most.
pub const MAX_FRAGMENTS: usize = 64;
/// The longest header of a stream, in bytes.
const MAX_HEADER: usize = 2048;
/// The longest certificate and grant.
const MAX_COUNTED: usize = 512;
/// Longer than any time that a publisher may set, in milliseconds.
const MAX_TIME: u64 = 3_600_000;
/// The longest title.
pub const MAX_TITLE: usize = MAX_TABLES + MAX_HEADER + 2 * MAX_COUNTED + MAX_NAME + 256;

/// What is signed: never one for the other.
const TITLE: u8 = 1;
const MANIFEST: u8 = 2;
/// In a manifest's flags: the stream ends with it.
const END: u8 = 1;

impl StreamKey {
    /// The key of a publisher's stream: nobody else has one whose title it can sign.
    #[must_use]
    pub fn of(group: GroupId, publisher: PeerId, random: &[u8; 32]) -> Self {
        let parts = [&b"p2pt/1 stream\0"[..], &group.0, &publisher.0, random];
        Self(parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize().into())
    }
}

/// What a fragment is recognized by: BLAKE3 of its message, cut to 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentDigest(pub [u8; 16]);

impl FragmentDigest {
    /// Of the message that carries a fragment, with its ID and all that precedes the data.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        Self(*blake3::hash(message).as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }
}

/// What must be known of a stream before anything of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The stream.
    pub key: StreamKey,
    /// Who publishes it.
    pub publisher: PeerId,
    /// With this it signs.
    public: [u8; 32],
    /// The stream's name.
    pub name: String,
    /// The first fragment for which [`Title::head`] holds; a later title of the stream replaces an earlier one.
    pub since: u64,
    /// What precedes the fragments.
    pub head: Head,
    /// The publisher's settings, but for those which each member has for itself.
    pub settings: StreamSettings,
    /// That the publisher may publish; empty if it has no grant.
    pub grant: Bytes,
    signed: Bytes,
    signature: [u8; 64],
}

/// Signs a title. `random` is chosen once for a stream.
///
/// # Errors
/// [`DecodeError::TooLarge`] if nobody would read it.
pub fn sign_title(
    identity: &Identity,
    group: GroupId,
    random: &[u8; 32],
    (name, since, head, settings): (&str, u64, &Head, &StreamSettings),
    grant: Option<&[u8]>,
) -> Result<Bytes, DecodeError> {
    let grant = grant.unwrap_or_default();
    let limits = [(name.len(), MAX_NAME), (head.header.len(), MAX_HEADER), (head.tables.len(), MAX_TABLES)];
    if limits.iter().any(|(len, most)| len > most) || grant.len() > MAX_COUNTED {
        return Err(DecodeError::TooLarge);
    }
    let mut out = Vec::new();
    put_counted(&mut out, identity.certificate());
    put_counted(&mut out, grant);
    let signed = out.len();
    out.extend_from_slice(random);
    put_counted(&mut out, name.as_bytes());
    vlu::put(&mut out, since);
    put_counted(&mut out, &head.header);
    put_counted(&mut out, &head.tables);
    for time in [settings.window, settings.fetch, settings.update] {
        vlu::put(&mut out, u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }
    out.push(u8::from(settings.send_to_all));
    let signature = identity.sign_key().sign(Label::Stream, &[&group.0, &[TITLE], &out[signed..]]);
    out.extend(signature);
    Ok(out.into())
}

impl Title {
    /// Reads a title of a stream of this group. Its signature is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] if it is none.
    pub fn decode(title: &Bytes, group: GroupId) -> Result<Self, DecodeError> {
        if title.len() > MAX_TITLE {
            return Err(DecodeError::TooLarge);
        }
        let mut rest = &title[..];
        let from = &mut rest;
        let (publisher, public) = signer(take_counted_to(from, MAX_COUNTED)?).ok_or(DecodeError::Forbidden)?;
        let grant = title.slice_ref(take_counted_to(from, MAX_COUNTED)?);
        let signed = *from;
        let random = take_array(from)?;
        let name = std::str::from_utf8(take_counted_to(from, MAX_NAME)?).map_err(|_| DecodeError::Utf8)?.to_owned();
        let since = vlu::take(from)?;
        let header = title.slice_ref(take_counted_to(from, MAX_HEADER)?);
        let tables = title.slice_ref(take_counted_to(from, MAX_TABLES)?);
        let mut time = || vlu::take(from).map(|ms| Duration::from_millis(ms.min(MAX_TIME)));
        let (window, fetch, update) = (time()?, time()?, time()?);
        let send_to_all = take_u8(from)? & 1 == 1;
        let settings = StreamSettings { window, fetch, update, send_to_all, ..StreamSettings::FLASH };
        let signed = title.slice_ref(&signed[..signed.len() - from.len()]);
        let signature = take_array(from)?;
        let key = StreamKey::of(group, publisher, &random);
        let head = Head { header, tables };
        if from.is_empty() {
            Ok(Self { key, publisher, public, name, since, head, settings, grant, signed, signature })
        } else {
            Err(DecodeError::Forbidden)
        }
    }

    /// Whether the publisher signed it for this group.
    #[must_use]
    pub fn is_signed(&self, group: GroupId) -> bool {
        verify(&self.public, Label::Stream, &[&group.0, &[TITLE], &self.signed], &self.signature)
    }
}

/// What a publisher says of some of its fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The stream.
    pub key: StreamKey,
    /// When it was signed, on the publisher's clock: microseconds since the stream began.
    pub at: u64,
    /// The first of the fragments.
    pub first: u64,
    /// What each is recognized by, and whether a player can begin with it.
    pub fragments: Vec<(FragmentDigest, bool)>,
    /// The stream ends behind them.
    pub end: bool,
    signed: Bytes,
    signature: [u8; 64],
}

/// Signs a manifest of at most [`MAX_FRAGMENTS`] fragments from `first` on, `at` microseconds after the stream began.
///
/// # Panics
/// If there are more.
#[must_use]
pub fn sign_manifest(
    identity: &Identity,
    group: GroupId,
    key: StreamKey,
    (at, first): (u64, u64),
    fragments: &[(FragmentDigest, bool)],
    end: bool,
) -> Bytes {
    assert!(fragments.len() <= MAX_FRAGMENTS, "fragments in a manifest");
    let mut out = Vec::with_capacity(64 + 32 + 16 + 17 * fragments.len());
    out.extend_from_slice(&key.0);
    out.push(if end { END } else { 0 });
    vlu::put(&mut out, at);
    vlu::put(&mut out, first);
    out.push(fragments.len() as u8);
    let mut keys = [0u8; MAX_FRAGMENTS / 8];
    for (at, (_, key)) in fragments.iter().enumerate() {
        keys[at / 8] |= u8::from(*key) << (at % 8);
    }
    out.extend_from_slice(&keys[..fragments.len().div_ceil(8)]);
    fragments.iter().for_each(|(digest, _)| out.extend_from_slice(&digest.0));
    let signature = identity.sign_key().sign(Label::Stream, &[&group.0, &[MANIFEST], &out]);
    out.extend(signature);
    out.into()
}

impl Manifest {
    /// Reads a manifest. Its signature is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] if it is none.
    pub fn decode(manifest: &Bytes) -> Result<Self, DecodeError> {
        let (signed, signature) = manifest.split_last_chunk::<64>().ok_or(DecodeError::Truncated)?;
        let mut rest = signed;
        let from = &mut rest;
        let key = StreamKey(take_array(from)?);
        let flags = take_u8(from)?;
        let at = vlu::take(from)?;
        let first = vlu::take(from)?;
        let count = usize::from(take_u8(from)?);
        let ends_late = first.checked_add(count as u64).is_none();
        if count > MAX_FRAGMENTS || first == 0 || ends_late || flags & !END != 0 {
            return Err(DecodeError::Forbidden);
        }
        let (keys, digests) = from.split_at_checked(count.div_ceil(8)).ok_or(DecodeError::Truncated)?;
        if digests.len() != 16 * count {
            return Err(DecodeError::Truncated);
        }
        let digests = digests.chunks_exact(16).enumerate();
        let fragments = digests
            .map(|(at, digest)| {
                let digest = FragmentDigest(digest.try_into().expect("chunks of 16"));
                (digest, keys[at / 8] >> (at % 8) & 1 == 1)
            })
            .collect();
        let signed = manifest.slice_ref(signed);
        Ok(Self { key, at, first, fragments, end: flags & END != 0, signed, signature: *signature })
    }

    /// Whether the publisher of this stream signed it.
    #[must_use]
    pub fn is_signed(&self, group: GroupId, title: &Title) -> bool {
        self.key == title.key
            && verify(&title.public, Label::Stream, &[&group.0, &[MANIFEST], &self.signed], &self.signature)
    }

    /// What it says of a fragment: what it is recognized by, and whether a player can begin with it.
    #[must_use]
    pub fn of(&self, id: u64) -> Option<(FragmentDigest, bool)> {
        let at = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.fragments.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Begin, Fragment};
    use super::*;
    use crate::base::Rng;
    use crate::crypto::IdentityKind;

    const GROUP: GroupId = GroupId([9; 32]);

    fn identity(seed: u64) -> Identity {
        Identity::generate(&mut Rng::for_simulation(seed), IdentityKind::default())
    }

    fn head() -> Head {
        Head { header: Bytes::from_static(b"FLV header"), tables: Bytes::from_static(b"what the codecs are") }
    }

    fn settings() -> StreamSettings {
        StreamSettings { send_to_all: true, ..StreamSettings::for_latency(Duration::from_secs(3)) }
    }

    fn title(identity: &Identity) -> Title {
        let title = sign_title(identity, GROUP, &[3; 32], ("news", 17, &head(), &settings()), Some(b"grant")).unwrap();
        Title::decode(&title, GROUP).unwrap()
    }

    fn message(id: u64, data: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        Fragment { id, begin: Some(Begin { kind: 9, timestamp: 40 }), remaining: 0, data }.put(&mut message);
        message
    }

    #[test]
    fn a_title_says_what_was_signed() {
        let publisher = identity(1);
        let title = title(&publisher);
        assert_eq!((title.publisher, &title.name[..], title.since), (publisher.peer_id(), "news", 17));
        assert_eq!((&title.head, &title.grant[..]), (&head(), &b"grant"[..]));
        // How much others relay is not the publisher's to say.
        assert_eq!(title.settings, StreamSettings { relay_margin: StreamSettings::FLASH.relay_margin, ..settings() });
        assert_eq!(title.key, StreamKey::of(GROUP, publisher.peer_id(), &[3; 32]));
        assert!(title.is_signed(GROUP));
    }

    #[test]
    fn a_title_that_was_altered_is_none_of_this_stream() {
        let bytes = sign_title(&identity(1), GROUP, &[3; 32], ("news", 17, &head(), &settings()), None).unwrap();
        let key = Title::decode(&bytes, GROUP).unwrap().key;
        for at in 0..bytes.len() {
            let mut altered = bytes.to_vec();
            altered[at] ^= 1;
            if let Ok(title) = Title::decode(&altered.into(), GROUP) {
                assert!(title.key != key || !title.is_signed(GROUP), "byte {at}");
            }
            assert!(Title::decode(&bytes.slice(..at), GROUP).is_err());
        }
        let other = GroupId([8; 32]);
        let elsewhere = Title::decode(&bytes, other).unwrap();
        assert!(elsewhere.key != key && !elsewhere.is_signed(other), "for another group");
        let large = Head { header: Bytes::new(), tables: vec![0; MAX_TABLES + 1].into() };
        assert_eq!(
            sign_title(&identity(1), GROUP, &[3; 32], ("", 1, &large, &settings()), None),
            Err(DecodeError::TooLarge)
        );
    }

    #[test]
    fn fragments_are_those_of_the_manifest_or_none() {
        let publisher = identity(1);
        let title = title(&publisher);
        let messages: Vec<Vec<u8>> = (100..164).map(|id| message(id, b"data")).collect();
        let marks: Vec<_> =
            messages.iter().enumerate().map(|(at, bytes)| (FragmentDigest::of(bytes), at % 5 == 0)).collect();
        let bytes = sign_manifest(&publisher, GROUP, title.key, (5, 100), &marks, false);
        let manifest = Manifest::decode(&bytes).unwrap();
        assert!(manifest.is_signed(GROUP, &title) && !manifest.end);
        for (at, bytes) in messages.iter().enumerate() {
            assert_eq!(manifest.of(100 + at as u64), Some((FragmentDigest::of(bytes), at % 5 == 0)));
        }
        assert_eq!((manifest.of(99), manifest.of(164)), (None, None));
        let at = |id: u64| manifest.of(id).map(|(digest, _)| digest);
        // The same data under another number, and other data under the same.
        assert_ne!(at(101), Some(FragmentDigest::of(&message(102, b"data"))));
        assert_ne!(at(101), Some(FragmentDigest::of(&message(101, b"date"))));
    }

    #[test]
    fn a_manifest_of_another_or_altered_is_refused() {
        let (publisher, other) = (identity(1), identity(2));
        let title = title(&publisher);
        let marks = [(FragmentDigest::of(b"one"), true), (FragmentDigest::of(b"two"), false)];
        let bytes = sign_manifest(&publisher, GROUP, title.key, (5, 7), &marks, false);
        for at in 0..bytes.len() {
            let mut altered = bytes.to_vec();
            // An end that was forged among them.
            altered[at] ^= 1;
            let altered = Manifest::decode(&altered.into());
            assert!(!altered.is_ok_and(|manifest| manifest.is_signed(GROUP, &title)), "byte {at}");
            assert!(Manifest::decode(&bytes.slice(..at)).map_or(true, |manifest| !manifest.is_signed(GROUP, &title)));
        }
        let foreign = Manifest::decode(&sign_manifest(&other, GROUP, title.key, (5, 7), &marks, true)).unwrap();
        assert!(!foreign.is_signed(GROUP, &title), "by another");
        let elsewhere = Manifest::decode(&sign_manifest(&publisher, GroupId([8; 32]), title.key, (5, 7), &marks, true));
        assert!(!elsewhere.unwrap().is_signed(GROUP, &title), "for another group");
        let second =
            Manifest::decode(&sign_manifest(&publisher, GROUP, StreamKey([1; 32]), (5, 7), &marks, true)).unwrap();
        assert!(!second.is_signed(GROUP, &title), "of another stream of the same publisher");
    }

    #[test]
    fn an_end_needs_no_fragments_nor_does_a_sign_of_life() {
        let publisher = identity(1);
        let title = title(&publisher);
        for end in [true, false] {
            let bytes = sign_manifest(&publisher, GROUP, title.key, (5, 9), &[], end);
            let manifest = Manifest::decode(&bytes).unwrap();
            assert!(manifest.is_signed(GROUP, &title) && manifest.end == end && manifest.of(9).is_none());
        }
        let nowhere = sign_manifest(&publisher, GROUP, title.key, (5, 0), &[], true);
        assert_eq!(Manifest::decode(&nowhere), Err(DecodeError::Forbidden));
    }
}
