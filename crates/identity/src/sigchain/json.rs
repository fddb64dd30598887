//! Strict reading of untrusted JSON, and its canonical form (RFC 8785).
//!
//! Signed documents need one reading: repeated keys, which parsers settle in different ways, are
//! refused, and numbers are what RFC 8785 takes them for, IEEE 754 doubles.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::envelope::ParseError;

/// Deepest nesting: 32. Ours is 4; each level of a document is read once more per level above it,
/// so the depth bounds the time.
const MAX_DEPTH: usize = 32;

/// The largest integer that every reader of JSON keeps exactly, 2^53 − 1.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// Reads one document. The caller has bounded the length.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    read(serde_json::from_slice(bytes).map_err(syntax)?, 0)
}

/// The canonical text of a document.
pub(super) fn canonical(value: &Value) -> Result<String, ParseError> {
    serde_json_canonicalizer::to_string(value).map_err(syntax)
}

fn read(raw: &RawValue, depth: usize) -> Result<Value, ParseError> {
    if depth > MAX_DEPTH {
        return Err(ParseError::TooDeep { max: MAX_DEPTH });
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text).map_err(syntax)?;
            let mut object = Map::with_capacity(members.len());
            for (key, member) in members {
                if object.contains_key(&key) {
                    return Err(ParseError::RepeatedKey { key });
                }
                object.insert(key, read(member, depth + 1)?);
            }
            Ok(Value::Object(object))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(syntax)?;
            items.into_iter().map(|item| read(item, depth + 1)).collect()
        }
        Some(b'-' | b'0'..=b'9') => number(text).map(Value::Number),
        _ => serde_json::from_str(text).map_err(syntax),
    }
}

fn number(text: &str) -> Result<Number, ParseError> {
    let safe = -MAX_SAFE..=MAX_SAFE;
    if let Some(integer) = text.parse().ok().filter(|integer| safe.contains(integer)) {
        return Ok(Number::from(integer));
    }
    let double: f64 = text.parse().map_err(|_| ParseError::Number)?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates past the safe range")]
    let integer = double as i64;
    if double.fract() == 0.0 && safe.contains(&integer) {
        return Ok(Number::from(integer));
    }
    Number::from_f64(double).ok_or(ParseError::Number)
}

#[expect(clippy::needless_pass_by_value, reason = "this is the shape that `map_err` calls")]
fn syntax(error: serde_json::Error) -> ParseError {
    ParseError::Syntax { reason: error.to_string() }
}

/// The members of an object in the order in which they stand, repeated ones too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recoded(text: &str) -> Result<String, ParseError> {
        canonical(&parse(text.as_bytes())?)
    }

    #[test]
    fn canonical_form_is_that_of_rfc_8785() {
        // The cases of the RFC's own test data, written small.
        for (input, output) in [
            (
                r#"[ 56, { "d": true, "10": null, "1": [ ] } ]"#,
                r#"[56,{"1":[],"10":null,"d":true}]"#,
            ),
            (
                r#"{"peach": 1, "péché": 2, "pêche": 3, "sin": 4}"#,
                r#"{"peach":1,"péché":2,"pêche":3,"sin":4}"#,
            ),
            (
                r#"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { },
                    "111": [ {"e": "yes","E": "no" } ], "A": { }}"#,
                r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
            ),
            (r#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
            (
                "[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]",
                "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
            ),
            (r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#, r#""€$\u000f\nA'B\"\\\\\"/""#),
            (
                r#"{"\u20ac":0,"\r":1,"\u000a":2,"1":3,"\u0080":"\u007f","\ud83d\ude02":5,"\u00f6":6,"\ufb33":7,"</script>":8}"#,
                "{\"\\n\":2,\"\\r\":1,\"1\":3,\"</script>\":8,\"\u{80}\":\"\u{7f}\",\"ö\":6,\"€\":0,\"😂\":5,\"\u{fb33}\":7}",
            ),
        ] {
            assert_eq!(recoded(input).as_deref(), Ok(output));
            assert_eq!(recoded(output).as_deref(), Ok(output), "canonical form is its own");
        }
    }

    #[test]
    fn numbers_are_doubles_like_everywhere() {
        for (input, output) in [
            ("-0", "0"),
            ("-0.0", "0"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740993", "9007199254740992"),
            ("-18446744073709551616", "-18446744073709552000"),
            ("1e-400", "0"),
            ("0.1", "0.1"),
        ] {
            assert_eq!(recoded(input).as_deref(), Ok(output), "{input}");
        }
        assert_eq!(parse(b"1e400"), Err(ParseError::Number));
    }

    #[test]
    fn repeated_keys_are_refused_however_they_are_written() {
        for (text, key) in [(r#"{"a":1,"a":1}"#, "a"), (r#"{"x":[{"é":1,"b":2,"\u00e9":3}]}"#, "é")]
        {
            assert_eq!(
                parse(text.as_bytes()),
                Err(ParseError::RepeatedKey { key: key.to_owned() })
            );
        }
    }

    #[test]
    fn nesting_is_bounded_without_recursion_first() {
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        let deep = Err(ParseError::TooDeep { max: MAX_DEPTH });
        assert_eq!(parse(nested(MAX_DEPTH + 1).as_bytes()), deep);
        assert_eq!(parse(nested(30_000).as_bytes()), deep);
        let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        assert_eq!(parse(objects.as_bytes()), deep);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let not_json: [&[u8]; 12] = [
            b"",
            b" ",
            b"{",
            b"{\"a\":1,}",
            b"[1 2]",
            b"01",
            b"+1",
            b"NaN",
            b"\"\\ud800\"",
            b"\"\xff\"",
            b"{} {}",
            b"{1:2}",
        ];
        for bytes in not_json {
            assert!(matches!(parse(bytes), Err(ParseError::Syntax { .. })), "{bytes:?}");
        }
    }
}
