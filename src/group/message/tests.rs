//! Whatever is written is read; whatever comes, nothing panics; what old clients do is borne.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::{Control, Init, Join, MAX_REPORT, Member, MessageError, Report, ReportWriter};
use crate::base::PeerId;
use crate::group::{GroupId, ReceiveMode};
use crate::wire::{Address, Addresses, Origin};

fn address() -> impl Strategy<Value = Address> {
    let origin = prop_oneof![Just(Origin::Unknown), Just(Origin::Local), Just(Origin::Observed), Just(Origin::Relay)];
    let socket = prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from),
        (any::<[u8; 16]>(), any::<u16>()).prop_map(SocketAddr::from),
    ];
    (origin, socket).prop_map(|(origin, socket)| Address::new(origin, socket))
}

fn addresses() -> impl Strategy<Value = Vec<Address>> {
    proptest::collection::vec(address(), 0..9)
}

proptest! {
    #[test]
    fn a_report_says_what_was_written(
        observed in proptest::option::of(address()),
        own in addresses(),
        members in proptest::collection::vec((any::<[u8; 32]>(), any::<u64>(), addresses()), 0..12),
    ) {
        let mut writer = ReportWriter::new(observed, &own);
        for (peer, age, addresses) in &members {
            let mut encoded = Vec::new();
            Addresses::from(&addresses[..]).encode(&mut encoded);
            prop_assert!(writer.record(PeerId(*peer), *age, &encoded));
        }
        let bytes = writer.finish();
        let report = Report::decode(&bytes).unwrap();
        prop_assert_eq!(report.observed, observed);
        prop_assert_eq!(report.addresses().collect::<Vec<_>>(), own);
        let read: Vec<_> = report.records().map(|r| (r.peer.unwrap().0, r.age, r.addresses().collect::<Vec<_>>())).collect();
        prop_assert_eq!(read, members);
        prop_assert_eq!(report.encode(), bytes.clone());
        for cut in 0..bytes.len() {
            // Cut between two records it is a shorter report, anywhere else it is none.
            if let Ok(shorter) = Report::decode(&bytes[..cut]) {
                prop_assert!(shorter.records().count() < report.records().count());
            }
        }
    }

    #[test]
    fn an_init_says_what_was_written(group: [u8; 32], token: [u8; 32], receiver: [u8; 32]) {
        let init = Init { group: GroupId(group), token, receiver: PeerId(receiver) };
        let bytes = init.encode();
        prop_assert_eq!(bytes.len(), 137);
        prop_assert_eq!(Init::decode(&bytes), Ok(init));
        let mut upper = bytes.clone();
        upper[3..67].make_ascii_uppercase();
        prop_assert_eq!(Init::decode(&upper), Ok(init));
        for cut in 0..bytes.len() {
            prop_assert!(Init::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..16) {
        for message in [&bytes[..], &[&[kind][..], &bytes].concat()] {
            if let Ok(control) = Control::decode(message) {
                let again = control.encode();
                prop_assert_eq!(Control::decode(&again).map(|control| control.encode()), Ok(again));
            }
            let _ = (Join::decode(message), Member::decode(message));
        }
    }
}

#[test]
fn a_long_report_stops_at_its_limit() {
    let mut writer = ReportWriter::new(None, &[]);
    let records = (0..1000).take_while(|_| writer.record(PeerId([7; 32]), 1, &[2, 10, 0, 0, 1, 7, 0x8f])).count();
    let bytes = writer.finish();
    assert!(bytes.len() <= MAX_REPORT && bytes.len() > MAX_REPORT - 60);
    assert_eq!(Report::decode(&bytes).unwrap().records().count(), records);
    let longer = [&bytes[..], &[0; 60]].concat();
    assert_eq!(Report::decode(&longer), Err(MessageError::Malformed));
}

#[test]
fn what_is_not_known_is_skipped() {
    let good = [&[34, 0x21, 0x0f][..], &[5; 32], &[9, 0]].concat();
    // An option of unknown type with a length in eight plain bits; one-byte options; a record of another kind of name.
    let wide = [&[0xc8, 0x55][..], &[0; 199]].concat();
    let head = [&[0x0a, 1, 0x01, 1, 0x2b][..], &wide, &[8, 0x0d, 2, 127, 0, 0, 1, 7, 0x8f, 0]].concat();
    let odd = [3, 0x02, 0x00, 7, 4, 0, 2, 0x11, 0, 0];
    let message = [&head[..], &odd[..3], &[0], &[4, 3, 0x11, 1, 1, 0], &good].concat();
    let report = Report::decode(&message).unwrap();
    assert!(report.observed.is_some());
    let peers: Vec<_> = report.records().map(|record| record.peer).collect();
    assert_eq!(peers, [None, Some(PeerId([5; 32]))]);
    assert_eq!(Control::decode(&[0x77, 1]), Err(MessageError::UnknownType(0x77)));
    assert_eq!(Control::decode(&[]), Err(MessageError::Malformed));
    assert_eq!(Control::decode(&[0x0f, 1, 2, 3]), Ok(Control::Begin(ReceiveMode::Nearest)));
}
