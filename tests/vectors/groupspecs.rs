//! Groupspecs against `tests/vectors/groupspecs.json`: public strings, and the group that two other implementations met in.

use p2pt::base::{from_hex, to_hex};
use p2pt::group::{Groupspec, GroupspecBuilder, IpMulticast, SpecOption};
use p2pt::wire::{put_marker, put_option, vlu};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("groupspecs.json")).expect("the vectors are JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

/// The options of a list, as the vectors describe them.
fn described(list: &Value) -> Vec<SpecOption> {
    let option = |option: &Value| {
        let kind = from_hex(text(option, "type")).expect("hex");
        let value = from_hex(text(option, "value")).expect("hex");
        SpecOption::new(vlu::take(&mut &kind[..]).expect("a type"), &value)
    };
    list.as_array().expect("a list").iter().map(option).collect()
}

fn written(canonical: &[SpecOption], tail: &[SpecOption]) -> String {
    let mut bytes = Vec::new();
    canonical.iter().for_each(|option| put_option(&mut bytes, option.kind, &option.value));
    put_marker(&mut bytes);
    tail.iter().for_each(|option| put_option(&mut bytes, option.kind, &option.value));
    format!("G:{}", to_hex(&bytes))
}

#[test]
fn public_groupspecs_are_read_as_described_and_written_as_they_were() {
    let vectors = vectors();
    let list = vectors["groupspecs"].as_array().expect("a list");
    assert_eq!(list.len(), 9);
    for vector in list {
        let (name, whole) = (text(vector, "name"), text(vector, "groupspec"));
        let spec = Groupspec::parse(whole).expect(name);
        assert_eq!(spec.canonical_options(), described(&vector["canonical"]), "{name}");
        assert_eq!(spec.tail_options(), described(&vector["after_marker"]), "{name}");
        assert_eq!(Some(spec.version()), vector["version"].as_u64(), "{name}");
        assert_eq!(spec.secret(), text(vector, "t").as_bytes(), "{name}");
        assert_eq!(spec.id().to_string(), text(vector, "group_id"), "{name}");
        assert_eq!(spec.text(), whole, "{name}");
        assert_eq!(written(spec.canonical_options(), spec.tail_options()), whole, "{name}");
        // One of them has an order of its own; it stays the group that it is.
        let in_order = spec.in_flash_order();
        assert_eq!(in_order.text() == whole, name != "example 2", "{name}");
        assert_eq!(in_order.id() == spec.id(), name != "example 2", "{name}");
    }
}

#[test]
fn the_recorded_group_has_the_id_that_was_used() {
    let recorded = &vectors()["recorded"];
    let spec = Groupspec::parse(text(recorded, "groupspec")).expect("a groupspec");
    assert_eq!(spec.id().to_string(), text(recorded, "group_id"));
    assert_eq!(spec.secret(), text(recorded, "t").as_bytes());
}

#[test]
fn whoever_sets_the_same_options_gets_the_same_text() {
    let vectors = vectors();
    let vector = |number: usize| Groupspec::parse(text(&vectors["groupspecs"][number - 1], "groupspec")).expect("one");
    let first = GroupspecBuilder::new("test").member_updates().server_channel().posting().multicast();
    assert_eq!(first.build().as_ref(), Ok(&vector(1)));
    let fifth = GroupspecBuilder::new("zdf info").version(1).server_channel().multicast();
    assert_eq!(fifth.build().as_ref(), Ok(&vector(5)));
    let multicast = |address: &str| IpMulticast { group: address.parse().expect("an address"), source: None };
    let chance = vector(6).canonical_options()[4].value[..].try_into().expect("32 bytes");
    let sixth = GroupspecBuilder::new("org.osmf.net.multicast").version(1).unique(chance).multicast().server_channel();
    let sixth = sixth.flash_publish_password("password", &[], false).member_updates();
    assert_eq!(sixth.ip_multicast(&multicast("224.0.0.254:33099")).build().as_ref(), Ok(&vector(6)));
    let seventh = GroupspecBuilder::new("fms.multicast.example").version(1).multicast().server_channel();
    let seventh = seventh.flash_publish_password("realeyes", &[], true).build().expect("a groupspec");
    assert_eq!(seventh, vector(7));
    assert!(seventh.publish_password_hash().is_some_and(|hash| hash.fits("realeyes") && !hash.fits("realeye")));
    let bare = seventh.without_authorizations();
    assert_eq!((bare.id(), bare.publish_password()), (seventh.id(), None));
    assert_eq!(bare.with_authorizations(&seventh.authorizations()), Ok(seventh));
}
