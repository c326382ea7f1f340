//! From an open session to a neighbour, and what comes on its control flow (flash-groups sections 3.1, 3.4, 3.5, 3.7,
//! 3.8).

use super::core::Membership;
use super::limits::{CROWD, HANDSHAKE, MAX_STRANGERS, REFUSED_HOLD, SPEAK_ANYWAY};
use super::links::{Handshake, Peering};
use super::settings::MembershipEvent;
use crate::base::{Instant, PeerId};
use crate::group::address::GroupAddress;
use crate::group::contract::{Link, Output};
use crate::group::known::{Known, Packed};
use crate::group::message::{Control, Init, MessageError};
use crate::group::view::{Neighbour, ReceiveMode};
use crate::wire::{Address, Origin};

impl Membership {
    /// A session with a peer is open: one that we asked for, or one on which the peer has opened a control flow of this
    /// group. While one is known, another is ignored: that it is over comes first.
    pub fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link) {
        if self.links.get(peer).is_some() {
            self.dials.remove(&peer);
            return;
        }
        let dialled = self.dials.remove(&peer).is_some();
        let welcome = !self.left && peer != self.view.me() && !self.is_banned(now, peer);
        if !welcome || !self.has_room(now, peer, dialled) {
            self.stats.refused += 1;
            self.outputs.push_back(Output::Disconnect { peer });
            return;
        }
        // The one that opened the session begins, and whoever asked for it: the session may be older than the wish.
        let first = dialled || link.initiator;
        let handshake = Handshake {
            near_nonce: link.near_nonce,
            far_nonce: link.far_nonce,
            dialled,
            until: now + HANDSHAKE,
            speak_at: (!first).then_some(now + SPEAK_ANYWAY),
            told: false,
        };
        let mark = self.next_mark();
        self.links.insert(Peering::new(peer, &link, mark, handshake));
        self.wake_links(now + if first { HANDSHAKE } else { SPEAK_ANYWAY });
        if first {
            self.say_init(peer);
        }
    }

    /// The session is over, or the peer's control flow is.
    pub fn peer_down(&mut self, now: Instant, peer: PeerId) {
        let Some(link) = self.lose_link(peer) else { return };
        if !link.complete() {
            // It is alive, and does not want us, or not yet.
            self.hold(now, peer, REFUSED_HOLD);
        } else if link.asked_at.is_some() {
            self.part(now, peer);
        } else {
            self.bury(now, link.address);
            self.report_around(now, link.address, false);
        }
        self.settle_soon(now);
    }

    /// A message came on the control lane.
    pub fn message(&mut self, now: Instant, peer: PeerId, message: &[u8]) {
        if self.left {
            return;
        }
        let Some(link) = self.links.get_mut(peer) else {
            self.stats.early += 1;
            return;
        };
        if !link.bucket.take(now, 1) {
            self.stats.flooded += 1;
            return;
        }
        self.stats.bytes_received += message.len() as u64;
        let complete = link.complete();
        match Control::decode(message) {
            Ok(Control::Init(init)) if !complete => self.heed_init(now, peer, &init),
            Ok(Control::Init(_)) => self.stats.repeated_init += 1,
            Ok(_) if !complete => self.stats.early += 1,
            Ok(Control::Unknown02) => {}
            Ok(Control::Begin(mode)) => self.heed_begin(now, peer, mode),
            Ok(Control::Report(report)) => self.heed_report(now, peer, &report),
            Ok(Control::AskDisconnect) => self.heed_ask(now, peer),
            Err(MessageError::UnknownType(_)) => self.stats.unknown_type += 1,
            Err(MessageError::Malformed) => {
                self.stats.malformed += 1;
                if !complete {
                    self.refuse(now, peer);
                }
            }
        }
    }

    /// Sends INIT and what follows it.
    pub(super) fn say_init(&mut self, peer: PeerId) {
        let Some(link) = self.links.get_mut(peer) else { return };
        let Some(handshake) = &mut link.handshake else { return };
        handshake.told = true;
        handshake.speak_at = None;
        let token = Init::token(self.spec.secret(), &handshake.far_nonce);
        let init = Control::Init(Init { group: self.spec.id(), token, receiver: peer });
        let mode = self.view.mode();
        for control in [init, Control::Unknown02, Control::Begin(mode)] {
            self.send(peer, control.encode());
        }
    }

    fn heed_init(&mut self, now: Instant, peer: PeerId, init: &Init) {
        let Some(link) = self.links.get(peer) else { return };
        let Some(handshake) = &link.handshake else { return };
        let proven = init.proves(self.spec.secret(), &handshake.near_nonce);
        let wrong = if init.group != self.spec.id() {
            Some(&mut self.stats.wrong_group)
        } else if init.receiver != self.view.me() {
            Some(&mut self.stats.wrong_receiver)
        } else if !proven {
            Some(&mut self.stats.wrong_token)
        } else {
            None
        };
        if let Some(count) = wrong {
            *count += 1;
            self.refuse(now, peer);
            return;
        }
        if !handshake.told {
            self.say_init(peer);
        }
        self.complete(now, peer);
    }

    /// Both INITs are proven.
    fn complete(&mut self, now: Instant, peer: PeerId) {
        let Some(link) = self.links.get_mut(peer) else { return };
        link.handshake = None;
        link.since = now;
        let (address, rtt, remote) = (link.address, link.rtt, link.remote);
        self.stats.handshakes += 1;
        self.holds.remove(&peer);
        let gone = self.lost.remove(peer);
        self.make_room(address);
        self.view.insert_known(Known {
            addresses: gone.map_or_else(Packed::default, |gone| gone.addresses),
            ..Known::new(peer)
        });
        if let Some(known) = self.view.known_at_mut(address) {
            let reporter = std::mem::take(&mut known.reporters[0]);
            known.proven = true;
            known.failures = 0;
            known.heard = now;
            let seen = Address::new(Origin::Observed, remote);
            if !known.own_addresses && !known.addresses.iter().any(|other| other.socket == remote) {
                known.addresses = Packed::new(std::iter::once(seen).chain(known.addresses.iter()));
            }
            self.reward(reporter);
        }
        // What it takes is told next; until then what everybody takes.
        self.view.insert_neighbour(Neighbour { peer, address, rtt, mode: ReceiveMode::Exact });
        self.outputs.push_back(Output::Event(MembershipEvent::NeighborConnect { peer }));
        self.report_around(now, address, true);
        self.settle_soon(now);
    }

    fn heed_begin(&mut self, now: Instant, peer: PeerId, mode: ReceiveMode) {
        let Some(link) = self.links.get(peer) else { return };
        let (address, reported) = (link.address, link.reported);
        if let Some(neighbour) = self.view.neighbour_at_mut(address) {
            neighbour.mode = mode;
        }
        if !reported {
            self.send_report(now, peer, true);
        }
    }

    fn heed_ask(&mut self, now: Instant, peer: PeerId) {
        self.stats.asks_received += 1;
        if let Some(link) = self.links.get_mut(peer) {
            link.asked_us_at = Some(now);
            self.settle_soon(now);
        }
    }

    /// A peer that is no member, as far as it shows.
    fn refuse(&mut self, now: Instant, peer: PeerId) {
        self.hang_up(now, peer);
        self.forget(GroupAddress::of(peer));
        self.hold(now, peer, REFUSED_HOLD);
        self.settle_soon(now);
    }

    /// Whether one more session may be. In a crowd, ring-near ones may push out the one that is the least missed.
    fn has_room(&mut self, now: Instant, peer: PeerId, dialled: bool) -> bool {
        if !dialled && self.links.iter().filter(|link| !link.complete()).count() >= MAX_STRANGERS + self.dials.len() {
            return false;
        }
        if self.links.len() < CROWD * self.target_neighbours() {
            return true;
        }
        let keep = self.keep(now);
        let least = self.links.iter().filter(|link| link.complete() && !keep.contains(&link.address));
        let least = least.min_by_key(|link| link.since).map(|link| link.peer);
        let Some(least) = least.filter(|_| self.is_near_neighbourhood(GroupAddress::of(peer))) else { return false };
        self.stats.crowded_out += 1;
        self.hang_up(now, least);
        true
    }
}
