//! `p2pt check`.

use crate::Service;
use crate::support::Home;
use crate::support::schema::Schema;
use rustix::process::Signal;
use std::net::UdpSocket;

#[test]
fn a_rendezvous_of_two_addresses_tells_all_about_the_nat() {
    let (home, schema) = (Home::new(), Schema::of_events());
    let service = Service::start(&home, "127.0.0.1:0", &["--probe-from", "127.0.0.2"]);
    let url = service.address.to_string();
    let ended = home.run(["check", "--json", &url]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let events = schema.lines(&ended.text());
    let found = &events[0];
    assert_eq!((events.len(), &found["event"]), (1, &"check".into()));
    assert_eq!(found["authenticated"], true);
    assert!(found["external"].as_str().unwrap().starts_with("127.0.0.1:"), "{found}");
    assert_eq!(found["nat"], false);
    assert!(found["rtt_ms"].as_f64() > Some(0.0), "{found}");
    for behaviour in ["nat_mapping", "nat_filtering"] {
        assert_eq!(found[behaviour], "endpoint-independent", "{found}");
    }
    assert!(found["meaning"].as_str().unwrap().contains("everybody gets in"));

    let plain = home.run(["check", &url]);
    assert_eq!(plain.status, 0, "{}", plain.stderr);
    for line in ["rendezvous ", "round trip ", "external ", "local ", "mapping ", "filtering ", "meaning "] {
        assert!(plain.text().lines().any(|printed| printed.starts_with(line)), "{line}: {}", plain.text());
    }
    assert!(!home.identity().exists(), "a check goes by a fresh identity");
}

#[test]
fn a_second_rendezvous_completes_mapping_and_filtering() {
    let (home, other) = (Home::new(), Home::new());
    let (one, two) = (Service::start(&home, "127.0.0.1:0", &[]), Service::start(&other, "127.0.0.2:0", &[]));
    let alone = home.run(["check", "--json", &one.address.to_string()]);
    for behaviour in ["nat_mapping", "nat_filtering"] {
        assert_eq!(Schema::of_events().lines(&alone.text())[0][behaviour], "endpoint-independent or not known");
    }
    let both = home.run(["check", "--json", &one.address.to_string(), &two.address.to_string()]);
    assert_eq!(both.status, 0, "{}", both.stderr);
    let events = Schema::of_events().lines(&both.text());
    assert_eq!(events.len(), 2);
    for behaviour in ["nat_mapping", "nat_filtering"] {
        assert!(events.iter().all(|event| event[behaviour] == "endpoint-independent"), "{}", both.text());
    }
}

#[test]
fn a_second_rendezvous_at_the_same_address_completes_nothing() {
    let (home, other) = (Home::new(), Home::new());
    let (one, two) = (Service::start(&home, "127.0.0.1:0", &[]), Service::start(&other, "127.0.0.1:0", &[]));
    let both = home.run(["check", "--json", &one.address.to_string(), &two.address.to_string()]);
    assert_eq!(both.status, 0, "{}", both.stderr);
    let open = "endpoint-independent or not known";
    let events = Schema::of_events().lines(&both.text());
    assert!(
        events.iter().all(|event| event["nat_mapping"] == open && event["nat_filtering"] == open),
        "{}",
        both.text()
    );
}

#[test]
fn who_is_not_there_and_who_is_somebody_else_are_told_apart() {
    let (home, schema) = (Home::new(), Schema::of_events());
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("rtmfp://{}", silent.local_addr().unwrap());
    let ended = home.run(["check", "--timeout", "700ms", &url]);
    assert_eq!((ended.status, ended.stdout.len()), (8, 0), "{}", ended.stderr);
    assert!(ended.stderr.contains("no answer") && ended.stderr.contains("next: "), "{}", ended.stderr);
    let ended = home.run(["check", "--json", "--timeout", "700ms", &url]);
    assert_eq!(schema.lines(&ended.text())[0]["status"], 8);

    let service = Service::start(&home, "127.0.0.1:0", &[]);
    let wrong = format!("rtmfp://{}?id={}", service.address.host, "a".repeat(64));
    let ended = home.run(["check", &wrong]);
    assert_eq!((ended.status, ended.stdout.len()), (5, 0), "{}", ended.stderr);
    let unpinned = home.run(["check", &format!("rtmfp://{}", service.address.host)]);
    assert_eq!(unpinned.status, 0, "{}", unpinned.stderr);
    assert!(unpinned.text().contains("not authenticated"), "{}", unpinned.text());
    assert_eq!(service.end(Signal::TERM).status, 143);
}

#[test]
fn without_a_rendezvous_there_is_nothing_to_ask() {
    let home = Home::new();
    for line in [vec!["check"], vec!["check", "rtmfp:"]] {
        let ended = home.run(&line);
        assert_eq!(ended.status, 2, "{line:?}");
        assert!(ended.stderr.contains("no rendezvous to ask") && ended.stderr.contains("P2PT_RENDEZVOUS"));
    }
}
