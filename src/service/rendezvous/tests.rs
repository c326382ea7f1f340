//! Client and server talk to each other, without sessions in between.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::base::{Instant, Path, PeerId, Rng};
use crate::crypto::epd;
use crate::group::message::{JOIN_METADATA, Join, Member};
use crate::wire::redirector::{RedirectorCommand, SIGNATURE};

const PEER: PeerId = PeerId([7; 32]);
const SEEN: &str = "203.0.113.9:40000";
const OWN: &str = "10.0.0.5:5000";

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server(keys: Option<&[&str]>) -> Server {
    let developer_keys = keys.map(|keys| keys.iter().map(|&key| key.to_owned()).collect());
    Server::new(ServerConfig { developer_keys, ..ServerConfig::default() }, Rng::for_simulation(1))
}

/// Lets a client and the server exchange messages until both are quiet; what they want otherwise is returned.
fn talk(client: &mut Client, server: &mut Server) -> (Vec<ClientEvent>, Vec<ServerOutput>) {
    let (mut events, mut outputs) = (Vec::new(), Vec::new());
    let session = 1;
    loop {
        let mut quiet = true;
        let mut said = false;
        while let Some(output) = client.poll() {
            quiet = false;
            said |= matches!(output, ClientOutput::Send { .. });
            match output {
                ClientOutput::Dial { .. } => {
                    server.peer_up(Instant::ZERO, session, PEER, [3; 32], Path::to(addr(SEEN)));
                    client.session_up(Instant::ZERO, session);
                }
                ClientOutput::OpenControl { metadata, .. } => server.flow_opened(session, 2, metadata),
                ClientOutput::Send { message, .. } => server.message(Instant::ZERO, session, 2, &message),
                ClientOutput::Close { .. } => server.peer_down(session),
                ClientOutput::KeepAlive { .. } | ClientOutput::JoinGroup { .. } | ClientOutput::LeaveGroup { .. } => {}
                ClientOutput::Event(event) => events.push(event),
            }
        }
        while let Some(output) = server.poll() {
            quiet = false;
            match output {
                ServerOutput::Send { message, .. } => client.message(&message),
                output => outputs.push(output),
            }
        }
        if said {
            client.heard();
        }
        if quiet {
            return (events, outputs);
        }
    }
}

fn register(server: &mut Server, key: Option<&str>) -> (Vec<ClientEvent>, Vec<ServerOutput>) {
    let mut client = Client::register("rtmfp://h:1935".into(), key.map(str::to_owned), vec![addr(OWN)]);
    talk(&mut client, server)
}

#[test]
fn a_registered_client_is_introduced_with_all_its_addresses() {
    let mut server = server(None);
    let (events, _) = register(&mut server, None);
    assert_eq!(events, [ClientEvent::Registered { observed: Some(addr(SEEN)) }]);
    let asker = Path::to(addr("198.51.100.1:1234"));
    server.ihello(Instant::ZERO, asker, &epd::fingerprint(PEER), b"tag", 148);
    let Some(ServerOutput::Redirect { path, destinations, tag, .. }) = server.poll() else { panic!("no redirect") };
    assert_eq!((path, tag.as_slice()), (asker, &b"tag"[..]));
    assert_eq!(destinations.iter().map(|a| a.socket).collect::<Vec<_>>(), [addr(SEEN), addr(OWN)]);
    let Some(ServerOutput::Forward { session: 1, reply, .. }) = server.poll() else { panic!("no FIHello") };
    assert_eq!(reply.socket, asker.remote);
    assert_eq!(server.metrics().introductions, 1);
}

#[test]
fn registered_is_told_when_the_server_knows_the_addresses_and_not_before() {
    let mut server = server(None);
    let mut client = Client::register("rtmfp://h:1935".into(), None, vec![addr(OWN)]);
    server.peer_up(Instant::ZERO, 1, PEER, [3; 32], Path::to(addr(SEEN)));
    client.session_up(Instant::ZERO, 1);
    let mut told = false;
    for _ in 0..3 {
        let mut said = Vec::new();
        while let Some(output) = client.poll() {
            match output {
                ClientOutput::OpenControl { metadata, .. } => server.flow_opened(1, 2, metadata),
                ClientOutput::Send { message, .. } => said.push(message),
                ClientOutput::Event(ClientEvent::Registered { .. }) => {
                    told = true;
                    assert_eq!(server.metrics().registered, 1, "told before it was so");
                }
                _ => {}
            }
        }
        said.iter().for_each(|message| server.message(Instant::ZERO, 1, 2, message));
        client.heard();
        while let Some(output) = server.poll() {
            if let ServerOutput::Send { message, .. } = output {
                client.message(&message);
                // What the server acknowledged is what was sent before: the addresses are not out yet.
                client.heard();
            }
        }
    }
    assert!(told);
}

#[test]
fn who_asks_for_a_stranger_is_told_so_and_nothing_is_forwarded() {
    let mut server = server(None);
    server.ihello(Instant::ZERO, Path::to(addr(SEEN)), &epd::fingerprint(PEER), b"tag", 148);
    let Some(ServerOutput::Redirect { destinations, .. }) = server.poll() else { panic!("no redirect") };
    assert_eq!(destinations.iter().map(|a| a.socket).collect::<Vec<_>>(), [NOT_REGISTERED]);
    assert_eq!(server.poll(), None);
    let (_, _) = register(&mut server, None);
    server.peer_down(1);
    while server.poll().is_some() {}
    server.ihello(Instant::ZERO, Path::to(addr(SEEN)), &epd::fingerprint(PEER), b"tag", 148);
    assert!(matches!(server.poll(), Some(ServerOutput::Redirect { .. })));
    assert_eq!((server.metrics().unknown, server.metrics().registered), (2, 0));
}

#[test]
fn a_developer_key_is_asked_for_and_its_absence_named() {
    let mut server = server(Some(&["right"]));
    for (key, word) in [(None, "none was given"), (Some("wrong"), "does not know")] {
        let (events, outputs) = register(&mut server, key);
        let [ClientEvent::Refused(refusal)] = &events[..] else { panic!("{events:?}") };
        assert!(refusal.description.contains(word), "{refusal}");
        assert!(outputs.iter().any(|output| matches!(output, ServerOutput::Close { .. })));
        assert_eq!(server.metrics().registered, 0);
    }
    assert_eq!(server.metrics().refused_key, 2);
    let (events, _) = register(&mut server, Some("right"));
    assert!(matches!(events[..], [ClientEvent::Registered { .. }]));
}

#[test]
fn newcomers_and_seekers_are_sent_to_the_other_servers() {
    let others = vec![addr("192.0.2.1:1935"), addr("192.0.2.2:1935")];
    let config = ServerConfig { redirect_to: others.clone(), ..ServerConfig::default() };
    let mut server = Server::new(config, Rng::for_simulation(1));
    for epd in [epd::ancillary("rtmfp://h:1935"), epd::fingerprint(PEER)] {
        server.ihello(Instant::ZERO, Path::to(addr(SEEN)), &epd, b"tag", 148);
        let Some(ServerOutput::Redirect { destinations, .. }) = server.poll() else { panic!("no redirect") };
        let mut sent: Vec<_> = destinations.iter().map(|a| a.socket).collect();
        sent.sort();
        assert_eq!(sent, others);
    }
}

#[test]
fn a_session_that_never_connects_is_closed_and_limits_hold() {
    let limits = Limits { clients_per_prefix: 2, ..Limits::default() };
    let mut server = Server::new(ServerConfig { limits, ..ServerConfig::default() }, Rng::for_simulation(1));
    for session in 0..3 {
        server.peer_up(Instant::ZERO, session, PeerId([session as u8; 32]), [0; 32], Path::to(addr(SEEN)));
    }
    assert!(matches!(server.poll(), Some(ServerOutput::Event(ServerEvent::Refused { .. }))));
    assert_eq!(server.poll(), Some(ServerOutput::Close { session: 2 }));
    let deadline = server.deadline().unwrap();
    server.handle_timeout(deadline);
    let closed: Vec<_> = std::iter::from_fn(|| server.poll()).collect();
    assert_eq!(closed, [0, 1, 2].map(|session| ServerOutput::Close { session }));
    for session in 0..3 {
        server.peer_down(session);
    }
    assert_eq!(server.metrics().clients, 0);
}

#[test]
fn a_lost_session_is_replaced_and_registration_repeated() {
    let mut server = server(None);
    let mut client = Client::register("rtmfp://h:1935".into(), None, vec![addr(OWN)]);
    let _ = talk(&mut client, &mut server);
    server.peer_down(1);
    client.session_down(Instant::ZERO);
    let (events, _) = talk(&mut client, &mut server);
    assert_eq!(events, [ClientEvent::Lost, ClientEvent::Registered { observed: Some(addr(SEEN)) }]);
    assert_eq!(server.metrics().registered, 1);
}

/// What the server does for a client who is seen at [`SEEN`] and asks to have this port probed: where it sends, and what it
/// reports, at once and in the end.
fn ask_to_probe(
    server: &mut Server,
    now: Instant,
    session: SessionKey,
    port: u16,
) -> (BTreeSet<SocketAddr>, CheckReport) {
    let target = Some(ProbeTarget { peer: PEER, port });
    let question = messages::encode(&Command::ConnectivityCheck { transaction: 2.0, target });
    server.peer_up(now, session, PeerId([8; 32]), [3; 32], Path::to(addr(SEEN)));
    server.flow_opened(session, 2, CONTROL_METADATA);
    server.message(now, session, 2, &question);
    let mut probed = BTreeSet::new();
    loop {
        match server.poll() {
            Some(ServerOutput::Probe { path, epd, .. }) => {
                assert_eq!(epd, epd::fingerprint(PEER), "whom the client named");
                probed.insert(path.remote);
            }
            Some(ServerOutput::Send { message, .. }) => {
                let Ok(Command::CheckResult { report, .. }) = messages::decode(&message) else { panic!("no findings") };
                server.peer_down(session);
                return (probed, report);
            }
            Some(_) => {}
            None => {
                let next = server.deadline().expect("the check goes on");
                server.handle_timeout(next);
            }
        }
    }
}

#[test]
fn probes_on_request_go_to_the_askers_own_address_and_never_to_its_services() {
    let mut server = server(None);
    for (session, port, probed) in
        [(1, 40_001, vec![addr("203.0.113.9:40001")]), (2, 0, vec![]), (3, 53, vec![]), (4, 40_000, vec![])]
    {
        let (sent_to, report) = ask_to_probe(&mut server, Instant::ZERO, session, port);
        assert_eq!(sent_to.into_iter().collect::<Vec<_>>(), probed, "{port}");
        assert_eq!((report.observed, report.target_reached), (addr(SEEN), (session == 1).then_some(false)), "{port}");
    }
    assert_eq!((server.metrics().checks, server.metrics().limited), (1, 3));
}

#[test]
fn probes_on_request_are_limited_for_each_source() {
    let limits = Limits { targets_per_prefix: 1, ..Limits::default() };
    let mut server = Server::new(ServerConfig { limits, ..ServerConfig::default() }, Rng::for_simulation(1));
    let mut asked = |now: Instant, from: u64| {
        let mut granted = |session| !ask_to_probe(&mut server, now, session, 40_001).0.is_empty();
        (from..from + 20).filter(|&session| granted(session)).count()
    };
    assert_eq!(asked(Instant::ZERO, 0), 8, "the burst");
    assert_eq!(asked(Instant::ZERO + Duration::from_secs(3), 20), 3, "the rate");
    assert_eq!(server.metrics().limited, 29);
}

/// Sends the redirector's commands and returns what the server wants done.
fn redirect_register(mac: &str) -> Vec<ServerOutput> {
    let mut server = server(Some(&["secret"]));
    server.peer_up(Instant::ZERO, 1, PEER, [3; 32], Path::to(addr(SEEN)));
    server.flow_opened(1, 2, SIGNATURE);
    assert_eq!(server.poll(), Some(ServerOutput::Accept { session: 1, flow: 2, metadata: SIGNATURE }));
    let mac = crate::base::from_hex(mac).unwrap().try_into().unwrap();
    let commands = [
        RedirectorCommand::SimpleAuth { mac, key_id: b"alice" },
        RedirectorCommand::Settings { include_reflexive: true, additional: Vec::new() },
    ];
    for command in commands {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        server.message(Instant::ZERO, 1, 2, &bytes);
    }
    std::iter::from_fn(|| server.poll()).collect()
}

#[test]
fn programs_of_other_makes_register_in_the_redirectors_language() {
    // HMAC-SHA-256 of 32 bytes of 03 under "secret", from another implementation.
    let right = redirect_register("b9fabd2b8af46ef13d0335b9f8ff43a1239dd4b68efac024e4c972b5d03dfb9e");
    let [ServerOutput::Send { message, .. }, ServerOutput::Event(ServerEvent::Registered { peer: PEER, .. })] =
        &right[..]
    else {
        panic!("{right:?}")
    };
    assert_eq!(message[..2], [0x0d, 0x02]);
    let wrong = redirect_register("b9fabd2b8af46ef13d0335b9f8ff43a1239dd4b68efac024e4c972b5d03dfb9f");
    assert_eq!(wrong[0], ServerOutput::Reject { session: 1, flow: 2, code: 0x0a });
}

/// A client with this name registers at a server and joins a group on flow 3; what the server then wants.
fn join(server: &mut Server, name: u8, key: Option<&str>, group: crate::group::GroupId) -> Vec<ServerOutput> {
    let session = u64::from(name);
    server.peer_up(Instant::ZERO, session, PeerId([name; 32]), [3; 32], Path::to(addr(SEEN)));
    server.flow_opened(session, 2, CONTROL_METADATA);
    let connect = messages::encode(&Command::connect("rtmfp://h:1935", key.unwrap_or_default()));
    server.message(Instant::ZERO, session, 2, &connect);
    let _ = std::iter::from_fn(|| server.poll()).count();
    server.flow_opened(session, 3, JOIN_METADATA);
    server.message(Instant::ZERO, session, 3, &Join::Id(group).encode());
    std::iter::from_fn(|| server.poll()).collect()
}

/// Who is told of whom.
fn told(outputs: &[ServerOutput]) -> Vec<(SessionKey, PeerId)> {
    let tells = outputs.iter().filter_map(|output| match output {
        ServerOutput::Tell { session, flow: 3, message } => Some((*session, Member::decode(message).unwrap().0)),
        _ => None,
    });
    tells.collect()
}

#[test]
fn members_of_a_group_are_told_of_each_other_until_they_leave() {
    let mut server = server(None);
    let (group, other) = (crate::group::GroupId([1; 32]), crate::group::GroupId([2; 32]));
    assert_eq!(told(&join(&mut server, 1, None, group)), []);
    assert_eq!(told(&join(&mut server, 2, None, group)), [(2, PeerId([1; 32])), (1, PeerId([2; 32]))]);
    assert_eq!(told(&join(&mut server, 3, None, other)), []);
    assert_eq!((server.metrics().groups, server.metrics().memberships), (2, 3));
    server.flow_finished(1, 3);
    server.peer_down(3);
    assert_eq!((server.metrics().groups, server.metrics().memberships), (1, 1));
    assert_eq!(told(&join(&mut server, 4, None, group)), [(4, PeerId([2; 32])), (2, PeerId([4; 32]))]);
}

#[test]
fn who_is_not_let_in_joins_no_group_and_a_second_join_is_none() {
    let mut server = server(Some(&["right"]));
    let group = crate::group::GroupId([1; 32]);
    for (name, key) in [(1, None), (2, Some("wrong"))] {
        let outputs = join(&mut server, name, key, group);
        assert!(matches!(outputs[0], ServerOutput::Reject { flow: 3, .. }), "{outputs:?}");
    }
    join(&mut server, 3, Some("right"), group);
    server.message(Instant::ZERO, 3, 3, &Join::Id(crate::group::GroupId([9; 32])).encode());
    assert_eq!((server.metrics().groups, server.metrics().memberships, server.metrics().malformed), (1, 1, 1));
    let limit = ServerConfig::default().limits.groups_per_client;
    for flow in 4..4 + 2 * limit as u64 {
        server.flow_opened(3, flow, JOIN_METADATA);
        server.message(Instant::ZERO, 3, flow, &Join::Id(crate::group::GroupId([flow as u8; 32])).encode());
    }
    assert_eq!(server.metrics().memberships, limit as u64);
}

#[test]
fn a_client_joins_its_groups_again_whenever_it_has_registered() {
    let group = crate::group::GroupId([1; 32]);
    let mut client = Client::register("rtmfp://h:1935".into(), None, Vec::new());
    client.join(group);
    let joins = |client: &mut Client| {
        let outputs: Vec<ClientOutput> = std::iter::from_fn(|| client.poll()).collect();
        outputs.iter().filter(|output| matches!(output, ClientOutput::JoinGroup { .. })).count()
    };
    let welcome = messages::encode(&Command::Success { transaction: 1.0, observed: None });
    for session in [1, 2] {
        client.session_up(Instant::ZERO, session);
        assert_eq!(joins(&mut client), 0, "not before it is registered");
        client.message(&welcome);
        assert_eq!(joins(&mut client), 1);
        client.session_down(Instant::ZERO);
    }
    client.session_up(Instant::ZERO, 3);
    client.message(&welcome);
    let _ = joins(&mut client);
    client.group_refused(Instant::ZERO, group);
    let later = client.deadline().expect("it tries again");
    client.handle_timeout(later);
    assert_eq!(joins(&mut client), 1);
    client.group_message(group, &Member(PEER).encode());
    let named = ClientEvent::Member { group, peer: PEER };
    assert_eq!(client.poll(), Some(ClientOutput::Event(named)));
    client.leave(group);
    assert_eq!(client.poll(), Some(ClientOutput::LeaveGroup { session: 3, group }));
}
