//! A post made by hand from the documentation, with another hand at the pen.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::world::{GROUP, identity};
use crate::service::posting::sign_post;
use crate::service::posting::signed::Signed;

#[test]
fn a_post_made_by_hand_is_the_one_that_is_signed_here() {
    let author = identity(77);
    let (certificate, body) = (author.certificate(), b"\x05\x01nick\x00the body");
    assert_eq!(certificate.len(), 50);
    let mut signed = b"p2pt/1 post\0".to_vec();
    signed.extend(GROUP.0);
    signed.extend(Sha256::digest(certificate));
    signed.extend(*b"instance");
    signed.extend([0, 0, 0, 0, 0, 0, 1, 0x2c]);
    signed.extend([0, 0, 1, 0xa3, 0x18, 0x51, 0x9c, 0x05]);
    signed.extend([0, 0, 0, 15]);
    signed.extend(body);
    let key = SigningKey::from_bytes(author.sign_key().seed());
    let mut post = vec![50];
    post.extend(certificate);
    post.extend(*b"instance");
    post.extend([0x82, 0x2c]);
    // 0x1a318519c05 in groups of seven bits.
    post.extend([0xb4, 0xb1, 0xc2, 0xc6, 0xb8, 0x05]);
    post.extend(*b"\x05grant");
    post.push(15);
    post.extend(body);
    post.extend(key.sign(&signed).to_bytes());

    let time = 0x01a3_1851_9c05;
    let made = sign_post(&author, GROUP, *b"instance", 300, time, Some("nick"), b"the body", Some(b"grant"));
    assert_eq!(crate::base::to_hex(&made), crate::base::to_hex(&post));
    let read = Signed::parse(&post).expect("its form is right");
    assert!(read.is_signed(GROUP) && !read.is_signed(crate::group::GroupId([0; 32])));
    assert_eq!((read.author, read.instance, read.sequence, read.time), (author.peer_id(), *b"instance", 300, time));
    assert_eq!((read.grant, read.id(GROUP).0), (&b"grant"[..], Sha256::digest(&signed).into()));
    let stream = Sha256::digest([&author.peer_id().0[..], b"instance"].concat());
    assert_eq!(read.stream()[..], stream[..12]);
    let envelope = read.envelope().expect("an envelope");
    assert_eq!((envelope.nick, envelope.beat, envelope.content), (Some("nick"), false, &b"the body"[..]));
}

#[test]
fn every_changed_byte_is_noticed() {
    let author = identity(77);
    let good = sign_post(&author, GROUP, [1; 8], 1, 1_800_000_000_000, Some("n"), b"body", None);
    let name = Signed::parse(&good).map(|post| (post.stream(), post.sequence)).expect("a post");
    for at in 0..good.len() {
        let mut changed = good.to_vec();
        changed[at] ^= 0x10;
        let sound = Signed::parse(&changed).is_some_and(|post| post.is_signed(GROUP));
        // The grant, of which there is none here, is not signed with the post: it carries its own signature.
        assert!(!sound, "byte {at}");
        assert!(Signed::parse(&good[..at]).is_none(), "cut at {at}");
    }
    let longer = [&good[..], &[0]].concat();
    assert!(Signed::parse(&longer).is_none());
    assert_eq!(name.1, 1);
}

#[test]
fn envelopes_are_read_leniently_where_they_may_grow() {
    let author = identity(77);
    let envelope = |bytes: &[u8]| {
        // The body of a post is cut out and another one put in its place: only the form is read.
        let made = sign_post(&author, GROUP, [1; 8], 1, 0, None, b"", None);
        let head = &made[..made.len() - 64 - 2];
        let post = [head, &[bytes.len() as u8], bytes, &[0; 64]].concat();
        Signed::parse(&post).and_then(|post| {
            post.envelope().map(|envelope| (envelope.nick.map(str::to_owned), envelope.content.to_vec()))
        })
    };
    assert_eq!(envelope(b"\0content"), Some((None, b"content".to_vec())));
    assert_eq!(envelope(b"\x03\x63??\x02\x01n\0content"), Some((Some("n".into()), b"content".to_vec())));
    assert_eq!(envelope(b"\x01\x01\0"), Some((None, vec![])));
    assert_eq!(envelope(b"\x02\x01\xff\0"), None, "not UTF-8");
    assert_eq!(envelope(b"\x02\x01n"), None, "no Marker");
    assert_eq!(envelope(&[&[66, 1][..], &[b'n'; 65], &[0]].concat()), None, "too long a nickname");
    assert_eq!(envelope(b""), None);
}
