//! `p2pt group new`: a groupspec.

use crate::base::{PeerId, Rng};
use crate::cli::call::Call;
use crate::cli::failure::{Failure, OrFail, describe};
use crate::cli::net;
use crate::cli::output::{Event, quoted};
use crate::cli::password;
use crate::cli::status::Status;
use crate::cli::table::row::Json;
use crate::group::{Groupspec, GroupspecBuilder, IpMulticast, PasswordKey};
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a password is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Posting,
    Publishing,
}

impl Use {
    const ALL: [Self; 2] = [Self::Posting, Self::Publishing];

    /// As in the options.
    const fn name(self) -> &'static str {
        match self {
            Self::Posting => "posting-password",
            Self::Publishing => "publish-password",
        }
    }
}

/// Makes a groupspec and prints it.
///
/// # Errors
/// Usage; 11 if the file is there already; 9 if it cannot be written.
pub(crate) fn run(call: Call) -> Result<(), Failure> {
    let output = call.path("output");
    if output.is_none() && !io::stderr().is_terminal() && Use::ALL.iter().any(|part| call.switch(part.name())) {
        return Err(Failure::usage("a generated password has nowhere to go: there is no terminal")
            .next("write to a file with -o, or give a password with --posting-password-file"));
    }
    let mut rng = net::rng()?;
    let mut builder = features(&call, GroupspecBuilder::new(&call.text("name").unwrap_or_default()));
    if call.text("groupspec-version").as_deref() == Some("1") {
        builder = builder.version(1);
    }
    if !call.switch("guessable") {
        builder = builder.unique(rng.bytes());
    }
    for peer in call.texts("bootstrap-peer") {
        builder = builder.bootstrap_peer(bootstrap_peer(&peer)?);
    }
    for address in call.texts("ip-multicast") {
        builder = builder.ip_multicast(&ip_multicast(&address)?);
    }
    let mut made = Vec::new();
    for part in Use::ALL {
        let (with, generated) = password_of(&call, builder, part, &mut rng)?;
        builder = with;
        made.extend(generated.map(|password| (part, password)));
    }
    let spec = builder.build().map_err(|why| Failure::usage(format_args!("no groupspec: {why}")))?;
    match &output {
        Some(path) => keep(&call, path, &spec, &made)?,
        None => {
            for (part, password) in &made {
                call.out.say(format_args!("the {}, which cannot be had again: {}", part.name(), **password));
            }
        }
    }
    print(&call, &spec, output.as_deref())?;
    warn(&call, &spec);
    Ok(())
}

fn print(call: &Call, spec: &Groupspec, file: Option<&Path>) -> Result<(), Failure> {
    let shown = file.is_none().then(|| spec.text().to_owned());
    if call.out.json() == Some(Json::Stdout) {
        return call.out.event(
            Event::new("group")
                .with("group_id", spec.id().to_string())
                .with("name", spec.name())
                .with("groupspec", shown)
                .with("file", file.map(|path| path.display().to_string())),
        );
    }
    let Some(text) = shown else { return Ok(()) };
    call.out.line(&text)?;
    // The counterpart has the secret in it, so it is for nobody's log.
    if io::stderr().is_terminal() && !call.out.to_terminal() {
        let address = format!("rtmfp:#{text}");
        call.out.counterpart("to join it on this LAN", format_args!("p2pt group join {}", quoted(&address)));
    }
    Ok(())
}

/// The features that were asked for; all of them if none was.
fn features(call: &Call, mut builder: GroupspecBuilder) -> GroupspecBuilder {
    type Feature = (&'static str, fn(GroupspecBuilder) -> GroupspecBuilder);
    const FEATURES: [Feature; 6] = [
        ("posting", GroupspecBuilder::posting),
        ("multicast", GroupspecBuilder::multicast),
        ("replication", GroupspecBuilder::object_replication),
        ("routing", GroupspecBuilder::routing),
        ("server-channel", GroupspecBuilder::server_channel),
        ("member-updates", GroupspecBuilder::member_updates),
    ];
    let all = !FEATURES.iter().any(|(name, _)| call.switch(name));
    for (_, enable) in FEATURES.iter().filter(|(name, _)| all || call.switch(name)) {
        builder = enable(builder);
    }
    if call.switch("no-peer-to-peer") { builder.peer_to_peer_disabled() } else { builder }
}

/// What may surprise its maker.
fn warn(call: &Call, spec: &Groupspec) {
    if !spec.server_channel() {
        call.out.say("without --server-channel its members do not find each other through a rendezvous");
    }
    if !spec.is_unique() {
        call.out.say("this group can be found by guessing its name and options: whoever does can join");
    }
}

/// The groupspec with the password that was asked for, and that password if it was generated.
fn password_of(
    call: &Call,
    builder: GroupspecBuilder,
    part: Use,
    rng: &mut Rng,
) -> Result<(GroupspecBuilder, Option<Zeroizing<String>>), Failure> {
    let with_key = |builder: GroupspecBuilder, key: &PasswordKey| match part {
        Use::Posting => builder.posting_key(key),
        Use::Publishing => builder.publishing_key(key),
    };
    if call.switch(part.name()) {
        let (password, key) = PasswordKey::generate(rng);
        return Ok((with_key(builder, &key), Some(password)));
    }
    let Some(password) = password::given(call, part.name(), None)? else { return Ok((builder, None)) };
    if call.switch("flash-passwords") {
        let salt = call.text("flash-salt").unwrap_or_default();
        let salt = salt.as_bytes();
        call.out.say(format_args!("the {} is advisory: programs may ask for it, and need not", part.name()));
        let builder = match part {
            Use::Posting => builder.flash_posting_password(&password, salt, true),
            Use::Publishing => builder.flash_publish_password(&password, salt, true),
        };
        return Ok((builder, None));
    }
    // A generated password, from the file of another group, say, needs no stretching.
    let key = PasswordKey::of(&password, None).or_else(|_| {
        call.out.say(format_args!(
            "every holder of the groupspec can try to guess the {}; a generated one (--{0}) cannot be guessed",
            part.name()
        ));
        PasswordKey::of_person(&password, rng)
    });
    let key = key.map_err(|why| Failure::new(Status::LocalIo, "make a key from the password", why))?;
    Ok((with_key(builder, &key), None))
}

/// Writes the groupspec and what was generated to files of their own: all or nothing.
fn keep(call: &Call, path: &Path, spec: &Groupspec, made: &[(Use, Zeroizing<String>)]) -> Result<(), Failure> {
    let mut files: Vec<(PathBuf, &str)> = vec![(path.to_owned(), spec.text())];
    for (part, password) in made {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".{}", part.name()));
        files.push((name.into(), password));
    }
    for (at, (path, text)) in files.iter().enumerate() {
        if let Err(failure) = write_new(path, text) {
            files[..at].iter().for_each(|(path, _)| drop(std::fs::remove_file(path)));
            return Err(failure);
        }
    }
    for (path, _) in &files[1..] {
        call.out
            .say(format_args!("a password was written to {}; give it only to those who may use it", path.display()));
    }
    call.out.counterpart(
        "to join it on this LAN",
        format_args!("p2pt group join {}", quoted(&format!("@{}", path.display()))),
    );
    Ok(())
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| {
        let status = if error.kind() == io::ErrorKind::AlreadyExists { Status::Exists } else { Status::LocalIo };
        let failure = Failure::new(status, format!("make the file {}", path.display()), describe(&error));
        if status == Status::Exists { failure.next("choose another name, or move the old file away") } else { failure }
    })?;
    let line = Zeroizing::new(format!("{text}\n"));
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).or_fail(|| format!("write {}", path.display()))
}

fn bootstrap_peer(text: &str) -> Result<PeerId, Failure> {
    text.parse().map_err(|why| Failure::usage(format_args!("--bootstrap-peer {text}: {why}")))
}

/// `ADDR:PORT` or `ADDR:PORT,SOURCE`.
fn ip_multicast(text: &str) -> Result<IpMulticast, Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("--ip-multicast {text}: {why}"));
    let (group, source) = text.split_once(',').map_or((text, None), |(group, source)| (group, Some(source)));
    let group: SocketAddr = group.parse().map_err(|_| wrong("wanted ADDR:PORT in numbers, as in 239.1.2.3:30000"))?;
    if !group.ip().is_multicast() {
        return Err(wrong("this is no multicast address; those are 224.0.0.0/4 and ff00::/8"));
    }
    let source = source.map(|source| source.trim_matches(['[', ']']).parse::<IpAddr>());
    let source = source.transpose().map_err(|_| wrong("behind the comma is wanted a sender's address"))?;
    if source.is_some_and(|source| source.is_ipv4() != group.is_ipv4()) {
        return Err(wrong("group and sender are of different IP versions"));
    }
    Ok(IpMulticast { group, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multicast_addresses_are_read_and_others_refused() {
        let read = |text| ip_multicast(text).map(|read| read.to_string()).map_err(|why| why.to_string());
        assert_eq!(read("239.1.2.3:30000").as_deref(), Ok("239.1.2.3:30000"));
        assert_eq!(read("232.1.2.3:5,192.0.2.1").as_deref(), Ok("232.1.2.3:5 from 192.0.2.1"));
        assert_eq!(read("[ff3e::7]:1,[2001:db8::1]").as_deref(), Ok("[ff3e::7]:1 from 2001:db8::1"));
        for wrong in ["", "239.1.2.3", "192.0.2.1:5", "239.1.2.3:1,x", "239.1.2.3:1,::1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
