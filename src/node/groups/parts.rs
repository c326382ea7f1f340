//! What a node keeps of its groups; what it does with them stands in the files beside this one.

use std::collections::BTreeMap;

use super::super::event::GroupHandle;
use super::super::member::Member;

/// The groups of a node.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(super) joined: BTreeMap<GroupHandle, Joined>,
}

/// One membership.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) member: Member,
}
