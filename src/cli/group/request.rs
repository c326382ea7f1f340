//! What is asked of a membership, in words: the same for one of our own and for one that runs in another process.
//!
//! # The control socket's protocol, version 1
//! Both sides send frames: a length of four bytes, big-endian, and a JSON object of so many bytes. Binary fields are hex.
//! A request has at most 256 KiB, an answer 8 MiB; who sends more is hung up on.
//!
//! The server speaks first: `{"p2pt":"group","v":1,"group":GROUP-ID,"author":PEER-ID}`. Then the client asks, as often and as
//! much at once as it likes (64 requests are worked on at a time, further ones wait), and hangs up:
//!
//! | request | its fields | answer in `done` |
//! |---|---|---|
//! | all | `id` chosen by the client, `do`, `timeout_ms` | |
//! | `post` | `signed` | `accepted`: neighbours that have it |
//! | `put` | `signed` | `copies`: members that hold it |
//! | `put_content` | `value`, `life_ms` | `copies` |
//! | `get` | `key` | `holders`, `records`: each `author`, `sequence`, `expiry`, `value` |
//! | `route` | `way`: `nearest`, `next`, `previous`, `neighbors`; `place`, `body`, `ack`, `author` | `result`; with `ack` also `by`, `hops` |
//! | `listen` | | no end; an `item` with `listening`, then one for each message, and one with `lost` in place of so many |
//! | `members`, `info` | | what the commands print |
//! | `grant` | `author` | `grant`, by the posting key that the membership was given |
//!
//! Answers: `{"id":…,"done":{…}}`, `{"id":…,"item":{…}}`, or `{"id":…,"failed":{"status":…,"text":…,"next":…}}` with an exit
//! status. Fields are only ever added; what would break a reader raises `v`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::base::{PeerId, from_hex, to_hex};
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::group::GroupAddress;

/// Version of the protocol.
pub const VERSION: u64 = 1;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To post.
    Post {
        /// The post, as its author signed it.
        signed: Vec<u8>,
    },
    /// To store a value.
    Put {
        /// The record, as its author signed it.
        signed: Vec<u8>,
    },
    /// To store a value under its own digest.
    PutContent {
        /// The value.
        value: Vec<u8>,
        /// How long.
        life: Duration,
    },
    /// To find values.
    Get {
        /// Their key.
        key: Vec<u8>,
    },
    /// To send a message along the ring.
    Route {
        /// Where to.
        way: Way,
        /// The message.
        body: Vec<u8>,
        /// Whether to wait until its receiver has it.
        ack: bool,
        /// Who shall sign it: the membership refuses if it signs as somebody else.
        author: PeerId,
    },
    /// For the messages that arrive, from now on.
    Listen,
    /// For the members that are known.
    Members,
    /// For the group in numbers.
    Info,
    /// For a grant to post.
    Grant {
        /// Whose.
        author: PeerId,
    },
}

/// Where a routed message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the member nearest to a place.
    Nearest(GroupAddress),
    /// To the next one in increasing direction.
    Next,
    /// To the next one in decreasing direction.
    Previous,
    /// To every neighbour.
    Neighbors,
}

/// A request with what every one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name among those of this client.
    pub id: u64,
    /// How long it may take.
    pub timeout: Duration,
    /// What it is.
    pub request: Request,
}

impl Asked {
    /// As a frame.
    #[must_use]
    pub fn encode(&self) -> Value {
        let mut out = match &self.request {
            Request::Post { signed } => json!({ "do": "post", "signed": to_hex(signed) }),
            Request::Put { signed } => json!({ "do": "put", "signed": to_hex(signed) }),
            Request::PutContent { value, life } => {
                json!({ "do": "put_content", "value": to_hex(value), "life_ms": millis(*life) })
            }
            Request::Get { key } => json!({ "do": "get", "key": to_hex(key) }),
            Request::Route { way, body, ack, author } => {
                let mut out = json!({ "do": "route", "body": to_hex(body), "ack": ack, "author": author.to_string() });
                out["way"] = match way {
                    Way::Nearest(place) => {
                        out["place"] = place.to_string().into();
                        "nearest"
                    }
                    Way::Next => "next",
                    Way::Previous => "previous",
                    Way::Neighbors => "neighbors",
                }
                .into();
                out
            }
            Request::Listen => json!({ "do": "listen" }),
            Request::Members => json!({ "do": "members" }),
            Request::Info => json!({ "do": "info" }),
            Request::Grant { author } => json!({ "do": "grant", "author": author.to_string() }),
        };
        out["id"] = self.id.into();
        out["timeout_ms"] = millis(self.timeout).into();
        out
    }

    /// Reads the text of a frame; `None` if it is no request that is known here.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::decode(&serde_json::from_slice(text).ok()?)
    }

    /// Reads a request; `None` if it is none that is known here.
    #[must_use]
    pub fn decode(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str();
        let bytes = |name: &str| text(name).and_then(|hex| from_hex(hex).ok());
        let peer = |name: &str| text(name).and_then(|id| id.parse::<PeerId>().ok());
        let span = |name: &str| value[name].as_u64().map(Duration::from_millis);
        let request = match text("do")? {
            "post" => Request::Post { signed: bytes("signed")? },
            "put" => Request::Put { signed: bytes("signed")? },
            "put_content" => Request::PutContent { value: bytes("value")?, life: span("life_ms")? },
            "get" => Request::Get { key: bytes("key")? },
            "route" => {
                let way = match text("way")? {
                    "nearest" => Way::Nearest(text("place")?.parse().ok()?),
                    "next" => Way::Next,
                    "previous" => Way::Previous,
                    "neighbors" => Way::Neighbors,
                    _ => return None,
                };
                Request::Route { way, body: bytes("body")?, ack: value["ack"].as_bool()?, author: peer("author")? }
            }
            "listen" => Request::Listen,
            "members" => Request::Members,
            "info" => Request::Info,
            "grant" => Request::Grant { author: peer("author")? },
            _ => return None,
        };
        Some(Self { id: value["id"].as_u64()?, timeout: span("timeout_ms")?, request })
    }
}

/// Reads the text of an answer's frame.
#[must_use]
pub fn parse_answer(text: &[u8]) -> Option<(u64, Answer)> {
    decode_answer(&serde_json::from_slice(text).ok()?)
}

/// What came of a request, as a frame.
#[must_use]
pub fn encode_answer(id: u64, answer: &Result<Value, Failure>) -> Value {
    match answer {
        Ok(done) => json!({ "id": id, "done": done }),
        Err(failure) => json!({ "id": id, "failed": {
            "status": failure.status.code(), "tried": failure.tried, "text": failure.came, "next": failure.next,
        } }),
    }
}

/// Reads what came of a request, and of which. An item is told from the end.
#[must_use]
pub fn decode_answer(value: &Value) -> Option<(u64, Answer)> {
    let id = value["id"].as_u64()?;
    if let Some(done) = value.get("done") {
        return Some((id, Answer::End(Ok(done.clone()))));
    }
    if let Some(item) = value.get("item") {
        return Some((id, Answer::Item(item.clone())));
    }
    let failed = value.get("failed")?;
    let code = failed["status"].as_u64().and_then(|code| u8::try_from(code).ok())?;
    let status = Status::ALL.into_iter().find(|status| status.code() == code).unwrap_or(Status::Failed);
    let text = |name: &str| failed[name].as_str().unwrap_or_default();
    let mut failure = Failure::new(status, text("tried"), text("text"));
    failure.next = failed["next"].as_str().map(str::to_owned);
    Some((id, Answer::End(Err(failure))))
}

/// One answer.
#[derive(Debug)]
pub enum Answer {
    /// One of several.
    Item(Value),
    /// The last one.
    End(Result<Value, Failure>),
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_frame_is_a_request_or_none(
            doing in "(post|put|put_content|get|route|listen|members|info|grant|x)",
            field in "(signed|value|life_ms|key|way|place|body|ack|author|id|timeout_ms)",
            text in "([0-9a-f]{0,8}|[0-9a-f]{64}|nearest|next|ü|true)",
            number: u64,
            as_text: bool,
        ) {
            let mut frame = json!({ "id": number, "timeout_ms": number, "do": doing, "signed": "00", "key": "", "ack": false });
            frame[&field] = if as_text { text.into() } else { number.into() };
            if let Some(asked) = Asked::decode(&frame) {
                prop_assert_eq!(Asked::decode(&asked.encode()), Some(asked));
            }
            let _ = decode_answer(&frame);
        }

        #[test]
        fn any_text_is_a_request_or_none(text in "[\\[\\]{}\",:a-f0-9u\\\\ ]{0,200}", bytes: Vec<u8>) {
            for text in [text.as_bytes(), &bytes] {
                prop_assert!(Asked::parse(text).is_none() && parse_answer(text).is_none());
            }
        }
    }

    #[test]
    fn requests_and_answers_are_read_as_they_were_written() {
        let author = PeerId([7; 32]);
        let ways = [Way::Nearest(GroupAddress([1; 32])), Way::Next, Way::Previous, Way::Neighbors];
        let routes = ways.map(|way| Request::Route { way, body: vec![1, 2], ack: true, author });
        let others = [
            Request::Post { signed: vec![0xff; 9] },
            Request::Put { signed: vec![1] },
            Request::PutContent { value: Vec::new(), life: Duration::from_millis(1_500) },
            Request::Get { key: b"key".to_vec() },
            Request::Listen,
            Request::Members,
            Request::Info,
            Request::Grant { author },
        ];
        for request in others.into_iter().chain(routes) {
            let asked = Asked { id: 9, timeout: Duration::from_secs(3), request };
            let encoded = asked.encode();
            assert_eq!(Asked::decode(&encoded), Some(asked));
            for field in encoded.as_object().unwrap().keys() {
                let mut without = encoded.clone();
                without.as_object_mut().unwrap().remove(field);
                assert_eq!(Asked::decode(&without), None, "without {field}");
            }
        }
        let failed = Failure::new(Status::Refused, "post", "no").next("ask");
        match decode_answer(&encode_answer(4, &Err(failed))) {
            Some((4, Answer::End(Err(again)))) => {
                assert_eq!((again.status, again.to_string()), (Status::Refused, "cannot post: no".to_owned()));
                assert_eq!(again.next.as_deref(), Some("ask"));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(decode_answer(&encode_answer(5, &Ok(json!({})))), Some((5, Answer::End(Ok(_))))));
        assert!(decode_answer(&json!({ "id": 1 })).is_none());
    }
}
