//! The target of the lane of posts.

use std::sync::OnceLock;
use std::time::Duration;

use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{FIRST_ROOM, GroupId, Output};
use p2pt::service::posting::{Posting, PostingConfig};

/// The corpus is signed for this group, at the beginning of 2026.
const GROUP: GroupId = GroupId([0x67; 32]);
const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_767_225_600) };

/// Messages of the lane of posts, from a neighbour.
pub fn posts_message(data: &[u8]) {
    static AUTHOR: OnceLock<Identity> = OnceLock::new();
    let author = AUTHOR.get_or_init(|| Identity::generate(&mut Rng::for_simulation(1), IdentityKind::default()));
    let retention = Duration::from_secs(300);
    let config =
        PostingConfig { group: GROUP, author: author.clone(), posting_key: None, grant: None, clock: CLOCK, retention };
    let mut now = Instant::ZERO;
    let mut posting = Posting::new(now, Rng::for_simulation(1), config);
    let peer = PeerId([7; 32]);
    posting.peer_up(now, peer, Duration::from_millis(20));
    // WANT, COMPARE and LIST look at what is held; the certificate of a post is that of this author.
    if matches!(data.first(), Some(3 | 6 | 7)) {
        posting.post(now, None, "held".into()).expect("there is room");
    }
    posting.message(now, peer, data);
    let sent: usize = std::iter::from_fn(|| posting.poll())
        .map(|output| if let Output::Send(outgoing) = output { outgoing.data.len() } else { 0 })
        .sum();
    assert!(sent <= FIRST_ROOM);
    for _ in 0..8 {
        now = posting.deadline().map_or(now, |deadline| deadline.max(now));
        posting.handle_timeout(now);
        posting.writable(now, peer, FIRST_ROOM);
        assert!(std::iter::from_fn(|| posting.poll()).count() < 1000);
    }
}
