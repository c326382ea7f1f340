//! AMF 0 (Adobe, December 2007): the typed values of ActionScript 1 and 2, as trees, with the switch to AMF 3 (section 3.1).
//!
//! A reference to an earlier object stays a reference ([`Value::Reference`]), so that cycles are harmless and nothing is multiplied.

use super::amf_limits::Budget;
use super::amf3;
use super::error::DecodeError;
use super::reader::{take, take_array, take_u8, take_u16, take_u32};

pub use super::amf_limits::{MAX_DEPTH, MAX_TEXT, MAX_VALUES};

mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0a;
    pub(super) const DATE: u8 = 0x0b;
    pub(super) const LONG_STRING: u8 = 0x0c;
    pub(super) const UNSUPPORTED: u8 = 0x0d;
    pub(super) const XML_DOCUMENT: u8 = 0x0f;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
    pub(super) const AVMPLUS: u8 = 0x11;
}

/// Properties of an object, in their order.
pub type Properties = Vec<(String, Value)>;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// A text, short or long.
    String(String),
    /// An anonymous object.
    Object(Properties),
    /// null.
    Null,
    /// undefined.
    Undefined,
    /// The object or array with this index among those before it.
    Reference(u16),
    /// An array with names.
    EcmaArray(Properties),
    /// An array of members 0, 1, ….
    StrictArray(Vec<Value>),
    /// Milliseconds since 1970, UTC.
    Date(f64),
    /// Something that its sender could not say.
    Unsupported,
    /// An XML document, as text.
    XmlDocument(String),
    /// An object of a class.
    TypedObject {
        /// The class.
        class: String,
        /// Its properties.
        properties: Properties,
    },
    /// A value in AMF 3.
    Amf3(amf3::Value),
}

impl Value {
    /// The text of a string, of either version.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Amf3(value) => value.as_str(),
            _ => None,
        }
    }

    /// The number in a number, of either version.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) | Self::Amf3(amf3::Value::Double(number)) => Some(*number),
            Self::Amf3(amf3::Value::Integer(number)) => Some(f64::from(*number)),
            _ => None,
        }
    }

    /// The property of this name, if the value is an AMF 0 object or array that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) | Self::TypedObject { properties, .. } => {
                properties.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Appends the value. Names beyond 65,535 bytes are cut off there.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => put_double(out, marker::NUMBER, *number),
            Self::Boolean(value) => out.extend_from_slice(&[marker::BOOLEAN, u8::from(*value)]),
            Self::String(text) if text.len() <= usize::from(u16::MAX) => {
                out.push(marker::STRING);
                put_short(out, text);
            }
            Self::String(text) => put_long(out, marker::LONG_STRING, text),
            Self::Object(properties) => {
                out.push(marker::OBJECT);
                put_properties(out, properties);
            }
            Self::Null => out.push(marker::NULL),
            Self::Undefined => out.push(marker::UNDEFINED),
            Self::Reference(index) => {
                out.push(marker::REFERENCE);
                out.extend_from_slice(&index.to_be_bytes());
            }
            Self::EcmaArray(properties) => {
                out.push(marker::ECMA_ARRAY);
                put_u32(out, properties.len());
                put_properties(out, properties);
            }
            Self::StrictArray(values) => {
                out.push(marker::STRICT_ARRAY);
                put_u32(out, values.len());
                for value in values {
                    value.encode(out);
                }
            }
            Self::Date(millis) => {
                put_double(out, marker::DATE, *millis);
                // The time zone is reserved.
                out.extend_from_slice(&[0, 0]);
            }
            Self::Unsupported => out.push(marker::UNSUPPORTED),
            Self::XmlDocument(text) => put_long(out, marker::XML_DOCUMENT, text),
            Self::TypedObject { class, properties } => {
                out.push(marker::TYPED_OBJECT);
                put_short(out, class);
                put_properties(out, properties);
            }
            Self::Amf3(value) => {
                out.push(marker::AVMPLUS);
                value.encode(out);
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// The values that a message consists of. After an error it ends.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    budget: Budget,
    objects: usize,
    amf3: amf3::Tables,
}

impl<'a> Decoder<'a> {
    /// The values of `message`; limits and references are the message's.
    #[must_use]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message, budget: Budget::new(), objects: 0, amf3: amf3::Tables::default() }
    }

    /// The bytes that are not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self) -> Result<Value, DecodeError> {
        self.budget.descend()?;
        let value = self.take_inner()?;
        self.budget.ascend();
        Ok(value)
    }

    fn take_inner(&mut self) -> Result<Value, DecodeError> {
        Ok(match take_u8(&mut self.rest)? {
            marker::NUMBER => Value::Number(self.take_double()?),
            marker::BOOLEAN => Value::Boolean(take_u8(&mut self.rest)? != 0),
            marker::STRING => Value::String(self.take_short()?),
            marker::OBJECT => Value::Object(self.take_properties()?),
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::REFERENCE => {
                let index = take_u16(&mut self.rest)?;
                if usize::from(index) >= self.objects {
                    return Err(DecodeError::Reference);
                }
                Value::Reference(index)
            }
            marker::ECMA_ARRAY => {
                // The count is a hint; the object end decides.
                take_u32(&mut self.rest)?;
                Value::EcmaArray(self.take_properties()?)
            }
            marker::STRICT_ARRAY => {
                let count = take_u32(&mut self.rest)?;
                self.objects += 1;
                // No capacity on the far end's word.
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.take()?);
                }
                Value::StrictArray(values)
            }
            marker::DATE => {
                let millis = self.take_double()?;
                take_u16(&mut self.rest)?;
                Value::Date(millis)
            }
            marker::LONG_STRING => Value::String(self.take_long()?),
            marker::UNSUPPORTED => Value::Unsupported,
            marker::XML_DOCUMENT => Value::XmlDocument(self.take_long()?),
            marker::TYPED_OBJECT => {
                let class = self.take_short()?;
                Value::TypedObject { class, properties: self.take_properties()? }
            }
            marker::AVMPLUS => Value::Amf3(self.amf3.take(&mut self.rest, &mut self.budget)?),
            unknown => return Err(DecodeError::UnknownType(unknown)),
        })
    }

    fn take_properties(&mut self) -> Result<Properties, DecodeError> {
        // Counted before its members, which may refer to it.
        self.objects += 1;
        let mut properties = Vec::new();
        loop {
            let name = self.take_short()?;
            if name.is_empty() && self.rest.first() == Some(&marker::OBJECT_END) {
                take_u8(&mut self.rest)?;
                return Ok(properties);
            }
            properties.push((name, self.take()?));
        }
    }

    fn take_double(&mut self) -> Result<f64, DecodeError> {
        take_array(&mut self.rest).map(f64::from_be_bytes)
    }

    fn take_short(&mut self) -> Result<String, DecodeError> {
        let len = usize::from(take_u16(&mut self.rest)?);
        self.take_text(len)
    }

    fn take_long(&mut self) -> Result<String, DecodeError> {
        let len = usize::try_from(take_u32(&mut self.rest)?).map_err(|_| DecodeError::Truncated)?;
        self.take_text(len)
    }

    fn take_text(&mut self, len: usize) -> Result<String, DecodeError> {
        let bytes = take(&mut self.rest, len)?;
        self.budget.spend_text(len)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::Utf8)
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Value, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let value = self.take();
        if value.is_err() {
            self.rest = &[];
        }
        Some(value)
    }
}

/// All values of a message.
///
/// # Errors
/// If one of them is malformed, or they are deeper or larger than the limits.
pub fn decode(message: &[u8]) -> Result<Vec<Value>, DecodeError> {
    Decoder::new(message).collect()
}

fn put_double(out: &mut Vec<u8>, marker: u8, number: f64) {
    out.push(marker);
    out.extend_from_slice(&number.to_be_bytes());
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_short(out: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_long(out: &mut Vec<u8>, marker: u8, text: &str) {
    let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
    out.push(marker);
    put_u32(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_properties(out: &mut Vec<u8>, properties: &[(String, Value)]) {
    for (name, value) in properties {
        put_short(out, name);
        value.encode(out);
    }
    put_short(out, "");
    out.push(marker::OBJECT_END);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        "[a-zäß€😀]{0,12}"
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            proptest::num::f64::ANY.prop_filter("equal to itself", |n| !n.is_nan()).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Boolean),
            text().prop_map(Value::String),
            Just(Value::Null),
            Just(Value::Undefined),
            (-1e15..1e15).prop_map(Value::Date),
            Just(Value::Unsupported),
            text().prop_map(Value::XmlDocument),
            amf3::tests::values().prop_map(Value::Amf3),
        ];
        leaf.prop_recursive(4, 30, 4, |value| {
            let properties = proptest::collection::vec((text(), value.clone()), 0..4).boxed();
            prop_oneof![
                properties.clone().prop_map(Value::Object),
                properties.clone().prop_map(Value::EcmaArray),
                proptest::collection::vec(value, 0..4).prop_map(Value::StrictArray),
                (text(), properties).prop_map(|(class, properties)| Value::TypedObject { class, properties }),
            ]
        })
    }

    proptest! {
        #[test]
        fn messages_round_trip(values in proptest::collection::vec(values(), 0..4)) {
            let mut out = Vec::new();
            for value in &values {
                value.encode(&mut out);
            }
            prop_assert_eq!(decode(&out), Ok(values));
        }

        #[test]
        fn every_truncation_of_a_value_fails(value in values()) {
            let mut out = Vec::new();
            value.encode(&mut out);
            for cut in 1..out.len() {
                prop_assert!(decode(&out[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_values_or_an_error(bytes in proptest::collection::vec(prop_oneof![0u8..18, any::<u8>()], 0..80)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_long_text_takes_the_long_form() {
        for len in [65_535, 65_536] {
            let value = Value::String("a".repeat(len));
            let mut out = Vec::new();
            value.encode(&mut out);
            assert_eq!(out[0], if len > 65_535 { marker::LONG_STRING } else { marker::STRING });
            assert_eq!(decode(&out), Ok(vec![value]));
        }
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let nested = |depth: usize| {
            let arrays = std::iter::repeat_n([marker::STRICT_ARRAY, 0, 0, 0, 1], depth - 1);
            arrays.flatten().chain([marker::NULL]).collect::<Vec<u8>>()
        };
        assert!(decode(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(decode(&nested(MAX_DEPTH + 1)), Err(DecodeError::TooLarge));
        // AMF 3 inside counts on.
        let mut mixed = nested(MAX_DEPTH - 1);
        mixed.pop();
        mixed.extend([marker::AVMPLUS, 0x09, 0x03, 0x01, 0x01]);
        assert_eq!(decode(&mixed), Err(DecodeError::TooLarge));
        assert!(decode(&vec![marker::NULL; MAX_VALUES]).is_ok());
        assert_eq!(decode(&vec![marker::NULL; MAX_VALUES + 1]), Err(DecodeError::TooLarge));
    }

    #[test]
    fn a_claimed_count_alone_costs_nothing() {
        assert_eq!(decode(&[marker::STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff]), Err(DecodeError::Truncated));
        assert_eq!(decode(&[marker::LONG_STRING, 0xff, 0xff, 0xff, 0xff]), Err(DecodeError::Truncated));
        // An associative array's count is a hint only.
        let array = decode(&[marker::ECMA_ARRAY, 0, 0, 0, 9, 0, 1, b'k', marker::NULL, 0, 0, marker::OBJECT_END]);
        assert_eq!(array, Ok(vec![Value::EcmaArray(vec![("k".to_owned(), Value::Null)])]));
    }

    #[test]
    fn references_point_back_or_are_refused() {
        let cycle = [marker::OBJECT, 0, 1, b'a', marker::REFERENCE, 0, 0, 0, 0, marker::OBJECT_END];
        let object = Value::Object(vec![("a".to_owned(), Value::Reference(0))]);
        assert_eq!(decode(&cycle), Ok(vec![object]));
        assert_eq!(decode(&[marker::REFERENCE, 0, 0]), Err(DecodeError::Reference));
    }

    #[test]
    fn reserved_markers_and_bad_text_are_refused() {
        for reserved in [0x04, 0x09, 0x0e, 0x12] {
            assert_eq!(decode(&[reserved]), Err(DecodeError::UnknownType(reserved)));
        }
        assert_eq!(decode(&[marker::STRING, 0, 1, 0xff]), Err(DecodeError::Utf8));
    }
}
