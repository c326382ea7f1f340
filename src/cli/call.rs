//! One call of a command: what was typed, and where to write.

use super::failure::Failure;
use super::output::Output;
use super::parser::{check, host_port};
use super::signals::Signals;
use super::table::row::{Flag, Kind, Row};
use super::units::{self, Rate};
use clap::ArgMatches;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What the body of a command gets. An option that was not typed is read from its environment variable, then from
/// the table's default.
#[derive(Debug)]
pub struct Call {
    /// The command's row.
    pub row: &'static Row,
    /// Where to write.
    pub out: Output,
    /// SIGINT, SIGTERM and SIGUSR1.
    pub signals: Signals,
    matches: ArgMatches,
}

impl Call {
    /// A call of `row` as parsed into `matches`.
    ///
    /// # Errors
    /// An environment variable that the row reads is malformed.
    pub(super) fn new(row: &'static Row, matches: ArgMatches, out: Output, signals: Signals) -> Result<Self, Failure> {
        let call = Self { row, out, signals, matches };
        for flag in row.all_flags().filter(|flag| !call.typed(flag.long)) {
            if let (Some(name), Some(value)) = (flag.env, environment(flag)) {
                let text = value.to_str().unwrap_or_default();
                check(flag.kind, text)
                    .map_err(|why| Failure::usage(format!("the environment variable {name}: {why}")))?;
            }
        }
        Ok(call)
    }

    /// Whether the switch was given.
    #[must_use]
    pub fn switch(&self, long: &str) -> bool {
        self.matches.get_flag(long)
    }

    /// Whether the option or operand was typed, rather than supplied by environment or default.
    #[must_use]
    pub fn typed(&self, name: &str) -> bool {
        self.matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Every value of an option or operand that may be repeated.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
    }

    /// A file or folder.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    /// Every file or folder of an operand that may be repeated.
    #[must_use]
    pub fn paths(&self, name: &str) -> Vec<PathBuf> {
        self.matches.get_many::<PathBuf>(name).map(|values| values.cloned().collect()).unwrap_or_default()
    }

    /// A time span.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.text(name).map(|text| units::duration(&text).expect("checked when parsed"))
    }

    /// A number of bytes.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        self.text(name).map(|text| units::size(&text).expect("checked when parsed"))
    }

    /// A data rate.
    #[must_use]
    pub fn rate(&self, name: &str) -> Option<Rate> {
        self.text(name).map(|text| units::rate(&text).expect("checked when parsed"))
    }

    /// A whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).map(|text| text.parse().expect("checked when parsed"))
    }

    /// An address of this machine.
    #[must_use]
    pub fn socket(&self, name: &str) -> Option<SocketAddr> {
        self.text(name).map(|text| text.parse().expect("checked when parsed"))
    }

    /// A host, without brackets, and a port.
    #[must_use]
    pub fn host_port(&self, name: &str) -> Option<(String, u16)> {
        self.text(name).map(|text| host_port(&text).expect("checked when parsed"))
    }

    /// Every `HOST:PORT` of an option that may be repeated.
    #[must_use]
    pub fn host_ports(&self, name: &str) -> Vec<(String, u16)> {
        self.texts(name).iter().map(|text| host_port(text).expect("checked when parsed")).collect()
    }

    fn value(&self, name: &str) -> Option<OsString> {
        let flag = self.row.all_flags().find(|flag| flag.long == name);
        let kind = flag.map(|flag| flag.kind).or_else(|| self.operand(name)).expect("the row has this option");
        let typed = if kind == Kind::Path {
            self.matches.get_one::<PathBuf>(name).map(|path| path.clone().into_os_string())
        } else {
            self.matches.get_one::<String>(name).map(OsString::from)
        };
        typed.or_else(|| flag.and_then(environment)).or_else(|| flag.and_then(|flag| flag.default).map(OsString::from))
    }

    fn operand(&self, name: &str) -> Option<Kind> {
        self.row.operands.iter().find(|operand| operand.name == name).map(|operand| operand.kind)
    }
}

/// What the option's environment variable says; an empty one counts as not set.
fn environment(flag: &Flag) -> Option<OsString> {
    std::env::var_os(flag.env?).filter(|value| !value.is_empty())
}
