//! A strict reader of the HTML that our renderer may make.
//!
//! It knows one way to write a tag, an attribute and a character reference, and nothing that a
//! browser would read otherwise: no comments, no raw text, no tags that close themselves.

/// Elements that a body may have.
const ELEMENTS: [&str; 28] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Elements without an end.
const VOID: [&str; 3] = ["br", "hr", "input"];

/// Asserts that `html`, which `body` became, has nothing but what is allowed, properly nested.
///
/// # Panics
/// When it has.
pub(crate) fn check(body: &str, html: &str) {
    let fine = read(html);
    assert!(fine.is_ok(), "{}: {body:?} became {html}", fine.err().unwrap_or_default());
}

fn read(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        let (text, tag) = rest.split_at(end);
        characters(text)?;
        if text.contains('>') {
            return Err(format!("a bracket stands bare in {text:?}"));
        }
        let Some(tag) = tag.strip_prefix('<') else { break };
        if let Some(tag) = tag.strip_prefix('/') {
            let (name, after) = tag.split_once('>').ok_or("an end tag has no end")?;
            if open.pop() != Some(name) {
                return Err(format!("</{name}> ends nothing"));
            }
            rest = after;
        } else {
            let length = tag.bytes().take_while(u8::is_ascii_alphanumeric).count();
            let (name, after) = tag.split_at(length);
            if !ELEMENTS.contains(&name) {
                return Err(format!("<{name}> is not ours"));
            }
            rest = attributes(name, after)?;
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} have no end")) }
}

/// Reads ` name="value"` up to the end of a tag, and gives what follows it.
fn attributes<'a>(element: &str, mut rest: &'a str) -> Result<&'a str, String> {
    let mut seen: Vec<&str> = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            let address = seen.contains(&"href");
            let safe = seen.contains(&"rel") && seen.contains(&"target");
            return if address && !safe { Err("a bare link".to_owned()) } else { Ok(after) };
        }
        let inner = rest.strip_prefix(' ').ok_or_else(|| format!("<{element}{rest}"))?;
        let (name, inner) = inner.split_once("=\"").ok_or_else(|| format!("<{element}{rest}"))?;
        let (value, after) = inner.split_once('"').ok_or_else(|| format!("<{element}{rest}"))?;
        characters(value)?;
        if seen.contains(&name) || !is_ours(element, name, value) {
            return Err(format!("{name}={value:?} of <{element}> is not ours"));
        }
        seen.push(name);
        rest = after;
    }
}

fn is_ours(element: &str, attribute: &str, value: &str) -> bool {
    let schemes = ["https://", "http://", "mailto:", "tidings:"];
    let id = || value.len() == 36 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match (element, attribute) {
        ("a", "href") => schemes.iter().any(|scheme| value.starts_with(scheme)),
        ("a", "target") => value == "_blank",
        ("a", "rel") => value == "noopener noreferrer nofollow",
        ("a" | "span", "class") => matches!(value, "mention" | "mention mention-all"),
        ("a" | "span", "data-channel") | ("span", "data-user") => id(),
        ("code", "class") => value.strip_prefix("language-").is_some_and(|word| {
            (1..=32).contains(&word.len())
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+#.-".contains(&b))
        }),
        ("td" | "th", "class") => matches!(value, "align-left" | "align-center" | "align-right"),
        ("ol", "start") => {
            (1..=9).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
        }
        ("input", "type") => value == "checkbox",
        ("input", "disabled" | "checked") => value.is_empty(),
        _ => false,
    }
}

/// Text and values have no control characters, and no `&` but at the start of a reference.
fn characters(text: &str) -> Result<(), String> {
    if let Some(bad) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("a control character {bad:?}"));
    }
    for (at, _) in text.match_indices('&') {
        let rest = text.get(at..).unwrap_or_default();
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&nbsp;"];
        if !known.iter().any(|known| rest.starts_with(known)) {
            return Err(format!("a bare ampersand before {rest:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_passes() {
        let link = "<a href=\"https://x.example/?a=1&amp;b\" target=\"_blank\" \
                    rel=\"noopener noreferrer nofollow\">x</a>";
        for fine in [
            "",
            "<p>a &lt;b&gt; &amp;<br>c</p>",
            link,
            "<ol start=\"3\"><li><input type=\"checkbox\" disabled=\"\">x</li></ol>",
        ] {
            assert_eq!(read(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn what_is_not_ours_is_seen() {
        for bad in [
            "<script>x</script>",
            "<p onclick=\"x\">x</p>",
            "<p>x",
            "x</p>",
            "<!-- x -->",
            "<p>x & y</p>",
            "<p>a > b</p>",
            "<img src=\"x\">",
            "<a href=\"https://x.example\">x</a>",
            "<a href=\"javascript:x\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>",
            "<span class=\"x\">x</span>",
            "<br/>",
            "<p>\u{0}</p>",
            "<em><p>x</em></p>",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
