//! A membership and those who wait for something in it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};

use super::lines::MAX_BODY;
use super::request::{Request, Way};
use super::right::Right;
use super::sight::{self, Meter};
use super::told;
use crate::base::{PeerId, TokenBucket};
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::group::{Lane, MembershipEvent};
use crate::node::posting::{Post, PostError, PostId, PostingEvent, Verdict, read_post};
use crate::node::routing::{RouteId, RoutingEvent, SendMode, SendResult};
use crate::node::storage::{StorageEvent, StoreError, StoreId};
use crate::node::{Member, MemberEvent};
use crate::runtime::{Group, GroupItem};

/// Neighbours that have to have a post before whoever posted it leaves.
const ENOUGH: usize = 2;
/// Routed messages that wait for a slow listener; the oldest go first.
const ROUTED_KEPT: usize = 1024;
/// Posts that wait to be echoed.
const ECHOES: usize = 64;
/// How long to wait for a second neighbour once a first has a post.
const SECOND_AFTER: Duration = Duration::from_millis(250);
/// When to look again for room for a post or message.
const ROOM_AFTER: Duration = Duration::from_millis(20);
/// When to look again whether messages were acknowledged.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Routed messages a second, and at once: fewer than a neighbour takes ([`crate::group::MESSAGE_RATE`]), which carries
/// those of others too.
const PACE: (u64, u64) = (400, 800);
/// A view that has not changed for so long is taken for settled,
const SETTLED_AFTER: Duration = Duration::from_millis(400);
/// and any is after this.
const SETTLED_ANYWAY: Duration = Duration::from_secs(3);

/// A membership. Clones are the same one.
#[derive(Clone)]
pub(super) struct Hub(Arc<Inner>);

struct Inner {
    group: Group,
    right: Right,
    /// Neighbours that have to have a post before it counts as posted.
    enough: usize,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    routed: broadcast::Sender<Value>,
    /// Who wants to see what is posted here.
    echo: OnceLock<mpsc::Sender<Post>>,
    /// Whose turn it is to hand over a post: when room is short, posts wait in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

/// What is waited for.
#[derive(Default)]
struct State {
    posts: BTreeMap<PostId, Verdicts>,
    routes: BTreeMap<RouteId, Option<RoutingEvent>>,
    stores: BTreeMap<StoreId, Option<StorageEvent>>,
    meter: Meter,
    pace: Option<TokenBucket>,
    view_changed: Option<Instant>,
}

/// What neighbours say of a post.
#[derive(Default, Clone)]
struct Verdicts {
    accepted: BTreeSet<PeerId>,
    refused: BTreeMap<PeerId, Verdict>,
}

impl Hub {
    /// `stays`: whether the membership goes on after a post, so that one neighbour that has it is enough.
    pub(super) fn new(group: Group, right: Right, stays: bool) -> Self {
        let enough = if stays { 1 } else { ENOUGH };
        let state = State { meter: Meter::new(), ..State::default() };
        Self(Arc::new(Inner {
            group,
            right,
            enough,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            routed: broadcast::Sender::new(ROUTED_KEPT),
            echo: OnceLock::new(),
            turn: tokio::sync::Mutex::new(()),
        }))
    }

    pub(super) fn group(&self) -> &Group {
        &self.0.group
    }

    pub(super) fn right(&self) -> &Right {
        &self.0.right
    }

    /// Takes what happens, for as long as the membership lasts; `also` hears of all of it.
    pub(super) async fn pump(&self, mut also: impl FnMut(&GroupItem)) {
        while let Some(item) = self.0.group.next().await {
            if let GroupItem::Event(event) = &item {
                self.take(event);
            }
            also(&item);
        }
    }

    fn take(&self, event: &MemberEvent) {
        let mut state = self.state();
        match event {
            MemberEvent::Membership(MembershipEvent::LocalCoverage) => {}
            MemberEvent::Membership(_) => state.view_changed = Some(Instant::now()),
            MemberEvent::Posting(PostingEvent::Answered { id, by, verdict }) => {
                if let Some(verdicts) = state.posts.get_mut(id) {
                    match verdict {
                        Verdict::Accepted => drop(verdicts.accepted.insert(*by)),
                        refused => drop(verdicts.refused.insert(*by, *refused)),
                    }
                }
            }
            MemberEvent::Routing(RoutingEvent::Notify(routed)) => drop(self.0.routed.send(told::routed(routed))),
            MemberEvent::Routing(end @ (RoutingEvent::Delivered { id, .. } | RoutingEvent::Undelivered { id, .. })) => {
                if let Some(waiting) = state.routes.get_mut(id) {
                    *waiting = Some(end.clone());
                }
            }
            MemberEvent::Storage(
                end @ (StorageEvent::Stored { id, .. }
                | StorageEvent::Found { id, .. }
                | StorageEvent::Refused { id, .. }
                | StorageEvent::TimedOut { id }),
            ) => {
                if let Some(waiting) = state.stores.get_mut(id) {
                    *waiting = Some(end.clone());
                }
            }
            _ => return,
        }
        drop(state);
        self.0.changed.send_modify(|times| *times += 1);
    }

    /// Measures rates; to be called about once a second.
    pub(super) fn measure(&self) {
        if let Some(totals) = self.0.group.look(sight::totals) {
            self.state().meter.add(Instant::now(), totals);
        }
    }

    /// Routed messages from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Value> {
        self.0.routed.subscribe()
    }

    /// What is posted here from now on, by whatever way; to be called once.
    pub(super) fn echo(&self) -> mpsc::Receiver<Post> {
        let (sender, posts) = mpsc::channel(ECHOES);
        let _ = self.0.echo.set(sender);
        posts
    }

    pub(super) fn neighbours(&self) -> usize {
        self.0.group.look(|member| member.view().neighbours().len()).unwrap_or(0)
    }

    /// Waits for a neighbour.
    ///
    /// # Errors
    /// 12, if none comes in time.
    pub(super) async fn met(&self, timeout: Duration) -> Result<(), Failure> {
        let met = self.until(timeout, |_| (self.neighbours() > 0).then_some(())).await;
        met.ok_or_else(|| nobody(timeout))
    }

    /// Waits until no neighbour has come or gone for a moment.
    pub(super) async fn settled(&self) {
        let begun = Instant::now();
        while begun.elapsed() < SETTLED_ANYWAY {
            let quiet = self.state().view_changed.map_or(begun.elapsed(), |at| at.elapsed());
            match SETTLED_AFTER.checked_sub(quiet) {
                None | Some(Duration::ZERO) => return,
                Some(rest) => tokio::time::sleep(rest).await,
            }
        }
    }

    /// Does what was asked, and waits until it is done.
    ///
    /// # Errors
    /// Why it could not be done, with an exit status.
    pub(super) async fn answer(&self, request: Request, timeout: Duration) -> Result<Value, Failure> {
        match request {
            Request::Post { signed } => self.post(signed.into(), timeout).await,
            Request::Put { signed } => {
                self.met(timeout).await?;
                self.put(timeout, |member, now| member.inject_record(now, signed.into())).await
            }
            Request::PutContent { value, life } => {
                self.met(timeout).await?;
                self.put(timeout, |member, now| member.put_content(now, value.into(), life)).await
            }
            Request::Get { key } => self.get(&key, timeout).await,
            Request::Route { way, body, ack, author } => self.route(way, body.into(), ack, author, timeout).await,
            Request::Listen => Err(Failure::usage("listening has no end")),
            Request::Members => self.look(sight::members),
            Request::Info => {
                let rates = self.state().meter.rates();
                self.look(|member| sight::info(member, &rates))
            }
            Request::Grant { author } => {
                let grant = self.0.right.grant(author).ok_or_else(|| {
                    Failure::new(Status::Refused, "post", "p2pt group join runs here without the posting password")
                })?;
                Ok(json!({ "grant": crate::base::to_hex(&grant) }))
            }
        }
    }

    fn look(&self, run: impl FnOnce(&Member) -> Value) -> Result<Value, Failure> {
        self.0.group.look(run).ok_or_else(left)
    }

    async fn post(&self, signed: Bytes, timeout: Duration) -> Result<Value, Failure> {
        let injected = timed(timeout, self.injected(signed.clone())).await;
        let id = injected.unwrap_or(Err(PostError::Full)).map_err(post_failed)?;
        if let Some(echo) = self.0.echo.get()
            && let Some(post) = self.0.group.look(|member| read_post(member.group(), &signed)).flatten()
        {
            let _ = echo.send(post).await;
        }
        self.state().posts.insert(id, Verdicts::default());
        let decided = self.until(timeout, |state| self.decided(state.posts.get(&id)?));
        // A second neighbour may have the post from the first and say nothing.
        let one = async {
            if self.until(timeout, |state| (!state.posts.get(&id)?.accepted.is_empty()).then_some(())).await.is_none() {
                return std::future::pending().await;
            }
            tokio::time::sleep(SECOND_AFTER).await;
            Some(Ok(()))
        };
        let decided = tokio::select! {
            decided = decided => decided,
            one = one => one,
        };
        let verdicts = self.state().posts.remove(&id).unwrap_or_default();
        match decided {
            Some(Ok(())) => {}
            Some(Err(verdict)) => return Err(verdict_failed(verdict)),
            None if !verdicts.accepted.is_empty() => {}
            None if self.neighbours() == 0 => return Err(nobody(timeout)),
            None => return Err(Failure::new(Status::TimedOut, "post", "no neighbour said that it has the post")),
        }
        Ok(json!({ "message_id": crate::base::to_hex(&id.0), "accepted": verdicts.accepted.len() }))
    }

    /// Hands a post over, once there is room for it.
    async fn injected(&self, signed: Bytes) -> Result<PostId, PostError> {
        let _turn = self.0.turn.lock().await;
        loop {
            let posted = self.0.group.with(|member, now| member.inject_post(now, signed.clone()));
            match posted.unwrap_or(Err(PostError::Full)) {
                Err(PostError::Full) => tokio::time::sleep(ROOM_AFTER).await,
                posted => return posted,
            }
        }
    }

    /// Whether enough neighbours have answered.
    fn decided(&self, verdicts: &Verdicts) -> Option<Result<(), Verdict>> {
        let wanted = self.neighbours().clamp(1, self.0.enough);
        if verdicts.accepted.len() >= wanted {
            return Some(Ok(()));
        }
        let refused = verdicts.accepted.is_empty() && verdicts.refused.len() >= wanted;
        refused.then(|| verdicts.refused.values().next().copied().map(Err)).flatten()
    }

    async fn put(
        &self,
        timeout: Duration,
        begin: impl FnOnce(&mut Member, crate::base::Instant) -> Result<StoreId, StoreError>,
    ) -> Result<Value, Failure> {
        let id = self.0.group.with(begin).ok_or_else(left)?.map_err(store_failed)?;
        match self.stored(id, timeout).await {
            Some(StorageEvent::Stored { copies, .. }) if copies > 0 => Ok(json!({ "copies": copies })),
            Some(StorageEvent::Refused { reason, .. }) => Err(Failure::new(Status::Refused, "store the value", reason)),
            _ => Err(Failure::new(Status::TimedOut, "store the value", "no member said that it holds it")),
        }
    }

    async fn get(&self, key: &[u8], timeout: Duration) -> Result<Value, Failure> {
        // Who is alone may still hold the value.
        let _ = self.met(timeout.min(Duration::from_secs(5))).await;
        let id = self.0.group.with(|member, now| member.get(now, key)).ok_or_else(left)?;
        match self.stored(id, timeout).await {
            Some(StorageEvent::Found { records, holders, .. }) => {
                let records: Vec<Value> = records.iter().map(told::record).collect();
                Ok(json!({ "holders": holders, "records": records }))
            }
            _ if self.neighbours() == 0 => Err(nobody(timeout)),
            _ => Err(Failure::new(Status::TimedOut, "get the value", "nobody answered in time")),
        }
    }

    async fn stored(&self, id: StoreId, timeout: Duration) -> Option<StorageEvent> {
        self.state().stores.insert(id, None);
        let end = self.until(timeout, |state| state.stores.get(&id)?.clone()).await;
        self.state().stores.remove(&id);
        end
    }

    async fn route(
        &self,
        way: Way,
        body: Bytes,
        ack: bool,
        author: PeerId,
        timeout: Duration,
    ) -> Result<Value, Failure> {
        if author != self.0.right.author().peer_id() {
            return Err(Failure::new(Status::Refused, "route", "p2pt group join runs here under another identity")
                .next("use --alone"));
        }
        if body.len() > MAX_BODY {
            return Err(Failure::usage("a message has at most 65,536 bytes"));
        }
        self.met(timeout).await?;
        let sent = timed(timeout, self.sent(way, body, ack)).await;
        let full = || Failure::new(Status::TimedOut, "send the message", "neighbours do not take what was sent before");
        let (id, sent) = sent.ok_or_else(full)??;
        let no_route = || Failure::new(Status::NotFound, "send the message", "there is no way to that place");
        if sent == SendResult::NoRoute {
            return Err(no_route());
        }
        let Some(id) = id.filter(|_| ack) else { return Ok(json!({ "result": "sent" })) };
        self.state().routes.insert(id, None);
        let end = self.until(timeout, |state| state.routes.get(&id)?.clone()).await;
        self.state().routes.remove(&id);
        match end {
            Some(RoutingEvent::Delivered { by, hops, .. }) => {
                Ok(json!({ "result": "delivered", "by": by.to_string(), "hops": hops }))
            }
            Some(RoutingEvent::Undelivered { no_route: true, .. }) => Err(no_route()),
            _ => Err(Failure::new(Status::TimedOut, "send the message", "its receiver did not answer")),
        }
    }

    /// Hands a message over, once there is room for it, and no faster than neighbours take them.
    async fn sent(&self, way: Way, body: Bytes, ack: bool) -> Result<(Option<RouteId>, SendResult), Failure> {
        loop {
            let now = self.0.group.with(|_, now| now).ok_or_else(left)?;
            if !self.state().pace.get_or_insert_with(|| TokenBucket::new(PACE.0, PACE.1)).take(now, 1) {
                tokio::time::sleep(ROOM_AFTER).await;
                continue;
            }
            let begin = |member: &mut Member, now: crate::base::Instant| {
                let body = body.clone();
                match way {
                    Way::Nearest(place) => {
                        let (id, sent) = member.route_to_nearest(now, place, body, ack);
                        (Some(id), sent)
                    }
                    Way::Next => (None, member.send_to_neighbor(now, SendMode::NextIncreasing, body)),
                    Way::Previous => (None, member.send_to_neighbor(now, SendMode::NextDecreasing, body)),
                    Way::Neighbors => (None, member.send_to_all_neighbors(now, body)),
                }
            };
            match self.0.group.with(begin).ok_or_else(left)? {
                (_, SendResult::Error) => tokio::time::sleep(ROOM_AFTER).await,
                sent => return Ok(sent),
            }
        }
    }

    /// Waits until neighbours have all routed messages that were sent to them.
    ///
    /// # Errors
    /// 3, if they do not in time.
    pub(super) async fn handed_over(&self, timeout: Duration) -> Result<(), Failure> {
        let wait = async {
            while self.0.group.backlog(Lane::Routes) > 0 {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let late = || Failure::new(Status::TimedOut, "send the message", "no neighbour said that it has it");
        timed(timeout, wait).await.ok_or_else(late)
    }

    /// Waits until something holds of the state.
    async fn until<T>(&self, timeout: Duration, mut found: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let mut changed = self.0.changed.subscribe();
        let wait = async {
            loop {
                if let Some(value) = found(&self.state()) {
                    return value;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        timed(timeout, wait).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn timed<T>(timeout: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(timeout, work).await.ok()
}

fn left() -> Failure {
    Failure::new(Status::Failed, "go on", "the group was left")
}

/// What nobody being there is told as.
const REACH: &str = "reach the group";

/// Whether it failed because nobody was there.
pub(super) fn is_nobody(failure: &Failure) -> bool {
    failure.status == Status::NotFound && failure.tried == REACH
}

pub(super) fn nobody(timeout: Duration) -> Failure {
    let came = format!("no member was found within {}", crate::cli::units::show_duration(timeout));
    Failure::new(Status::NotFound, REACH, came)
        .next("see that a member runs (p2pt group join), and that both use the same rendezvous or LAN")
}

fn post_failed(error: PostError) -> Failure {
    match error {
        PostError::NoGrant => no_grant(),
        error => Failure::new(Status::Refused, "post", error),
    }
}

fn store_failed(error: StoreError) -> Failure {
    match error {
        StoreError::NoGrant => no_grant(),
        error => Failure::new(Status::Refused, "store the value", error),
    }
}

fn no_grant() -> Failure {
    Failure::new(Status::Refused, "post", "this group needs a posting password, and none was given")
        .next("give it with --posting-password-file")
}

fn verdict_failed(verdict: Verdict) -> Failure {
    let refused = |why: &str| Failure::new(Status::Refused, "post", why);
    match verdict {
        Verdict::TooOld => refused("members find the post too old: this machine's clock is slow, or theirs are fast")
            .next("set this machine's clock, by NTP say"),
        Verdict::InFuture => {
            refused("members find the post in the future: this machine's clock is fast, or theirs are slow")
                .next("set this machine's clock, by NTP say")
        }
        Verdict::NoGrant => {
            refused("members do not accept the grant: the posting password is another's, or the grant expired")
                .next("check the posting password, and this machine's clock")
        }
        Verdict::Malformed | Verdict::Accepted => {
            refused("members find the post malformed; are they of a later version?")
        }
    }
}
