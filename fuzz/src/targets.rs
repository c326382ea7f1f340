//! One function per parser: whatever the bytes, it neither panics nor contradicts itself.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use p2pt::base::{Instant, Path, PeerId, Rng, to_hex};
use p2pt::cli::framing::{Framing, FramingError};
use p2pt::cli::group::request::{Answer, Asked, encode_answer, parse_answer};
use p2pt::cli::{address, parser, units};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy, Profile, epd, session_id_of, startup};
use p2pt::group::message::{Control, Init, Join, Member};
use p2pt::group::{self, Beacons, Groupspec, MAX_UNPROVEN, Membership, MembershipConfig, ReceiveMode};
use p2pt::service::rendezvous::{CONTROL_METADATA, Client, Server, ServerConfig};
use p2pt::wire::message::{Command, TcMessage, TcMetadata, UserControl, message_kind};
use p2pt::wire::redirector::{RedirectorCommand, RedirectorReport};
use p2pt::wire::{
    Ack, AckForm, AckHead, Address, Addresses, CHUNK_HEADER_LEN, Chunk, Chunks, Header, IIKeying, Mode, OptionIter,
    RIKeying, RawChunk, UserData, amf0, amf3, encode_ack, kind, put_user_data, split_packet, take_option_list, vlu,
};

#[path = "files.rs"]
mod files;
pub use files::{list_of_files, object_of_file, state_of_fetch};
#[path = "nearest.rs"]
mod nearest;
pub use nearest::{records_message, routes_message};
#[path = "objects.rs"]
mod objects;
pub use objects::objects_message;
#[path = "posts.rs"]
mod posts;
pub use posts::posts_message;
#[path = "streams.rs"]
mod streams;
pub use streams::{media, streams_message};

/// A target's name, which is also its corpus folder's, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("vlu", vlu_number),
    ("options", options),
    ("addresses", addresses),
    ("packet", packet),
    ("ack", ack),
    ("fragment", fragment),
    ("amf0", amf0_message),
    ("amf3", amf3_value),
    ("tc_message", tc_message),
    ("tc_metadata", tc_metadata),
    ("redirector", redirector_message),
    ("certificate", certificate),
    ("startup", startup_datagram),
    ("identity", identity_file),
    ("address", address_text),
    ("rendezvous", rendezvous_message),
    ("framing", framed_messages),
    ("units", quantities),
    ("host_port", host_and_port),
    ("groupspec", groupspec_text),
    ("group_message", group_message),
    ("membership", membership),
    ("beacon", beacon),
    ("posts", posts_message),
    ("routes", routes_message),
    ("records", records_message),
    ("objects", objects_message),
    ("streams", streams_message),
    ("media", media),
    ("control", control_socket),
    ("file_list", list_of_files),
    ("file_object", object_of_file),
    ("file_state", state_of_fetch),
];

/// Requests to the control socket of a membership, and answers.
pub fn control_socket(data: &[u8]) {
    if let Some(asked) = Asked::parse(data) {
        assert_eq!(Asked::parse(asked.encode().to_string().as_bytes()), Some(asked));
    }
    if let Some((id, Answer::End(end))) = parse_answer(data) {
        let again = parse_answer(encode_answer(id, &end).to_string().as_bytes());
        let Some((again, Answer::End(told))) = again else { panic!("an answer that cannot be read") };
        assert_eq!((again, told.is_ok()), (id, end.is_ok()));
        if let (Err(one), Err(other)) = (end, told) {
            assert_eq!((one.status, one.to_string(), one.next), (other.status, other.to_string(), other.next));
        }
    }
}

/// Endpoint discriminators with a group's beacon, and the beacons themselves.
pub fn beacon(data: &[u8]) {
    static OURS: OnceLock<Beacons> = OnceLock::new();
    let ours = OURS.get_or_init(|| Beacons::new(b"G:0101"));
    if let Some(value) = epd::beacon_in(data) {
        assert!(!epd::selects(data, b"whoever"));
        assert_eq!(epd::beacon_in(&epd::beacon(value)), Some(value));
        let _ = ours.read(value);
    }
    let _ = ours.read(data);
    // With the right mark it goes on to the seal.
    if let Some(random) = data.first_chunk::<16>() {
        let mut made = ours.make(&mut Rng::from_seed([random[0]; 32]), PeerId([random[1]; 32]));
        assert_eq!(ours.read(&made), Some(PeerId([random[1]; 32])));
        let at = usize::from(random[2]) % made.len();
        made[at] ^= random[3] | 1;
        assert_eq!(ours.read(&made), None);
    }
}

/// Variable length unsigned integers.
pub fn vlu_number(data: &[u8]) {
    let mut rest = data;
    while let Ok(value) = vlu::take(&mut rest) {
        let mut out = Vec::new();
        vlu::put(&mut out, value);
        assert_eq!(out.len(), vlu::len(value));
        assert_eq!(vlu::take(&mut &out[..]), Ok(value));
    }
    // What is left has no last group.
    assert!(rest.iter().all(|byte| byte & 0x80 != 0));
}

/// Options and option lists.
pub fn options(data: &[u8]) {
    let mut rest = data;
    if let Ok(list) = take_option_list(&mut rest) {
        assert!(OptionIter(list).all(|option| option.is_ok()));
        // The Marker may be written the long way.
        assert!(data.len() - rest.len() > list.len());
    }
    assert!(OptionIter(data).filter(Result::is_err).count() <= 1);
}

/// Internet socket addresses.
pub fn addresses(data: &[u8]) {
    let Ok(read) = Addresses::decode(data) else { return };
    let list: Vec<Address> = read.iter().collect();
    let written = Addresses::from(&list[..]);
    assert_eq!(written, read);
    let mut out = Vec::new();
    written.encode(&mut out);
    assert_eq!(out.len(), data.len());
    assert_eq!(Addresses::decode(&out), Ok(read));
}

/// A whole packet: header, chunks, what Next User Data continues.
pub fn packet(data: &[u8]) {
    let Ok((header, rest)) = Header::decode(data) else { return };
    let mut out = Vec::new();
    header.encode(&mut out);
    assert_eq!(Header::decode(&out), Ok((header, &[][..])));
    let mut before: Option<UserData<'_>> = None;
    for raw in Chunks::new(rest) {
        let Ok(chunk) = Chunk::decode(raw) else {
            before = None;
            continue;
        };
        assert!(chunk.is_allowed_in(Mode::Startup) || chunk.is_allowed_in(Mode::Initiator));
        check_chunk(raw, &chunk);
        before = match chunk {
            Chunk::UserData(data) => Some(data),
            Chunk::NextUserData(next) => before.and_then(|data| data.followed_by(&next)),
            _ => before,
        };
        if let Some(data) = before {
            check_user_data(&data);
        }
    }
}

fn check_chunk(raw: RawChunk<'_>, chunk: &Chunk<'_>) {
    let mut out = Vec::new();
    chunk.encode(&mut out);
    if chunk.encoded_len() > CHUNK_HEADER_LEN + usize::from(u16::MAX) {
        assert!(out.is_empty());
        return;
    }
    assert_eq!(out.len(), chunk.encoded_len());
    let mut chunks = Chunks::new(&out);
    let again = chunks.next().expect("a chunk was written");
    assert!(again.kind == raw.kind || raw.kind == kind::PADDING_FF);
    assert_eq!(Chunk::decode(again).as_ref(), Ok(chunk));
    assert_eq!(chunks.next(), None);
    match chunk {
        Chunk::IIKeying(keying) => {
            assert_eq!([keying.signed(), keying.signature].concat(), raw.payload);
            assert_eq!(IIKeying::new(keying.signed(), keying.signature).as_ref(), Ok(keying));
        }
        Chunk::RIKeying(keying) => {
            assert_eq!([keying.signed(), keying.signature].concat(), raw.payload);
            assert_eq!(RIKeying::new(keying.signed(), keying.signature).as_ref(), Ok(keying));
        }
        Chunk::BitmapAck(ack) | Chunk::RangeAck(ack) => check_ack(ack),
        _ => {}
    }
}

fn check_user_data(data: &UserData<'_>) {
    assert!(data.sequence > 0);
    assert!(data.forward_sequence < data.sequence || (data.abandoned && data.forward_sequence == data.sequence));
    assert!(data.options.is_none_or(|list| OptionIter(list).all(|option| option.is_ok())));
    let mut out = Vec::new();
    put_user_data(&mut out, data);
    let again = Chunks::new(&out).next().map(Chunk::decode);
    assert!(out.is_empty() || again == Some(Ok(Chunk::UserData(*data))));
}

/// Acknowledgements: the first byte chooses the form, the rest is the payload.
pub fn ack(data: &[u8]) {
    let Some((form, payload)) = data.split_first() else { return };
    let kind = if form & 1 == 0 { kind::BITMAP_ACK } else { kind::RANGE_ACK };
    let raw = RawChunk { kind, payload };
    if payload.len() <= usize::from(u16::MAX)
        && let Ok(chunk) = Chunk::decode(raw)
    {
        check_chunk(raw, &chunk);
    }
}

fn check_ack(ack: &Ack<'_>) {
    let mut above = ack.cumulative;
    for range in ack.ranges() {
        assert!(*range.start() > above && range.start() - above >= 2 && range.start() <= range.end());
        above = *range.end();
    }
    let head = AckHead { flow: ack.flow, buffer_blocks: ack.buffer_available / 1024, cumulative: ack.cumulative };
    for form in [AckForm::Bitmap, AckForm::Range, AckForm::Compact] {
        let mut out = Vec::new();
        let len = encode_ack(&mut out, head, ack.ranges(), form, 1200);
        assert_eq!(len, out.len());
        let Some(Ok(Chunk::BitmapAck(again) | Chunk::RangeAck(again))) = Chunks::new(&out).next().map(Chunk::decode)
        else {
            panic!("an acknowledgement of few bytes was written");
        };
        assert_eq!((again.flow, again.cumulative), (ack.flow, ack.cumulative));
        // Cut off at most in its last range, and nothing claimed that was not received.
        for (written, given) in again.ranges().zip(ack.ranges()) {
            assert!(written.start() == given.start() && written.end() <= given.end());
        }
        assert!(again.ranges().count() <= ack.ranges().count());
    }
}

/// Packet fragments: `data` is cut, and the pieces put together again.
pub fn fragment(data: &[u8]) {
    let Some((size, packet)) = data.split_first() else { return };
    let mut whole = Vec::new();
    let mut more = !packet.is_empty();
    for piece in split_packet(packet, u64::from(*size) << 3, usize::from(*size)) {
        let mut out = Vec::new();
        Chunk::PacketFragment(piece).encode(&mut out);
        let again = Chunks::new(&out).next().map(Chunk::decode);
        assert_eq!(again, Some(Ok(Chunk::PacketFragment(piece))));
        assert!(more);
        more = piece.more;
        whole.extend_from_slice(piece.bytes);
    }
    assert!(!more);
    assert_eq!(whole, packet);
}

/// AMF 0, with AMF 3 inside.
pub fn amf0_message(data: &[u8]) {
    let Ok(values) = amf0::decode(data) else { return };
    let mut out = Vec::new();
    values.iter().for_each(|value| value.encode(&mut out));
    let again = amf0::decode(&out);
    // Compared as text: a number may be NaN.
    assert!(is_at_limit(&again) || format!("{again:?}") == format!("{:?}", Ok::<_, ()>(values)));
}

/// A value in AMF 3.
pub fn amf3_value(data: &[u8]) {
    let Ok(value) = amf3::Value::decode(data) else { return };
    let mut out = Vec::new();
    value.encode(&mut out);
    let again = amf3::Value::decode(&out);
    assert!(is_at_limit(&again) || format!("{again:?}") == format!("{:?}", Ok::<_, ()>(value)));
}

/// Repetitions that came by reference are written out, which may cost more than the reader's limits.
fn is_at_limit<T>(read: &Result<T, p2pt::wire::DecodeError>) -> bool {
    matches!(read, Err(p2pt::wire::DecodeError::TooLarge))
}

/// Messages of Flash communication.
pub fn tc_message(data: &[u8]) {
    let Ok(message) = TcMessage::decode(data) else { return };
    let mut out = Vec::new();
    message.encode(&mut out);
    assert_eq!(out, data);
    if let Some(Ok(command)) = Command::decode(&message) {
        out.clear();
        command.encode(&mut out);
        let again = TcMessage::decode(&out).map(|message| Command::decode(&message));
        assert_eq!(command.texts().count(), command.arguments.iter().filter_map(amf0::Value::as_str).count());
        assert!(again.is_ok_and(|again| {
            again.as_ref().is_some_and(is_at_limit)
                || format!("{again:?}") == format!("{:?}", Some(Ok::<_, ()>(command)))
        }));
    }
    if message.kind == message_kind::USER_CONTROL
        && let Ok(control) = UserControl::decode(message.payload)
    {
        out.clear();
        control.encode(&mut out);
        assert!(TcMessage::decode(&out).is_ok_and(|again| UserControl::decode(again.payload) == Ok(control)));
    }
}

/// Metadata of flows of Flash communication.
pub fn tc_metadata(data: &[u8]) {
    let Ok(metadata) = TcMetadata::decode(data) else { return };
    let mut out = Vec::new();
    metadata.encode(&mut out);
    assert_eq!(TcMetadata::decode(&out), Ok(metadata));
}

/// Messages of the redirector, both ways.
pub fn redirector_message(data: &[u8]) {
    let mut out = Vec::new();
    if let Ok(command) = RedirectorCommand::decode(data) {
        command.encode(&mut out);
        assert_eq!(RedirectorCommand::decode(&out), Ok(command));
    }
    if let Ok(report) = RedirectorReport::decode(data) {
        out.clear();
        report.encode(&mut out);
        assert_eq!(RedirectorReport::decode(&out), Ok(report));
    }
}

/// Certificates and endpoint discriminators, as a far end sends them.
pub fn certificate(data: &[u8]) {
    static NEAR: OnceLock<Keyring> = OnceLock::new();
    let near = NEAR.get_or_init(|| {
        let kind = IdentityKind { server: true, flash: false };
        let policy = Policy { flash: true, ..Policy::default() };
        Keyring::new(Identity::generate(&mut Rng::for_simulation(1), kind), policy)
    });
    let judged = near.examine(data);
    assert_eq!(near.examine(data), judged);
    // Who proves nothing answers for no peer ID.
    if let Ok(far) = judged {
        assert_eq!(near.selects(&epd::fingerprint(far.peer_id), data), far.authenticated);
    }
    let _ = (near.selects_near(data), near.near_prevails(data));
    let (discriminator, certificate) = data.split_at(data.len() / 2);
    if epd::selects(discriminator, certificate) {
        assert!(epd::Epd::parse(discriminator).is_some());
    }
}

/// Datagrams under the Default Session Key.
pub fn startup_datagram(data: &[u8]) {
    let _ = session_id_of(data);
    let mut datagram = data.to_vec();
    if let Ok(plain) = startup::open(&mut datagram) {
        assert!(plain.end <= datagram.len());
    }
}

/// Identity files.
pub fn identity_file(data: &[u8]) {
    if let Ok(identity) = Identity::from_bytes(data) {
        let again = Identity::from_bytes(&identity.to_bytes()).map(|again| again.peer_id());
        assert_eq!(again.ok(), Some(identity.peer_id()));
    }
}

/// Addresses as they are typed.
pub fn address_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<address::Address>() {
        let written = address.to_string();
        assert_eq!(written.parse::<address::Address>().map(|again| again.to_string()), Ok(written));
    }
    let _ = address::Rendezvous::parse(text);
}

/// Groupspecs as they are typed, or as bytes in hex.
pub fn groupspec_text(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        groupspec(text);
    }
    groupspec(&format!("G:{}", to_hex(data)));
}

fn groupspec(text: &str) {
    let spec = match Groupspec::parse(text) {
        Ok(spec) => spec,
        Err(error) => return drop(error.to_string()),
    };
    assert_eq!(Groupspec::parse(spec.text()).as_ref(), Ok(&spec));
    assert!(spec.text().as_bytes().starts_with(spec.secret()));
    let ordered = spec.in_flash_order();
    assert_eq!(ordered.in_flash_order(), ordered);
    let bare = spec.without_authorizations();
    assert_eq!((bare.id(), bare.authorizations().len()), (spec.id(), 0));
    assert!(bare.with_authorizations(&spec.authorizations()).is_ok());
    let _ = (spec.name(), spec.ip_multicast(), spec.bootstrap_peers(), spec.posting_password_hash());
}

/// Messages between a rendezvous and its clients, both ways.
pub fn rendezvous_message(data: &[u8]) {
    let mut server = Server::new(ServerConfig::default(), Rng::for_simulation(1));
    let path = Path::to(([192, 0, 2, 1], 4000).into());
    server.peer_up(Instant::ZERO, 1, PeerId([7; 32]), [0; 32], path);
    server.flow_opened(1, 2, CONTROL_METADATA);
    server.message(Instant::ZERO, 1, 2, data);
    server.ihello(Instant::ZERO, path, data, data, data.len());
    let mut client = Client::register("rtmfp://h".to_owned(), None, Vec::new());
    client.session_up(Instant::ZERO, 1);
    client.message(data);
    assert!(std::iter::from_fn(|| server.poll()).count() < 32);
    assert!(std::iter::from_fn(|| client.poll()).count() < 32);
}

/// Messages on standard input: the first byte chooses the framing, the second the pieces in which the rest comes.
pub fn framed_messages(data: &[u8]) {
    let [form, piece, input @ ..] = data else { return };
    let framing = Framing::named(["line", "nul", "ts", "u32"][usize::from(form & 3)]);
    let (whole, outcome) = cut(framing, input, input.len().max(1));
    // Where the pieces end makes no difference.
    assert_eq!(cut(framing, input, usize::from(*piece).max(1)), (whole.clone(), outcome));
    // What was written out is read as the same messages; and it is the input, but for a last line's missing end.
    let mut written = Vec::new();
    whole.iter().for_each(|message| framing.put(&mut written, message));
    assert_eq!(cut(framing, &written, 7), (whole, Ok(())));
    let same = input.len().min(written.len());
    assert_eq!(input[..same], written[..same]);
    assert!(outcome.is_err() || written.len() == same || written.len() == same + 1);
}

fn cut(framing: Framing, input: &[u8], piece: usize) -> (Vec<Bytes>, Result<(), FramingError>) {
    let (mut messages, mut buffer) = (Vec::new(), BytesMut::new());
    let pieces = input.chunks(piece).map(Some).chain([None]);
    for piece in pieces {
        buffer.extend_from_slice(piece.unwrap_or_default());
        loop {
            match framing.take(&mut buffer, piece.is_none()) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    assert!(buffer.is_empty(), "nothing is left of an input that was taken");
    (messages, Ok(()))
}

/// Quantities with units, as they are typed and as they are shown.
pub fn quantities(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let near = |shown: u64, exact: u64| shown.abs_diff(exact) <= exact / 16;
    if let Ok(span) = units::duration(text) {
        let shown = units::duration(&units::show_duration(span)).expect("what is shown can be typed");
        assert!(shown <= span && span - shown < Duration::from_millis(1));
    }
    if let Ok(bytes) = units::size(text) {
        let shown = units::show_size(bytes);
        assert!(shown.ends_with("PiB") || units::size(&shown).is_ok_and(|shown| near(shown, bytes)), "{shown}");
    }
    if let Ok(rate) = units::rate(text) {
        assert!(units::rate(&rate.to_string()).is_ok_and(|shown| near(shown.bits, rate.bits)), "{rate}");
    }
}

/// `HOST:PORT`, peer IDs, and what stands behind the `#` of an address.
pub fn host_and_port(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((host, port)) = parser::host_port(text) {
        assert!(!host.is_empty() && port > 0);
        let typed = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        assert_eq!(parser::host_port(&typed), Ok((host, port)));
    }
    if let Ok(id) = text.parse::<PeerId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(target) = text.parse::<address::Target>() {
        let written = target.to_string();
        assert!(written.parse::<address::Target>().is_ok_and(|again| again == target), "{}", written.len());
    }
}

/// The known messages of the group protocol.
pub fn group_message(data: &[u8]) {
    if let Ok(control) = Control::decode(data) {
        let again = control.encode();
        let control = Control::decode(&again).expect("what is written is read");
        assert_eq!(control.encode(), again);
        if let Control::Report(report) = control {
            assert!(report.records().count() < data.len() && report.addresses().count() < data.len());
            let addresses = report.records().map(|record| record.addresses().count()).sum::<usize>();
            assert!(addresses < data.len());
        }
    }
    if let Ok(join) = Join::decode(data) {
        assert_eq!(Join::decode(&join.encode()), Ok(join));
    }
    if let Ok(member) = Member::decode(data) {
        assert_eq!(member.encode(), data);
    }
}

/// A membership whose neighbour sends these bytes, first as a stranger, then with its token proven. Its first byte is the
/// length of the first message, and so on.
pub fn membership(data: &[u8]) {
    static SPEC: OnceLock<Groupspec> = OnceLock::new();
    let spec = SPEC.get_or_init(|| Groupspec::parse("G:010100").expect("a groupspec"));
    let (me, peer) = (PeerId([1; 32]), PeerId([2; 32]));
    let config = MembershipConfig { spec: spec.clone(), me, mode: ReceiveMode::Nearest };
    let mut member = Membership::new(Instant::ZERO, Rng::for_simulation(1), config);
    let link = group::Link {
        remote: ([192, 0, 2, 1], 1935).into(),
        near_nonce: [3; 32],
        far_nonce: [4; 32],
        initiator: true,
        rtt: None,
    };
    member.peer_up(Instant::ZERO, peer, link);
    member.message(Instant::ZERO, peer, data);
    member.peer_up(Instant::ZERO, peer, link);
    let init = Init { group: spec.id(), token: Init::token(spec.secret(), &[3; 32]), receiver: me };
    member.message(Instant::ZERO, peer, &init.encode());
    let (mut rest, mut now, mut outputs) = (data, Instant::ZERO, 0);
    while let Some((&len, body)) = rest.split_first() {
        let (message, behind) = body.split_at(body.len().min(usize::from(len) * 8));
        member.message(now, peer, message);
        now += Duration::from_millis(300);
        member.handle_timeout(now);
        outputs += std::iter::from_fn(|| member.poll()).count();
        rest = behind;
    }
    assert!(member.view().members().len() <= usize::from(MAX_UNPROVEN) + 1);
    // A report and a few openings for each message.
    assert!(outputs <= 64 * (data.len() + 1));
}
