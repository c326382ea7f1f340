//! How peers get together: two round trips, and one session even if both dial.

use crate::load::Load;
use crate::seeds::for_each_seed;
use crate::stage::{MS, NEAR, Pair, socket};
use p2pt::base::Rng;
use p2pt::sim::Link;
use std::time::Duration;

#[test]
fn a_session_takes_two_round_trips() {
    let mut pair = Pair::new(0, Link::IDEAL.delay(50 * MS));
    pair.dial();
    pair.wait_open(Duration::from_secs(1));
    // IHello and RHello, IIKeying and RIKeying; the responder knows with the first packet of the session.
    let [near, far] = pair.logs().map(|log| log[0].0.as_micros() / 1_000);
    assert_eq!((near, far), (200, 250));
}

/// RFC 7016 section 3.5.1.3: whoever dials whom and when, one session remains, the same for both, and it works.
#[test]
fn glare_leaves_one_session() {
    for_each_seed("glare_leaves", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let delay = [1, 20, 100][rng.below(3) as usize] * MS;
        let link = Link::IDEAL.delay(delay).jitter(delay / 2).loss([0.0, 0.0, 0.1, 0.2][rng.below(4) as usize]);
        let mut pair = Pair::new(seed, link);
        let (near, far, id) = (pair.near, pair.far, pair.id(pair.near));
        let later = rng.below(delay.as_micros() as u64 * 8);
        pair.dial();
        pair.world.run_for(Duration::from_micros(later));
        pair.world.command(far, |peer, now| peer.dial(now, id, socket(NEAR)));
        pair.wait_open(Duration::from_secs(95));
        // What was to be decided is decided by then, and whoever lost has been told so often that it knows.
        pair.world.run_for(Duration::from_secs(120));
        let sessions = [near, far].map(|host| pair.world.host(host).endpoint.sessions().collect::<Vec<_>>());
        assert_eq!(sessions.each_ref().map(Vec::len), [1, 1], "{:?}", pair.logs());
        let ids = [0, 1].map(|side: usize| {
            let endpoint = &pair.world.host([near, far][side]).endpoint;
            let session = endpoint.session(sessions[side][0]).expect("listed");
            let ids = [session.near_id(), session.far_id()];
            [ids[side], ids[1 - side]]
        });
        assert_eq!(ids[0], ids[1], "not the same session: {:?}", pair.logs());
        pair.loads(Some(Load::new(seed, 3, 500)), None);
        pair.world.command(near, |peer, now| peer.begin(now, sessions[0][0]));
        pair.wait_done(Duration::from_secs(60));
        pair.world.digest()
    });
}
