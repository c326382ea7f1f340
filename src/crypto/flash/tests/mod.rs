//! Vectors that were checked against rtmfp-cpp, and what has to be refused. Where a vector records rtmfp-cpp's policy (a
//! window of 32, group 2, checksums), the test runs with that policy.

mod recorded;
mod refusals;
mod vectors;

use serde_json::Value;

use crate::base::{SessionId, from_hex};
use crate::crypto::group::{Group, PrivateKey};
use crate::crypto::packet::{OpenError, Opened, Opener};

use super::terms::{Terms, Want};

fn load() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/flash.json")).expect("vectors are JSON")
}

fn hex(value: &Value) -> Vec<u8> {
    from_hex(value.as_str().unwrap_or_else(|| panic!("{value} is no text"))).expect("vectors are hex")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn id(value: &Value) -> SessionId {
    SessionId(u32::from_be_bytes(hex(value).try_into().expect("a session ID has four bytes")))
}

fn group(value: &Value) -> Group {
    value.as_u64().and_then(Group::from_id).unwrap_or_else(|| panic!("{value} is no group of ours"))
}

fn private_key(group: Group, exponent: &Value) -> PrivateKey {
    PrivateKey::from_exponent(group, &hex(exponent)).expect("an exponent of the length that rtmfp-cpp has")
}

/// What rtmfp-cpp has: all groups, any HMAC.
fn liberal(hmac: Want, hmac_len: u8, sequence: Want) -> Terms {
    let groups = vec![Group::Modp4096, Group::Modp2048, Group::Modp1024];
    Terms { groups, hmac, hmac_len, hmac_min: 4, sequence, window: 32 }
}

/// The want that these flags say.
fn want(flags: &Value) -> Want {
    let flags = flags.as_u64().expect("flags are a number");
    Want { always: flags & 4 != 0, require: flags & 1 != 0 }
}

/// Opens one datagram; the plaintext, number and verdict.
fn open(opener: &mut dyn Opener, id: SessionId, datagram: &[u8]) -> (Vec<u8>, Option<u64>, Result<(), OpenError>) {
    let mut data = datagram.to_vec();
    let mut out = Vec::<Opened>::new();
    opener.open_batch(id, &mut data, datagram.len().max(1), &mut out);
    let opened = out.pop().expect("one verdict per datagram");
    (data[opened.plain].to_vec(), opened.number, opened.result)
}
