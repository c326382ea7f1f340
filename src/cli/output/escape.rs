//! Text from elsewhere, made harmless for a terminal: control characters are shown, not obeyed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with control characters written as `\n`-like escapes; line feeds and tabs stay.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        put(&mut out, c);
    }
    Cow::Owned(out)
}

/// Escapes a stream of bytes that comes in pieces, which may cut characters in two.
#[derive(Debug, Default)]
pub struct Escaper {
    /// The beginning of a character whose end has not come: at most three bytes.
    cut: Vec<u8>,
}

impl Escaper {
    /// What to show for `piece`.
    pub fn push(&mut self, piece: &[u8]) -> String {
        let bytes = [&self.cut[..], piece].concat();
        self.cut.clear();
        let mut out = String::with_capacity(bytes.len());
        let mut rest = &bytes[..];
        loop {
            let (good, bad) = match std::str::from_utf8(rest) {
                Ok(good) => (good, None),
                Err(error) => {
                    let good = std::str::from_utf8(&rest[..error.valid_up_to()]).expect("valid up to here");
                    (good, Some(error.error_len()))
                }
            };
            good.chars().for_each(|c| put(&mut out, c));
            rest = &rest[good.len()..];
            match bad {
                None => return out,
                Some(None) => {
                    self.cut = rest.to_vec();
                    return out;
                }
                Some(Some(length)) => {
                    put_bytes(&mut out, &rest[..length]);
                    rest = &rest[length..];
                }
            }
        }
    }

    /// What to show at the end of the stream, where a character may have been left in the middle.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        put_bytes(&mut out, &std::mem::take(&mut self.cut));
        out
    }
}

/// Control characters (C0, DEL, C1) other than line feed and tab, and the marks that reorder the text around them.
fn is_hostile(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\n' && c != '\t') || reorders
}

fn put(out: &mut String, c: char) {
    match c {
        '\r' => out.push_str("\\r"),
        c if is_hostile(c) && u32::from(c) < 0x100 => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        c if is_hostile(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn put_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(escaped("plain\ttext\nüñ"), "plain\ttext\nüñ");
        assert_eq!(escaped("\x1b[2Jx\r\x07\u{9b}1m\u{202e}"), "\\x1b[2Jx\\r\\x07\\x9b1m\\u{202e}");
    }

    #[test]
    fn a_stream_may_be_cut_anywhere() {
        let bytes = "ü\x1b]0;title\x07 €\u{10348}\n".as_bytes();
        let wrong: Vec<u8> = [bytes, b"\xff\xc3(", bytes, b"\xe2\x82"].concat();
        let mut whole = Escaper::default();
        let expected = whole.push(&wrong) + &whole.finish();
        assert!(expected.ends_with("\\xe2\\x82") && expected.contains("\\xff\\xc3("), "{expected}");
        for at in 0..=wrong.len() {
            let mut pieces = Escaper::default();
            let shown = pieces.push(&wrong[..at]) + &pieces.push(&wrong[at..]) + &pieces.finish();
            assert_eq!(shown, expected, "cut at {at}");
        }
    }
}
