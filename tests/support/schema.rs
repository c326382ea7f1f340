//! As much of JSON Schema as `schema/events.schema.json` uses; strict: a field that the schema does not have is wrong.

use serde_json::{Map, Value};

/// The schema of events.
pub struct Schema(Value);

impl Schema {
    /// As committed.
    pub fn of_events() -> Self {
        let text = std::fs::read_to_string(super::root().join("schema/events.schema.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Parses lines of `--json` and holds each to the schema.
    pub fn lines(&self, text: &str) -> Vec<Value> {
        text.lines()
            .map(|line| {
                let value: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("not JSON: {line:?}: {why}"));
                self.check(&value).unwrap_or_else(|why| panic!("{why}: {line}"));
                value
            })
            .collect()
    }

    /// Whether `event` is as the schema says.
    pub fn check(&self, event: &Value) -> Result<(), String> {
        let fields = event.as_object().ok_or("an event is an object")?;
        self.fields(&self.0, fields)?;
        let forms = self.0["oneOf"].as_array().expect("oneOf");
        let forms: Vec<&Value> = forms.iter().map(|form| self.followed(form)).collect();
        let form = forms
            .iter()
            .find(|form| form["properties"]["event"]["const"] == event["event"])
            .ok_or_else(|| format!("the schema has no event {}", event["event"]))?;
        self.fields(form, fields)?;
        let known = |field: &String| [&self.0, form].iter().any(|schema| schema["properties"].get(field).is_some());
        match fields.keys().find(|field| !known(field)) {
            Some(field) => Err(format!("the schema has no field {field:?} of {}", event["event"])),
            None => Ok(()),
        }
    }

    fn fields(&self, schema: &Value, fields: &Map<String, Value>) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            if !fields.contains_key(name) {
                return Err(format!("{name:?} is missing"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = fields.get(name) {
                self.value(schema, value).map_err(|why| format!("{name:?}: {why}"))?;
            }
        }
        Ok(())
    }

    fn value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.followed(schema);
        for (keyword, bound) in schema.as_object().expect("a schema") {
            let holds = match keyword.as_str() {
                "description" | "properties" | "required" => true,
                "const" => value == bound,
                "enum" => bound.as_array().expect("enum").contains(value),
                "type" => is_type(bound.as_str().expect("type"), value),
                "minimum" => value.as_f64() >= bound.as_f64(),
                "maximum" => value.as_f64() <= bound.as_f64(),
                "format" => bound == "date-time" && value.as_str().is_some_and(|s| humantime::parse_rfc3339(s).is_ok()),
                "pattern" => matches(bound.as_str().expect("pattern"), value.as_str().unwrap_or_default()),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.value(bound, item)?;
                    }
                    true
                }
                other => panic!("this validator does not know {other:?}"),
            };
            if !holds {
                return Err(format!("{value} is not {keyword} {bound}"));
            }
        }
        match value.as_object() {
            Some(fields) => self.fields(schema, fields),
            None => Ok(()),
        }
    }

    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => self.0.pointer(path.trim_start_matches('#')).expect("the reference leads somewhere"),
            None => schema,
        }
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("this validator does not know the type {other:?}"),
    }
}

/// The patterns that the schema has.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[0-9a-f]{64}$" => text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        other => panic!("this validator does not know the pattern {other:?}"),
    }
}
