//! From text to an address; errors point at the place without showing what is secret.

use super::value::{Address, DEFAULT_PORT, HostPort, Object, Rendezvous, Target};
use crate::base::{PeerId, from_hex};
use crate::node::files::check_name;
use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::str::FromStr;
use zeroize::Zeroizing;

const SCHEME: &str = "rtmfp:";

/// Why a text is no address: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    /// The text with what is secret in it covered by `*`, one for each character.
    shown: String,
    /// The wrong characters.
    place: Range<usize>,
    /// What is wrong with them.
    problem: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// So much of a long address is shown around the place.
        const AROUND: usize = 28;
        let letters: Vec<char> = self.shown.chars().collect();
        let from = self.place.start.saturating_sub(AROUND).min(letters.len());
        let to = (self.place.end + AROUND).clamp(from, letters.len());
        let (before, after) = (if from > 0 { "…" } else { "" }, if to < letters.len() { "…" } else { "" });
        let part: String = letters[from..to].iter().collect();
        let indent = self.place.start - from + before.chars().count();
        let marks = "^".repeat(self.place.len().clamp(1, (to - from).max(1)));
        write!(f, "{}\n    {before}{part}{after}\n    {:indent$}{marks}", self.problem, "")
    }
}

impl std::error::Error for AddressError {}

impl Rendezvous {
    /// Parses the part before `#`; `None` for `rtmfp:`, no server.
    ///
    /// # Errors
    /// [`AddressError`] points at the place.
    pub fn parse(text: &str) -> Result<Option<Self>, AddressError> {
        let text = text.trim();
        if let Some(at) = text.find('#') {
            return Err(wrong(text, at..text.len(), "a rendezvous has no part after #"));
        }
        head(text, text)
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        target(text.trim(), 0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let Some(at) = text.find('#') else {
            return Err(wrong(text, text.len()..text.len(), "no # and peer ID or groupspec at the end"));
        };
        Ok(Self { rendezvous: head(text, &text[..at])?, target: target(text, at + 1)? })
    }
}

/// `rtmfp:` or `rtmfp://…`, which `whole` begins with.
fn head(whole: &str, head: &str) -> Result<Option<Rendezvous>, AddressError> {
    if head.get(..SCHEME.len()).is_none_or(|start| !start.eq_ignore_ascii_case(SCHEME)) {
        return Err(wrong(whole, 0..0, "an address begins with rtmfp:"));
    }
    let rest = &head[SCHEME.len()..];
    if rest.is_empty() {
        return Ok(None);
    }
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(wrong(whole, SCHEME.len()..head.len(), "after rtmfp: comes // and a host, or # for no server"));
    };
    let start = head.len() - rest.len();
    let host_end = start + rest.find(['/', '?']).unwrap_or(rest.len());
    let host = host_port(whole, start..host_end, Some(DEFAULT_PORT))?;
    let (path, query) = match head[host_end..].find('?') {
        Some(at) => (host_end..host_end + at, Some(host_end + at + 1..head.len())),
        None => (host_end..head.len(), None),
    };
    let developer_key = developer_key(whole, path)?;
    let id = query.map(|query| rendezvous_id(whole, query)).transpose()?;
    Ok(Some(Rendezvous { host, developer_key, id }))
}

/// `/KEY`; a lone slash is none.
fn developer_key(whole: &str, path: Range<usize>) -> Result<Option<Zeroizing<String>>, AddressError> {
    let encoded = whole[path.clone()].strip_prefix('/').unwrap_or_default();
    let start = path.end - encoded.len();
    let key = unescaped(whole, start..path.end, "the developer key")?;
    if key.is_empty() {
        return Ok(None);
    }
    Ok(Some(key))
}

/// Text with `%` and two hex digits for what could be taken for something else.
fn unescaped(whole: &str, place: Range<usize>, what: &str) -> Result<Zeroizing<String>, AddressError> {
    let (start, encoded) = (place.start, &whole[place.clone()]);
    let mut plain = Zeroizing::new(Vec::with_capacity(encoded.len()));
    let mut bytes = encoded.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        plain.push(if byte == b'%' {
            let place = start + at..start + at + 1;
            let digits = encoded.get(at + 1..at + 3).and_then(|digits| from_hex(digits).ok());
            bytes.nth(1);
            digits.ok_or_else(|| wrong(whole, place, "after % come two hex digits"))?[0]
        } else if byte.is_ascii_control() || byte == b' ' {
            let place = start + at..start + at + 1;
            return Err(wrong(whole, place, &format!("a space or control character in {what}")));
        } else {
            byte
        });
    }
    let text = std::str::from_utf8(&plain).map_err(|_| wrong(whole, place, &format!("{what} is not UTF-8")))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// `id=PEER-ID`.
fn rendezvous_id(whole: &str, query: Range<usize>) -> Result<PeerId, AddressError> {
    match whole[query.clone()].strip_prefix("id=") {
        Some(id) => peer_id(whole, query.end - id.len()..query.end),
        None => Err(wrong(whole, query, "after ? comes id= and the ID of the rendezvous")),
    }
}

fn target(whole: &str, start: usize) -> Result<Target, AddressError> {
    let text = &whole[start..];
    if text.is_empty() {
        return Err(wrong(whole, start..start, "a peer ID or groupspec is missing here"));
    }
    if text.get(..2).is_some_and(|mark| mark.eq_ignore_ascii_case("G:")) {
        return group(whole, start);
    }
    let (id, list) = match text.find('@') {
        Some(at) => (start..start + at, Some(start + at + 1)),
        None => (start..whole.len(), None),
    };
    let id = peer_id(whole, id)?;
    let mut direct = Vec::new();
    if let Some(mut from) = list {
        for host in whole[from..].split(',') {
            direct.push(host_port(whole, from..from + host.len(), None)?);
            from += host.len() + 1;
        }
    }
    Ok(Target::Peer { id, direct })
}

fn group(whole: &str, start: usize) -> Result<Target, AddressError> {
    let digits_start = start + 2;
    let end = whole[start..].find('/').map_or(whole.len(), |at| start + at);
    let digits = &whole[digits_start..end];
    if let Some((at, c)) = digits.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let place = digits_start + at..digits_start + at + c.len_utf8();
        let number = digits[..at].len() + 1;
        return Err(wrong(whole, place, &format!("character {number} of the groupspec, {c:?}, is not a hex digit")));
    }
    if digits.is_empty() || digits.len() % 2 == 1 {
        let problem = format!("the groupspec has {} hex digits; there must be pairs of them", digits.len());
        return Err(wrong(whole, end..end, &problem));
    }
    let object = if end < whole.len() { Some(object(whole, end + 1)?) } else { None };
    Ok(Target::Group { spec: Zeroizing::new(format!("G:{digits}")), object })
}

/// `b3=HASH` or `b3list=HASH`, with `/NAME` or not.
fn object(whole: &str, start: usize) -> Result<Object, AddressError> {
    let text = &whole[start..];
    let (list, from) = match (text.strip_prefix("b3="), text.strip_prefix("b3list=")) {
        (Some(rest), _) => (false, whole.len() - rest.len()),
        (_, Some(rest)) => (true, whole.len() - rest.len()),
        _ => {
            let problem = "after the groupspec's / comes b3= or b3list= and a hash";
            return Err(wrong(whole, start..whole.len(), problem));
        }
    };
    let end = whole[from..].find('/').map_or(whole.len(), |at| from + at);
    let hash = peer_id(whole, from..end)?.0;
    let name = if end < whole.len() {
        let name = unescaped(whole, end + 1..whole.len(), "the name")?;
        check_name(&name)
            .map_err(|why| wrong(whole, end + 1..whole.len(), &format!("no name for a file here: {why}")))?;
        Some(name.to_string())
    } else {
        None
    };
    Ok(Object { hash, list, name })
}

/// 64 hex digits: a peer ID, or a hash.
fn peer_id(whole: &str, place: Range<usize>) -> Result<PeerId, AddressError> {
    let text = &whole[place.clone()];
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let place = place.start + at..place.start + at + c.len_utf8();
        return Err(wrong(whole, place, &format!("{c:?} is not a hex digit")));
    }
    text.parse().map_err(|_| wrong(whole, place, &format!("{} hex digits where 64 are wanted", text.len())))
}

/// `HOST[:PORT]`; the port may be left out where there is a usual one.
fn host_port(whole: &str, place: Range<usize>, usual: Option<u16>) -> Result<HostPort, AddressError> {
    let text = &whole[place.clone()];
    if text.is_empty() || text.starts_with(':') && !text.starts_with("::") {
        return Err(wrong(whole, place.start..place.start, "a host is missing here"));
    }
    let host_end = match text.strip_prefix('[') {
        Some(inside) => match inside.find(']') {
            Some(at) => at + 2,
            None => return Err(wrong(whole, place, "the [ of an IPv6 address is never closed")),
        },
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    let at = place.start + host_end;
    let port = match (rest.strip_prefix(':'), usual) {
        (None, Some(usual)) if rest.is_empty() => usual,
        (None, _) => return Err(wrong(whole, at..place.end, "a colon and a port are wanted here")),
        (Some(digits), _) => match digits.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ if digits.contains(':') => {
                return Err(wrong(whole, place, "an IPv6 address stands in brackets, as in [::1]:1935"));
            }
            _ => return Err(wrong(whole, at + 1..place.end, "a port is a number from 1 to 65535")),
        },
    };
    let host = match host.strip_prefix('[') {
        Some(inside) => {
            let inside = inside.trim_end_matches(']');
            let address: Ipv6Addr =
                inside.parse().map_err(|_| wrong(whole, place.start + 1..at - 1, "not an IPv6 address"))?;
            address.to_string()
        }
        None => name(whole, place.start..at)?,
    };
    Ok(HostPort { host, port })
}

/// A host's name, or its IPv4 address.
fn name(whole: &str, place: Range<usize>) -> Result<String, AddressError> {
    let text = &whole[place.clone()];
    // Names beyond ASCII are left to the resolver; what could be taken for another part of an address is not.
    let strange = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
    match text.char_indices().find(|(_, c)| strange(*c)) {
        Some((at, c)) => {
            let place = place.start + at..place.start + at + c.len_utf8();
            Err(wrong(whole, place, &format!("{c:?} has no place in a host's name")))
        }
        None => Ok(text.to_lowercase()),
    }
}

/// The error, with secrets covered; `place` in bytes of `whole`.
fn wrong(whole: &str, place: Range<usize>, problem: &str) -> AddressError {
    let letters = |bytes: usize| whole[..bytes].chars().count();
    AddressError { shown: covered(whole), place: letters(place.start)..letters(place.end), problem: problem.to_owned() }
}

/// `text` with the developer key and the groupspec's digits covered.
fn covered(text: &str) -> String {
    let head_end = text.find('#').unwrap_or(text.len());
    let key = text.find("//").map(|at| at + 2).filter(|&at| at <= head_end).and_then(|host| {
        let start = host + text[host..head_end].find('/')? + 1;
        Some(start..start + text[start..head_end].find('?').unwrap_or(head_end - start))
    });
    let lower = text.to_ascii_lowercase();
    let group = lower.find("g:").map(|at| at + 2..text[at..].find('/').map_or(text.len(), |slash| at + slash));
    let hidden = |at: usize| [&key, &group].into_iter().flatten().any(|range| range.contains(&at));
    text.char_indices().map(|(at, c)| if hidden(at) || c.is_control() { '*' } else { c }).collect()
}
