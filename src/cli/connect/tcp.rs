//! TCP connections that are accepted here and joined to the peer, each by a pipe of its own.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::ends::Ends;
use super::pipe;
use super::plan::Plan;
use super::reach::Reach;
use super::report::Report;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::runtime::Peer;

/// Accepts connections for as long as the command runs. A peer that was lost is dialled anew for the next one.
pub(super) async fn accept(
    call: &Call,
    plan: &Plan,
    reach: &mut Reach,
    listen: SocketAddr,
    report: &Report,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::io(format!("listen on TCP {listen}"), error).next("choose a port that is free, or 0 for any")
    })?;
    let bound = listener.local_addr().map_err(|error| Failure::io("listen on TCP", error))?;
    let mut peer = reach.dial(call, plan.timeout).await?;
    report.peer_up(&peer);
    call.out.say(format_args!("TCP connections to {bound} go to the peer"));
    call.out.ready(bound)?;
    let mut pipes = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(|error| Failure::io(format!("accept on TCP {bound}"), error))?;
                if peer.stats().is_none() {
                    call.out.say("the peer was lost; looking for it again");
                    match reach.dial(call, plan.timeout).await {
                        Ok(again) => peer = again,
                        Err(failure) => {
                            call.out.say(&failure);
                            continue;
                        }
                    }
                }
                pipes.spawn(join(peer.clone(), stream, plan.clone(), report.another()));
            }
            Some(ended) = pipes.join_next(), if !pipes.is_empty() => {
                if let Ok(Err(failure)) = ended {
                    call.out.say(format_args!("a connection broke: {failure}"));
                }
            }
        }
    }
}

async fn join(peer: Peer, stream: TcpStream, plan: Plan, report: Report) -> Result<(), Failure> {
    pipe::offered(&peer, &plan, Ends::tcp(stream), &report).await
}
