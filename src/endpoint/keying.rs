//! One try to key a session with whoever sent an RHello: S_KEYING_SENT (RFC 7016 sections 3.5.1.1.1 and 3.5.1.2).

use std::time::Duration;

use crate::base::{Instant, Path, SessionId};
use crate::crypto::{FarIdentity, Initiation, ProfileKind, Refusal, SessionKeys};
use crate::wire::{Chunk, IIKeying, RHello, RHelloCookieChange, RIKeying};

use super::backoff::Backoff;
use super::context::Context;
use super::cookie::MAX_COOKIE_LEN;
use super::event::OpeningId;
use super::ids::Owner;
use super::outbox;
use super::stats::DropReason;

/// How long an IIKeying is given before it counts as unanswered, and how many of them make the prevailing end of a glare
/// give in.
const PATIENCE: Duration = Duration::from_secs(1);
const INSIST: u32 = 2;
/// Packets kept for a session that has no keys here yet, and their bytes. A responder of profile `flash` may send
/// before its RIKeying arrives.
const MAX_EARLY: usize = 32;
const MAX_EARLY_BYTES: usize = 48 << 10;

/// An RHello that was acceptable.
#[derive(Debug)]
pub(crate) struct Hello {
    pub(crate) path: Path,
    pub(crate) cookie: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) identity: FarIdentity,
    /// Whether it came from an address to which we had sent.
    pub(crate) asked: bool,
    /// Whether we had sent to that host at least: NATs change ports.
    pub(crate) host_asked: bool,
}

impl Hello {
    /// Whether `hello` from `path` is a copy of it.
    pub(crate) fn is(&self, path: &Path, hello: &RHello<'_>) -> bool {
        self.path.leads_like(path) && self.cookie == hello.cookie && self.certificate == hello.certificate
    }
}

/// An IIKeying under way, with an ID and an ephemeral key of its own.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) near_id: SessionId,
    pub(crate) hello: Hello,
    /// The opening's tag that its RHello answered.
    pub(crate) round: u32,
    pub(crate) started: Instant,
    initiation: Box<dyn Initiation>,
    /// One for each cookie: the responder's first, then the changed one. Either answer is taken.
    variants: Vec<Variant>,
    backoff: Backoff,
    gives_in: Option<Instant>,
    early: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Variant {
    signed: Vec<u8>,
    packet: Vec<u8>,
}

/// What a finished attempt hands to the session.
#[derive(Debug)]
pub(crate) struct Keyed {
    pub(crate) keys: SessionKeys,
    pub(crate) near_id: SessionId,
    pub(crate) far_id: SessionId,
    pub(crate) path: Path,
    pub(crate) certificate: Vec<u8>,
    pub(crate) identity: FarIdentity,
    /// Datagrams that came before the keys.
    pub(crate) early: Vec<Vec<u8>>,
}

/// When to send the IIKeying. A host that we did not ask may be a victim, at whom somebody else points us.
fn schedule(now: Instant, hello: &Hello) -> Backoff {
    if hello.host_asked { Backoff::brisk(now) } else { Backoff::new(now) }
}

impl Attempt {
    /// Makes an IIKeying for `hello` and sends it.
    pub(crate) fn start(ctx: &mut Context<'_>, opening: OpeningId, round: u32, hello: Hello) -> Result<Self, Refusal> {
        let initiation = ctx.profile.initiate(ctx.rng, &hello.certificate)?;
        let near_id = ctx.ids.allot(ctx.now, ctx.rng, Owner::Opening(opening));
        let backoff = schedule(ctx.now, &hello);
        let mut attempt = Self {
            near_id,
            hello,
            round,
            started: ctx.now,
            initiation,
            variants: Vec::new(),
            backoff,
            gives_in: None,
            early: Vec::new(),
        };
        let cookie = attempt.hello.cookie.clone();
        attempt.add_variant(ctx, &cookie);
        attempt.send_if_due(ctx);
        Ok(attempt)
    }

    fn add_variant(&mut self, ctx: &Context<'_>, cookie: &[u8]) {
        let certificate = ctx.profile.certificate();
        let signed = IIKeying::signed_parameters(self.near_id, cookie, certificate, self.initiation.skic());
        let signature = self.initiation.sign(&signed);
        let keying = IIKeying::new(&signed, &signature).expect("these are the parameters just made");
        let packet = outbox::packet(ctx.now, &Chunk::IIKeying(keying));
        self.variants.push(Variant { signed, packet });
    }

    /// Sends the IIKeying, with every cookie that we have, if its time has come.
    pub(crate) fn send_if_due(&mut self, ctx: &mut Context<'_>) {
        if self.backoff.next() > ctx.now {
            return;
        }
        self.backoff.advance(ctx.now);
        if self.backoff.sent() == INSIST {
            self.gives_in = Some(ctx.now + PATIENCE);
        }
        for variant in &self.variants {
            ctx.out.send(self.hello.path, SessionId::STARTUP, &variant.packet, ctx.stats);
        }
    }

    /// When to call [`Self::send_if_due`].
    pub(crate) const fn deadline(&self) -> Instant {
        self.backoff.next()
    }

    /// Sends again at the next opportunity, and begins its schedule anew.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.backoff.renew(now, schedule(now, &self.hello));
    }

    /// Whether it is too early to give in: not yet have two IIKeyings had their time and no answer.
    pub(crate) fn insists(&self, now: Instant) -> bool {
        self.gives_in.is_none_or(|at| now < at)
    }

    /// Adopts the responder's new cookie, once, and sends it.
    pub(crate) fn on_cookie_change(
        &mut self,
        ctx: &mut Context<'_>,
        change: &RHelloCookieChange<'_>,
    ) -> Result<(), DropReason> {
        let founded = change.old == self.hello.cookie && change.new != change.old;
        if self.variants.len() != 1 || !founded || change.new.len() > MAX_COOKIE_LEN {
            return Err(DropReason::CookieChange);
        }
        self.add_variant(ctx, change.new);
        if let Some(variant) = self.variants.last() {
            ctx.out.send(self.hello.path, SessionId::STARTUP, &variant.packet, ctx.stats);
        }
        Ok(())
    }

    /// Checks an RIKeying. A refused one changes nothing: the genuine one may follow.
    pub(crate) fn on_rikeying(
        &mut self,
        ctx: &mut Context<'_>,
        keying: &RIKeying<'_>,
    ) -> Result<(SessionKeys, SessionId), DropReason> {
        if keying.responder_session_id == SessionId::STARTUP {
            return Err(DropReason::AnswerRefused(Refusal::ZeroSessionId));
        }
        if !ctx.limits.verifications.take(ctx.now, 1) {
            return Err(DropReason::AnswerRate);
        }
        ctx.stats.answers_examined += 1;
        let signed: Vec<&[u8]> = self.variants.iter().map(|variant| variant.signed.as_slice()).collect();
        let keys = self.initiation.complete(&signed, keying).map_err(DropReason::AnswerRefused)?;
        Ok((keys, keying.responder_session_id))
    }

    /// Keeps a datagram that the Default Session Key does not open, in case it is the session's.
    pub(crate) fn keep_early(&mut self, path: &Path, datagram: &[u8]) -> Result<(), DropReason> {
        let bytes: usize = self.early.iter().map(Vec::len).sum::<usize>() + datagram.len();
        let wanted = self.hello.identity.kind == ProfileKind::Flash && path.leads_like(&self.hello.path);
        if !wanted || self.early.len() >= MAX_EARLY || bytes > MAX_EARLY_BYTES {
            return Err(DropReason::EarlyPacket);
        }
        self.early.push(datagram.to_vec());
        Ok(())
    }

    /// What the session needs.
    pub(crate) fn finish(self, keys: SessionKeys, far_id: SessionId) -> Keyed {
        Keyed {
            keys,
            near_id: self.near_id,
            far_id,
            path: self.hello.path,
            certificate: self.hello.certificate,
            identity: self.hello.identity,
            early: self.early,
        }
    }
}
