//! Floor 10: the commands. One file per subcommand, one table of commands and flags, exit statuses once.
//!
//! Goals: what `table` says is what the parser, the help, the man pages, the completions and the tests say; standard
//! output carries data only; every failure tells what was tried, what came back and what to do next.

pub mod address;
pub mod call;
mod check;
mod completions;
mod connect;
mod demo;
pub mod failure;
pub mod framing;
pub mod group;
pub mod key;
mod links;
mod man;
mod net;
pub mod output;
pub mod parser;
mod password;
mod peer_id;
pub mod prompt;
mod rendezvous;
pub mod signals;
mod simulate;
pub mod status;
pub mod table;
pub mod units;

use call::Call;
use clap::ArgMatches;
use failure::Failure;
use output::{Output, Wishes};
use signals::Signals;
use status::Status;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use table::row::{Json, Row};

/// What a command does.
type Body = fn(Call) -> Result<(), Failure>;

/// Runs the command that the process was started as.
#[must_use]
pub fn main() -> ExitCode {
    let status = match parser::program().try_get_matches_from(words(std::env::args_os())) {
        Ok(matches) => run(&matches),
        Err(message) => show(&message),
    };
    ExitCode::from(status.code())
}

/// The body of the command with these words.
fn body(words: &[&str]) -> Option<Body> {
    Some(match words {
        ["peer-id"] => peer_id::run,
        ["rendezvous"] => rendezvous::run,
        ["check"] => check::run,
        ["connect"] => connect::run,
        ["group", "new"] => group::new::run,
        ["group", "show"] => group::show::run,
        ["group", "join"] => group::join::run,
        ["group", "members"] => group::look::members,
        ["group", "info"] => group::look::info,
        ["group", "post"] | ["post"] => group::post::run,
        ["multicast", "publish"] => group::multicast::publish::run,
        ["multicast", "play"] => group::multicast::play::run,
        ["replicate-file", "share"] => group::replicate::share::run,
        ["replicate-file", "fetch"] => group::replicate::fetch::run,
        ["route"] => group::route::run,
        ["store", "put"] => group::store::put,
        ["store", "get"] => group::store::get,
        ["demo"] => demo::run,
        ["simulate"] => simulate::run,
        ["completions"] => completions::run,
        ["man"] => man::run,
        ["links"] => links::run,
        _ => return None,
    })
}

/// The command line, in which `p2pt-group-join` (a link to the binary) has become `p2pt group join`.
fn words(mut args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let program = args.next().unwrap_or_else(|| "p2pt".into());
    let link =
        Path::new(&program).file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("p2pt-"));
    let known = link.and_then(|link| table::commands().into_iter().find(|(words, _)| words.join("-") == link));
    let inserted = known.map(|(words, _)| words).unwrap_or_default();
    std::iter::once("p2pt".into()).chain(inserted.into_iter().map(OsString::from)).chain(args).collect()
}

/// Prints what the parser has to say: help or the version to standard output, a usage error to standard error.
fn show(message: &clap::Error) -> Status {
    let printed = message.print().and_then(|()| io::stdout().flush());
    match printed {
        _ if message.use_stderr() => Status::Usage,
        Ok(()) => Status::Done,
        Err(error) => report(&Output::default(), &output::stdout_failure(error)),
    }
}

/// Runs the command that was parsed.
fn run(matches: &ArgMatches) -> Status {
    let (words, row, matches) = chosen(matches);
    let output = match Output::open(wishes(&words, row, &matches)) {
        Ok(output) => output,
        Err(failure) => return report(&Output::default(), &failure),
    };
    output::log::start(&output);
    let signals = match Signals::listen(&output) {
        Ok(signals) => signals,
        Err(error) => return report(&output, &Failure::io("listen for signals", error)),
    };
    let body = body(&words).expect("every row has a body, as the test below holds");
    let result = Call::new(row, matches, output.clone(), signals.clone()).and_then(body);
    match (result, signals.stop()) {
        (Err(failure), stop) if stop.is_none() || failure.status == Status::Resumable => report(&output, &failure),
        (_, Some(stop)) => stop,
        (_, None) => Status::Done,
    }
}

fn report(output: &Output, failure: &Failure) -> Status {
    output.failed(failure);
    failure.status
}

/// The words and the row of the command that was parsed, and what was parsed for it.
fn chosen(matches: &ArgMatches) -> (Vec<&'static str>, &'static Row, ArgMatches) {
    let (mut words, mut rows, mut matches) = (Vec::new(), table::PROGRAM.rows, matches);
    loop {
        let (name, beneath) = matches.subcommand().expect("the parser requires a command");
        let row = rows.iter().find(|row| row.name == name).expect("the parser knows the table's commands only");
        words.push(row.name);
        if row.rows.is_empty() {
            return (words, row, beneath.clone());
        }
        (rows, matches) = (row.rows, beneath);
    }
}

fn wishes(words: &[&str], row: &Row, matches: &ArgMatches) -> Wishes {
    let has = |long: &str| row.all_flags().any(|flag| flag.long == long);
    let json = row.streams.json != Json::None && matches.get_flag("json");
    let ready = has("ready-fd");
    let text = |name: &str| matches.get_one::<String>(name).and_then(|text| text.parse().ok());
    Wishes {
        name: words.join(" "),
        json: json.then_some(row.streams.json),
        quiet: matches.get_flag("quiet"),
        verbose: matches.get_count("verbose"),
        no_progress: matches.get_flag("no-progress"),
        ready_fd: if ready { text("ready-fd") } else { None },
        ready_file: if ready { matches.get_one("ready-file").cloned() } else { None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_body() {
        for (words, _) in table::commands() {
            assert!(body(&words).is_some(), "{words:?}");
        }
        assert!(body(&["no-such-command"]).is_none());
    }

    #[test]
    fn a_link_is_the_command_of_its_name() {
        let line = |args: &[&str]| words(args.iter().map(OsString::from));
        assert_eq!(line(&["/usr/bin/p2pt-connect", "-l"]), ["p2pt", "connect", "-l"]);
        assert_eq!(line(&["p2pt-peer-id"]), ["p2pt", "peer-id"]);
        assert_eq!(line(&["./p2pt", "connect"]), ["p2pt", "connect"]);
        assert_eq!(line(&["p2pt-1.0", "demo"]), ["p2pt", "demo"]);
    }
}
