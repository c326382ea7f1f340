//! Floor `wire` against `tests/vectors/wire.json`: the RFC's own figures, and bytes that rtmfp-cpp was run on.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use p2pt::base::{SessionId, from_hex, to_hex};
use p2pt::wire::message::{Command, TcMessage, TcMetadata, UserControl};
use p2pt::wire::redirector::{self, RedirectorCommand, RedirectorReport};
use p2pt::wire::{
    Ack, AckForm, AckHead, Address, Chunk, Chunks, Header, Mode, OptionIter, Origin, RawChunk, UserData, WireOption,
    amf0, encode_ack, put_marker, put_option, vlu,
};
use serde_json::Value;

fn section(name: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("wire.json")).expect("the vectors are JSON");
    file[name].clone()
}

fn list(name: &str) -> Vec<Value> {
    section(name).as_array().expect("a list").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn hex(value: &Value) -> Vec<u8> {
    from_hex(text(value)).expect("hex")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn only_chunk(bytes: &[u8]) -> Chunk<'_> {
    let mut chunks = Chunks::new(bytes);
    let chunk = Chunk::decode(chunks.next().expect("a chunk")).expect("well formed");
    assert_eq!(chunks.next(), None);
    chunk
}

fn encoded(chunk: &Chunk<'_>) -> String {
    let mut out = Vec::new();
    chunk.encode(&mut out);
    assert_eq!(out.len(), chunk.encoded_len());
    to_hex(&out)
}

#[test]
fn variable_length_unsigned_integers() {
    for vector in list("vlu") {
        let (value, bytes): (u64, _) = (text(&vector["value"]).parse().expect("a number"), hex(&vector["hex"]));
        let mut out = Vec::new();
        vlu::put(&mut out, value);
        assert_eq!(out, bytes, "{value}");
        assert_eq!(vlu::len(value), bytes.len());
        let mut rest = &bytes[..];
        assert_eq!(vlu::take(&mut rest), Ok(value));
        assert!(rest.is_empty());
    }
}

#[test]
fn options() {
    for vector in list("option") {
        let (bytes, value) = (hex(&vector["hex"]), hex(&vector["value"]));
        let mut out = Vec::new();
        let expected = match vector["type"].as_u64() {
            Some(kind) => {
                put_option(&mut out, kind, &value);
                WireOption::Option { kind, value: &value }
            }
            None => {
                put_marker(&mut out);
                WireOption::Marker
            }
        };
        assert_eq!(out, bytes);
        assert_eq!(OptionIter(&bytes).collect::<Vec<_>>(), [Ok(expected)]);
    }
}

#[test]
fn addresses() {
    let origins = [Origin::Unknown, Origin::Local, Origin::Observed, Origin::Relay];
    for vector in list("address") {
        let ip: IpAddr = text(&vector["ip"]).parse().expect("an address");
        let socket = SocketAddr::new(ip, number(&vector["port"]) as u16);
        let address = Address::new(origins[number(&vector["origin"]) as usize], socket);
        let bytes = hex(&vector["hex"]);
        let mut out = Vec::new();
        address.encode(&mut out);
        assert_eq!(out, bytes);
        assert_eq!(Address::take(&mut &bytes[..]), Ok(address));
    }
}

#[test]
fn startup_packets_are_read_as_described_and_written_alike() {
    let vectors = list("startup_packets");
    assert_eq!(vectors.len(), 9);
    for vector in vectors {
        let (name, fields) = (text(&vector["name"]), &vector["fields"]);
        let packet = hex(&vector["packet"]);
        let (header, rest) = Header::decode(&packet).expect(name);
        assert_eq!(header.mode, Mode::Startup, "{name}");
        let chunk = only_chunk(rest);
        let described: Vec<(&str, &[u8])> = match &chunk {
            Chunk::IHello(chunk) => vec![("epd", chunk.epd), ("tag", chunk.tag)],
            Chunk::RHello(chunk) => {
                vec![("tag", chunk.tag), ("cookie", chunk.cookie), ("certificate", chunk.certificate)]
            }
            Chunk::Redirect(chunk) => {
                assert_eq!(chunk.is_implied(), name.contains("implied"), "{name}");
                assert_eq!(chunk.destinations.iter().count(), if chunk.is_implied() { 0 } else { 2 });
                assert_eq!(to_hex(chunk.tag), "cc94a00ef82222249a632e4646346004");
                vec![]
            }
            Chunk::IIKeying(chunk) => {
                assert_eq!(chunk.initiator_session_id, SessionId(0x0a0b_0c0d));
                vec![
                    ("cookie", chunk.cookie),
                    ("certificate", chunk.certificate),
                    ("skic", chunk.skic),
                    ("signature", chunk.signature),
                ]
            }
            Chunk::RIKeying(chunk) => {
                assert_eq!(chunk.responder_session_id, SessionId(0x1122_3344));
                vec![("skrc", chunk.skrc), ("signature", chunk.signature)]
            }
            Chunk::RHelloCookieChange(chunk) => vec![("old_cookie", chunk.old), ("new_cookie", chunk.new)],
            other => panic!("{name}: {other:?}"),
        };
        for (field, value) in described {
            assert_eq!(to_hex(value), text(&fields[field]), "{name}: {field}");
        }
        let mut out = Vec::new();
        header.encode(&mut out);
        chunk.encode(&mut out);
        assert_eq!(to_hex(&out), to_hex(&packet), "{name}");
    }
}

#[test]
fn header_timestamps_are_where_the_vectors_have_them() {
    let stamps: Vec<_> = list("startup_packets")
        .iter()
        .map(|vector| Header::decode(&hex(&vector["packet"])).expect("a header").0.timestamp)
        .collect();
    assert_eq!(stamps[..3], [None, Some(0x1234), Some(0)]);
    assert!(stamps[3..].iter().all(|stamp| *stamp == Some(0)));
}

fn described_ack(vector: &Value, ack: &Ack<'_>) {
    let ranges: Vec<(u64, u64)> = vector["acked_ranges"]
        .as_array()
        .expect("ranges")
        .iter()
        .map(|range| (number(&range[0]), number(&range[1])))
        .collect();
    assert_eq!((0, ack.cumulative), ranges[0]);
    assert_eq!(ack.ranges().map(std::ops::RangeInclusive::into_inner).collect::<Vec<_>>(), ranges[1..]);
    assert_eq!((ack.flow, ack.buffer_available), (number(&vector["flow"]), number(&vector["buffer_bytes"])));
}

#[test]
fn acknowledgements_of_the_rfc_s_figures() {
    for vector in list("acks") {
        let bytes = hex(&vector["chunk"]);
        let chunk = only_chunk(&bytes);
        let (ack, form) = match &chunk {
            Chunk::BitmapAck(ack) => (ack, AckForm::Bitmap),
            Chunk::RangeAck(ack) => (ack, AckForm::Range),
            other => panic!("{other:?}"),
        };
        described_ack(&vector, ack);
        assert_eq!(encoded(&chunk), text(&vector["chunk"]));
        if text(&vector["name"]).contains("truncated") {
            continue;
        }
        let head = AckHead { flow: ack.flow, buffer_blocks: ack.buffer_available / 1024, cumulative: ack.cumulative };
        let mut out = Vec::new();
        assert_eq!(encode_ack(&mut out, head, ack.ranges(), form, 1200), bytes.len());
        assert_eq!(to_hex(&out), text(&vector["chunk"]));
    }
}

#[test]
fn user_data_and_next_user_data_of_the_rfc_s_figure() {
    let vector = section("user_data");
    let bytes = hex(&vector["chunks"]);
    let mut last: Option<UserData<'_>> = None;
    let mut found = Vec::new();
    let mut out = Vec::new();
    for raw in Chunks::new(&bytes) {
        let chunk = Chunk::decode(raw).expect("well formed");
        chunk.encode(&mut out);
        let data = match chunk {
            Chunk::UserData(data) => data,
            Chunk::NextUserData(next) => last.expect("a User Data chunk first").followed_by(&next).expect("small"),
            other => panic!("{other:?}"),
        };
        found.push(serde_json::json!({
            "flow": data.flow, "seq": data.sequence, "fsn": data.forward_sequence, "data": to_hex(data.data)
        }));
        last = Some(data);
    }
    assert_eq!(Value::from(found), vector["fragments"]);
    assert_eq!(out, bytes);
}

#[test]
fn flow_metadata_of_tc_flows() {
    for vector in list("tc_metadata") {
        let metadata = TcMetadata {
            stream: number(&vector["stream_id"]) as u32,
            network_order: number(&vector["receive_intent"]) == 1,
        };
        let mut out = Vec::new();
        metadata.encode(&mut out);
        assert_eq!(to_hex(&out), text(&vector["hex"]));
        assert_eq!(TcMetadata::decode(&out), Ok(metadata));
    }
}

#[test]
fn tc_messages() {
    let addresses = [amf0::Value::from("192.168.1.5:50001"), amf0::Value::from("[2001:db8::5]:50002")];
    let vectors = list("tc_messages");
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let (name, bytes) = (text(&vector["name"]), hex(&vector["hex"]));
        let message = TcMessage::decode(&bytes).expect(name);
        assert_eq!(message.timestamp, 0);
        let mut out = Vec::new();
        if let Some(command) = Command::decode(&message) {
            let command = command.expect(name);
            let expected = match name {
                "play foo" => Command::new("play", 0.0, [amf0::Value::from("foo")]),
                name if name.contains("AMF0") => Command::new("setPeerInfo", 0.0, addresses.clone()),
                _ => Command::new("setPeerInfo", 0.0, addresses[..1].to_vec()),
            };
            assert_eq!(command, expected, "{name}");
            if name.contains("extended") { command.encode_extended(&mut out) } else { command.encode(&mut out) }
        } else {
            let event = UserControl::decode(message.payload).expect(name);
            let expected = match name.split([' ', ',']).next() {
                Some("flow") => UserControl::FlowSync { id: 1, count: 2 },
                Some("set") => UserControl::SetKeepalive { server: 15_000, peer: 10_000 },
                _ => UserControl::StreamBegin { stream: 1 },
            };
            assert_eq!(event, expected, "{name}");
            event.encode(&mut out);
        }
        assert_eq!(out, bytes, "{name}");
    }
}

/// Captured from librtmfp, which switches to AMF 3 in the middle of an AMF 0 command.
#[test]
fn a_command_that_switches_to_amf3() {
    let bytes = from_hex("14000000000200077075626c6973680000000000000000000511060b7465737432").expect("hex");
    let command = Command::decode(&TcMessage::decode(&bytes).expect("a message")).expect("a command").expect("valid");
    assert_eq!(command.name, "publish");
    assert_eq!(command.texts().collect::<Vec<_>>(), ["test2"]);
    let mut out = Vec::new();
    command.encode(&mut out);
    assert_eq!(out, bytes);
}

#[test]
fn forwarded_initiator_hello() {
    let vector = section("fihello");
    let bytes = hex(&vector["hex"]);
    let chunk = only_chunk(&bytes);
    let Chunk::FIHello(hello) = chunk else { panic!("{chunk:?}") };
    assert_eq!(to_hex(hello.epd), text(&vector["epd"]));
    assert_eq!(to_hex(hello.tag), text(&vector["tag"]));
    let mut reply = Vec::new();
    hello.reply.encode(&mut reply);
    assert_eq!(to_hex(&reply), text(&vector["reply_address"]));
    assert_eq!(encoded(&chunk), text(&vector["hex"]));
}

#[test]
fn redirector_messages() {
    let vector = section("redirector");
    assert_eq!(to_hex(redirector::SIGNATURE), text(&vector["signature"]));
    let auth = &vector["simple_auth"];
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(text(&auth["password"]).as_bytes()).expect("any length");
    mac.update(&hex(&auth["redirector_near_nonce"]));
    let mac = mac.finalize().into_bytes().into();
    let socket = |text: &str| text.parse().expect("an address");
    let origin = Origin::Unknown;
    let commands = [
        (&auth["message"], RedirectorCommand::SimpleAuth { mac, key_id: text(&auth["keyid"]).as_bytes() }),
        (
            &vector["settings"]["message"],
            RedirectorCommand::Settings {
                include_reflexive: true,
                additional: ["198.51.100.7:1935", "[2001:db8:1::2]:1935"]
                    .map(|text| Address::new(origin, socket(text)))
                    .to_vec(),
            },
        ),
        (&vector["draining"]["message"], RedirectorCommand::Draining),
        (&vector["load_factor_300"]["message"], RedirectorCommand::LoadFactor(300)),
    ];
    for (bytes, command) in commands {
        let mut out = Vec::new();
        command.encode(&mut out);
        assert_eq!(to_hex(&out), text(bytes));
        assert_eq!(RedirectorCommand::decode(&hex(bytes)), Ok(command));
    }
    let report = RedirectorReport::ReflexiveAddress(Address::new(origin, socket("203.0.113.9:40000")));
    let mut out = Vec::new();
    report.encode(&mut out);
    assert_eq!(to_hex(&out), text(&vector["reflexive_report"]["message"]));
    assert_eq!(RedirectorReport::decode(&out), Ok(report));
}

#[test]
fn ecn_report() {
    let vector = section("ecn_report");
    let bytes = hex(&vector["chunk"]);
    let chunk = only_chunk(&bytes);
    assert_eq!(chunk, Chunk::EcnReport { ce_count: number(&vector["ce_count"]) as u8 });
    assert_eq!(encoded(&chunk), text(&vector["chunk"]));
    assert_eq!(Chunk::decode(RawChunk { kind: 0xec, payload: &[] }), Err(p2pt::wire::DecodeError::Truncated));
}
