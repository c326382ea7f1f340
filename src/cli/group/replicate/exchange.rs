//! A library and the group in which its objects go to and fro.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;

use super::disk;
use crate::base::{PeerId, to_hex};
use crate::cli::failure::Failure;
use crate::cli::output::{Event, Output};
use crate::node::files::{ALL, HEAD, Head, read_head};
use crate::node::replication::{HEADROOM, ReplicationEvent};
use crate::node::{Member, MemberEvent};
use crate::runtime::files::{Accepted, Library, PartError};
use crate::runtime::{Group, GroupItem};

/// Files that are looked at at once, whether they are what they were.
const LOOKED_AT: usize = 200;
/// Addresses of which it is remembered whether they are this machine's.
const MAX_HERE: usize = 1_000;

/// What goes to and fro.
pub(super) struct Exchange {
    group: Group,
    out: Output,
    pub(super) library: Library,
    /// Whose head is awaited.
    awaited: Option<[u8; 32]>,
    /// Who gave what: bytes of pieces that were right.
    given: BTreeMap<PeerId, u64>,
    /// Who gave the head, and so is taken for the origin.
    origin: Option<PeerId>,
    /// What there is all of.
    complete: Option<[u8; 32]>,
    /// Whether somebody was told so.
    pub(super) told: bool,
    /// Whether others' traffic goes first; `None` for unless all neighbours are here.
    polite: Option<bool>,
    /// What was decided last.
    yields: Option<bool>,
    /// Addresses, and whether they are this machine's.
    here: BTreeMap<IpAddr, bool>,
}

/// What concerns whoever fetches.
pub(super) enum Came {
    /// The head that was awaited.
    Head(Head),
    /// A piece that was missing.
    Piece {
        /// Of which file.
        hash: [u8; 32],
        /// All its pieces are there now.
        whole: bool,
    },
    /// Events were lost, objects perhaps among them.
    Gap,
}

impl Exchange {
    pub(super) fn new(group: Group, out: Output, library: Library, polite: Option<bool>) -> Self {
        Self {
            group,
            out,
            library,
            awaited: None,
            given: BTreeMap::new(),
            origin: None,
            complete: None,
            told: false,
            polite,
            yields: None,
            here: BTreeMap::new(),
        }
    }

    /// Decides anew whether others' traffic goes first, after neighbours have come or gone.
    fn mind(&mut self) {
        let found = |member: &Member| member.membership().remotes().map(|remote| remote.ip()).collect();
        let remotes: BTreeSet<IpAddr> = self.group.look(found).unwrap_or_default();
        let yields = self.polite.unwrap_or_else(|| !remotes.iter().all(|ip| self.is_here(*ip)));
        if self.yields.replace(yields) != Some(yields) {
            let _ = self.group.with(|member, _| member.set_replication_polite(yields));
        }
    }

    /// Whether an address is this machine's: then a socket can have it.
    fn is_here(&mut self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if self.here.len() > MAX_HERE {
            self.here.clear();
        }
        let asked = || ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok();
        *self.here.entry(ip).or_insert_with(asked)
    }

    /// Takes what happens in the group.
    pub(super) fn take(&mut self, item: &GroupItem) -> Result<Option<Came>, Failure> {
        match item {
            GroupItem::Lost(_) => Ok(Some(Came::Gap)),
            GroupItem::Event(MemberEvent::Replication(event)) => match event {
                ReplicationEvent::Request { index, request, .. } => {
                    let (found, failed) = match self.object(*index) {
                        Ok(found) => (found, None),
                        Err(error) => (None, Some(error)),
                    };
                    let _ = self.group.with(|member, now| match found {
                        Some(object) => member.write_requested_buffer(now, *request, object),
                        None => member.deny_requested_object(now, *request),
                    });
                    if let (Some(error), Some((hash, _))) = (failed, self.library.owner(*index)) {
                        self.withdraw(&hash, error);
                    }
                    Ok(None)
                }
                ReplicationEvent::FetchResult { index, object, from } => self.came(*index, object, *from),
                ReplicationEvent::Misbehaved { peer, reason } => {
                    self.out.say(format_args!("{peer:?} is left: it sent {reason}"));
                    Ok(None)
                }
                _ => Ok(None),
            },
            GroupItem::Event(MemberEvent::Membership(_)) => {
                self.mind();
                Ok(None)
            }
            GroupItem::Event(_) => Ok(None),
        }
    }

    /// An object, behind the room that its message needs.
    fn object(&mut self, index: u64) -> Result<Option<Vec<u8>>, PartError> {
        match self.library.owner(index) {
            Some((hash, ALL)) => {
                let complete = self.complete == Some(hash);
                self.told |= complete;
                Ok(complete.then(|| vec![0; HEADROOM]))
            }
            _ => self.library.object_behind(HEADROOM, index),
        }
    }

    fn came(&mut self, index: u64, object: &Bytes, from: PeerId) -> Result<Option<Came>, Failure> {
        if let Some((hash, HEAD)) = self.library.owner(index) {
            if self.awaited != Some(hash) {
                self.good(index);
                return Ok(None);
            }
            let Ok(head) = read_head(hash, object) else {
                self.bad(index, from);
                return Ok(None);
            };
            self.awaited = None;
            self.good(index);
            self.origin.get_or_insert(from);
            *self.given.entry(from).or_default() += head.data.len() as u64;
            return Ok(Some(Came::Head(head)));
        }
        match self.library.accept(index, object).map_err(disk)? {
            Accepted::Kept { hash, bytes, whole, .. } => {
                *self.given.entry(from).or_default() += bytes as u64;
                self.have(index..index + 1);
                Ok(Some(Came::Piece { hash, whole }))
            }
            Accepted::Refused => {
                self.bad(index, from);
                Ok(None)
            }
            Accepted::Needless => {
                self.good(index);
                Ok(None)
            }
        }
    }

    fn good(&self, index: u64) {
        let _ = self.group.with(|member, now| member.good_object(now, index));
    }

    fn bad(&self, index: u64, from: PeerId) {
        let _ = self.group.with(|member, now| member.bad_object(now, index, from));
    }

    pub(super) fn have(&self, indices: Range<u64>) {
        let _ = self.group.with(|member, now| member.add_have_objects(now, indices));
    }

    pub(super) fn have_not(&self, indices: Range<u64>) {
        let _ = self.group.with(|member, now| member.remove_have_objects(now, indices));
    }

    pub(super) fn want(&self, indices: Range<u64>) {
        let _ = self.group.with(|member, now| member.add_want_objects(now, indices));
    }

    /// Announces what there is of a file.
    pub(super) fn announce(&self, hash: &[u8; 32]) {
        self.library.given(hash).into_iter().for_each(|indices| self.have(indices));
    }

    /// Wants what is missing of a file.
    pub(super) fn want_missing(&self, hash: &[u8; 32]) {
        self.library.missing(hash).into_iter().for_each(|indices| self.want(indices));
    }

    /// Wants the head of a file.
    pub(super) fn want_head(&mut self, hash: [u8; 32]) {
        self.awaited = Some(hash);
        let base = self.library.reserve(hash);
        self.want(base + HEAD..base + HEAD + 1);
    }

    /// Says that all is here, to whoever wants to know.
    pub(super) fn announce_all(&mut self, root: &[u8; 32]) {
        self.complete = Some(*root);
        if let Some(base) = self.library.base(root) {
            self.have(base + ALL..base + ALL + 1);
        }
    }

    /// Neighbours that say that they have all; to be called again and again, since it wants to know anew what they say next.
    pub(super) fn others(&self, root: &[u8; 32]) -> Vec<PeerId> {
        let Some(base) = self.library.base(root) else { return Vec::new() };
        let index = base + ALL..base + ALL + 1;
        self.want(index.clone());
        let holders = |member: &Member| Some(member.replication()?.holders(index).collect());
        self.group.look(holders).flatten().unwrap_or_default()
    }

    /// Looks whether what is shared is what it was; to be called again and again.
    pub(super) fn look_after(&mut self) {
        for (hash, why) in self.library.changed(LOOKED_AT) {
            self.withdraw(&hash, why);
        }
    }

    /// A file that cannot be read any more is not given.
    fn withdraw(&mut self, hash: &[u8; 32], why: PartError) {
        for indices in self.library.given(hash) {
            self.have_not(indices);
        }
        self.library.drop_file(hash);
        if let Some(root) = self.complete.take()
            && let Some(base) = self.library.base(&root)
        {
            self.have_not(base + ALL..base + ALL + 1);
        }
        let why = disk(why).to_string();
        self.out.say(format_args!("not shared any more: {why}"));
        let _ = self.out.event(Event::new("withdrawn").with("hash", to_hex(hash)).with("why", why));
    }

    /// Bytes of objects sent to others.
    pub(super) fn sent(&self) -> u64 {
        self.group.look(|member| member.replication().map(|all| all.stats().sent_bytes)).flatten().unwrap_or(0)
    }

    pub(super) fn neighbours(&self) -> usize {
        self.group.look(|member| member.view().neighbours().len()).unwrap_or(0)
    }

    /// How many gave something.
    pub(super) fn givers(&self) -> usize {
        self.given.len()
    }

    /// Bytes of pieces, and those of them that came from others than the origin.
    pub(super) fn received(&self) -> (u64, u64) {
        let all: u64 = self.given.values().sum();
        let origin = self.origin.and_then(|origin| self.given.get(&origin)).copied().unwrap_or(all);
        (all, all - origin)
    }
}
