//! Carries one pipe: the local end's bytes or messages to a flow, the answering flow's to the local end.

use bytes::{Bytes, BytesMut};
use tokio::process::Child;
use tokio::sync::oneshot;

use super::ends::{self, Ends, Sink, Source};
use super::outcome::{self, NOT_READ, OTHER_FORM};
use super::plan::{Form, Plan};
use super::report::Report;

use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::node::{CloseReason, Order, Priority};
use crate::runtime::{Closed, Item, Peer, ReceiveError, RecvStream, SendError, SendStream, Within};

/// The pipe of the side that dialled.
pub(super) async fn dialled(peer: &Peer, plan: &Plan, report: &Report) -> Result<(), Failure> {
    let ends = Ends::open(&plan.end, peer.far().peer_id).await?;
    offered(peer, plan, ends, report).await
}

/// Offers a pipe to the peer and carries it.
pub(super) async fn offered(peer: &Peer, plan: &Plan, ends: Ends, report: &Report) -> Result<(), Failure> {
    let opened = peer.open_flow(plan.form.metadata(), priority(plan.form));
    let mut out = opened.map_err(|error| Failure::new(Status::Failed, "open a flow to the peer", error))?;
    greet(&mut out, plan.form).await?;
    let (source, sink, child) = ends.split();
    let answers = out.answers();
    let (tell, answered) = oneshot::channel();
    let receive = async {
        let Some(answer) = answers.next(Order::Original).await else { return Ok(()) };
        let _ = tell.send(());
        receive(answer, plan, sink, report).await
    };
    // A flow that is closed can't be answered any more (RFC 7016 section 3.6.3.1), so its end waits for the answer.
    let send = send(&mut out, plan, source, report, Some(answered));
    both(send, receive, child).await
}

/// Carries a pipe that the peer offers.
pub(super) async fn taken(
    peer: &Peer,
    offer: RecvStream,
    plan: &Plan,
    ends: Ends,
    report: &Report,
) -> Result<(), Failure> {
    let opened = peer.open_answer(&offer, plan.form.metadata(), priority(plan.form));
    let mut out = opened.map_err(|error| Failure::new(Status::Failed, "answer the peer's flow", error))?;
    greet(&mut out, plan.form).await?;
    let (source, sink, child) = ends.split();
    both(send(&mut out, plan, source, report, None), receive(offer, plan, sink, report), child).await
}

/// Whether the offer is of our form; if not, the peer is told.
pub(super) fn suits(offer: RecvStream, form: Form) -> Option<RecvStream> {
    if offer.metadata() == form.metadata() {
        return Some(offer);
    }
    offer.reject(OTHER_FORM);
    None
}

/// Sends the empty message that shows that the flow is there.
async fn greet(out: &mut SendStream, form: Form) -> Result<(), Failure> {
    match out.write(Bytes::new(), Within::UNLIMITED).await {
        Ok(_) => Ok(()),
        Err(error) => Err(send_failed(error, 0, form)),
    }
}

const fn priority(form: Form) -> Priority {
    match form {
        Form::Bytes => Priority::Normal,
        Form::Messages | Form::Datagrams => Priority::High,
    }
}

/// Runs both directions to their ends. One that fails ends the other.
async fn both(
    send: impl Future<Output = Result<(), Failure>>,
    receive: impl Future<Output = Result<(), Failure>>,
    child: Option<Child>,
) -> Result<(), Failure> {
    tokio::try_join!(send, receive)?;
    ends::ended(child).await
}

/// Sends what the source gives, and waits until all of it is acknowledged.
async fn send(
    out: &mut SendStream,
    plan: &Plan,
    mut source: Source,
    report: &Report,
    answered: Option<oneshot::Receiver<()>>,
) -> Result<(), Failure> {
    if plan.sends {
        match plan.framing {
            Some(_) => send_messages(out, plan, &mut source, report).await?,
            None => send_bytes(out, plan, &mut source, report).await?,
        }
    }
    if let Some(answered) = answered {
        tokio::select! {
            _ = answered => {}
            ended = out.ended() => sending_ended(ended, out, plan)?,
        }
    }
    let finished = out.finish().await;
    report.abandoned(out.take_abandoned().len());
    match finished {
        Ok(()) => Ok(()),
        Err(SendError::Rejected(NOT_READ)) => Ok(()),
        // The side that dialled closes once it has everything, and its last acknowledgement may be lost.
        Err(SendError::Closed(Closed::Session(CloseReason::Far))) if report.far_is_done() => Ok(()),
        Err(error) => Err(send_failed(error, out.acknowledged(), plan.form)),
    }
}

async fn send_bytes(out: &mut SendStream, plan: &Plan, source: &mut Source, report: &Report) -> Result<(), Failure> {
    loop {
        // A peer that rejects the flow is to be noticed although nothing is there to be sent.
        let piece = tokio::select! {
            piece = source.next() => piece?,
            ended = out.ended() => return sending_ended(ended, out, plan),
        };
        let Some(piece) = piece else { return Ok(()) };
        let length = piece.len();
        match out.write(piece, Within::UNLIMITED).await {
            Ok(_) => report.sent(length),
            Err(error) => return sending_ended(Err(error), out, plan),
        }
    }
}

async fn send_messages(out: &mut SendStream, plan: &Plan, source: &mut Source, report: &Report) -> Result<(), Failure> {
    let Some(framing) = plan.framing else { return Ok(()) };
    let within = Within { start: None, finish: plan.lifetime };
    let mut buffer = BytesMut::new();
    let mut over = false;
    while !over {
        let piece = tokio::select! {
            piece = source.next() => piece?,
            ended = out.ended() => return sending_ended(ended, out, plan),
        };
        match piece {
            Some(piece) => buffer.extend_from_slice(&piece),
            None => over = true,
        }
        while let Some(message) = framing
            .take(&mut buffer, over)
            .map_err(|error| Failure::new(Status::Failed, "cut standard input into messages", error))?
        {
            let length = message.len();
            match out.write(message, within).await {
                Ok(_) => report.sent(length),
                Err(error) => return sending_ended(Err(error), out, plan),
            }
            report.abandoned(out.take_abandoned().len());
        }
    }
    Ok(())
}

fn sending_ended(ended: Result<(), SendError>, out: &SendStream, plan: &Plan) -> Result<(), Failure> {
    match ended {
        Ok(()) | Err(SendError::Rejected(NOT_READ)) => Ok(()),
        Err(error) => Err(send_failed(error, out.acknowledged(), plan.form)),
    }
}

fn send_failed(error: SendError, acknowledged: u64, form: Form) -> Failure {
    match error {
        SendError::Rejected(code) => outcome::rejected(code, form),
        SendError::Closed(closed) => outcome::session_ended(closed, acknowledged),
        other => Failure::new(Status::Failed, "send to the peer", other),
    }
}

/// Writes what the flow brings to the sink, to the end.
async fn receive(mut flow: RecvStream, plan: &Plan, mut sink: Sink, report: &Report) -> Result<(), Failure> {
    if !plan.receives {
        flow.reject(NOT_READ);
        return Ok(());
    }
    let mut greeted = false;
    loop {
        let item = tokio::select! {
            item = flow.next() => item,
            failure = sink.abandoned() => {
                flow.reject(outcome::code_of(&failure));
                return Err(failure);
            }
        };
        let written = match item {
            Ok(Some(Item::Message { data, .. })) if !greeted && data.is_empty() => {
                greeted = true;
                Ok(())
            }
            Ok(Some(Item::Message { data, .. })) => {
                greeted = true;
                report.received(data.len());
                match plan.framing {
                    Some(framing) => {
                        let mut framed = Vec::with_capacity(data.len() + 4);
                        framing.put(&mut framed, &data);
                        sink.write(framed.into()).await
                    }
                    None => sink.write(data).await,
                }
            }
            Ok(Some(Item::Lost { span })) => {
                report.lost(span);
                Ok(())
            }
            Ok(None) => {
                report.far_finished();
                return sink.finish().await;
            }
            Err(ReceiveError::Closed(closed)) => return Err(outcome::session_ended(closed, report.bytes_received())),
            Err(error) => return Err(Failure::new(Status::Failed, "receive from the peer", error)),
        };
        if let Err(failure) = written {
            flow.reject(outcome::code_of(&failure));
            return Err(failure);
        }
    }
}
