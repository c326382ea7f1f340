//! What a receive brought: whose it is, and what startup packets hold (RFC 7016 sections 2.3 and 3.3).

use crate::base::{Instant, Path, Received, SessionId};
use crate::crypto::{session_id_of, startup};
use crate::wire::{Chunk, Chunks, Header, Mode, PacketFragment};

use super::answers::is_possible_source;
use super::core::Core;
use super::event::OpeningId;
use super::ids::Owner;
use super::stats::DropReason;

/// A startup packet: under the Default Session Key, and not a session's.
#[derive(Debug, Clone, Copy)]
struct Startup {
    path: Path,
    /// Whom it is addressed to: nobody in particular, or the opening that chose this near ID.
    to: Option<(OpeningId, SessionId)>,
    /// Bytes of the datagram that brought it, or the last piece of it.
    datagram: usize,
    is_reassembled: bool,
}

impl Core {
    /// Takes what one receive brought. Datagrams for one session in a row are looked up once and handed on together.
    pub(crate) fn receive(&mut self, now: Instant, received: Received<'_>) {
        let Received { path, ecn, segment, data } = received;
        let segment = segment.max(1);
        if !is_possible_source(path.remote) {
            for _ in data.chunks(segment) {
                self.stats.drop(DropReason::ImpossibleSource);
            }
            return;
        }
        let mut rest = data;
        while !rest.is_empty() {
            let first = rest.len().min(segment);
            let id = session_id_of(&rest[..first]);
            let owner = id.and_then(|id| self.ids.owner(id));
            let (len, count) = match owner {
                Some(Owner::Session(_)) => run_of(rest, segment, id),
                _ => (first, 1),
            };
            let (run, others) = std::mem::take(&mut rest).split_at_mut(len);
            rest = others;
            self.stats.datagrams_in += count;
            match (id, owner) {
                (None, _) => self.stats.drop(DropReason::TooShort),
                (_, Some(Owner::Session(slot))) => {
                    self.deliver(now, slot, Received { path, ecn, segment, data: run });
                }
                (Some(id), Some(Owner::Opening(opening))) => self.on_keying_datagram(now, path, opening, id, run),
                (Some(SessionId::STARTUP), None) => self.on_startup_datagram(now, path, run),
                (_, Some(Owner::Quarantine) | None) => self.stats.drop(DropReason::UnknownSession),
            }
        }
    }

    fn on_startup_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) {
        self.stats.startup_bytes_in += datagram.len() as u64;
        match startup::open(datagram) {
            Err(error) => self.stats.drop(DropReason::NotOpened(error)),
            Ok(packet) => {
                let meta = Startup { path, to: None, datagram: datagram.len(), is_reassembled: false };
                self.on_startup_packet(now, meta, &datagram[packet]);
            }
        }
    }

    /// A datagram for an ID that we chose for an IIKeying: an answer, or already the session's.
    fn on_keying_datagram(&mut self, now: Instant, path: Path, opening: OpeningId, id: SessionId, datagram: &mut [u8]) {
        self.stats.startup_bytes_in += datagram.len() as u64;
        let sealed = datagram.to_vec();
        match startup::open(datagram) {
            Err(_) => {
                let kept = self.openings.with(opening, |opening| opening.keep_early(id, &path, &sealed));
                self.count(kept.unwrap_or(Err(DropReason::UnknownSession)));
            }
            Ok(packet) => {
                let to = Some((opening, id));
                let meta = Startup { path, to, datagram: datagram.len(), is_reassembled: false };
                self.on_startup_packet(now, meta, &datagram[packet]);
            }
        }
    }

    fn on_startup_packet(&mut self, now: Instant, meta: Startup, packet: &[u8]) {
        let (header, chunks) = match Header::decode(packet) {
            Ok(decoded) => decoded,
            Err(_) => return self.stats.drop(DropReason::Malformed),
        };
        if header.mode != Mode::Startup {
            return self.stats.drop(DropReason::NotStartup);
        }
        // One answer for one datagram, however many chunks ask for one.
        let mut answered = false;
        for raw in Chunks::new(chunks) {
            let Ok(chunk) = Chunk::decode(raw) else {
                self.stats.drop(DropReason::Malformed);
                continue;
            };
            let outcome = match chunk {
                Chunk::Padding | Chunk::Unknown { .. } => continue,
                Chunk::PacketFragment(piece) => self.on_fragment(now, meta, &piece),
                _ if answered => Err(DropReason::SecondRequest),
                chunk => {
                    answered = true;
                    self.on_startup_chunk(now, meta, &chunk)
                }
            };
            self.count(outcome);
        }
    }

    fn on_startup_chunk(&mut self, now: Instant, meta: Startup, chunk: &Chunk<'_>) -> Result<(), DropReason> {
        let Startup { path, to, datagram, .. } = meta;
        let receive_only = self.config.receive_only.contains(&path.interface);
        match (to, chunk) {
            (None, Chunk::IHello(hello)) => self.on_ihello(now, path, datagram, hello),
            _ if receive_only => Err(DropReason::Misplaced),
            (None, Chunk::RHello(hello)) => self.on_rhello(now, path, hello),
            (None, Chunk::Redirect(redirect)) => self.on_redirect(now, path, redirect),
            (None, Chunk::IIKeying(keying)) => self.on_iikeying(now, path, datagram, keying),
            (Some((opening, id)), Chunk::RIKeying(keying)) => self.on_rikeying(now, opening, id, keying),
            (Some((opening, id)), Chunk::RHelloCookieChange(change)) => self.on_cookie_change(now, opening, id, change),
            _ => Err(DropReason::Misplaced),
        }
    }

    fn on_fragment(&mut self, now: Instant, meta: Startup, piece: &PacketFragment<'_>) -> Result<(), DropReason> {
        if meta.is_reassembled {
            return Err(DropReason::NestedFragment);
        }
        let id = meta.to.map_or(SessionId::STARTUP, |(_, id)| id);
        if let Some(packet) = self.reassembler.take(now, meta.path, id, piece)? {
            self.on_startup_packet(now, Startup { is_reassembled: true, ..meta }, &packet);
        }
        Ok(())
    }
}

/// Bytes and number of the datagrams at the front of `data` that are for the session of the first one.
fn run_of(data: &[u8], segment: usize, id: Option<SessionId>) -> (usize, u64) {
    let run = data.chunks(segment).take_while(|datagram| session_id_of(datagram) == id);
    run.fold((0, 0), |(len, count), datagram| (len + datagram.len(), count + 1))
}
