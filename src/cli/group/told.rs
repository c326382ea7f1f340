//! What happens in a group, as events: NetGroup's names (flash-groups section 7.7), our fields.

use serde_json::{Map, Value, json};

use crate::base::{PeerId, to_hex};
use crate::cli::output::Event;
use crate::group::{GroupAddress, MembershipEvent};
use crate::node::multicast::{StreamEvent, StreamKey};
use crate::node::posting::{Post, PostingEvent};
use crate::node::routing::{Routed, RoutingEvent};
use crate::node::storage::Record;
use crate::node::{Member, MemberEvent};

/// So many of what `one` of is called so.
pub(super) fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("one {one}") } else { format!("{count} {one}s") }
}

/// A text as it is, anything else in hex, under its own name.
fn put_body(into: &mut Map<String, Value>, name: &'static str, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok(text) => into.insert(name.to_owned(), text.into()),
        Err(_) => into.insert(format!("{name}_hex"), to_hex(body).into()),
    };
}

/// A routed message that arrived.
pub(super) fn routed(routed: &Routed) -> Value {
    let mut told = json!({ "from": routed.from.to_string(), "from_local": routed.from_local, "hops": routed.hops });
    if let Some(author) = routed.author {
        told["author"] = author.to_string().into();
    }
    if let Some(target) = routed.target {
        told["target"] = target.to_string().into();
    }
    put_body(told.as_object_mut().expect("an object"), "message", &routed.body);
    told
}

/// A stored value.
pub(super) fn record(record: &Record) -> Value {
    let mut told = json!({ "sequence": record.sequence, "expiry": record.expiry });
    if let Some(author) = record.author {
        told["author"] = author.to_string().into();
    }
    if let Some(value) = &record.value {
        told["value"] = to_hex(value).into();
    }
    told
}

/// The event of what `routed` told.
pub(super) fn routed_event(told: &Value) -> Event {
    with_fields(
        Event::new("NetGroup.SendTo.Notify"),
        told,
        &["message", "message_hex", "from", "from_local", "target", "author", "hops"],
    )
}

/// The event with these fields of `told`, as far as it has them.
pub(super) fn with_fields(event: Event, told: &Value, names: &[&'static str]) -> Event {
    names.iter().fold(event, |event, name| event.with(name, told[*name].clone()))
}

/// A post that was made here.
pub(super) fn echo(post: &Post) -> Event {
    posted("echo", post)
}

fn posted(name: &'static str, post: &Post) -> Event {
    let mut body = Map::new();
    put_body(&mut body, "message", &post.body);
    let event = with_fields(Event::new(name), &Value::from(body), &["message", "message_hex"]);
    event
        .with("message_id", to_hex(&post.id.0))
        .with("author", post.author.to_string())
        .with("nick", post.nick.clone())
        .with(
            "time",
            humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + std::time::Duration::from_millis(post.time))
                .to_string(),
        )
        .with("instance", to_hex(&post.instance))
        .with("sequence", post.sequence)
        .with("hops", Some(post.hops).filter(|hops| *hops > 0))
}

/// The event for `--json`; `None` for what concerns only whoever asked for it.
pub(super) fn event(event: &MemberEvent, member: Option<&Member>) -> Option<Event> {
    Some(match event {
        MemberEvent::Membership(MembershipEvent::NeighborConnect { peer }) => Event::new("NetGroup.Neighbor.Connect")
            .with("neighbor", GroupAddress::of(*peer).to_string())
            .with("peer_id", peer.to_string()),
        MemberEvent::Membership(MembershipEvent::NeighborDisconnect { peer }) => {
            Event::new("NetGroup.Neighbor.Disconnect")
                .with("neighbor", GroupAddress::of(*peer).to_string())
                .with("peer_id", peer.to_string())
        }
        MemberEvent::Membership(MembershipEvent::LocalCoverage) => {
            let coverage = member.and_then(|member| member.view().coverage());
            Event::new("NetGroup.LocalCoverage.Notify")
                .with("from", coverage.map(|(from, _)| from.to_string()))
                .with("to", coverage.map(|(_, to)| to.to_string()))
        }
        MemberEvent::Posting(PostingEvent::Notify(post)) => posted("NetGroup.Posting.Notify", post),
        MemberEvent::Routing(RoutingEvent::Notify(message)) => routed_event(&routed(message)),
        MemberEvent::Multicast(StreamEvent::PublishNotify { key, name, publisher }) => {
            of_stream("NetGroup.MulticastStream.PublishNotify", *key, name, *publisher)
        }
        MemberEvent::Multicast(StreamEvent::UnpublishNotify { key, name, publisher }) => {
            of_stream("NetGroup.MulticastStream.UnpublishNotify", *key, name, *publisher)
        }
        _ => return None,
    })
}

/// An event that concerns a stream.
pub(super) fn of_stream(event: &'static str, key: StreamKey, name: &str, publisher: PeerId) -> Event {
    Event::new(event).with("name", name).with("publisher", publisher.to_string()).with("stream", to_hex(&key.0))
}
