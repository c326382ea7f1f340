//! From a session to a neighbour, and what is said then.

use super::net::{Net, ms};
use crate::base::PeerId;
use crate::group::message::{Control, Init, ReportWriter};
use crate::group::{GroupId, Hint, MembershipEvent, ReceiveMode};

/// The INIT that a puppet owes a member.
pub(super) fn init(net: &Net, puppet: usize, member: usize) -> Init {
    let spec = Net::spec();
    let token = Init::token(spec.secret(), &Net::nonce(member, puppet));
    Init { group: spec.id(), token, receiver: net.id(member) }
}

/// A member and a puppet that are neighbours; the puppet opened the session.
pub(super) fn befriend(net: &mut Net, puppet: usize, member: usize) {
    net.connect(puppet, member);
    net.run(ms(10));
    net.say(puppet, member, Control::Init(init(net, puppet, member)).encode());
    net.say(puppet, member, Control::Begin(ReceiveMode::Exact).encode());
    net.run(ms(10));
    assert!(net.get(member).view().neighbour(net.id(puppet)).is_some());
}

/// The types of the messages that a puppet got from a member.
fn said(net: &mut Net, puppet: usize) -> Vec<u8> {
    let spoken = std::mem::take(&mut net.spoken);
    spoken.iter().filter(|(_, to, _)| *to == puppet).map(|(_, _, data)| data[0]).collect()
}

#[test]
fn the_initiator_begins_and_says_nothing_else_before_the_far_token() {
    let mut net = Net::new(1, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    net.hint(member, puppet, Hint::Neighbor);
    net.run(ms(4000));
    assert_eq!(said(&mut net, puppet), [0x01, 0x02, 0x0f]);
    net.say(puppet, member, Control::Init(init(&net, puppet, member)).encode());
    net.say(puppet, member, vec![0x02]);
    net.run(ms(20));
    assert_eq!(said(&mut net, puppet), [] as [u8; 0], "the report waits for 0e");
    net.say(puppet, member, vec![0x0e]);
    net.run(ms(20));
    assert_eq!(said(&mut net, puppet), [0x0a]);
}

#[test]
fn the_responder_waits_for_the_far_token() {
    let mut net = Net::new(1, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    net.connect(puppet, member);
    net.run(ms(1000));
    assert_eq!(said(&mut net, puppet), [] as [u8; 0]);
    for data in [vec![0x02], vec![0x0e], vec![0x0a, 0x00], vec![0x0c]] {
        net.say(puppet, member, data);
    }
    net.run(ms(100));
    assert_eq!(said(&mut net, puppet), [] as [u8; 0]);
    assert_eq!(net.get(member).stats().early, 4);
    net.say(puppet, member, Control::Init(init(&net, puppet, member)).encode());
    net.run(ms(20));
    assert_eq!(said(&mut net, puppet), [0x01, 0x02, 0x0f]);
    assert_eq!(net.events.len(), 1, "one NeighborConnect: {:?}", net.events);
}

#[test]
fn a_silent_stranger_is_told_our_init_and_left_in_the_end() {
    let mut net = Net::new(1, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    net.connect(puppet, member);
    net.run(ms(20_000));
    assert_eq!(said(&mut net, puppet), [0x01, 0x02, 0x0f]);
    assert_eq!(net.get(member).stats().handshake_timeouts, 1);
    assert!(net.events.is_empty());
}

#[test]
fn false_inits_are_counted_and_their_senders_left() {
    type Forge = fn(&mut Init, &Net, usize, usize);
    let forgeries: [(Forge, [u64; 3]); 5] = [
        (|init, _, _, _| init.group = GroupId([7; 32]), [1, 0, 0]),
        (|init, _, _, _| init.receiver = PeerId([7; 32]), [0, 1, 0]),
        (|init, _, _, _| init.token[31] ^= 1, [0, 0, 1]),
        // The token that the member itself owes the puppet.
        (
            |init, _, member, puppet| {
                init.token = Init::token(Net::spec().secret(), &Net::nonce(puppet, member));
            },
            [0, 0, 1],
        ),
        // A token of another session: of the same puppet with somebody else.
        (|init, _, _, puppet| init.token = Init::token(Net::spec().secret(), &Net::nonce(99, puppet)), [0, 0, 1]),
    ];
    for (forge, counts) in forgeries {
        let mut net = Net::new(1, ms(1));
        let (member, puppet) = (net.add(), net.add_puppet());
        net.connect(puppet, member);
        net.run(ms(10));
        let mut false_init = init(&net, puppet, member);
        forge(&mut false_init, &net, member, puppet);
        net.say(puppet, member, Control::Init(false_init).encode());
        // The true one comes too late.
        net.say(puppet, member, Control::Init(init(&net, puppet, member)).encode());
        net.run(ms(100));
        let stats = net.get(member).stats();
        assert_eq!([stats.wrong_group, stats.wrong_receiver, stats.wrong_token], counts);
        assert_eq!(said(&mut net, puppet), [] as [u8; 0]);
        assert!(net.events.is_empty() && net.get(member).view().neighbours().len() == 0);
    }
}

#[test]
fn each_report_has_one_answer_and_none_has_two() {
    let mut net = Net::new(1, ms(1));
    let (member, puppet) = (net.add(), net.add_puppet());
    befriend(&mut net, puppet, member);
    assert_eq!(said(&mut net, puppet), [0x01, 0x02, 0x0f, 0x0a]);
    // Ours crossed theirs.
    net.say(puppet, member, ReportWriter::new(None, &[]).finish());
    net.run(ms(20));
    assert_eq!(said(&mut net, puppet), [] as [u8; 0]);
    // Theirs comes by itself: an answer. A second INIT does nothing.
    net.say(puppet, member, ReportWriter::new(None, &[]).finish());
    net.say(puppet, member, Control::Init(init(&net, puppet, member)).encode());
    net.run(ms(20));
    assert_eq!(said(&mut net, puppet), [0x0a]);
    assert_eq!(net.get(member).stats().repeated_init, 1);
    assert_eq!(net.events.len(), 2, "NeighborConnect and LocalCoverage, each once: {:?}", net.events);
}

#[test]
fn a_change_of_mode_is_told() {
    let mut net = Net::new(2, ms(1));
    let (one, other) = (net.join(), net.join());
    net.run(ms(100));
    let mode = |net: &Net| net.get(other).view().neighbour(net.id(one)).unwrap().mode;
    assert_eq!(mode(&net), ReceiveMode::Nearest);
    net.command(one, |member, now| member.set_mode(now, ReceiveMode::Exact));
    net.run(ms(10));
    assert_eq!(mode(&net), ReceiveMode::Exact);
}

#[test]
fn who_is_asked_to_leave_does_so_only_with_neighbours_to_spare() {
    let mut net = Net::new(3, ms(1));
    for _ in 0..40 {
        net.join();
        net.run(ms(20));
    }
    net.run(ms(5000));
    let asked = |net: &Net, member: usize| net.get(member).stats().consented;
    // A member that needs everybody it has ignores the question.
    let mut small = Net::new(3, ms(1));
    let (one, other) = (small.join(), small.join());
    small.run(ms(100));
    small.say(other, one, vec![0x0c]);
    small.run(ms(1000));
    assert_eq!((asked(&small, one), small.get(one).stats().asks_received), (0, 1));
    assert_eq!(small.neighbours(one), [other]);
    // One with many looks for another first, and then lets go of somebody who is not near.
    let member = 7;
    let far = net.neighbours(member).into_iter().find(|&far| {
        let between = net.gaps(&net.living(), 3);
        assert!(between.is_empty());
        let ids = net.get(member).view().nearest(net.get(member).view().address(), 9);
        !ids.contains(&net.id(far))
    });
    let far = far.expect("not all are near");
    let before = net.neighbours(member).len();
    net.say(far, member, vec![0x0c]);
    net.run(ms(5000));
    assert!(net.neighbours(member).len() + 1 >= before.min(net.get(member).target_neighbours()));
    assert!(asked(&net, member) == 1 || net.neighbours(member).contains(&far));
}

#[test]
fn leaving_is_told_at_once_and_ends_everything() {
    let mut net = Net::new(4, ms(1));
    for _ in 0..5 {
        net.join();
    }
    net.until_closed(4, ms(1000)).expect("a full mesh");
    net.events.clear();
    let gone = net.id(2);
    net.remove(2, true);
    net.run(ms(10));
    let told = |event: &MembershipEvent| *event == MembershipEvent::NeighborDisconnect { peer: gone };
    assert_eq!(net.events.iter().filter(|(_, _, event)| told(event)).count(), 4);
    assert!(net.living().iter().all(|&member| net.neighbours(member).len() == 3));
}
