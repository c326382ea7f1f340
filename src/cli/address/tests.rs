use super::*;
use crate::base::PeerId;
use proptest::prelude::*;
use zeroize::Zeroizing;

const ID: &str = "bdecc8b874f176cbc07f7d86764dd4dc0f7fc9035b0bea74711fbd7bfb314575";
const ID2: &str = "0000c8b874f176cbc07f7d86764dd4dc0f7fc9035b0bea74711fbd7bfb310000";
const SPEC: &str = "G:01020304aabb";

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.into(), port }
}

#[test]
fn every_form_of_the_grammar_is_read() {
    let peer: Address = format!("rtmfp://Rendezvous.Example/key-1?id={ID2}#{ID}").parse().unwrap();
    let rendezvous = peer.rendezvous.unwrap();
    assert_eq!(rendezvous.host, at("rendezvous.example", 1935));
    assert_eq!(rendezvous.developer_key.as_deref().map(String::as_str), Some("key-1"));
    assert_eq!(rendezvous.id, Some(ID2.parse().unwrap()));
    assert_eq!(rendezvous.public_uri(), "rtmfp://rendezvous.example:1935");
    assert_eq!(peer.target, Target::Peer { id: ID.parse().unwrap(), direct: vec![] });

    let numbers: Address = format!("rtmfp://[::1]:4000#{SPEC}").parse().unwrap();
    assert_eq!(numbers.rendezvous.unwrap().host, at("::1", 4000));
    assert_eq!(numbers.target, Target::Group { spec: Zeroizing::new(SPEC.into()), object: None });

    let object: Address = format!("rtmfp:#{SPEC}/b3={ID}").parse().unwrap();
    assert_eq!(object.rendezvous, None);
    let hash = ID.parse::<PeerId>().unwrap().0;
    let wanted = Object { hash, list: false, name: None };
    assert_eq!(object.target, Target::Group { spec: Zeroizing::new(SPEC.into()), object: Some(wanted) });
    let list: Address = format!("rtmfp:#{SPEC}/b3list={ID}/my%20photos").parse().unwrap();
    let wanted = Object { hash, list: true, name: Some("my photos".into()) };
    assert_eq!(list.target, Target::Group { spec: Zeroizing::new(SPEC.into()), object: Some(wanted) });

    let direct: Address = format!(" rtmfp:#{ID}@192.0.2.1:1935,[2001:db8::1]:9 \n").parse().unwrap();
    let direct_list = vec![at("192.0.2.1", 1935), at("2001:db8::1", 9)];
    assert_eq!(direct.target, Target::Peer { id: ID.parse().unwrap(), direct: direct_list });
}

#[test]
fn what_is_printed_is_read_again() {
    for text in [
        format!("rtmfp://host#{ID}"),
        format!("rtmfp://host:1936/a%20key/with%23marks%3F?id={ID2}#{ID}"),
        format!("rtmfp://[::1]:4000#{SPEC}"),
        format!("rtmfp:#{SPEC}/b3={ID}"),
        format!("rtmfp:#{SPEC}/b3={ID}/a%20b%C3%BC.iso"),
        format!("rtmfp:#{SPEC}/b3list={ID}/photos"),
        format!("rtmfp:#{ID}@192.0.2.1:1935,[2001:db8::1]:9"),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn errors_point_at_the_place() {
    let cases = [
        (format!("rtmfp://ho st#{ID}"), 10, "' ' has no place in a host's name"),
        (format!("rtmfp://host:99999#{ID}"), 13, "a port is a number from 1 to 65535"),
        (format!("rtmfp://host:#{ID}"), 13, "a port is a number"),
        (format!("rtmfp://::1:1935#{ID}"), 8, "an IPv6 address stands in brackets"),
        (format!("rtmfp://[::1#{ID}"), 8, "never closed"),
        (format!("rtmfp://[::x]#{ID}"), 9, "not an IPv6 address"),
        (format!("rtmfp://#{ID}"), 8, "a host is missing"),
        (format!("rtmfp:host#{ID}"), 6, "after rtmfp: comes //"),
        (format!("http://host#{ID}"), 0, "an address begins with rtmfp:"),
        (format!("rtmfp://host?key=7#{ID}"), 13, "after ? comes id="),
        (format!("rtmfp://host/%zz#{ID}"), 13, "two hex digits"),
        ("rtmfp://host".into(), 12, "no # and peer ID"),
        ("rtmfp:#".into(), 7, "a peer ID or groupspec is missing"),
        (format!("rtmfp:#{}", &ID[1..]), 7, "63 hex digits where 64 are wanted"),
        (format!("rtmfp:#{}x{}", &ID[..10], &ID[11..]), 17, "'x' is not a hex digit"),
        (format!("rtmfp:#{ID}@host"), 76, "a colon and a port are wanted"),
        (format!("rtmfp:#{ID}@"), 72, "a host is missing"),
        ("rtmfp:#G:0102x4".into(), 13, "character 5 of the groupspec, 'x', is not a hex digit"),
        ("rtmfp:#G:012".into(), 12, "3 hex digits; there must be pairs"),
        (format!("rtmfp:#{SPEC}/sha={ID}"), 22, "comes b3="),
        (format!("rtmfp:#{SPEC}/b3={ID}/"), 90, "a part of the name is empty"),
        (format!("rtmfp:#{SPEC}/b3={ID}/.."), 90, "the name leads elsewhere"),
        (format!("rtmfp:#{SPEC}/b3={ID}/..%2Fetc"), 90, "divides folders"),
        (format!("rtmfp:#{SPEC}/b3={ID}/a%1b"), 90, "cannot be seen"),
        (format!("rtmfp:#{SPEC}/b3={ID}/a/b"), 90, "divides folders"),
        (format!("rtmfp:#{SPEC}/b3list={ID}/a b"), 95, "a space or control character in the name"),
    ];
    for (text, place, problem) in cases {
        let error = text.parse::<Address>().unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert!(lines[0].contains(problem), "{text}: {error}");
        // The text may be cut at the front: count what stands between the mark and the end of what is shown.
        let mark = lines[2].chars().position(|c| c == '^').unwrap();
        let cut = lines[1].trim_start().starts_with('…');
        let shown_at = mark - 4;
        if cut {
            assert!(shown_at > 20, "{error}");
        } else {
            assert_eq!(shown_at, place, "{error}");
        }
    }
}

#[test]
fn secrets_stand_in_no_error_and_in_no_debug_text() {
    for text in [
        format!("rtmfp://host:x/CANARYKEY?id={ID}#{ID}"),
        "rtmfp://host/CANARYKEY#".to_owned(),
        "rtmfp://host/CANARYKEY".to_owned(),
        "rtmfp://host/CANARYKEY?nonsense#G:c0ffee".to_owned(),
        "rtmfp:#G:c0ffeec0ffeeX".to_owned(),
        "rtmfp:#G:c0ffee/c0".to_owned(),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("CANARY") && !shown.contains("c0ffee"), "{shown}");
        }
    }
    let address: Address = "rtmfp://host/CANARYKEY#G:c0ffee".parse().unwrap();
    let shown = format!("{address:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("c0ffee"), "{shown}");
}

#[test]
fn a_rendezvous_alone_has_no_part_after_the_mark() {
    assert!(Rendezvous::parse("rtmfp:").unwrap().is_none());
    assert_eq!(Rendezvous::parse("RTMFP://host/").unwrap().unwrap().developer_key, None);
    assert!(Rendezvous::parse(&format!("rtmfp://host#{ID}")).is_err());
}

#[test]
fn dash_is_refused_where_standard_input_is_data() {
    let failure = resolve("-", Stdin::Data).unwrap_err();
    assert_eq!(failure.status.code(), 2);
}

#[test]
fn lists_of_peers_come_from_files_with_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("friends");
    std::fs::write(&path, format!("# friends\n{ID}  # Ada\n\n{ID2}\n")).unwrap();
    let all = peer_ids(&[format!("@{}", path.display()), ID.to_owned()]).unwrap();
    assert_eq!(all.len(), 3);
    std::fs::write(&path, format!("{ID}\nnonsense\n")).unwrap();
    let failure = peer_ids(&[format!("@{}", path.display())]).unwrap_err();
    assert!(failure.to_string().contains("line 2"), "{failure}");
    assert_eq!(peer_ids(&["@/nonexistent".into()]).unwrap_err().status.code(), 12);
}

#[test]
fn characters_of_several_bytes_are_pointed_at_too() {
    for text in ["RTMFP://./%0ü#", "🌀a𑅐#", "rtmfp://ü/ü?ü#ü", "rtmfp:#G:0ü", "rtmfp://[ü#"] {
        let _ = text.parse::<Address>().unwrap_err().to_string();
    }
}

proptest! {
    #[test]
    fn any_text_is_an_address_or_an_error(text in "\\PC{0,60}") {
        if let Err(error) = text.parse::<Address>() {
            let _ = error.to_string();
        }
    }

    #[test]
    fn near_addresses_do_no_harm(text in "(rtmfp:|RTMFP://|//)?[a-z\\[\\]:/?#%@,.=Gü0-9]{0,40}") {
        match text.parse::<Address>() {
            Ok(address) => prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address),
            Err(error) => drop(error.to_string()),
        }
    }
}
