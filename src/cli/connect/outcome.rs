//! How a pipe ends, and what the far end is told of it.

use std::time::Duration;

use super::plan::Form;
use super::text::bytes_text;
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::node::{CloseReason, DialError};
use crate::runtime::{Closed, Peer};

/// The peer reads nothing (`--send-only`).
pub(super) const NOT_READ: u64 = 256;
/// The peer wants another form of content.
pub(super) const OTHER_FORM: u64 = 257;
/// The peer has no room for one more pipe.
pub(super) const BUSY: u64 = 258;

/// How long an orderly close may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
/// How long the far end's close is waited for.
const FAR_CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// How long what was rejected last may take to arrive.
const TELL_WITHIN: Duration = Duration::from_millis(250);

/// Closes the session after everything is acknowledged. The side that dialled does it.
pub(super) async fn leave(peer: &Peer) {
    let _ = tokio::time::timeout(CLOSE_WITHIN, peer.close()).await;
}

/// Waits for the side that dialled to close the session; it does so once everything is acknowledged.
pub(super) async fn wait_for_leave(peer: &Peer) {
    if tokio::time::timeout(FAR_CLOSE_WITHIN, peer.closed()).await.is_err() {
        leave(peer).await;
    }
}

/// Breaks the session off if its pipe is dropped before its end, as a signal does: an orderly close would tell the far
/// end that everything had been acknowledged.
pub(super) struct Unfinished(Option<Peer>);

impl Unfinished {
    pub(super) fn new(peer: &Peer) -> Self {
        Self(Some(peer.clone()))
    }

    /// The pipe has come to its end.
    pub(super) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(peer) = &self.0 {
            peer.abort();
        }
    }
}

/// Ends a session whose pipe failed. What was rejected because of it is given time to arrive first.
pub(super) async fn break_off(peer: &Peer) {
    let _ = tokio::time::timeout(TELL_WITHIN, peer.closed()).await;
    peer.abort();
}

/// The code that tells the far end why we stopped reading.
pub(super) fn code_of(failure: &Failure) -> u64 {
    u64::from(failure.status.code())
}

/// What a rejected flow means.
pub(super) fn rejected(code: u64, form: Form) -> Failure {
    match code {
        OTHER_FORM => form_mismatch(form),
        BUSY => Failure::new(Status::Refused, "pipe to the peer", "it serves as many as it may")
            .next("try again later, or ask for --keep-open and a larger --max-conns there"),
        141 => Failure::broken_pipe(),
        10 => Failure::new(Status::Refused, "pipe to the peer", "it does not let us in")
            .next("ask for your peer ID (p2pt peer-id) to be put on its --allow list"),
        130 | 143 => Failure::new(Status::Failed, "finish the pipe", "the peer was interrupted"),
        9 | 4 | 3 => Failure::new(Status::Failed, "pipe to the peer", "the other end of the pipe failed over there"),
        _ => Failure::new(Status::Failed, "finish the pipe", format_args!("the peer stopped reading (code {code})")),
    }
}

/// What the end of the session means in the middle of a pipe.
pub(super) fn session_ended(closed: Closed, acknowledged: u64) -> Failure {
    let so_far = format!("{} had been acknowledged", bytes_text(acknowledged));
    match closed {
        Closed::Session(CloseReason::Unresponsive) => Failure::new(
            Status::TimedOut,
            "finish the pipe",
            format_args!("the peer does not answer any more; {so_far}"),
        )
        .next("see whether the peer still runs and its network is up, then start again"),
        Closed::Session(CloseReason::Far | CloseReason::FarAborted) => {
            Failure::new(Status::Failed, "finish the pipe", format_args!("the peer broke off; {so_far}"))
        }
        other => Failure::new(Status::Failed, "finish the pipe", format_args!("{other}; {so_far}")),
    }
}

/// What a dial that failed means.
pub(super) fn dial_failed(error: DialError, through: &str) -> Failure {
    let tried = "reach the peer";
    match error {
        DialError::RendezvousUnreachable => {
            Failure::new(Status::Rendezvous, tried, format_args!("{through} does not answer"))
                .next("see whether the rendezvous runs there and UDP gets through: p2pt check")
        }
        DialError::NotFound => {
            Failure::new(Status::NotFound, tried, format_args!("{through} does not know this peer ID"))
                .next("see whether the peer is listening (p2pt connect --listen) and uses the same rendezvous")
        }
        DialError::Unreachable => Failure::new(Status::Unreachable, tried, error),
        DialError::WrongIdentity => Failure::new(Status::Mismatch, tried, error)
            .next("compare the peer ID in the address with what p2pt peer-id prints there"),
        DialError::Itself => Failure::usage("this address is our own: the same identity listens there")
            .next("give one side another --key"),
        DialError::TimedOut => Failure::new(Status::TimedOut, tried, format_args!("nobody answered ({through})"))
            .next("see whether the peer is listening; on a LAN, whether IP multicast gets through; or raise --timeout"),
    }
}

/// The far end does not take the form that we send.
fn form_mismatch(ours: Form) -> Failure {
    Failure::new(Status::Refused, "pipe to the peer", format_args!("it does not take {}", ours.as_str()))
        .next("give both sides the same --messages, or neither")
}
