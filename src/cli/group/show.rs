//! `p2pt group show`: what a groupspec says.

use crate::base::to_hex;
use crate::cli::address::{self, Stdin};
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::Event;
use crate::cli::table::row::Json;
use crate::group::{Groupspec, PasswordKey, SpecOption, spec_kind};
use serde_json::{Value, json};

/// Prints what a groupspec says.
///
/// # Errors
/// Usage, if it is none; 9 if standard output cannot be written.
pub(crate) fn run(call: Call) -> Result<(), Failure> {
    let spec = address::groupspec_alone(call.text("GROUP").as_deref(), Stdin::Free)?;
    if call.switch("without-passwords") {
        return call.out.line(spec.without_authorizations().text());
    }
    if call.out.json() == Some(Json::Stdout) {
        return call.out.event(event(&spec));
    }
    let width = 12;
    for (name, text) in lines(&spec) {
        call.out.line(format_args!("{name:width$}  {text}"))?;
    }
    if spec.in_flash_order().id() != spec.id() {
        call.out.say("Flash would write the same options in another way, which is another group");
    }
    Ok(())
}

/// What the groupspec enables, in the terms of GroupSpecifier.
fn features(spec: &Groupspec) -> Vec<&'static str> {
    [
        (spec.posting(), "posting"),
        (spec.multicast(), "multicast"),
        (spec.object_replication(), "object replication"),
        (spec.routing(), "routing"),
    ]
    .into_iter()
    .filter_map(|(enabled, name)| enabled.then_some(name))
    .collect()
}

fn lines(spec: &Groupspec) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("name", spec.name().unwrap_or_else(|| "(none)".into())),
        ("group ID", spec.id().to_string()),
        (
            "unique",
            if spec.is_unique() {
                "yes: it cannot be guessed".into()
            } else {
                "no: it can be found by guessing".into()
            },
        ),
        ("features", or_none(&features(spec).join(", "))),
        ("members meet", meeting(spec)),
    ];
    let passwords = [
        ("to post", spec.posting_key(), spec.posting_password_hash().is_some(), spec.posting_password().is_some()),
        (
            "to publish",
            spec.publishing_key(),
            spec.publish_password_hash().is_some(),
            spec.publish_password().is_some(),
        ),
    ];
    for (name, key, hash, clear) in passwords {
        lines.push((name, password(key, hash, clear)));
    }
    lines.extend(spec.ip_multicast().iter().map(|address| ("IP multicast", address.to_string())));
    lines.extend(spec.bootstrap_peers().iter().map(|peer| ("bootstrap", peer.to_string())));
    for option in unknown(spec) {
        lines.push(("unknown", format!("option {:#x}, {} bytes", option.kind, option.value.len())));
    }
    lines.push(("version", spec.version().to_string()));
    lines
}

fn meeting(spec: &Groupspec) -> String {
    let mut ways = Vec::new();
    if spec.server_channel() {
        ways.push("through a rendezvous");
    }
    if spec.member_updates() {
        ways.push("by IP multicast");
    }
    if !spec.bootstrap_peers().is_empty() {
        ways.push("through bootstrap peers");
    }
    let ways = if ways.is_empty() { "on the LAN, or through members that are known".into() } else { ways.join(", ") };
    if spec.peer_to_peer_disabled() { format!("{ways}; they do not connect to each other") } else { ways }
}

fn password(key: Option<PasswordKey>, hash: bool, clear: bool) -> String {
    match key {
        Some(PasswordKey { stretch: Some(stretch), .. }) => {
            format!("a password ({stretch}); holders of the groupspec can try to guess it")
        }
        Some(PasswordKey { stretch: None, .. }) => "a generated password".into(),
        None if hash => {
            let brought = if clear { ", which this groupspec brings along" } else { "" };
            format!("a password of Flash's, advisory{brought}")
        }
        None => "nothing but the groupspec".into(),
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "(none)".into() } else { text.into() }
}

fn unknown(spec: &Groupspec) -> impl Iterator<Item = &SpecOption> {
    spec.canonical_options().iter().chain(spec.tail_options()).filter(|option| option.name().is_none())
}

fn event(spec: &Groupspec) -> Event {
    let texts = |list: Vec<String>| Value::from(list);
    Event::new("group")
        .with("group_id", spec.id().to_string())
        .with("name", spec.name())
        .with("version", spec.version())
        .with("unique", spec.is_unique())
        .with("posting_enabled", spec.posting())
        .with("multicast_enabled", spec.multicast())
        .with("object_replication_enabled", spec.object_replication())
        .with("routing_enabled", spec.routing())
        .with("server_channel_enabled", spec.server_channel())
        .with("ip_multicast_member_updates_enabled", spec.member_updates())
        .with("peer_to_peer_disabled", spec.peer_to_peer_disabled())
        .with("posting_password", kind_of_password(spec.posting_key(), spec.posting_password_hash().is_some()))
        .with("publish_password", kind_of_password(spec.publishing_key(), spec.publish_password_hash().is_some()))
        .with("ip_multicast", texts(spec.ip_multicast().iter().map(ToString::to_string).collect()))
        .with("bootstrap_peers", texts(spec.bootstrap_peers().iter().map(ToString::to_string).collect()))
        .with("flash_order", spec.in_flash_order().id() == spec.id())
        .with("options", Value::from(options(spec)))
}

fn kind_of_password(key: Option<PasswordKey>, hash: bool) -> &'static str {
    match key {
        Some(PasswordKey { stretch: Some(_), .. }) => "guessable",
        Some(_) => "generated",
        None if hash => "advisory",
        None => "none",
    }
}

/// Every option, in the order of the text; values that are secret are left out.
fn options(spec: &Groupspec) -> Vec<Value> {
    let mut named = false;
    let mut describe = |option: &SpecOption, identity: bool| {
        let chance = option.kind == spec_kind::NAME && std::mem::replace(&mut named, true);
        let secret = chance || matches!(option.kind, spec_kind::PUBLISH_PASSWORD | spec_kind::POSTING_PASSWORD);
        let mut told = json!({ "type": format!("{:02x}", option.kind), "identity": identity });
        if let Some(name) = option.name() {
            told["name"] = name.into();
        }
        if !secret {
            told["value"] = to_hex(&option.value).into();
        }
        told
    };
    let mut all: Vec<Value> = spec.canonical_options().iter().map(|option| describe(option, true)).collect();
    all.extend(spec.tail_options().iter().map(|option| describe(option, false)));
    all
}
