//! A chat in a group, on the library alone: `cargo run --example messenger -- NICK G:…`
//!
//! Members on this LAN find each other. What is typed is posted; others' posts, and who comes and goes, are printed.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use p2pt::base::{Instant, WallClock};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::endpoint::EndpointConfig;
use p2pt::group::{Groupspec, MembershipEvent};
use p2pt::node::posting::PostingEvent;
use p2pt::node::{GroupConfig, MemberConfig, MemberEvent, NodeConfig};
use p2pt::runtime::clock::seeded_rng;
use p2pt::runtime::multicast::{GROUP_V4, GROUP_V6};
use p2pt::runtime::{GroupItem, Host, HostConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [nick, spec] = &words[..] else { return Err("usage: messenger NICK G:…".into()) };
    let spec: Groupspec = spec.parse()?;

    // A fresh identity: to be the same next time, keep it with `Identity::to_bytes`.
    let me = Identity::generate(&mut seeded_rng()?, IdentityKind::default());
    let profile = Arc::new(Keyring::new(me.clone(), Policy::default()));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    let host = Host::start(HostConfig { lan: true, ..HostConfig::new(node) })?;

    // Posts are dated: the host's clock begins at zero, the time of day does not.
    let now = host.with_node(|_, now| now).since(Instant::ZERO);
    let clock = WallClock { at_zero: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? - now };
    let mut config = GroupConfig::new(MemberConfig::new(spec, me.peer_id(), me, clock));
    config.lan = vec![GROUP_V4, GROUP_V6];
    let group = host.join_group(config);

    let (typed, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| typed.send(line))
    });
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Some(line) = line else { break };
                if let Some(Err(why)) = group.with(|member, now| member.post(now, Some(nick), line.into())) {
                    eprintln!("not posted: {why}");
                }
            }
            item = group.next() => match item {
                Some(GroupItem::Event(MemberEvent::Posting(PostingEvent::Notify(post)))) => {
                    // Whatever others wrote is shown without what could move the cursor.
                    let safe = |text: &str| text.replace(char::is_control, " ");
                    let nick = post.nick.as_deref().unwrap_or("somebody");
                    println!("{} ({:.8}): {}", safe(nick), post.author, safe(&String::from_utf8_lossy(&post.body)));
                }
                Some(GroupItem::Event(MemberEvent::Membership(MembershipEvent::NeighborConnect { .. }))) => {
                    println!("* somebody is here");
                }
                Some(GroupItem::Event(MemberEvent::Membership(MembershipEvent::NeighborDisconnect { .. }))) => {
                    println!("* somebody has left");
                }
                Some(_) => {}
                None => break,
            },
        }
    }
    // What was said last gets a moment to arrive, and others hear that we leave.
    tokio::time::sleep(Duration::from_millis(300)).await;
    group.leave().await;
    host.shut_down().await;
    Ok(())
}
