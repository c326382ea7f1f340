//! The rules of RFC 7016 section 3.6.3, one by one.

use std::time::Duration;

use crate::base::{Rng, from_hex};
use crate::wire::FragmentControl::{Begin, End, Middle, Whole};
use crate::wire::{AckForm, Chunk, Chunks, FragmentControl, UserData};

use super::test_support::*;
use super::*;

const SMALL: ReceiveLimits = ReceiveLimits { capacity: 10_240, max_capacity: 10_240, max_message: 100_000 };

fn part(sequence: u64, fragment: FragmentControl, data: &[u8]) -> UserData<'_> {
    UserData { fragment, ..chunk(sequence, 0, data) }
}

fn abandoned(sequence: u64, forward_sequence: u64) -> UserData<'static> {
    UserData { abandoned: true, ..chunk(sequence, forward_sequence, b"") }
}

fn last(chunk: UserData<'_>) -> UserData<'_> {
    UserData { is_final: true, ..chunk }
}

fn plain() -> RecvFlow {
    receiver(Order::Original, ReceiveLimits::default())
}

fn give(flow: &mut RecvFlow, chunk: UserData<'_>) -> AckReasons {
    flow.on_data(at(0), &chunk).reasons
}

fn chunks_in(packet: &[u8]) -> Vec<Chunk<'_>> {
    Chunks::new(packet).map(|raw| Chunk::decode(raw).unwrap()).collect()
}

#[test]
fn a_flow_opens_with_its_metadata_and_association() {
    let list = from_hex("02006d030a822c").unwrap();
    let opening = UserData { options: Some(&list), ..chunk(1, 0, b"x") };
    let mut asked = None;
    let flow = RecvFlow::open(&opening, SMALL, |id| {
        asked = Some(id);
        true
    });
    assert!(flow.is_open());
    assert_eq!((flow.metadata().as_ref(), flow.return_of(), asked), (&b"m"[..], Some(300), Some(300)));
}

#[test]
fn a_flow_is_rejected_without_metadata_with_a_dead_association_or_an_unknown_option() {
    let long = [from_hex("840200").unwrap(), vec![0; 513]].concat();
    let cases = [
        ("no options", None),
        ("no metadata", Some(from_hex("030a822c").unwrap())),
        ("association not open", Some(from_hex("02006d020a05").unwrap())),
        ("unknown option 1fff", Some(from_hex("02006d02bf7f").unwrap())),
        ("metadata of 513 bytes", Some(long)),
    ];
    for (case, options) in &cases {
        let opening = UserData { options: options.as_deref(), ..chunk(1, 0, b"x") };
        let mut flow = RecvFlow::open(&opening, SMALL, |id| id == 300);
        assert_eq!((flow.is_open(), flow.exception()), (false, Some(0)), "{case}");
        let reasons = give(&mut flow, opening);
        assert!(reasons.contains(AckReasons::NEW_FLOW | AckReasons::NOT_OPEN), "{case}");
        let mut packet = Vec::new();
        assert!(flow.put_ack(&mut packet, 100, AckForm::Compact, Fit::Truncated));
        assert_eq!(packet, from_hex("5e00020300510003030a01").unwrap(), "{case}");
        assert_eq!(flow.poll(), None, "the user has never heard of it");
    }
}

#[test]
fn unknown_options_from_8192_on_are_ignored() {
    let list = from_hex("02006d02c000").unwrap();
    assert!(RecvFlow::open(&UserData { options: Some(&list), ..chunk(1, 0, b"") }, SMALL, |_| false).is_open());
}

#[test]
fn an_unknown_option_later_on_rejects_and_tells_the_user() {
    let mut flow = plain();
    give(&mut flow, chunk(1, 0, b"x"));
    let reasons = give(&mut flow, UserData { options: Some(&[1, 5]), ..chunk(2, 0, b"y") });
    assert!(reasons.contains(AckReasons::REJECTED | AckReasons::NOT_OPEN));
    assert_eq!(told(&mut flow), ["Rejected"]);
    assert_eq!(take_ack(&mut flow).1, 2);
}

#[test]
fn messages_wait_for_the_user_to_accept() {
    let opening = UserData { options: METADATA, ..chunk(1, 0, b"early") };
    let mut flow = RecvFlow::open(&opening, SMALL, |_| false);
    give(&mut flow, opening);
    assert_eq!(flow.poll(), None);
    assert!(flow.buffered() > 5);
    flow.accept(Order::Original, SMALL);
    assert_eq!(told(&mut flow), ["early"]);
}

#[test]
fn accepting_as_received_delivers_what_is_complete_beyond_a_gap() {
    let opening = UserData { options: METADATA, ..part(2, Begin, b"be") };
    let mut flow = RecvFlow::open(&opening, SMALL, |_| false);
    for chunk in [opening, part(3, End, b"yond"), part(5, Middle, b"-"), part(7, Whole, b"far")] {
        give(&mut flow, chunk);
    }
    flow.accept(Order::AsReceived, SMALL);
    assert_eq!(told(&mut flow), ["beyond", "far"]);
}

#[test]
fn an_ordinary_fragment_may_wait_for_its_acknowledgement() {
    let mut flow = plain();
    assert_eq!(give(&mut flow, chunk(1, 0, b"a")), AckReasons::NEW_FLOW);
    assert_eq!(give(&mut flow, chunk(2, 1, b"b")), AckReasons::NONE);
    assert!(flow.should_ack());
    assert_eq!(take_ack(&mut flow), (64, 2, vec![]));
    assert_eq!(give(&mut flow, chunk(3, 2, b"c")), AckReasons::NONE);
}

#[test]
fn each_reason_to_acknowledge_at_once_is_reported() {
    let mut flow = plain();
    give(&mut flow, chunk(1, 0, b"a"));
    assert_eq!(give(&mut flow, chunk(3, 0, b"c")), AckReasons::GAP_AFTER);
    assert_eq!(give(&mut flow, chunk(4, 0, b"d")), AckReasons::GAP_BEFORE | AckReasons::GAP_AFTER);
    assert_eq!(give(&mut flow, chunk(2, 0, b"b")), AckReasons::GAP_BEFORE);
    assert_eq!(give(&mut flow, chunk(2, 0, b"b")), AckReasons::DUPLICATE);
    assert_eq!(give(&mut flow, abandoned(5, 4)), AckReasons::ABANDONED);
    assert_eq!(give(&mut flow, last(chunk(7, 4, b"e"))), AckReasons::FINAL | AckReasons::GAP_AFTER);
    assert_eq!(give(&mut flow, chunk(6, 4, b"f")), AckReasons::GAP_BEFORE | AckReasons::COMPLETE);
    assert_eq!(give(&mut flow, chunk(6, 4, b"f")), AckReasons::NOT_OPEN | AckReasons::DUPLICATE);
    let mut flow = receiver(Order::Original, SMALL);
    give(&mut flow, chunk(1, 0, &[0; 4000]));
    assert_eq!(give(&mut flow, chunk(2, 0, &[0; 5500])), AckReasons::NEARLY_FULL);
    assert_eq!(take_ack(&mut flow).0, 1);
    let _ = told(&mut flow);
    let _ = flow.consume(9500);
    assert_eq!(give(&mut flow, chunk(3, 0, b"x")), AckReasons::SMALL_WINDOW);
}

#[test]
fn original_order_is_restored_and_each_gap_reported_in_its_place() {
    let mut flow = plain();
    for chunk in [chunk(2, 0, b"b"), chunk(5, 0, b"e"), chunk(1, 0, b"a"), chunk(3, 0, b"c")] {
        give(&mut flow, chunk);
    }
    assert_eq!(told(&mut flow), ["a", "b", "c"]);
    give(&mut flow, chunk(9, 7, b"i"));
    assert_eq!(told(&mut flow), ["lost 4-4", "e", "lost 6-7"]);
    give(&mut flow, chunk(8, 7, b"h"));
    assert_eq!(told(&mut flow), ["h", "i"]);
}

#[test]
fn as_received_delivers_each_message_once_it_is_whole() {
    let mut flow = receiver(Order::AsReceived, SMALL);
    for chunk in [chunk(9, 0, b"i"), part(5, Middle, b"e"), part(6, End, b"f"), chunk(2, 0, b"b")] {
        give(&mut flow, chunk);
    }
    assert_eq!(told(&mut flow), ["i", "b"]);
    give(&mut flow, part(4, Begin, b"d"));
    assert_eq!(told(&mut flow), ["def"]);
    give(&mut flow, chunk(10, 8, b"j"));
    assert_eq!(told(&mut flow), ["lost 1-1", "lost 3-3", "lost 7-8", "j"]);
    assert_eq!(take_ack(&mut flow).1, 10);
    assert_eq!(flow.buffered(), 3 + 1 + 1 + 1 + 4 * 64);
}

#[test]
fn fragments_come_together_in_every_order() {
    let all =
        [part(2, Begin, b"a"), part(3, Middle, b"b"), part(4, Middle, b"c"), part(5, End, b"d"), chunk(6, 0, b"e")];
    for order in [Order::Original, Order::AsReceived] {
        for seed in 0..200 {
            let mut rng = Rng::for_simulation(seed);
            let mut rest: Vec<_> = all.into();
            let mut flow = receiver(order, SMALL);
            while !rest.is_empty() {
                let next = rest.swap_remove(rng.below(rest.len() as u64) as usize);
                give(&mut flow, next);
            }
            let mut early = told(&mut flow);
            early.sort();
            give(&mut flow, chunk(1, 0, b"first"));
            let late = told(&mut flow);
            println!("seed {seed}");
            match order {
                Order::Original => {
                    assert_eq!((early.len(), late), (0, vec!["first".into(), "abcd".into(), "e".into()]))
                }
                Order::AsReceived => assert_eq!((early.join(" "), late.join(" ")), ("abcd e".into(), "first".into())),
            }
        }
    }
}

#[test]
fn segments_that_can_never_be_completed_are_removed_and_reported() {
    // No begin; no end before the next message; neither.
    for (segment, what) in [
        (vec![part(1, Middle, b"x"), part(2, End, b"y")], "no begin"),
        (vec![part(1, Begin, b"x"), part(2, Middle, b"y")], "no end"),
        (vec![part(1, Middle, b"x"), part(2, Middle, b"y")], "neither"),
    ] {
        let mut flow = plain();
        for chunk in segment {
            give(&mut flow, chunk);
        }
        give(&mut flow, chunk(3, 0, b"next"));
        assert_eq!(told(&mut flow), ["lost 1-2", "next"], "{what}");
        let _ = flow.consume(4);
        assert_eq!(flow.buffered(), 0, "{what}");
    }
    let mut flow = plain();
    give(&mut flow, part(1, Begin, b"x"));
    assert_eq!(told(&mut flow), [""; 0], "it may still go on");
    give(&mut flow, part(3, End, b"z"));
    give(&mut flow, abandoned(3, 3));
    assert_eq!(told(&mut flow), ["lost 1-3"]);
    assert_eq!(flow.buffered(), 0);
}

#[test]
fn an_update_closes_gaps_wherever_it_points() {
    let mut flow = plain();
    give(&mut flow, abandoned(4, 4));
    give(&mut flow, chunk(5, 4, b"e"));
    assert_eq!(told(&mut flow), ["lost 1-4", "e"]);
    give(&mut flow, chunk(10, 5, b"j"));
    give(&mut flow, abandoned(1 << 60, 1 << 60));
    assert_eq!(told(&mut flow), ["lost 6-9", "j", &format!("lost 11-{}", 1u64 << 60)]);
    give(&mut flow, abandoned(u64::MAX, u64::MAX));
    assert_eq!(take_ack(&mut flow).1, u64::MAX);
    assert_eq!(told(&mut flow).len(), 1);
    assert!(give(&mut flow, chunk(3, 0, b"late")).contains(AckReasons::DUPLICATE));
    assert_eq!(told(&mut flow), [""; 0]);
}

#[test]
fn empty_messages_are_messages() {
    let mut flow = plain();
    give(&mut flow, chunk(1, 0, b""));
    give(&mut flow, part(2, Begin, b""));
    give(&mut flow, part(3, End, b""));
    assert_eq!(told(&mut flow), ["", ""]);
    let _ = flow.consume(0);
    assert_eq!(flow.buffered(), 0);
}

#[test]
fn the_end_of_the_flow_is_told_after_the_last_message() {
    let mut flow = plain();
    give(&mut flow, last(chunk(2, 0, b"b")));
    give(&mut flow, chunk(1, 0, b"a"));
    assert_eq!(told(&mut flow), ["a", "b", "Complete"]);
    assert!(!flow.is_open());
}

#[test]
fn a_mere_end_is_no_loss_and_an_abandoned_last_message_is_one() {
    for offset in [0, 1] {
        let mut flow = plain();
        give(&mut flow, chunk(1, 0, b"a"));
        give(&mut flow, last(abandoned(2, 2 - offset)));
        assert_eq!(told(&mut flow), ["a", "Complete"]);
        let mut flow = plain();
        give(&mut flow, chunk(1, 0, b"a"));
        give(&mut flow, last(UserData { fragment: End, ..abandoned(2, 2 - offset) }));
        assert_eq!(told(&mut flow), ["a", "lost 2-2", "Complete"]);
    }
    let mut flow = plain();
    give(&mut flow, part(1, Begin, b"a"));
    give(&mut flow, last(abandoned(2, 1)));
    assert_eq!(told(&mut flow), ["lost 1-1", "Complete"]);
}

#[test]
fn nothing_comes_after_the_end() {
    let mut flow = plain();
    give(&mut flow, last(chunk(2, 0, b"b")));
    assert!(give(&mut flow, chunk(3, 0, b"c")).contains(AckReasons::BEYOND_WINDOW));
    assert_eq!(take_ack(&mut flow), (64, 0, vec![(2, 2)]));
}

#[test]
fn a_complete_flow_lingers_two_minutes_and_acknowledges_late_copies() {
    let mut flow = plain();
    let the_end = last(chunk(1, 0, b"a"));
    let _ = flow.on_data(at(1000), &the_end);
    take_ack(&mut flow);
    assert_eq!(flow.deadline(), Some(at(121_000)));
    let receipt = flow.on_data(at(100_000), &the_end);
    assert!(receipt.ack_now());
    assert_eq!(take_ack(&mut flow).1, 1);
    assert_eq!(told(&mut flow), ["a", "Complete"]);
    flow.handle_timeout(at(120_999));
    assert!(flow.on_buffer_probe());
    flow.handle_timeout(at(121_000));
    assert_eq!(told(&mut flow), ["Gone"]);
    assert!(flow.is_gone() && !flow.should_ack() && flow.deadline().is_none());
    assert!(!flow.on_buffer_probe());
}

#[test]
fn a_flow_is_not_gone_before_its_messages_are_taken_or_refused() {
    for refuse in [false, true] {
        let mut flow = plain();
        flow.suspend();
        give(&mut flow, last(chunk(1, 0, b"a")));
        flow.handle_timeout(at(120_000));
        assert!(!flow.is_gone());
        if refuse {
            flow.reject(1);
            assert_eq!(told(&mut flow), [""; 0]);
        } else {
            let _ = flow.resume();
            assert_eq!(told(&mut flow), ["a", "Complete", "Gone"]);
        }
        assert!(flow.is_gone());
    }
}

#[test]
fn a_rejected_flow_keeps_nothing_acknowledges_all_and_says_so_each_time() {
    let mut flow = plain();
    give(&mut flow, chunk(1, 0, b"a"));
    give(&mut flow, chunk(3, 0, b"c"));
    take_ack(&mut flow);
    flow.reject(300);
    assert!(flow.should_ack());
    assert_eq!((flow.buffered(), told(&mut flow)), (0, vec![]));
    for sequence in [4, 2] {
        assert!(give(&mut flow, chunk(sequence, 0, &[0; 5000])).contains(AckReasons::NOT_OPEN));
        let mut packet = Vec::new();
        assert!(flow.put_ack(&mut packet, 100, AckForm::Range, Fit::Truncated));
        let chunks = chunks_in(&packet);
        assert_eq!(chunks[0], Chunk::FlowException { flow: 3, code: 300 });
        let Chunk::RangeAck(ack) = chunks[1] else { panic!("{chunks:?}") };
        assert_eq!(ack.cumulative, if sequence == 4 { 1 } else { 4 });
    }
    assert_eq!(flow.buffered(), 0);
    // Rejected for the same reason again: the first code stays.
    flow.reject(5);
    assert!(give(&mut flow, last(abandoned(5, 4))).contains(AckReasons::COMPLETE));
    let mut packet = Vec::new();
    assert!(flow.put_ack(&mut packet, 100, AckForm::Range, Fit::Truncated));
    assert_eq!(chunks_in(&packet)[0], Chunk::FlowException { flow: 3, code: 300 });
}

#[test]
fn an_acknowledgement_is_cut_only_if_it_leads_its_packet() {
    let mut flow = plain();
    for i in 1..40 {
        give(&mut flow, chunk(2 * i, 0, b"x"));
    }
    let mut packet = vec![0; 10];
    assert!(!flow.put_ack(&mut packet, 30, AckForm::Range, Fit::Whole));
    assert!((packet.len(), flow.should_ack()) == (10, true));
    assert!(flow.put_ack(&mut packet, 30, AckForm::Range, Fit::Truncated));
    assert!((28..=30).contains(&packet.len()) && !flow.should_ack());
    let Chunk::RangeAck(ack) = chunks_in(&packet[10..])[0] else { panic!("{packet:?}") };
    assert_eq!(ack.ranges().count(), 7);
    let mut tiny = Vec::new();
    assert!(!flow.put_ack(&mut tiny, 5, AckForm::Range, Fit::Truncated));
    assert_eq!(tiny, [0; 0]);
    assert!(flow.put_ack(&mut packet, 1000, AckForm::Bitmap, Fit::Whole));
}

#[test]
fn compact_takes_the_shorter_form() {
    let mut flow = plain();
    for i in 1..40 {
        give(&mut flow, chunk(2 * i, 0, b"x"));
    }
    let lens = [AckForm::Bitmap, AckForm::Range, AckForm::Compact].map(|form| {
        let mut packet = Vec::new();
        flow.put_ack(&mut packet, 1000, form, Fit::Truncated);
        packet.len()
    });
    assert!(lens[0] < lens[1] && lens[2] == lens[0], "{lens:?}");
}

#[test]
fn a_slow_reader_closes_the_window_and_reopens_it() {
    let mut flow = receiver(Order::Original, SMALL);
    for sequence in 1..=10 {
        give(&mut flow, chunk(sequence, 0, &[0; 1024]));
    }
    assert_eq!(told(&mut flow).len(), 10);
    assert_eq!(take_ack(&mut flow).0, 0);
    assert!(!flow.consume(1024), "too little to be worth a packet");
    assert!(!flow.should_ack());
    assert!(flow.consume(2048));
    assert_eq!(take_ack(&mut flow).0, 3);
    assert!(!flow.consume(1024));
}

#[test]
fn an_unfinished_message_leaves_one_block_open_unless_suspended_or_without_capacity() {
    let mut flow = receiver(Order::Original, SMALL);
    give(&mut flow, part(1, Begin, &[0; 9000]));
    for sequence in 2..=9 {
        give(&mut flow, part(sequence, Middle, &[0; 9000]));
        assert_eq!(take_ack(&mut flow).0, 1, "what comes next in order can always be taken");
    }
    flow.suspend();
    assert!(flow.on_buffer_probe());
    assert_eq!(take_ack(&mut flow).0, 0);
    assert!(flow.resume());
    assert_eq!(take_ack(&mut flow).0, 1);
    give(&mut flow, part(10, End, b"end"));
    assert_eq!(told(&mut flow)[0].len(), 81_003);
    let mut closed = receiver(Order::Original, ReceiveLimits { capacity: 0, max_capacity: 0, ..SMALL });
    assert!(give(&mut closed, chunk(1, 0, b"x")).contains(AckReasons::BEYOND_WINDOW));
    assert_eq!(take_ack(&mut closed), (0, 0, vec![]));
}

#[test]
fn what_lies_beyond_the_window_is_dropped_without_acknowledgement_and_taken_later() {
    let mut flow = receiver(Order::Original, SMALL);
    let mut taken = Vec::new();
    for sequence in 2..=40 {
        if !give(&mut flow, chunk(sequence, 0, &[0; 1024])).contains(AckReasons::BEYOND_WINDOW) {
            taken.push(sequence);
        }
        assert!(flow.buffered() <= 2 * SMALL.capacity);
    }
    assert_eq!(taken, (2..=19).collect::<Vec<_>>());
    assert_eq!(take_ack(&mut flow), (1, 0, vec![(2, 19)]));
    give(&mut flow, chunk(1, 0, &[0; 1024]));
    assert_eq!(told(&mut flow).len(), 19);
    let _ = flow.consume(19 * 1024);
    assert_eq!(give(&mut flow, chunk(20, 0, b"now")), AckReasons::SMALL_WINDOW);
    assert_eq!(told(&mut flow), ["now"]);
}

#[test]
fn neither_far_numbers_nor_many_gaps_nor_tiny_fragments_take_memory_without_end() {
    let mut flow = plain();
    assert!(give(&mut flow, chunk(1 << 40, 0, b"x")).contains(AckReasons::BEYOND_WINDOW));
    assert!(give(&mut flow, abandoned(1 << 40, 0)).contains(AckReasons::BEYOND_WINDOW));
    for i in 1..10_000 {
        give(&mut flow, chunk(2 * i, 0, b"x"));
    }
    assert!(flow.buffered() <= 2 * flow.capacity());
    // A rejected flow keeps nothing but numbers.
    flow.reject(0);
    for i in 1..10_000 {
        give(&mut flow, chunk(2 * i, 0, b"x"));
    }
    assert!(give(&mut flow, chunk(30_000, 0, b"x")).contains(AckReasons::BEYOND_WINDOW));
    let (blocks, _, _) = take_ack(&mut flow);
    assert_eq!(blocks, 1, "gaps without end hold the window back");
    assert!(!give(&mut flow, chunk(1, 0, b"x")).contains(AckReasons::BEYOND_WINDOW), "closing a gap is welcome");
}

#[test]
fn a_message_above_the_limit_rejects_the_flow() {
    for order in [Order::Original, Order::AsReceived] {
        let mut flow = receiver(order, ReceiveLimits { max_message: 15_000, ..SMALL });
        give(&mut flow, part(1, Begin, &[0; 9000]));
        let reasons = give(&mut flow, part(2, Middle, &[0; 9000]));
        assert!(reasons.contains(AckReasons::REJECTED));
        assert_eq!(told(&mut flow), ["Rejected"]);
        assert_eq!((flow.exception(), flow.buffered()), (Some(0), 0));
    }
}

#[test]
fn the_window_grows_with_what_the_user_takes_in_a_round_trip() {
    let mut flow = receiver(Order::Original, ReceiveLimits { max_capacity: 1 << 20, ..ReceiveLimits::default() });
    flow.set_rtt(Duration::from_millis(50));
    let mut sequence = 0;
    for round in 0..8 {
        for _ in 0..flow.capacity() / 1024 {
            sequence += 1;
            let _ = flow.on_data(at(round * 50), &chunk(sequence, 0, &[0; 1000]));
            assert_eq!(told(&mut flow).len(), 1);
            let _ = flow.consume(1000);
        }
    }
    assert_eq!(flow.capacity(), 1 << 20);
    assert_eq!(take_ack(&mut flow).0, 1024);
}

#[test]
fn arbitrary_chunks_never_panic_and_never_fill_the_memory() {
    for seed in 0..1000 {
        let mut rng = Rng::for_simulation(seed);
        let order = if rng.below(2) == 0 { Order::Original } else { Order::AsReceived };
        let mut flow = receiver(order, ReceiveLimits { max_message: 3000, ..SMALL });
        let mut top = 1;
        let payload = [0; 700];
        for step in 0..300 {
            top = match rng.below(50) {
                0 => u64::MAX - rng.below(3),
                1 => top.saturating_add(rng.below(1000)),
                _ => top,
            };
            let sequence = top.saturating_sub(10).saturating_add(rng.below(20)).max(1);
            let sequence = if rng.below(60) == 0 { rng.u64().max(1) } else { sequence };
            let abandoned = rng.below(5) == 0;
            let offset = rng.below(12).clamp(u64::from(!abandoned), sequence);
            let chunk = UserData {
                fragment: [Whole, Begin, Middle, End][rng.below(4) as usize],
                abandoned,
                is_final: rng.below(200) == 0,
                ..chunk(sequence, sequence - offset, if abandoned { b"" } else { &payload[..rng.below(700) as usize] })
            };
            let receipt = flow.on_data(at(step), &chunk);
            assert!(flow.should_ack() && (receipt.ack_now() || flow.is_open()), "seed {seed}");
            assert!(flow.buffered() <= 3 * SMALL.capacity + 3000 + 700, "seed {seed}");
            if rng.below(3) == 0 {
                while let Some(event) = flow.poll() {
                    if let RecvEvent::Message { data, .. } = event {
                        let _ = flow.consume(data.len());
                    }
                }
            }
            let mut packet = Vec::new();
            let put = flow.put_ack(&mut packet, 60, AckForm::Compact, Fit::Truncated);
            assert!(put && packet.len() <= 60, "seed {seed}");
        }
    }
}
