//! `p2pt simulate`: runs a scenario and tells what became of it.

mod costs;
mod figures;
mod plot;
mod table;

use super::call::Call;
use super::failure::Failure;
use super::status::Status;
use super::table::row::Json;
use super::units::show_duration;
use crate::sim::scenario::{BUILT_IN, Progress, Report, Scenario, built_in, parse, run as simulate, set, show};
use costs::Costs;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the line of progress changes.
const RHYTHM: Duration = Duration::from_millis(100);

/// Runs a scenario, or lists what there is.
///
/// # Errors
/// 2 if a setting makes no sense, 12 if there is no such scenario, 6 if something went wrong in it that must not, 9 if a
/// file cannot be read or written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let named = call.text("SCENARIO");
    if call.switch("list") {
        let text = match &named {
            Some(name) => show(&wanted(&call, name)?),
            None => BUILT_IN.iter().map(|known| format!("{:<10} {}\n", known.name, known.about)).collect(),
        };
        return call.out.data(text.as_bytes());
    }
    let scenario = wanted(&call, named.as_deref().unwrap_or("posting"))?;
    if !call.switch("quiet") {
        tracing::info!(members = scenario.members, seed = scenario.seed, "the simulation begins");
    }
    let rungs = scenario.rungs();
    let mut reports = Vec::new();
    for (rung, at) in rungs.iter().zip(1..) {
        let of = if rungs.len() > 1 { format!("run {at} of {}: ", rungs.len()) } else { String::new() };
        // The signal's own status is what the command ends with.
        let Some((report, costs)) = one(&call, rung, &of)? else { return Ok(()) };
        if call.out.json() == Some(Json::Stdout) {
            call.out.event(figures::event(&report, &costs))?;
        } else if rungs.len() > 1 {
            let head = if at == 1 { table::ladder_head(&report) } else { Vec::new() };
            for line in head.into_iter().chain(table::rung(&report)) {
                call.out.line(line)?;
            }
        } else {
            for line in table::lines(&report) {
                call.out.line(line)?;
            }
            call.out.say(table::costs(&report, &costs));
        }
        reports.push(report);
    }
    if let Some(path) = call.path("plot") {
        let tried = format!("write the picture {}", path.display());
        let picture = plot::draw(&reports).map_err(|why| Failure::new(Status::Failed, "draw the picture", why))?;
        fs::write(&path, picture).map_err(|error| Failure::io(tried, error))?;
    }
    match reports.iter().find_map(wrong) {
        Some(what) => Err(Failure::new(Status::Integrity, "call this sound", what)
            .next(format!("run it again with --set seed={} to see the same", scenario.seed))),
        None => Ok(()),
    }
}

/// Runs one scenario; `of` is said before its progress. `None` if a signal ended it.
fn one(call: &Call, scenario: &Scenario, of: &str) -> Result<Option<(Report, Costs)>, Failure> {
    let started = Costs::begin();
    let live = call.out.live();
    let mut said = Instant::now();
    let mut watch = |progress: &Progress| {
        if said.elapsed() >= RHYTHM {
            said = Instant::now();
            live.set_message(format!("{of}{}", line_of(progress)));
        }
        call.signals.stop().is_none()
    };
    let report = simulate(scenario, &mut watch).map_err(Failure::usage)?;
    live.finish_and_clear();
    Ok(report.map(|report| (report, started.end())))
}

/// The scenario of this name or in this file, with what the command line changes.
fn wanted(call: &Call, name: &str) -> Result<Scenario, Failure> {
    let mut scenario = match built_in(name) {
        Some(scenario) => scenario,
        None => read(name)?,
    };
    let flags = [("members", "members"), ("seed", "seed"), ("for", "duration"), ("engine", "engine")];
    let typed = flags.iter().filter_map(|(flag, key)| Some(((*key).to_owned(), call.text(flag)?)));
    let pairs = call.texts("set").into_iter().map(|pair| match pair.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err(Failure::usage(format!("--set {pair}: KEY=VALUE is wanted"))),
    });
    for pair in typed.map(Ok).chain(pairs) {
        let (key, value) = pair?;
        set(&mut scenario, &key, &value).map_err(Failure::usage)?;
    }
    scenario.check().map_err(Failure::usage)?;
    Ok(scenario)
}

fn read(name: &str) -> Result<Scenario, Failure> {
    let path = Path::new(name);
    let tried = format!("read the scenario {name}");
    if !path.exists() {
        return Err(Failure::new(Status::NotFound, tried, "no scenario has this name, and no file")
            .next("p2pt simulate --list prints the names"));
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::io(tried, error))?;
    let stem = path.file_stem().map_or(name.into(), |stem| stem.to_string_lossy());
    parse(&stem, &text, built_in).map_err(|why| Failure::usage(format!("{name}: {why}")))
}

fn line_of(progress: &Progress) -> String {
    let seconds = |span: Duration| show_duration(Duration::from_secs(span.as_secs()));
    let Progress { now, end, members, messages, .. } = *progress;
    format!("{} of {}, {members} members, {messages} messages", seconds(now), seconds(end))
}

/// What must not happen, if it did.
fn wrong(report: &Report) -> Option<String> {
    let posts = report.posts.iter().flat_map(|posts| {
        [(posts.missed, "posts missed"), (posts.twice, "posts delivered twice"), (posts.forged, "posts forged")]
    });
    let stored = report.storage.iter().flat_map(|stored| {
        [(stored.not_found, "stored values not found"), (stored.wrong, "stored values were not what was put")]
    });
    let streamed =
        report.streamed.iter().map(|streamed| (streamed.wrong, "units of streams were not what was published"));
    let found: Vec<String> = posts
        .chain(stored)
        .chain(streamed)
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!found.is_empty()).then(|| found.join(", "))
}
