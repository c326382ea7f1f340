//! Reports: what we tell, and what we take from what others tell (flash-groups sections 3.6 and 9).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::core::Membership;
use super::limits::{
    DEBOUNCE, HEARSAY_DEBOUNCE, LAST_PERIOD, MAX_GAP_MS, MAX_HEARSAY, MAX_UNPROVEN, MIN_GAP_MS, NEAR, NEAR_KEPT,
};
use super::topology::Choice;
use crate::base::{Instant, PeerId};
use crate::group::address::GroupAddress;
use crate::group::known::{Known, MAX_ADDRESSES, Packed};
use crate::group::message::{MAX_RECORD_AGE, Record, Report, ReportWriter};
use crate::wire::{Address, Origin};

/// Neighbours that must agree on where they see us before we tell others, unless we have hardly more.
const WITNESSES: usize = 2;

impl Membership {
    /// Sends the receiver's best list as we see it. `started` says that it is not an answer, but wants one.
    pub(super) fn send_report(&mut self, now: Instant, peer: PeerId, started: bool) {
        let addresses = self.own_addresses();
        let lot = self.rng.u64();
        let Some(link) = self.links.get_mut(peer).filter(|link| link.complete()) else { return };
        link.reported = true;
        link.reported_at = now;
        link.report_at = None;
        link.started |= started;
        let (centre, remote) = (link.address, link.remote);

        let fast = self.fastest();
        let random = (!self.view.known().is_empty())
            .then(|| self.view.known()[(lot % self.view.known().len() as u64) as usize].address);
        let fresh = |known: &Known| known.linked || now - known.heard < MAX_RECORD_AGE;
        let choice = Choice {
            members: self.view.known(),
            centre,
            target: self.target_neighbours(),
            fast: &fast,
            random,
            lot,
            eligible: fresh,
            willing: |_: &Known| true,
            linked: |known: &Known| known.linked,
        };
        let list = choice.list();
        let mut report = ReportWriter::new(Some(Address::new(Origin::Observed, remote)), &addresses);
        let receiver = self.view.known_at(centre).into_iter();
        let mut hearsay = 0;
        for known in receiver.chain(list.all.iter().map(|&at| &self.view.known()[at])) {
            hearsay += usize::from(!known.proven);
            if !known.proven && hearsay > MAX_HEARSAY {
                continue;
            }
            let age = if known.linked { 0 } else { (now - known.heard).as_secs() };
            if !report.record(known.peer, age, known.addresses.bytes()) {
                break;
            }
        }
        self.stats.reports_sent += 1;
        self.send(peer, report.finish());
    }

    /// Where others may reach us: what our owner says, and where neighbours see us.
    fn own_addresses(&self) -> Vec<Address> {
        let mut addresses = self.addresses.clone();
        let seen: Vec<SocketAddr> = self.links.iter().filter_map(|link| link.observed).collect();
        let witnesses = if self.links.len() <= WITNESSES { 1 } else { WITNESSES };
        for socket in &seen {
            if addresses.len() == MAX_ADDRESSES || addresses.iter().any(|known| known.socket == *socket) {
                continue;
            }
            if seen.iter().filter(|other| *other == socket).count() >= witnesses {
                addresses.push(Address::new(Origin::Observed, *socket));
            }
        }
        addresses
    }

    /// Something changed at a place of the ring: the neighbours next to it are told. Those that only seem to be, because
    /// we know few members there, have others next to them.
    pub(super) fn report_around(&mut self, now: Instant, place: GroupAddress, is_proven: bool) {
        let count = self.view.known().len();
        if count == 0 {
            return;
        }
        let at = self.view.place(place);
        let reach = self.reach();
        let mut told: Vec<PeerId> = Vec::with_capacity(2 * NEAR);
        // The place itself may be among the members or not: one more on the increasing side covers both.
        let up = (0..=NEAR).map(|step| (at + step) % count);
        let down = (1..=NEAR).map(|step| (at + NEAR * count - step) % count);
        for at in up.chain(down) {
            let known = &self.view.known()[at];
            let is_near = reach.is_none_or(|reach| known.address.distance(place).top64() <= reach);
            if known.address != place && is_near && !told.contains(&known.peer) {
                told.push(known.peer);
            }
        }
        let debounce = if is_proven { DEBOUNCE } else { HEARSAY_DEBOUNCE };
        told.into_iter().for_each(|peer| self.report_soon(now, peer, debounce));
    }

    /// How far from its place a change may matter, as the highest 64 bits of the distance: as far as from us to the last of
    /// [`NEAR_KEPT`] members on one side. `None` while few are known: then everywhere.
    fn reach(&self) -> Option<u64> {
        let (known, me) = (self.view.known(), self.view.address());
        if known.len() < 4 * NEAR_KEPT {
            return None;
        }
        let (at, count) = (self.view.place(me), known.len());
        let place = |step: usize| known[(at + step) % count].address.top64();
        Some(place(NEAR_KEPT - 1).wrapping_sub(place(count - NEAR_KEPT)) / 2)
    }

    /// Everybody is told of a change of ours.
    pub(super) fn report_to_all(&mut self, now: Instant) {
        let all: Vec<PeerId> = self.links.iter().map(|link| link.peer).collect();
        all.into_iter().for_each(|peer| self.report_soon(now, peer, DEBOUNCE));
    }

    /// Plans a report on a change, unless one is planned. The pause between such reports doubles while they follow one
    /// another.
    fn report_soon(&mut self, now: Instant, peer: PeerId, debounce: Duration) {
        let jitter = Duration::from_micros(self.rng.below(debounce.as_micros() as u64));
        let Some(link) = self.links.get_mut(peer).filter(|link| link.complete() && link.reported) else { return };
        let soon = now + debounce + jitter;
        if let Some(planned) = link.report_at {
            link.report_at =
                Some(planned.min(soon.max(link.reported_at + Duration::from_millis(u64::from(link.gap_ms)))));
        } else {
            let quiet = (now - link.reported_at).as_millis();
            let gap = u128::from(link.gap_ms.max(MIN_GAP_MS));
            link.gap_ms = if quiet > 8 * gap { MIN_GAP_MS } else { (2 * gap).min(u128::from(MAX_GAP_MS)) as u16 };
            link.report_at = Some(soon.max(link.reported_at + Duration::from_millis(u64::from(link.gap_ms))));
        }
        let at = link.report_at.unwrap_or(soon);
        self.wake_links(at);
    }

    /// The exchange of section 3.6: a report to a neighbour drawn by lot, who answers.
    pub(super) fn report_by_lot(&mut self, now: Instant) {
        self.report_at = None;
        let complete = self.view.neighbours().len();
        if complete == 0 {
            return;
        }
        let drawn = self.rng.below(complete as u64) as usize;
        let peer = self.view.neighbours().nth(drawn).map(|neighbour| neighbour.peer);
        peer.into_iter().for_each(|peer| self.send_report(now, peer, true));
        self.period = (self.period * 3 / 2).min(LAST_PERIOD);
        self.report_at = Some(now + self.jittered(self.period));
    }

    /// A neighbour's report.
    pub(super) fn heed_report(&mut self, now: Instant, peer: PeerId, report: &Report<'_>) {
        self.stats.reports_received += 1;
        let Some(link) = self.links.get_mut(peer) else { return };
        link.credit = (link.credit + 1).min(MAX_UNPROVEN);
        let answer = !std::mem::replace(&mut link.started, false);
        let (address, mark, remote) = (link.address, link.mark, link.remote);
        let from_loopback = remote.ip().is_loopback();
        link.observed = report.observed.map(|observed| observed.socket).filter(|socket| sound(*socket, from_loopback));
        let seen = Address::new(Origin::Observed, remote);
        let own = self.sound_addresses(report.addresses(), from_loopback);
        if let Some(known) = self.view.known_at_mut(address) {
            known.heard = now;
            known.own_addresses = !own.is_empty();
            let told = own.into_iter().chain([seen]);
            if !told.clone().eq(known.addresses.iter()) {
                known.addresses = Packed::new(told);
            }
        }
        for record in report.records() {
            self.heed_record(now, mark, from_loopback, &record);
        }
        let answered = self.links.get(peer).is_some_and(|link| link.reported);
        if answer || !answered {
            self.send_report(now, peer, false);
        }
        if self.report_at.is_none() {
            self.report_at = Some(now + self.jittered(self.period));
        }
    }

    fn heed_record(&mut self, now: Instant, mark: u16, from_loopback: bool, record: &Record<'_>) {
        let Some(peer) = record.peer.filter(|peer| *peer != self.view.me()) else { return };
        if record.age >= MAX_RECORD_AGE.as_secs() {
            self.stats.stale_records += 1;
            return;
        }
        let heard = now.minus(Duration::from_secs(record.age));
        let address = GroupAddress::of(peer);
        if let Some(known) = self.view.known_at_mut(address) {
            if known.linked {
                return;
            }
            known.heard = known.heard.max(heard);
            if known.reporters[1..].iter().all(|other| *other != mark) {
                known.reporters[1] = std::mem::replace(&mut known.reporters[2], mark);
            }
            if !known.own_addresses && !record.addresses().eq(known.addresses.iter()) {
                let addresses = self.sound_addresses(record.addresses(), from_loopback);
                if let Some(known) = self.view.known_at_mut(address) {
                    known.addresses = Packed::new(addresses.into_iter().chain(known.addresses.iter()));
                }
            }
            return;
        }
        if !self.may_be_believed(now, peer, heard) {
            self.stats.dead_records += 1;
            return;
        }
        match self.links.marked(mark) {
            Some(link) if link.claims < link.credit => link.claims += 1,
            _ => {
                self.stats.over_quota += 1;
                return;
            }
        }
        let gone = self.lost.remove(peer);
        let addresses = self.sound_addresses(record.addresses(), from_loopback);
        let crowded = self.make_room(address);
        let mut known = Known::new(peer);
        known.heard = heard;
        known.reporters = [mark, 0, 0];
        known.failures = gone.as_ref().map_or(0, |gone| gone.failures);
        known.proven = gone.is_some();
        known.addresses = Packed::new(addresses.into_iter().chain(gone.iter().flat_map(|gone| gone.addresses.iter())));
        self.view.insert_known(known);
        // Where the list is full, whoever was forgotten is heard of again and again: no news.
        if !crowded {
            self.report_around(now, address, false);
        }
        self.settle_soon(now);
    }

    /// Whether to believe that a member lives that is not in the heard list.
    fn may_be_believed(&self, now: Instant, peer: PeerId, heard: Instant) -> bool {
        if self.is_banned(now, peer) {
            return false;
        }
        if let Some(gone) = self.lost.get(peer) {
            return gone.hold <= now && heard > gone.at;
        }
        !self.is_held(now, peer)
    }

    fn sound_addresses(&mut self, addresses: impl Iterator<Item = Address>, from_loopback: bool) -> Vec<Address> {
        let mut kept = Vec::new();
        for address in addresses.take(4 * MAX_ADDRESSES) {
            if !sound(address.socket, from_loopback) {
                self.stats.bad_addresses += 1;
            } else if kept.len() < MAX_ADDRESSES {
                kept.push(address);
            }
        }
        kept
    }
}

/// Whether somebody may teach us this address: loopback only from loopback.
fn sound(socket: SocketAddr, from_loopback: bool) -> bool {
    let ip = socket.ip().to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    let nowhere = ip.is_unspecified() || ip.is_multicast() || broadcast || socket.port() == 0;
    !nowhere && (from_loopback || !ip.is_loopback())
}
