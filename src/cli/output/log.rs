//! `-v`: the log, on standard error.

use super::{Event, Output, escaped};
use crate::cli::table::row::Json;
use std::io;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, time};

/// Starts logging as far as `-v` and `P2PT_LOG` ask for it. Only the first call of a process counts.
pub fn start(output: &Output) {
    let wishes = &output.0.wishes;
    let level = match wishes.verbose {
        _ if wishes.quiet => "error",
        0 => "warn",
        1 => "p2pt=info,warn",
        2 => "p2pt=debug,info",
        _ => "p2pt=trace,debug",
    };
    let filter = match std::env::var("P2PT_LOG") {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::try_new(&wanted).unwrap_or_else(|why| {
            output.say(format_args!("P2PT_LOG is left out of account: {why}"));
            EnvFilter::new(level)
        }),
        _ => EnvFilter::new(level),
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(time::uptime())
        .with_ansi(false)
        .with_writer(Lines(output.clone()))
        .try_init();
    drop(started);
}

/// Hands each record to the talk, so that it goes above the bars and, under `--json`, stays JSON.
struct Lines(Output);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { output: &self.0, text: Vec::new() }
    }
}

struct Line<'a> {
    output: &'a Output,
    text: Vec<u8>,
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        if self.output.json() == Some(Json::Stderr) {
            self.output.talk(&Event::new("log").with("text", text).line());
        } else {
            self.output.talk(&escaped(text));
        }
    }
}
