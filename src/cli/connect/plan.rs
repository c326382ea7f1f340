//! What was asked for.

use std::time::Duration;

use super::ends::EndKind;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::framing::Framing;

/// How a pipe's content is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bytes,
    Messages,
    Datagrams,
}

impl Form {
    /// Metadata of its flows.
    pub(super) const fn metadata(self) -> &'static [u8] {
        match self {
            Self::Bytes => b"p2pt/1 pipe",
            Self::Messages => b"p2pt/1 messages",
            Self::Datagrams => b"p2pt/1 datagrams",
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "a stream of bytes",
            Self::Messages => "messages (--messages)",
            Self::Datagrams => "datagrams (--to-udp, --from-udp)",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) form: Form,
    pub(super) framing: Option<Framing>,
    pub(super) lifetime: Option<Duration>,
    pub(super) sends: bool,
    pub(super) receives: bool,
    pub(super) end: EndKind,
    pub(super) timeout: Duration,
}

impl Plan {
    /// What the command line asks for.
    pub(super) fn of(call: &Call) -> Result<Self, Failure> {
        let framing = call.text("messages").map(|form| Framing::named(&form));
        let datagrams = call.typed("to-udp") || call.typed("from-udp");
        let form = match framing {
            Some(_) if datagrams => {
                return Err(Failure::usage("--messages is for a pipe; datagrams are carried as they come"));
            }
            Some(_) => Form::Messages,
            None if datagrams => Form::Datagrams,
            None => Form::Bytes,
        };
        let end = match (call.text("exec"), call.host_port("to-tcp"), call.host_port("to-udp")) {
            (Some(command), ..) => EndKind::Exec(command),
            (_, Some((host, port)), _) => EndKind::Tcp(host, port),
            (.., Some((host, port))) => EndKind::Udp(host, port),
            _ => EndKind::Standard,
        };
        Ok(Self {
            form,
            framing,
            lifetime: call.duration("lifetime"),
            sends: !call.switch("recv-only"),
            receives: !call.switch("send-only"),
            end,
            timeout: call.duration("timeout").unwrap_or(Duration::from_secs(30)),
        })
    }
}
