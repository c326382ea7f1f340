//! The table of RFC 7016's requirements, `src/rfc7016.md`, is complete and tells the truth about where things are: it is
//! counted by the rule that it states, and what it cites exists.

use std::collections::BTreeMap;
use std::path::Path;

/// Sections of the RFC and how many keywords each has.
const COUNTS: &str = "
    2:5 2.1.2:1 2.2.3:5 2.2.4:6 2.3:4 2.3.1:2 2.3.6:2 2.3.7:1 2.3.9:1 2.3.11:6 2.3.11.1:3 2.3.11.1.1:5 2.3.11.1.2:6
    2.3.12:1 2.3.13:2 2.3.14:2 2.3.15:1 2.3.16:2 3.1:1 3.2:5 3.3:1 3.4:12 3.5.1.1.1:7 3.5.1.1.2:7 3.5.1.2:2 3.5.1.4:1
    3.5.2:3 3.5.2.1:2 3.5.2.2:4 3.5.2.3:1 3.5.3:1 3.5.4:4 3.5.4.1:3 3.5.4.3:2 3.5.5:2 3.6.1.1:2 3.6.1.2:5 3.6.1.3:4
    3.6.2.1:1 3.6.2.2:1 3.6.2.3:2 3.6.2.3.2:2 3.6.2.5:1 3.6.2.7:1 3.6.2.7.1:1 3.6.2.9:1 3.6.2.9.1:6 3.6.2.11:1
    3.6.3.1:4 3.6.3.2:1 3.6.3.3:2 3.6.3.4:1 3.6.3.4.1:1 3.6.3.4.3:1 3.6.3.5:2 3.6.3.8:1 5:5";

/// How often each keyword counts.
const KEYWORDS: &[(&str, usize)] = &[
    ("MUST", 48),
    ("MUST NOT", 19),
    ("REQUIRED", 0),
    ("SHALL", 5),
    ("SHALL NOT", 0),
    ("SHOULD", 58),
    ("SHOULD NOT", 20),
    ("RECOMMENDED", 9),
];

const ROWS: usize = 159;

/// What may stand in a cell instead of a citation, before a reason.
const REASONS: &[&str] = &["departs: ", "by design: ", "not done: "];

#[test]
fn every_requirement_has_its_row_and_every_citation_its_item() {
    let wrong = problems(&table(), &file);
    assert!(wrong.is_empty(), "{} problems in src/rfc7016.md:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn planted_errors_are_found() {
    let table = table();
    let planted = |from: &str, to: &str| {
        assert!(table.contains(from), "{from}");
        problems(&table.replacen(from, to, 1), &file).join("; ")
    };
    assert!(planted("| 2-2 | 2 |", "| 2-3 | 2 |").contains("2-3: not the next"));
    assert!(planted("| 2-2 | 2 |", "| 2-2 | 3 |").contains("its section is 2"));
    assert!(planted("| 5-5 | 5 | SHOULD |", "| 5-5 | 5 | MUST |").contains("MUST: 49 rows"));
    assert!(planted("| 5-5 | 5 | SHOULD |", "| 5-5 | 5 | OUGHT |").contains("OUGHT is no keyword"));
    assert!(planted("\n| 5-5 | 5 |", "\n\n5-5 5").contains("4 of 5"));
    assert!(planted("src/wire/vlu.rs::take`", "src/wire/vlu.rs::fetch`").contains("fetch is not defined"));
    assert!(planted("src/wire/vlu.rs::take`", "src/wire/none.rs::take`").contains("no file src/wire/none.rs"));
    assert!(planted("src/wire/vlu.rs::agrees", "src/wire/vlu.rs::take`, `src/wire/vlu.rs::agrees").contains("no test"));
    assert!(planted("`src/wire/vlu.rs::take`", "TODO").contains("TODO"));
    assert!(planted("`src/wire/vlu.rs::take`", "departs: no").contains("cites nothing"));
    assert!(planted("`src/wire/vlu.rs::take`", "departs: for a reason as good as any").contains("list of departures"));
    assert!(planted("| 3.5.2.3 | Packets", "| 3.5.2.4 | Packets").contains("3.5.2.3-1: not in the list of departures"));
}

#[test]
fn the_table_states_the_counts_that_are_checked() {
    let table = table();
    let counts: Vec<&str> = COUNTS.split_whitespace().collect();
    assert!(table.contains(&format!("```text\n{}\n```", counts.join("\n"))));
    let totals: Vec<String> = KEYWORDS.iter().map(|(_, count)| count.to_string()).collect();
    assert!(table.contains(&format!("| {} | {ROWS} |", totals.join(" | "))));
}

fn table() -> String {
    file("src/rfc7016.md").expect("the table is there")
}

fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// Everything that is wrong with the table, a line each.
fn problems(table: &str, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let head = table.split("## Totals").next().unwrap_or_default();
    let body = table.split_once("## 2 Syntax").and_then(|(_, rest)| rest.split("## Binding without").next());
    let departures: Vec<&str> = rows(head).iter().flat_map(|row| row[0].split(", ")).collect();
    for name in ticked(head).filter(|name| name.contains('/') && !name.contains("::") && file(name).is_none()) {
        wrong.push(format!("no file {name}"));
    }
    let requirements: Vec<Vec<&str>> =
        rows(body.unwrap_or_default()).into_iter().filter(|row| row[0] != "id").collect();
    let mut expected = COUNTS.split_whitespace().flat_map(|entry| {
        let (section, count) = entry.split_once(':').expect("section and count");
        let count: usize = count.parse().expect("a number");
        (1..=count).map(move |ordinal| (section, ordinal, count))
    });
    let mut keywords: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &requirements {
        let &[id, section, keyword, _, code, test] = &row[..] else {
            wrong.push(format!("{}: {} cells instead of six", row[0], row.len()));
            continue;
        };
        match expected.next() {
            Some((next, ordinal, _)) if id == format!("{next}-{ordinal}") => {
                if section != next {
                    wrong.push(format!("{id}: its section is {next}"));
                }
            }
            Some((next, ordinal, _)) => wrong.push(format!("{id}: not the next, which is {next}-{ordinal}")),
            None => wrong.push(format!("{id}: one too many")),
        }
        if !KEYWORDS.iter().any(|(known, _)| *known == keyword) {
            wrong.push(format!("{id}: {keyword} is no keyword"));
        }
        *keywords.entry(keyword).or_default() += 1;
        if code.contains("departs") && !departures.contains(&section) {
            wrong.push(format!("{id}: not in the list of departures"));
        }
        wrong.extend(cell_problems(code, false, file).into_iter().map(|what| format!("{id}, code: {what}")));
        wrong.extend(cell_problems(test, true, file).into_iter().map(|what| format!("{id}, test: {what}")));
    }
    if let Some((section, ordinal, count)) = expected.next() {
        wrong.push(format!("section {section} ends after {} of {count}", ordinal - 1));
    }
    for (keyword, count) in KEYWORDS {
        let found = keywords.get(keyword).copied().unwrap_or(0);
        if found != *count {
            wrong.push(format!("{keyword}: {found} rows instead of {count}"));
        }
    }
    if requirements.len() != ROWS {
        wrong.push(format!("{} rows instead of {ROWS}", requirements.len()));
    }
    wrong
}

/// The cells of every row of the tables in `text`.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    lines.map(|line| line.split(" | ").collect()).collect()
}

/// What stands between backticks.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn cell_problems(cell: &str, is_test: bool, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    if cell.contains("TODO") {
        wrong.push("TODO".to_owned());
    }
    let has_reason = REASONS.iter().any(|start| cell.strip_prefix(start).is_some_and(|reason| reason.len() > 20));
    let mut cites = 0;
    for (path, item) in ticked(cell).filter(|name| name.contains('/')).map(|name| match name.split_once("::") {
        Some((path, item)) => (path, Some(item)),
        None => (name, None),
    }) {
        let Some(text) = file(path) else {
            wrong.push(format!("no file {path}"));
            continue;
        };
        let Some(item) = item else { continue };
        cites += 1;
        if is_test && !is_test_function(&text, item) {
            wrong.push(format!("{item} is no test in {path}"));
        } else if definition(&text, item).is_none() {
            wrong.push(format!("{item} is not defined in {path}"));
        }
    }
    if cites == 0 && !has_reason {
        wrong.push("cites nothing and gives no reason".to_owned());
    }
    wrong
}

/// Number of the line that defines `item`.
fn definition(text: &str, item: &str) -> Option<usize> {
    const KINDS: &[&str] = &["fn", "struct", "enum", "const", "trait", "type", "static"];
    text.lines().position(|line| {
        if !line.contains(item) || line.trim_start().starts_with("//") {
            return false;
        }
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        words.windows(2).any(|pair| KINDS.contains(&pair[0]) && pair[1] == item)
    })
}

/// Whether `item` is a function with a test's attribute right above it.
fn is_test_function(text: &str, item: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    definition(text, item).is_some_and(|at| {
        let above = lines[..at].iter().rev().map(|line| line.trim());
        above
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
    })
}
