//! Bodies made to be slow, deep or large.

use std::fs;
use std::time::Duration;

use super::tests::names;
use super::*;

/// Processor time of this thread so far: wall time would count what the machine does besides.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Without optimization the parser and the sanitizer take some fifteen times as long.
const BOUND: Duration = Duration::from_millis(if cfg!(debug_assertions) { 750 } else { 50 });

#[track_caller]
fn check(what: &str, body: &str) {
    let body: String = body.chars().take(16_000).collect();
    // A second and a third try, because the processor's caches may be busy with other tests.
    let mut taken = BOUND;
    for _ in 0..3 {
        let before = processor_time();
        let prepared = prepare(&body, &names());
        taken = taken.min(processor_time().saturating_sub(before));
        assert!(prepared.body_html.len() < 60 * body.len() + 1_000, "{what}: too large");
        if taken < BOUND {
            break;
        }
    }
    println!("{what:?}: {taken:?}");
    assert!(taken < BOUND, "{what}: {taken:?}");
}

#[test]
fn no_body_takes_long() {
    for unit in [
        ">",
        "[",
        "*",
        "_",
        "~",
        "`",
        "<",
        "(",
        "!",
        "![",
        "[]",
        "](",
        "[](",
        "*a ",
        "**a",
        "*a_b",
        "_a*",
        "~~a",
        "a**b",
        "> ",
        ">>- ",
        "- ",
        "* - + ",
        "1. ",
        "- a\n",
        "a\n",
        "\n",
        " ",
        "\t",
        "|",
        "|a",
        "|-",
        "&",
        "&#",
        "&amp;",
        "\\",
        "@",
        "#",
        "@a ",
        "@ana ",
        "#ops ",
        "@<here>",
        "@<user:",
        "://",
        "http://",
        "http://[",
        "https://a.b/ ",
        "<http:",
        "<https://a>",
        "`a``b```",
        "[a](b",
        "[a](https://b)",
        "![a](https://b)",
        "[a][",
        "[^a]",
        "[a]: b\n",
        "<!--",
        "<?",
        "<![CDATA[",
        "</",
        "<a href=",
        "~~~\n",
        "```\n",
        "    a\n",
        "# a\n",
        "a\n=\n",
        "---\n",
        "- [ ] a\n",
        "\r",
        "\u{0}",
        "é",
        "你",
        "\u{202e}",
        "a(",
        "http://a)",
        "http://a(",
        "http://a_*~",
    ] {
        check(unit, &unit.repeat(16_000 / unit.chars().count() + 1));
    }
}

fn joined(range: std::ops::Range<usize>, part: impl Fn(usize) -> String) -> String {
    range.map(part).collect::<Vec<_>>().concat()
}

#[test]
fn no_nesting_takes_long() {
    let nested = |unit: &str, count: usize| -> String {
        joined(0..count, |i| format!("{}{unit}", "  ".repeat(i)))
    };
    check("nested lists", &nested("- a\n", 124));
    check("nested numbered lists", &nested("1. a\n", 120));
    check("quotes and lists", &joined(0..120, |i| format!("{}- a\n", "> ".repeat(i))));
    check("open and close", &format!("{}a{}", "[".repeat(8_000), "](https://b)".repeat(700)));
    check("brackets", &format!("{}{}", "[".repeat(8_000), "]".repeat(8_000)));
    check("emphasis", &format!("{}a{}", "*a **b ".repeat(1_100), "** *".repeat(1_900)));
    check("deep quote, many lines", &format!("{}a\n{}", ">".repeat(8_000), "b\n".repeat(4_000)));
    check("deep list, many lines", &format!("{}a\n{}", "- ".repeat(4_000), "b\n".repeat(4_000)));
    check(
        "deep numbers, many lines",
        &format!("{}a\n{}", "1. ".repeat(2_600), "b\n".repeat(4_000)),
    );
    check(
        "deep mixture, many lines",
        &format!("{}a\n{}", "> -\t+ 1) ".repeat(800), "b\n".repeat(4_000)),
    );
    check("lazy quotes", &format!("{}\n", ">".repeat(126)).repeat(126));
    check(
        "wide table",
        &format!("{}\n{}\n{}", "|a".repeat(2_600), "|-".repeat(2_600), "|\n".repeat(2_700)),
    );
    check("long table", &format!("|a|b|\n|-|-|\n{}", "|c|d|\n".repeat(2_600)));
    check(
        "repeated definition",
        &format!("[a]: https://b/{}\n\n{}", "c".repeat(1_900), "[a]".repeat(4_600)),
    );
    check("definitions", &joined(0..1_200, |i| format!("[{i}]: https://b\n")));
    check("backticks of every length", &joined(1..170, |i| format!("{} ", "`".repeat(i))));
}

#[test]
fn depth_and_number_of_elements_are_bounded() {
    let deep = prepare(&">".repeat(16_000), &names()).body_html;
    assert_eq!(deep.matches("<blockquote>").count(), 24);
    let many = prepare(&"*a* ".repeat(4_000), &names()).body_html;
    assert_eq!(many.matches("<em>").count(), 4_000);
    let lines = format!("*a*\n{}", "a\n".repeat(7_900));
    assert_eq!(prepare(&lines, &names()).body_html.matches("<br>").count(), 7_900);
    let wide = format!("{}\n{}\n{}", "|a".repeat(2_000), "|-".repeat(2_000), "|z\n".repeat(2_500));
    let table = prepare(&wide, &names()).body_html;
    assert_eq!(table.matches("<td").count(), 0);
    assert!(table.matches('z').count() >= 2_500, "no text is lost");
}

#[test]
fn the_longest_body_of_mentions_finds_them_all() {
    let prepared = prepare(&"@a ".repeat(5_333), &names());
    assert!(prepared.mentions.is_empty());
    let prepared = prepare(&"@ana ".repeat(3_200), &names());
    assert_eq!(prepared.mentions.len(), 1);
    assert_eq!(prepared.body_html.matches("data-user").count(), 3_200);
}
