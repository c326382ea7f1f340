//! `p2pt replicate-file fetch`.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::super::enter::{Entered, Wishes};
use super::super::hub::nobody;
use super::super::place::Place;
use super::super::right::Right;
use super::exchange::{Came, Exchange};
use super::plan::{Plan, aside, confirmed, copied, opened, paths, targets, there};
use super::report::Report;
use super::stream::{self, Stream};
use super::{disk, exists, limit, limits, polite};
use crate::base::to_hex;
use crate::cli::address::{self, Object, Stdin};
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::Event;
use crate::cli::status::Status;
use crate::cli::units::{show_duration, show_size};
use crate::node::files::{Head, List, MAX_LIST, Tree, piece, read_piece};
use crate::node::replication::Strategy;
use crate::runtime::files::{Hashed, Library, Part, PartError, hash_file};

/// How long whoever has all stays at most, so that those who count copies hear of it,
const FAREWELL: Duration = Duration::from_secs(1);
/// and how long after one did.
const TOLD: Duration = Duration::from_millis(100);
/// How often it is looked whether anything comes.
const LOOK: Duration = Duration::from_millis(250);
/// When it is said that nothing comes.
const DULL: Duration = Duration::from_secs(5);

/// Where it goes.
enum Goal {
    /// To standard output, in order.
    Stream,
    /// To a file.
    File(PathBuf),
    /// Below a folder.
    Folder(PathBuf),
}

/// Fetches.
///
/// # Errors
/// See the statuses of its row.
pub(in crate::cli) fn run(call: Call) -> Result<(), Failure> {
    let text = call.text("ADDRESS").unwrap_or_default();
    let (spec, through, object) = address::object(&text, Stdin::Free)?;
    if !spec.object_replication() {
        return Err(Failure::usage("this group's groupspec has no object replication").next("check the address"));
    }
    let goal = goal(&call, &object)?;
    let force = call.switch("force");
    let mut there = None;
    if let Goal::File(target) = &goal
        && !force
        && fs::symlink_metadata(target).is_ok()
    {
        call.out.say(format_args!("{} is there already; looking whether it is the same", target.display()));
        match hash_file(target) {
            Ok(hashed) if hashed.tree.root() == object.hash && !call.switch("stay") => {
                call.out.say("it is, to the last byte");
                let size = hashed.tree.shape().size();
                return call.out.event(Event::new("fetched").with("bytes", size).with("hash", to_hex(&object.hash)));
            }
            Ok(hashed) if hashed.tree.root() == object.hash => there = Some(hashed),
            _ => return Err(exists(target)),
        }
    }
    let place = Place { spec, through };
    net::block_on(async {
        call.out.say(format_args!("looking for members of the group {}", place.through()));
        let right = Right::unproven(&call, &place.spec)?;
        let timeout = call.duration("timeout").expect("the table has a default");
        let wishes = Wishes { stays: true, ..Wishes::brief(timeout) };
        let entered = Entered::begin(&call, &place, right, wishes).await?;
        let fetching = Fetching::new(&call, &entered, object, goal, force, there);
        let result = fetching.run().await;
        entered.leave().await;
        result
    })
}

/// How long that was ago, in words.
fn since(begun: Instant) -> String {
    let millis = begun.elapsed().as_millis() as u64;
    // Not to the millisecond where it is long.
    show_duration(Duration::from_millis(if millis < 10_000 { millis / 100 * 100 } else { millis / 1_000 * 1_000 }))
}

fn goal(call: &Call, object: &Object) -> Result<Goal, Failure> {
    let output = call.path("output");
    if output.as_deref() == Some(Path::new("-")) {
        return if object.list {
            Err(Failure::usage("several files do not go to standard output").next("name a folder with -o"))
        } else {
            Ok(Goal::Stream)
        };
    }
    let name = object.name.clone().unwrap_or_else(|| to_hex(&object.hash[..8]));
    let path = match output {
        None => PathBuf::from(name),
        Some(path) if !object.list && path.is_dir() => path.join(name),
        Some(path) => path,
    };
    if object.list {
        return match fs::metadata(&path) {
            Ok(about) if !about.is_dir() => Err(disk(PartError::NoFolder(path))),
            Ok(_) => writable(&path).map(|()| Goal::Folder(path)),
            Err(_) => Ok(Goal::Folder(path)),
        };
    }
    if path.is_dir() {
        return Err(exists(&path));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    writable(folder.unwrap_or(Path::new("."))).map(|()| Goal::File(path))
}

/// Whether a folder takes files: told before anybody is looked for.
fn writable(folder: &Path) -> Result<(), Failure> {
    let tried = fs::metadata(folder).and_then(|_| {
        #[cfg(unix)]
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
        Ok(())
    });
    tried.map_err(|error| disk(PartError::Io { doing: "write into", path: folder.into(), error }))
}

/// Whether members are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    /// None was so far.
    Never,
    /// Some are.
    There,
    /// Some were.
    Gone,
}

impl Company {
    /// So many are there now; what is to be said of that.
    fn is(&mut self, members: usize) -> Option<&'static str> {
        let (next, news) = match (*self, members) {
            (Self::There, 0) => (Self::Gone, Some("all members have gone; looking for them and for others")),
            (Self::Gone, 1..) => (Self::There, Some("a member is there again; going on")),
            (_, 1..) => (Self::There, None),
            (same, 0) => (same, None),
        };
        *self = next;
        news
    }
}

impl State {
    /// Whether nothing has to come any more.
    fn is_done(&self) -> bool {
        self.plan.as_ref().is_some_and(Plan::is_done) || self.stream.as_ref().is_some_and(Stream::is_done)
    }

    /// All members have gone: the time that others have to come begins, if anything came since it last did.
    fn left(&mut self, before: &mut Option<Instant>) {
        if before.is_none_or(|before| self.last > before) {
            self.last = Instant::now();
            *before = Some(self.last);
        }
    }
}

struct Fetching<'a> {
    call: &'a Call,
    entered: &'a Entered,
    object: Object,
    goal: Goal,
    force: bool,
    timeout: Duration,
    begun: Instant,
    /// What is at the goal already and the same.
    there: RefCell<Option<Hashed>>,
    state: RefCell<State>,
    /// Raised when a head or a whole file has come, or something failed.
    moved: watch::Sender<u64>,
}

struct State {
    exchange: Exchange,
    plan: Option<Plan>,
    stream: Option<Stream>,
    head: Option<Head>,
    /// What is waited for is here: an answer, or the disk.
    busy: bool,
    whole: Vec<[u8; 32]>,
    failed: Option<Failure>,
    last: Instant,
}

impl<'a> Fetching<'a> {
    fn new(
        call: &'a Call,
        entered: &'a Entered,
        object: Object,
        goal: Goal,
        force: bool,
        there: Option<Hashed>,
    ) -> Self {
        let timeout = call.duration("timeout").expect("the table has a default");
        let exchange = Exchange::new(entered.hub.group().clone(), call.out.clone(), Library::new(), polite(call));
        let state = State {
            exchange,
            plan: None,
            stream: None,
            head: None,
            busy: false,
            whole: Vec::new(),
            failed: None,
            last: Instant::now(),
        };
        let (state, there) = (RefCell::new(state), RefCell::new(there));
        let begun = Instant::now();
        Self { call, entered, object, goal, force, timeout, begun, there, state, moved: watch::Sender::new(0) }
    }

    async fn run(&self) -> Result<(), Failure> {
        let group = self.entered.hub.group();
        limits(group, limit(self.call, "up"), limit(self.call, "down"));
        let strategy = if matches!(self.goal, Goal::Stream) { Strategy::LowestFirst } else { Strategy::RarestFirst };
        let _ = group.with(|member, now| member.set_replication_strategy(now, strategy));
        let mut signals = self.call.signals.clone();
        let result = tokio::select! {
            () = self.entered.hub.pump(|item| self.take(item)) => Err(Failure::new(Status::Failed, "go on", "the group was left")),
            failure = self.entered.follow(&self.call.out, |event| drop(self.call.out.event(event))) => Err(failure),
            result = self.fetch() => result,
            failure = self.silence() => Err(failure),
            never = self.progress() => never,
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        };
        result.map_err(|failure| self.resumable(failure))
    }

    /// What a failure is once something is kept that the next call goes on with.
    fn resumable(&self, failure: Failure) -> Failure {
        let mut state = self.state.borrow_mut();
        let State { exchange, plan, .. } = &mut *state;
        let kept = plan.as_ref().map_or(0, |plan| plan.bytes(&exchange.library).0);
        let is_done = plan.as_ref().is_some_and(Plan::is_done);
        let passing = matches!(failure.status, Status::TimedOut | Status::NotFound | Status::Rendezvous)
            || matches!(failure.status, Status::Interrupted | Status::Terminated);
        if kept == 0 || is_done || !passing {
            return self.entered.explained(failure);
        }
        let came = format!("{} ({} of it are here)", failure.came, show_size(kept));
        Failure { status: Status::Resumable, came, ..failure }.next("run the same command again to go on")
    }

    fn take(&self, item: &crate::runtime::GroupItem) {
        let mut state = self.state.borrow_mut();
        let State { exchange, plan, stream, head, whole, failed, last, .. } = &mut *state;
        match exchange.take(item) {
            Err(failure) => drop(failed.get_or_insert(failure)),
            Ok(None) => return,
            Ok(Some(Came::Head(came))) => *head = Some(came),
            Ok(Some(Came::Piece { hash, whole: is_whole })) => {
                *last = Instant::now();
                if is_whole {
                    whole.push(hash);
                } else if stream.is_none() {
                    return;
                }
            }
            Ok(Some(Came::Gap)) => {
                // Objects may have been among what was lost: they are wanted again.
                for hash in plan.iter().flat_map(Plan::active) {
                    exchange.want_missing(hash);
                }
                if plan.is_none() && stream.is_none() {
                    exchange.want_head(self.object.hash);
                }
                if let Some(stream) = stream {
                    stream.want_again(exchange);
                }
            }
        }
        drop(state);
        self.moved.send_modify(|times| *times += 1);
    }

    /// Waits until there is something in the state.
    async fn until<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> Result<T, Failure> {
        let mut moved = self.moved.subscribe();
        loop {
            {
                let mut state = self.state.borrow_mut();
                if let Some(failure) = state.failed.take() {
                    return Err(failure);
                }
                if let Some(found) = find(&mut state) {
                    state.last = Instant::now();
                    return Ok(found);
                }
            }
            let _ = moved.changed().await;
        }
    }

    /// Waits for something here, for which no member is to blame.
    async fn busy<T>(&self, work: impl Future<Output = T>) -> T {
        self.state.borrow_mut().busy = true;
        let done = work.await;
        let mut state = self.state.borrow_mut();
        (state.busy, state.last) = (false, Instant::now());
        done
    }

    async fn fetch(&self) -> Result<(), Failure> {
        match &self.goal {
            Goal::Stream => {
                let head = self.head().await?;
                self.stream(head).await?;
            }
            Goal::File(target) => self.file(target).await?,
            Goal::Folder(folder) => self.folder(folder).await?,
        }
        let (received, others) = {
            let mut state = self.state.borrow_mut();
            state.exchange.announce_all(&self.object.hash);
            state.exchange.received()
        };
        let total = self.total();
        let share = (others * 100).checked_div(received).unwrap_or(0);
        let place = match &self.goal {
            Goal::Stream => String::new(),
            Goal::File(path) | Goal::Folder(path) => format!(" in {}", path.display()),
        };
        let came = match self.state.borrow().exchange.givers() {
            0 => String::new(),
            1 => format!(", after {}", since(self.begun)),
            _ => format!(", after {}; of what came, {share} % was from others than the origin", since(self.begun)),
        };
        self.call.out.say(format_args!("all there: {}{place}{came}", show_size(total)));
        let event = Event::new("fetched").with("bytes", total).with("hash", to_hex(&self.object.hash));
        self.call.out.event(event.with("received", received).with("from_others", others))?;
        if self.call.switch("stay") {
            self.call.out.say("sharing on, until a signal");
            return std::future::pending().await;
        }
        let begun = Instant::now();
        while begun.elapsed() < FAREWELL && !self.state.borrow().exchange.told {
            tokio::time::sleep(TOLD).await;
        }
        tokio::time::sleep(TOLD).await;
        Ok(())
    }

    fn total(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        let State { exchange, plan, stream, .. } = &mut *state;
        match (plan, stream) {
            (Some(plan), _) => plan.bytes(&exchange.library).1,
            (None, Some(stream)) => stream.bytes().1,
            _ => 0,
        }
    }

    /// The head of what the address names, from others.
    async fn head(&self) -> Result<Head, Failure> {
        self.state.borrow_mut().exchange.want_head(self.object.hash);
        self.until(|state| state.head.take()).await
    }

    fn going_on(&self, bytes: u64) {
        self.call.out.say(format_args!("going on with {} that are here already", show_size(bytes)));
    }

    async fn file(&self, target: &Path) -> Result<(), Failure> {
        let hash = self.object.hash;
        if let Some(hashed) = self.there.take() {
            let mut state = self.state.borrow_mut();
            state.plan = Some(Plan::nothing(hashed.tree.shape().size()));
            state.exchange.library.share(target.into(), hashed);
            state.exchange.announce(&hash);
            return Ok(());
        }
        let paths = paths(target)?;
        let place = paths.clone();
        let part = match self.busy(aside(move || Part::resume(&place, hash))).await?.map_err(disk)? {
            Some(part) if part.holds(part.tree().shape().last()) => {
                self.going_on(part.bytes());
                part
            }
            // Only the last piece proves the size: whoever gives right pieces is not to blame for a wrong one.
            unproven => {
                let head = self.head().await?;
                let mut part = match unproven {
                    Some(part) if part.tree().shape() == head.tree.shape() => {
                        self.going_on(part.bytes());
                        part
                    }
                    other => {
                        drop(other);
                        Part::create(&paths, hash, head.tree.shape()).map_err(disk)?
                    }
                };
                let last = head.tree.shape().last();
                let object = piece(&head.tree, last, &head.data).expect("it was just proven");
                let (learnt, data) = read_piece(part.tree_mut(), last, &object).expect("and has the same tree");
                part.keep(&learnt, &data).map_err(disk)?;
                part
            }
        };
        {
            let mut state = self.state.borrow_mut();
            let mut plan = Plan::single(hash, part.tree().shape(), target.into(), self.force);
            plan.adopt(hash);
            if part.is_whole() {
                state.whole.push(hash);
            }
            state.exchange.library.fetch(part);
            state.plan = Some(plan);
            state.exchange.announce(&hash);
            state.exchange.want_missing(&hash);
        }
        self.finished(None, 0).await
    }

    async fn folder(&self, folder: &Path) -> Result<(), Failure> {
        let list = self.list().await?;
        self.busy(confirmed(self.call, &list, folder)).await?;
        let (wanted, below) = (list.clone(), folder.to_path_buf());
        let targets = self.busy(aside(move || targets(&wanted, &below))).await?.map_err(disk)?;
        for (name, other) in &targets.renamed {
            self.call.out.say(format_args!("{name} will be {other}: this disk takes its name for another's"));
        }
        let there = self.busy(there(&list, &targets.paths)).await?;
        let kept = {
            let mut state = self.state.borrow_mut();
            let plan = Plan::list(&list, targets.paths, self.force, there, &mut state.exchange.library)?;
            let kept = plan.bytes(&state.exchange.library).0;
            state.plan = Some(plan);
            state.exchange.library.files().iter().for_each(|hash| state.exchange.announce(hash));
            kept
        };
        self.finished(Some(folder), kept).await
    }

    /// The list that the address names.
    async fn list(&self) -> Result<List, Failure> {
        let hash = self.object.hash;
        let head = self.head().await?;
        let shape = head.tree.shape();
        let too_large = || Failure::new(Status::Integrity, "read the list of files", "it is no list");
        if shape.size() > MAX_LIST as u64 {
            return Err(too_large());
        }
        {
            let mut state = self.state.borrow_mut();
            let base = state.exchange.library.reserve(hash);
            state.exchange.library.remember(Tree::new(hash, shape));
            let object = piece(&head.tree, shape.last(), &head.data).expect("it was just proven");
            state.exchange.library.accept(base + shape.last(), &object).map_err(disk)?;
            state.exchange.announce(&hash);
            state.exchange.want_missing(&hash);
        }
        let pieces = shape.pieces();
        let bytes = self.until(|state| {
            let held: Option<Vec<_>> = (0..pieces).map(|piece| state.exchange.library.held(&hash, piece)).collect();
            held.map(|pieces| pieces.concat())
        });
        let bytes = bytes.await?;
        self.state.borrow_mut().whole.retain(|whole| *whole != hash);
        List::parse(&bytes).map_err(|why| Failure::new(Status::Integrity, "read the list of files", why))
    }

    /// Waits until every file of the plan is in its place; so many bytes of them are, and have not been told of.
    async fn finished(&self, folder: Option<&Path>, mut kept: u64) -> Result<(), Failure> {
        loop {
            let done = std::mem::take(&mut self.state.borrow_mut().whole);
            // Waiting for the disk is done elsewhere: others go on getting pieces from us meanwhile.
            let settlers: Result<Vec<_>, _> = {
                let state = self.state.borrow();
                done.iter().filter_map(|hash| state.exchange.library.part(hash)).map(Part::settler).collect()
            };
            let settlers = settlers.map_err(disk)?;
            let settle = move || settlers.into_iter().try_for_each(|settle| settle());
            self.busy(aside(settle)).await?.map_err(disk)?;
            let copies = {
                let mut state = self.state.borrow_mut();
                let State { exchange, plan, .. } = &mut *state;
                let plan = plan.as_mut().expect("there is a plan");
                for hash in done {
                    plan.finish(&hash, folder, &mut exchange.library)?;
                    exchange.announce(&hash);
                }
                plan.copies()
            };
            let (below, force) = (folder.map(Path::to_path_buf), self.force);
            let bytes = match copies.is_empty() {
                true => 0,
                false => self.busy(aside(move || copied(&copies, below.as_deref(), force))).await?.map_err(disk)?,
            };
            let begun = {
                let mut state = self.state.borrow_mut();
                let plan = state.plan.as_mut().expect("there is a plan");
                plan.has_copied(bytes);
                if plan.is_done() {
                    return Ok(());
                }
                plan.begin(folder)?
            };
            let parts = self.busy(opened(begun)).await?;
            kept += parts.iter().map(Part::bytes).sum::<u64>();
            if folder.is_some() && kept > 0 {
                self.going_on(std::mem::take(&mut kept));
            }
            {
                let mut state = self.state.borrow_mut();
                for part in parts {
                    let hash = part.tree().root();
                    if part.is_whole() {
                        state.whole.push(hash);
                    }
                    state.exchange.library.fetch(part);
                    state.exchange.announce(&hash);
                    state.exchange.want_missing(&hash);
                }
            }
            self.until(|state| (!state.whole.is_empty()).then_some(())).await?;
        }
    }

    async fn stream(&self, head: Head) -> Result<(), Failure> {
        let writer = stream::writer(&self.call.out);
        {
            let mut state = self.state.borrow_mut();
            let State { exchange, stream, .. } = &mut *state;
            *stream = Some(Stream::begin(self.object.hash, &head, exchange)?);
        }
        loop {
            let next = self.until(|state| {
                let State { exchange, stream, .. } = state;
                stream.as_mut().and_then(|stream| stream.next(exchange))
            });
            tokio::select! {
                next = next => match next? {
                    Some(data) => {
                        if writer.send(data).await.is_err() {
                            break writer.ended().await;
                        }
                        self.state.borrow_mut().last = Instant::now();
                    }
                    None => break writer.finish().await,
                },
                failure = writer.failed() => break Err(failure),
            }
        }
    }

    /// Waits until nothing has come for too long.
    async fn silence(&self) -> Failure {
        let mut company = Company::Never;
        let (mut told, mut parted) = (None, None);
        loop {
            tokio::time::sleep(LOOK).await;
            let members = self.entered.hub.neighbours();
            if let Some(news) = company.is(members) {
                if !self.state.borrow().is_done() {
                    self.call.out.say(news);
                }
                if company == Company::Gone {
                    self.state.borrow_mut().left(&mut parted);
                }
            }
            let (waits, last) = {
                let state = self.state.borrow();
                let is_ready = |stream: &Stream| stream.is_ready(&state.exchange);
                let idle = state.busy
                    || state.plan.as_ref().is_some_and(Plan::is_done)
                    || state.stream.as_ref().is_some_and(is_ready);
                (!idle, state.last)
            };
            if waits && last.elapsed() >= self.timeout {
                let begun = self.total() > 0;
                let status = if begun { Status::TimedOut } else { Status::NotFound };
                let span = show_duration(self.timeout);
                let came = match company {
                    Company::Never => return nobody(self.timeout),
                    Company::Gone => format!("all members have gone, and none was found again within {span}"),
                    Company::There if !begun => format!("no member has it, of those that are there ({members})"),
                    Company::There => {
                        format!("none of the members that are there ({members}) gave any of it for {span}")
                    }
                };
                return Failure::new(status, "fetch it", came)
                    .next("whoever shares it has to run: see there with p2pt replicate-file share");
            }
            if waits && company == Company::There && last.elapsed() >= DULL && told != Some(last) {
                told = Some(last);
                let span = show_duration(self.timeout.saturating_sub(last.elapsed()));
                self.call.out.say(format_args!(
                    "waiting for members that have it: those who are there ({members}) give nothing now; giving up in {span}"
                ));
            }
        }
    }

    async fn progress(&self) -> Result<(), Failure> {
        let mut report = Report::new(self.call);
        let mut signals = self.call.signals.clone();
        loop {
            let asked = tokio::select! {
                () = signals.status_wanted() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let mut state = self.state.borrow_mut();
            let State { exchange, plan, stream, .. } = &mut *state;
            let (bytes, total) = match (plan, stream) {
                (Some(plan), _) => {
                    report.files(plan, &exchange.library);
                    plan.bytes(&exchange.library)
                }
                (None, Some(stream)) => stream.bytes(),
                _ => (0, 0),
            };
            report.tell(bytes, total, exchange, asked)?;
        }
    }
}
