//! `p2pt man DIR`: the man pages, from the table.

use super::call::Call;
use super::failure::{Failure, OrFail};
use super::parser;
use super::table::row::{Flag, Note, Row};
use super::table::{PROGRAM, shared};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use std::fs;
use std::io;

/// The day of the last change worth a reader's notice.
const DATE: &str = "2026-11-22";

/// Writes every page.
///
/// # Errors
/// The folder or a page cannot be written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let dir = call.path("DIR").expect("the parser requires it");
    fs::create_dir_all(&dir).or_fail(|| format!("make the folder {}", dir.display()))?;
    let mut program = parser::program().disable_help_subcommand(true);
    program.build();
    let pages = pages(&PROGRAM, &program, "p2pt").or_fail(|| "render a man page".into())?;
    for (name, page) in &pages {
        let path = dir.join(name);
        fs::write(&path, page).or_fail(|| format!("write {}", path.display()))?;
    }
    call.out.say(format_args!("{} man pages in {}", pages.len(), dir.display()));
    Ok(())
}

/// The page of `row` and of every command beneath, with their file names.
fn pages(row: &'static Row, command: &clap::Command, name: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut all = vec![(format!("{name}.1"), page(row, command.clone(), name)?)];
    for beneath in row.rows {
        let command = command.find_subcommand(beneath.name).expect("the parser has every row");
        all.extend(pages(beneath, command, &format!("{name}-{}", beneath.name))?);
    }
    Ok(all)
}

fn page(row: &'static Row, command: clap::Command, name: &str) -> io::Result<Vec<u8>> {
    let source = format!("p2pt {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).title(name.to_uppercase()).date(DATE).source(source).manual("p2pt manual");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if !row.rows.is_empty() {
        man.render_subcommands_section(&mut out)?;
    }
    man.render_options_section(&mut out)?;
    let mut rest = Roff::new();
    streams(&mut rest, row);
    statuses(&mut rest, row);
    notes(&mut rest, "ENVIRONMENT", &environment(row));
    notes(&mut rest, "FILES", row.files);
    examples(&mut rest, row);
    paragraphs(&mut rest, "SECURITY", row.security);
    see_also(&mut rest, row, name);
    rest.to_writer(&mut out)?;
    Ok(tidied(&String::from_utf8_lossy(&out)).into_bytes())
}

/// The page without what its parts, rendered one by one, repeat; and with a request where the formatter wants no empty
/// line, no blank at the end, and no break beside a space.
fn tidied(page: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in page.lines().map(str::trim_end) {
        let is_preamble = line.starts_with(".ie ") || line.starts_with(".el ");
        let after_space = lines.last() == Some(&".sp");
        match line {
            _ if is_preamble && lines.len() >= 2 => {}
            "" | ".br" if after_space => {}
            "" => {
                lines.pop_if(|last| *last == ".br");
                lines.push(".sp");
            }
            line => lines.push(line),
        }
    }
    lines.push("");
    lines.join("\n")
}

fn streams(roff: &mut Roff, row: &Row) {
    let known = [("Standard input", row.streams.input), ("Standard output", row.streams.output)];
    let known: Vec<_> = known.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    if known.is_empty() {
        return;
    }
    roff.control("SH", ["STREAMS"]);
    for (stream, text) in known {
        tagged(roff, stream, text);
    }
}

fn statuses(roff: &mut Roff, row: &Row) {
    roff.control("SH", ["EXIT STATUS"]);
    let all = if row.rows.is_empty() { row.all_statuses() } else { super::status::Status::ALL.to_vec() };
    for status in all {
        tagged(roff, &status.code().to_string(), status.meaning());
    }
}

/// What the options name, what the row adds, and what every command heeds.
fn environment(row: &'static Row) -> Vec<Note> {
    fn of_option(flag: &'static Flag) -> Option<Note> {
        flag.env.map(|name| Note { name, text: flag.help })
    }
    let own = row.all_flags().filter_map(of_option).chain(row.environment.iter().copied());
    let mut all: Vec<Note> = own.chain(shared::ENVIRONMENT.iter().copied()).collect();
    all.sort_by_key(|note| note.name);
    all.dedup_by_key(|note| note.name);
    all
}

fn notes(roff: &mut Roff, heading: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    roff.control("SH", [heading]);
    for note in notes {
        roff.control("TP", []).text([italic(note.name)]).text([roman(note.text)]);
    }
}

fn examples(roff: &mut Roff, row: &Row) {
    roff.control("SH", ["EXAMPLES"]);
    for (index, example) in row.examples.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{}:", example.does))]);
        roff.control("RS", ["4"]).control("EX", []);
        for line in example.line.lines() {
            roff.text([roman(line)]);
        }
        roff.control("EE", []).control("RE", []);
    }
}

fn paragraphs(roff: &mut Roff, heading: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    roff.control("SH", [heading]);
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(paragraph)]);
    }
}

fn see_also(roff: &mut Roff, row: &Row, name: &str) {
    roff.control("SH", ["SEE ALSO"]);
    let mut pages: Vec<String> = row.rows.iter().map(|beneath| format!("{name}-{}", beneath.name)).collect();
    if let Some((family, _)) = name.rsplit_once(row.name).filter(|(family, _)| !family.is_empty()) {
        pages.push(family.trim_end_matches('-').to_owned());
    }
    let mut line = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        line.extend([roman(if index > 0 { ", " } else { "" }), bold(page.as_str()), roman("(1)")]);
    }
    roff.text(line);
}

fn tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", []).text([bold(tag)]).text([roman(text)]);
}
