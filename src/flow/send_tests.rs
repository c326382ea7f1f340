//! The rules of RFC 7016 section 3.6.2, one by one.

use std::time::Duration;

use bytes::Bytes;

use crate::base::{Rng, from_hex};
use crate::wire::FragmentControl::{Begin, End, Middle, Whole};

use super::test_support::*;
use super::*;

fn options(packet_space: usize) -> SendOptions {
    SendOptions { packet_space, ..SendOptions::default() }
}

fn finish_by(millis: u64) -> Lifetime {
    Lifetime { start_by: None, finish_by: Some(at(millis)) }
}

fn start_by(millis: u64) -> Lifetime {
    Lifetime { start_by: Some(at(millis)), finish_by: None }
}

fn lens(chunks: &[Sent]) -> Vec<usize> {
    chunks.iter().map(|chunk| chunk.data.len()).collect()
}

#[test]
fn first_chunk_of_a_flow_is_as_the_flash_profile_shows_it() {
    let mut flow = SendFlow::open(2, b"TC\x04\x00", None, SendOptions::default()).unwrap();
    flow.write(at(0), Bytes::from_static(b"payload"), Lifetime::UNLIMITED).unwrap();
    let mut out = Vec::new();
    flow.assemble(at(0), &mut out, 1000, &mut 1);
    assert_eq!(out, from_hex("10001280020101050054430400007061796c6f6164").unwrap());
}

#[test]
fn messages_in_one_packet_are_as_figure_3_shows_them() {
    let mut sender = Sender::new(SendOptions::default());
    for sequence in 1..=4 {
        sender.write(&[sequence]);
        sender.numbers();
    }
    sender.ack(2, &[]);
    for data in [[0, 1, 2], [3, 4, 5], [6, 7, 8]] {
        sender.write(&data);
    }
    let mut out = Vec::new();
    sender.flow.assemble(at(0), &mut out, 1000, &mut sender.tsn);
    assert_eq!(out, from_hex("100007000205030001021100040003040511000400060708").unwrap());
}

#[test]
fn startup_options_lead_each_packet_until_the_first_acknowledgement() {
    let mut flow = SendFlow::open(2, b"m", Some(300), SendOptions::default()).unwrap();
    let expected = from_hex("02006d030a822c").unwrap();
    let mut tsn = 1;
    for _ in 0..2 {
        for _ in 0..2 {
            flow.write(at(0), Bytes::from_static(b"x"), Lifetime::UNLIMITED).unwrap();
        }
        let mut out = Vec::new();
        flow.assemble(at(0), &mut out, 1000, &mut tsn);
        let sent: Vec<_> = chunks_of(&out).into_iter().map(|chunk| chunk.options).collect();
        assert_eq!(sent, [Some(expected.clone()), None]);
    }
    assert!(!flow.is_established());
    let mut sender = Sender { flow, now: at(0), tsn, max_tsn_ack: 0, naks: Naks::default() };
    sender.ack(0, &[]);
    assert!(sender.flow.is_established());
    sender.write(b"x");
    assert_eq!(sender.packet(1000)[0].options, None);
}

#[test]
fn metadata_has_a_limit() {
    assert!(SendFlow::open(2, &[0; 512], None, SendOptions::default()).is_ok());
    let error = SendFlow::open(2, &[0; 513], None, SendOptions::default()).unwrap_err();
    assert_eq!(error, OpenError::MetadataTooLong);
}

#[test]
fn large_messages_become_begin_middle_end_and_fill_packets() {
    let mut sender = Sender::new(options(500));
    let data: Vec<u8> = (0..1600).map(|i| i as u8).collect();
    sender.write(&data);
    sender.write(&data);
    let packets: Vec<_> = std::iter::repeat_with(|| sender.packet(500)).take(8).collect();
    let all: Vec<Sent> = packets.concat();
    assert_eq!(
        all.iter().map(|chunk| chunk.control).collect::<Vec<_>>(),
        [Begin, Middle, Middle, End, Begin, Middle, Middle, End]
    );
    assert_eq!(all.iter().map(|chunk| chunk.sequence).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert_eq!(all.iter().flat_map(|chunk| chunk.data.clone()).collect::<Vec<_>>(), [&data[..], &data[..]].concat());
    // The second message begins in the packet where the first ends.
    assert_eq!(packets[3].iter().map(|chunk| chunk.control).collect::<Vec<_>>(), [End, Begin]);
    assert_eq!(packets[7], []);
}

#[test]
fn a_message_is_not_split_for_the_last_few_bytes_of_a_packet() {
    let mut sender = Sender::new(options(500));
    sender.write(&[1; 400]);
    sender.write(&[2; 300]);
    let first = sender.packet(500);
    assert_eq!(lens(&first), [400]);
    let mut out = Vec::new();
    let assembled = sender.flow.assemble(at(0), &mut out, 90, &mut sender.tsn);
    assert_eq!((assembled.fragments, assembled.bytes), (0, 0));
    assert!(assembled.needs.unwrap() > 300);
    assert_eq!(lens(&sender.packet(500)), [300]);
}

#[test]
fn packet_size_counts_for_what_is_not_yet_sent_and_every_fragment_fits_alone() {
    let mut sender = Sender::new(options(500));
    sender.write(&[7; 3000]);
    let first = sender.packet(500);
    sender.flow.set_packet_space(1000);
    let second = sender.packet(1000);
    assert!(second[0].data.len() > 900);
    sender.flow.set_packet_space(300);
    let rest: Vec<_> = std::iter::repeat_with(|| sender.packet(1000)).take_while(|packet| !packet.is_empty()).collect();
    assert!(rest.concat().iter().all(|chunk| chunk.data.len() < 300));
    // Lost, the fragment of the time of large packets no longer fits; what it takes is said.
    assert!(sender.flow.on_timeout());
    sender.ack(1, &[]);
    let mut out = Vec::new();
    let assembled = sender.flow.assemble(at(0), &mut out, 300, &mut sender.tsn);
    assert_eq!(assembled.fragments, 0);
    let again = sender.packet(assembled.needs.unwrap());
    assert_eq!((again.len(), &again[0].data), (1, &second[0].data));
    let rest = std::iter::repeat_with(|| sender.packet(300)).take_while(|packet| !packet.is_empty()).flatten();
    let bytes: usize = rest.map(|chunk| chunk.data.len()).sum();
    assert_eq!(bytes, 3000 - first[0].data.len() - second[0].data.len());
}

#[test]
fn outstanding_bytes_are_the_encoded_chunks_and_bound_by_the_window() {
    let mut sender = Sender::new(options(1000));
    sender.write(&[0; 100_000]);
    let mut bytes = 0;
    while sender.flow.is_ready() {
        let mut out = Vec::new();
        let assembled = sender.flow.assemble(at(0), &mut out, 1000, &mut sender.tsn);
        assert_eq!(assembled.bytes, out.len());
        bytes += out.len();
    }
    assert_eq!(sender.flow.outstanding(), bytes);
    assert!((65536..66536).contains(&bytes), "{bytes}");
    assert!(sender.flow.has_work());
    let outcome = sender.ack_with(10, 3, &[]);
    assert_eq!(outcome.acked_bytes, bytes - sender.flow.outstanding());
    assert!(outcome.acked_bytes > 2900);
    assert!(!sender.flow.is_ready(), "ten blocks are announced and more is under way");
}

#[test]
fn losses_are_sent_again_before_new_data_the_lowest_first() {
    let mut sender = Sender::new(SendOptions::default());
    for i in 0..6 {
        sender.write(&[i]);
        sender.numbers();
    }
    sender.ack(1, &[(4, 4)]);
    sender.ack(1, &[(4, 5)]);
    assert!(sender.naks.any);
    assert_eq!(sender.naks.lost_fragments, 0);
    sender.ack(1, &[(4, 6)]);
    assert_eq!(sender.naks.lost_fragments, 2);
    assert_eq!(sender.flow.outstanding(), 0);
    sender.write(b"new");
    assert_eq!(sender.numbers(), [(2, 1), (3, 1), (7, 1)]);
}

#[test]
fn a_fragment_sent_again_needs_three_negative_acknowledgements_anew() {
    let mut sender = Sender::new(SendOptions::default());
    for i in 0..9 {
        sender.write(&[i]);
        sender.numbers();
    }
    for top in 2..=4 {
        sender.ack(0, &[(2, top)]);
    }
    assert_eq!((sender.naks.lost_fragments, sender.numbers()), (1, vec![(1, 0)]));
    for top in 5..=9 {
        sender.ack(0, &[(2, top)]);
        assert_eq!(sender.naks, Naks::default(), "sent after all that is acknowledged here");
    }
    for i in 10..=12 {
        sender.write(&[i]);
        sender.numbers();
        sender.ack(0, &[(2, u64::from(i))]);
        assert!(sender.naks.any);
    }
    assert_eq!(sender.naks.lost_fragments, 1);
}

#[test]
fn a_negative_acknowledgement_comes_from_any_flow_of_the_session() {
    let mut sender = Sender::new(SendOptions::default());
    sender.write(b"lost");
    sender.numbers();
    let another_flow = sender.tsn;
    for packet in 1..=3 {
        let naks = sender.flow.on_naks(another_flow);
        assert!(naks.any);
        assert_eq!(naks.lost_fragments, usize::from(packet == 3));
    }
}

#[test]
fn timeout_makes_everything_in_flight_lost() {
    let mut sender = Sender::new(SendOptions::default());
    assert!(!sender.flow.on_timeout());
    for i in 0..3 {
        sender.write(&[i]);
        sender.numbers();
    }
    sender.ack(0, &[(2, 2)]);
    assert!(sender.flow.on_timeout());
    assert_eq!(sender.flow.outstanding(), 0);
    assert_eq!(sender.numbers(), [(1, 0), (3, 0)]);
    assert!(sender.flow.on_timeout());
    // An acknowledgement of what was taken for lost saves sending it again.
    sender.ack(3, &[]);
    assert!(!sender.flow.has_work());
}

#[test]
fn a_message_abandoned_before_it_is_sent_takes_one_number_and_what_follows_tells_so() {
    let mut sender = Sender::new(SendOptions::default());
    let gone = sender.write(&[0; 5000]);
    sender.write(b"stays");
    sender.flow.abandon(gone);
    sender.flow.abandon(gone);
    assert_eq!(sender.events(), [SendEvent::Abandoned(gone)]);
    assert_eq!(sender.flow.buffered(), 5);
    assert_eq!(sender.numbers(), [(2, 1)]);
}

#[test]
fn a_message_abandoned_half_way_is_followed_by_an_abandoned_number_for_its_remainder() {
    let mut sender = Sender::new(options(500));
    let gone = sender.write(&[0; 5000]);
    sender.packet(500);
    sender.packet(500);
    sender.flow.abandon(gone);
    assert_eq!(sender.flow.buffered(), 0);
    assert!(!sender.flow.has_work(), "both fragments are in flight");
    sender.ack(2, &[]);
    let update = sender.packet(500);
    assert_eq!((update.len(), update[0].sequence, update[0].forward, update[0].abandoned), (1, 3, 3, true));
    sender.ack(3, &[]);
    assert_eq!(sender.events(), [SendEvent::Abandoned(gone)]);
    assert!(!sender.flow.has_work());
}

#[test]
fn forward_sequence_number_does_not_pass_an_abandoned_fragment_whose_data_is_in_flight() {
    let mut sender = Sender::new(SendOptions::default());
    let gone = sender.write(b"in flight");
    sender.numbers();
    sender.flow.abandon(gone);
    sender.write(b"next");
    assert_eq!(sender.numbers(), [(2, 0)]);
    sender.flow.on_timeout();
    assert_eq!(sender.numbers(), [(2, 1)]);
}

#[test]
fn an_update_that_is_lost_is_sent_again_and_not_for_ever() {
    let mut sender = Sender::new(SendOptions::default());
    let gone = sender.write(b"gone");
    sender.flow.abandon(gone);
    for _ in 0..3 {
        assert_eq!(sender.numbers(), [(1, 1)]);
        assert!(!sender.flow.has_work());
        sender.flow.on_timeout();
    }
    sender.ack(1, &[]);
    assert!(!sender.flow.has_work());
}

#[test]
fn a_gap_that_is_still_there_when_all_is_acknowledged_is_closed_by_an_update() {
    let mut sender = Sender::new(SendOptions::default());
    let gone = sender.write(b"gone");
    sender.write(b"early copy arrives");
    sender.numbers();
    sender.flow.on_timeout();
    sender.flow.abandon(gone);
    assert_eq!(sender.numbers(), [(2, 1)]);
    // The far end got the first copy of 2, with FSN 0; the second copy is lost.
    sender.ack(0, &[(2, 2)]);
    assert_eq!(
        sender.packet(1000).iter().map(|c| (c.sequence, c.forward, c.abandoned)).collect::<Vec<_>>(),
        [(2, 2, true)]
    );
    sender.ack(2, &[]);
    assert!(!sender.flow.has_work());
    sender.write(b"on");
    assert_eq!(sender.numbers(), [(3, 2)]);
}

#[test]
fn start_by_abandons_only_what_has_not_begun() {
    let mut sender = Sender::new(options(500));
    let begun = sender.flow.write(at(0), Bytes::from(vec![0; 900]), start_by(100)).unwrap();
    let late = sender.flow.write(at(0), Bytes::from_static(b"late"), start_by(100)).unwrap();
    assert_eq!(sender.flow.deadline(), Some(at(100)));
    assert_eq!(sender.packet(500).len(), 1);
    sender.flow.handle_timeout(at(99));
    assert_eq!(sender.events(), []);
    sender.now = at(100);
    assert_eq!(sender.packet(1000).iter().map(|chunk| chunk.control).collect::<Vec<_>>(), [End]);
    assert_eq!(sender.events(), [SendEvent::Abandoned(late)]);
    assert_eq!(sender.flow.deadline(), None);
    sender.ack(2, &[]);
    assert_eq!(sender.events(), [SendEvent::Delivered(begun)]);
}

#[test]
fn finish_by_abandons_what_is_not_acknowledged() {
    let mut sender = Sender::new(SendOptions::default());
    let both = Lifetime { start_by: Some(at(50)), finish_by: Some(at(200)) };
    let ids: Vec<_> = [both, finish_by(300), finish_by(100)]
        .map(|lifetime| sender.flow.write(at(0), Bytes::from_static(b"x"), lifetime).unwrap())
        .into();
    assert_eq!(sender.flow.deadline(), Some(at(50)));
    assert_eq!(sender.numbers().len(), 3);
    assert_eq!(sender.flow.deadline(), Some(at(100)));
    sender.ack(0, &[(3, 3)]);
    assert_eq!(sender.flow.deadline(), Some(at(200)));
    sender.flow.handle_timeout(at(250));
    assert_eq!(sender.events(), [SendEvent::Delivered(ids[2]), SendEvent::Abandoned(ids[0])]);
    assert_eq!(sender.flow.deadline(), Some(at(300)));
}

#[test]
fn close_marks_the_last_fragment_if_it_has_not_been_sent() {
    let mut sender = Sender::new(options(500));
    sender.write(&[0; 700]);
    sender.packet(500);
    sender.flow.close();
    assert!(!sender.flow.is_open());
    assert_eq!(sender.flow.write(at(0), Bytes::new(), Lifetime::UNLIMITED), Err(WriteError::Closed));
    let last = sender.packet(500);
    assert_eq!((last.len(), last[0].is_final, last[0].abandoned, last[0].control), (1, true, false, End));
    sender.flow.on_timeout();
    assert!(sender.packet(500).iter().all(|chunk| chunk.is_final == (chunk.sequence == 2)));
}

#[test]
fn close_adds_an_abandoned_number_if_the_last_fragment_was_sent_or_may_be_abandoned_or_never_was() {
    for case in ["sent", "perishable", "never"] {
        let mut sender = Sender::new(SendOptions::default());
        match case {
            "sent" => {
                sender.write(b"x");
                sender.numbers();
            }
            "perishable" => {
                sender.flow.write(at(0), Bytes::from_static(b"x"), finish_by(100)).unwrap();
            }
            _ => {}
        }
        sender.flow.close();
        let last = sender.packet(1000).pop().unwrap();
        assert_eq!((last.is_final, last.abandoned, last.control), (true, true, Whole), "{case}");
        assert_eq!(last.sequence, if case == "never" { 1 } else { 2 }, "{case}");
    }
}

#[test]
fn an_abandoned_last_message_does_not_look_like_a_mere_end() {
    let mut sender = Sender::new(SendOptions::default());
    let gone = sender.write(b"x");
    sender.flow.close();
    assert!(sender.packet(1000)[0].is_final);
    sender.flow.abandon(gone);
    sender.flow.on_timeout();
    let last = sender.packet(1000).pop().unwrap();
    assert_eq!((last.is_final, last.abandoned, last.control), (true, true, End));
}

#[test]
fn complete_when_all_is_cumulatively_acknowledged_and_gone_130_seconds_later() {
    let mut sender = Sender::new(SendOptions::default());
    sender.write(b"a");
    sender.write(b"b");
    sender.flow.close();
    sender.numbers();
    sender.ack(0, &[(2, 2)]);
    assert!(!sender.events().contains(&SendEvent::Complete));
    sender.now = at(1000);
    sender.ack(2, &[]);
    assert!(sender.events().contains(&SendEvent::Complete));
    assert_eq!(sender.flow.deadline(), Some(at(131_000)));
    sender.flow.handle_timeout(at(130_999));
    assert!(!sender.flow.is_gone());
    sender.flow.handle_timeout(at(131_000));
    assert_eq!((sender.flow.is_gone(), sender.flow.deadline()), (true, None));
    assert_eq!(sender.events(), [SendEvent::Gone]);
}

#[test]
fn a_flow_begins_without_data_by_an_abandoned_number() {
    let mut sender = Sender::new(SendOptions::default());
    sender.flow.begin();
    sender.flow.begin();
    let first = sender.packet(1000);
    assert_eq!((first.len(), first[0].sequence, first[0].forward, first[0].abandoned), (1, 1, 1, true));
    assert!(first[0].options.is_some());
}

#[test]
fn suspended_sender_probes_within_a_second_and_ever_more_rarely() {
    let mut sender = Sender::new(SendOptions::default());
    sender.write(b"a");
    sender.numbers();
    sender.write(b"b");
    sender.ack_with(0, 1, &[]);
    assert!(!sender.flow.is_ready());
    let erto = Duration::from_millis(300);
    let mut probes = Vec::new();
    while probes.len() < 9 {
        let due = sender.flow.deadline().unwrap();
        assert!(!sender.flow.take_buffer_probe(due.minus(Duration::from_micros(1)), erto));
        assert!(sender.flow.take_buffer_probe(due, erto));
        probes.push(due.as_micros() / 1_000_000);
    }
    assert_eq!(probes, [1, 2, 4, 8, 16, 32, 64, 124, 184]);
    sender.now = at(200_000);
    sender.ack_with(1, 1, &[]);
    assert_eq!(sender.flow.deadline(), None);
    assert!(sender.flow.is_ready());
    // It begins anew, and not faster than ERTO.
    sender.ack_with(0, 1, &[]);
    let erto = Duration::from_secs(80);
    assert!(sender.flow.take_buffer_probe(at(201_000), erto));
    assert_eq!(sender.flow.deadline(), Some(at(281_000)));
    assert!(sender.flow.take_buffer_probe(at(281_000), erto));
    assert_eq!(sender.flow.deadline(), Some(at(361_000)));
}

#[test]
fn nothing_to_send_is_nothing_to_probe_for() {
    let mut sender = Sender::new(SendOptions::default());
    sender.write(b"a");
    sender.numbers();
    sender.ack_with(0, 1, &[]);
    assert_eq!(sender.flow.deadline(), None);
    assert!(!sender.flow.take_buffer_probe(at(5000), Duration::ZERO));
    sender.write(b"b");
    assert_eq!(sender.flow.deadline(), Some(at(1000)));
}

#[test]
fn an_overtaken_acknowledgement_does_not_set_the_window() {
    let mut sender = Sender::new(SendOptions::default());
    for i in 0..3 {
        sender.write(&[i]);
    }
    sender.numbers();
    sender.ack_with(9, 2, &[]);
    sender.ack_with(0, 1, &[]);
    assert_eq!(sender.flow.window(), 9 * 1024);
    sender.ack_with(0, 2, &[]);
    assert_eq!(sender.flow.window(), 0);
}

#[test]
fn exception_closes_abandons_and_ignores_the_window() {
    let mut sender = Sender::new(SendOptions::default());
    let first = sender.write(b"a");
    sender.numbers();
    let second = sender.write(b"b");
    sender.flow.on_exception(7);
    sender.ack_with(0, 0, &[]);
    sender.flow.on_exception(8);
    assert_eq!(sender.events(), [SendEvent::Exception(7), SendEvent::Abandoned(first), SendEvent::Abandoned(second)]);
    assert!(sender.flow.is_ready(), "the end goes out although the window is closed");
    let end = sender.packet(1000);
    assert!(end.last().unwrap().is_final && end.iter().all(|chunk| chunk.abandoned));
    sender.flow.on_timeout();
    let end = sender.packet(1000);
    assert_eq!((end.len(), end[0].sequence == end[0].forward, end[0].is_final), (1, true, true));
    sender.ack_with(0, end[0].sequence, &[]);
    assert_eq!(sender.events(), [SendEvent::Complete]);
}

#[test]
fn an_exception_after_the_close_is_no_news_but_ends_the_sending() {
    let mut sender = Sender::new(SendOptions::default());
    let id = sender.write(b"a");
    sender.flow.close();
    sender.numbers();
    sender.flow.on_exception(7);
    assert_eq!(sender.events(), [SendEvent::Abandoned(id)]);
}

#[test]
fn acknowledgements_of_what_does_not_exist_acknowledge_what_does() {
    let mut sender = Sender::new(SendOptions::default());
    sender.write(b"a");
    sender.numbers();
    sender.ack(u64::MAX, &[]);
    assert_eq!((sender.flow.outstanding(), sender.flow.buffered()), (0, 0));
    sender.write(b"b");
    assert_eq!(sender.numbers(), [(2, 1)]);
    sender.ack(1, &[(3, u64::MAX)]);
    assert!(sender.flow.outstanding() > 0);
    sender.ack(0, &[(2, u64::MAX)]);
    assert_eq!(sender.flow.outstanding(), 0);
    sender.write(b"c");
    sender.ack(u64::MAX, &[]);
    assert_eq!(sender.flow.buffered(), 1, "what was never sent cannot be acknowledged");
}

#[test]
fn delivered_means_every_fragment_in_whatever_order() {
    let mut sender = Sender::new(options(500));
    let large = sender.write(&[0; 1000]);
    let small = sender.write(b"small");
    while !sender.packet(500).is_empty() {}
    sender.ack(0, &[(4, 4)]);
    assert_eq!(sender.events(), [SendEvent::Delivered(small)]);
    sender.ack(0, &[(2, 4)]);
    assert_eq!(sender.events(), []);
    assert!(sender.flow.buffered() > 0);
    sender.ack(4, &[]);
    assert_eq!((sender.events(), sender.flow.buffered()), (vec![SendEvent::Delivered(large)], 0));
}

#[test]
fn a_full_send_buffer_says_when_half_of_it_is_free() {
    let mut sender = Sender::new(SendOptions { send_buffer: 1000, ..SendOptions::default() });
    for _ in 0..4 {
        sender.write(&[0; 200]);
    }
    assert_eq!(sender.flow.write(at(0), Bytes::new(), Lifetime::UNLIMITED), Err(WriteError::Full));
    sender.numbers();
    sender.ack(1, &[]);
    assert!(!sender.events().contains(&SendEvent::Writable));
    sender.ack(3, &[]);
    assert!(sender.events().contains(&SendEvent::Writable));
    sender.ack(4, &[]);
    assert!(!sender.events().contains(&SendEvent::Writable));
}

#[test]
fn time_critical_is_said_from_that_priority_on() {
    for priority in Priority::DESCENDING {
        let mut sender = Sender::new(SendOptions { priority, ..SendOptions::default() });
        sender.write(b"x");
        let assembled = sender.flow.assemble(at(0), &mut Vec::new(), 1000, &mut sender.tsn);
        assert_eq!(assembled.time_critical, priority >= Priority::TimeCritical);
        let nothing = sender.flow.assemble(at(0), &mut Vec::new(), 1000, &mut sender.tsn);
        assert_eq!(nothing, Assembled::default());
    }
}

#[test]
fn each_fragment_takes_a_transmission_sequence_number() {
    let mut sender = Sender::new(SendOptions::default());
    for _ in 0..3 {
        sender.write(b"x");
    }
    sender.numbers();
    assert_eq!(sender.tsn, 4);
    assert_eq!(sender.ack(0, &[(2, 2)]).max_tsn, 2);
    assert_eq!(sender.ack(3, &[]).max_tsn, 3);
}

#[test]
fn a_late_first_copy_does_not_make_what_was_sent_since_seem_lost() {
    for (min_rtt, lost) in [(Duration::ZERO, 3), (Duration::from_millis(20), 0)] {
        let mut sender = Sender::new(SendOptions::default());
        sender.flow.set_min_rtt(min_rtt);
        for i in 0..7 {
            sender.write(&[i]);
            sender.numbers();
        }
        for top in 2..=4 {
            sender.ack(0, &[(2, top)]);
        }
        sender.now = at(30);
        assert_eq!(sender.numbers(), [(1, 0)]);
        sender.now = at(35);
        // Here comes the first copy of 1, and 5 to 7 still travel.
        let mut found = 0;
        for _ in 0..3 {
            sender.ack(4, &[]);
            found += sender.naks.lost_fragments;
        }
        assert_eq!(found, lost);
        // An acknowledgement that takes its time is one of the latest copy.
        sender.flow.on_timeout();
        while !sender.numbers().is_empty() {}
        sender.now = at(60);
        assert!(sender.ack(7, &[]).max_tsn > 8);
    }
}

#[test]
fn whatever_is_acknowledged_abandoned_or_closed_the_books_balance() {
    for seed in 0..1000 {
        let mut rng = Rng::for_simulation(seed);
        let mut sender = Sender::new(options(200));
        let mut written = 0;
        let mut settled = 0;
        for step in 0..200 {
            sender.now = at(step);
            match rng.below(12) {
                0..=3 => {
                    let lifetime =
                        if rng.below(3) == 0 { finish_by(step + rng.below(50)) } else { Lifetime::UNLIMITED };
                    let data = Bytes::from(vec![0; rng.below(600) as usize]);
                    written += usize::from(sender.flow.write(sender.now, data, lifetime).is_ok());
                }
                4..=6 => {
                    sender.packet(60 + rng.below(300) as usize);
                }
                7 => sender.flow.abandon(MessageId(rng.below(60))),
                8 => {
                    sender.flow.on_timeout();
                    assert_eq!(sender.flow.outstanding(), 0);
                }
                9 if rng.below(40) == 0 => sender.flow.close(),
                9 if rng.below(40) == 0 => sender.flow.on_exception(1),
                10 if rng.below(20) == 0 => {
                    sender.ack_with(rng.below(3), rng.u64(), &[]);
                }
                _ => {
                    let (low, high) = (rng.below(40), rng.below(80));
                    let before = sender.flow.outstanding();
                    let outcome = sender.ack(low, &[(low + 2 + high, low + 2 + high + rng.below(9))]);
                    assert!(outcome.acked_bytes <= before, "seed {seed}");
                }
            }
            let events = sender.events();
            settled += events.iter().filter(|e| matches!(e, SendEvent::Delivered(_) | SendEvent::Abandoned(_))).count();
        }
        sender.flow.on_exception(0);
        for _ in 0..10 {
            while !sender.packet(1000).is_empty() {}
            sender.ack(u64::MAX, &[]);
        }
        let events = sender.events();
        settled += events.iter().filter(|e| matches!(e, SendEvent::Delivered(_) | SendEvent::Abandoned(_))).count();
        assert_eq!((settled, sender.flow.outstanding(), sender.flow.buffered()), (written, 0, 0), "seed {seed}");
        assert!(!sender.flow.has_work() && !sender.flow.is_open(), "seed {seed}");
    }
}
