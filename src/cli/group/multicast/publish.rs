//! `p2pt multicast publish`.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};

use super::super::enter::{Entered, Standing, Wishes};
use super::super::place::Place;
use super::super::right::{PUBLISHING, Right};
use super::figures::{self, Report};
use super::input::{Cutter, read};
use super::{Company, LOOK, named};
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::Event;
use crate::cli::password;
use crate::cli::status::Status;
use crate::cli::units::show_size;
use crate::node::Lane;
use crate::node::multicast::media::{Format, Head, MediaError, Pacer, Unit};
use crate::node::multicast::{StreamError, StreamKey, StreamSettings};
use crate::runtime::GroupItem;

/// Input that pauses for so long is not waited for any more: what it left goes out.
const PAUSE: Duration = Duration::from_millis(20);
/// Of input that is paced, about so much is published at once.
const PACED: Duration = Duration::from_millis(20);
/// Bytes of that, before the stream's rate is known, and at least and at most.
const PACED_FIRST: usize = 7_520;
const PACED_LEAST: usize = 1_880;
const PACED_MOST: usize = 64 << 10;
/// How long neighbours may take for the end of the stream beyond its window,
const FAREWELL: Duration = Duration::from_secs(3);
/// how long they may if somebody wants to go,
const HASTE: Duration = Duration::from_millis(350);
/// and how long nothing more must have been asked for, beyond the time after which it would be.
const QUIET: Duration = Duration::from_millis(750);
/// How often it is looked whether they have it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Publishes standard input.
///
/// # Errors
/// See the statuses of its row.
pub(in crate::cli) fn run(call: Call) -> Result<(), Failure> {
    if password::takes_stdin(&call, PUBLISHING.flag) {
        return Err(Failure::usage("standard input carries the stream, so it cannot carry the password")
            .next("use a file, or --publish-password-fd"));
    }
    let (place, name) = named(&call, Stdin::Data)?;
    let settings = settings(&call);
    let format = match call.text("format").as_deref() {
        Some("flv") => Some(Format::Flv),
        Some("mpegts") => Some(Format::MpegTs),
        Some("raw") => Some(Format::Raw),
        _ => None,
    };
    if call.switch("realtime") && format == Some(Format::Raw) {
        return Err(no_clock());
    }
    call.out.say(format_args!("publishing {name:?} in {} {}", place.name(), place.through()));
    let mut right = Right::to_publish(&call, &place.spec)?;
    right.prove(&call, &place.spec, Some(PUBLISHING.prompt))?;
    if right.is_needed(&place.spec) && !right.is_proven() {
        return Err(right.missing());
    }
    if !call.switch("realtime") && is_file() {
        call.out.say("standard input is a file, published as fast as it is read; --realtime goes by its own clock");
    }
    net::block_on(async {
        let publishing = Publishing::begin(&call, &place, right, &name, settings).await?;
        let result = publishing.run(format).await;
        let ended = publishing.end(result.is_ok()).await;
        publishing.entered.leave().await;
        result.and(ended)
    })
}

/// The stream's settings, by Flash's names.
fn settings(call: &Call) -> StreamSettings {
    let latency = call.duration("latency").expect("the table has a default");
    let mut settings =
        if call.switch("flash-timing") { StreamSettings::FLASH } else { StreamSettings::for_latency(latency) };
    let span = |flag: &str, into: &mut Duration| *into = call.duration(flag).unwrap_or(*into);
    span("multicast-window-duration", &mut settings.window);
    span("multicast-fetch-period", &mut settings.fetch);
    span("multicast-availability-update-period", &mut settings.update);
    span("multicast-relay-margin-duration", &mut settings.relay_margin);
    settings.send_to_all |= call.switch("multicast-availability-send-to-all");
    if let Some(limit) = call.number("multicast-push-neighbor-limit") {
        settings.push_limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }
    settings
}

/// Whether standard input is a file, which comes as fast as it is read.
fn is_file() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        let stdin = std::io::stdin();
        let owned = stdin.as_fd().try_clone_to_owned();
        owned.is_ok_and(|fd| std::fs::File::from(fd).metadata().is_ok_and(|about| about.is_file()))
    }
    #[cfg(not(unix))]
    false
}

fn no_clock() -> Failure {
    Failure::usage("raw bytes have no clock to go by").next("leave out --realtime")
}

struct Publishing<'a> {
    call: &'a Call,
    entered: Entered,
    key: StreamKey,
    settings: StreamSettings,
    company: RefCell<Company>,
    begun: Instant,
    bytes: Cell<u64>,
    units: Cell<u64>,
    ready: Cell<bool>,
}

impl<'a> Publishing<'a> {
    async fn begin(
        call: &'a Call,
        place: &Place,
        right: Right,
        name: &str,
        settings: StreamSettings,
    ) -> Result<Self, Failure> {
        let wishes = Wishes { stays: true, cast: true, ..Wishes::brief(Duration::from_secs(10)) };
        let entered = Entered::begin(call, place, right, wishes).await?;
        let key = entered.hub.group().with(|member, now| {
            member.set_relaying(settings.push_limit, settings.relay_margin)?;
            member.publish(now, name, settings)
        });
        let key = key.ok_or_else(left)?.map_err(refused)?;
        let (company, ready) = (RefCell::new(Company::new()), Cell::new(false));
        let (bytes, units) = (Cell::new(0), Cell::new(0));
        Ok(Self { call, entered, key, settings, company, begun: Instant::now(), bytes, units, ready })
    }

    async fn run(&self, format: Option<Format>) -> Result<(), Failure> {
        // Whoever asks a rendezvous has joined when that, or a member, has answered.
        if self.entered.standing() == Standing::None {
            self.is_ready()?;
        }
        let mut signals = self.call.signals.clone();
        tokio::select! {
            () = self.entered.hub.pump(|item| self.take(item)) => Err(left()),
            failure = self.entered.follow(&self.call.out, |event| self.told(event)) => Err(failure),
            result = self.feed(format) => result,
            never = self.report() => never,
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        }
    }

    fn is_ready(&self) -> Result<(), Failure> {
        if self.ready.replace(true) { Ok(()) } else { self.call.out.ready(self.entered.peer_id()) }
    }

    fn told(&self, event: Event) {
        let registered = event.name() == "registered";
        let _ = self.call.out.event(event);
        if registered {
            let _ = self.is_ready();
        }
    }

    fn take(&self, item: &GroupItem) {
        if let GroupItem::Event(event) = item
            && let Some(event) = self.company.borrow_mut().changed(&self.call.out, event)
        {
            let _ = self.call.out.event(event);
            let _ = self.is_ready();
        }
    }

    /// Publishes what comes, until it ends.
    async fn feed(&self, format: Option<Format>) -> Result<(), Failure> {
        let mut input = read();
        let mut cutter = Cutter::new(format);
        let mut pace = self.call.switch("realtime").then(Pace::new);
        let mut waits = false;
        loop {
            let came = tokio::select! {
                biased;
                came = input.recv() => came,
                () = tokio::time::sleep(PAUSE), if waits => {
                    self.write_all(&mut cutter, true, pace.as_mut()).await?;
                    waits = false;
                    continue;
                }
            };
            let Some(bytes) = came else { break };
            waits = true;
            match &mut pace {
                None => {
                    cutter.push(&bytes?);
                    self.write_all(&mut cutter, false, None).await?;
                }
                Some(pace) => {
                    pace.held.extend_from_slice(&bytes?);
                    while let Some(piece) = pace.piece(self.bytes.get()) {
                        cutter.push(&piece);
                        self.write_all(&mut cutter, true, Some(pace)).await?;
                    }
                }
            }
        }
        if let Some(pace) = &mut pace {
            cutter.push(&pace.held.split());
        }
        cutter.end();
        self.write_all(&mut cutter, true, pace.as_mut()).await?;
        if let Some((unit, head)) = cutter.rest() {
            self.write(&unit, &head)?;
        }
        Ok(())
    }

    async fn write_all(&self, cutter: &mut Cutter, flush: bool, mut pace: Option<&mut Pace>) -> Result<(), Failure> {
        if pace.is_some() && cutter.format() == Some(Format::Raw) {
            return Err(no_clock());
        }
        while let Some((unit, head)) = cutter.next(flush).map_err(broken)? {
            if let Some(pace) = &mut pace {
                let now = self.entered.hub.group().with(|_, now| now).ok_or_else(left)?;
                let due = pace.pacer.due(now, &unit);
                if due > now {
                    tokio::time::sleep(due - now).await;
                }
            }
            self.write(&unit, &head)?;
        }
        Ok(())
    }

    fn write(&self, unit: &Unit, head: &Head) -> Result<(), Failure> {
        let group = self.entered.hub.group();
        group.with(|member, now| member.write_unit(now, self.key, unit, head)).ok_or_else(left)?.map_err(refused)?;
        self.bytes.set(self.bytes.get() + unit.data.len() as u64);
        self.units.set(self.units.get() + 1);
        Ok(())
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
            report.measure(self.bytes.get());
            self.company.borrow_mut().look(&self.call.out, &self.entered);
            let line = self.line(report.rate);
            if asked {
                self.call.out.say(&line);
            }
            report.line(line);
            report.tell(self.call, || self.event())?;
        }
    }

    fn line(&self, rate: f64) -> String {
        let seen = self.entered.hub.group().with(|member, now| figures::seen(member, now, self.key)).flatten();
        let (sent, takers) = seen.map_or((0, 0), |(live, info)| (info.send_data_rate, live.neighbours));
        format!(
            "{} published, {}; {} to {} that take part",
            show_size(self.bytes.get()),
            figures::rate(rate),
            figures::rate(sent as f64),
            figures::neighbours(takers)
        )
    }

    fn event(&self) -> Option<Event> {
        let seen = self.entered.hub.group().with(|member, now| figures::seen(member, now, self.key)).flatten();
        seen.map(|(live, info)| figures::event(&live, &info))
    }

    /// Ends the stream in good order: neighbours get the last of it.
    async fn end(&self, in_peace: bool) -> Result<(), Failure> {
        let last = self.event();
        let group = self.entered.hub.group();
        let _ = group.with(|member, now| member.unpublish(now, self.key));
        let mut signals = self.call.signals.clone();
        let haste = !in_peace || signals.stop().is_some();
        let (limit, quiet) =
            if haste { (HASTE, LOOK_AGAIN) } else { (self.settings.window + FAREWELL, self.settings.fetch + QUIET) };
        tokio::select! {
            _ = tokio::time::timeout(limit, self.handed_over(quiet)) => {}
            () = self.entered.hub.pump(|_| ()) => {}
            _ = signals.stopped(), if !haste => {}
        }
        if !in_peace {
            return Ok(());
        }
        // The figures of a stream that has ended may be gone.
        if let Some(event) = self.event().or(last) {
            self.call.out.event(event)?;
        }
        self.call.out.event(
            Event::new("published")
                .with("bytes", self.bytes.get())
                .with("units", self.units.get())
                .with("seconds", self.begun.elapsed().as_secs_f64()),
        )
    }

    /// Waits until neighbours have everything that was sent, and nobody has asked for more for so long.
    async fn handed_over(&self, quiet: Duration) {
        let group = self.entered.hub.group();
        let tag = self.key.tag();
        let lanes = [Lane::Manifests, Lane::Stream(tag), Lane::Fragments(tag)];
        let given = || {
            let seen = group.with(|member, now| figures::seen(member, now, self.key)).flatten();
            seen.map(|(_, info)| info.fragments_requested_by_peers + info.fragments_pushed_to_peers)
        };
        let (mut before, mut since) = (given(), Instant::now());
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let waiting: usize = lanes.iter().map(|lane| group.backlog(*lane)).sum();
            let now = given();
            if now != before || waiting > 0 {
                (before, since) = (now, Instant::now());
            }
            if since.elapsed() >= quiet {
                return;
            }
        }
    }
}

/// Input that is published by its own clock.
struct Pace {
    pacer: Pacer,
    /// What was read and not looked at.
    held: BytesMut,
    begun: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { pacer: Pacer::new(), held: BytesMut::new(), begun: Instant::now() }
    }

    /// The next piece, of about [`PACED`] at the rate until now.
    fn piece(&mut self, published: u64) -> Option<Bytes> {
        let span = self.begun.elapsed().as_secs_f64();
        let len = if span < 0.5 { PACED_FIRST } else { (published as f64 / span * PACED.as_secs_f64()) as usize };
        let len = len.clamp(PACED_LEAST, PACED_MOST);
        (self.held.len() >= len).then(|| self.held.copy_to_bytes(len))
    }
}

fn left() -> Failure {
    Failure::new(Status::Failed, "go on", "the group was left")
}

fn broken(error: MediaError) -> Failure {
    Failure::new(Status::Failed, "publish standard input", error)
        .next("publish it with --format raw if it is to go as it is")
}

fn refused(error: StreamError) -> Failure {
    let status = match error {
        StreamError::NoGrant | StreamError::TooMany => Status::Refused,
        StreamError::Name | StreamError::Disabled => Status::Usage,
        _ => Status::Failed,
    };
    Failure::new(status, "publish the stream", error)
}
