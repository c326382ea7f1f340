//! The commands of the control flow, between values and TC messages (RFC 7425 sections 5.1.2 and 5.3).

use std::net::SocketAddr;
use std::time::Duration;

use super::check::{CheckReport, ProbeTarget};
use crate::base::PeerId;
use crate::wire::amf0::Value;
use crate::wire::message::{Command as Call, TcMessage, UserControl, message_kind};

/// Metadata of the control flow: `TC`, stream ID present, stream 0.
pub const CONTROL_METADATA: &[u8] = b"TC\x04\x00";
/// The shortest keepalive period that is obeyed (RFC 7425 section 5.3.4).
const MIN_KEEPALIVE: Duration = Duration::from_secs(5);
/// Code of a connectivity check's result.
const CHECK_RESULTS: &str = "NetConnection.ConnectivityCheck.Results";
/// Addresses read from one `setPeerInfo`.
const MAX_ADDRESSES: usize = 64;

/// Keepalive periods that a server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepaliveTimers {
    /// For the session with the server.
    pub server: Duration,
    /// For sessions between peers.
    pub peer: Duration,
}

impl Default for KeepaliveTimers {
    fn default() -> Self {
        Self { server: Duration::from_secs(10), peer: Duration::from_secs(10) }
    }
}

/// What is said on the control flow.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A client wants to be connected.
    Connect {
        /// Transaction ID.
        transaction: f64,
        /// Application: here, the developer key.
        app: String,
        /// The URI that the client used.
        uri: String,
    },
    /// A client's own addresses.
    SetPeerInfo {
        /// The addresses.
        addresses: Vec<SocketAddr>,
    },
    /// A client asks for a connectivity check.
    ConnectivityCheck {
        /// Transaction ID.
        transaction: f64,
        /// The socket to probe, if not the client's own.
        target: Option<ProbeTarget>,
    },
    /// `connect` succeeded.
    Success {
        /// Transaction ID.
        transaction: f64,
        /// The client's address as the server sees it.
        observed: Option<SocketAddr>,
    },
    /// A command failed.
    Failure {
        /// Transaction ID.
        transaction: f64,
        /// Code, such as `NetConnection.Connect.Rejected`.
        code: String,
        /// Words.
        description: String,
    },
    /// What a check found.
    CheckResult {
        /// Transaction ID.
        transaction: f64,
        /// The finding.
        report: CheckReport,
    },
    /// The server's keepalive periods (user control event 41).
    SetKeepalive(KeepaliveTimers),
    /// Something else that is well-formed, and ignored.
    Other,
}

/// A message that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a command of the control flow")]
pub struct MessageError;

impl Command {
    pub(super) fn connect(uri: &str, developer_key: &str) -> Self {
        Self::Connect { transaction: 1.0, app: developer_key.to_owned(), uri: uri.to_owned() }
    }

    pub(super) fn rejected(transaction: f64, description: &str) -> Self {
        Self::Failure {
            transaction,
            code: "NetConnection.Connect.Rejected".to_owned(),
            description: description.to_owned(),
        }
    }
}

/// The bytes of `command`; nothing for [`Command::Other`].
pub(super) fn encode(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    match command {
        Command::Connect { transaction, app, uri } => {
            let tc_url = if app.is_empty() { uri.clone() } else { format!("{uri}/{app}") };
            let properties = vec![
                ("app".to_owned(), text(app)),
                ("flashVer".to_owned(), text(concat!("p2pt/", env!("CARGO_PKG_VERSION")))),
                ("tcUrl".to_owned(), text(&tc_url)),
                ("fpad".to_owned(), Value::Boolean(false)),
                ("objectEncoding".to_owned(), Value::Number(0.0)),
            ];
            let arguments = vec![Value::Object(properties)];
            Call { name: "connect".to_owned(), transaction: *transaction, arguments }.encode(&mut out);
        }
        Command::SetPeerInfo { addresses } => {
            Call::new("setPeerInfo", 0.0, addresses.iter().map(|address| text(&address.to_string()))).encode(&mut out);
        }
        Command::ConnectivityCheck { transaction, target } => {
            let arguments =
                target.iter().flat_map(|target| [text(&target.peer.to_string()), Value::Number(target.port.into())]);
            Call::new("connectivityCheck", *transaction, arguments).encode(&mut out);
        }
        Command::Success { transaction, observed } => {
            let information = vec![
                ("level".to_owned(), text("status")),
                ("code".to_owned(), text("NetConnection.Connect.Success")),
                ("description".to_owned(), text("connected")),
                ("objectEncoding".to_owned(), Value::Number(0.0)),
                ("observedAddress".to_owned(), address_value(*observed)),
            ];
            Call::new("_result", *transaction, [Value::Object(information)]).encode(&mut out);
        }
        Command::Failure { transaction, code, description } => {
            let information = vec![
                ("level".to_owned(), text("error")),
                ("code".to_owned(), text(code)),
                ("description".to_owned(), text(description)),
            ];
            Call::new("_error", *transaction, [Value::Object(information)]).encode(&mut out);
        }
        Command::CheckResult { transaction, report } => {
            let information = vec![
                ("code".to_owned(), text(CHECK_RESULTS)),
                ("observedAddress".to_owned(), address_value(Some(report.observed))),
                ("otherPortReached".to_owned(), flag_value(report.other_port_reached)),
                ("otherAddressReached".to_owned(), flag_value(report.other_address_reached)),
                ("otherPortMapped".to_owned(), address_value(report.other_port_mapped)),
                ("otherAddressMapped".to_owned(), address_value(report.other_address_mapped)),
                ("targetReached".to_owned(), flag_value(report.target_reached)),
            ];
            Call::new("_result", *transaction, [Value::Object(information)]).encode(&mut out);
        }
        Command::SetKeepalive(timers) => {
            let millis = |period: Duration| u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
            UserControl::SetKeepalive { server: millis(timers.server), peer: millis(timers.peer) }.encode(&mut out);
        }
        Command::Other => {}
    }
    out
}

/// What `message` says.
pub(super) fn decode(message: &[u8]) -> Result<Command, MessageError> {
    let message = TcMessage::decode(message).map_err(|_| MessageError)?;
    if message.kind == message_kind::USER_CONTROL {
        let event = UserControl::decode(message.payload).map_err(|_| MessageError)?;
        return Ok(match event {
            UserControl::SetKeepalive { server, peer } => {
                let period = |millis: u32| Duration::from_millis(u64::from(millis)).max(MIN_KEEPALIVE);
                Command::SetKeepalive(KeepaliveTimers { server: period(server), peer: period(peer) })
            }
            _ => Command::Other,
        });
    }
    let Some(call) = Call::decode(&message) else { return Ok(Command::Other) };
    let call = call.map_err(|_| MessageError)?;
    let transaction = call.transaction;
    // The information object is the second argument of an answer; some servers leave out the null before it.
    let information = call.arguments.iter().rev().find(|value| value.get("code").is_some());
    let field = |name: &str| information.and_then(|object| object.get(name)).and_then(Value::as_str);
    let address = |name: &str| field(name).and_then(|text| text.parse::<SocketAddr>().ok());
    let flag = |name: &str| match information.and_then(|object| object.get(name)) {
        Some(Value::Boolean(value)) => Some(*value),
        _ => None,
    };
    Ok(match call.name.as_str() {
        "connect" => {
            let object = call.arguments.first().ok_or(MessageError)?;
            let property = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Command::Connect { transaction, app: property("app"), uri: property("tcUrl") }
        }
        "setPeerInfo" => {
            let addresses = call.texts().filter_map(|text| text.parse().ok()).take(MAX_ADDRESSES).collect();
            Command::SetPeerInfo { addresses }
        }
        "connectivityCheck" => Command::ConnectivityCheck { transaction, target: target(&call)? },
        "_result" if field("code") == Some(CHECK_RESULTS) => Command::CheckResult {
            transaction,
            report: CheckReport {
                observed: address("observedAddress").ok_or(MessageError)?,
                other_port_reached: flag("otherPortReached"),
                other_address_reached: flag("otherAddressReached"),
                other_port_mapped: address("otherPortMapped"),
                other_address_mapped: address("otherAddressMapped"),
                target_reached: flag("targetReached"),
            },
        },
        "_result" => Command::Success { transaction, observed: address("observedAddress") },
        "_error" => Command::Failure {
            transaction,
            code: field("code").unwrap_or("NetConnection.Connect.Failed").to_owned(),
            description: field("description").unwrap_or("the server gave no reason").to_owned(),
        },
        _ => Command::Other,
    })
}

/// The socket that a `connectivityCheck` names: a peer ID in hex, and a port.
fn target(call: &Call) -> Result<Option<ProbeTarget>, MessageError> {
    match (call.texts().next(), call.arguments.iter().find_map(Value::as_number)) {
        (None, None) => Ok(None),
        (Some(peer), Some(port)) if port.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&port) => {
            let peer: PeerId = peer.parse().map_err(|_| MessageError)?;
            Ok(Some(ProbeTarget { peer, port: port as u16 }))
        }
        _ => Err(MessageError),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn address_value(address: Option<SocketAddr>) -> Value {
    address.map_or(Value::Null, |address| text(&address.to_string()))
}

fn flag_value(flag: Option<bool>) -> Value {
    flag.map_or(Value::Null, Value::Boolean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_survives_the_wire() {
        let here: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        let there: SocketAddr = "[2001:db8::1]:1935".parse().unwrap();
        let report = CheckReport {
            observed: here,
            other_port_reached: Some(true),
            other_address_reached: None,
            other_port_mapped: Some(there),
            other_address_mapped: None,
            target_reached: Some(false),
        };
        let target = Some(ProbeTarget { peer: PeerId([7; 32]), port: 4_001 });
        let commands = [
            Command::Connect { transaction: 1.0, app: "KEY".into(), uri: "rtmfp://h:1935/KEY".into() },
            Command::SetPeerInfo { addresses: vec![here, there] },
            Command::ConnectivityCheck { transaction: 2.0, target: None },
            Command::ConnectivityCheck { transaction: 2.0, target },
            Command::Success { transaction: 1.0, observed: Some(there) },
            Command::Failure { transaction: 1.0, code: "X.Y".into(), description: "no".into() },
            Command::CheckResult { transaction: 2.0, report },
            Command::SetKeepalive(KeepaliveTimers { server: Duration::from_secs(9), peer: Duration::from_secs(7) }),
        ];
        for command in commands {
            let mut sent = command.clone();
            if let Command::Connect { uri, .. } = &mut sent {
                *uri = "rtmfp://h:1935".into();
            }
            assert_eq!(decode(&encode(&sent)), Ok(command));
        }
    }

    #[test]
    fn a_keepalive_shorter_than_five_seconds_is_five() {
        // Event 41 as flash-profile.md section 5.2 gives it, but with 1 s and 10 s.
        let message = [4, 0, 0, 0, 0, 0, 0x29, 0, 0, 3, 0xe8, 0, 0, 0x27, 0x10];
        let timers = KeepaliveTimers { server: Duration::from_secs(5), peer: Duration::from_secs(10) };
        assert_eq!(decode(&message), Ok(Command::SetKeepalive(timers)));
    }

    #[test]
    fn findings_of_a_server_that_knows_no_target_leave_it_open() {
        let mut message = Vec::new();
        let found = vec![("code".into(), text(CHECK_RESULTS)), ("observedAddress".into(), text("192.0.2.7:4000"))];
        Call::new("_result", 2.0, [Value::Object(found)]).encode(&mut message);
        let report = CheckReport::of_nothing("192.0.2.7:4000".parse().unwrap());
        assert_eq!(decode(&message), Ok(Command::CheckResult { transaction: 2.0, report }));
    }

    #[test]
    fn a_target_is_named_in_full_or_refused() {
        let id = "07".repeat(32);
        let bad: [Vec<Value>; 5] = [
            vec![text(&id)],
            vec![Value::Number(4_001.0)],
            vec![text(&id), Value::Number(65_536.0)],
            vec![text(&id), Value::Number(4_001.5)],
            vec![text("07"), Value::Number(4_001.0)],
        ];
        for arguments in bad {
            let mut message = Vec::new();
            Call::new("connectivityCheck", 2.0, arguments.clone()).encode(&mut message);
            assert_eq!(decode(&message), Err(MessageError), "{arguments:?}");
        }
    }

    #[test]
    fn peer_info_without_the_null_is_read_too() {
        let mut message = Vec::new();
        let arguments = vec![Value::String("10.0.0.1:5000".into()), Value::String("no address".into())];
        Call { name: "setPeerInfo".into(), transaction: 0.0, arguments }.encode(&mut message);
        let addresses = vec!["10.0.0.1:5000".parse().unwrap()];
        assert_eq!(decode(&message), Ok(Command::SetPeerInfo { addresses }));
    }

    #[test]
    fn noise_is_refused_or_ignored_and_never_panics() {
        let mut rng = crate::base::Rng::for_simulation(5);
        for _ in 0..20_000 {
            let mut noise = vec![0; rng.below(60) as usize];
            rng.fill(&mut noise);
            if let Some(kind) = noise.first_mut() {
                *kind = [4, 17, 20, 9][rng.below(4) as usize];
            }
            let _ = decode(&noise);
        }
    }
}
