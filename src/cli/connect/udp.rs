//! Datagrams: each stranger who sends some has a pair of flows of its own, and each datagram is a message.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::outcome;
use super::pipe;
use super::plan::Plan;
use super::reach::Reach;
use super::report::Report;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::node::{Order, Priority};
use crate::runtime::{Item, Peer, RecvStream, SendStream, Within};

/// A datagram that could not be delivered in this time is of no use any more.
const LIFETIME: Duration = Duration::from_secs(1);
/// Without a datagram for so long, a stranger is forgotten.
const IDLE: Duration = Duration::from_secs(120);
/// The longest datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Strangers at once.
const MAX_STRANGERS: usize = 256;
/// Datagrams of one stranger that wait for the flow; further ones are dropped, as a network would.
const WAITING: usize = 256;

fn within(plan: &Plan) -> Within {
    Within { start: None, finish: Some(plan.lifetime.unwrap_or(LIFETIME)) }
}

/// Takes datagrams that arrive here to the peer, for as long as the command runs.
pub(super) async fn accept(
    call: &Call,
    plan: &Plan,
    reach: &mut Reach,
    listen: SocketAddr,
    report: &Report,
) -> Result<(), Failure> {
    let socket = UdpSocket::bind(listen).await.map_err(|error| {
        Failure::io(format!("listen on UDP {listen}"), error).next("choose a port that is free, or 0 for any")
    })?;
    let bound = socket.local_addr().map_err(|error| Failure::io("listen on UDP", error))?;
    let socket = Arc::new(socket);
    let peer = reach.dial(call, plan.timeout).await?;
    report.peer_up(&peer);
    call.out.say(format_args!("datagrams to {bound} go to the peer"));
    call.out.ready(bound)?;
    let mut strangers: BTreeMap<SocketAddr, mpsc::Sender<Bytes>> = BTreeMap::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            closed = peer.closed() => return Err(outcome::session_ended(closed, report.bytes_received())),
        };
        // An unreachable port of an earlier answer is reported here; it concerns nobody else.
        let Ok((length, from)) = received else { continue };
        strangers.retain(|_, stranger| !stranger.is_closed());
        if !strangers.contains_key(&from) && strangers.len() < MAX_STRANGERS {
            let (send, receive) = mpsc::channel(WAITING);
            strangers.insert(from, send);
            let (socket, peer, plan, report) = (Arc::clone(&socket), peer.clone(), plan.clone(), report.clone());
            tokio::spawn(async move {
                let Ok(mut out) = peer.open_flow(plan.form.metadata(), Priority::High) else { return };
                let answers = out.answers();
                let back = async {
                    let Some(mut answer) = answers.next(Order::AsReceived).await else { return };
                    while let Ok(Some(item)) = answer.next().await {
                        if let Item::Message { data, .. } = item
                            && !data.is_empty()
                        {
                            report.received(data.len());
                            let _ = socket.send_to(&data, from).await;
                        }
                    }
                };
                tokio::select! {
                    () = carry(receive, &mut out, within(&plan), &report) => {}
                    () = back => {}
                }
            });
        }
        if let Some(stranger) = strangers.get(&from) {
            let _ = stranger.try_send(Bytes::copy_from_slice(&buffer[..length]));
        }
    }
}

/// Sends datagrams on a flow until none came for a while.
async fn carry(mut datagrams: mpsc::Receiver<Bytes>, out: &mut SendStream, within: Within, report: &Report) {
    while let Ok(Some(datagram)) = tokio::time::timeout(IDLE, datagrams.recv()).await {
        report.sent(datagram.len());
        if out.write(datagram, within).await.is_err() {
            return;
        }
        report.abandoned(out.take_abandoned().len());
    }
}

/// Passes what the peer sends on each of its flows to `host`:`port`, from a socket of its own.
pub(super) async fn serve(peer: &Peer, plan: &Plan, host: &str, port: u16, report: &Report) -> Result<(), Failure> {
    while let Ok(offer) = peer.accept_flow(Order::AsReceived).await {
        let Some(offer) = pipe::suits(offer, plan.form) else { continue };
        let (peer, plan, report, host) = (peer.clone(), plan.clone(), report.clone(), host.to_owned());
        tokio::spawn(async move {
            if let Err(failure) = pass(&peer, offer, &plan, (&host, port), &report).await {
                report.say(&failure);
            }
        });
    }
    Ok(())
}

async fn pass(
    peer: &Peer,
    mut offer: RecvStream,
    plan: &Plan,
    to: (&str, u16),
    report: &Report,
) -> Result<(), Failure> {
    let tried = || format!("pass datagrams to {}:{}", to.0, to.1);
    let target = tokio::net::lookup_host(to).await.map_err(|error| Failure::io(tried(), error))?.next();
    let target = target.ok_or_else(|| Failure::new(crate::cli::status::Status::NotFound, tried(), "no such host"))?;
    let any: SocketAddr = if target.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await.map_err(|error| Failure::io(tried(), error))?;
    socket.connect(target).await.map_err(|error| Failure::io(tried(), error))?;
    let Ok(mut out) = peer.open_answer(&offer, plan.form.metadata(), Priority::High) else { return Ok(()) };
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        tokio::select! {
            item = offer.next() => match item {
                Ok(Some(Item::Message { data, .. })) => {
                    report.received(data.len());
                    let _ = socket.send(&data).await;
                }
                Ok(Some(Item::Lost { .. })) => {}
                Ok(None) | Err(_) => return Ok(()),
            },
            received = socket.recv(&mut buffer) => {
                // The target's port may be closed for a while; it is tried again with the next datagram.
                let Ok(length) = received else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                report.sent(length);
                if out.write(Bytes::copy_from_slice(&buffer[..length]), within(plan)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}
