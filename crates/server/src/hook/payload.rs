//! Bodies: JSON, or the form that Slack and GitHub send it in. And fields of it, taken with care.

use http::{HeaderMap, header};
use serde_json::Value;

use super::Refusal;

/// The JSON object of a body: the body itself, or the field `payload` of a form. A body that begins
/// with `payload=` is a form whatever it is called.
///
/// # Errors
/// `invalid_payload` when there is none.
pub fn json(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = kind.is_some_and(|kind| {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let body = body.trim_ascii();
    // `curl -d '{…}'` says that it is a form and sends JSON.
    let value = if (form || body.starts_with(b"payload=")) && !body.starts_with(b"{") {
        let payload = field(body, b"payload").ok_or(Refusal::InvalidPayload)?;
        serde_json::from_slice(&payload)
    } else {
        serde_json::from_slice(body)
    };
    value.ok().filter(Value::is_object).ok_or(Refusal::InvalidPayload)
}

/// A field of a form (`application/x-www-form-urlencoded`, WHATWG URL, section 5.1), decoded.
fn field(form: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    form.split(|byte| *byte == b'&').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = pair.split_at(at);
        (decode(key) == name).then(|| decode(value.get(1..).unwrap_or_default()))
    })
}

fn decode(text: &[u8]) -> Vec<u8> {
    let nibble = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match (nibble(tail.first()), nibble(tail.get(1))) {
                (Some(high), Some(low)) => {
                    out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    rest = tail.get(2..).unwrap_or_default();
                }
                _ => out.push(b'%'),
            },
            byte => out.push(byte),
        }
    }
    out
}

/// The text at a JSON pointer (RFC 6901), when there is one that shows something.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.trim().is_empty())
}

/// The number at a JSON pointer, as text.
pub fn number(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_u64).map(|number| number.to_string())
}

/// Whether `true` stands at a JSON pointer.
pub fn is_true(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The array at a JSON pointer; empty when there is none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn read(kind: &'static str, body: &str) -> Result<Value, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        json(&headers, body.as_bytes())
    }

    #[test]
    fn json_comes_as_itself_or_in_a_form() {
        let form = "application/x-www-form-urlencoded";
        let said = json!({"text": "a & b=c é"});
        assert_eq!(read("application/json", "{\"text\":\"a & b=c é\"}"), Ok(said.clone()));
        let encoded = "x=1&payload=%7B%22text%22%3A%22a+%26+b%3Dc+%C3%A9%22%7D";
        assert_eq!(read(form, encoded), Ok(said.clone()));
        assert_eq!(read("text/plain", "payload={\"text\":\"a %26 b=c é\"}"), Ok(said.clone()));
        assert_eq!(read(form, "{\"text\":\"a & b=c é\"}"), Ok(said));
        for (kind, bad) in [
            ("application/json", "[]"),
            ("application/json", ""),
            (form, "payload=x"),
            (form, "a=b"),
        ] {
            assert_eq!(read(kind, bad), Err(Refusal::InvalidPayload), "{kind} {bad}");
        }
        assert_eq!(decode(b"%4"), b"%4");
        assert_eq!(decode(b"%zz%41"), b"%zzA");
    }
}
