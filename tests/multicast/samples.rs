//! What goes in comes out.

use crate::channel::{Channel, began, last, sample};
use p2pt::node::multicast::media::Format;

#[test]
fn what_is_published_is_played_byte_for_byte() {
    for (name, options) in [
        ("av.flv", &[][..]),
        ("a.flv", &["--format", "flv"]),
        ("av.ts", &["--flash-timing"]),
        ("hevc.ts", &["--latency", "300ms"]),
        ("a.ts", &["--multicast-push-neighbor-limit", "1", "--multicast-availability-send-to-all"]),
        ("av.ts", &["--format", "raw", "--latency", "500ms"]),
    ] {
        let (channel, stream) = (Channel::new(&[]), sample(name));
        let players = channel.players(2, &[]);
        let mut publisher = channel.publish(options);
        publisher.await_neighbours(2);
        publisher.write(&stream);
        let published = publisher.finish();
        let told = last(&published.stderr, "published").expect("it was told");
        assert!(told["bytes"].as_u64() > Some(0), "{told}");
        for player in players {
            let played = player.finish();
            assert!(played.stdout == stream, "{name}: {} of {} bytes", played.stdout.len(), stream.len());
        }
    }
}

#[test]
fn any_bytes_go_through_and_the_shortest_too() {
    for stream in [b"G".to_vec(), b"one line\n".to_vec(), (0..3_000_000u32).map(|n| (n >> 3) as u8).collect()] {
        let channel = Channel::new(&[]);
        let player = channel.play(&["--latency", "0s"]);
        let mut publisher = channel.publish(&[]);
        publisher.await_neighbours(1);
        publisher.write(&stream);
        publisher.finish();
        let played = player.finish();
        assert!(played.stdout == stream, "{} of {} bytes", played.stdout.len(), stream.len());
    }
}

#[test]
fn who_comes_late_begins_at_a_key_frame_with_what_its_decoder_needs() {
    for (name, format, from) in [("av.flv", Format::Flv, 13_000), ("av.ts", Format::MpegTs, 23_500)] {
        let (channel, stream) = (Channel::new(&[]), sample(name));
        let mut publisher = channel.publish(&[]);
        publisher.write(&stream[..from]);
        let early = channel.play(&[]);
        early.await_stream();
        let late = channel.play(&["--latency", "500ms"]);
        late.await_stream();
        publisher.write(&stream[from..]);
        publisher.finish();
        for player in [early, late] {
            let played = player.finish();
            let place = began(&played.stdout, &stream, format);
            println!("{name}: began at place {place:?}");
            assert!(place.is_some(), "{name}: {} of {} bytes", played.stdout.len(), stream.len());
        }
    }
}

#[test]
fn a_file_goes_by_its_own_clock() {
    let (channel, stream) = (Channel::new(&[]), sample("av.ts"));
    let player = channel.play(&["--latency", "200ms"]);
    let mut publisher = channel.publish(&["--realtime"]);
    publisher.await_neighbours(1);
    publisher.write(&stream);
    let published = publisher.finish();
    // Three seconds, of which the last packets say nothing of the time.
    let told = last(&published.stderr, "published").expect("it was told");
    assert!(told["seconds"].as_f64() > Some(2.0), "{told}");
    assert!(player.finish().stdout == stream);
}
