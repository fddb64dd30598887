use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

struct Known;

impl Names for Known {
    fn user(&self, id: &str) -> Option<String> {
        (id == "U1").then(|| "@{user:U1}".to_owned())
    }
    fn channel(&self, id: &str) -> Option<String> {
        (id == "C1").then(|| "#{channel:C1}".to_owned())
    }
    fn user_name(&self, id: &str) -> Option<&str> {
        (id == "U1").then_some("ana")
    }
    fn channel_name(&self, id: &str) -> Option<&str> {
        (id == "C1").then_some("ops")
    }
    fn here(&self) -> &'static str {
        "@{here}"
    }
    fn everyone(&self) -> &'static str {
        "@{channel}"
    }
}

#[track_caller]
fn check(slack: &str, markdown: &str) {
    assert_eq!(to_markdown(slack, &Known), markdown, "{slack:?}");
}

#[test]
fn marks_around_words_become_those_of_markdown() {
    check("*b* and _i_ and ~s~", "**b** and _i_ and ~~s~~");
    check("*_both_* (*b*), _*x*_!", "**_both_** (**b**), _**x**_!");
    check("*two words* in *one line*", "**two words** in **one line**");
    check("*crossing _marks* here_", "**crossing \\_marks** here\\_");
    check("`code *with* _marks_` *b*", "`code *with* _marks_` **b**");
}

#[test]
fn what_is_no_mark_in_slack_is_none_in_ours() {
    check("2*3*4", "2\\*3\\*4");
    check("5 * 3", "5 * 3");
    check("a*b", "a*b");
    check("snake_case_name and __init__", "snake_case_name and \\_\\_init\\_\\_");
    check("# no heading\n#channel", "\\# no heading\n#channel");
    check("title\n---\n===", "title\n\\---\n\\===");
    check("a | b\n--|--", "a | b\n\\--|--");
    check("[x](inc x) and [k]: v", "[x]\\(inc x) and [k]: v");
    check("[k]: https://x", "\\[k]: https://x");
    check("C:\\dir \\* \\n", "C:\\dir \\\\* \\n");
    check("`(a ~b)", "\\`(a ~b)");
    check("+ not a list\n- a list\n1. one", "\\+ not a list\n- a list\n1. one");
    check("x\n\n    deep\n\ttab", "x\n\n\u{a0}\u{a0}\u{a0}\u{a0}deep\n\u{a0}\u{a0}\u{a0}\u{a0}tab");
    check("#{:a} @{:b} @{user:U1}", "#{:a} @{:b} @\\{user:U1}");
}

#[test]
fn entities_are_decoded_once() {
    check("a &lt; b &amp;&amp; c -&gt; d", "a < b && c -> d");
    check("&amp;lt; &amp;amp;copy;", "\\&lt; \\&amp;copy;");
    check("&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;", "\\<b>x\\</b> \\<!-- y -->");
    check("(&lt;! ch) (&lt;!! ch) @&lt;x", "(<! ch) (<!! ch) @\\<x");
    check("`&lt;@U1&gt; &amp;amp;`", "`<@U1> &amp;`");
}

#[test]
fn names_become_references_and_unknown_ones_stay_readable() {
    check("<@U1>: hi <@U1|ana>", "@{user:U1}: hi @{user:U1}");
    check("<@U2> <@U2|bo_b> <@W3|@x>", "@U2 @bo_b @x");
    check("<#C1|ops> <#C1> <#C2|old> <#C2>", "#{channel:C1} #{channel:C1} #old #C2");
    check("<!here> <!here|here> <!channel> <!everyone>", "@{here} @{here} @{channel} @{channel}");
    check("<!subteam^S1|@devs> <!subteam^S1>", "@devs @group");
    check("<!date^1392734382^{date}|Feb 18> <!date^0^{date}>", "Feb 18 1970-01-01T00:00:00.000Z");
    check("`<@U1> <#C1|ops>`", "`@ana #ops`");
    check("<@U1|<b> <foo> <>", "\\<@U1|\\<b> \\<foo> <>");
}

#[test]
fn links_keep_label_and_address() {
    check("<https://a.b/c|see [this]>", "[see \\[this\\]](https://a.b/c)");
    check("at <https://a.b/c?x=1&amp;y=2>.", "at https://a.b/c?x=1&y=2.");
    check("<http://a.b|a.b> <https://a.b/|https://a.b/>", "[a.b](http://a.b) https://a.b/");
    check(
        "<https://a.b/_x_/~y_(z)>",
        "[https://a.b/\\_x\\_/\\~y\\_(z)](https://a.b/_x_/~y_%28z%29)",
    );
    check("<https://a.b/_x_/~y>", "https://a.b/_x_/~y");
    check(
        "<tel:123|call> <https://a.b/c...>",
        "call (tel:123) [https://a.b/c...](https://a.b/c...)",
    );
    check("see<https://a.b>now", "see[https://a.b](https://a.b)now");
    check("!<https://a.b|x>", "\\![x](https://a.b)");
    check("<mailto:a@b.c|a@b.c> <mailto:a@b.c>", "[a@b.c](mailto:a@b.c) [a@b.c](mailto:a@b.c)");
    check("<ssh://git@x/y_z> <javascript:a|b>", "ssh://git@x/y_z b (javascript:a)");
    check("`<https://x/c/ac16b04b|ac16b0>`", "`ac16b0`");
    check("`<https://x/c/ac16b04b|fix>`", "[`fix`](https://x/c/ac16b04b)");
    check("*<https://a.b|x>*", "**[x](https://a.b)**");
}

#[test]
fn code_is_left_alone() {
    check("a ```b``` c", "a\n```\nb\n```\nc");
    check("```\n(defn f [x]\n  #(* % x))\n```", "```\n(defn f [x]\n  #(* % x))\n```");
    check("x\n```a\n\nb```\n\ny", "x\n```\na\n\nb\n```\n\ny");
    check("```open", "\\`\\`\\`open");
    check("``````", "\\`\\`\\`\\`\\`\\`");
    check("` a ` `` x", "`  a  ` \\`\\` x");
    check("```x <https://a.b|a.b> &lt;c&gt; <@U1>```", "```\nx a.b <c> @ana\n```");
}

#[test]
fn quotes_end_where_slack_ends_them() {
    check("&gt; q1\n&gt;q2\nafter", "> q1\n> q2\n\nafter");
    check("&gt;&gt;&gt; all\nof\n\nit", "> all\n> of\n>\n> it");
    check("&gt;&gt;&gt;a```b```c", "> a\n> ```\n> b\n> ```\n> c");
    check("&gt; &gt; x\na &gt; b", "> \\> x\n\na > b");
}

#[test]
fn plain_text_has_no_markup_left() {
    assert_eq!(
        to_plain("*a* <@U1> <https://x|y> <https://z> &lt;", &Known),
        "*a* @ana y https://z <"
    );
    assert_eq!(to_markdown("<@U1|ana> <!here> <!channel>", &NoNames), "@ana @here @channel");
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// What a reader sees: the text of the rendered Markdown, and the code in it.
fn seen(markdown: &str) -> (String, Vec<String>) {
    let (mut text, mut code) = (String::new(), Vec::new());
    let mut block: Option<String> = None;
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => block = Some(String::new()),
            Event::End(TagEnd::CodeBlock) => code.extend(block.take()),
            Event::Text(it) => {
                text.push_str(&it);
                if let Some(block) = &mut block {
                    block.push_str(&it);
                }
            }
            Event::Code(it) => {
                text.push_str(&it);
                code.push(it.into_string());
            }
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::Start(Tag::Heading { .. } | Tag::Table(_) | Tag::Image { .. }) => {
                text.push_str("[unexpected]");
            }
            Event::Html(it) | Event::InlineHtml(it) => {
                text.push_str("[html]");
                text.push_str(&it);
            }
            _ => {}
        }
    }
    (text, code)
}

/// Without what marks are made of and without white space, which Markdown may fold.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"*_~`>".contains(*c)).collect()
}

proptest! {
    #[test]
    fn any_text_is_accepted(text in any::<String>()) {
        to_markdown(&text, &Known);
        to_markdown(&text, &NoNames);
        to_plain(&text, &Known);
    }

    #[test]
    fn any_soup_of_markup_is_accepted_and_keeps_no_token(
        parts in prop::collection::vec(prop_oneof![
            Just("<@U1>"), Just("<@U2|x>"), Just("<#C1|ops>"), Just("<#C9>"), Just("<!here>"),
            Just("<!date^1^x|y>"), Just("<https://a.b/_c|d>"), Just("<https://a.b>"), Just("<mailto:a@b>"),
            Just("<"), Just(">"), Just("|"), Just("*"), Just("_"), Just("~"), Just("a"), Just(" "),
            Just("\n"), Just("("), Just(")"), Just("["), Just("]"), Just("!"), Just("#"), Just("\\"),
            Just("@"), Just("{"), Just("="), Just("-"),
        ], 0..40)
    ) {
        let markdown = to_markdown(&parts.concat(), &Known);
        for token in ["<@U1>", "<@U2", "<#C", "<!here", "<!date", "<http", "<mailto", "|d>"] {
            let escaped = format!("\\{token}");
            prop_assert!(!markdown.replace(&escaped, "").contains(token), "{token} in {markdown:?}");
        }
        let (text, _) = seen(&markdown);
        prop_assert!(!text.contains("[html]"), "{markdown:?}");
    }

    #[test]
    fn text_reads_the_same_after_as_before(
        text in r"[ab \n*_~`#=|:\[\]()!\\&;{}@+.$^/x<>]{0,60}"
    ) {
        // Escaped as Slack escapes it, so that nothing in it is a token.
        let slack = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let markdown = to_markdown(&slack, &Known);
        let (shown, _) = seen(&markdown);
        prop_assert_eq!(letters(&shown), letters(&text), "{:?}", markdown);
    }

    #[test]
    fn code_is_preserved_literally(
        inline in r"[ab*_~#\[\]()!\\&;{}@+.<> -]{0,30}[a-z]",
        block in r"[a-z][ab\n*_~#\[\]()!\\&;{}@+.<> -]{0,60}[a-z]",
        around in r"[ab *_~(]{0,5}",
    ) {
        let entities = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let slack = format!("{around} `{}` {around}\n```{}```", entities(&inline), entities(&block));
        let markdown = to_markdown(&slack, &Known);
        let (_, code) = seen(&markdown);
        prop_assert_eq!(code, vec![inline, format!("{block}\n")], "{:?}", markdown);
    }
}
