//! Marking what a search has found.

use tidings_domain::search::Term;
use tidings_domain::search::token::{self, Token};

/// Wraps the words of `body_html` that `terms` ask for in `<mark>`, ignoring letter case and
/// diacritics as the index does. The words of a phrase are marked only where it stands whole.
///
/// `body_html` must be what [`super::prepare`] made; tags and attributes are left as they are, so
/// that the result is as safe.
pub fn highlight(body_html: &str, terms: &[Term]) -> String {
    let tokens = visible_tokens(body_html);
    let mut marked = vec![false; tokens.len()];
    for term in terms {
        let wanted = term.tokens();
        for (start, window) in tokens.windows(wanted.len().max(1)).enumerate() {
            let alike = window.len() == wanted.len()
                && window.iter().zip(wanted).all(|(token, word)| token.folded == *word);
            if alike {
                marked.iter_mut().skip(start).take(wanted.len()).for_each(|mark| *mark = true);
            }
        }
    }
    let mut out = String::with_capacity(body_html.len() + 32);
    let mut from = 0;
    for token in tokens.iter().zip(marked).filter_map(|(token, mark)| mark.then_some(token)) {
        out.push_str(body_html.get(from..token.range.start).unwrap_or_default());
        out.push_str("<mark>");
        out.push_str(body_html.get(token.range.clone()).unwrap_or_default());
        out.push_str("</mark>");
        from = token.range.end;
    }
    out.push_str(body_html.get(from..).unwrap_or_default());
    out
}

/// The tokens between tags and character references, at their places in the HTML. None of the
/// references that we write stands for a letter, so each ends a word as it does in the index.
fn visible_tokens(html: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = html.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = match rest.as_bytes() {
            [b'<', ..] => rest.find('>').map_or(rest.len(), |end| end + 1),
            [b'&', ..] => rest.find(';').map_or(rest.len(), |end| end + 1),
            _ => 0,
        };
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let text = rest.find(['<', '&']).map_or(rest, |end| &rest[..end]);
        found.extend(token::tokens(text).map(|token| Token {
            range: at + token.range.start..at + token.range.end,
            folded: token.folded,
        }));
        at += text.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_domain::search::SearchQuery;

    #[track_caller]
    fn check(query: &str, html: &str, expected: &str) {
        let query: SearchQuery = query.parse().unwrap();
        assert_eq!(highlight(html, &query.terms), expected);
    }

    #[test]
    fn words_are_marked_whatever_their_case_and_diacritics() {
        check("creme", "<p>Crème BRÛLÉE</p>", "<p><mark>Crème</mark> BRÛLÉE</p>");
        check("BRÛLÉE x", "<p>Crème brulee</p>", "<p>Crème <mark>brulee</mark></p>");
        check(
            "cafe",
            "<p>cafe\u{301}s cafe\u{301}</p>",
            "<p>cafe\u{301}s <mark>cafe\u{301}</mark></p>",
        );
    }

    #[test]
    fn phrases_are_marked_only_whole_and_across_tags() {
        check(
            "\"red fish\"",
            "<p>red <em>fish</em> and red dogs</p>",
            "<p><mark>red</mark> <em><mark>fish</mark></em> and red dogs</p>",
        );
        check("don't", "<p>don't do</p>", "<p><mark>don</mark>'<mark>t</mark> do</p>");
    }

    #[test]
    fn tags_attributes_and_character_references_are_never_touched() {
        let html =
            "<p><a href=\"https://p.example/amp?a&amp;p\" target=\"_blank\">p &amp; amp</a></p>";
        check(
            "p amp a href",
            html,
            &html.replace(">p &amp; amp<", "><mark>p</mark> &amp; <mark>amp</mark><"),
        );
        check("x", "<p title", "<p title");
        check("amp", "a &amp", "a &amp");
    }
}
