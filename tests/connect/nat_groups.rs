//! A group whose members are behind real NATs of all kinds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{ChildStdin, Stdio};
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;

use crate::lab::{Lab, Nat, SERVER};
use crate::support::{Home, PATIENCE, Running, binary, skip};

/// Where the members are, and how many of the others each can connect to: a symmetric NAT and a port-restricted one keep
/// their members apart.
const SITES: [(Nat, u64); 6] = [
    (Nat::None, 5),
    (Nat::FullCone, 5),
    (Nat::AddressRestricted, 5),
    (Nat::PortRestricted, 4),
    (Nat::PortRestricted, 4),
    (Nat::Symmetric, 3),
];
/// Posts of each while the rendezvous lives.
const ROUNDS: usize = 5;

/// A `group join` in a namespace.
struct Member {
    home: Home,
    running: Running,
    input: ChildStdin,
}

impl Member {
    fn join(lab: &Lab, namespace: &str, address: &str) -> Self {
        let home = Home::new();
        let mut command = lab.command(namespace, binary().to_str().unwrap());
        home.clean(command.args(["group", "join", address, "--ready-file"]).arg(home.path().join("ready")));
        let mut running = Running::start(command.stdin(Stdio::piped()));
        let input = running.child.stdin.take().expect("it is piped");
        Self { home, running, input }
    }

    /// Waits until it listens to other commands.
    fn await_ready(&self) {
        self.running.await_that("ready", |_| self.home.path().join("ready").exists());
    }

    /// Its neighbours, as `group info` counts them; the socket is a file, and known in all namespaces.
    fn neighbours(&self, address: &str) -> Option<u64> {
        let told = self.home.run(["group", "info", "--json", address]);
        let info: Value = serde_json::from_str(&told.text()).ok()?;
        info["neighbor_count"].as_u64()
    }

    fn lines(&self) -> usize {
        self.running.wrote().lines().count()
    }
}

/// Who posted what.
#[derive(Default)]
struct Posts(BTreeMap<String, usize>);

impl Posts {
    fn post(&mut self, members: &mut [Member], poster: usize) {
        let post = format!("post {} from behind {:?}", self.0.len(), SITES[poster].0);
        writeln!(members[poster].input, "{post}").unwrap();
        self.0.insert(post, poster);
    }

    /// What a member has to print, in order of their text.
    fn due(&self, member: usize) -> Vec<&str> {
        self.0.iter().filter(|(_, poster)| **poster != member).map(|(post, _)| post.as_str()).collect()
    }

    fn await_all(&self, members: &[Member]) {
        for (at, member) in members.iter().enumerate() {
            let due = self.due(at).len();
            member.running.await_that(&format!("{due} posts behind {:?}", SITES[at].0), |_| member.lines() >= due);
        }
    }
}

#[test]
fn six_members_behind_nats_of_all_kinds_print_each_post_once_and_outlive_the_rendezvous() {
    if let Some(why) = Lab::unavailable() {
        return skip::skip("nat_groups", &why);
    }
    let home = Home::new();
    let mut lab = Lab::new();
    let sites = SITES.map(|(kind, _)| lab.site(kind));
    let ready = home.path().join("ready");
    let mut command = lab.command(&lab.server(), binary().to_str().unwrap());
    command.args(["rendezvous", "--listen", &format!("{}:1935", SERVER[0]), "--ready-file"]).arg(&ready);
    home.clean(&mut command);
    let rendezvous = Running::start(&mut command);
    rendezvous.await_that("rendezvous", |_| fs::read_to_string(&ready).is_ok_and(|text| text.ends_with('\n')));
    let spec = home.run(["group", "new"]).text();
    let address = format!("{}#{}", fs::read_to_string(&ready).unwrap().trim(), spec.trim());
    let file = home.path().join("group");
    fs::write(&file, address).unwrap();
    let address = format!("@{}", file.display());

    let begun = Instant::now();
    let mut members: Vec<Member> = sites.iter().map(|site| Member::join(&lab, &site.host, &address)).collect();
    members.iter().for_each(Member::await_ready);
    for (member, (kind, wanted)) in members.iter().zip(SITES) {
        let deadline = Instant::now() + PATIENCE;
        while member.neighbours(&address) != Some(wanted) {
            let said = member.running.said();
            assert!(Instant::now() < deadline, "{kind:?}: {:?} of {wanted}: {said}", member.neighbours(&address));
        }
    }
    println!("six members met within {:?}", begun.elapsed());

    let mut posts = Posts::default();
    for number in 0..ROUNDS * SITES.len() {
        posts.post(&mut members, number * 5 % SITES.len());
    }
    posts.await_all(&members);
    drop(rendezvous);
    for poster in 0..SITES.len() {
        posts.post(&mut members, poster);
    }
    posts.await_all(&members);

    // All that was printed twice, or out of turn, is there when they have ended.
    for (at, Member { running, input, home: _home }) in members.into_iter().enumerate() {
        running.signal(Signal::TERM);
        let ended = running.end(PATIENCE);
        drop(input);
        let mut printed: Vec<String> = ended.text().lines().map(str::to_owned).collect();
        printed.sort();
        assert_eq!(printed, posts.due(at), "behind {:?}: {}", SITES[at].0, ended.stderr);
    }
}
