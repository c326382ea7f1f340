//! The service: who is registered, who is refused, and what cannot be had.

use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use crate::{Service, dial, host, meet, notice, registered, wait_for, wait_for_text};
use p2pt::cli::address::Address;
use p2pt::node::{DialError, NodeEvent, Registration};
use p2pt::runtime::Host;
use rustix::process::Signal;
use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

#[tokio::test]
async fn who_is_registered_is_found_and_its_events_are_as_the_schema_says() {
    let home = Home::new();
    let told = home.path().join("events");
    let file = fs::File::create(&told).unwrap();
    let service = Service::start_with(&home, "127.0.0.1:0", &["--json"], |command| {
        command.stdout(file);
    });
    let (near, far) = (host(), host());
    assert_eq!(near.dial(&dial(&far, &service)).await.err(), Some(DialError::NotFound));

    far.register(service.registration(None));
    let observed = notice(&far, PATIENCE, registered).await;
    assert_eq!(observed, Some(far.bound()[0]));
    let _session = meet(&near, &far, &service).await;
    far.shut_down().await;
    wait_for_text(&told, "\"gone\"");

    let line = service.address.to_string();
    let ended = service.end(Signal::TERM);
    assert_eq!(ended.status, 143, "{}", ended.stderr);
    assert!(ended.stderr.contains(&line) && ended.stderr.contains("export P2PT_RENDEZVOUS="), "{}", ended.stderr);
    let events = Schema::of_events().lines(&fs::read_to_string(&told).unwrap());
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!(of("ready")[0]["address"], line);
    assert_eq!(of("registered")[0]["peer_id"], far.peer_id().to_string());
    assert_eq!(of("registered")[0]["observed"], observed.unwrap().to_string());
    assert_eq!(of("gone")[0]["peer_id"], far.peer_id().to_string());
    let last = of("metrics").pop().unwrap();
    assert_eq!((&last["introductions"], &last["registered"]), (&1.into(), &0.into()));
    assert!(last["unknown"].as_u64() >= Some(1));
}

#[tokio::test]
async fn after_a_restart_every_client_is_registered_again() {
    let home = Home::new();
    let service = Service::start(&home, "127.0.0.1:0", &["--keepalive", "1s"]);
    let (socket, id) = (service.socket(), service.address.id);
    let clients: Vec<Host> = (0..5).map(|_| host()).collect();
    for client in &clients {
        client.register(service.registration(None));
        notice(client, PATIENCE, registered).await;
    }
    drop(service);

    let service = Service::start(&home, &socket.to_string(), &["--keepalive", "1s"]);
    let back = Instant::now();
    assert_eq!((service.socket(), service.address.id), (socket, id), "the same service as before");
    for client in &clients {
        notice(client, PATIENCE, registered).await;
    }
    // One keepalive period plus 5 s; this machine may be busy with other tests, so once more as much.
    assert!(back.elapsed() < Duration::from_secs(12), "{:?}", back.elapsed());
    meet(&host(), &clients[4], &service).await;
    assert_eq!(service.end(Signal::INT).status, 130);
}

#[tokio::test]
async fn a_developer_key_is_asked_of_whoever_registers_and_a_wrong_one_is_refused() {
    let home = Home::new();
    let keys = home.path().join("keys");
    fs::write(&keys, "# ours\nopen sesame\nother\n").unwrap();
    let service = Service::start(&home, "127.0.0.1:0", &["--json", "--developer-keys", keys.to_str().unwrap()]);
    let refused = |event: &NodeEvent| match event {
        NodeEvent::RegistrationRefused { refusal, .. } => Some(refusal.to_string()),
        NodeEvent::Registered { .. } => panic!("registered with a wrong key"),
        _ => None,
    };
    let (without, wrong, right) = (host(), host(), host());
    without.register(service.registration(None));
    assert!(notice(&without, PATIENCE, refused).await.contains("none was given"));
    wrong.register(service.registration(Some("sesame")));
    assert!(notice(&wrong, PATIENCE, refused).await.contains("does not know"));
    right.register(service.registration(Some("open sesame")));
    notice(&right, PATIENCE, registered).await;

    // A mere dialler needs none.
    meet(&wrong, &right, &service).await;
    let ended = service.end(Signal::TERM);
    let events = Schema::of_events().lines(&ended.text());
    let reasons: Vec<_> = events.iter().filter(|event| event["event"] == "refused").collect();
    assert_eq!(reasons.len(), 2);
    assert!(!ended.text().contains("sesame") && !ended.stderr.contains("sesame"), "keys are not told");
    assert!(ended.stderr.contains("/KEY?id="), "{}", ended.stderr);
}

#[tokio::test]
async fn newcomers_are_sent_to_another_server() {
    let (home, other) = (Home::new(), Home::new());
    let second = Service::start(&other, "127.0.0.1:0", &[]);
    let to = second.socket().to_string();
    let told = home.path().join("events");
    let file = fs::File::create(&told).unwrap();
    let first = Service::start_with(&home, "127.0.0.1:0", &["--json", "--redirect-to", &to], |command| {
        command.stdout(file);
    });
    let (near, far) = (host(), host());
    far.register(Registration { pin: None, ..first.registration(None) });
    notice(&far, PATIENCE, registered).await;
    meet(&near, &far, &second).await;
    assert_eq!(first.end(Signal::TERM).status, 143);
    let events = Schema::of_events().lines(&fs::read_to_string(&told).unwrap());
    let last = events.iter().rfind(|event| event["event"] == "metrics").unwrap();
    assert_eq!((&last["registered"], last["redirected"].as_u64() >= Some(1)), (&0.into(), true));
}

#[tokio::test]
async fn an_impostor_is_told_apart_by_the_id() {
    let home = Home::new();
    let service = Service::start(&home, "127.0.0.1:0", &[]);
    let client = host();
    let pin = Some(client.peer_id());
    client.register(Registration { pin, ..service.registration(None) });
    let found = |event: &NodeEvent| matches!(event, NodeEvent::RendezvousImposter { .. }).then_some(());
    notice(&client, PATIENCE, found).await;
}

#[test]
fn a_port_or_an_address_that_cannot_be_had_is_told_with_what_to_do() {
    let home = Home::new();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let ended = home.run(["rendezvous", "--listen", &listen]);
    assert_eq!((ended.status, ended.stdout.len()), (9, 0));
    assert!(ended.stderr.contains(&listen) && ended.stderr.contains("in use"), "{}", ended.stderr);
    assert!(ended.stderr.contains("next: "), "{}", ended.stderr);
    let ended = home.run(["rendezvous", "--listen", "127.0.0.1:0", "--probe-from", "192.0.2.1"]);
    assert_eq!(ended.status, 9);
    assert!(ended.stderr.contains("192.0.2.1"), "{}", ended.stderr);
    let failed = home.run(["rendezvous", "--json", "--listen", &listen]);
    assert_eq!(Schema::of_events().lines(&failed.text())[0]["event"], "error");
}

#[test]
fn wrong_settings_are_usage_errors() {
    let home = Home::new();
    let empty = home.path().join("keys");
    fs::write(&empty, "# none\n").unwrap();
    for (more, said) in [
        (vec!["--developer-keys", empty.to_str().unwrap()], "no developer key"),
        (vec!["--probe-from", "here"], "--probe-from"),
        (vec!["--advertise", "a/b"], "--advertise"),
        (vec!["--keepalive", "10ms"], "--keepalive"),
        (vec!["--hostname", "name"], "--flash"),
        (vec!["--flash", "--hostname", ""], "--hostname"),
    ] {
        let line = ["rendezvous", "--listen", "127.0.0.1:0"];
        let ended = home.run(line.iter().chain(&more));
        assert_eq!((ended.status, ended.stdout.len()), (2, 0), "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{more:?}: {}", ended.stderr);
    }
    let missing = home.run(["rendezvous", "--developer-keys", "/nonexistent/keys"]);
    assert_eq!(missing.status, 9);
    assert!(missing.stderr.contains("/nonexistent/keys"), "{}", missing.stderr);
}

#[test]
fn two_services_do_not_share_an_identity_and_a_port_of_its_own_is_printed() {
    let home = Home::new();
    let service = Service::start(&home, "127.0.0.1:0", &["--advertise", "rendezvous.example"]);
    assert_eq!(service.address.host.host, "rendezvous.example");
    assert_ne!(service.address.host.port, 0);
    let second = home.run(["rendezvous", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status, 10, "{}", second.stderr);
    assert!(second.stderr.contains(&service.running.child.id().to_string()), "says who: {}", second.stderr);
    let address: Address = format!("{}#{}", service.address, "a".repeat(64)).parse().unwrap();
    assert!(address.rendezvous.unwrap().id.is_some());
}

#[test]
fn a_status_line_is_printed_when_it_is_asked_for() {
    let home = Home::new();
    let (ready, said) = (home.path().join("ready"), home.path().join("said"));
    let line = ["rendezvous", "--listen", "127.0.0.1:0", "--ready-file", ready.to_str().unwrap()];
    let running = Running::start(home.p2pt(line).stderr(fs::File::create(&said).unwrap()));
    wait_for(&ready);
    running.signal(Signal::USR1);
    wait_for_text(&said, "0 registered, 0 introductions");
    running.signal(Signal::INT);
    assert_eq!(running.end(PATIENCE).status, 130);
}

#[test]
fn a_reader_that_leaves_ends_it() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let running = Running::start(home.p2pt(["rendezvous", "--listen", "127.0.0.1:0", "--json"]).stdout(writer));
    drop(reader);
    let ended = running.end(PATIENCE);
    assert_eq!(ended.status, 141);
}
