//! The topology follows what is known: whom to dial, whom to ask to be left (flash-groups section 4.4), what to forget,
//! whom to look for.

use std::time::Duration;

use super::core::{Membership, Reason};
use super::limits::{
    ASK_AGAIN, DIAL, FAST, FILL_AFTER, FIRST_PERIOD, MAX_OPENING, MAX_PROBES, NEAR, NEAR_FIRST, REFUSED_HOLD, SETTLE,
    SWEEP,
};
use super::settings::MembershipEvent;
use super::topology::{BestList, Choice};
use crate::base::{Instant, PeerId};
use crate::group::address::GroupAddress;
use crate::group::contract::{Output, Unreachable};
use crate::group::known::Known;
use crate::group::message::{Control, MAX_RECORD_AGE};

impl Membership {
    /// Something changed: the topology follows soon.
    pub(super) fn settle_soon(&mut self, now: Instant) {
        let at = now + SETTLE;
        self.settle_at = Some(self.settle_at.map_or(at, |other| other.min(at)));
    }

    pub(super) fn wake_links(&mut self, at: Instant) {
        self.links_at = Some(self.links_at.map_or(at, |other| other.min(at)));
    }

    /// Computes the best list anew and acts on it.
    pub(super) fn settle(&mut self, now: Instant) {
        self.settle_at = None;
        self.tell_coverage();
        let best = self.best_list(now);
        let peers: Vec<PeerId> = best.all.iter().map(|&at| self.view.known()[at].peer).collect();
        let (near, others) = peers.split_at(best.near);
        self.heed_near(now, &best);
        self.dial_near(now, near, &peers);
        self.dial_others(now, near, others, best.needed - best.near);
        self.trim(now, &best);
    }

    fn tell_coverage(&mut self) {
        let coverage = self.view.coverage();
        if coverage != self.coverage {
            self.coverage = coverage;
            self.outputs.push_back(Output::Event(MembershipEvent::LocalCoverage));
        }
    }

    /// Who ought to be our neighbours, of those that may be.
    pub(super) fn best_list(&mut self, now: Instant) -> BestList {
        let fast = self.fastest();
        let may = |known: &Known| self.may_be_neighbour(now, known);
        let random = self.random.filter(|address| self.view.known_at(*address).is_some_and(may));
        let random = random.or_else(|| {
            let eligible = self.view.known().iter().filter(|known| may(known)).count();
            let drawn = self.view.address().top64() as usize ^ now.as_micros() as usize;
            let mut eligible_ones = self.view.known().iter().filter(|known| may(known));
            eligible_ones.nth(drawn.checked_rem(eligible)?).map(|known| known.address)
        });
        self.random = random;
        let lot = self.rng.u64();
        let choice = Choice {
            members: self.view.known(),
            centre: self.view.address(),
            target: self.target_neighbours(),
            fast: &fast,
            random,
            lot,
            eligible: |known: &Known| self.may_be_neighbour(now, known),
            willing: |known: &Known| match self.links.get(known.peer).filter(|_| known.linked) {
                Some(link) => !link.asked_us(now),
                None => !self.has_parted(now, known.peer),
            },
            // Who is being dialled will be soon: where several would do, nobody else is dialled meanwhile.
            linked: |known: &Known| known.linked || self.dials.contains_key(&known.peer),
        };
        choice.list()
    }

    /// Whether a member is connected, or might be.
    fn may_be_neighbour(&self, now: Instant, known: &Known) -> bool {
        known.linked || !self.is_held(now, known.peer) || self.links.get(known.peer).is_some()
    }

    /// The neighbours of lowest latency.
    pub(super) fn fastest(&self) -> Vec<GroupAddress> {
        let mut fast: Vec<_> = self.view.neighbours().map(|neighbour| (neighbour.rtt, neighbour.address)).collect();
        if fast.len() > FAST {
            fast.select_nth_unstable(FAST);
            fast.truncate(FAST);
        }
        fast.into_iter().map(|(_, address)| address).collect()
    }

    /// Whom we do not ask to leave us: the best list, and the nearest among those who are proven, so that nobody pushes
    /// them out by talking of nearer ones.
    pub(super) fn keep(&mut self, now: Instant) -> Vec<GroupAddress> {
        let best = self.best_list(now);
        self.keep_of(&best)
    }

    fn keep_of(&self, best: &BestList) -> Vec<GroupAddress> {
        let me = self.view.address();
        let all: Vec<GroupAddress> = self.view.neighbours().map(|neighbour| neighbour.address).collect();
        let (below, above) = all.split_at(all.partition_point(|address| *address < me));
        let up = above.iter().chain(below).take(NEAR);
        let down = below.iter().rev().chain(above.iter().rev()).take(NEAR);
        let best = best.all.iter().map(|&at| &self.view.known()[at].address);
        up.chain(down).chain(best).copied().collect()
    }

    /// When other members are near us than before, things change: reports by lot become frequent again.
    fn heed_near(&mut self, now: Instant, best: &BestList) {
        let near = best.all[..best.near].iter().map(|&at| self.view.known()[at].address.top64());
        let near = near.fold(0u64, |all, one| all.wrapping_add(one.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        if near != self.near {
            self.near = near;
            self.near_since = now;
            self.period = FIRST_PERIOD;
            let at = now + self.jittered(FIRST_PERIOD);
            self.report_at = Some(self.report_at.map_or(at, |other| other.min(at)));
        }
    }

    /// Between three quarters of a time and all of it.
    pub(super) fn jittered(&mut self, time: Duration) -> Duration {
        time - Duration::from_micros(self.rng.below(time.as_micros() as u64 / 4))
    }

    /// Dials the near ones; when too many openings are in progress, instead of some that are not wanted any more.
    fn dial_near(&mut self, now: Instant, near: &[PeerId], best: &[PeerId]) {
        for &peer in near {
            if self.links.get(peer).is_some() || self.dials.contains_key(&peer) {
                continue;
            }
            if self.openings() >= MAX_OPENING {
                let unwanted =
                    self.dials.iter().find(|(peer, dial)| dial.reason == Reason::Topology && !best.contains(peer));
                let Some(unwanted) = unwanted.map(|(peer, _)| *peer) else { return };
                self.dials.remove(&unwanted);
                self.outputs.push_back(Output::Disconnect { peer: unwanted });
            }
            self.dial(now, peer, Reason::Topology);
        }
    }

    /// Dials the others: the first `long` of them, which are long links, in any case, the rest while we have fewer
    /// neighbours than there ought to be. Not before the near ones are up, or take their time, since what these report may
    /// change everything; and in a group of many the rest not before things are quiet near us, since others choose us, too.
    fn dial_others(&mut self, now: Instant, near: &[PeerId], others: &[PeerId], long: usize) {
        let waiting = near.iter().filter(|peer| self.links.get(**peer).is_none_or(|link| !link.complete()));
        let since = |peer: &PeerId| match self.links.get(*peer) {
            Some(_) => now,
            None => self.dials.get(peer).map_or(now, |dial| dial.since),
        };
        if let Some(latest) = waiting.map(since).max()
            && now < latest + NEAR_FIRST
        {
            let at = latest + NEAR_FIRST;
            self.settle_at = Some(self.settle_at.map_or(at, |other| other.min(at)));
            return;
        }
        let wanted = near.len() + others.len();
        let is_best = |peer: &PeerId| near.contains(peer) || others.contains(peer);
        // Whoever asked to be left is replaced first.
        let going = self.links.iter().filter(|link| link.asked_us(now) && !is_best(&link.peer)).count();
        let many = self.view.known().len() > 2 * self.target_neighbours();
        let fill_from = if many { self.near_since + FILL_AFTER } else { now };
        for (index, &peer) in others.iter().enumerate() {
            let under_way = self.dials.values().filter(|dial| dial.reason != Reason::Probe).count();
            let enough = self.links.len() - going + under_way >= wanted;
            if self.openings() >= MAX_OPENING || index >= long && enough {
                return;
            }
            if index >= long && now < fill_from {
                self.settle_at = Some(self.settle_at.map_or(fill_from, |other| other.min(fill_from)));
                return;
            }
            if self.links.get(peer).is_none() && !self.dials.contains_key(&peer) {
                self.dial(now, peer, Reason::Topology);
            }
        }
    }

    fn openings(&self) -> usize {
        self.dials.values().filter(|dial| dial.reason == Reason::Topology).count()
    }

    /// Asks those to be left whom we do not need, and leaves those who asked and are not needed (section 3.7), as long as
    /// there are more neighbours than there ought to be. A quarter more is borne without asking, or everybody would be
    /// busy replacing everybody else.
    fn trim(&mut self, now: Instant, best: &BestList) {
        let mut excess = self.view.neighbours().len().saturating_sub(best.all.len());
        if excess == 0 {
            return;
        }
        let burden = excess.saturating_sub(best.all.len() / 4);
        let keep = self.keep_of(best);
        let spare = |link: &&mut super::links::Peering| link.complete() && !keep.contains(&link.address);
        let (mut leave, mut ask) = (Vec::new(), Vec::new());
        for link in self.links.iter_mut().filter(spare) {
            if link.asked_us(now) {
                leave.push(link.peer);
            } else if ask.len() < burden && link.asked_at.is_none_or(|at| now - at >= ASK_AGAIN) {
                link.asked_at = Some(now);
                ask.push(link.peer);
            }
        }
        for peer in leave {
            if excess == 0 {
                break;
            }
            excess -= 1;
            self.stats.consented += 1;
            self.hang_up(now, peer);
            self.part(now, peer);
        }
        for peer in ask {
            self.stats.asks_sent += 1;
            self.send(peer, Control::AskDisconnect.encode());
        }
    }

    /// What handshakes and reports of single links are due.
    pub(super) fn tend_links(&mut self, now: Instant) {
        self.links_at = None;
        let due: Vec<PeerId> =
            self.links.iter().filter(|link| link.wake_at().is_some_and(|at| at <= now)).map(|link| link.peer).collect();
        for peer in due {
            let Some(link) = self.links.get(peer) else { continue };
            match &link.handshake {
                None => self.send_report(now, peer, true),
                Some(handshake) if handshake.until > now => self.say_init(peer),
                Some(handshake) => {
                    let dialled = handshake.dialled;
                    self.stats.handshake_timeouts += 1;
                    self.hang_up(now, peer);
                    self.hold(now, peer, REFUSED_HOLD);
                    if dialled {
                        self.bury(now, GroupAddress::of(peer));
                    }
                }
            }
        }
        if let Some(next) = self.links.iter().filter_map(|link| link.wake_at()).min() {
            self.wake_links(next);
        }
    }

    /// Forgets what is old, and lets the topology follow (every 10 s, section 4.4).
    pub(super) fn sweep(&mut self, now: Instant) {
        self.sweep_at = Some(now + self.jittered(SWEEP));
        let old = self
            .view
            .known()
            .iter()
            .filter(|known| now - known.heard >= MAX_RECORD_AGE && self.links.get(known.peer).is_none());
        let old: Vec<(GroupAddress, bool)> = old.map(|known| (known.address, known.proven)).collect();
        for (address, proven) in old {
            if proven { self.bury(now, address) } else { self.forget(address) }
        }
        let limit = self.member_limit();
        for _ in 0..self.view.known().len().saturating_sub(limit).min(64) {
            self.make_room(GroupAddress([0; 32]));
        }
        self.banned.retain(|_, until| *until > now);
        self.holds.retain(|_, hold| hold.until + 2 * super::limits::LONGEST_HOLD > now);
        let stuck = self.dials.iter().filter(|(_, dial)| now - dial.since >= DIAL).map(|(peer, _)| *peer);
        for peer in stuck.collect::<Vec<_>>() {
            self.outputs.push_back(Output::Disconnect { peer });
            self.unreachable(now, peer, Unreachable::Gone);
        }
        if self.settle_at.is_none() {
            self.settle(now);
        }
    }

    /// Lost members are looked for from now on, soon at first.
    pub(super) fn plan_probe(&mut self, now: Instant) {
        let lonely = self.is_lonely();
        let at = now + self.lost.pause(now, &mut self.rng, lonely);
        self.probe_at = Some(self.probe_at.map_or(at, |other| other.min(at)));
    }

    fn is_lonely(&self) -> bool {
        self.view.neighbours().len() == 0
    }

    /// Looks for some of the lost.
    pub(super) fn probe(&mut self, now: Instant) {
        self.probe_at = None;
        if self.lost.is_empty() {
            return;
        }
        let under_way = self.dials.values().filter(|dial| dial.reason == Reason::Probe).count();
        let wanted = if self.is_lonely() { MAX_PROBES } else { 2 };
        let count = wanted.min(MAX_PROBES.saturating_sub(under_way));
        let (dials, links) = (&self.dials, &self.links);
        let busy = |peer: PeerId| dials.contains_key(&peer) || links.get(peer).is_some();
        for peer in self.lost.draw(&mut self.rng, count, busy) {
            self.stats.probes += 1;
            self.dial(now, peer, Reason::Probe);
        }
        self.plan_probe(now);
    }
}
