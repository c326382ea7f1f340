//! Scenarios as text: a `key = value` on each line, `#` begins a comment.

use std::time::Duration;

use super::super::swarm::Rate;
use super::value::{Engine, Hostility, Scenario};

/// One setting of a scenario.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Its value in a scenario, as text that [`set`] reads.
    pub get: fn(&Scenario) -> String,
    put: fn(&mut Scenario, &str) -> Result<(), String>,
}

/// A key whose field is read and shown by a pair of functions.
macro_rules! key {
    ($name:ident, $about:literal, $show:expr, $read:expr) => {
        Key {
            name: stringify!($name),
            about: $about,
            get: |scenario| $show(&scenario.$name),
            put: |scenario, text| $read(text).map(|value| scenario.$name = value),
        }
    };
}

/// All settings, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    key!(engine, "swarm (messages) or world (packets)", show_engine, read_engine),
    key!(members, "how many join", u32::to_string, number),
    key!(seed, "from which all chance comes", u64::to_string, number),
    key!(joins, "how many join in a second", f64::to_string, number),
    key!(settle, "how long they settle after the last has joined", show_span, span),
    key!(duration, "how long things are done; --for", show_span, span),
    key!(tail, "how long what was done may take effect", show_span, span),
    key!(rtt, "shortest and longest round trip", show_range, range),
    key!(loss, "share of packets or messages lost", f64::to_string, number),
    key!(up, "every uplink", show_rate, rate),
    key!(down, "every downlink", show_rate, rate),
    key!(symmetric, "share of members behind symmetric NATs", f64::to_string, number),
    key!(restricted, "share of members behind port-restricted NATs", f64::to_string, number),
    key!(posts, "posts a second, in all", f64::to_string, number),
    key!(size, "bytes of a post", u32::to_string, number),
    key!(posters, "how many members post; 0: all", u32::to_string, number),
    key!(routes, "messages routed a second, in all", f64::to_string, number),
    key!(values, "values stored at the beginning", u32::to_string, number),
    key!(gets, "questions for them a second, in all", f64::to_string, number),
    key!(file, "bytes of a file that some have and all others fetch; 0: none", u64::to_string, number),
    key!(piece, "bytes of its pieces; 0: by its size", u64::to_string, number),
    key!(seeds, "how many have it, who join first", u32::to_string, number),
    key!(ladder, "how many fetch it, a run for each, as in 2,10,100; or none", show_ladder, read_ladder),
    key!(poisoning, "share of the others who give wrong pieces", f64::to_string, number),
    key!(streams, "how many publish a stream, who join first; all others play them", u32::to_string, number),
    key!(stream, "each of these", show_rate, rate),
    key!(units, "units of a stream a second", f64::to_string, number),
    key!(key, "how often one can begin with a unit", show_span, span),
    key!(latency, "how long after its publication everything is played", show_span, span),
    key!(churn, "share of members killed and replaced in a minute", f64::to_string, number),
    key!(leaving, "share of members killed and not replaced", f64::to_string, number),
    key!(creator_leaves, "when whoever joined first leaves, or never", show_moment, moment),
    key!(partition, "when the network falls into two halves, or never", show_moment, moment),
    key!(partition_for, "for how long", show_span, span),
    key!(rendezvous_dies, "when the rendezvous dies, or never", show_moment, moment),
    key!(hostile, "share of hostile members", f64::to_string, number),
    key!(hostility, "silent, forging, replaying, misrouting, flooding", show_kinds, kinds),
];

/// Sets what `key` names.
///
/// # Errors
/// A sentence that says what is known.
pub fn set(scenario: &mut Scenario, key: &str, value: &str) -> Result<(), String> {
    let known = KEYS.iter().find(|known| known.name == key);
    let known = known.ok_or_else(|| {
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        format!("no such setting: {key:?}; there are {}", names.join(", "))
    })?;
    (known.put)(scenario, value).map_err(|why| format!("{key} = {value}: {why}"))
}

/// Reads a scenario's text. Its first setting may be `scenario = NAME`, that of a built-in one to begin with.
///
/// # Errors
/// A sentence with the line's number.
pub fn parse(name: &str, text: &str, built_in: impl Fn(&str) -> Option<Scenario>) -> Result<Scenario, String> {
    let mut scenario = Scenario::new(name);
    let mut first = true;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let at = |why: String| format!("line {}: {why}", number + 1);
        let (key, value) = line.split_once('=').ok_or_else(|| at(format!("{line:?} is not KEY = VALUE")))?;
        let (key, value) = (key.trim(), value.trim());
        if key == "scenario" && first {
            let base = built_in(value).ok_or_else(|| at(format!("no built-in scenario is called {value:?}")))?;
            scenario = Scenario { name: name.to_owned(), ..base };
        } else {
            set(&mut scenario, key, value).map_err(at)?;
        }
        first = false;
    }
    Ok(scenario)
}

/// A scenario's text, which [`parse`] reads.
#[must_use]
pub fn show(scenario: &Scenario) -> String {
    let lines = KEYS.iter().map(|key| {
        let setting = format!("{} = {}", key.name, (key.get)(scenario));
        format!("{setting:<38}# {}\n", key.about)
    });
    lines.collect()
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "a number is wanted".into())
}

fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|why| format!("a time with its unit is wanted, as in 30s: {why}"))
}

fn show_span(span: &Duration) -> String {
    humantime::format_duration(*span).to_string().replace(' ', "")
}

fn moment(text: &str) -> Result<Option<Duration>, String> {
    if text == "never" { Ok(None) } else { span(text).map(Some) }
}

fn show_moment(moment: &Option<Duration>) -> String {
    moment.map_or_else(|| "never".into(), |at| show_span(&at))
}

fn range(text: &str) -> Result<(Duration, Duration), String> {
    let (from, to) = text.split_once('-').ok_or("two times are wanted, as in 10ms - 150ms")?;
    Ok((span(from.trim())?, span(to.trim())?))
}

fn show_range((from, to): &(Duration, Duration)) -> String {
    format!("{} - {}", show_span(from), show_span(to))
}

fn rate(text: &str) -> Result<Rate, String> {
    if text == "unlimited" {
        return Ok(Rate::UNLIMITED);
    }
    const WANTED: &str = "a rate is wanted, as in 2Mbit/s, or unlimited";
    let number = text.strip_suffix("bit/s").ok_or(WANTED)?.trim();
    let (number, factor) = match number.chars().last() {
        Some('k') => (&number[..number.len() - 1], 1e3),
        Some('M') => (&number[..number.len() - 1], 1e6),
        Some('G') => (&number[..number.len() - 1], 1e9),
        _ => (number, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(value) if value > 0.0 && value * factor <= 1e15 => Ok(Rate((value * factor) as u64)),
        _ => Err(WANTED.into()),
    }
}

fn read_ladder(text: &str) -> Result<Vec<u32>, String> {
    if text == "none" { Ok(Vec::new()) } else { text.split(',').map(|rung| number(rung.trim())).collect() }
}

fn show_ladder(rungs: &[u32]) -> String {
    let rungs: Vec<String> = rungs.iter().map(u32::to_string).collect();
    if rungs.is_empty() { "none".into() } else { rungs.join(",") }
}

/// A rate as it is written in a scenario.
#[must_use]
pub fn show_rate(rate: &Rate) -> String {
    match rate.0 {
        0 => "unlimited".into(),
        bits if bits % 1_000_000 == 0 => format!("{}Mbit/s", bits / 1_000_000),
        bits if bits % 1_000 == 0 => format!("{}kbit/s", bits / 1_000),
        bits => format!("{bits}bit/s"),
    }
}

fn read_engine(text: &str) -> Result<Engine, String> {
    match text {
        "swarm" => Ok(Engine::Swarm),
        "world" => Ok(Engine::World),
        _ => Err("swarm or world is wanted".into()),
    }
}

fn show_engine(engine: &Engine) -> String {
    match engine {
        Engine::Swarm => "swarm".into(),
        Engine::World => "world".into(),
    }
}

fn kinds(text: &str) -> Result<Vec<Hostility>, String> {
    let kind = |word: &str| {
        let known = Hostility::ALL.into_iter().find(|kind| kind.name() == word);
        known.ok_or_else(|| format!("no such kind: {word:?}"))
    };
    text.split(',').map(|word| kind(word.trim())).collect()
}

fn show_kinds(kinds: &[Hostility]) -> String {
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::built_in::{BUILT_IN, built_in};
    use super::*;

    #[test]
    fn every_scenario_survives_its_text() {
        for known in BUILT_IN {
            let scenario = built_in(known.name).unwrap();
            assert_eq!(scenario.check(), Ok(()), "{}", known.name);
            assert_eq!(parse(known.name, &show(&scenario), built_in), Ok(scenario));
        }
    }

    #[test]
    fn a_file_begins_with_a_built_in_one_and_errors_name_the_line() {
        let read = |text: &str| parse("mine", text, built_in);
        let scenario = read("# mine\nscenario = churn\n\nmembers = 7 # few\nrtt = 1ms - 2ms\nup=2Mbit/s").unwrap();
        assert_eq!((scenario.name.as_str(), scenario.members, scenario.up), ("mine", 7, Rate(2_000_000)));
        assert!(scenario.churn > 0.0);
        for (text, part) in [
            ("members = 7\nscenario = churn", "line 2: no such setting"),
            ("\nmembers", "line 2: \"members\" is not KEY = VALUE"),
            ("scenario = none", "no built-in"),
            ("members = many", "a number is wanted"),
            ("duration = 5", "30s"),
            ("up = 2", "unlimited"),
            ("hostility = rude", "rude"),
            ("rtt = 5ms", "10ms - 150ms"),
            ("engine = steam", "swarm or world"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
