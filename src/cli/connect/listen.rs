//! The side that waits: be reachable, decide who comes in, serve.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ends::{EndKind, Ends};
use super::outcome::{self, BUSY};
use super::plan::{Form, Plan};
use super::reach::{look_up, start_host};
use super::report::{self, Report};
use super::{pipe, udp};
use crate::base::PeerId;
use crate::cli::address::{self, Address, HostPort, Rendezvous, Stdin, Target};
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::key::{self, Whose};
use crate::cli::output::{Event, quoted};
use crate::cli::prompt::Terminal;
use crate::cli::status::Status;
use crate::node::{NodeEvent, Order, Registration, RegistrationId};
use crate::runtime::{Host, Incoming, Peer, RecvStream};

/// Who may come in.
#[derive(Debug, Clone)]
enum Admission {
    Anybody,
    Listed(Arc<BTreeSet<PeerId>>),
    Ask,
}

impl Admission {
    fn of(call: &Call) -> Result<Self, Failure> {
        if call.switch("allow-any") {
            return Ok(Self::Anybody);
        }
        let listed = call.texts("allow");
        if !listed.is_empty() {
            return Ok(Self::Listed(Arc::new(address::peer_ids(&listed)?.into_iter().collect())));
        }
        if Terminal::open().is_some() {
            return Ok(Self::Ask);
        }
        Err(Failure::usage("who may come in? There is no terminal to ask on, and neither --allow nor --allow-any")
            .next("name the peer with --allow PEER-ID (it is what p2pt peer-id prints there), or let everybody in with --allow-any"))
    }

    /// Decides about a peer.
    async fn admits(&self, incoming: &Incoming) -> bool {
        let far = incoming.far();
        match self {
            Self::Anybody => true,
            // An anonymous peer is nobody in particular, so it is on no list.
            Self::Listed(ids) => far.proven_id().is_some_and(|id| ids.contains(&id)),
            Self::Ask => {
                let place = incoming.path().map(|path| format!(" from {}", path.remote)).unwrap_or_default();
                let who = far.proven_id().map_or_else(|| "an anonymous peer".to_owned(), |id| id.to_string());
                let question = format!("Let in {who}{place}?");
                let asked = tokio::task::spawn_blocking(move || {
                    Terminal::open().and_then(|mut terminal| terminal.confirm(&question).ok()).unwrap_or(false)
                });
                asked.await.unwrap_or(false)
            }
        }
    }
}

/// Waits for peers and serves them.
pub(super) async fn run(call: &Call, plan: &Plan) -> Result<(), Failure> {
    let admission = Admission::of(call)?;
    let stdin = if plan.end == EndKind::Standard && plan.sends { Stdin::Data } else { Stdin::Free };
    let server = address::rendezvous(call.text("ADDRESS").as_deref(), stdin)?;
    let (keyed, _lock) = key::hold(call, Whose::User)?;
    call.out.say(match &server {
        Some(server) => format!("registering at {}", server.host),
        None => "listening on this LAN".to_owned(),
    });
    let servers = match &server {
        Some(server) => look_up(&server.host).await?,
        None => Vec::new(),
    };
    let host = start_host(call, keyed.identity, server.is_none())?;
    let registration = server.as_ref().map(|server| register(&host, server, servers));
    if let Some(registration) = registration {
        registered(call, &host, registration, plan).await?;
    }
    announce(call, plan, &host, server)?;
    let notices = follow(call, &host);
    let work = serve(call, plan, &host, &admission);
    let result = tokio::select! {
        result = work => result,
        failure = notices => Err(failure),
    };
    host.shut_down().await;
    result
}

fn register(host: &Host, server: &Rendezvous, servers: Vec<SocketAddr>) -> RegistrationId {
    host.register(Registration {
        servers,
        uri: server.public_uri(),
        pin: server.id,
        developer_key: server.developer_key.as_ref().map(|key| key.to_string()),
    })
}

/// Waits until the rendezvous knows us.
async fn registered(call: &Call, host: &Host, wanted: RegistrationId, plan: &Plan) -> Result<(), Failure> {
    let answer = async {
        while let Some(notice) = host.notice().await {
            match notice {
                NodeEvent::Registered { registration, observed } if registration == wanted => {
                    let _ = call
                        .out
                        .event(Event::new("registered").with("observed", observed.map(|address| address.to_string())));
                    return Ok(());
                }
                notice => refused(&notice)?,
            }
        }
        Err(unanswered())
    };
    tokio::time::timeout(plan.timeout, answer).await.unwrap_or_else(|_| Err(unanswered()))
}

fn unanswered() -> Failure {
    Failure::new(Status::Rendezvous, "register at the rendezvous", "it does not answer")
        .next("see whether it runs there and UDP gets through: p2pt check")
}

/// An error if the notice says that the registration is over.
fn refused(notice: &NodeEvent) -> Result<(), Failure> {
    match notice {
        NodeEvent::RegistrationRefused { refusal, .. } => {
            Err(Failure::new(Status::Rendezvous, "register at the rendezvous", refusal)
                .next("put the right key into the address: rtmfp://HOST/KEY"))
        }
        NodeEvent::RendezvousImposter { .. } => Err(Failure::new(
            Status::Mismatch,
            "register at the rendezvous",
            "who answers there has another identity than the address says",
        )
        .next("get the address anew from whoever runs the rendezvous; do not just leave out its ?id=")),
        _ => Ok(()),
    }
}

/// Tells of the registration for as long as the command runs.
async fn follow(call: &Call, host: &Host) -> Failure {
    while let Some(notice) = host.notice().await {
        match &notice {
            NodeEvent::RegistrationLost { .. } => {
                call.out.say("the rendezvous went away; looking for it (peers that are connected stay so)");
                let _ = call.out.event(Event::new("rendezvous_lost"));
            }
            NodeEvent::Registered { .. } => {
                call.out.say("registered at the rendezvous again");
                let _ = call.out.event(Event::new("registered"));
            }
            notice => {
                if let Err(failure) = refused(notice) {
                    return failure;
                }
            }
        }
    }
    std::future::pending().await
}

/// Says where we are and what to type at the other end.
fn announce(call: &Call, plan: &Plan, host: &Host, server: Option<Rendezvous>) -> Result<(), Failure> {
    let direct = match &server {
        Some(_) => Vec::new(),
        None => {
            let port = host.bound().first().map_or(0, SocketAddr::port);
            let own = host.local_addresses();
            // Whoever is on this LAN finds us by multicast; a fixed port is for those who can't.
            let listed = own.iter().filter(|address| !address.ip().is_loopback() && address.is_ipv4());
            let fixed = call.typed("bind").then_some(listed).into_iter().flatten();
            fixed.map(|address| HostPort { host: address.ip().to_string(), port }).collect()
        }
    };
    let address = Address { rendezvous: server, target: Target::Peer { id: host.peer_id(), direct } };
    let text = address.to_string();
    let form = match (plan.form, call.text("messages")) {
        (Form::Messages, Some(form)) => format!(" --messages {form}"),
        (Form::Datagrams, _) => " --from-udp 127.0.0.1:PORT".to_owned(),
        _ if matches!(plan.end, EndKind::Tcp(..)) => " --from-tcp 127.0.0.1:PORT".to_owned(),
        _ => String::new(),
    };
    call.out.counterpart("to connect, run on the other side", format_args!("p2pt connect{form} {}", quoted(&text)));
    let _ = call.out.event(Event::new("listening").with("address", text.clone()));
    call.out.ready(text)
}

/// Lets peers in and serves them.
async fn serve(call: &Call, plan: &Plan, host: &Host, admission: &Admission) -> Result<(), Failure> {
    let keep_open = call.switch("keep-open");
    let at_once = if plan.end.is_shared() || !keep_open { 1 } else { call.number("max-conns").unwrap_or(64) };
    let places = Arc::new(Semaphore::new(usize::try_from(at_once).unwrap_or(1)));
    let mut serving = JoinSet::new();
    let (mut signals, begun) = (call.signals.clone(), std::time::Instant::now());
    loop {
        tokio::select! {
            incoming = host.incoming() => {
                let Some(incoming) = incoming else { return Ok(()) };
                let id = incoming.far().peer_id;
                if !admission.admits(&incoming).await {
                    call.out.say(format_args!("turned away {id}"));
                    let _ = call.out.event(Event::new("turned_away").with("peer_id", id.to_string()));
                    incoming.refuse();
                    continue;
                }
                let peer = incoming.accept();
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    tokio::spawn(turn_away_busy(peer));
                    continue;
                };
                let (plan, report, signals) = (plan.clone(), Report::new(&call.out), call.signals.clone());
                report.peer_up(&peer);
                serving.spawn(async move {
                    let unfinished = outcome::Unfinished::new(&peer);
                    let told = report::status_on_signal(signals, report.clone(), peer.clone());
                    let result = tokio::select! {
                        result = serve_peer(&peer, &plan, &report) => result,
                        () = told => Ok(()),
                    };
                    unfinished.ended();
                    match &result {
                        Ok(()) => {
                            outcome::wait_for_leave(&peer).await;
                            report.done(&peer);
                        }
                        Err(_) => outcome::break_off(&peer).await,
                    }
                    report.peer_down(&peer);
                    drop(place);
                    result
                });
            }
            () = signals.status_wanted(), if serving.is_empty() => {
                call.out.say(format_args!("waiting for a peer since {:.0} s", begun.elapsed().as_secs_f64()));
            }
            Some(finished) = serving.join_next(), if !serving.is_empty() => {
                let result = finished.unwrap_or_else(|error| {
                    Err(Failure::new(Status::Failed, "serve the peer", error))
                });
                if !keep_open {
                    return result;
                }
                if let Err(failure) = result {
                    if plan.end.is_shared() && matches!(failure.status, Status::BrokenPipe | Status::LocalIo) {
                        return Err(failure);
                    }
                    call.out.say(format_args!("a pipe broke: {failure}"));
                }
            }
        }
    }
}

/// A peer for whom there is no room is told so.
async fn turn_away_busy(peer: Peer) {
    if let Ok(offer) = peer.accept_flow(Order::Original).await {
        offer.reject(BUSY);
    }
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), peer.closed()).await;
}

/// Serves one peer: a pipe, or as many as it wants where each has an end of its own.
async fn serve_peer(peer: &Peer, plan: &Plan, report: &Report) -> Result<(), Failure> {
    if let EndKind::Udp(host, port) = &plan.end {
        return udp::serve(peer, plan, host, *port, report).await;
    }
    let first = next_offer(peer, plan).await?;
    if !matches!(plan.end, EndKind::Tcp(..)) {
        let ends = Ends::open(&plan.end, peer.far().peer_id).await?;
        return pipe::taken(peer, first, plan, ends, report).await;
    }
    let mut pipes = JoinSet::new();
    pipes.spawn(join_tcp(peer.clone(), first, plan.clone(), report.clone()));
    loop {
        tokio::select! {
            offer = peer.accept_flow(Order::Original) => match offer {
                Ok(offer) => {
                    if let Some(offer) = pipe::suits(offer, plan.form) {
                        pipes.spawn(join_tcp(peer.clone(), offer, plan.clone(), report.clone()));
                    }
                }
                Err(_) => break,
            },
            Some(_) = pipes.join_next(), if !pipes.is_empty() => {}
        }
    }
    let mut failed = Ok(());
    while let Some(ended) = pipes.join_next().await {
        failed = failed.and(ended.unwrap_or(Ok(())));
    }
    failed
}

/// The first flow of our form; the peer that has only others is told.
async fn next_offer(peer: &Peer, plan: &Plan) -> Result<RecvStream, Failure> {
    loop {
        let offer = peer.accept_flow(Order::Original).await;
        let offer = offer.map_err(|closed| outcome::session_ended(closed, 0))?;
        if let Some(offer) = pipe::suits(offer, plan.form) {
            return Ok(offer);
        }
    }
}

async fn join_tcp(peer: Peer, offer: RecvStream, plan: Plan, report: Report) -> Result<(), Failure> {
    match Ends::open(&plan.end, peer.far().peer_id).await {
        Ok(ends) => pipe::taken(&peer, offer, &plan, ends, &report).await,
        Err(failure) => {
            offer.reject(outcome::code_of(&failure));
            report.say(&failure);
            Ok(())
        }
    }
}
