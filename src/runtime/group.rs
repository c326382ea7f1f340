//! A group, as its user holds it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

pub use super::state::GroupItem;
use super::state::{Core, State};
use crate::base::Instant;
use crate::node::{GroupConfig, GroupHandle, Lane, Member};

/// How long [`Group::leave`] waits for neighbours to agree.
const FAREWELL: Duration = Duration::from_secs(2);

/// A group that the host is in. Clones are the same one; it is left when the last of them is dropped.
#[derive(Clone)]
pub struct Group {
    hold: Arc<Hold>,
}

struct Hold {
    core: Arc<Core>,
    handle: GroupHandle,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.core.command(|state, now| {
            state.groups.remove(&self.handle);
            state.node.leave_group(now, self.handle);
        });
    }
}

impl Group {
    pub(super) fn join(core: &Arc<Core>, config: GroupConfig) -> Self {
        let handle = core.command(|state, now| {
            let handle = state.node.join_group(now, config);
            state.groups.entry(handle).or_default();
            handle
        });
        Self { hold: Arc::new(Hold { core: Arc::clone(core), handle }) }
    }

    /// The name by which the node knows it, for [`super::Host::with_node`].
    #[must_use]
    pub fn handle(&self) -> GroupHandle {
        self.hold.handle
    }

    /// Waits for what happens next; `None` once the group was left or the host has been shut down. 64 MiB of events wait
    /// for a reader; what comes beyond is dropped, and [`GroupItem::Lost`] stands in its place.
    pub async fn next(&self) -> Option<GroupItem> {
        let handle = self.hold.handle;
        poll_fn(|cx| {
            self.hold.core.look(|state| {
                let stopped = state.stopped;
                let Some(group) = state.groups.get_mut(&handle) else { return Poll::Ready(None) };
                match group.pop() {
                    Some(item) => Poll::Ready(Some(item)),
                    None if stopped || group.left => Poll::Ready(None),
                    None => {
                        group.waiters.add(cx);
                        Poll::Pending
                    }
                }
            })
        })
        .await
    }

    /// What waits to be read, without waiting.
    #[must_use]
    pub fn try_next(&self) -> Option<GroupItem> {
        self.hold.core.look(|state| state.groups.get_mut(&self.hold.handle)?.pop())
    }

    /// Does something with the member, after which its output is sent; `None` if the group was left.
    pub fn with<R>(&self, run: impl FnOnce(&mut Member, Instant) -> R) -> Option<R> {
        self.hold.core.command(|state: &mut State, now| state.node.with_group(now, self.hold.handle, run))
    }

    /// Looks at the member; `None` if the group was left.
    pub fn look<R>(&self, run: impl FnOnce(&Member) -> R) -> Option<R> {
        self.hold.core.look(|state| state.node.group(self.hold.handle).map(run))
    }

    /// Bytes on this lane that no neighbour has acknowledged yet ([`crate::node::Node::group_backlog`]).
    #[must_use]
    pub fn backlog(&self, lane: Lane) -> usize {
        self.hold.core.look(|state| state.node.group_backlog(self.hold.handle, lane))
    }

    /// Leaves in good order, and waits two seconds at most until that is done.
    pub async fn leave(&self) {
        let handle = self.hold.handle;
        self.hold.core.command(|state, now| state.node.leave_group(now, handle));
        let left = poll_fn(|cx| {
            self.hold.core.look(|state| {
                let stopped = state.stopped;
                match state.groups.get_mut(&handle) {
                    Some(group) if !group.left && !stopped => {
                        group.waiters.add(cx);
                        Poll::Pending
                    }
                    _ => Poll::Ready(()),
                }
            })
        });
        let _ = tokio::time::timeout(FAREWELL, left).await;
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("handle", &self.hold.handle).finish_non_exhaustive()
    }
}
