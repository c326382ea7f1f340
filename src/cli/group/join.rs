//! `p2pt group join`: be a member.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::enter::{Entered, Standing, Wishes};
use super::hub::Hub;
use super::lines::{self, Divided};
use super::place::Place;
use super::printer::Printer;
use super::right::{PROMPT, Right};
use super::told;
use super::writer::Writer;
use crate::base::PeerId;
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::{Event, escaped};
use crate::cli::password;
use crate::cli::status::Status;
use crate::cli::table::row::Json;
use crate::group::{MembershipEvent, ReceiveMode};
use crate::node::MemberEvent;
use crate::node::posting::{Post, PostingEvent};
use crate::runtime::GroupItem;

/// Posts whose fate is open at a time.
const AT_ONCE: usize = 64;
/// Who is alone for so long is told.
const LONELY_AFTER: Duration = Duration::from_secs(2);

/// What was asked for.
struct Wanted {
    posts: bool,
    prints: bool,
    echo: bool,
    json: bool,
    divided: Divided,
    timeout: Duration,
}

/// Joins, and stays until told to leave.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn run(call: Call) -> Result<(), Failure> {
    let wanted = Wanted {
        posts: !call.switch("recv-only"),
        prints: !call.switch("send-only"),
        echo: call.switch("echo"),
        json: call.out.json() == Some(Json::Stdout),
        divided: if call.switch("nul") { Divided::Nul } else { Divided::Lines },
        timeout: call.duration("timeout").expect("the table has a default"),
    };
    if wanted.posts && password::takes_stdin(&call, "posting-password") {
        return Err(Failure::usage("standard input carries posts, so it cannot carry the password")
            .next("use a file, or --posting-password-fd, or --recv-only"));
    }
    let stdin = if wanted.posts { Stdin::Data } else { Stdin::Free };
    let place = Place::of(call.text("GROUP").as_deref(), stdin)?;
    let wishes = wishes(&call, &wanted)?;
    call.out.say(format_args!("joining {} {}", place.name(), place.through()));
    let right = right(&call, &place, &wanted).inspect_err(|failure| {
        let _ = call.out.event(not_joined(&place, failure, failure.status == Status::Refused));
    })?;
    net::block_on(member(&call, &place, right, wishes, &wanted))
}

/// Who signs, and whether others will take it.
fn right(call: &Call, place: &Place, wanted: &Wanted) -> Result<Right, Failure> {
    let mut right = Right::unproven(call, &place.spec)?;
    if wanted.posts {
        let prompt = if wanted.prints { "Posting password of this group (none: only read)" } else { PROMPT };
        right.prove(call, &place.spec, Some(prompt))?;
        if place.spec.posting_key().is_some() && !right.is_proven() {
            if !wanted.prints {
                return Err(right.missing());
            }
            call.out.say("no posting password was given: this member only reads");
        }
    }
    Ok(right)
}

/// NetGroup's event for a membership that never came to be.
fn not_joined(place: &Place, failure: &Failure, rejected: bool) -> Event {
    let name = if rejected { "NetGroup.Connect.Rejected" } else { "NetGroup.Connect.Failed" };
    Event::new(name).with("group", place.spec.id().to_string()).with("text", failure.to_string())
}

async fn member(call: &Call, place: &Place, right: Right, wishes: Wishes, wanted: &Wanted) -> Result<(), Failure> {
    let entered = Entered::begin(call, place, right, wishes).await.inspect_err(|failure| {
        let _ = call.out.event(not_joined(place, failure, false));
    })?;
    let group = place.spec.id();
    #[cfg(unix)]
    let serving = super::server::serve(super::socket::listen(group), entered.hub.clone(), group, &call.out);
    #[cfg(not(unix))]
    let serving = std::future::pending::<()>();
    let (printer, failed) = Printer::start(&call.out)?;
    let echoes = entered.hub.echo();
    let (hub, peer) = (entered.hub.clone(), entered.peer_id());
    let joined = Notify::new();
    let scribe = RefCell::new(Scribe { call, wanted, hub, peer, printer, joined: false, met: false, ready: &joined });
    // Whoever asks a rendezvous has joined when that, or a member, has answered.
    if entered.standing() == Standing::None {
        scribe.borrow_mut().joined();
    }
    let mut signals = call.signals.clone();
    let result = tokio::select! {
        () = entered.hub.pump(|item| scribe.borrow_mut().take(item)) => Err(Failure::new(Status::Failed, "go on", "the group was left")),
        failure = entered.follow(&call.out, |event| scribe.borrow_mut().told(event)) => Err(failure),
        result = post_input(call, &entered, wanted) => result.map_err(|failure| entered.explained(failure)),
        () = serving => unreachable!("the socket is served for ever"),
        () = echo(echoes, &scribe) => unreachable!("posts are echoed for ever"),
        () = watch(call, &entered) => unreachable!("status lines go on for ever"),
        Err(failure) = ready(call, &joined, peer) => Err(failure),
        status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        Ok(failure) = failed => Err(failure),
    };
    entered.leave().await;
    let mut scribe = scribe.into_inner();
    if let Err(failure) = &result
        && !scribe.joined
        && signals.stop().is_none()
    {
        scribe.tell(not_joined(place, failure, entered.standing() == Standing::Refused));
    }
    scribe.printer.finish();
    result
}

/// Tells whoever waits for it that we have joined.
async fn ready(call: &Call, joined: &Notify, peer: PeerId) -> Result<(), Failure> {
    joined.notified().await;
    call.out.ready(peer)?;
    std::future::pending().await
}

/// Prints what is posted here, if that was asked for.
async fn echo(mut posts: mpsc::Receiver<Post>, scribe: &RefCell<Scribe<'_>>) {
    while let Some(post) = posts.recv().await {
        scribe.borrow_mut().own(&post);
    }
    std::future::pending().await
}

fn wishes(call: &Call, wanted: &Wanted) -> Result<Wishes, Failure> {
    let neighbors = call
        .texts("neighbor")
        .into_iter()
        .map(|text| text.parse::<PeerId>().map_err(|why| Failure::usage(format_args!("--neighbor {text}: {why}"))));
    Ok(Wishes {
        mode: receive_mode(call),
        retention: call.duration("retention").expect("the table has a default"),
        patience: Duration::from_secs(10),
        stays: wanted.prints,
        cast: false,
        neighbors: neighbors.collect::<Result<_, _>>()?,
    })
}

/// For what routed messages are taken.
pub(super) fn receive_mode(call: &Call) -> ReceiveMode {
    if call.text("receive-mode").as_deref() == Some("exact") { ReceiveMode::Exact } else { ReceiveMode::Nearest }
}

/// Posts standard input, a message at a time. Its end ends the membership only with `--send-only`.
async fn post_input(call: &Call, entered: &Entered, wanted: &Wanted) -> Result<(), Failure> {
    if !wanted.posts {
        return std::future::pending().await;
    }
    let (hub, right) = (&entered.hub, entered.hub.right());
    let group = hub.group().look(|member| member.group()).expect("the group was joined");
    let needs_grant = hub.group().look(|member| member.membership().spec().posting_key().is_some()).unwrap_or(false);
    let mut writer = Writer::new(right.author().clone(), group, call.text("nick"), &mut net::rng()?);
    let mut input = lines::read(wanted.divided);
    let (mut posting, mut told) = (JoinSet::new(), false);
    let mut worst = None;
    loop {
        tokio::select! {
            line = input.recv(), if posting.len() < AT_ONCE => {
                let body = match line {
                    None => break,
                    Some(Ok(body)) => body,
                    Some(Err(failure)) if wanted.prints => {
                        call.out.say(format_args!("nothing is posted any more: {failure}"));
                        break;
                    }
                    Some(Err(failure)) => return Err(failure),
                };
                if needs_grant && !right.is_proven() {
                    if !std::mem::replace(&mut told, true) {
                        call.out.say("not posted: this group needs a posting password (--posting-password-file)");
                    }
                    continue;
                }
                let request = writer.post(&body, right.own_grant().as_deref());
                let (hub, timeout) = (hub.clone(), wanted.timeout);
                posting.spawn(async move { hub.answer(request, timeout).await });
            }
            Some(ended) = posting.join_next(), if !posting.is_empty() => posted(call, wanted, ended, &mut told, &mut worst),
        }
    }
    while let Some(ended) = posting.join_next().await {
        posted(call, wanted, ended, &mut told, &mut worst);
    }
    match worst {
        Some(failure) if !wanted.prints => Err(failure),
        _ if !wanted.prints => Ok(()),
        _ => std::future::pending().await,
    }
}

/// What became of a post of ours.
fn posted(
    call: &Call,
    wanted: &Wanted,
    ended: Result<Result<serde_json::Value, Failure>, tokio::task::JoinError>,
    told: &mut bool,
    worst: &mut Option<Failure>,
) {
    let Ok(Err(failure)) = ended else { return };
    // Whoever stays will meet members yet; the posts wait for them.
    let waits = wanted.prints && matches!(failure.status, Status::NotFound | Status::TimedOut);
    if !waits && wanted.prints && !std::mem::replace(told, true) {
        call.out.say(format_args!(
            "{failure}{}",
            failure.next.as_ref().map(|next| format!("; {next}")).unwrap_or_default()
        ));
    }
    worst.get_or_insert(failure);
}

/// Says so if nobody is there after a moment, and again when the reason changes; answers SIGUSR1.
async fn watch(call: &Call, entered: &Entered) {
    let begun = Instant::now();
    let mut signals = call.signals.clone();
    let lonely = async {
        let mut said = String::new();
        loop {
            tokio::time::sleep(LONELY_AFTER).await;
            let search = entered.search();
            if entered.hub.neighbours() == 0 && search != said {
                call.out.say(format_args!("waiting for a member ({search})"));
                said = search;
            }
        }
    };
    let asked = async {
        loop {
            signals.status_wanted().await;
            call.out.say(status_line(entered, begun));
        }
    };
    tokio::select! {
        () = lonely => unreachable!("this goes on for ever"),
        () = asked => unreachable!("status lines go on for ever"),
    }
}

fn status_line(entered: &Entered, begun: Instant) -> String {
    let (hub, up) = (&entered.hub, crate::cli::units::show_duration(Duration::from_secs(begun.elapsed().as_secs())));
    if hub.neighbours() == 0 {
        return format!("joined for {up}: no member is connected ({})", entered.search());
    }
    let seen = hub.group().look(|member| {
        let (neighbours, stats) = (member.view().neighbours().len(), member.posting().stats());
        let members = member.membership().estimated_members();
        format!("about {members:.0} members, {neighbours} neighbours, {} posts received", stats.received)
    });
    format!("joined for {up}: {}", seen.unwrap_or_else(|| "left".into()))
}

/// Tells what happens.
struct Scribe<'a> {
    call: &'a Call,
    wanted: &'a Wanted,
    hub: Hub,
    peer: PeerId,
    printer: Printer,
    joined: bool,
    met: bool,
    ready: &'a Notify,
}

impl Scribe<'_> {
    /// The membership has begun.
    fn joined(&mut self) {
        if !std::mem::replace(&mut self.joined, true) {
            let group = self.hub.group().look(|member| member.group().to_string());
            let event = Event::new("NetGroup.Connect.Success").with("group", group);
            self.tell(event.with("peer_id", self.peer.to_string()));
            self.ready.notify_one();
        }
    }

    /// Something is told of the rendezvous.
    fn told(&mut self, event: Event) {
        let registered = event.name() == "registered";
        self.tell(event);
        if registered {
            self.joined();
        }
    }

    fn take(&mut self, item: &GroupItem) {
        match item {
            GroupItem::Lost(count) => {
                self.call.out.say(format_args!("{count} events were lost: this machine is too slow for the group"));
                self.tell(Event::new("lost").with("direction", "received").with("messages", *count));
            }
            GroupItem::Event(event) => {
                if let MemberEvent::Membership(change) = event {
                    self.changed(change);
                }
                if self.wanted.json {
                    if let Some(event) = self.hub.group().look(|member| told::event(event, Some(member))).flatten() {
                        self.tell(event);
                    }
                } else if let MemberEvent::Posting(PostingEvent::Notify(post)) = event
                    && self.wanted.prints
                {
                    self.print(post);
                }
            }
        }
    }

    fn changed(&mut self, change: &MembershipEvent) {
        let peer = match change {
            MembershipEvent::NeighborConnect { peer } | MembershipEvent::NeighborDisconnect { peer } => peer,
            MembershipEvent::LocalCoverage => return,
        };
        tracing::info!("{change:?}");
        let there = self.hub.neighbours() > 0;
        if there && !self.met {
            self.joined();
            self.call.out.say(format_args!("connected; the first neighbour is {peer:?}"));
        } else if !there && self.met {
            self.call.out.say("the last neighbour is gone; looking for members");
        }
        self.met = there;
    }

    /// A post as a line: on a terminal with who wrote it.
    fn print(&mut self, post: &Post) {
        let line = if self.call.out.to_terminal() {
            let body = lines::shown(&post.body, Divided::Lines);
            let nick = post.nick.as_deref().map(|nick| format!("{} ", nick.replace('\n', " "))).unwrap_or_default();
            let text = format!("{nick}({:?}): {}", post.author, String::from_utf8_lossy(&body));
            escaped(&text).into_owned().into_bytes()
        } else {
            lines::shown(&post.body, self.wanted.divided)
        };
        self.printer.print(line);
    }

    /// A post that was made here.
    fn own(&mut self, post: &Post) {
        match (self.wanted.echo, self.wanted.json) {
            (false, _) => {}
            (true, true) => self.tell(told::echo(post)),
            (true, false) => self.print(post),
        }
    }

    fn tell(&mut self, event: Event) {
        if self.wanted.json {
            self.printer.print(format!("{}\n", event.line()).into_bytes());
        }
    }
}
