//! The same bytes through p2pt, with a session, a flow and messages.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::{PeerId, Rng, SessionId};
use p2pt::crypto::{FarIdentity, Identity, IdentityKind, Initiation, Keyring, Policy, Refusal, Response, fingerprint};
use p2pt::node::{Dial, EndpointConfig, NodeConfig, Order, Priority};
use p2pt::runtime::clock::seeded_rng;
use p2pt::runtime::{Host, HostConfig, Item, Peer, Within};
use p2pt::wire::{IIKeying, OptionIter, WireOption, put_option};

use crate::measure::{Side, Task};
use crate::{MESSAGE, QUESTION};

/// The profiles that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Ours, the default.
    Strong,
    /// RFC 7425.
    Flash,
}

/// Receives, or answers, until the far end has what it wants.
pub(crate) async fn serve(side: &mut Side, profile: Profile) {
    let host = host(profile);
    side.ready(host.bound()[0], &host.peer_id().0);
    if let Task::Handshakes(_) = side.task {
        while let Some(incoming) = host.incoming().await {
            let peer = incoming.accept();
            tokio::spawn(async move { peer.closed().await });
        }
        return;
    }
    let peer = host.incoming().await.expect("somebody dials").accept();
    let mut flow = peer.accept_flow(Order::Original).await.expect("a flow");
    match side.task {
        Task::Bulk(size) => {
            side.begin();
            let mut got = 0;
            while let Some(item) = flow.next().await.expect("messages come") {
                let Item::Message { data, .. } = item else { panic!("nothing may be lost") };
                got += data.len() as u64;
            }
            side.end();
            assert_eq!(got, size, "all of it came");
        }
        _ => {
            let mut answers = peer.open_answer(&flow, b"", Priority::Immediate).expect("the flow is open");
            side.begin();
            // The dialler closes when it has enough.
            while let Ok(Some(Item::Message { data, .. })) = flow.next().await {
                answers.write(data, Within::UNLIMITED).await.expect("messages go");
            }
            side.end();
        }
    }
    peer.closed().await;
    host.shut_down().await;
}

/// Sends, or asks.
pub(crate) async fn dial(side: &mut Side, profile: Profile, to: SocketAddr, id: &[u8]) {
    let target = PeerId(id.try_into().expect("32 bytes"));
    match side.task {
        Task::Bulk(size) => {
            let host = host(profile);
            let peer = reach(&host, to, target).await;
            let mut flow = peer.open_flow(b"bulk", Priority::Bulk).expect("the session is open");
            let message = Bytes::from(vec![0x5a; MESSAGE]);
            side.begin();
            let mut left = size;
            while left > 0 {
                let part = message.slice(..left.min(MESSAGE as u64) as usize);
                left -= part.len() as u64;
                flow.write(part, Within::UNLIMITED).await.expect("messages go");
            }
            flow.finish().await.expect("acknowledged to the end");
            side.end();
            if std::env::var_os("P2PT_BENCH_STATS").is_some() {
                eprintln!("{:?}", peer.stats());
            }
            peer.close().await;
            host.shut_down().await;
        }
        Task::Echo(count) => {
            let host = host(profile);
            let peer = reach(&host, to, target).await;
            let mut questions = peer.open_flow(b"echo", Priority::Immediate).expect("the session is open");
            let question = Bytes::from(vec![0x5a; QUESTION]);
            questions.write(question.clone(), Within::UNLIMITED).await.expect("messages go");
            let mut answers = questions.answer(Order::Original).await.expect("an answer");
            answers.next().await.expect("messages come");
            side.begin();
            for _ in 0..count {
                let asked = side.lap();
                questions.write(question.clone(), Within::UNLIMITED).await.expect("messages go");
                answers.next().await.expect("messages come");
                side.lapped(asked);
            }
            side.end();
            peer.close().await;
            host.shut_down().await;
        }
        Task::Handshakes(time) => {
            side.begin();
            let end = tokio::time::Instant::now() + time;
            let one = async || {
                let host = host(profile);
                let mut count = 0;
                while tokio::time::Instant::now() < end {
                    reach(&host, to, target).await.close().await;
                    count += 1;
                }
                count
            };
            side.count = crate::measure::side_by_side(one).await;
            side.end();
        }
    }
}

async fn reach(host: &Host, to: SocketAddr, peer: PeerId) -> Peer {
    let timeout = Duration::from_secs(10);
    let dial = Dial { peer, candidates: vec![to], rendezvous: Vec::new(), multicast: Vec::new(), timeout };
    host.dial(&dial).await.expect("the server answers")
}

fn host(profile: Profile) -> Host {
    let mut rng = seeded_rng().expect("randomness");
    let flash = profile == Profile::Flash;
    let identity = Identity::generate(&mut rng, IdentityKind { flash, ..IdentityKind::default() });
    let keyring = Keyring::new(identity, Policy { flash, ..Policy::default() });
    let profile: Arc<dyn p2pt::crypto::Profile> =
        if flash { Arc::new(FlashOnly::new(keyring)) } else { Arc::new(keyring) };
    // All set-ups come from one address here, where a stranger would be held to 32 a second.
    let endpoint =
        EndpointConfig { keyings_per_second: 1 << 20, answer_bytes_per_second: 1 << 30, ..EndpointConfig::default() };
    let mut config = HostConfig::new(NodeConfig { profile, endpoint });
    config.bind = vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)];
    Host::start(config).expect("a socket")
}

/// A peer of another make, as p2pt sees it: two p2pt identities would never speak `flash` with each other.
#[derive(Debug)]
struct FlashOnly {
    keyring: Keyring,
    certificate: Vec<u8>,
}

impl FlashOnly {
    fn new(keyring: Keyring) -> Self {
        let mut certificate = Vec::new();
        for option in OptionIter(keyring.identity().certificate()) {
            // All but what marks p2pt's own, which leaves the static Diffie–Hellman key.
            if let WireOption::Option { kind, value } = option.expect("our own certificate")
                && kind != 0x2358
            {
                put_option(&mut certificate, kind, value);
            }
        }
        Self { keyring, certificate }
    }
}

impl p2pt::crypto::Profile for FlashOnly {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn peer_id(&self) -> PeerId {
        fingerprint(&self.certificate)
    }

    fn selects_near(&self, epd: &[u8]) -> bool {
        self.keyring.selects(epd, &self.certificate)
    }

    fn selects(&self, epd: &[u8], certificate: &[u8]) -> bool {
        self.keyring.selects(epd, certificate)
    }

    fn examine(&self, certificate: &[u8]) -> Result<FarIdentity, Refusal> {
        self.keyring.examine(certificate)
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.certificate.as_slice() <= far_certificate
    }

    fn initiate(&self, rng: &mut Rng, responder_certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal> {
        self.keyring.initiate(rng, responder_certificate)
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        self.keyring.screen(keying)
    }

    fn respond(
        &self,
        rng: &mut Rng,
        keying: &IIKeying<'_>,
        responder_session_id: SessionId,
    ) -> Result<Response, Refusal> {
        self.keyring.respond(rng, keying, responder_session_id)
    }
}
