//! `p2pt multicast play`.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::super::enter::{Entered, Standing, Wishes};
use super::super::hub::nobody;
use super::super::right::Right;
use super::super::told::{self, of_stream};
use super::figures::{self, Report};
use super::outlet::Outlet;
use super::{Company, LOOK, named, peer_of};
use crate::base::PeerId;
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::Event;
use crate::cli::status::Status;
use crate::cli::units::{show_duration, show_size};
use crate::node::MemberEvent;
use crate::node::multicast::media::Joiner;
use crate::node::multicast::{PlayId, Shown, StreamEvent, StreamKey, StreamSettings, Wanted};
use crate::runtime::GroupItem;

/// How often losses are told.
const LOSSES: Duration = Duration::from_secs(1);
/// The weight of a new measurement of how full the window is.
const FRESH: f64 = 0.05;

/// Plays a stream to standard output.
///
/// # Errors
/// See the statuses of its row.
pub(in crate::cli) fn run(call: Call) -> Result<(), Failure> {
    let (place, name) = named(&call, Stdin::Free)?;
    let publisher = peer_of(&call, "publisher")?;
    let wanted = Wanted { name, publisher, latency: call.duration("latency") };
    let timeout = call.duration("timeout").expect("the table has a default");
    call.out.say(format_args!("looking for {:?} in {} {}", wanted.name, place.name(), place.through()));
    net::block_on(async {
        let right = Right::unproven(&call, &place.spec)?;
        let wishes = Wishes { stays: true, cast: true, ..Wishes::brief(timeout) };
        let entered = Entered::begin(&call, &place, right, wishes).await?;
        let result = play(&call, &entered, wanted, timeout).await;
        entered.leave().await;
        result
    })
}

async fn play(call: &Call, entered: &Entered, wanted: Wanted, timeout: Duration) -> Result<(), Failure> {
    let (outlet, mut written) = Outlet::start(&call.out)?;
    let usual = StreamSettings::for_latency(wanted.latency.unwrap_or_default());
    let limit = call.number("multicast-push-neighbor-limit").and_then(|limit| usize::try_from(limit).ok());
    let margin = call.duration("multicast-relay-margin-duration").unwrap_or(usual.relay_margin);
    let name = wanted.name.clone();
    let id = entered.hub.group().with(|member, now| {
        member.set_relaying(limit.unwrap_or(usual.push_limit), margin)?;
        member.play(now, wanted)
    });
    let id = id.ok_or_else(left)?.map_err(|why| Failure::new(Status::Usage, "play the stream", why))?;
    let state = RefCell::new(State::new(id, outlet));
    let player =
        Player { call, entered, name, timeout, keeps_open: call.switch("keep-open"), state, end: Notify::new() };
    if entered.standing() == Standing::None {
        player.is_ready()?;
    }
    let mut signals = call.signals.clone();
    let result = tokio::select! {
        () = entered.hub.pump(|item| player.take(item)) => Err(left()),
        failure = entered.follow(&call.out, |event| player.told(event)) => Err(failure),
        failure = player.silence() => Err(failure),
        never = player.report() => never,
        status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        result = async {
            tokio::select! {
                // It ends before the end only if it fails.
                ended = &mut written => return ended.unwrap_or_else(|_| Err(left())),
                () = player.end.notified() => {}
            }
            // Others are served while a slow reader takes the rest.
            player.state.borrow_mut().outlet.finish();
            written.await.unwrap_or_else(|_| Err(left()))
        } => result,
    };
    player.finish(result.is_ok())?;
    result.map_err(|failure| entered.explained(failure))
}

fn left() -> Failure {
    Failure::new(Status::Failed, "go on", "the group was left")
}

struct Player<'a> {
    call: &'a Call,
    entered: &'a Entered,
    name: String,
    timeout: Duration,
    keeps_open: bool,
    state: RefCell<State>,
    /// The stream came to its end.
    end: Notify,
}

struct State {
    play: PlayId,
    playing: Option<(StreamKey, PeerId)>,
    joiner: Joiner,
    outlet: Outlet,
    company: Company,
    begun: Instant,
    /// Since when nothing is played.
    idle: Instant,
    ready: bool,
    bytes: u64,
    units: u64,
    /// Fragments that did not come in time, and those of them that were told.
    lost: (u64, u64),
    /// The same of units that were not written, since nobody read.
    unread: (u64, u64),
    losses_told: Instant,
    /// How much of the latency what is shown had left, lately.
    fill: Option<f64>,
    last: Option<Event>,
}

impl State {
    fn new(play: PlayId, outlet: Outlet) -> Self {
        let now = Instant::now();
        Self {
            play,
            playing: None,
            joiner: Joiner::new(),
            outlet,
            company: Company::new(),
            begun: now,
            idle: now,
            ready: false,
            bytes: 0,
            units: 0,
            lost: (0, 0),
            unread: (0, 0),
            losses_told: now,
            fill: None,
            last: None,
        }
    }
}

impl Player<'_> {
    fn is_ready(&self) -> Result<(), Failure> {
        let was = std::mem::replace(&mut self.state.borrow_mut().ready, true);
        if was { Ok(()) } else { self.call.out.ready(self.entered.peer_id()) }
    }

    fn told(&self, event: Event) {
        let registered = event.name() == "registered";
        let _ = self.call.out.event(event);
        if registered {
            let _ = self.is_ready();
        }
    }

    fn take(&self, item: &GroupItem) {
        let event = match item {
            GroupItem::Lost(count) => {
                // Among them may have been what was to be shown.
                self.state.borrow_mut().unread.0 += count;
                return;
            }
            GroupItem::Event(event) => event,
        };
        let near = self.state.borrow_mut().company.changed(&self.call.out, event);
        if let Some(event) = near {
            let _ = self.call.out.event(event);
            let _ = self.is_ready();
        }
        let MemberEvent::Multicast(of_streams) = event else { return };
        if let Some(event) = told::event(event, None) {
            let _ = self.call.out.event(event);
        }
        self.stream(of_streams);
    }

    fn stream(&self, event: &StreamEvent) {
        let mut state = self.state.borrow_mut();
        match event {
            StreamEvent::Reset { play, key, publisher } if *play == state.play => {
                self.call.out.say(format_args!("playing {:?} of {publisher:?}", self.name));
                let event = of_stream("NetStream.MulticastStream.Reset", *key, &self.name, *publisher);
                let _ = self.call.out.event(event);
                state.playing = Some((*key, *publisher));
                state.joiner.follow();
            }
            StreamEvent::Show { play, shown } if *play == state.play => self.show(&mut state, shown),
            StreamEvent::Lost { play, fragments } if *play == state.play => state.lost.0 += fragments,
            StreamEvent::End { play, .. } if *play == state.play => {
                state.last = self.event(&state);
                state.playing = None;
                state.idle = Instant::now();
                if self.keeps_open {
                    self.call.out.say("the stream has ended; waiting for the next");
                } else {
                    self.end.notify_one();
                }
            }
            _ => {}
        }
    }

    fn show(&self, state: &mut State, shown: &Shown) {
        let mut unit = Vec::with_capacity(shown.unit.data.len() + 64);
        if !state.joiner.put(&shown.unit, shown.is_first, &shown.head, &mut unit) {
            return;
        }
        let len = unit.len() as u64;
        if !state.outlet.put(unit, shown.unit.key) {
            state.unread.0 += 1;
            return;
        }
        state.bytes += len;
        state.units += 1;
        let waited = self.entered.hub.group().with(|_, now| now - shown.ready);
        let latency = self.latency(state);
        if let (Some(waited), Some(latency)) = (waited, latency.filter(|latency| !latency.is_zero())) {
            let fill = (waited.as_secs_f64() / latency.as_secs_f64()).min(1.0);
            state.fill = Some(state.fill.map_or(fill, |before| before + FRESH * (fill - before)));
        }
    }

    /// How long after its publication everything is played.
    fn latency(&self, state: &State) -> Option<Duration> {
        let of_publisher = || {
            let (key, _) = state.playing?;
            let find = |member: &crate::node::Member| {
                member.multicast()?.streams().find(|stream| stream.key == key).map(|stream| stream.settings.window)
            };
            self.entered.hub.group().look(find).flatten()
        };
        self.call.duration("latency").or_else(of_publisher)
    }

    /// Waits until nothing has come for too long.
    async fn silence(&self) -> Failure {
        let mut said = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let (playing, idle) = {
                let state = self.state.borrow();
                (state.playing, state.idle.elapsed())
            };
            let Some((key, publisher)) = playing else {
                if idle >= self.timeout && !self.keeps_open {
                    return self.nothing();
                }
                continue;
            };
            let heard = self.entered.hub.group().with(|member, now| {
                let mut streams = member.multicast()?.streams();
                streams.find(|stream| stream.key == key).map(|stream| now - stream.heard)
            });
            // One that nothing is known of any more has been silent for longer.
            let silent = heard.flatten().is_none_or(|silent| silent >= self.timeout);
            if silent && !self.keeps_open {
                let came = format!("nothing more came of its publisher for {}", show_duration(self.timeout));
                return Failure::new(Status::TimedOut, "play the stream to its end", came)
                    .next("--keep-open waits until it, or another publisher, goes on");
            }
            if silent && said != Some(key) {
                said = Some(key);
                self.call.out.say(format_args!("nothing more comes of {publisher:?}; waiting"));
            } else if !silent {
                said = None;
            }
        }
    }

    /// What it is that nothing was played.
    fn nothing(&self) -> Failure {
        if self.entered.hub.neighbours() == 0 {
            return nobody(self.timeout);
        }
        let names = self.entered.hub.group().look(|member| {
            let streams = member.multicast().into_iter().flat_map(|multicast| multicast.streams());
            let mut names: Vec<String> = streams.map(|stream| format!("{:?}", stream.name)).collect();
            names.sort_unstable();
            names.dedup();
            names.truncate(8);
            names.join(", ")
        });
        let there = names.filter(|names| !names.is_empty()).map(|names| format!("; there are {names}"));
        let span = show_duration(self.timeout);
        let came = format!("nobody published it within {span}{}", there.unwrap_or_default());
        Failure::new(Status::NotFound, format!("play {:?}", self.name), came)
            .next("--keep-open waits until somebody publishes it")
    }

    /// Tells how it goes.
    async fn report(&self) -> Result<(), Failure> {
        let mut report = Report::new(self.call);
        let mut signals = self.call.signals.clone();
        loop {
            let asked = tokio::select! {
                () = signals.status_wanted() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let mut state = self.state.borrow_mut();
            state.company.look(&self.call.out, self.entered);
            report.measure(state.bytes);
            if state.losses_told.elapsed() >= LOSSES {
                self.tell_losses(&mut state)?;
            }
            let line = self.line(&state, report.rate);
            if asked {
                self.call.out.say(&line);
            }
            report.line(line);
            report.tell(self.call, || self.event(&state))?;
        }
    }

    fn line(&self, state: &State, rate: f64) -> String {
        let Some((live, info)) = self.seen(state) else {
            return format!("waiting for {:?}; {}", self.name, figures::neighbours(self.entered.hub.neighbours()));
        };
        let fill = state.fill.map_or(String::new(), |fill| format!("; window {:.0} % full", 100.0 * fill));
        let waiting = match state.outlet.waiting() {
            0..=1_048_576 => String::new(),
            waiting => format!("; {} wait to be read", show_size(waiting as u64)),
        };
        format!(
            "{}, passing on {}{fill}; {}; {} lost{waiting}",
            figures::rate(rate),
            figures::rate(info.send_data_rate as f64),
            figures::neighbours(live.neighbours),
            state.lost.0
        )
    }

    fn seen(
        &self,
        state: &State,
    ) -> Option<(crate::node::multicast::LiveStream, crate::node::multicast::MulticastInfo)> {
        let (key, _) = state.playing?;
        self.entered.hub.group().with(|member, now| figures::seen(member, now, key)).flatten()
    }

    fn event(&self, state: &State) -> Option<Event> {
        let (live, info) = self.seen(state)?;
        Some(
            figures::event(&live, &info)
                .with("window_fill", state.fill.map(|fill| (1000.0 * fill).round() / 1000.0))
                .with("played", state.bytes)
                .with("unread", state.unread.0),
        )
    }

    /// Losses are told, not hidden.
    fn tell_losses(&self, state: &mut State) -> Result<(), Failure> {
        state.losses_told = Instant::now();
        let fragments = state.lost.0 - std::mem::replace(&mut state.lost.1, state.lost.0);
        let units = state.unread.0 - std::mem::replace(&mut state.unread.1, state.unread.0);
        if fragments > 0 {
            let are = if fragments == 1 { "one fragment".to_owned() } else { format!("{fragments} fragments") };
            self.call.out.say(format_args!("lost: {are} did not come in time; what they belong to is left out"));
            self.call.out.event(Event::new("lost").with("direction", "received").with("fragments", fragments))?;
        }
        if units > 0 {
            self.call
                .out
                .say("lost: standard output is not read fast enough; what is left out ends before a key frame");
            self.call.out.event(Event::new("lost").with("direction", "received").with("units", units))?;
        }
        Ok(())
    }

    /// Tells the last figures.
    fn finish(&self, in_peace: bool) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        self.tell_losses(&mut state)?;
        if let Some(event) = self.event(&state).or_else(|| state.last.take()) {
            self.call.out.event(event)?;
        }
        if !in_peace {
            return Ok(());
        }
        self.call.out.event(
            Event::new("played")
                .with("bytes", state.bytes)
                .with("units", state.units)
                .with("lost", state.lost.0)
                .with("unread", state.unread.0)
                .with("seconds", state.begun.elapsed().as_secs_f64()),
        )
    }
}
