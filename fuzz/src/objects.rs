//! The target of the lanes of object replication.

use std::time::Duration;

use bytes::Bytes;
use p2pt::base::{Instant, PeerId, Rng};
use p2pt::group::{Lane, Output};
use p2pt::service::replication::{Replication, ReplicationConfig, ReplicationEvent, decode};

/// Messages about objects, from one of two neighbours: the first byte says on which lane.
pub fn objects_message(data: &[u8]) {
    let Some((&lane, message)) = data.split_first() else { return };
    let message = Bytes::copy_from_slice(message);
    let lane = if lane % 2 == 0 { Lane::Asks } else { Lane::Objects };
    let mut service = Replication::new(Instant::ZERO, Rng::for_simulation(1), ReplicationConfig::default());
    for peer in [PeerId([2; 32]), PeerId([3; 32])] {
        service.peer_up(Instant::ZERO, peer, Duration::from_millis(10));
    }
    service.add_have_objects(Instant::ZERO, 0..8).expect("in range");
    service.add_want_objects(Instant::ZERO, 8..1 << 20).expect("in range");
    for second in 0..8 {
        let now = Instant::from_micros(second * 1_000_000);
        service.message(now, PeerId([2; 32]), lane, &message);
        service.handle_timeout(now);
        let mut said = 0;
        while let Some(output) = service.poll(now) {
            said += 1;
            if let Output::Event(ReplicationEvent::Request { request, .. }) = output {
                service.write_requested_object(now, request, vec![0; 100].into()).expect("it is short");
            }
        }
        assert!(said <= 4_096, "{said} outputs");
    }
    if let Ok(records) = decode(&message) {
        let mut again = Vec::new();
        records.iter().for_each(|record| record.put(&mut again));
        assert_eq!(decode(&again), Ok(records));
    }
}
