//! `p2pt store put` and `get`: values by key.

use std::time::Duration;

use serde_json::Value;

use super::access::{Access, Need};
use super::clock::unix_millis;
use super::lines::{self, Divided};
use super::place::{Place, operands};
use super::request::Request;
use super::told::{counted, with_fields};
use crate::base::{PeerId, from_hex, to_hex};
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::{Event, escaped};
use crate::cli::password;
use crate::cli::status::Status;
use crate::cli::table::row::Json;
use crate::group::ReceiveMode;
use crate::node::storage::{MAX_KEY, MAX_LIFE, MAX_VALUE, sign_record};

/// What is put.
enum Source {
    Here(Vec<u8>),
    Input,
    Nothing,
}

/// Stores a value.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn put(call: Call) -> Result<(), Failure> {
    let (content, remove) = (call.switch("content"), call.switch("remove"));
    // With --content there is no key, with --remove no value.
    let (group, key, value) = match (content, remove) {
        (true, _) => {
            let (group, [value]) = operands(&call, ["KEY"]);
            (group, None, value)
        }
        (_, true) => {
            let (group, [key]) = operands(&call, ["KEY"]);
            (group, key, None)
        }
        _ => {
            let (group, [key, value]) = operands(&call, ["KEY", "VALUE"]);
            (group, key, value)
        }
    };
    if (content || remove) && call.text("VALUE").is_some() {
        return Err(Failure::usage("one operand too many: with --content there is no KEY, with --remove no VALUE"));
    }
    if !content && key.is_none() {
        return Err(Failure::usage("which key? A KEY is wanted behind the group"));
    }
    let value = match value.as_deref() {
        _ if remove => Source::Nothing,
        None | Some("-") => Source::Input,
        Some(text) => Source::Here(text.as_bytes().to_vec()),
    };
    let reads = matches!(value, Source::Input);
    if reads && password::takes_stdin(&call, "posting-password") {
        return Err(Failure::usage("standard input carries the value, so it cannot carry the password"));
    }
    let life = call.duration("expires").expect("the table has a default");
    if life.is_zero() || life > MAX_LIFE {
        return Err(Failure::usage("--expires: a value lives longer than nothing, and 30 days at most"));
    }
    let place = Place::of(group.as_deref(), if reads { Stdin::Data } else { Stdin::Free })?;
    let value = match value {
        Source::Here(value) => Some(value),
        Source::Nothing => None,
        Source::Input => Some(whole_input()?),
    };
    if value.as_ref().is_some_and(|value| value.len() > MAX_VALUE)
        || key.as_ref().is_some_and(|key| key.len() > MAX_KEY)
    {
        return Err(Failure::usage("a key has at most 1,024 bytes and a value 65,536"));
    }
    net::block_on(async {
        let access = Access::open(&call, &place, Need::Post, ReceiveMode::default()).await?;
        let request = request(&access, key.as_deref(), value, life);
        let digest = match &request {
            Request::PutContent { value, .. } => Some(digest(value)),
            _ => None,
        };
        let told = access
            .with(&call, async |access| {
                access.look_around().await?;
                access.ask(request).await
            })
            .await?;
        let copies = told["copies"].as_u64().unwrap_or_default();
        call.out.say(format_args!("held by {}", counted(copies, "member")));
        if call.out.json() == Some(Json::Stdout) {
            return call
                .out
                .event(Event::new("stored").with("copies", copies).with("key", key.clone()).with("digest", digest));
        }
        digest.map_or(Ok(()), |digest| call.out.line(digest))
    })
}

fn request(access: &Access, key: Option<&str>, value: Option<Vec<u8>>, life: Duration) -> Request {
    let now = unix_millis();
    match (key, value) {
        (None, value) => Request::PutContent { value: value.unwrap_or_default(), life },
        (Some(key), value) => {
            let expiry = now + u64::try_from(life.as_millis()).unwrap_or(u64::MAX / 2);
            let grant = access.grant.as_deref();
            let (author, group) = (access.right.author(), access.group);
            let signed = sign_record(author, group, key.as_bytes(), now, expiry, value.as_deref(), grant);
            Request::Put { signed: signed.into() }
        }
    }
}

fn whole_input() -> Result<Vec<u8>, Failure> {
    let mut input = lines::read(Divided::Not);
    input.blocking_recv().unwrap_or_else(|| Ok(Vec::new()))
}

fn digest(value: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    to_hex(&Sha256::digest(value))
}

/// Prints a value.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn get(call: Call) -> Result<(), Failure> {
    let (group, [key]) = operands(&call, ["KEY"]);
    let key = key.ok_or_else(|| Failure::usage("which key? A KEY is wanted behind the group"))?;
    let key = if call.switch("content") {
        from_hex(&key)
            .ok()
            .filter(|digest| digest.len() == 32)
            .ok_or_else(|| Failure::usage("with --content the KEY is a SHA-256, 64 hex digits"))?
    } else {
        key.into_bytes()
    };
    let from = call
        .text("from")
        .map(|text| text.parse::<PeerId>().map_err(|why| Failure::usage(format_args!("--from {text}: {why}"))));
    let from = from.transpose()?;
    let place = Place::of(group.as_deref(), Stdin::Free)?;
    let told = net::block_on(async {
        let access = Access::open(&call, &place, Need::Sight, ReceiveMode::default()).await?;
        access
            .with(&call, async |access| {
                access.look_around().await?;
                access.ask(Request::Get { key }).await
            })
            .await
    })?;
    let content = call.switch("content");
    let wanted = |record: &&Value| {
        let author = record["author"].as_str();
        record["value"].is_string()
            && author.is_none() == content
            && from.is_none_or(|from| author == Some(from.to_string().as_str()))
    };
    let records: Vec<&Value> = told["records"].as_array().into_iter().flatten().filter(wanted).collect();
    if records.is_empty() {
        let holders = told["holders"].as_u64().unwrap_or_default();
        return Err(Failure::new(
            Status::NotFound,
            "get the value",
            format!("there is none at the {holders} members that were asked"),
        )
        .next("it may have expired; or nobody has put it yet"));
    }
    if call.out.json() == Some(Json::Stdout) {
        return records.iter().try_for_each(|record| call.out.event(event(record)));
    }
    match records[..] {
        [record] if call.out.to_terminal() => {
            let value = value_of(record);
            let text = String::from_utf8_lossy(&value);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            call.out.data(format!("{}{end}", escaped(&text)).as_bytes())
        }
        [record] => call.out.data(&value_of(record)),
        _ => {
            let authors: Vec<&str> = records.iter().filter_map(|record| record["author"].as_str()).collect();
            Err(Failure::new(
                Status::Refused,
                "choose a value",
                format!("{} authors have put one: {}", authors.len(), authors.join(", ")),
            )
            .next("say whose with --from PEER-ID"))
        }
    }
}

fn value_of(record: &Value) -> Vec<u8> {
    record["value"].as_str().and_then(|hex| from_hex(hex).ok()).unwrap_or_default()
}

fn event(record: &Value) -> Event {
    let value = value_of(record);
    let (name, text) = match String::from_utf8(value) {
        Ok(text) => ("value", text),
        Err(bytes) => ("value_hex", to_hex(bytes.as_bytes())),
    };
    with_fields(Event::new("value"), record, &["author", "sequence", "expiry"]).with(name, text)
}
