//! Lists of files that are not what they should be.

use crate::support::Home;
use crate::swarm::{Seed, bytes, made};
use p2pt::service::files::{List, ListFault, Listed, MAX_FILES, MAX_LIST, MAX_SIZE, NameFault};
use p2pt::wire::vlu;
use std::time::Duration;

/// The bytes of a list with these names and sizes, which nobody checked.
fn raw(count: u64, files: &[(&[u8], u64)]) -> Vec<u8> {
    let mut out = b"p2pt list 1\0".to_vec();
    vlu::put(&mut out, count);
    for (name, size) in files {
        vlu::put(&mut out, name.len() as u64);
        out.extend_from_slice(name);
        vlu::put(&mut out, *size);
        out.extend_from_slice(&[7; 32]);
    }
    out
}

fn one(name: &[u8]) -> Result<List, ListFault> {
    List::parse(&raw(1, &[(name, 1)]))
}

#[test]
fn names_that_lead_anywhere_are_refused_as_they_come_over_the_wire() {
    let long = "n".repeat(241);
    let deep = ["d"; 513].join("/");
    let table: &[(&str, NameFault)] = &[
        ("/etc/passwd", NameFault::Empty),
        ("", NameFault::Empty),
        ("a//b", NameFault::Empty),
        ("../a", NameFault::Elsewhere),
        ("a/../../b", NameFault::Elsewhere),
        ("a/.", NameFault::Elsewhere),
        ("..", NameFault::Elsewhere),
        ("..\\a", NameFault::Divider),
        ("c:\\a", NameFault::Divider),
        ("a:stream", NameFault::Divider),
        ("a\0", NameFault::Control),
        ("a\nb", NameFault::Control),
        ("\u{1b}]0;x\u{7}", NameFault::Control),
        ("a\u{7f}", NameFault::Control),
        ("a\u{9b}2J", NameFault::Control),
        ("exe.\u{202e}gpj", NameFault::Control),
        ("a\u{200b}", NameFault::Control),
        ("nul", NameFault::Reserved),
        ("a/CON.txt", NameFault::Reserved),
        ("aux .x", NameFault::Reserved),
        ("Lpt9", NameFault::Reserved),
        ("a.", NameFault::Reserved),
        ("a ", NameFault::Reserved),
        (".film.p2pt-state", NameFault::Reserved),
        (&long, NameFault::TooLong),
        (&deep, NameFault::TooLong),
    ];
    for (name, fault) in table {
        assert_eq!(one(name.as_bytes()), Err(ListFault::Name((*name).to_owned(), *fault)), "{name:?}");
    }
    assert_eq!(one(b"\xff\xfe"), Err(ListFault::Malformed), "no UTF-8");
    assert_eq!(one(b"\xc0\xae\xc0\xae"), Err(ListFault::Malformed), "two full stops, written too long");
    // What is the same but for case is two files: where it is one name, the second is not written over the first.
    assert!(List::parse(&raw(2, &[(b"README", 1), (b"readme", 1)])).is_ok());
    let twice = List::parse(&raw(2, &[(b"a", 1), (b"a", 1)]));
    assert_eq!(twice, Err(ListFault::Order("a".to_owned())));
    let under = List::parse(&raw(2, &[(b"a", 1), (b"a/b", 1)]));
    assert_eq!(under, Err(ListFault::FileAndFolder("a".to_owned())));
}

#[test]
fn lists_are_as_long_as_allowed_and_no_longer() {
    let file = |number: usize| Listed { name: format!("{number:06}"), size: MAX_SIZE, hash: [1; 32] };
    let most: Vec<Listed> = (0..MAX_FILES).map(file).collect();
    let list = List::new(most.clone()).expect("as many as are allowed");
    assert_eq!(List::parse(&list.encode()).expect("it is one").total(), MAX_SIZE * MAX_FILES as u64);
    let more = most.into_iter().chain([file(MAX_FILES)]).collect();
    assert_eq!(List::new(more), Err(ListFault::TooMany));
    // Numbers that promise more than comes cost nothing.
    for count in [2, MAX_FILES as u64, MAX_FILES as u64 + 1, u64::MAX] {
        assert!(List::parse(&raw(count, &[(b"a", 1)])).is_err(), "{count}");
    }
    let mut endless = raw(1, &[]);
    vlu::put(&mut endless, u64::MAX);
    assert_eq!(List::parse(&endless), Err(ListFault::Malformed));
    for size in [MAX_SIZE + 1, 1 << 53, u64::MAX] {
        assert!(matches!(List::parse(&raw(1, &[(b"a", size)])), Err(ListFault::Size(_))), "{size}");
    }
    assert_eq!(List::parse(&vec![0; MAX_LIST + 1]), Err(ListFault::TooMany));
    let wide = |number: usize| Listed { name: format!("{number:06}{}", "d".repeat(160)), size: 1, hash: [1; 32] };
    assert_eq!(List::new((0..MAX_FILES).map(wide).collect()), Err(ListFault::TooMany), "more than 16 MiB");
    // Deep folders are looked for once each.
    let deep = |number: usize| Listed { name: format!("{}{number:06}", "d/".repeat(500)), size: 1, hash: [1; 32] };
    let list = List::new((0..2_000).map(deep).collect()).expect("within all limits");
    assert!(List::parse(&list.encode()).is_ok());
    let mut clash: Vec<Listed> = list.files().to_vec();
    clash.push(Listed { name: "d/".repeat(400) + "d", size: 1, hash: [1; 32] });
    assert!(matches!(List::new(clash), Err(ListFault::FileAndFolder(_))));
}

#[test]
fn what_is_no_list_or_too_long_for_one_is_told_before_it_is_fetched() {
    let source = Home::new();
    // One byte more than the longest list, and something short.
    for (name, len) in [("long", MAX_LIST + 1), ("short", 1_000)] {
        let seed = Seed::start(&[], &[&made(&source, name, &bytes(len, 8))]);
        let address = seed.address().replace("/b3=", "/b3list=");
        let home = Home::new();
        let mut command = home.p2pt(["replicate-file", "fetch", "--timeout", "20s", &address]);
        let ended = crate::support::Running::start(command.current_dir(home.path())).end(crate::swarm::LONG);
        assert_eq!(ended.status, 6, "{}", ended.stderr);
        assert!(ended.took < Duration::from_secs(15), "{:?}", ended.took);
        assert!(!home.path().join(name).exists());
    }
}
