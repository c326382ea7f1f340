//! All else that was recorded between the two implementations of `tests/vectors/groups.json`: streams, Flash's own messages,
//! flows and an introduction.

use std::time::Duration;

use p2pt::base::to_hex;
use p2pt::service::multicast::{Begin, Fragment, StreamMessage};
use p2pt::wire::message::TcMessage;
use p2pt::wire::{Chunk, Chunks, OptionIter, WireOption};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::groups::{address, addresses, file, hex, messages, text};

#[test]
fn control_messages_of_flash() {
    for message in messages("tc") {
        let bytes = hex(&message["message"]);
        let decoded = &message["decoded"];
        let tc = TcMessage::decode(&bytes).expect("a TC message");
        assert_eq!(Some(u64::from(tc.kind)), decoded["type"].as_u64());
        assert_eq!(Some(u64::from(tc.timestamp)), decoded["timestamp"].as_u64());
        assert_eq!(to_hex(tc.payload), text(&decoded["body"]));
        let mut out = Vec::new();
        tc.encode(&mut out);
        assert_eq!(out, bytes);
    }
}

#[test]
fn messages_of_streams() {
    for kind in ["media_infos", "end_of_stream", "fragments_map", "push_mask", "pull"] {
        for message in messages(kind) {
            let bytes = hex(&message["message"]);
            let decoded = &message["decoded"];
            let ms = |name: &str| Duration::from_millis(decoded[name].as_u64().expect("milliseconds"));
            let read = StreamMessage::decode(&bytes).expect("a message of a stream");
            match &read {
                StreamMessage::Infos(infos) => {
                    assert_eq!(infos.name, text(&decoded["name"]));
                    assert_eq!(to_hex(&infos.key.0), text(&decoded["stream_key"]));
                    assert_eq!(Some(infos.always), decoded["option_02"].as_bool());
                    assert!(!infos.send_to_all);
                    assert_eq!(infos.window, ms("window_duration_ms"));
                    assert_eq!(infos.idle, Some(ms("option_04")));
                    assert_eq!(infos.update, ms("availability_update_period_ms"));
                    assert_eq!(infos.fetch, ms("fetch_period_ms"));
                }
                StreamMessage::End(last) => assert_eq!(Some(*last), decoded["end_id"].as_u64()),
                StreamMessage::Map(map) => {
                    assert_eq!(Some(map.highest()), decoded["highest"].as_u64());
                    let have = decoded["have"].as_array().expect("a list").iter().filter_map(Value::as_u64);
                    assert_eq!(map.ids().collect::<Vec<_>>(), have.collect::<Vec<_>>());
                }
                StreamMessage::Push(slices) => assert_eq!(Some(u64::from(*slices)), decoded["mask"].as_u64()),
                StreamMessage::Pull(id) => assert_eq!(Some(*id), decoded["id"].as_u64()),
            }
            assert_eq!(to_hex(&read.encode()), text(&message["message"]));
        }
    }
}

#[test]
fn fragments_of_streams() {
    for kind in ["fragment_whole", "fragment_first", "fragment_middle", "fragment_last"] {
        for message in messages(kind) {
            let bytes = hex(&message["message"]);
            let decoded = &message["decoded"];
            let fragment = Fragment::decode(&bytes).expect("a fragment");
            assert_eq!(Some(fragment.id), decoded["id"].as_u64());
            assert_eq!(u64::from(fragment.remaining), decoded["remaining"].as_u64().unwrap_or(0));
            assert_eq!(fragment.begin.map(|begin| u64::from(begin.kind)), decoded["media_type"].as_u64());
            assert_eq!(fragment.begin.map(|begin| u64::from(begin.timestamp)), decoded["timestamp"].as_u64());
            assert_eq!(to_hex(fragment.data), text(&decoded["data"]));
            let mut out = Vec::new();
            fragment.put(&mut out);
            assert_eq!(out, bytes);
        }
    }
}

#[test]
fn messages_of_streams_in_several_fragments() {
    let all = file();
    for split in all["split_messages"].as_array().expect("a list") {
        let mut whole = Vec::new();
        for (name, id) in
            split["messages"].as_array().expect("names").iter().zip(split["fragments"].as_array().unwrap())
        {
            let found = all["messages"].as_array().expect("a list").iter().find(|message| message["name"] == *name);
            let bytes = hex(&found.expect("it is recorded")["message"]);
            let fragment = Fragment::decode(&bytes).expect("a fragment");
            assert_eq!(Some(fragment.id), id.as_u64());
            if let Some(Begin { kind, timestamp }) = fragment.begin {
                assert!(whole.is_empty());
                assert_eq!(Some(u64::from(kind)), split["media_type"].as_u64());
                assert_eq!(Some(u64::from(timestamp)), split["timestamp"].as_u64());
            }
            whole.extend_from_slice(fragment.data);
        }
        assert_eq!(Some(whole.len() as u64), split["length"].as_u64());
        assert_eq!(to_hex(&Sha256::digest(&whole)), text(&split["sha256"]));
    }
}

/// The chunk that is recorded, which encodes to the same bytes again.
fn chunk(recorded: &Value, look: impl FnOnce(Chunk<'_>)) {
    let bytes = hex(&recorded["chunk"]);
    let raw = Chunks::new(&bytes).next().expect("a whole chunk");
    let chunk = Chunk::decode(raw).expect("a chunk");
    let mut out = Vec::new();
    chunk.encode(&mut out);
    assert_eq!(to_hex(&out), text(&recorded["chunk"]), "{}", recorded["name"]);
    look(chunk);
}

#[test]
fn openings_and_closings_of_flows() {
    let all = file();
    for recorded in all["flow_openings"].as_array().expect("a list") {
        chunk(recorded, |chunk| {
            let decoded = &recorded["decoded"];
            let Chunk::UserData(data) = chunk else { panic!("{}", recorded["name"]) };
            assert_eq!(Some(data.flow), decoded["flow_id"].as_u64());
            assert_eq!(Some(data.sequence), decoded["sequence"].as_u64());
            let options: Vec<(String, String)> = OptionIter(data.options.expect("options"))
                .map(|option| match option.expect("an option") {
                    WireOption::Option { kind, value } => (format!("{kind:02x}"), to_hex(value)),
                    WireOption::Marker => panic!("the list ends with it"),
                })
                .collect();
            let expected = decoded["options"].as_array().expect("a list").iter();
            let expected = expected.map(|option| (text(&option["type"]).to_owned(), text(&option["value"]).to_owned()));
            assert_eq!(options, expected.collect::<Vec<_>>());
            assert_eq!(to_hex(data.data), text(&decoded["data"]));
        });
    }
    for recorded in all["flow_closings"].as_array().expect("a list") {
        chunk(recorded, |chunk| {
            let decoded = &recorded["decoded"];
            let flow = match chunk {
                Chunk::UserData(data) => {
                    assert!(data.data.is_empty());
                    data.flow
                }
                Chunk::FlowException { flow, code } => {
                    assert_eq!(Some(code), decoded["exception"].as_u64());
                    flow
                }
                _ => panic!("{}", recorded["name"]),
            };
            assert_eq!(Some(flow), decoded["flow_id"].as_u64());
        });
    }
}

#[test]
fn an_introduction() {
    for recorded in file()["introduction"].as_array().expect("a list") {
        chunk(recorded, |chunk| {
            let decoded = &recorded["decoded"];
            match chunk {
                Chunk::IHello(hello) => {
                    assert_eq!(to_hex(hello.epd), text(&decoded["epd"]));
                    assert_eq!(to_hex(hello.tag), text(&decoded["tag"]));
                }
                Chunk::FIHello(hello) => {
                    assert_eq!(to_hex(hello.epd), text(&decoded["epd"]));
                    assert_eq!(hello.reply, address(&decoded["reply_address"]));
                    assert_eq!(to_hex(hello.tag), text(&decoded["tag"]));
                }
                Chunk::Redirect(redirect) => {
                    assert_eq!(to_hex(redirect.tag), text(&decoded["tag"]));
                    assert_eq!(redirect.destinations.into_iter().collect::<Vec<_>>(), addresses(&decoded["addresses"]));
                }
                Chunk::RHello(hello) => {
                    assert_eq!(to_hex(hello.tag), text(&decoded["tag"]));
                    assert_eq!(to_hex(hello.cookie), text(&decoded["cookie"]));
                }
                Chunk::IIKeying(_) | Chunk::RIKeying(_) => {}
                _ => panic!("{}", recorded["name"]),
            }
        });
    }
}
