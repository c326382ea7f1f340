//! `p2pt connect`: a pipe between two peers.
//!
//! Whoever dials opens a flow for each pipe, whoever listens answers it with a flow of its own; both carry the same
//! metadata ([`Form::metadata`]). The first message of a flow is empty and only shows that the flow is there; those
//! after it are the pipe's bytes in pieces, or its messages. The end of a flow is the end of input on that side. Whoever
//! dialled closes the session in order, once everything is acknowledged in both directions; a session that ends in any
//! other way was interrupted.

mod ends;
mod framing;
mod listen;
mod outcome;
mod pipe;
mod reach;
mod report;
mod tcp;
mod udp;

use std::time::Duration;

use super::address::{Address, Target};
use super::address::{Rendezvous, Stdin, resolve};
use super::call::Call;
use super::failure::Failure;
use super::status::Status;
use ends::EndKind;
use framing::Framing;
use report::Report;

/// How a pipe's content is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bytes,
    Messages,
    Datagrams,
}

impl Form {
    /// Metadata of its flows.
    const fn metadata(self) -> &'static [u8] {
        match self {
            Self::Bytes => b"p2pt/1 pipe",
            Self::Messages => b"p2pt/1 messages",
            Self::Datagrams => b"p2pt/1 datagrams",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "a stream of bytes",
            Self::Messages => "messages (--messages)",
            Self::Datagrams => "datagrams (--to-udp, --from-udp)",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
struct Plan {
    form: Form,
    framing: Option<Framing>,
    lifetime: Option<Duration>,
    sends: bool,
    receives: bool,
    end: EndKind,
    timeout: Duration,
}

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
        tokio::select! {
            result = work => result,
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        }
    });
    // Standard input may still be read by a thread that nothing wakes.
    runtime.shutdown_timeout(Duration::from_millis(300));
    result
}

impl Plan {
    fn of(call: &Call) -> Result<Self, Failure> {
        let framing = call.text("messages").map(|form| Framing::named(&form));
        let datagrams = call.typed("to-udp") || call.typed("from-udp");
        let form = match framing {
            Some(_) if datagrams => {
                return Err(Failure::usage("--messages is for a pipe; datagrams are carried as they come"));
            }
            Some(_) => Form::Messages,
            None if datagrams => Form::Datagrams,
            None => Form::Bytes,
        };
        let end = match (call.text("exec"), call.host_port("to-tcp"), call.host_port("to-udp")) {
            (Some(command), ..) => EndKind::Exec(command),
            (_, Some((host, port)), _) => EndKind::Tcp(host, port),
            (.., Some((host, port))) => EndKind::Udp(host, port),
            _ => EndKind::Standard,
        };
        Ok(Self {
            form,
            framing,
            lifetime: call.duration("lifetime"),
            sends: !call.switch("recv-only"),
            receives: !call.switch("send-only"),
            end,
            timeout: call.duration("timeout").unwrap_or(Duration::from_secs(30)),
        })
    }
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
    let status_lines = report::status_on_signal(call.signals.clone(), report.clone(), peer.clone());
    let work = pipe::dialled(&peer, plan, &report);
    let result = tokio::select! {
        result = work => result,
        () = status_lines => unreachable!("status lines go on for ever"),
    };
    match result {
        Ok(()) => {
            outcome::leave(&peer).await;
            report.done(&peer);
            reach.shut_down().await;
            Ok(())
        }
        Err(failure) => {
            outcome::break_off(&peer, &failure).await;
            Err(failure)
        }
    }
}

/// The rendezvous of an address that has one.
fn rendezvous_of(address: &Address) -> Option<&Rendezvous> {
    address.rendezvous.as_ref()
}

/// A failure that says that the far end's wish for another form than ours can't be met.
fn form_mismatch(ours: Form) -> Failure {
    Failure::new(Status::Refused, "pipe to the peer", format_args!("it does not take {}", ours.as_str()))
        .next("give both sides the same --messages, or neither")
}
