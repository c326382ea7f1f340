//! Targets of the lanes on which letters travel: directed routing and distributed storage.

use std::sync::OnceLock;
use std::time::Duration;

use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{GroupAddress, GroupId, Neighbour, ReceiveMode, View};
use p2pt::service::routing::{Ack, Message, Routing, RoutingConfig};
use p2pt::service::storage::{Payload, SignedRecord, Storage, StorageConfig};

/// The corpus is signed for this group, at the beginning of 2026.
const GROUP: GroupId = GroupId([0x67; 32]);
const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_767_225_600) };

fn author() -> Identity {
    static AUTHOR: OnceLock<Identity> = OnceLock::new();
    AUTHOR.get_or_init(|| Identity::generate(&mut Rng::for_simulation(1), IdentityKind::default())).clone()
}

/// The sight of the first of three members, who knows a fourth.
fn view() -> View {
    let mut view = View::new(PeerId([1; 32]), ReceiveMode::Nearest);
    for peer in [PeerId([2; 32]), PeerId([3; 32])] {
        let (address, rtt) = (GroupAddress::of(peer), Duration::from_millis(10));
        view.insert_neighbour(Neighbour { peer, address, rtt, mode: ReceiveMode::Nearest });
    }
    view.insert_member(PeerId([9; 32]));
    view
}

/// Messages of directed routing, from a neighbour.
pub fn routes_message(data: &[u8]) {
    let (view, start) = (view(), Instant::ZERO);
    let ack_timeout = Duration::from_secs(10);
    let config = RoutingConfig { group: GROUP, author: author(), clock: CLOCK, ack_timeout };
    let mut routing = Routing::new(start, Rng::for_simulation(1), config);
    routing.message(start, &view, PeerId([2; 32]), data);
    let again = start + Duration::from_secs(1);
    routing.handle_timeout(again, &view);
    assert!(std::iter::from_fn(|| routing.poll()).count() <= 4);
    if let Ok(message) = Message::decode(data) {
        assert_eq!(Message::decode(&message.encode()).as_ref(), Ok(&message));
        let _ = message.author(GROUP, view.address());
    }
    if let Ok(ack) = Ack::decode(data) {
        assert_eq!(Ack::decode(&ack.encode()).as_ref(), Ok(&ack));
        let _ = ack.receiver(GROUP, view.address());
    }
}

/// Messages of distributed storage, from a neighbour.
pub fn records_message(data: &[u8]) {
    let (view, start) = (view(), Instant::ZERO);
    let (posting_key, grant, timeout) = (None, None, Duration::from_secs(10));
    let config =
        StorageConfig { group: GROUP, author: author(), posting_key, grant, clock: CLOCK, capacity: 1 << 20, timeout };
    let mut storage = Storage::new(start, Rng::for_simulation(1), config);
    storage.message(start, &view, PeerId([2; 32]), data);
    storage.handle_timeout(start + Duration::from_secs(60), &view);
    assert!(std::iter::from_fn(|| storage.poll()).count() <= 16);
    assert!(storage.stats().held.0 <= 1);
    if let Ok(Some(payload)) = Payload::decode(data) {
        assert_eq!(Payload::decode(&payload.encode()), Ok(Some(payload)));
    }
    if let Ok(record) = SignedRecord::decode(data) {
        assert_eq!(record.bytes(), data);
        let _ = record.check(GROUP, None, CLOCK.unix_millis(start));
    }
}
