//! What arrives for our openings: RHello, Redirect, RIKeying, Cookie Change.

use crate::base::{Instant, Path, SessionId};
use crate::wire::{RHello, RHelloCookieChange, RIKeying, Redirect};

use super::core::Core;
use super::event::{EndpointEvent, OpeningId};
use super::glare::SERVE;
use super::opening::Opening;
use super::stats::DropReason;
use super::table::Purpose;

impl Core {
    /// Takes an RHello, whoever it is for (RFC 7016 section 3.5.1.1.1: only the tag tells).
    pub(crate) fn on_rhello(&mut self, now: Instant, path: Path, hello: &RHello<'_>) -> Result<(), DropReason> {
        let Some(id) = self.openings.by_tag(hello.tag) else {
            if !self.config.raise_unmatched_rhellos {
                return Err(DropReason::UnmatchedRHello);
            }
            let (tag, certificate) = (hello.tag.to_vec(), hello.certificate.to_vec());
            return self.raise_strangers(EndpointEvent::UnmatchedRHello { path, tag, certificate });
        };
        let existing = self.existing_session(id, hello.certificate);
        let (mut ctx, openings) = self.split(now);
        let taken = openings.with(id, |opening| {
            if existing.is_some() {
                opening.suspend(now + SERVE);
            }
            opening.on_rhello(&mut ctx, path, hello)
        });
        if let Some(slot) = existing {
            self.probe(now, slot, Purpose::Serve(id));
        }
        taken.unwrap_or(Err(DropReason::UnmatchedRHello))
    }

    /// The session that makes this opening needless, if it is alive: with the certificate that answered, and
    /// the one that was dialled.
    fn existing_session(&self, id: OpeningId, certificate: &[u8]) -> Option<u32> {
        let peer = self.profile.examine(certificate).ok()?.peer_id;
        let slot = self.announced_with(peer).find(|slot| self.has_certificate(*slot, certificate))?;
        let profile = &*self.profile;
        let needless = |opening: &Opening| {
            !opening.is_keying() && !opening.was_suspended() && opening.selects(profile, certificate)
        };
        self.openings.get(id).is_some_and(needless).then_some(slot)
    }

    /// Takes a Redirect.
    pub(crate) fn on_redirect(&mut self, now: Instant, path: Path, redirect: &Redirect<'_>) -> Result<(), DropReason> {
        let id = self.openings.by_tag(redirect.tag).ok_or(DropReason::UnmatchedRedirect)?;
        let (mut ctx, openings) = self.split(now);
        let taught = openings.with(id, |opening| opening.on_redirect(&mut ctx, path, redirect));
        let taught = taught.ok_or(DropReason::UnmatchedRedirect)?;
        self.raise_strangers(EndpointEvent::Redirected {
            opening: id,
            from: path,
            taken: taught.taken,
            unknown_peer: taught.unknown_peer,
        })
    }

    /// Takes an RIKeying for the IIKeying with this near ID.
    pub(crate) fn on_rikeying(
        &mut self,
        now: Instant,
        opening: OpeningId,
        near_id: SessionId,
        keying: &RIKeying<'_>,
    ) -> Result<(), DropReason> {
        let (mut ctx, openings) = self.split(now);
        let keyed = openings.with(opening, |opening| opening.on_rikeying(&mut ctx, near_id, keying));
        let keyed = keyed.ok_or(DropReason::UnknownSession)??;
        self.adopt(now, opening, keyed);
        Ok(())
    }

    /// Takes a Cookie Change for the IIKeying with this near ID.
    pub(crate) fn on_cookie_change(
        &mut self,
        now: Instant,
        opening: OpeningId,
        near_id: SessionId,
        change: &RHelloCookieChange<'_>,
    ) -> Result<(), DropReason> {
        let (mut ctx, openings) = self.split(now);
        let taken = openings.with(opening, |opening| opening.on_cookie_change(&mut ctx, near_id, change));
        taken.unwrap_or(Err(DropReason::UnknownSession))
    }

    /// Does what is due for an opening.
    pub(crate) fn on_opening_timeout(&mut self, now: Instant, id: OpeningId) {
        let (mut ctx, openings) = self.split(now);
        if let Some(Some(failure)) = openings.with(id, |opening| opening.handle_timeout(&mut ctx)) {
            self.finish_opening(now, id, Err(failure));
        }
    }
}
