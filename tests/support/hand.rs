//! What the tests of directed routing and of storage write by hand: one member, its neighbours, and an author's certificate.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use p2pt::base::{PeerId, WallClock};
use p2pt::group::{GroupAddress, GroupId, Neighbour, ReceiveMode, View};

/// 2026-01-01.
pub const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_767_225_600) };
/// For which the corpora of the fuzz targets are signed.
pub const GROUP: GroupId = GroupId([0x67; 32]);
/// The member.
pub const ME: PeerId = PeerId([1; 32]);
/// The neighbour that speaks.
pub const NEIGHBOUR: PeerId = PeerId([2; 32]);

/// What the member sees: two neighbours.
pub fn view() -> View {
    let mut view = View::new(ME, ReceiveMode::Nearest);
    for peer in [NEIGHBOUR, PeerId([3; 32])] {
        let (address, rtt) = (GroupAddress::of(peer), Duration::from_millis(10));
        view.insert_neighbour(Neighbour { peer, address, rtt, mode: ReceiveMode::Nearest });
    }
    view
}

/// A certificate of profile `strong`.
pub fn certificate(key: &SigningKey) -> Vec<u8> {
    let mark = [0x2b, 0xc6, 0x58, 0x38, 0x37, 0xf5, 0x7e, 0x19, 0xc7, 0xde, 0x0d, 0x01];
    [&mark[..], key.verifying_key().as_bytes(), &[0x02, 0x15, 0x10, 0x02, 0x15, 0x0e]].concat()
}
