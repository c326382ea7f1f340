//! `p2pt route`: messages along the ring.

use serde_json::Value;

use super::access::{Access, Need};
use super::join::receive_mode;
use super::lines::{self, Divided};
use super::place::{Place, operands};
use super::request::{Answer, Request, Way};
use super::told::{counted, routed_event, with_fields};
use crate::base::{PeerId, from_hex};
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::{Event, escaped};
use crate::cli::status::Status;
use crate::cli::table::row::Json;
use crate::group::{GroupAddress, ReceiveMode};

/// Sends messages, or prints what arrives.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn run(call: Call) -> Result<(), Failure> {
    let (group, [message]) = operands(&call, ["MESSAGE"]);
    let way = way(&call)?;
    if way.is_none() && message.is_some() {
        return Err(Failure::usage("--listen sends nothing, so it takes no MESSAGE"));
    }
    let reads = way.is_some() && message.is_none();
    let place = Place::of(group.as_deref(), if reads { Stdin::Data } else { Stdin::Free })?;
    net::block_on(async {
        let (need, mode) = match way {
            Some(_) => (Need::SameAuthor, ReceiveMode::Exact),
            None => (Need::Sight, receive_mode(&call)),
        };
        let access = Access::open(&call, &place, need, mode).await?;
        access
            .with(&call, async |access| match way {
                None => listen(&call, access).await,
                Some(way) => {
                    access.look_around().await?;
                    send(&call, access, way, message).await?;
                    access.handed_over().await
                }
            })
            .await
    })
}

/// Where to; `None` with `--listen`.
fn way(call: &Call) -> Result<Option<Way>, Failure> {
    if let Some(place) = call.text("to-nearest") {
        return nearest(&place).map(Some);
    }
    let ways = [("to-next", Way::Next), ("to-previous", Way::Previous), ("to-neighbors", Way::Neighbors)];
    match ways.into_iter().find(|(name, _)| call.switch(name)) {
        Some((_, way)) => Ok(Some(way)),
        None if call.switch("listen") => Ok(None),
        None => Err(Failure::usage(
            "where to? One of --to-nearest, --to-next, --to-previous, --to-neighbors, or --listen, is wanted",
        )),
    }
}

/// A peer's place, a place, or a key's.
fn nearest(text: &str) -> Result<Way, Failure> {
    if text.is_empty() {
        return Err(Failure::usage("--to-nearest: the PLACE is empty").next("is a variable of the shell not set?"));
    }
    if let Some(place) = text.strip_prefix('@') {
        let place = place.parse().map_err(|why| Failure::usage(format_args!("--to-nearest {text}: {why}")))?;
        return Ok(Way::Nearest(place));
    }
    Ok(Way::Nearest(match text.parse::<PeerId>() {
        Ok(peer) => GroupAddress::of(peer),
        Err(_) => GroupAddress::of_key(text.as_bytes()),
    }))
}

async fn send(call: &Call, access: &Access, way: Way, message: Option<String>) -> Result<(), Failure> {
    let mut input = match &message {
        Some(_) => None,
        None => Some(lines::read(if call.switch("nul") { Divided::Nul } else { Divided::Lines })),
    };
    let mut given = message.map(String::into_bytes);
    loop {
        let body = match &mut input {
            None => given.take(),
            Some(input) => input.recv().await.transpose()?,
        };
        let Some(body) = body else { return Ok(()) };
        if body.len() > lines::MAX_BODY {
            return Err(Failure::usage("a message has at most 65,536 bytes"));
        }
        let author = access.right.author().peer_id();
        let told = access.ask(Request::Route { way, body, ack: call.switch("ack"), author }).await?;
        sent(call, &told)?;
    }
}

/// Says who has it.
fn sent(call: &Call, told: &Value) -> Result<(), Failure> {
    if let (Some(by), Some(hops)) = (told["by"].as_str(), told["hops"].as_u64()) {
        call.out.say(format_args!("delivered to {by} over {}", counted(hops, "link")));
    }
    call.out.event(with_fields(Event::new("sent"), told, &["result", "by", "hops"]))
}

async fn listen(call: &Call, access: &Access) -> Result<(), Failure> {
    let divided = if call.switch("nul") { Divided::Nul } else { Divided::Lines };
    let mut arriving = access.listen().await?;
    loop {
        match arriving.recv().await {
            Some(Answer::Item(told)) if told["listening"].as_bool() == Some(true) => {
                call.out.say("listening");
                call.out.ready(access.group)?;
            }
            Some(Answer::Item(told)) if told["lost"].is_u64() => {
                call.out.say(format_args!("{} messages were lost: they were not taken in time", told["lost"]));
                if call.out.json() == Some(Json::Stdout) {
                    call.out.event(
                        Event::new("lost").with("direction", "received").with("messages", told["lost"].clone()),
                    )?;
                }
            }
            Some(Answer::Item(told)) if call.out.json() == Some(Json::Stdout) => call.out.event(routed_event(&told))?,
            Some(Answer::Item(told)) => {
                let line = lines::shown(&body(&told), divided);
                if call.out.to_terminal() {
                    let from = told["author"].as_str().or(told["from"].as_str()).and_then(|id| id.get(..8));
                    let text = format!("({}…): {}", from.unwrap_or_default(), String::from_utf8_lossy(&line));
                    call.out.data(escaped(&text).as_bytes())?;
                } else {
                    call.out.data(&line)?;
                }
            }
            Some(Answer::End(end)) => return end.map(drop),
            None => {
                return Err(Failure::new(
                    Status::Failed,
                    "go on",
                    "the p2pt group join that this went through has ended",
                ));
            }
        }
    }
}

fn body(told: &Value) -> Vec<u8> {
    match (told["message"].as_str(), told["message_hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(hex)) => from_hex(hex).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_peers_or_a_keys_or_itself() {
        let hex = "00".repeat(32);
        let place = |text: &str| nearest(text).ok();
        assert_eq!(place(&hex), Some(Way::Nearest(GroupAddress::of(PeerId([0; 32])))));
        assert_eq!(place(&format!("@{hex}")), Some(Way::Nearest(GroupAddress([0; 32]))));
        assert_eq!(place("jobs"), Some(Way::Nearest(GroupAddress::of_key(b"jobs"))));
        assert_eq!((place("@jobs"), place("")), (None, None));
    }
}
