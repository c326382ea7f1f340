//! Groups grow: who becomes whose neighbour, and how fast.

use super::net::{Net, ms};

#[test]
fn up_to_ten_are_a_full_mesh_and_nothing_waits_for_a_heartbeat() {
    for count in [2, 3, 5, 10] {
        let mut net = Net::new(count, ms(1));
        for _ in 0..count {
            net.join();
        }
        let took = net.until_closed(5, ms(500)).expect("a full mesh in half a second");
        assert!(net.living().iter().all(|&member| net.neighbours(member).len() + 1 == count as usize), "{took:?}");
        assert!((net.get(0).estimated_members() - count as f64).abs() < 0.1);
    }
}

#[test]
fn twenty_find_their_places() {
    let mut net = Net::new(4, ms(1));
    for _ in 0..20 {
        net.join();
        net.run(ms(20));
    }
    net.until_closed(3, ms(2000)).expect("each has its true neighbours on the ring within 2 s");
}
