//! `p2pt replicate-file share`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::super::enter::{Entered, Standing, Wishes};
use super::super::place::Place;
use super::super::right::Right;
use super::exchange::Exchange;
use super::report::Giving;
use super::{limit, limits, people, polite};
use crate::base::PeerId;
use crate::cli::address::{self, Address, Object, Stdin, Target};
use crate::cli::call::Call;
use crate::cli::failure::{Failure, describe};
use crate::cli::net;
use crate::cli::output::{Event, quoted};
use crate::cli::status::Status;
use crate::cli::units::show_size;
use crate::group::GroupspecBuilder;
use crate::node::files::{List, Listed};
use crate::runtime::files::{Found, Hashed, Library, ScanError, hash_with, own_name, scan};
use zeroize::Zeroizing;

/// How often it is looked who has all.
const LOOK: Duration = Duration::from_millis(200);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

/// Shares, until told otherwise.
///
/// # Errors
/// See the statuses of its row.
pub(in crate::cli) fn run(call: Call) -> Result<(), Failure> {
    let place = place(&call)?;
    let paths = call.paths("PATH");
    net::block_on(async {
        let (library, object, total) = prepared(&call, paths).await?;
        let right = Right::unproven(&call, &place.spec)?;
        let wishes = Wishes { stays: true, ..Wishes::brief(Duration::from_secs(30)) };
        let entered = Entered::begin(&call, &place, right, wishes).await?;
        let result = Sharing::new(&call, &entered, library, object, total).run(&place).await;
        entered.leave().await;
        result
    })
}

/// The group to share in.
fn place(call: &Call) -> Result<Place, Failure> {
    if let Some(text) = call.text("group") {
        let place = Place::of(Some(&text), Stdin::Free)?;
        if !place.spec.object_replication() {
            return Err(Failure::usage("this group's groupspec has no object replication")
                .next("make another with p2pt group new, or leave out --group"));
        }
        return Ok(place);
    }
    let through = address::rendezvous(call.text("rendezvous").as_deref(), Stdin::Free)?;
    let builder = GroupspecBuilder::new("files").object_replication().server_channel().member_updates();
    let spec = builder.unique(net::rng()?.bytes()).build();
    Ok(Place { spec: spec.map_err(|why| Failure::usage(format_args!("no groupspec: {why}")))?, through })
}

/// Hashes what is to be shared.
async fn prepared(call: &Call, paths: Vec<PathBuf>) -> Result<(Library, Object, u64), Failure> {
    let out = call.out.clone();
    out.say("looking through what is to be shared");
    let (bar, stop) = (call.out.bar(Some(0)), Arc::new(AtomicBool::new(false)));
    let stopping = Arc::clone(&stop);
    let work = tokio::task::spawn_blocking(move || {
        let mut passed = |path: &std::path::Path| out.say(format_args!("not shared: {}", path.display()));
        let found = scan(&paths, &mut passed).map_err(scan_failed)?;
        let total = found.iter().map(|file| file.size).sum();
        bar.set_length(total);
        let mut before = 0;
        let mut hashed = Vec::new();
        for file in &found {
            let progress = |hashed: u64| {
                bar.set_position(before + hashed);
                !stopping.load(Ordering::Relaxed)
            };
            let tree = hash_with(&file.path, &progress).map_err(|error| {
                let tried = format!("read {}", file.path.display());
                Failure::new(Status::LocalIo, tried, describe(&error)).caused_by(error)
            })?;
            before += file.size;
            hashed.push(tree);
        }
        bar.finish_and_clear();
        collected(&paths, found, hashed, total)
    });
    let mut signals = call.signals.clone();
    tokio::select! {
        done = work => done.map_err(|why| Failure::new(Status::Failed, "hash the files", why))?,
        status = signals.stopped() => {
            stop.store(true, Ordering::Relaxed);
            Err(Failure::new(status, "finish", "interrupted"))
        }
    }
}

/// The library, and what the address says of it.
fn collected(
    paths: &[PathBuf],
    found: Vec<Found>,
    hashed: Vec<Hashed>,
    total: u64,
) -> Result<(Library, Object, u64), Failure> {
    let mut library = Library::new();
    let single = matches!((paths, &found[..]), ([path], [file]) if *path == file.path);
    if single {
        let (file, hashed) = (found.into_iter().next().expect("one"), hashed.into_iter().next().expect("one"));
        let hash = hashed.tree.root();
        library.share(file.path, hashed);
        return Ok((library, Object { hash, list: false, name: Some(file.name) }, total));
    }
    if found.is_empty() {
        return Err(Failure::usage("there is no file in what is to be shared"));
    }
    let listed = found.iter().zip(&hashed);
    let listed = listed.map(|(file, Hashed { tree, .. })| Listed {
        name: file.name.clone(),
        size: tree.shape().size(),
        hash: tree.root(),
    });
    let list =
        List::new(listed.collect()).map_err(|why| Failure::usage(format_args!("no list of these files: {why}")))?;
    let bytes = Bytes::from(list.encode());
    let hash = library.share_bytes(&bytes);
    // In the order of the list, in which whoever fetches them does the same.
    for file in list.files() {
        library.reserve(file.hash);
    }
    for (file, hashed) in found.into_iter().zip(hashed) {
        library.share(file.path, hashed);
    }
    let name = if let [path] = paths { own_name(path) } else { "shared".to_owned() };
    Ok((library, Object { hash, list: true, name: Some(name) }, total))
}

fn scan_failed(why: ScanError) -> Failure {
    match why {
        ScanError::Io(path, error) => {
            let status = if error.kind() == std::io::ErrorKind::NotFound { Status::NotFound } else { Status::LocalIo };
            Failure::new(status, format!("share {}", path.display()), describe(&error)).caused_by(error)
        }
        ScanError::Special(path) => Failure::usage(format_args!("{} is neither a file nor a folder", path.display())),
        why @ ScanError::Twice(_) => Failure::usage(why).next("give one of them another name"),
        why => Failure::usage(why),
    }
}

struct Sharing<'a> {
    call: &'a Call,
    entered: &'a Entered,
    exchange: RefCell<Exchange>,
    object: Object,
    total: u64,
    begun: Instant,
    ready: Notify,
}

impl<'a> Sharing<'a> {
    fn new(call: &'a Call, entered: &'a Entered, library: Library, object: Object, total: u64) -> Self {
        let group = entered.hub.group().clone();
        let exchange = RefCell::new(Exchange::new(group, call.out.clone(), library, polite(call)));
        Self { call, entered, exchange, object, total, begun: Instant::now(), ready: Notify::new() }
    }

    async fn run(&self, place: &Place) -> Result<(), Failure> {
        let group = self.entered.hub.group();
        limits(group, limit(self.call, "up"), None);
        {
            let exchange = self.exchange.borrow();
            exchange.library.files().iter().for_each(|hash| exchange.announce(hash));
        }
        if self.entered.standing() == Standing::None {
            self.ready.notify_one();
        }
        let told = |event: Event| {
            if event.name() == "registered" {
                self.ready.notify_one();
            }
            let _ = self.call.out.event(event);
        };
        let span = self.call.duration("for");
        let time = async {
            match span {
                Some(span) => tokio::time::sleep(span).await,
                None => std::future::pending().await,
            }
        };
        let mut signals = self.call.signals.clone();
        tokio::select! {
            () = self.entered.hub.pump(|item| drop(self.exchange.borrow_mut().take(item))) => Err(Failure::new(Status::Failed, "go on", "the group was left")),
            failure = self.entered.follow(&self.call.out, told) => Err(failure),
            Err(failure) = self.tell(place) => Err(failure),
            () = self.copies() => Ok(()),
            failure = self.progress() => Err(failure),
            () = self.status() => unreachable!("status lines go on for ever"),
            () = time => {
                self.call.out.say("the time is over; leaving");
                Ok(())
            }
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        }
    }

    /// Prints the address once others can find us.
    async fn tell(&self, place: &Place) -> Result<(), Failure> {
        self.ready.notified().await;
        let spec = Zeroizing::new(place.spec.text().to_owned());
        let target = Target::Group { spec, object: Some(self.object.clone()) };
        let address = Address { rendezvous: place.through.clone(), target }.to_string();
        self.call.out.counterpart(
            format_args!("sharing {}; to fetch it", show_size(self.total)),
            format_args!("p2pt replicate-file fetch {}", quoted(&address)),
        );
        self.call.out.event(Event::new("ready").with("address", address.clone()))?;
        self.call.out.ready(address)?;
        std::future::pending().await
    }

    /// Waits until enough others have all of it.
    async fn copies(&self) {
        let wanted = self.call.number("until-copies");
        let mut all: BTreeSet<PeerId> = BTreeSet::new();
        loop {
            tokio::time::sleep(LOOK).await;
            for peer in self.exchange.borrow().others(&self.object.hash) {
                if all.insert(peer) {
                    let copies = all.len();
                    self.call.out.say(format_args!("{peer:?} has all of it; copies made: {copies}"));
                    let event = Event::new("copied").with("peer_id", peer.to_string()).with("copies", copies);
                    let _ = self.call.out.event(event);
                }
            }
            if wanted.is_some_and(|wanted| all.len() as u64 >= wanted) {
                self.call.out.say("that is enough; leaving");
                return;
            }
        }
    }

    /// Tells how it goes on, until there is nothing left to share.
    async fn progress(&self) -> Failure {
        let (mut line, mut told) = (Giving::new(&self.call.out), 0);
        loop {
            tokio::time::sleep(TELL).await;
            self.exchange.borrow_mut().look_after();
            if !self.exchange.borrow().library.has_files() {
                return Failure::new(Status::Integrity, "share any more", "what was shared has changed, or is gone")
                    .next("share what is there now: it gets another address");
            }
            let (sent, peers) = (self.exchange.borrow().sent(), self.entered.hub.neighbours());
            line.tell(sent, peers);
            if sent != std::mem::replace(&mut told, sent) {
                let event = Event::new("replicating").with("sent", sent).with("peers", peers);
                let _ = self.call.out.event(event.with("seconds", self.begun.elapsed().as_secs_f64()));
            }
        }
    }

    async fn status(&self) {
        let mut signals = self.call.signals.clone();
        loop {
            signals.status_wanted().await;
            let (sent, peers) = (self.exchange.borrow().sent(), self.entered.hub.neighbours());
            self.call.out.say(format_args!(
                "sharing {}: {} sent, {}",
                show_size(self.total),
                show_size(sent),
                people(peers)
            ));
        }
    }
}
