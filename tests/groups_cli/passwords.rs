//! Posting passwords: who has none, or the wrong one, reaches nobody and is told so.

use crate::member::{Club, Member, mesh};
use crate::support::Home;
use std::fs;

fn password_file(club: &Club) -> String {
    club.home.path().join("spec.posting-password").display().to_string()
}

#[test]
fn without_the_right_password_a_post_is_refused() {
    let club = Club::new(&["--posting-password"]);
    let members = mesh(&club, 2, &["--recv-only"]);
    let none = club.run(&["post", &club.address(), "without"]);
    assert_eq!(none.status, 10, "{}", none.stderr);
    assert!(none.stderr.contains("needs a posting password") && none.stderr.contains("next: "), "{}", none.stderr);
    let other = Club::new(&["--posting-password"]);
    let wrong = club.run(&["post", "--posting-password-file", &password_file(&other), &club.address(), "wrong"]);
    assert_eq!(wrong.status, 10, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("the password is wrong"), "{}", wrong.stderr);
    let through = members[0].run(&["post", &club.address(), "through a member without it"]);
    assert_eq!(through.status, 10, "{}", through.stderr);
    let right = club.run(&["post", "--posting-password-file", &password_file(&club), &club.address(), "right"]);
    assert_eq!(right.status, 0, "{}", right.stderr);
    members.iter().for_each(|member| member.await_lines(1));
    members.iter().for_each(|member| assert_eq!(member.printed(), ["right"]));
    let put = club.run(&["store", "put", &club.address(), "key", "value"]);
    assert_eq!(put.status, 10, "{}", put.stderr);
}

#[test]
fn a_membership_with_the_password_signs_grants_for_this_users_scripts() {
    let club = Club::new(&["--posting-password"]);
    let password = password_file(&club);
    let writer = Member::start(Home::new(), &club, &["--posting-password-file", &password]);
    let reader = club.join(&["--recv-only"]);
    writer.await_neighbours(&club, 1);
    let posted = writer.run(&["post", &club.address(), "by grant"]);
    assert_eq!(posted.status, 0, "{}", posted.stderr);
    reader.await_lines(1);
    assert_eq!(reader.printed(), ["by grant"]);
}

#[test]
fn passwords_of_people_work_too_and_stand_in_no_output() {
    const CANARY: &str = "canary-correct-horse";
    let home = Home::new();
    let file = home.path().join("password");
    fs::write(&file, format!("{CANARY}\n")).unwrap();
    let club = Club::new(&["--posting-password-file", file.to_str().unwrap()]);
    let reader = club.join(&["--recv-only", "--json"]);
    let posted =
        club.run(&["post", "--json", "-vvv", "--posting-password-file", file.to_str().unwrap(), &club.address(), "x"]);
    assert_eq!(posted.status, 0, "{}", posted.stderr);
    reader.running.await_that("the post", |running| running.wrote().contains("Posting.Notify"));
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap();
    let shown = club.run(&["group", "show", &club.address()]);
    assert!(shown.text().contains("Argon2id") && shown.text().contains("guess"), "{}", shown.text());
    for text in [
        posted.stderr.clone(),
        posted.text(),
        reader.running.wrote(),
        reader.running.said(),
        shown.text(),
        shown.stderr.clone(),
    ] {
        assert!(!text.contains(CANARY) && !text.contains(spec.trim()), "{text}");
    }
}
