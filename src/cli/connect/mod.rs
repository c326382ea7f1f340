//! `p2pt connect`: a pipe between two peers.
//!
//! Whoever dials opens a flow for each pipe, whoever listens answers it with a flow of its own; both carry the same
//! metadata ([`plan::Form::metadata`]). The first message of a flow is empty and only shows that the flow is there; those
//! after it are the pipe's bytes in pieces, or its messages. The end of a flow is the end of input on that side. Whoever
//! dialled closes the session in order, once everything is acknowledged in both directions; a session that ends in any
//! other way was interrupted.

mod ends;
mod listen;
mod outcome;
mod pipe;
mod plan;
mod reach;
mod report;
mod tcp;
mod text;
mod udp;

use std::time::Duration;

use super::address::Target;
use super::address::{Stdin, resolve};
use super::call::Call;
use super::failure::Failure;
use ends::EndKind;
use plan::Plan;
use report::Report;

/// After a signal, how long the driver has to send what tells the far ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// Runs the command.
///
/// # Errors
/// See the statuses of its row.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let plan = Plan::of(&call)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("start the event loop", error))?;
    let result = runtime.block_on(async {
        let mut signals = call.signals.clone();
        let work =
            async { if call.switch("listen") { listen::run(&call, &plan).await } else { dial(&call, &plan).await } };
        let result = tokio::select! {
            result = work => result,
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        };
        // What was being served is dropped by now; the far ends are still to be told.
        if call.signals.stop().is_some() {
            tokio::time::sleep(FAREWELL).await;
        }
        result
    });
    // Standard input may still be read by a thread that nothing wakes.
    runtime.shutdown_timeout(Duration::from_millis(300));
    result
}

async fn dial(call: &Call, plan: &Plan) -> Result<(), Failure> {
    let text = call.text("ADDRESS").ok_or_else(|| {
        Failure::usage("whom to dial? An ADDRESS is wanted").next("to wait for a peer instead, use --listen")
    })?;
    let reads_stdin = plan.end == EndKind::Standard && !call.typed("from-tcp") && !call.typed("from-udp");
    let address = resolve(&text, if reads_stdin && plan.sends { Stdin::Data } else { Stdin::Free })?;
    let Target::Peer { id, direct } = &address.target else {
        return Err(Failure::usage("this address is a group's; connect is for a single peer"));
    };
    let report = Report::new(&call.out);
    let mut reach = reach::Reach::start(call, &address, *id, direct).await?;
    if let Some(listen) = call.socket("from-tcp") {
        return tcp::accept(call, plan, &mut reach, listen, &report).await;
    }
    if let Some(listen) = call.socket("from-udp") {
        return udp::accept(call, plan, &mut reach, listen, &report).await;
    }
    let peer = reach.dial(call, plan.timeout).await?;
    report.peer_up(&peer);
    call.out.ready(id)?;
    let unfinished = outcome::Unfinished::new(&peer);
    let status_lines = report::status_on_signal(call.signals.clone(), report.clone(), peer.clone());
    let work = pipe::dialled(&peer, plan, &report);
    let result = tokio::select! {
        result = work => result,
        () = status_lines => unreachable!("status lines go on for ever"),
    };
    unfinished.ended();
    match result {
        Ok(()) => {
            outcome::leave(&peer).await;
            report.done(&peer);
            reach.shut_down().await;
            Ok(())
        }
        Err(failure) => {
            outcome::break_off(&peer).await;
            Err(failure)
        }
    }
}
