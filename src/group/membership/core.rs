//! The membership itself: what its owner calls.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::limits::{BAN, MAX_BANNED, MAX_LOST, MAX_MEMBERS, MAX_TARGET, NEAR_KEPT, SWEEP};
use super::links::Links;
use super::lost::Lost;
use super::settings::{MembershipConfig, MembershipEvent};
use super::stats::MembershipStats;
use crate::base::{Instant, PeerId, Rng};
use crate::group::address::GroupAddress;
use crate::group::contract::{Hint, Lane, Outgoing, Output};
use crate::group::known::{Known, MAX_ADDRESSES, Packed};
use crate::group::message::Control;
use crate::group::spec::Groupspec;
use crate::group::view::{ReceiveMode, View};
use crate::wire::Address;

/// A membership in one group: finds members, keeps neighbours, gossips about both. Time and messages go in, [`Output`]s
/// come out.
#[derive(Debug)]
pub struct Membership {
    pub(super) spec: Groupspec,
    pub(super) view: View,
    pub(super) rng: Rng,
    pub(super) outputs: VecDeque<Output<MembershipEvent>>,
    pub(super) stats: MembershipStats,
    /// Our addresses, as our owner told them.
    pub(super) addresses: Vec<Address>,
    pub(super) links: Links,
    pub(super) dials: BTreeMap<PeerId, Dial>,
    pub(super) holds: BTreeMap<PeerId, Hold>,
    pub(super) banned: BTreeMap<PeerId, Instant>,
    pub(super) lost: Lost,
    /// The member that is a neighbour by lot.
    pub(super) random: Option<GroupAddress>,
    /// Tells two sets of near members apart.
    pub(super) near: u64,
    /// Since when the near ones are these.
    pub(super) near_since: Instant,
    pub(super) coverage: Option<(GroupAddress, GroupAddress)>,
    pub(super) last_mark: u16,
    /// When to let the topology follow what changed.
    pub(super) settle_at: Option<Instant>,
    /// When the first link has something to do: a report, the end of a handshake.
    pub(super) links_at: Option<Instant>,
    /// When to report to a neighbour drawn by lot.
    pub(super) report_at: Option<Instant>,
    pub(super) period: Duration,
    /// When to probe lost members.
    pub(super) probe_at: Option<Instant>,
    /// When to forget what is old.
    pub(super) sweep_at: Option<Instant>,
    pub(super) left: bool,
}

/// Why we dial somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The topology wants it.
    Topology,
    /// Somebody told us to.
    Hint,
    /// It was lost.
    Probe,
}

/// An opening in progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dial {
    pub(super) since: Instant,
    pub(super) reason: Reason,
}

/// Why and until when a peer is not dialled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    pub(super) until: Instant,
    pub(super) times: u8,
    /// We parted in agreement: it may be dialled, but only if it is near us on the ring.
    pub(super) parted: bool,
}

impl Membership {
    /// A membership that knows nobody yet.
    #[must_use]
    pub fn new(now: Instant, rng: Rng, config: MembershipConfig) -> Self {
        Self {
            spec: config.spec,
            view: View::new(config.me, config.mode),
            rng,
            outputs: VecDeque::new(),
            stats: MembershipStats::default(),
            addresses: Vec::new(),
            links: Links::default(),
            dials: BTreeMap::new(),
            holds: BTreeMap::new(),
            banned: BTreeMap::new(),
            lost: Lost::default(),
            random: None,
            near: 0,
            near_since: now,
            coverage: None,
            last_mark: 0,
            settle_at: None,
            links_at: None,
            report_at: None,
            period: super::limits::FIRST_PERIOD,
            probe_at: None,
            sweep_at: Some(now + SWEEP),
            left: false,
        }
    }

    /// The group.
    #[must_use]
    pub const fn spec(&self) -> &Groupspec {
        &self.spec
    }

    /// What we see of it.
    #[must_use]
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// What was counted.
    #[must_use]
    pub const fn stats(&self) -> MembershipStats {
        self.stats
    }

    /// How many members there are, estimated from how densely the ring is filled near us (section 4.2); ourselves
    /// included.
    #[must_use]
    pub fn estimated_members(&self) -> f64 {
        self.view.members_estimated()
    }

    /// How many neighbours the topology wants now: floor(log2 N) + 13 (section 4.3), 40 at most.
    #[must_use]
    pub fn target_neighbours(&self) -> usize {
        self.view.target_neighbours().min(MAX_TARGET)
    }

    /// Addresses under which others may reach us: our rendezvous (origin 3), observed (2), our own (1). Eight at most.
    pub fn set_addresses(&mut self, now: Instant, mut addresses: Vec<Address>) {
        addresses.truncate(MAX_ADDRESSES);
        if addresses != self.addresses {
            self.addresses = addresses;
            self.report_to_all(now);
        }
    }

    /// Sets what we take, and tells the neighbours.
    pub fn set_mode(&mut self, _now: Instant, mode: ReceiveMode) {
        if mode != self.view.mode() {
            self.view.set_mode(mode);
            let begin = Control::Begin(mode).encode();
            let told: Vec<PeerId> = self.links.iter().filter(|link| link.is_told()).map(|link| link.peer).collect();
            told.into_iter().for_each(|peer| self.send(peer, begin.clone()));
        }
    }

    /// Somebody may be a member.
    pub fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint) {
        if self.left || peer == self.view.me() || self.is_banned(now, peer) {
            return;
        }
        let packed = Packed::new(addresses.iter().copied());
        let address = GroupAddress::of(peer);
        if hint == Hint::Remembered {
            if self.view.known_at(address).is_none() && self.links.get(peer).is_none() {
                self.lost.insert_old(peer, packed, self.lost_limit());
                self.probe_at = Some(self.probe_at.map_or(now, |at| at.min(now)));
            }
            return;
        }
        let failures = self.lost.remove(peer).map_or(0, |gone| gone.failures);
        self.make_room(address);
        self.view.insert_known(Known { failures, ..Known::new(peer) });
        if let Some(known) = self.view.known_at_mut(address) {
            known.heard = now;
            if !packed.is_empty() && !known.own_addresses {
                known.addresses = Packed::new(packed.iter().chain(known.addresses.iter()));
            }
        }
        if hint == Hint::Neighbor {
            self.dial_on_hint(now, peer);
        }
        self.settle_soon(now);
    }

    /// A round-trip time was measured.
    pub fn rtt(&mut self, peer: PeerId, rtt: Duration) {
        let Some(link) = self.links.get_mut(peer) else { return };
        link.rtt = rtt;
        if let Some(neighbour) = self.view.neighbour_at_mut(link.address) {
            neighbour.rtt = rtt;
        }
    }

    /// A peer misbehaved towards a service: it is left, and not taken again for ten minutes.
    pub fn ban(&mut self, now: Instant, peer: PeerId) {
        if self.left {
            return;
        }
        if self.banned.len() >= MAX_BANNED
            && let Some(first) = self.banned.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer)
        {
            self.banned.remove(&first);
        }
        self.banned.insert(peer, now + BAN);
        self.lost.remove(peer);
        self.hang_up(now, peer);
        if self.dials.remove(&peer).is_some() {
            self.outputs.push_back(Output::Disconnect { peer });
        }
        self.forget(GroupAddress::of(peer));
        self.settle_soon(now);
    }

    /// Members to remember for next time, those heard of last first: who, and where they were. 256 at most.
    #[must_use]
    pub fn remembered(&self) -> Vec<(PeerId, Vec<Address>)> {
        let mut members: Vec<&Known> = self.view.known().iter().collect();
        members.sort_by_key(|known| {
            let linked = self.view.neighbour_at(known.address).is_some();
            std::cmp::Reverse((linked, known.proven, known.heard))
        });
        let known = members.into_iter().map(|known| (known.peer, known.addresses.iter().collect()));
        let lost = self.lost.iter().map(|gone| (gone.peer, gone.addresses.iter().collect()));
        known.chain(lost).take(MAX_LOST).collect()
    }

    /// Where neighbours are, as their packets come.
    pub fn remotes(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.links.iter().filter(|link| link.complete()).map(|link| link.remote)
    }

    /// Leaves: closes what there is to close. Nothing happens from then on.
    pub fn leave(&mut self, _now: Instant) {
        for link in self.links.take() {
            self.outputs.push_back(Output::Disconnect { peer: link.peer });
            if link.complete() {
                self.view.remove_neighbour(link.peer);
                self.outputs.push_back(Output::Event(MembershipEvent::NeighborDisconnect { peer: link.peer }));
            }
        }
        for peer in std::mem::take(&mut self.dials).into_keys() {
            self.outputs.push_back(Output::Disconnect { peer });
        }
        self.left = true;
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.left {
            return;
        }
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.sweep_at) {
            self.sweep(now);
        }
        if due(self.probe_at) {
            self.probe(now);
        }
        if due(self.settle_at) {
            self.settle(now);
        }
        if due(self.links_at) {
            self.tend_links(now);
        }
        if due(self.report_at) {
            self.report_by_lot(now);
        }
    }

    /// When to call [`Membership::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.left {
            return None;
        }
        let timers = [self.sweep_at, self.probe_at, self.settle_at, self.links_at, self.report_at];
        timers.into_iter().flatten().min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<MembershipEvent>> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() && self.outputs.capacity() > 8 {
            self.outputs = VecDeque::new();
        }
        output
    }

    pub(super) fn send(&mut self, peer: PeerId, message: Vec<u8>) {
        self.stats.bytes_sent += message.len() as u64;
        self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Control, message.into())));
    }

    pub(super) fn is_banned(&self, now: Instant, peer: PeerId) -> bool {
        self.banned.get(&peer).is_some_and(|until| *until > now)
    }

    /// How many members we keep in mind; see [`MAX_MEMBERS`].
    pub(super) fn member_limit(&self) -> usize {
        if self.is_small() { MAX_MEMBERS } else { 3 * self.target_neighbours() }
    }

    pub(super) fn lost_limit(&self) -> usize {
        if self.is_small() { MAX_LOST } else { MAX_LOST / 8 }
    }

    /// Whether everybody can be known. The known estimate rests on four gaps and is too uneven for that: this one takes
    /// four times as many.
    fn is_small(&self) -> bool {
        let known = self.view.known();
        if known.len() < 4 * NEAR_KEPT {
            return true;
        }
        let (at, count) = (self.view.place(self.view.address()), known.len());
        let place = |step: usize| known[(at + step) % count].address.top64();
        let gaps = place(NEAR_KEPT - 1).wrapping_sub(place(count - NEAR_KEPT));
        (2 * NEAR_KEPT) as f64 / gaps as f64 * 2f64.powi(64) <= 2.0 * MAX_MEMBERS as f64
    }
}
