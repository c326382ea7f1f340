//! A parsed groupspec.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::GroupspecError;
use super::key::PasswordKey;
use super::option::{IpMulticast, PasswordHash, SpecOption, kind};
use crate::base::{PeerId, from_hex, to_hex};
use crate::wire::{OptionIter, WireOption, put_marker, put_option, vlu};

/// The longest text of a groupspec, in characters. A bootstrap peer takes 70.
pub const MAX_TEXT: usize = 64 << 10;

/// A group's name: what the rendezvous and neighbours are told (section 1.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub [u8; 32]);

/// A parsed groupspec: what a group is, how to reach it, and what its holder may do. Its text is a secret, since whoever has
/// it can join; `Debug` shows the group ID only.
///
/// Which group it is depends on its text: one with the same options in another order, or with upper-case digits, is
/// another group (section 1.4). So the text is kept as it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Groupspec {
    text: Zeroizing<String>,
    /// How much of the text is T of section 1.4: what stands before the Marker that ends the canonical part.
    secret_len: usize,
    id: GroupId,
    version: u64,
    canonical: Vec<SpecOption>,
    tail: Vec<SpecOption>,
    posting_key: Option<PasswordKey>,
    publishing_key: Option<PasswordKey>,
}

impl Groupspec {
    /// Reads a groupspec: options in any order, unknown ones too, digits in either case.
    ///
    /// # Errors
    /// [`GroupspecError`] says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, GroupspecError> {
        let digits = text.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("G:")).map(|_| &text[2..]);
        let digits = digits.ok_or(GroupspecError::Prefix)?;
        if text.len() > MAX_TEXT {
            return Err(GroupspecError::TooLong);
        }
        if let Some((at, found)) = digits.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
            return Err(GroupspecError::Digit { at: at + 1, found });
        }
        let odd = GroupspecError::Odd { digits: digits.len() };
        if digits.is_empty() {
            return Err(odd);
        }
        let bytes = Zeroizing::new(from_hex(digits).map_err(|_| odd)?);
        let (canonical, marker) = read(&bytes, 0, true)?;
        let (tail, _) = read(&bytes, marker.end, false)?;
        let (version, posting_key, publishing_key) =
            (version(&canonical)?, key(&canonical, kind::POSTING_KEY)?, key(&canonical, kind::PUBLISHING_KEY)?);
        let text = Zeroizing::new(format!("G:{digits}"));
        let secret_len = 2 + 2 * marker.start;
        let id = group_id(&text.as_bytes()[..secret_len], version);
        let bare = |options: Vec<(usize, SpecOption)>| options.into_iter().map(|(_, option)| option).collect();
        Ok(Self {
            text,
            secret_len,
            id,
            version,
            canonical: bare(canonical),
            tail: bare(tail),
            posting_key,
            publishing_key,
        })
    }

    /// The groupspec with these options, written as Flash writes them.
    pub(super) fn of_options(canonical: &[SpecOption], tail: &[SpecOption]) -> Result<Self, GroupspecError> {
        let mut bytes = Zeroizing::new(Vec::new());
        canonical.iter().for_each(|option| put_option(&mut bytes, option.kind, &option.value));
        put_marker(&mut bytes);
        tail.iter().for_each(|option| put_option(&mut bytes, option.kind, &option.value));
        Self::parse(&Zeroizing::new(format!("G:{}", *Zeroizing::new(to_hex(&bytes)))))
    }

    /// Its group's name.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// T, which proves membership (section 3.5).
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.text.as_bytes()[..self.secret_len]
    }

    /// The whole text, as it was given. A secret.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// 1 or 2.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The options that make the group what it is, in the order of the text.
    #[must_use]
    pub fn canonical_options(&self) -> &[SpecOption] {
        &self.canonical
    }

    /// The options behind them: where the group is to be found, and passwords in clear.
    #[must_use]
    pub fn tail_options(&self) -> &[SpecOption] {
        &self.tail
    }

    /// The name, if there is one; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.canonical_values(kind::NAME).next().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether chance makes it a group of its own (`makeUnique`). Without that it can be found by guessing its name.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.canonical_values(kind::NAME).nth(1).is_some_and(|chance| chance.len() >= 16)
    }

    /// Whether its members post.
    #[must_use]
    pub fn posting(&self) -> bool {
        self.has(kind::POSTING)
    }

    /// Whether its members multicast streams.
    #[must_use]
    pub fn multicast(&self) -> bool {
        self.has(kind::MULTICAST)
    }

    /// Whether its members replicate objects.
    #[must_use]
    pub fn object_replication(&self) -> bool {
        self.has(kind::OBJECT_REPLICATION)
    }

    /// Whether its members route messages.
    #[must_use]
    pub fn routing(&self) -> bool {
        self.has(kind::ROUTING)
    }

    /// Whether members may find each other through the rendezvous.
    #[must_use]
    pub fn server_channel(&self) -> bool {
        self.has(kind::SERVER_CHANNEL)
    }

    /// Whether members must not connect to each other.
    #[must_use]
    pub fn peer_to_peer_disabled(&self) -> bool {
        self.has(kind::PEER_TO_PEER_DISABLED)
    }

    /// Whether members find each other by IP multicast.
    #[must_use]
    pub fn member_updates(&self) -> bool {
        self.has(kind::MEMBER_UPDATES)
    }

    /// The key whose grants posts and stored values need, if any.
    #[must_use]
    pub const fn posting_key(&self) -> Option<PasswordKey> {
        self.posting_key
    }

    /// The key whose grants streams need, if any.
    #[must_use]
    pub const fn publishing_key(&self) -> Option<PasswordKey> {
        self.publishing_key
    }

    /// Flash's posting password, which is advisory: other programs need not ask for it.
    #[must_use]
    pub fn posting_password_hash(&self) -> Option<PasswordHash> {
        self.canonical_values(kind::POSTING_PASSWORD_HASH).next().and_then(PasswordHash::decode)
    }

    /// Flash's publish password, which is advisory.
    #[must_use]
    pub fn publish_password_hash(&self) -> Option<PasswordHash> {
        self.canonical_values(kind::PUBLISH_PASSWORD_HASH).next().and_then(PasswordHash::decode)
    }

    /// Flash's posting password in clear, if the groupspec brings it along.
    #[must_use]
    pub fn posting_password(&self) -> Option<Zeroizing<String>> {
        self.clear_password(kind::POSTING_PASSWORD)
    }

    /// Flash's publish password in clear, if the groupspec brings it along.
    #[must_use]
    pub fn publish_password(&self) -> Option<Zeroizing<String>> {
        self.clear_password(kind::PUBLISH_PASSWORD)
    }

    /// Members to begin with. Malformed ones are passed over.
    #[must_use]
    pub fn bootstrap_peers(&self) -> Vec<PeerId> {
        self.tail_values(kind::BOOTSTRAP_PEER).filter_map(|id| id.try_into().ok().map(PeerId)).collect()
    }

    /// Its IP multicast addresses. Malformed ones are passed over.
    #[must_use]
    pub fn ip_multicast(&self) -> Vec<IpMulticast> {
        self.tail_values(kind::IP_MULTICAST).filter_map(IpMulticast::decode).collect()
    }

    /// The same group without passwords in clear.
    #[must_use]
    pub fn without_authorizations(&self) -> Self {
        let kept: Vec<SpecOption> = self.tail.iter().filter(|option| !is_authorization(option)).cloned().collect();
        if kept.len() == self.tail.len() {
            return self.clone();
        }
        self.with_tail(&kept).expect("the same options, fewer of them")
    }

    /// The passwords in clear alone, as hex digits to be put behind a groupspec: GroupSpecifier's `authorizations()`.
    #[must_use]
    pub fn authorizations(&self) -> Zeroizing<String> {
        encode_tail(self.tail.iter().filter(|option| is_authorization(option)))
    }

    /// The same group with more options behind it, as [`Groupspec::authorizations`] and Flash's `encode…` methods give them.
    ///
    /// # Errors
    /// They are no options.
    pub fn with_authorizations(&self, digits: &str) -> Result<Self, GroupspecError> {
        Self::parse(&Zeroizing::new(format!("{}{digits}", *self.text)))
    }

    /// The groupspec with the same options in Flash's order (section 1.3), in lower case and in the shortest form. Where this
    /// changes the canonical part, it is another group.
    #[must_use]
    pub fn in_flash_order(&self) -> Self {
        let sorted = |options: &[SpecOption]| {
            let mut sorted = options.to_vec();
            sorted.retain(|option| option.kind != kind::VERSION || self.version != 1);
            sorted.sort_by_key(rank);
            sorted
        };
        Self::of_options(&sorted(&self.canonical), &sorted(&self.tail)).expect("the same options in another order")
    }

    /// The same canonical part, to the letter, with other options behind it.
    fn with_tail(&self, tail: &[SpecOption]) -> Result<Self, GroupspecError> {
        let secret = &self.text[..self.secret_len];
        Self::parse(&Zeroizing::new(format!("{secret}00{}", *encode_tail(tail))))
    }

    fn has(&self, kind: u64) -> bool {
        self.canonical_values(kind).next().is_some()
    }

    fn canonical_values(&self, kind: u64) -> impl Iterator<Item = &[u8]> {
        values(&self.canonical, kind)
    }

    fn tail_values(&self, kind: u64) -> impl Iterator<Item = &[u8]> {
        values(&self.tail, kind)
    }

    fn clear_password(&self, kind: u64) -> Option<Zeroizing<String>> {
        let value = self.tail_values(kind).next()?;
        std::str::from_utf8(value).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

/// Where an option stands in Flash's order. Ours follow, then unknown ones in the order that they have, then passwords in
/// clear.
pub(super) fn rank(option: &SpecOption) -> usize {
    const ORDER: [u64; 14] = [
        kind::VERSION,
        kind::ROUTING,
        kind::MULTICAST,
        kind::OBJECT_REPLICATION,
        kind::POSTING,
        kind::PUBLISH_PASSWORD_HASH,
        kind::POSTING_PASSWORD_HASH,
        kind::IP_MULTICAST,
        kind::BOOTSTRAP_PEER,
        kind::SERVER_CHANNEL,
        kind::PEER_TO_PEER_DISABLED,
        kind::NAME,
        kind::MEMBER_UPDATES,
        kind::POSTING_KEY,
    ];
    match option.kind {
        kind::PUBLISHING_KEY => ORDER.len(),
        kind::PUBLISH_PASSWORD => ORDER.len() + 2,
        kind::POSTING_PASSWORD => ORDER.len() + 3,
        kind => ORDER.iter().position(|&known| known == kind).unwrap_or(ORDER.len() + 1),
    }
}

fn is_authorization(option: &SpecOption) -> bool {
    matches!(option.kind, kind::PUBLISH_PASSWORD | kind::POSTING_PASSWORD)
}

fn encode_tail<'a>(options: impl IntoIterator<Item = &'a SpecOption>) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::new());
    options.into_iter().for_each(|option| put_option(&mut bytes, option.kind, &option.value));
    Zeroizing::new(to_hex(&bytes))
}

fn values(options: &[SpecOption], kind: u64) -> impl Iterator<Item = &[u8]> {
    options.iter().filter(move |option| option.kind == kind).map(|option| &option.value[..])
}

/// The options from byte `start` on, with where each begins, and the Marker. In the canonical part the Marker ends them;
/// behind it there should be none, and one is passed over.
#[expect(clippy::type_complexity, reason = "two halves of one answer")]
fn read(
    bytes: &[u8],
    start: usize,
    to_marker: bool,
) -> Result<(Vec<(usize, SpecOption)>, std::ops::Range<usize>), GroupspecError> {
    let mut options = OptionIter(&bytes[start..]);
    let mut found = Vec::new();
    loop {
        let at = bytes.len() - options.rest().len();
        match options.next() {
            Some(Ok(WireOption::Option { kind, value })) => found.push((at, SpecOption::new(kind, value))),
            Some(Ok(WireOption::Marker)) if to_marker => return Ok((found, at..bytes.len() - options.rest().len())),
            Some(Ok(WireOption::Marker)) => {}
            Some(Err(_)) => return Err(GroupspecError::Truncated { at: place(at) }),
            None if to_marker => return Err(GroupspecError::Unended),
            None => return Ok((found, at..at)),
        }
    }
}

/// The character behind `G:`, counted from 1, at which byte `at` begins.
const fn place(at: usize) -> usize {
    2 * at + 1
}

fn version(options: &[(usize, SpecOption)]) -> Result<u64, GroupspecError> {
    let Some((_, option)) = options.iter().find(|(_, option)| option.kind == kind::VERSION) else { return Ok(1) };
    match vlu::take(&mut &option.value[..]).unwrap_or(0) {
        version @ (1 | 2) => Ok(version),
        version => Err(GroupspecError::Version { version }),
    }
}

/// The key of this type, of which there is one at most.
fn key(options: &[(usize, SpecOption)], kind: u64) -> Result<Option<PasswordKey>, GroupspecError> {
    let mut found = None;
    for (at, option) in options.iter().filter(|(_, option)| option.kind == kind) {
        let key = PasswordKey::decode(&option.value).filter(|_| found.is_none());
        found = Some(key.ok_or(GroupspecError::Key { kind, at: place(*at) })?);
    }
    Ok(found)
}

fn group_id(secret: &[u8], version: u64) -> GroupId {
    let once = Sha256::digest(secret);
    GroupId(if version == 1 { once.into() } else { Sha256::digest(once).into() })
}

impl FromStr for Groupspec {
    type Err = GroupspecError;

    fn from_str(text: &str) -> Result<Self, GroupspecError> {
        Self::parse(text)
    }
}

impl FromStr for GroupId {
    type Err = crate::base::ParseHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|PeerId(bytes)| Self(bytes))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}…", to_hex(&self.0[..4]))
    }
}

impl fmt::Debug for Groupspec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Groupspec").field(&self.id).finish()
    }
}
