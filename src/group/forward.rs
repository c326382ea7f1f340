//! Nearest-hop forwarding: whom a message that looks for an address is handed to. Routing and storage share it.
//!
//! **The rule.** A member X has a message for the address T. Some members *take* it: with [`Goal::exact`] the one at T alone;
//! otherwise those in receive mode nearest, and the one at T (storage asks everybody, [`Goal::any_mode`]). Unless the goal is
//! exact, neighbours that do not take it are left out altogether. Distances are those on the ring by the shorter way.
//!
//! 1. *Greedy.* If a neighbour is nearer to T than X and than all that the message has visited on its detour, the nearest such
//!    neighbour gets it, and the detour, if there was one, is over. So each hop is strictly nearer, and no message circles.
//! 2. *Detour.* Otherwise, if X knows of a member that is nearer than all of these, but is no neighbour, then the two may be
//!    unable to connect (two symmetric NATs, say), or it may be gone. X enters itself in the message's list of visited
//!    members and hands it to the neighbour, not visited yet, that is nearest to that member: its neighbours on the ring are
//!    the likeliest to be connected to it. A detour has at most [`MAX_DETOUR`] hops; each member on it decides by this
//!    same rule, so that a common neighbour ends it by rule 1.
//! 3. *Settling.* Otherwise nobody knows better, or the detour has been long enough. The message is marked as settling, goes back to
//!    the nearest of those visited and of X that takes it, and ends there. It goes straight there if that member is a neighbour,
//!    else back along the list. On the way rule 1 still holds, rule 2 does not. If the way back is broken it ends where it is.
//! 4. If nobody visited takes it, there is no way.
//!
//! A member that is dead, but still in somebody's list of members, thus costs a detour there and back, and nothing else. A dead
//! neighbour is noticed by [`super::Relay`], which asks again without it.
//!
//! **On the wire** ([`Trail`]): VLU count, at most [`MAX_VISITED`]; then for each member in the order of the visits a byte,
//! `01` if it takes the message and `00` if not, and its group address (32 bytes).

use super::address::GroupAddress;
use super::view::{Neighbour, ReceiveMode, View};
use crate::base::PeerId;
use crate::wire::{DecodeError, vlu};

/// Members that a message can have on its list.
pub const MAX_VISITED: usize = 16;
/// Hops of one detour at most.
pub const MAX_DETOUR: usize = 6;

/// Whom a message looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// The address.
    pub target: GroupAddress,
    /// Only for the member at this very address.
    pub exact: bool,
    /// Whatever receive mode members are in.
    pub any_mode: bool,
}

impl Goal {
    /// Whether a member takes the message, when nobody is nearer.
    #[must_use]
    pub fn is_taken_by(&self, address: GroupAddress, mode: ReceiveMode) -> bool {
        address == self.target || (!self.exact && (self.any_mode || mode == ReceiveMode::Nearest))
    }

    /// Whether a member may be on the way.
    fn passes(&self, neighbour: &Neighbour) -> bool {
        self.exact || self.is_taken_by(neighbour.address, neighbour.mode)
    }
}

/// Where a message on a detour has been.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    visited: Vec<(GroupAddress, bool)>,
    /// On its way to the nearest of those visited.
    pub settling: bool,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It ends here.
    Here,
    /// Hand it on.
    To(PeerId),
    /// Nobody takes it.
    NoWay,
}

impl Trail {
    /// The members on the list, in the order of the visits.
    pub fn visited(&self) -> impl ExactSizeIterator<Item = GroupAddress> + '_ {
        self.visited.iter().map(|(address, _)| *address)
    }

    /// Appends it to a message, without the mark of settling.
    pub fn encode(&self, out: &mut Vec<u8>) {
        vlu::put(out, self.visited.len() as u64);
        for (address, takes) in &self.visited {
            out.push(u8::from(*takes));
            out.extend_from_slice(&address.0);
        }
    }

    /// Takes it off the front of `from`.
    ///
    /// # Errors
    /// If it is truncated or longer than [`MAX_VISITED`].
    pub fn take(from: &mut &[u8], settling: bool) -> Result<Self, DecodeError> {
        let count = vlu::take(from)?;
        if count > MAX_VISITED as u64 {
            return Err(DecodeError::TooLarge);
        }
        let (entries, rest) = from.split_at_checked(count as usize * 33).ok_or(DecodeError::Truncated)?;
        let mut visited = Vec::with_capacity(count as usize);
        for entry in entries.chunks_exact(33) {
            let address = entry[1..].try_into().map_err(|_| DecodeError::Truncated)?;
            visited.push((GroupAddress(address), entry[0] & 1 == 1));
        }
        *from = rest;
        Ok(Self { visited, settling })
    }

    fn has(&self, address: GroupAddress) -> bool {
        self.visited.iter().any(|(visited, _)| *visited == address)
    }
}

/// The rule: whom the message for `goal` goes to next. `trail` is brought up to date for whoever gets it; `shunned` are
/// neighbours that are left out, because they do not answer.
pub fn next_step(view: &View, goal: &Goal, trail: &mut Trail, shunned: &dyn Fn(PeerId) -> bool) -> Step {
    let target = goal.target;
    let me = view.address();
    if me == target {
        return Step::Here;
    }
    let takes = goal.is_taken_by(me, view.mode());
    // The nearest so far that takes it; without one, any neighbour that takes it is progress.
    let been = trail.visited.iter().filter(|(_, takes)| *takes || goal.exact).map(|(address, _)| *address);
    let best = been.chain((takes || goal.exact).then_some(me)).map(|address| (address.distance(target), address)).min();
    let open =
        |neighbour: &&Neighbour| goal.passes(neighbour) && !trail.has(neighbour.address) && !shunned(neighbour.peer);
    let nearest = |to: GroupAddress| view.neighbours().filter(open).min_by_key(|n| n.address.distance(to));
    if let Some(next) = nearest(target)
        && best.is_none_or(|(distance, _)| next.address.distance(target) < distance)
    {
        *trail = Trail::default();
        return Step::To(next.peer);
    }
    if !trail.settling && trail.visited.len() < MAX_DETOUR {
        let unreached =
            view.nearest(target, MAX_VISITED + 1).into_iter().filter(|peer| *peer != view.me()).find(|peer| {
                let address = GroupAddress::of(*peer);
                best.is_none_or(|(distance, _)| address.distance(target) < distance)
                    && view.neighbour(*peer).is_none()
                    && !trail.has(address)
            });
        if let Some(next) = unreached.and_then(|peer| nearest(GroupAddress::of(peer))) {
            let next = next.peer;
            trail.visited.push((me, takes));
            return Step::To(next);
        }
    }
    settle(view, goal, trail, best.map(|(_, address)| address), shunned)
}

/// Rule 3.
fn settle(
    view: &View,
    goal: &Goal,
    trail: &mut Trail,
    best: Option<GroupAddress>,
    shunned: &dyn Fn(PeerId) -> bool,
) -> Step {
    let me = view.address();
    let takes = goal.is_taken_by(me, view.mode());
    let Some(best) = best.filter(|_| !goal.exact) else { return Step::NoWay };
    if best == me {
        return Step::Here;
    }
    trail.settling = true;
    let index = |address| trail.visited.iter().position(|(visited, _)| *visited == address);
    let from = index(best).unwrap_or(0);
    let to = index(me).unwrap_or(trail.visited.len());
    let back = trail.visited.get(from..to).unwrap_or_default().iter().find_map(|(address, _)| {
        let peer = view.neighbours().find(|neighbour| neighbour.address == *address)?.peer;
        (!shunned(peer)).then_some(peer)
    });
    match back {
        Some(peer) => Step::To(peer),
        None if takes => Step::Here,
        None => Step::NoWay,
    }
}
