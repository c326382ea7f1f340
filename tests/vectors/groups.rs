//! The known group protocol against `tests/vectors/groups.json`: messages recorded between librtmfp and MonaServer2, and
//! figures computed by the published rules.

use std::net::{IpAddr, SocketAddr};

use p2pt::base::{PeerId, from_hex, to_hex};
use p2pt::crypto::mac::hmac;
use p2pt::group::message::{Control, Init, Join, Member};
use p2pt::group::{GroupAddress, ReceiveMode, View, estimate_between, init_group, target_for};
use p2pt::wire::{Address, Origin};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) fn file() -> Value {
    serde_json::from_str(include_str!("groups.json")).expect("the vectors are JSON")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn hex(value: &Value) -> Vec<u8> {
    from_hex(text(value)).expect("hex")
}

fn peer(value: &Value) -> PeerId {
    text(value).parse().expect("a peer ID")
}

pub(crate) fn messages(kind: &str) -> Vec<Value> {
    let all = file()["messages"].as_array().expect("a list").clone();
    let found: Vec<Value> = all.into_iter().filter(|message| message["kind"] == kind).collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

pub(crate) fn address(value: &Value) -> Address {
    let origin = match value["origin"].as_u64() {
        Some(1) => Origin::Local,
        Some(2) => Origin::Observed,
        Some(3) => Origin::Relay,
        _ => Origin::Unknown,
    };
    let ip: IpAddr = text(&value["ip"]).parse().expect("an address");
    let port = value["port"].as_u64().expect("a port");
    Address::new(origin, SocketAddr::new(ip, u16::try_from(port).expect("a port")))
}

pub(crate) fn addresses(value: &Value) -> Vec<Address> {
    value.as_array().expect("a list").iter().map(address).collect()
}

#[test]
fn joins_and_members() {
    for message in messages("join") {
        let bytes = hex(&message["message"]);
        let join = Join::decode(&bytes).expect("a join");
        assert_eq!(join.group().to_string(), text(&message["decoded"]["group_id"]));
        assert!(matches!(join, Join::Id(_)));
        assert_eq!(join.encode(), bytes);
    }
    for message in messages("member") {
        let bytes = hex(&message["message"]);
        let member = Member::decode(&bytes).expect("a member");
        assert_eq!(member.0, peer(&message["decoded"]["peer_id"]));
        assert_eq!(member.encode(), bytes);
    }
    // Not recorded: the older form, whose bytes the server hashes.
    let older = Join::Hashed(b"G:0101".to_vec());
    assert_eq!(Join::decode(&older.encode()), Ok(older.clone()));
    assert_eq!(older.group().0, <[u8; 32]>::from(Sha256::digest(b"G:0101")));
}

#[test]
fn inits_and_their_tokens() {
    for message in messages("init") {
        let bytes = hex(&message["message"]);
        let Ok(Control::Init(init)) = Control::decode(&bytes) else { panic!("{}", message["name"]) };
        assert_eq!(init.group.to_string(), text(&message["decoded"]["group_id_text"]));
        assert_eq!(init.receiver, peer(&message["decoded"]["receiver_peer_id"]));
        assert_eq!(init.encode(), bytes);
        assert_eq!(init_group(&bytes.clone().into()), Some(init.group));

        let material = &message["token_material"];
        let far = hmac(&hex(&material["dh_shared_secret"]), &[&hex(&material["sender_far_keying_component"])]);
        assert_eq!(to_hex(&far), text(&material["n_far"]));
        let secret = text(&material["t"]).as_bytes();
        assert_eq!(to_hex(&Init::token(secret, &far)), text(&material["expected_token"]));
        assert!(init.proves(secret, &far));
        let near = hmac(&hex(&material["dh_shared_secret"]), &[&hex(&material["sender_near_keying_component"])]);
        assert!(!init.proves(secret, &near), "a mirrored token");
        assert!(!init.proves(b"G:00", &far), "another group's");
    }
}

#[test]
fn the_hand_made_token() {
    let vector = &file()["token_hand_made"];
    let far = hmac(&hex(&vector["dh_shared_secret"]), &[&hex(&vector["far_keying_component"])]);
    assert_eq!(to_hex(&far), text(&vector["n_far"]));
    assert_eq!(to_hex(&Init::token(text(&vector["t"]).as_bytes(), &far)), text(&vector["token"]));
}

#[test]
fn reports() {
    for message in messages("report") {
        let bytes = hex(&message["message"]);
        let decoded = &message["decoded"];
        let Ok(Control::Report(report)) = Control::decode(&bytes) else { panic!("{}", message["name"]) };
        assert_eq!(report.observed, Some(address(&decoded["your_address"])));
        assert_eq!(report.addresses().collect::<Vec<_>>(), addresses(&decoded["my_addresses"]));
        let members = decoded["members"].as_array().expect("a list");
        assert_eq!(report.records().count(), members.len());
        for (record, member) in report.records().zip(members) {
            assert_eq!(record.peer, Some(peer(&member["peer_id"])));
            assert_eq!(Some(record.age), member["age_seconds"].as_u64());
            assert_eq!(record.addresses().collect::<Vec<_>>(), addresses(&member["addresses"]));
        }
        assert_eq!(to_hex(&report.encode()), text(&message["message"]));
    }
}

#[test]
fn messages_of_one_byte() {
    for message in messages("begin_exact") {
        assert_eq!(Control::decode(&hex(&message["message"])), Ok(Control::Begin(ReceiveMode::Exact)));
    }
    for message in messages("unknown02") {
        assert_eq!(Control::decode(&hex(&message["message"])), Ok(Control::Unknown02));
    }
    for (byte, control) in [
        (0x02, Control::Unknown02),
        (0x0c, Control::AskDisconnect),
        (0x0e, Control::Begin(ReceiveMode::Exact)),
        (0x0f, Control::Begin(ReceiveMode::Nearest)),
    ] {
        assert_eq!((Control::decode(&[byte]), control.encode()), (Ok(control), vec![byte]));
    }
}

#[test]
fn places_on_the_ring() {
    for vector in file()["ring_addresses"].as_array().expect("a list") {
        assert_eq!(GroupAddress::of(peer(&vector["peer_id"])).to_string(), text(&vector["group_address"]));
    }
}

#[test]
fn estimates_of_the_count() {
    let id = |name: &str| PeerId(Sha256::digest(name).into());
    let vectors = file()["estimates"]["vectors"].clone();
    let vectors = vectors.as_array().expect("a list");
    for vector in vectors.iter().filter(|vector| vector["known_members"].is_u64()) {
        let mut view = View::new(id("self"), ReceiveMode::Exact);
        assert_eq!(view.address().to_string(), text(&vector["own_address"]));
        for i in 0..vector["known_members"].as_u64().expect("a count") {
            view.insert_member(id(&format!("member-{i}")));
        }
        assert_close(vector, view.estimate());
        assert_eq!(Some(view.target_neighbours() as u64), vector["target_neighbours"].as_u64(), "{}", vector["name"]);
    }
    for vector in vectors.iter().filter(|vector| text(&vector["name"]).starts_with("pair")) {
        let place = |name: &str| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&hex(&vector[name]));
            GroupAddress(bytes)
        };
        let (from, to) = (place("second_predecessor_top64"), place("second_successor_top64"));
        match (estimate_between(from, to), vector["estimate"].is_null()) {
            (None, true) => {}
            (Some(estimate), false) => {
                assert_close(vector, estimate);
                let target = target_for(estimate) as u64;
                assert_eq!(Some(target), vector["target_neighbours"].as_u64(), "{}", vector["name"]);
            }
            (found, _) => panic!("{}: {found:?}", vector["name"]),
        }
    }
}

fn assert_close(vector: &Value, estimate: f64) {
    let wanted = vector["estimate"].as_f64().expect("a number");
    assert!((estimate / wanted - 1.0).abs() < 1e-9, "{}: {estimate}", vector["name"]);
}

#[test]
fn the_handshake_keeps_the_recorded_order() {
    // What the overlay does first, it does in this order; see the stories of `group::membership`.
    let begins = ["initiator init", "initiator unknown02", "initiator begin_exact"];
    let answers = ["responder init", "responder unknown02", "responder begin_exact"];
    let orders = file()["control_order"].clone();
    let orders = orders.as_array().expect("a list");
    assert_eq!(orders.len(), 3);
    for order in orders {
        let steps: Vec<&str> = order["steps"].as_array().expect("a list").iter().map(text).collect();
        assert_eq!(steps[..3], begins);
        assert_eq!(steps[3..6], answers);
        assert_eq!(steps[6..8], ["initiator report", "responder report"]);
    }
}
