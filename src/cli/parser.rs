//! The table as a clap parser, with help that begins with examples.

use super::table::row::{Flag, Kind, Operand, Row};
use super::table::shared::GLOBAL;
use super::table::{PROGRAM, row};
use super::units;
use clap::builder::styling::{AnsiColor, Style, Styles};
use clap::{Arg, ArgAction, Command, value_parser};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

const HEADING: Style = Style::new().bold();
const PLACEHOLDER: Style = AnsiColor::Cyan.on_default();
const STYLES: Styles = Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(Style::new().bold())
    .placeholder(PLACEHOLDER)
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}\n";

/// The whole program's parser.
#[must_use]
pub fn program() -> Command {
    command(&PROGRAM, "p2pt", GLOBAL)
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .subcommand_help_heading("Commands")
        .infer_subcommands(false)
        .infer_long_args(false)
}

/// The parser of `row`, whose command line begins with `line`.
fn command(row: &'static Row, line: &str, flags: &'static [Flag]) -> Command {
    let mut command = Command::new(row.name)
        .about(row.summary)
        .long_about(format!("{}\n\n{}", capitalized(row.summary), row.about))
        .visible_aliases(row.aliases)
        .before_help(examples(row))
        .after_long_help(epilogue(row))
        .help_template(TEMPLATE)
        .styles(STYLES)
        .max_term_width(100)
        .args_override_self(false);
    if !row.usage.is_empty() {
        let forms: Vec<String> = row.usage.iter().map(|form| format!("p2pt {form}")).collect();
        command = command.override_usage(forms.join("\n       "));
    }
    for operand in row.operands {
        command = command.arg(positional(operand));
    }
    for flag in row.all_flags() {
        command = command.arg(option(flag));
    }
    for flag in flags {
        command = command.arg(option(flag).global(true).help_heading("Options of every command"));
    }
    if !row.rows.is_empty() {
        command = command.subcommand_required(true).arg_required_else_help(true).subcommand_value_name("COMMAND");
    }
    for beneath in row.rows {
        let line = format!("{line} {}", beneath.name);
        command = command.subcommand(self::command(beneath, &line, &[]));
    }
    command
}

fn positional(operand: &Operand) -> Arg {
    let arg = Arg::new(operand.name).help(operand.help).value_name(operand.name).required(operand.required);
    with_values(if operand.many { arg.action(ArgAction::Append).num_args(0..) } else { arg }, operand.kind)
}

fn option(flag: &'static Flag) -> Arg {
    let mut arg = Arg::new(flag.long).long(flag.long).help(short_help(flag));
    if !flag.detail.is_empty() {
        arg = arg.long_help(format!("{}\n\n{}", short_help(flag), flag.detail));
    }
    if let Some(letter) = flag.short {
        arg = arg.short(letter);
    }
    arg = arg.conflicts_with_all(flag.conflicts).requires_all(flag.requires);
    match flag.kind {
        Kind::Switch => arg.action(ArgAction::SetTrue),
        Kind::Count => arg.action(ArgAction::Count),
        kind => {
            let action = if flag.many { ArgAction::Append } else { ArgAction::Set };
            with_values(arg.value_name(flag.value).action(action), kind)
        }
    }
}

/// The help line of an option, with what supplies it when it is not given.
fn short_help(flag: &Flag) -> String {
    let mut text = flag.help.to_owned();
    for (label, value) in [("default", flag.default), ("env", flag.env)] {
        if let Some(value) = value {
            let _ = write!(text, " [{label}: {value}]");
        }
    }
    text
}

fn with_values(arg: Arg, kind: Kind) -> Arg {
    match kind {
        Kind::Path => arg.value_parser(value_parser!(PathBuf)).value_hint(clap::ValueHint::AnyPath),
        Kind::Choice(words) => arg.value_parser(clap::builder::PossibleValuesParser::new(words)),
        kind => arg.value_parser(move |text: &str| check(kind, text).map(|()| text.to_owned())),
    }
}

/// Whether `text` is a value of `kind`; the error says what one looks like.
pub(super) fn check(kind: row::Kind, text: &str) -> Result<(), String> {
    match kind {
        Kind::Duration => units::duration(text).map(drop).map_err(|e| e.to_string()),
        Kind::Size => units::size(text).map(drop).map_err(|e| e.to_string()),
        Kind::Rate => units::rate(text).map(drop).map_err(|e| e.to_string()),
        Kind::Number(least, most) => match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(format!("wanted a whole number from {least} to {most}")),
        },
        Kind::Socket => text
            .parse::<SocketAddr>()
            .map(drop)
            .map_err(|_| "wanted ADDR:PORT in numbers, as in 127.0.0.1:2222 or [::]:1935".to_owned()),
        Kind::HostPort => host_port(text).map(drop),
        Kind::Choice(words) if !words.contains(&text) => Err(format!("wanted one of {}", words.join(", "))),
        Kind::Switch | Kind::Count | Kind::Text | Kind::Path | Kind::Choice(_) => Ok(()),
    }
}

/// The host, without brackets, and the port of `HOST:PORT`.
///
/// # Errors
/// What one looks like.
pub fn host_port(text: &str) -> Result<(String, u16), String> {
    let wanted = || "wanted HOST:PORT, as in example.org:22, 127.0.0.1:22 or [::1]:22".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wanted)?;
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    if bare.unwrap_or(host).is_empty() || (bare.is_none() && host.contains(':')) {
        return Err(wanted());
    }
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok((bare.unwrap_or(host).to_owned(), port)),
        _ => Err(format!("{port:?} is no port: wanted a number from 1 to 65535")),
    }
}

/// What help begins with.
fn examples(row: &Row) -> String {
    let mut text = format!("{HEADING}Examples:{HEADING:#}\n");
    for example in row.examples {
        let _ = writeln!(text, "  # {}", example.does);
        for line in example.line.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// What `--help` ends with.
fn epilogue(row: &Row) -> String {
    let mut text = String::new();
    if row.rows.is_empty() {
        let _ = writeln!(text, "{HEADING}Exit status:{HEADING:#}");
        for status in row.all_statuses() {
            let _ = writeln!(text, "  {:>3}  {}", status.code(), status.meaning());
        }
        text.push('\n');
    }
    if !row.files.is_empty() {
        let _ = writeln!(text, "{HEADING}Files:{HEADING:#}");
        for file in row.files {
            let _ = writeln!(text, "  {}\n          {}", file.name, file.text);
        }
        text.push('\n');
    }
    let page = if row.name == PROGRAM.name { row.name.to_owned() } else { format!("p2pt-{}", row.name) };
    let _ = write!(text, "Limits and more: man {page}");
    text
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::commands;

    #[test]
    fn the_parser_is_sound() {
        program().debug_assert();
    }

    #[test]
    fn defaults_are_values_that_would_be_taken() {
        for (words, row) in commands() {
            for flag in row.all_flags() {
                if let Some(default) = flag.default {
                    assert_eq!(check(flag.kind, default), Ok(()), "{words:?} --{}", flag.long);
                }
            }
        }
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        assert_eq!(host_port("[::1]:22"), Ok(("::1".into(), 22)));
        assert_eq!(host_port("example.org:22"), Ok(("example.org".into(), 22)));
        for wrong in ["::1:22", "example.org", ":22", "a:0", "a:65536", "a:", "[]x:1:2"] {
            assert!(host_port(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn help_begins_with_examples() {
        for (words, _) in commands() {
            let args = std::iter::once("p2pt").chain(words.iter().copied()).chain(["-h"]);
            let help = program().try_get_matches_from(args).unwrap_err().to_string();
            let (examples, usage) = (help.find("Examples:").unwrap(), help.find("Usage:").unwrap());
            assert!(examples < usage, "{help}");
        }
    }
}
