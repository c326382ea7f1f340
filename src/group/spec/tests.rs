use super::*;
use crate::base::{PeerId, Rng};
use crate::crypto::password::{self, PasswordError, Stretch};
use proptest::prelude::*;

const CHEAP: Stretch = Stretch { salt: [9; 16], memory: 32, passes: 1, lanes: 1 };

fn error(text: &str) -> String {
    Groupspec::parse(text).unwrap_err().to_string()
}

#[test]
fn errors_say_where() {
    assert_eq!(error("0102"), "a groupspec begins with G:");
    assert_eq!(error("G:0102x4"), "character 5 of the groupspec, 'x', is not a hex digit");
    assert_eq!(error("G:ü"), "character 1 of the groupspec, 'ü', is not a hex digit");
    assert_eq!(error("G:"), "the groupspec has 0 hex digits; there must be pairs of them");
    assert_eq!(error("G:010"), "the groupspec has 3 hex digits; there must be pairs of them");
    assert!(error("G:0101020e").contains("begins at character 5 "));
    assert!(error("G:010100050a").contains("begins at character 7 "));
    assert!(error("G:0101020e61").contains("do not end with 00"));
    assert!(error("G:027f0300").contains("version is 3"));
    assert!(error("G:017f00").contains("version is 0"));
    assert!(error("G:010103c6590200").contains("the posting key at character 5 "));
    assert!(error(&format!("G:{}", "0".repeat(MAX_TEXT))).contains("at most 65536 characters"));
}

#[test]
fn the_group_depends_on_the_letters_of_its_text() {
    let lower = Groupspec::parse("G:0101020e61010c00").unwrap();
    let upper = Groupspec::parse("g:0101020E61010C00").unwrap();
    assert_eq!(lower.name(), upper.name());
    assert_ne!(lower.id(), upper.id());
    assert_eq!(upper.secret(), b"G:0101020E61010C");
    assert_eq!(upper.in_flash_order(), lower.in_flash_order());
    assert_eq!(lower.in_flash_order().text(), "G:0101010c020e6100");
    // What stands behind the Marker is not part of it.
    let hinted = Groupspec::parse("G:0101020e61010c00070ae00000fe814b").unwrap();
    assert_eq!(hinted.id(), lower.id());
}

#[test]
fn every_option_of_group_specifier_is_written_and_read() {
    let peers = [PeerId([3; 32]), PeerId([4; 32])];
    let addresses = [
        IpMulticast { group: "239.1.2.3:30000".parse().unwrap(), source: None },
        IpMulticast { group: "232.1.2.3:5".parse().unwrap(), source: Some("192.0.2.1".parse().unwrap()) },
        IpMulticast { group: "[ff02::7]:30000".parse().unwrap(), source: None },
        IpMulticast { group: "[ff3e::7]:1".parse().unwrap(), source: Some("2001:db8::1".parse().unwrap()) },
    ];
    let mut builder =
        GroupspecBuilder::new("näme").unique([5; 32]).posting().multicast().object_replication().routing();
    builder = builder.server_channel().peer_to_peer_disabled().member_updates();
    builder = builder.flash_posting_password("one", b"salt", true).flash_publish_password("two", &[], true);
    builder = peers.iter().fold(builder, |builder, &peer| builder.bootstrap_peer(peer));
    let spec = addresses.iter().fold(builder, |builder, address| builder.ip_multicast(address)).build().unwrap();
    let again = Groupspec::parse(spec.text()).unwrap();
    assert_eq!(again, spec);
    assert!(spec.posting() && spec.multicast() && spec.object_replication() && spec.routing());
    assert!(spec.server_channel() && spec.peer_to_peer_disabled() && spec.member_updates() && spec.is_unique());
    assert_eq!((spec.name().as_deref(), spec.version()), (Some("näme"), 2));
    assert_eq!((spec.bootstrap_peers(), spec.ip_multicast()), (peers.to_vec(), addresses.to_vec()));
    assert!(spec.posting_password_hash().unwrap().fits("one") && spec.publish_password_hash().unwrap().fits("two"));
    assert_eq!(spec.posting_password().as_deref().map(String::as_str), Some("one"));
    let kinds: Vec<u64> = spec.canonical_options().iter().map(|option| option.kind).collect();
    assert_eq!(kinds, [0x7f, 0, 1, 2, 3, 5, 7, 0x0c, 0x0d, 0x0e, 0x0e, 0x1b]);
    let kinds: Vec<u64> = spec.tail_options().iter().map(|option| option.kind).collect();
    assert_eq!(kinds, [0x0a, 0x0a, 0x0a, 0x0a, 0x0b, 0x0b, 0x15, 0x17]);
    assert!(!format!("{spec:?}").contains(&spec.text()[2..]));
    let bare = spec.without_authorizations();
    assert_eq!((bare.id(), bare.posting_password()), (spec.id(), None));
    assert_eq!(bare.bootstrap_peers(), peers);
    let plain = GroupspecBuilder::new("n").build().unwrap();
    assert!(!plain.posting() && !plain.is_unique() && plain.posting_key().is_none());
    assert_eq!(plain.without_authorizations(), plain);
}

#[test]
fn a_password_key_stands_behind_flashs_options() {
    let mut rng = Rng::for_simulation(1);
    let password = password::generate(&mut rng);
    let posting = PasswordKey::of(&password, None).unwrap();
    let publishing = PasswordKey::of("a person's", Some(CHEAP)).unwrap();
    let builder =
        GroupspecBuilder::new("n").posting_key(&posting).publishing_key(&publishing).member_updates().posting();
    let spec = Groupspec::parse(builder.clone().build().unwrap().text()).unwrap();
    assert_eq!((spec.posting_key(), spec.publishing_key()), (Some(posting), Some(publishing)));
    let kinds: Vec<u64> = spec.canonical_options().iter().map(|option| option.kind).collect();
    assert_eq!(kinds, [0x7f, 3, 0x0e, 0x1b, 0x2359, 0x235a]);
    assert_eq!(spec.in_flash_order(), spec);
    assert_eq!(posting.unlock(&password).unwrap().public(), posting.public);
    assert_eq!(posting.unlock(&password::generate(&mut rng)).err(), Some(PasswordError::Wrong));
    assert_eq!(publishing.unlock("a person's").unwrap().public(), publishing.public);
    assert_eq!(publishing.unlock("another's").err(), Some(PasswordError::Wrong));
    let greedy = PasswordKey { stretch: Some(Stretch { memory: u32::MAX, ..CHEAP }), ..publishing };
    assert_eq!(PasswordKey::decode(&greedy.encode()), Some(greedy));
    assert!(matches!(greedy.unlock("a person's"), Err(PasswordError::Cost { .. })));
    let both = builder.flash_posting_password("p", &[], false).build();
    assert_eq!(both.err(), Some(BuildError::TwoPasswords));
    // Two of them, or one cut short, would leave open who may post.
    let twice = format!("{}23c65901{}00", std::str::from_utf8(spec.secret()).unwrap(), "02".repeat(32));
    assert!(matches!(Groupspec::parse(&twice), Err(GroupspecError::Key { kind: 0x2359, .. })));
}

fn options() -> impl Strategy<Value = Vec<SpecOption>> {
    let known = prop::sample::select(vec![0u64, 1, 2, 3, 5, 7, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x15, 0x17, 0x1b]);
    let kind = prop_oneof![4 => known, 1 => 0x80u64..0x2000];
    let option =
        (kind, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(kind, value)| SpecOption::new(kind, &value));
    prop::collection::vec(option, 0..8)
}

proptest! {
    #[test]
    fn any_options_in_any_order_are_kept(canonical in options(), tail in options(), upper: bool) {
        let spec = Groupspec::of_options(&canonical, &tail).unwrap();
        prop_assert_eq!(spec.canonical_options(), &canonical[..]);
        prop_assert_eq!(spec.tail_options(), &tail[..]);
        let text = if upper { spec.text().to_uppercase() } else { spec.text().to_owned() };
        let again = Groupspec::parse(&text).unwrap();
        prop_assert_eq!(again.canonical_options(), &canonical[..]);
        prop_assert_eq!(again.text(), &text);
        prop_assert_eq!(&&text.as_bytes()[..again.secret().len()], &again.secret());
        let ordered = again.in_flash_order();
        prop_assert_eq!(ordered.in_flash_order(), ordered.clone());
        prop_assert_eq!(ordered.canonical_options().len(), canonical.len());
        let bare = again.without_authorizations();
        prop_assert_eq!(bare.id(), again.id());
        prop_assert!(bare.authorizations().is_empty());
    }

    #[test]
    fn every_truncation_of_a_canonical_part_is_an_error(canonical in options()) {
        let spec = Groupspec::of_options(&canonical, &[]).unwrap();
        for len in 0..spec.text().len() {
            prop_assert!(Groupspec::parse(&spec.text()[..len]).is_err());
        }
    }

    #[test]
    fn any_text_is_a_groupspec_or_an_error(text in "(G:)?[0-9a-fA-FxG:ü]{0,60}") {
        match Groupspec::parse(&text) {
            Ok(spec) => prop_assert_eq!(Groupspec::parse(spec.text()), Ok(spec.clone())),
            Err(error) => drop(error.to_string()),
        }
    }
}
