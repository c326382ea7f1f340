//! Reaching members, and introducing them to each other (RFC 7016 section 3.5.1.5).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::Node;
use super::super::dial::{Attempt, Dial};
use super::super::event::{DialError, DialId, GroupHandle};
use super::super::parts::Role;
use super::parts::Reach;
use crate::base::{Instant, Path, PeerId};
use crate::crypto::epd::{self, Epd};
use crate::endpoint::{OpenFailure, OpeningId, SessionHandle};
use crate::group::Unreachable;
use crate::session::Session;
use crate::wire::{Address, Origin};

/// How long an attempt may take in all.
const REACH_WITHIN: Duration = Duration::from_secs(14);
/// How long to try a member's own addresses before others are asked to introduce us.
const DIRECTLY_FIRST: Duration = Duration::from_millis(300);
/// Addresses of a member that are tried (security.md, "What a stranger can make us do").
const MAX_ADDRESSES: usize = 8;
/// Rendezvous services named by a member that are asked for it.
const MAX_RELAYS: usize = 2;
/// Neighbours that are asked to introduce.
const MAX_INTRODUCERS: usize = 3;

impl Node {
    /// A membership wants a session with a peer.
    pub(super) fn reach(
        &mut self,
        now: Instant,
        group: GroupHandle,
        peer: PeerId,
        addresses: &[Address],
        introducers: &[PeerId],
    ) {
        let Some(joined) = self.groups.joined.get_mut(&group) else { return };
        if joined.peers.contains_key(&peer) {
            return;
        }
        if peer == self.profile.peer_id() {
            return joined.member.unreachable(now, peer, Unreachable::Gone);
        }
        let usable = |role: Option<&Role>| matches!(role, Some(Role::Member | Role::Peer(_)));
        let present = self.endpoint.sessions_of(peer).find(|session| {
            let sound = |session: &Session| session.is_open() && session.far().authenticated;
            usable(self.roles.get(session)) && self.endpoint.session(*session).is_some_and(sound)
        });
        if let Some(session) = present {
            return self.begin_use(now, group, session, true);
        }
        let (dial, firsthand) = self.ways(now, group, peer, addresses, introducers);
        if let Some((&opening, reach)) = self.groups.reaches.iter_mut().find(|(_, reach)| reach.peer == peer) {
            reach.groups.insert(group);
            reach.firsthand.extend(&firsthand);
            for &remote in dial.candidates.iter().chain(&dial.rendezvous) {
                self.look_at(now, opening, remote, firsthand.contains(&remote));
            }
            return;
        }
        // Most members can be reached where they say; so many introductions would only be a burden.
        let ask_at = (!dial.candidates.is_empty()).then_some(now + DIRECTLY_FIRST);
        let ways = if ask_at.is_some() { &dial.candidates } else { &dial.rendezvous };
        let (own, hearsay): (Vec<SocketAddr>, Vec<SocketAddr>) =
            ways.iter().copied().partition(|remote| firsthand.contains(remote));
        let own: Vec<Path> = own.into_iter().map(Path::to).collect();
        let opening = self.endpoint.connect(now, &epd::fingerprint(peer), &own);
        for remote in hearsay {
            self.look_at(now, opening, remote, false);
        }
        let attempt = Attempt::new(now, DialId(0), opening, &dial);
        let (introducers, groups) = (dial.rendezvous, BTreeSet::from([group]));
        self.groups.reaches.insert(opening, Reach { peer, attempt, introducers, firsthand, ask_at, groups });
    }

    /// Lets an opening look at an address; where that is hearsay, a few times only (security.md, "What a stranger can make us
    /// do"). Whether its teacher may name it was looked at before: it stands for its teacher here.
    fn look_at(&mut self, now: Instant, opening: OpeningId, remote: SocketAddr, is_firsthand: bool) {
        if is_firsthand {
            self.endpoint.add_candidate(now, opening, Path::to(remote));
        } else {
            self.endpoint.add_hearsay(now, opening, Path::to(remote), remote);
        }
    }

    /// Where to look for a peer, and whom to ask; and which of these addresses are no hearsay.
    fn ways(
        &mut self,
        now: Instant,
        group: GroupHandle,
        peer: PeerId,
        addresses: &[Address],
        introducers: &[PeerId],
    ) -> (Dial, BTreeSet<SocketAddr>) {
        let mut dial =
            Dial { peer, candidates: Vec::new(), rendezvous: Vec::new(), multicast: Vec::new(), timeout: REACH_WITHIN };
        let Some(joined) = self.groups.joined.get(&group) else { return (dial, BTreeSet::new()) };
        let servers = joined.registrations.iter().filter_map(|id| self.registrations.get(id));
        let remotes = servers.flat_map(|registered| match registered.session {
            Some(session) => self.endpoint.session(session).map(|session| session.path().remote).into_iter().collect(),
            None => registered.servers.clone(),
        });
        dial.rendezvous.extend(remotes.chain(joined.rendezvous.iter().copied()));
        let remote_of = |session: &SessionHandle| Some(self.endpoint.session(*session)?.path().remote);
        let asked = introducers.iter().filter_map(|peer| joined.peers.get(peer)).filter_map(remote_of);
        dial.rendezvous.extend(asked.take(MAX_INTRODUCERS));
        let firsthand = joined.firsthand.iter().chain(&dial.rendezvous).copied().collect();
        // Whom we know on this machine may name others on it.
        let here = joined.firsthand.iter().any(|known| known.ip().is_loopback())
            || joined.peers.values().filter_map(remote_of).any(|remote| remote.ip().is_loopback());
        let mut relays = 0;
        for address in addresses {
            let socket = address.socket;
            let limits = self.groups.limits.as_mut();
            let fits = is_possible(socket, here)
                && (socket.ip().is_loopback() || limits.is_some_and(|limits| limits.hearsay.take(now, socket.ip(), 1)));
            if !fits {
                self.groups.stats.addresses_refused += 1;
            } else if address.origin == Origin::Relay {
                relays += 1;
                if relays <= MAX_RELAYS {
                    dial.rendezvous.push(socket);
                }
            } else if dial.candidates.len() < MAX_ADDRESSES {
                dial.candidates.push(socket);
            }
        }
        (dial, firsthand)
    }

    /// An opening of groups has succeeded; whether it was one.
    pub(in super::super) fn reached(&mut self, now: Instant, opening: OpeningId, session: SessionHandle) -> bool {
        let Some(reach) = self.groups.reaches.remove(&opening) else { return false };
        // One that was there before, and that the far end may know nothing new about.
        let known = self.roles.contains_key(&session);
        self.roles.entry(session).or_insert(Role::Member);
        for group in reach.groups {
            if self.groups.joined.contains_key(&group) {
                self.begin_use(now, group, session, known);
            }
        }
        self.release(now, session, Duration::ZERO);
        true
    }

    /// An opening of groups has failed; whether it was one.
    pub(in super::super) fn reach_failed(&mut self, now: Instant, opening: OpeningId, reason: OpenFailure) -> bool {
        let Some(reach) = self.groups.reaches.remove(&opening) else { return false };
        let why = match reach.attempt.verdict(reason) {
            DialError::Unreachable => Unreachable::Blocked,
            _ => Unreachable::Gone,
        };
        for group in reach.groups {
            if let Some(joined) = self.groups.joined.get_mut(&group) {
                joined.member.unreachable(now, reach.peer, why);
            }
        }
        true
    }

    /// A Redirect came for an opening; whether it was one of groups.
    pub(in super::super) fn reach_redirected(
        &mut self,
        now: Instant,
        opening: OpeningId,
        taken: usize,
        unknown_peer: bool,
    ) -> bool {
        let Some(reach) = self.groups.reaches.get_mut(&opening) else { return false };
        if unknown_peer {
            reach.attempt.hinted(now);
        } else if taken > 0 {
            reach.attempt.redirected(now);
        }
        true
    }

    /// A membership does not want a peer any more that was not reached yet.
    pub(super) fn stop_reaching(&mut self, now: Instant, group: GroupHandle, peer: PeerId) {
        let found = self.groups.reaches.iter_mut().find(|(_, reach)| reach.peer == peer);
        let Some((&opening, reach)) = found else { return };
        reach.groups.remove(&group);
        if reach.groups.is_empty() {
            self.groups.reaches.remove(&opening);
            self.endpoint.cancel(now, opening);
        }
    }

    /// A group is left: nobody is looked for on its behalf.
    pub(super) fn give_up_reaching(&mut self, now: Instant, group: GroupHandle) {
        let wanted: Vec<PeerId> = self
            .groups
            .reaches
            .values()
            .filter(|reach| reach.groups.contains(&group))
            .map(|reach| reach.peer)
            .collect();
        for peer in wanted {
            self.stop_reaching(now, group, peer);
        }
    }

    /// Looks up anew where a member is, or ends attempts whose time is over.
    pub(super) fn reaches_timeout(&mut self, now: Instant) {
        let (mut over, mut asked) = (Vec::new(), Vec::new());
        for (&opening, reach) in &mut self.groups.reaches {
            if reach.attempt.is_over(now) {
                over.push(opening);
                continue;
            }
            if reach.attempt.looks_again(now) {
                self.endpoint.look_again(now, opening);
            }
            if reach.ask_at.take_if(|at| *at <= now).is_some() {
                let of = |&remote: &SocketAddr| (opening, remote, reach.firsthand.contains(&remote));
                asked.extend(reach.introducers.iter().map(of));
            }
        }
        for (opening, remote, is_firsthand) in asked {
            self.look_at(now, opening, remote, is_firsthand);
        }
        for opening in over {
            let reason = self.endpoint.cancel(now, opening);
            self.reach_failed(now, opening, reason);
        }
    }

    /// Somebody looks for a peer that is not us: a neighbour is introduced.
    pub(in super::super) fn introduce(&mut self, now: Instant, path: Path, epd: &[u8], tag: &[u8], datagram: usize) {
        let Some(peer) = Epd::parse(epd).and_then(|wanted| wanted.peer_id()) else { return };
        let session = self.groups.joined.values().find_map(|joined| {
            let proven = joined.member.view().neighbour(peer).is_some();
            joined.peers.get(&peer).copied().filter(|_| proven)
        });
        let Some(session) = session else { return };
        let Some(remote) = self.endpoint.session(session).map(|session| session.path().remote) else { return };
        let affordable = |limits: &mut super::parts::Limits| limits.introductions.take(now, path.remote.ip(), 1);
        if remote == path.remote || !self.groups.limits.as_mut().is_some_and(affordable) {
            self.groups.stats.introductions_limited += 1;
            return;
        }
        self.groups.stats.introductions += 1;
        let observed = |socket| Address { origin: Origin::Observed, socket };
        // Over budget, it is counted there, and the initiator asks again.
        let _ = self.endpoint.send_redirect(now, path, tag, &[observed(remote)], datagram);
        self.endpoint.forward_ihello(session, epd, observed(path.remote), tag);
    }
}

/// Whether a member can be at `socket`. Loopback is for those on this machine.
fn is_possible(socket: SocketAddr, here: bool) -> bool {
    let ip = socket.ip();
    let broadcast = matches!(ip, std::net::IpAddr::V4(v4) if v4.is_broadcast());
    socket.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast && (here || !ip.is_loopback())
}
