//! AMF 3 (Adobe, December 2007): the typed values of ActionScript 3, as trees.
//!
//! A reference to an earlier object stays a reference ([`Value::Reference`]), so that cycles are harmless and nothing is multiplied;
//! references to strings and traits are resolved. Externalizable objects, whose bytes only their class can read, are refused.

use super::amf_limits::Budget;
use super::error::DecodeError;
use super::reader::{take, take_array, take_u8};

mod marker {
    pub(super) const UNDEFINED: u8 = 0x00;
    pub(super) const NULL: u8 = 0x01;
    pub(super) const FALSE: u8 = 0x02;
    pub(super) const TRUE: u8 = 0x03;
    pub(super) const INTEGER: u8 = 0x04;
    pub(super) const DOUBLE: u8 = 0x05;
    pub(super) const STRING: u8 = 0x06;
    pub(super) const XML_DOCUMENT: u8 = 0x07;
    pub(super) const DATE: u8 = 0x08;
    pub(super) const ARRAY: u8 = 0x09;
    pub(super) const OBJECT: u8 = 0x0a;
    pub(super) const XML: u8 = 0x0b;
    pub(super) const BYTE_ARRAY: u8 = 0x0c;
}

const MAX_U29: u32 = (1 << 29) - 1;
const MAX_LEN: usize = (1 << 28) - 1;

/// A value. Property names are not empty: the format ends a list of properties with an empty name.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// undefined.
    Undefined,
    /// null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer of −2^28 to 2^28 − 1; others are written as [`Self::Double`].
    Integer(i32),
    /// A number.
    Double(f64),
    /// A text.
    String(String),
    /// A legacy XML document, as text.
    XmlDocument(String),
    /// Milliseconds since 1970, UTC.
    Date(f64),
    /// An array.
    Array {
        /// Members with names.
        associative: Vec<(String, Value)>,
        /// Members 0, 1, ….
        dense: Vec<Value>,
    },
    /// An object.
    Object(Object),
    /// XML, as text.
    Xml(String),
    /// Bytes.
    ByteArray(Vec<u8>),
    /// The object with this index among the objects, arrays, dates, XML and byte arrays before it.
    Reference(u32),
}

/// An object: its class, the members that the class declares, and those added at run time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object {
    /// Name of the class; empty if anonymous.
    pub class: String,
    /// Declared members.
    pub sealed: Vec<(String, Value)>,
    /// Members added at run time; `None` if the class allows none.
    pub dynamic: Option<Vec<(String, Value)>>,
}

impl Value {
    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Appends the value. Texts and byte arrays beyond 2^28 − 1 bytes are cut off there.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Undefined => out.push(marker::UNDEFINED),
            Self::Null => out.push(marker::NULL),
            Self::Boolean(false) => out.push(marker::FALSE),
            Self::Boolean(true) => out.push(marker::TRUE),
            Self::Integer(value) => put_integer(out, *value),
            Self::Double(value) => {
                out.push(marker::DOUBLE);
                out.extend_from_slice(&value.to_be_bytes());
            }
            Self::String(text) => {
                out.push(marker::STRING);
                put_text(out, text);
            }
            Self::XmlDocument(text) => {
                out.push(marker::XML_DOCUMENT);
                put_text(out, text);
            }
            Self::Date(millis) => {
                out.push(marker::DATE);
                put_u29(out, 1);
                out.extend_from_slice(&millis.to_be_bytes());
            }
            Self::Array { associative, dense } => {
                out.push(marker::ARRAY);
                put_u29(out, (dense.len().min(MAX_LEN) as u32) << 1 | 1);
                put_properties(out, associative);
                for value in dense.iter().take(MAX_LEN) {
                    value.encode(out);
                }
            }
            Self::Object(object) => object.encode(out),
            Self::Xml(text) => {
                out.push(marker::XML);
                put_text(out, text);
            }
            Self::ByteArray(bytes) => {
                out.push(marker::BYTE_ARRAY);
                put_bytes(out, bytes);
            }
            Self::Reference(index) => {
                out.push(marker::OBJECT);
                put_u29(out, index << 1);
            }
        }
    }

    /// The value that `bytes` consist of.
    ///
    /// # Errors
    /// If they are no value or have more behind it, or if it is deeper or larger than [`super::amf0`]'s limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let value = Tables::default().take(&mut rest, &mut Budget::new())?;
        if rest.is_empty() { Ok(value) } else { Err(DecodeError::Forbidden) }
    }
}

impl Object {
    fn encode(&self, out: &mut Vec<u8>) {
        /// Sealed member names are counted in 25 bits.
        const MAX_SEALED: usize = (1 << 25) - 1;
        let sealed = self.sealed.get(..MAX_SEALED).unwrap_or(&self.sealed);
        out.push(marker::OBJECT);
        put_u29(out, (sealed.len() as u32) << 4 | u32::from(self.dynamic.is_some()) << 3 | 0b011);
        put_text(out, &self.class);
        for (name, _) in sealed {
            put_text(out, name);
        }
        for (_, value) in sealed {
            value.encode(out);
        }
        if let Some(dynamic) = &self.dynamic {
            put_properties(out, dynamic);
        }
    }
}

/// What references of one message point into.
#[derive(Debug, Default)]
pub(super) struct Tables {
    strings: Vec<String>,
    traits: Vec<Traits>,
    objects: u32,
}

#[derive(Debug, Clone)]
struct Traits {
    class: String,
    sealed: Vec<String>,
    dynamic: bool,
}

/// What the first number of something that may be a reference says.
enum Head {
    Reference(u32),
    Inline(u32),
}

impl Tables {
    /// Takes a value off the front of `from`.
    pub(super) fn take(&mut self, from: &mut &[u8], budget: &mut Budget) -> Result<Value, DecodeError> {
        budget.descend()?;
        let value = self.take_inner(from, budget)?;
        budget.ascend();
        Ok(value)
    }

    fn take_inner(&mut self, from: &mut &[u8], budget: &mut Budget) -> Result<Value, DecodeError> {
        Ok(match take_u8(from)? {
            marker::UNDEFINED => Value::Undefined,
            marker::NULL => Value::Null,
            marker::FALSE => Value::Boolean(false),
            marker::TRUE => Value::Boolean(true),
            marker::INTEGER => {
                let value = take_u29(from)?;
                // 29 bits, two's complement.
                Value::Integer((value << 3) as i32 >> 3)
            }
            marker::DOUBLE => Value::Double(f64::from_be_bytes(take_array(from)?)),
            marker::STRING => Value::String(self.take_string(from, budget)?),
            complex => match take_head(from)? {
                Head::Reference(index) if is_complex(complex) => {
                    if index < self.objects {
                        Value::Reference(index)
                    } else {
                        return Err(DecodeError::Reference);
                    }
                }
                Head::Inline(head) if is_complex(complex) => {
                    // Counted before its members, which may refer to it.
                    self.objects = self.objects.checked_add(1).ok_or(DecodeError::TooLarge)?;
                    self.take_complex(complex, head, from, budget)?
                }
                _ => return Err(DecodeError::UnknownType(complex)),
            },
        })
    }

    fn take_complex(
        &mut self,
        kind: u8,
        head: u32,
        from: &mut &[u8],
        budget: &mut Budget,
    ) -> Result<Value, DecodeError> {
        Ok(match kind {
            marker::XML_DOCUMENT => Value::XmlDocument(take_text(head, from, budget)?),
            marker::XML => Value::Xml(take_text(head, from, budget)?),
            marker::DATE => Value::Date(f64::from_be_bytes(take_array(from)?)),
            marker::BYTE_ARRAY => {
                let bytes = take(from, head as usize)?;
                budget.spend_text(bytes.len())?;
                Value::ByteArray(bytes.to_vec())
            }
            marker::ARRAY => {
                let associative = self.take_properties(from, budget)?;
                // No capacity on the far end's word.
                let mut dense = Vec::new();
                for _ in 0..head {
                    dense.push(self.take(from, budget)?);
                }
                Value::Array { associative, dense }
            }
            _ => Value::Object(self.take_object(head, from, budget)?),
        })
    }

    fn take_object(&mut self, head: u32, from: &mut &[u8], budget: &mut Budget) -> Result<Object, DecodeError> {
        let traits = if head & 1 == 0 {
            let known = self.traits.get((head >> 1) as usize).ok_or(DecodeError::Reference)?;
            budget.spend_text(known.text_len())?;
            budget.spend_values(known.sealed.len())?;
            known.clone()
        } else if head & 2 != 0 {
            return Err(DecodeError::UnknownType(marker::OBJECT));
        } else {
            let class = self.take_string(from, budget)?;
            let mut sealed = Vec::new();
            for _ in 0..head >> 3 {
                budget.spend_values(1)?;
                sealed.push(self.take_string(from, budget)?);
            }
            let traits = Traits { class, sealed, dynamic: head & 4 != 0 };
            budget.spend_text(traits.text_len())?;
            self.traits.push(traits.clone());
            traits
        };
        let mut sealed = Vec::new();
        for name in traits.sealed {
            sealed.push((name, self.take(from, budget)?));
        }
        let dynamic = if traits.dynamic { Some(self.take_properties(from, budget)?) } else { None };
        Ok(Object { class: traits.class, sealed, dynamic })
    }

    fn take_properties(&mut self, from: &mut &[u8], budget: &mut Budget) -> Result<Vec<(String, Value)>, DecodeError> {
        let mut properties = Vec::new();
        loop {
            let name = self.take_string(from, budget)?;
            if name.is_empty() {
                return Ok(properties);
            }
            properties.push((name, self.take(from, budget)?));
        }
    }

    fn take_string(&mut self, from: &mut &[u8], budget: &mut Budget) -> Result<String, DecodeError> {
        match take_head(from)? {
            Head::Reference(index) => {
                let text = self.strings.get(index as usize).ok_or(DecodeError::Reference)?;
                budget.spend_text(text.len())?;
                Ok(text.clone())
            }
            Head::Inline(len) => {
                let text = take_text(len, from, budget)?;
                if !text.is_empty() {
                    // The table keeps a copy.
                    budget.spend_text(text.len())?;
                    self.strings.push(text.clone());
                }
                Ok(text)
            }
        }
    }
}

impl Traits {
    fn text_len(&self) -> usize {
        self.class.len() + self.sealed.iter().map(String::len).sum::<usize>()
    }
}

const fn is_complex(kind: u8) -> bool {
    matches!(
        kind,
        marker::XML_DOCUMENT | marker::DATE | marker::ARRAY | marker::OBJECT | marker::XML | marker::BYTE_ARRAY
    )
}

fn take_text(len: u32, from: &mut &[u8], budget: &mut Budget) -> Result<String, DecodeError> {
    let bytes = take(from, len as usize)?;
    budget.spend_text(bytes.len())?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::Utf8)
}

fn take_head(from: &mut &[u8]) -> Result<Head, DecodeError> {
    let number = take_u29(from)?;
    Ok(if number & 1 == 0 { Head::Reference(number >> 1) } else { Head::Inline(number >> 1) })
}

/// A U29: 7 bits a byte with the high bit for "more", but a fourth byte counts whole.
fn take_u29(from: &mut &[u8]) -> Result<u32, DecodeError> {
    let mut value = 0;
    for _ in 0..3 {
        let byte = take_u8(from)?;
        value = value << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Ok(value << 8 | u32::from(take_u8(from)?))
}

fn put_u29(out: &mut Vec<u8>, value: u32) {
    let value = value.min(MAX_U29);
    if value < 1 << 21 {
        for group in [14, 7] {
            if value >> group != 0 {
                out.push((value >> group) as u8 | 0x80);
            }
        }
        out.push(value as u8 & 0x7f);
    } else {
        for shift in [22, 15, 8] {
            out.push((value >> shift) as u8 | 0x80);
        }
        out.push(value as u8);
    }
}

fn put_integer(out: &mut Vec<u8>, value: i32) {
    if value << 3 >> 3 == value {
        out.push(marker::INTEGER);
        put_u29(out, value as u32 & MAX_U29);
    } else {
        Value::Double(f64::from(value)).encode(out);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, &text.as_bytes()[..text.floor_char_boundary(MAX_LEN)]);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = bytes.get(..MAX_LEN).unwrap_or(bytes);
    put_u29(out, (bytes.len() as u32) << 1 | 1);
    out.extend_from_slice(bytes);
}

/// Appends the properties and the empty name that ends them; one without a name cannot be said and is left out.
fn put_properties(out: &mut Vec<u8>, properties: &[(String, Value)]) {
    for (name, value) in properties.iter().filter(|(name, _)| !name.is_empty()) {
        put_text(out, name);
        value.encode(out);
    }
    put_text(out, "");
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![Just("name".to_owned()), "[a-zäß€😀]{0,12}"]
    }

    fn properties(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(String, Value)>> {
        proptest::collection::vec((text().prop_filter("named", |name| !name.is_empty()), value), 0..4)
    }

    pub(in crate::wire) fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Undefined),
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            (-(1i32 << 28)..1 << 28).prop_map(Value::Integer),
            proptest::num::f64::ANY.prop_filter("equal to itself", |n| !n.is_nan()).prop_map(Value::Double),
            text().prop_map(Value::String),
            text().prop_map(Value::XmlDocument),
            (-1e15..1e15).prop_map(Value::Date),
            text().prop_map(Value::Xml),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::ByteArray),
        ];
        leaf.prop_recursive(4, 30, 4, |value| {
            let dense = proptest::collection::vec(value.clone(), 0..4);
            let array = (properties(value.clone()), dense);
            let dynamic = proptest::option::of(properties(value.clone()));
            let object = (text(), properties(value), dynamic);
            prop_oneof![
                array.prop_map(|(associative, dense)| Value::Array { associative, dense }),
                object.prop_map(|(class, sealed, dynamic)| Value::Object(Object { class, sealed, dynamic })),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_round_trip_and_every_truncation_fails(value in values()) {
            let mut out = Vec::new();
            value.encode(&mut out);
            prop_assert_eq!(Value::decode(&out), Ok(value));
            for cut in 0..out.len() {
                prop_assert!(Value::decode(&out[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(prop_oneof![0u8..14, any::<u8>()], 0..80)) {
            let _ = Value::decode(&bytes);
        }
    }

    #[test]
    fn integers_of_29_bits_as_the_specification_draws_them() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x00]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x81, 0x80, 0x00]),
            (0x1f_ffff, &[0xff, 0xff, 0x7f]),
            (0x20_0000, &[0x80, 0xc0, 0x80, 0x00]),
            ((1 << 28) - 1, &[0xbf, 0xff, 0xff, 0xff]),
            (-1, &[0xff, 0xff, 0xff, 0xff]),
            (-(1 << 28), &[0xc0, 0x80, 0x80, 0x00]),
        ] {
            let mut out = Vec::new();
            Value::Integer(value).encode(&mut out);
            assert_eq!(out[1..], *bytes, "{value}");
            assert_eq!(Value::decode(&out), Ok(Value::Integer(value)));
        }
        let mut out = Vec::new();
        Value::Integer(1 << 28).encode(&mut out);
        assert_eq!(Value::decode(&out), Ok(Value::Double(f64::from(1 << 28))));
    }

    #[test]
    fn strings_and_traits_by_reference_are_resolved() {
        // An array of two objects of class "P" with sealed member "x": the second by traits and string reference.
        let bytes = [
            0x09, 0x05, 0x01, // dense 2, no names
            0x0a, 0x13, 0x03, b'P', 0x03, b'x', 0x06, 0x02, // inline traits, 1 sealed; the value is string 1: "x"
            0x0a, 0x01, 0x04, 0x05, // traits 0; integer 5
        ];
        let object = |value| {
            Value::Object(Object { class: "P".to_owned(), sealed: vec![("x".to_owned(), value)], dynamic: None })
        };
        let expected = vec![object(Value::String("x".to_owned())), object(Value::Integer(5))];
        assert_eq!(Value::decode(&bytes), Ok(Value::Array { associative: vec![], dense: expected }));
    }

    #[test]
    fn objects_by_reference_stay_references_and_dangling_ones_are_refused() {
        // An array that contains itself.
        let value = Value::decode(&[0x09, 0x03, 0x01, 0x09, 0x00]);
        assert_eq!(value, Ok(Value::Array { associative: vec![], dense: vec![Value::Reference(0)] }));
        assert_eq!(Value::decode(&[0x09, 0x03, 0x01, 0x0a, 0x02]), Err(DecodeError::Reference));
        assert_eq!(Value::decode(&[0x06, 0x00]), Err(DecodeError::Reference));
        assert_eq!(Value::decode(&[0x0a, 0x01]), Err(DecodeError::Reference));
    }

    #[test]
    fn externalizable_objects_and_unknown_markers_are_refused() {
        assert_eq!(Value::decode(&[0x0a, 0x07, 0x03, b'C']), Err(DecodeError::UnknownType(0x0a)));
        assert_eq!(Value::decode(&[0x0d, 0x01]), Err(DecodeError::UnknownType(0x0d)));
        assert_eq!(Value::decode(&[0x01, 0x01]), Err(DecodeError::Forbidden));
    }

    #[test]
    fn references_do_not_multiply_text() {
        // A string of 64 KiB, then 300 references to it: 20 MB from 66 KB.
        let mut bytes = vec![0x09];
        put_u29(&mut bytes, 301 << 1 | 1);
        bytes.push(0x01);
        Value::String("a".repeat(1 << 16)).encode(&mut bytes);
        for _ in 0..300 {
            bytes.extend([0x06, 0x00]);
        }
        assert_eq!(Value::decode(&bytes), Err(DecodeError::TooLarge));
    }
}
