//! The examples of RFC 7016 sections 3.6.2.8 and 3.6.3.4.7, as stories.

use super::test_support::*;
use super::*;

/// A sender of one-fragment messages that has sent everything up to `sequence`, each in a packet of its own.
fn sender_after(sequence: u64) -> Sender {
    let mut sender = Sender::new(SendOptions::default());
    send_up_to(&mut sender, sequence);
    sender
}

/// Writes and sends messages until `last`, and gives what went out with the last one.
fn send_up_to(sender: &mut Sender, last: u64) -> Option<(u64, u64)> {
    let mut sent = None;
    while sent.is_none_or(|(sequence, _)| sequence < last) {
        sender.write(b"message");
        let numbers = sender.numbers();
        assert_eq!(numbers.len(), 1);
        sent = numbers.first().copied();
    }
    sent
}

#[test]
fn figure_20_normal_flow_with_no_loss() {
    let mut sender = sender_after(24);
    sender.ack(16, &[]);
    assert_eq!(send_up_to(&mut sender, 25), Some((25, 16)));
    assert_eq!(send_up_to(&mut sender, 26), Some((26, 16)));
    sender.ack(18, &[]);
    assert_eq!(send_up_to(&mut sender, 27), Some((27, 18)));
    assert_eq!(send_up_to(&mut sender, 28), Some((28, 18)));
    assert!(!sender.naks.any);
}

#[test]
fn figure_21_flow_with_loss() {
    let mut sender = sender_after(44);
    sender.ack(30, &[]); // 1
    assert_eq!(send_up_to(&mut sender, 45), Some((45, 30))); // 2
    sender.ack(30, &[(32, 32)]); // 3
    assert!(sender.naks.any && sender.naks.lost_fragments == 0);
    assert_eq!(send_up_to(&mut sender, 46), Some((46, 30))); // 4
    sender.ack(30, &[(32, 32), (34, 34)]); // 5
    assert_eq!(sender.naks.lost_fragments, 0);
    sender.ack(30, &[(32, 32), (34, 35)]); // 6: 31 is lost
    assert_eq!(sender.naks.lost_fragments, 1);
    sender.flow.abandon(MessageId(30));
    assert_eq!(send_up_to(&mut sender, 47), Some((47, 32))); // 7
    sender.ack(30, &[(32, 32), (34, 36)]); // 8: 33 is lost
    assert_eq!(sender.naks.lost_fragments, 1);
    assert_eq!(sender.numbers(), [(33, 32)]); // 9
    sender.ack(30, &[(32, 32), (34, 37)]); // 10
    assert_eq!(send_up_to(&mut sender, 48), Some((48, 32))); // 11
    assert_eq!(send_up_to(&mut sender, 60), Some((60, 32))); // 12
    sender.ack(30, &[(34, 46)]); // 13
    assert_eq!(send_up_to(&mut sender, 61), Some((61, 32))); // 14
    sender.ack(32, &[(34, 47)]); // 15
    assert_eq!(send_up_to(&mut sender, 62), Some((62, 32))); // 16
    sender.ack(47, &[]); // 17
    assert_eq!(send_up_to(&mut sender, 63), Some((63, 47))); // 18
    sender.ack(49, &[]); // 19
    assert_eq!(send_up_to(&mut sender, 64), Some((64, 49))); // 20
    sender.ack(59, &[]); // 21
    sender.ack(59, &[(61, 61)]); // 22
    sender.ack(59, &[(61, 62)]); // 23
    assert_eq!(sender.naks.lost_fragments, 0);
    sender.ack(59, &[(61, 63)]); // 24: 60 is lost
    assert_eq!(sender.naks.lost_fragments, 1);
    sender.flow.abandon(MessageId(59));
    let update = sender.packet(1000); // 25
    assert_eq!(update.len(), 1);
    assert!(update[0].abandoned && update[0].data.is_empty() && !update[0].is_final);
    assert_eq!((update[0].sequence, update[0].forward), (60, 60));
    sender.ack(59, &[(61, 64)]); // 26
    assert!(!sender.flow.is_ready());
    sender.ack(64, &[]); // 27
    assert_eq!((sender.flow.outstanding(), sender.flow.has_work()), (0, false));
    let events = sender.events();
    assert_eq!(events.iter().filter(|event| matches!(event, SendEvent::Abandoned(_))).count(), 2);
    assert_eq!(events.len(), 64);
}

#[test]
fn figure_23_receiving_with_31_and_33_lost() {
    let mut flow = receiver(Order::Original, ReceiveLimits::default());
    let data = |flow: &mut RecvFlow, sequence, offset| {
        flow.on_data(at(0), &chunk(sequence, sequence - offset, b".")).ack_now()
    };
    for sequence in 1..=28 {
        data(&mut flow, sequence, 1);
    }
    take_ack(&mut flow);
    assert!(!data(&mut flow, 29, 11)); // 1
    assert!(!data(&mut flow, 30, 12)); // 2; the second packet makes the session acknowledge
    assert_eq!(take_ack(&mut flow).1, 30); // 3
    assert!(data(&mut flow, 32, 12)); // 4
    let (_, cumulative, ranges) = take_ack(&mut flow); // 5
    assert_eq!((cumulative, ranges), (30, vec![(32, 32)]));
    assert!(data(&mut flow, 34, 12)); // 6
    let (_, cumulative, ranges) = take_ack(&mut flow); // 7
    assert_eq!((cumulative, ranges), (30, vec![(32, 32), (34, 34)]));
    for sequence in 35..=46 {
        assert!(data(&mut flow, sequence, 16.min(sequence - 30))); // 8
    }
    let (_, cumulative, ranges) = take_ack(&mut flow); // 9
    assert_eq!((cumulative, ranges), (30, vec![(32, 32), (34, 46)]));
    told(&mut flow);
    assert!(data(&mut flow, 47, 15)); // 10
    let (_, cumulative, ranges) = take_ack(&mut flow); // 11
    assert_eq!((cumulative, ranges), (32, vec![(34, 47)]));
    assert_eq!(told(&mut flow), ["lost 31-31", "."]);
    assert!(data(&mut flow, 33, 1)); // 12
    assert_eq!(take_ack(&mut flow).1, 47); // 13
    assert_eq!(told(&mut flow).len(), 15);
    assert!(!data(&mut flow, 48, 16)); // 14
    assert!(!data(&mut flow, 49, 17)); // 15
    assert_eq!(take_ack(&mut flow).1, 49); // 16
}
