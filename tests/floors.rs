//! The house has floors, and an arrow goes only downward: reads the sources and fails on an arrow that goes up, on a
//! circle among the files of a floor, on a folder without a floor, on a clock, a socket or a thread below floor 9, and
//! on a file that is too long to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each floor and what it may name; itself always.
const FLOORS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("wire", &["base"]),
    ("crypto", &["base", "wire"]),
    ("flow", &["base", "wire"]),
    ("session", &["base", "wire", "crypto", "flow"]),
    ("endpoint", &["base", "wire", "crypto", "flow", "session"]),
    ("group", &["base", "wire", "crypto"]),
    ("service", &["base", "wire", "crypto", "group"]),
    ("node", &["base", "wire", "crypto", "flow", "session", "endpoint", "group", "service"]),
    ("sim", &["base", "wire", "crypto", "flow", "session", "endpoint", "group", "service", "node"]),
    ("runtime", &["base", "crypto", "node"]),
    ("cli", &["base", "group", "node", "runtime", "sim"]),
];

/// The floors that touch the real world.
const REAL: &[&str] = &["runtime", "cli"];

/// What only those may name: clocks, sockets, threads, files, the system's chance.
const REAL_ONLY: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::ToSocketAddrs",
    "std::thread",
    "std::fs",
    "std::env",
    "std::process",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "tokio",
    "socket2",
    "quinn_udp",
    "if_addrs",
    "rustix",
    "nix",
    "getrandom",
    "rand",
];

const MAX_LINES: usize = 700;

type Module = Vec<String>;

/// One file of the library, as far as arrows go.
#[derive(Default)]
struct Source {
    file: String,
    /// What it names outside of tests; whether by `pub use`.
    paths: Vec<(Module, bool)>,
    /// What its unit tests name.
    test_paths: Vec<Module>,
    /// Modules declared in it, for tests only or not.
    declared: BTreeSet<String>,
    test_modules: BTreeSet<String>,
    prints: bool,
}

#[test]
fn arrows_go_down_and_never_in_circles() {
    let sources = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path());
    assert!(sources.len() > 20, "the sources are there");
    let wrong = violations(&sources);
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "fuzz/fuzz_targets"] {
        for (path, text) in texts(&root.join(folder)) {
            let lines = text.lines().count();
            if lines > MAX_LINES {
                wrong.push(format!("{folder}/{path}: {lines} lines"));
            }
        }
    }
    assert!(wrong.is_empty(), "longer than {MAX_LINES} lines:\n{}", wrong.join("\n"));
}

#[test]
fn planted_violations_are_found() {
    let planted = |file: &str, text: &str| {
        let mut all = BTreeMap::from([
            (vec![], source("lib.rs", "pub mod base; pub mod wire; pub mod session; pub mod runtime;")),
            (module("base"), source("base/mod.rs", "mod id; pub use id::PeerId;")),
            (module("base::id"), source("base/id.rs", "pub struct PeerId; // crate::session in a comment\n")),
            (module("wire"), source("wire/mod.rs", "use crate::base::PeerId; fn f() { let s = \"crate::session\"; }")),
            (module("session"), source("session/mod.rs", "mod a; pub use a::A; use std::time::Duration;")),
            (module("session::a"), source("session/a.rs", "use crate::wire::X; use super::b::B;")),
            (module("session::b"), source("session/b.rs", "pub struct B;")),
            (module("runtime"), source("runtime/mod.rs", "use tokio::net::UdpSocket; use crate::base::PeerId;")),
        ]);
        if !file.is_empty() {
            let name = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
            all.insert(module(&name), source(file, text));
        }
        violations(&all).join("; ")
    };
    assert_eq!(planted("", ""), "");
    assert!(planted("wire/mod.rs", "use crate::{base::PeerId, session::A};").contains("goes up"));
    assert!(planted("wire/mod.rs", "fn f() -> crate::session::A {}").contains("goes up"));
    assert!(planted("wire/mod.rs", "#[cfg(test)] mod tests { use crate::session::A; }").contains("goes up"));
    assert!(planted("runtime/mod.rs", "use crate::session::A;").contains("goes up"));
    assert!(planted("session/b.rs", "use super::a::A;").contains("circle"));
    assert!(planted("session/b.rs", "use super::A;").contains("circle"), "through a facade");
    assert_eq!(planted("session/b.rs", "pub(in crate::session) fn f() {}"), "", "visibility is no arrow");
    assert!(planted("base/id.rs", "mod inner { use super::super::other::O; } ").is_empty());
    assert!(planted("attic/mod.rs", "").contains("no floor"));
    assert!(planted("wire/mod.rs", "use std::time::{Duration, Instant};").contains("std::time::Instant"));
    assert!(
        planted("wire/mod.rs", "fn f<'a>(c: &'a u8) { let q = '\"'; std::thread::spawn(g) }").contains("std::thread")
    );
    assert!(planted("wire/mod.rs", "use std::fs as disk;").contains("std::fs"));
    assert!(planted("wire/mod.rs", "fn f() { let x = r#\" \" \"#; println!(\"\") }").contains("prints"));
    assert_eq!(planted("wire/mod.rs", "#[cfg(test)] mod tests { use std::thread; }"), "");
}

fn module(path: &str) -> Module {
    path.split("::").map(str::to_owned).collect()
}

/// Everything that is wrong, a line each.
fn violations(sources: &BTreeMap<Module, Source>) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, source) in sources {
        let Some(floor) = module.first() else { continue };
        let Some((_, below)) = FLOORS.iter().find(|(name, _)| name == floor) else {
            wrong.insert(format!("src/{}: the folder {floor} has no floor", source.file));
            continue;
        };
        let named = source.paths.iter().map(|(path, _)| path).chain(&source.test_paths);
        for path in named.filter(|path| path[0] == "crate") {
            let far = path.get(1).map_or("", String::as_str);
            if FLOORS.iter().any(|(name, _)| *name == far) && far != floor && !below.contains(&far) {
                wrong.insert(format!(
                    "src/{}: an arrow goes up or across: {floor} names {}",
                    source.file,
                    path.join("::")
                ));
            }
        }
        for (path, is_export) in &source.paths {
            if path[0] == "crate" {
                if let Some(target) = resolve(sources, &path[1..], 0).filter(|target| target.first() == Some(floor)) {
                    let beneath = target.starts_with(module) || target == *module;
                    if target != *module && !(*is_export && beneath) {
                        arrows.entry(&source.file).or_default().insert(&sources[&target].file);
                    }
                }
            } else if !REAL.contains(&floor.as_str()) {
                let text = path.join("::");
                if let Some(name) =
                    REAL_ONLY.iter().find(|name| text == **name || text.starts_with(&format!("{name}::")))
                {
                    wrong.insert(format!("src/{}: {floor} is below the real world, but names {name}", source.file));
                }
            }
            if path[0] == "anyhow" && floor != "cli" {
                wrong.insert(format!("src/{}: anyhow is for cli only", source.file));
            }
        }
        if source.prints {
            wrong.insert(format!("src/{}: prints by a macro, which panics when nobody reads", source.file));
        }
    }
    wrong.extend(circles(&arrows));
    wrong.into_iter().collect()
}

/// The module that a path leads to, through `pub use`.
fn resolve(sources: &BTreeMap<Module, Source>, path: &[String], depth: usize) -> Option<Module> {
    let length = (1..=path.len()).rev().find(|&length| sources.contains_key(&path[..length]))?;
    let module = path[..length].to_vec();
    let Some(item) = path.get(length).filter(|_| depth < 8) else { return Some(module) };
    let exported = sources[&module].paths.iter().find(|(path, is_export)| *is_export && path.last() == Some(item));
    match exported {
        Some((path, _)) if path[0] == "crate" && path[1..] != [&module[..], std::slice::from_ref(item)].concat() => {
            resolve(sources, &path[1..], depth + 1).or(Some(module))
        }
        _ => Some(module),
    }
}

/// One line for each circle: its files in order.
fn circles(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<String> {
    fn walk<'a>(
        at: &'a str,
        arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        found: &mut BTreeSet<String>,
    ) {
        if let Some(start) = way.iter().position(|file| *file == at) {
            found.insert(format!("src/: a circle: {} -> {at}", way[start..].join(" -> ")));
            return;
        }
        if !done.insert(at) {
            return;
        }
        way.push(at);
        for next in arrows.get(at).into_iter().flatten() {
            walk(next, arrows, way, done, found);
        }
        way.pop();
    }
    let (mut done, mut found) = (BTreeSet::new(), BTreeSet::new());
    for file in arrows.keys() {
        walk(file, arrows, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

/// Every Rust file below `folder`: its path from there, and its text.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return all };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            all.extend(texts(&path).into_iter().map(|(beneath, text)| (format!("{name}/{beneath}"), text)));
        } else if name.ends_with(".rs") {
            all.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn read(folder: &Path) -> BTreeMap<Module, Source> {
    let mut all = BTreeMap::new();
    for (file, text) in texts(folder).into_iter().filter(|(file, _)| file != "main.rs") {
        let stem = file.trim_end_matches(".rs");
        let path = stem.strip_suffix("/mod").unwrap_or(stem);
        let path: Module = if path == "lib" { vec![] } else { path.split('/').map(str::to_owned).collect() };
        all.insert(path, source(&file, &text));
    }
    let tests: Vec<Module> = all
        .iter()
        .flat_map(|(module, source)| {
            source.test_modules.iter().map(|name| [&module[..], std::slice::from_ref(name)].concat())
        })
        .collect();
    all.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    all
}

fn source(file: &str, text: &str) -> Source {
    let stem = file.trim_end_matches(".rs");
    let own = stem.strip_suffix("/mod").unwrap_or(stem);
    let own: Module = if own == "lib" { vec![] } else { own.split('/').map(str::to_owned).collect() };
    let tokens = tokens(text);
    let mut source = Source { file: file.to_owned(), ..Source::default() };
    for window in tokens.windows(3) {
        if window[0] == "mod" && window[2] == ";" {
            source.declared.insert(window[1].clone());
        }
    }
    scan(&tokens, &own, false, &mut source);
    source
}

/// Collects paths from `tokens`, the inside of `module`.
fn scan(tokens: &[String], module: &Module, in_test: bool, source: &mut Source) {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token == text);
    let (mut at, mut test_item) = (0, false);
    while at < tokens.len() {
        if is(at, "#") && is(at + 1, "[") {
            let end = closing(tokens, at + 1);
            let attribute = &tokens[at..end];
            test_item |= attribute.iter().any(|t| t == "cfg")
                && attribute.iter().any(|t| t == "test")
                && !attribute.iter().any(|t| t == "not");
            at = end + 1;
        } else if is(at, "mod") && is(at + 2, "{") {
            let end = closing(tokens, at + 2);
            let inner = [&module[..], &[tokens[at + 1].clone()]].concat();
            scan(&tokens[at + 3..end], &inner, in_test || test_item, source);
            (at, test_item) = (end + 1, false);
        } else if is(at, "mod") && is(at + 2, ";") {
            if test_item {
                source.test_modules.insert(tokens[at + 1].clone());
            }
            (at, test_item) = (at + 3, false);
        } else if test_item && (is(at, "{") || is(at, ";")) {
            // The body of an item for tests only: its paths are the tests'.
            let end = if is(at, "{") { closing(tokens, at) } else { at };
            scan(&tokens[at + 1..end.max(at + 1)], module, true, source);
            (at, test_item) = (end + 1, false);
        } else if is(at, "use") && at + 1 < tokens.len() {
            let end = (at..tokens.len()).find(|&i| tokens[i] == ";").unwrap_or(tokens.len());
            let is_export = at > 0 && (is(at - 1, "pub") || is(at - 1, ")"));
            let mut paths = Vec::new();
            tree(&tokens[at + 1..end], &[], &mut paths);
            for path in paths {
                add(path, is_export, module, in_test || test_item, source);
            }
            (at, test_item) = (end + 1, false);
        } else if ["println", "eprintln", "print", "eprint"].contains(&tokens[at].as_str()) && is(at + 1, "!") {
            source.prints |= !in_test;
            at += 2;
        } else if at >= 2 && is(at - 2, "(") && is(at - 1, "in") {
            // `pub(in …)` says who may name this, not whom it names.
            at = (at..tokens.len()).find(|&i| tokens[i] == ")").unwrap_or(tokens.len());
        } else if is_name(&tokens[at]) && is(at + 1, "::") && (at == 0 || !is(at - 1, "::")) {
            let mut path = vec![tokens[at].clone()];
            while is(at + 1, "::") && tokens.get(at + 2).is_some_and(|token| is_name(token)) {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            add(path, false, module, in_test || test_item, source);
            at += 1;
        } else {
            at += 1;
        }
    }
}

/// Adds a path, made absolute if it is one of ours.
fn add(path: Module, is_export: bool, module: &Module, in_test: bool, source: &mut Source) {
    let rest = |from: usize| path[from..].iter().cloned();
    let absolute: Module = match path[0].as_str() {
        "crate" => path.clone(),
        "self" => std::iter::once("crate".to_owned()).chain(module.iter().cloned()).chain(rest(1)).collect(),
        "super" => {
            let ups = path.iter().take_while(|word| *word == "super").count();
            let base = &module[..module.len().saturating_sub(ups)];
            std::iter::once("crate".to_owned()).chain(base.iter().cloned()).chain(rest(ups)).collect()
        }
        first if source.declared.contains(first) => {
            std::iter::once("crate".to_owned()).chain(module.iter().cloned()).chain(rest(0)).collect()
        }
        _ => path.clone(),
    };
    if in_test {
        source.test_paths.push(absolute);
    } else {
        source.paths.push((absolute, is_export));
    }
}

/// The paths of a `use` tree.
fn tree(tokens: &[String], prefix: &[String], all: &mut Vec<Module>) {
    let (mut at, mut path) = (0, prefix.to_vec());
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => {}
            "{" => {
                let end = closing(tokens, at);
                let (mut start, mut depth) = (at + 1, 0);
                for i in at + 1..=end.min(tokens.len() - 1) {
                    match tokens[i].as_str() {
                        "{" => depth += 1,
                        "}" if i < end => depth -= 1,
                        _ => {}
                    }
                    if i == end || (depth == 0 && tokens[i] == ",") {
                        if i > start {
                            tree(&tokens[start..i], &path, all);
                        }
                        start = i + 1;
                    }
                }
                return;
            }
            "as" => at += 1,
            "*" | "self" if !path.is_empty() => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    if !path.is_empty() {
        all.push(path);
    }
}

/// Where the bracket at `open` closes.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single marks; comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let (mut all, mut at) = (Vec::new(), 0);
    let is = |at: usize, c: char| letters.get(at) == Some(&c);
    while at < letters.len() {
        let c = letters[at];
        if c == '/' && is(at + 1, '/') {
            at = (at..letters.len()).find(|&i| letters[i] == '\n').unwrap_or(letters.len());
        } else if c == '/' && is(at + 1, '*') {
            at =
                (at + 2..letters.len()).find(|&i| letters[i] == '*' && is(i + 1, '/')).map_or(letters.len(), |i| i + 2);
        } else if c == 'r' && (is(at + 1, '"') || (is(at + 1, '#') && (is(at + 2, '"') || is(at + 2, '#')))) {
            let hashes = (at + 1..).take_while(|&i| is(i, '#')).count();
            let ends = |i: usize| is(i, '"') && (0..hashes).all(|h| is(i + 1 + h, '#'));
            at = (at + hashes + 2..letters.len()).find(|&i| ends(i)).map_or(letters.len(), |i| i + hashes + 1);
        } else if c == '"' {
            at += 1;
            while at < letters.len() && letters[at] != '"' {
                at += if letters[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' {
            // A character, or a lifetime, which has no closing mark.
            at = match (is(at + 1, '\\'), is(at + 2, '\'')) {
                (true, _) => (at + 3..letters.len()).find(|&i| letters[i] == '\'').map_or(letters.len(), |i| i + 1),
                (false, true) => at + 3,
                (false, false) => (at + 1..letters.len())
                    .find(|&i| !letters[i].is_alphanumeric() && letters[i] != '_')
                    .unwrap_or(letters.len()),
            };
        } else if c.is_alphanumeric() || c == '_' {
            let end = (at..letters.len())
                .find(|&i| !letters[i].is_alphanumeric() && letters[i] != '_')
                .unwrap_or(letters.len());
            all.push(letters[at..end].iter().collect());
            at = end;
        } else if c == ':' && is(at + 1, ':') {
            all.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                all.push(c.to_string());
            }
            at += 1;
        }
    }
    all
}
