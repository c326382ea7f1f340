//! A signed post: its bytes, what its author signed, and the envelope that its body is.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::format::StreamName;
use super::{MAX_BODY, Post, PostId};
use crate::base::PeerId;
use crate::crypto::sign::{Label, verify};
use crate::crypto::{Identity, signer};
use crate::group::GroupId;
use crate::wire::reader::{put_counted, take_array, take_counted};
use crate::wire::{OptionIter, WireOption, put_marker, put_option, take_option_list, vlu};

/// What [`Label::Post`] puts before everything that is signed.
const LABEL: &[u8] = b"p2pt/1 post\0";
/// The longest nickname, in bytes.
pub const MAX_NICK: usize = 64;
/// The longest grant that is carried; longer than any that there is, so that there may be others.
const MAX_GRANT: usize = 512;
/// The longest envelope: options that are unknown here may have this much.
const MAX_ENVELOPE: usize = MAX_BODY + 1024;
/// The longest signed post.
pub(super) const MAX_SIGNED: usize = MAX_ENVELOPE + 512 + MAX_GRANT + 128;

/// Options of the envelope.
const NICK: u64 = 1;
const BEAT: u64 = 2;

/// A post whose form is right; its signature may be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    pub(super) author: PeerId,
    key: [u8; 32],
    pub(super) instance: [u8; 8],
    pub(super) sequence: u64,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    /// Empty if there is none.
    pub(super) grant: &'a [u8],
    body: &'a [u8],
    signature: &'a [u8],
}

/// What a body says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) nick: Option<&'a str>,
    /// It is no post, but shapes the tree.
    pub(super) beat: bool,
    pub(super) content: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads a signed post. Nothing is verified but the form, and that the certificate can sign.
    pub(super) fn parse(mut bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > MAX_SIGNED {
            return None;
        }
        let from = &mut bytes;
        let (author, key) = signer(take_counted(from).ok()?)?;
        let instance = take_array(from).ok()?;
        let sequence = vlu::take(from).ok()?;
        let time = vlu::take(from).ok()?;
        let grant = take_counted(from).ok()?;
        let body = take_counted(from).ok()?;
        let fits = (1..u64::MAX).contains(&sequence) && grant.len() <= MAX_GRANT && body.len() <= MAX_ENVELOPE;
        let signature = *from;
        (fits && signature.len() == 64).then_some(Self {
            author,
            key,
            instance,
            sequence,
            time,
            grant,
            body,
            signature,
        })
    }

    /// Whether the author signed it for this group.
    pub(super) fn is_signed(&self, group: GroupId) -> bool {
        let numbers = numbers(self.sequence, self.time, self.body);
        let parts = [&group.0[..], &self.author.0, &self.instance, &numbers, self.body];
        verify(&self.key, Label::Post, &parts, self.signature)
    }

    /// Its name.
    pub(super) fn id(&self, group: GroupId) -> PostId {
        let numbers = numbers(self.sequence, self.time, self.body);
        let parts = [LABEL, &group.0, &self.author.0, &self.instance, &numbers, self.body];
        PostId(parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize().into())
    }

    /// Whose posts it is one of.
    pub(super) fn stream(&self) -> StreamName {
        let digest = Sha256::new().chain_update(self.author.0).chain_update(self.instance).finalize();
        *digest.first_chunk().expect("a digest has 32 bytes")
    }

    /// What its body says; `None` if that has not the form of an envelope.
    pub(super) fn envelope(&self) -> Option<Envelope<'a>> {
        let mut content = self.body;
        let options = take_option_list(&mut content).ok()?;
        let mut envelope = Envelope { nick: None, beat: false, content };
        for option in OptionIter(options).flatten() {
            match option {
                WireOption::Option { kind: NICK, value } => {
                    let nick = std::str::from_utf8(value).ok().filter(|nick| nick.len() <= MAX_NICK)?;
                    envelope.nick = Some(nick).filter(|nick| !nick.is_empty());
                }
                WireOption::Option { kind: BEAT, .. } => envelope.beat = true,
                _ => {}
            }
        }
        (content.len() <= MAX_BODY).then_some(envelope)
    }
}

/// A post of `identity`, signed: what [`super::Posting::inject`] takes. `instance` is chosen at random once per process,
/// `sequence` counts its posts from 1, `time` is in milliseconds since 1970; a nickname longer than [`MAX_NICK`] bytes is
/// cut. `grant` is needed where the group has a posting key.
#[must_use]
#[allow(clippy::too_many_arguments)]
pub fn sign_post(
    identity: &Identity,
    group: GroupId,
    instance: [u8; 8],
    sequence: u64,
    time: u64,
    nick: Option<&str>,
    body: &[u8],
    grant: Option<&[u8]>,
) -> Bytes {
    let mut envelope = Vec::with_capacity(body.len() + 3 + MAX_NICK);
    if let Some(nick) = nick.filter(|nick| !nick.is_empty()) {
        put_option(&mut envelope, NICK, &nick.as_bytes()[..nick.floor_char_boundary(MAX_NICK)]);
    }
    put_marker(&mut envelope);
    envelope.extend_from_slice(body);
    sign(identity, group, (instance, sequence, time), &envelope, grant)
}

/// What a signed post says, as its author's own process sees it, with no hops. Nothing but the form is looked at: this is for
/// posts that [`super::Posting::inject`] has taken.
#[must_use]
pub fn read_post(group: GroupId, signed: &[u8]) -> Option<Post> {
    let post = Signed::parse(signed)?;
    let envelope = post.envelope().filter(|envelope| !envelope.beat)?;
    Some(Post {
        id: post.id(group),
        author: post.author,
        instance: post.instance,
        sequence: post.sequence,
        time: post.time,
        nick: envelope.nick.map(str::to_owned),
        body: Bytes::copy_from_slice(envelope.content),
        hops: 0,
    })
}

/// A beat of `identity`, signed (see [`super`], "The tree").
pub(super) fn sign_beat(identity: &Identity, group: GroupId, name: ([u8; 8], u64, u64), grant: Option<&[u8]>) -> Bytes {
    let mut envelope = Vec::new();
    put_option(&mut envelope, BEAT, &[]);
    put_marker(&mut envelope);
    sign(identity, group, name, &envelope, grant)
}

fn sign(
    identity: &Identity,
    group: GroupId,
    (instance, sequence, time): ([u8; 8], u64, u64),
    envelope: &[u8],
    grant: Option<&[u8]>,
) -> Bytes {
    let numbers = numbers(sequence, time, envelope);
    let parts = [&group.0[..], &identity.peer_id().0, &instance, &numbers, envelope];
    let signature = identity.sign_key().sign(Label::Post, &parts);
    let mut out = Vec::with_capacity(envelope.len() + 400);
    put_counted(&mut out, identity.certificate());
    out.extend_from_slice(&instance);
    vlu::put(&mut out, sequence);
    vlu::put(&mut out, time);
    put_counted(&mut out, grant.unwrap_or_default());
    put_counted(&mut out, envelope);
    out.extend_from_slice(&signature);
    out.into()
}

/// Sequence, time and length of the body, as they are signed.
fn numbers(sequence: u64, time: u64, body: &[u8]) -> [u8; 20] {
    let mut numbers = [0; 20];
    numbers[..8].copy_from_slice(&sequence.to_be_bytes());
    numbers[8..16].copy_from_slice(&time.to_be_bytes());
    numbers[16..].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    numbers
}
