//! One line of `--json`.

use serde_json::Value;
use std::time::SystemTime;

/// The version of the events' form. Fields are only ever added; what could break a reader would raise it.
const VERSION: u32 = 1;

/// An event: a name and fields. `schema/events.schema.json` describes each, and the tests hold every command to it.
#[derive(Clone, Debug)]
pub struct Event {
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

impl Event {
    /// An event without fields.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// With a field; `None` leaves it out.
    #[must_use]
    pub fn with<V: Into<Value>>(mut self, field: &'static str, value: V) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.fields.push((field, value));
        }
        self
    }

    /// Which event it is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The line, without its end: `v`, `ts`, `event`, then the fields in their order.
    #[must_use]
    pub fn line(&self) -> String {
        let ts = humantime::format_rfc3339_millis(SystemTime::now());
        let mut line = format!("{{\"v\":{VERSION},\"ts\":\"{ts}\",\"event\":{}", Value::from(self.name));
        for (field, value) in &self.fields {
            line.push_str(&format!(",{}:{value}", Value::from(*field)));
        }
        line.push('}');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_the_text() {
        let event = Event::new("note").with("text", "a \"b\"\n\x1b").with("none", None::<u64>).with("n", 7);
        let value: Value = serde_json::from_str(&event.line()).unwrap();
        assert!(!event.line().contains('\n'));
        assert_eq!(value["v"], 1);
        assert_eq!(value["text"], "a \"b\"\n\x1b");
        assert!(value.get("none").is_none());
        assert!(humantime::parse_rfc3339(value["ts"].as_str().unwrap()).is_ok());
    }
}
