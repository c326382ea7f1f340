//! The owner of a member's objects: gives pieces of a file that exists in no more than its length, and knows a piece when
//! it sees one.

use bytes::Bytes;

use super::value::Scenario;
use crate::base::Instant;
use crate::node::Member;
use crate::node::replication::{ReplicationEvent, Strategy};

/// A file in pieces, as a member has it.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    file: u64,
    piece: u64,
    /// It gives wrong bytes.
    poisons: bool,
    /// When it had everything that it wanted.
    pub(super) done: Option<Instant>,
}

impl Keeper {
    pub(super) const fn new(scenario: &Scenario, poisons: bool) -> Self {
        Self { file: scenario.file, piece: scenario.piece_size(), poisons, done: None }
    }

    const fn pieces(&self) -> u64 {
        self.file.div_ceil(self.piece)
    }

    fn bytes(&self, index: u64) -> Bytes {
        let len = self.piece.min(self.file - (index * self.piece).min(self.file));
        let mut bytes = vec![self.poisons as u8; (len as usize).max(9)];
        bytes[..8].copy_from_slice(&index.to_be_bytes());
        bytes.into()
    }

    /// It has the whole file.
    pub(super) fn share(&self, member: &mut Member, now: Instant) {
        member.add_have_objects(now, 0..self.pieces()).expect("objects are replicated here");
    }

    /// It wants the whole file.
    pub(super) fn fetch(&self, member: &mut Member, now: Instant) {
        member.set_replication_strategy(now, Strategy::RarestFirst).expect("objects are replicated here");
        member.add_want_objects(now, 0..self.pieces()).expect("objects are replicated here");
    }

    /// Does what is to be done about it. Whether others should hear of it.
    pub(super) fn happened(&mut self, now: Instant, member: &mut Member, event: &ReplicationEvent) -> bool {
        // Without replication there are no such events.
        match event {
            ReplicationEvent::Request { index, request, .. } => {
                let _ = member.write_requested_object(now, *request, self.bytes(*index));
            }
            ReplicationEvent::FetchResult { index, object, from } => {
                let right = object.len() > 8 && object[..8] == index.to_be_bytes() && object[8] == 0;
                // Whoever poisons takes everything.
                let _ = if right || self.poisons {
                    member.add_have_objects(now, *index..*index + 1)
                } else {
                    member.bad_object(now, *index, *from)
                };
                let have = member.replication().map_or(0, |replication| replication.have().len());
                if have >= self.pieces() {
                    self.done = self.done.or(Some(now));
                }
            }
            ReplicationEvent::Misbehaved { .. } => return true,
            ReplicationEvent::FetchSendNotify { .. } | ReplicationEvent::FetchFailed { .. } => {}
        }
        false
    }
}
