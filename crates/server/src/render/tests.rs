//! What bodies become.

use super::*;
use proptest::prelude::*;

pub(super) const ANA: &str = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";
pub(super) const OPS: &str = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a02";

pub(super) fn names() -> Names {
    let mut names = Names::default();
    names.insert_user(ANA.parse().unwrap(), "ana");
    names.insert_user("0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a03".parse().unwrap(), "bo_b");
    names.insert_channel(OPS.parse().unwrap(), "ops");
    names
}

/// What `body` becomes. `ANA` and `OPS` stand for the ids, `{end}` for the end of a link's tag.
#[track_caller]
fn html(body: &str, expected: &str) {
    let body = body.replace("ANA", ANA).replace("OPS", OPS);
    let prepared = prepare(&body, &names());
    let got = prepared
        .body_html
        .replace(ANA, "ANA")
        .replace(OPS, "OPS")
        .replace(" target=\"_blank\" rel=\"noopener noreferrer nofollow\">", "{end}");
    assert_eq!(got, expected, "{body:?}");
}

#[track_caller]
fn stored(body: &str, expected: &str, mentions: &[Mention]) {
    let prepared = prepare(&body.replace("ANA", ANA).replace("OPS", OPS), &names());
    assert_eq!(prepared.body.replace(ANA, "ANA").replace(OPS, "OPS"), expected, "{body:?}");
    assert_eq!(prepared.mentions, mentions, "{body:?}");
}

fn ana() -> Mention {
    Mention::User(ANA.parse().unwrap())
}

fn ops() -> Mention {
    Mention::Channel(OPS.parse().unwrap())
}

#[test]
fn text_is_paragraphs_and_lines() {
    html("", "");
    html("hello", "<p>hello</p>");
    html("a\nb\n\nc\n\n\n", "<p>a<br>b</p><p>c</p>");
    html("\n\na", "<p>a</p>");
    html("a < b && c > d \"q\" 'r'", "<p>a &lt; b &amp;&amp; c &gt; d \"q\" 'r'</p>");
    html("a\u{a0}b\u{0}c\u{1}d\u{202e}e", "<p>a&nbsp;b\u{fffd}c\u{fffd}d\u{fffd}e</p>");
    html("a\r\nb", "<p>a<br>b</p>");
}

#[test]
fn markdown_becomes_elements() {
    html(
        "*a* **b** ~~c~~ `d<e`",
        "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>",
    );
    html("# A\n## B", "<h1>A</h1><h2>B</h2>");
    html(
        "> a\n> b\n>> c",
        "<blockquote><p>a<br>b</p><blockquote><p>c</p></blockquote></blockquote>",
    );
    html("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>");
    html("3. a\n4. b", "<ol start=\"3\"><li>a</li><li>b</li></ol>");
    html(
        "- [ ] a\n- [x] b",
        "<ul><li><input type=\"checkbox\" disabled=\"\"> a</li><li><input type=\"checkbox\" disabled=\"\" checked=\"\"> b</li></ul>",
    );
    html(
        "|a|b|\n|:-|-:|\n|c|`d`|",
        "<table><thead><tr><th class=\"align-left\">a</th><th class=\"align-right\">b</th></tr></thead>\
         <tbody><tr><td class=\"align-left\">c</td><td class=\"align-right\"><code>d</code></td></tr></tbody></table>",
    );
    html("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>");
    html(
        "```rust\nfn <T>() {}\n```",
        "<pre><code class=\"language-rust\">fn &lt;T&gt;() {}\n</code></pre>",
    );
    html("```\n\n*a*\n_b_ https://x_y\n```", "<pre><code>\n*a*\n_b_ https://x_y\n</code></pre>");
    html("```c++ x\n```", "<pre><code class=\"language-c++\"></code></pre>");
    html("```\" onload=x\n```", "<pre><code></code></pre>");
}

#[test]
fn quotes_past_the_bound_of_a_line_are_text() {
    let body = format!("{}a", ">".repeat(34));
    assert!(prepare(&body, &names()).body_html.contains("&gt;&gt;a"));
    let code = format!("```\n{}\n```", "- ".repeat(40));
    html(&code, &format!("<pre><code>{}\n</code></pre>", "- ".repeat(40)));
}

#[test]
fn raw_html_is_text() {
    html("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>");
    html("<div>\n*a*\n</div>", "<p>&lt;div&gt;<br><em>a</em><br>&lt;/div&gt;</p>");
    html("\\<b> \\\\<i> `\\<u>`", "<p>&lt;b&gt; \\&lt;i&gt; <code>\\&lt;u&gt;</code></p>");
    html("<!-- *a* -->", "<p>&lt;!-- <em>a</em> --&gt;</p>");
}

#[test]
fn control_characters_are_replaced() {
    html("a\u{7f}b \u{85}c\u{9b}", "<p>a\u{fffd}b \u{fffd}c\u{fffd}</p>");
    html("*a*\u{7f} `\u{85}` &#x9b;", "<p><em>a</em>\u{fffd} <code>\u{fffd}</code> \u{fffd}</p>");
}

#[test]
fn addresses_become_links() {
    html(
        "see https://a.example/b_c_d?e=1.",
        "<p>see <a href=\"https://a.example/b_c_d?e=1\"{end}https://a.example/b_c_d?e=1</a>.</p>",
    );
    html(
        "(http://a.example/(b))",
        "<p>(<a href=\"http://a.example/(b)\"{end}http://a.example/(b)</a>)</p>",
    );
    html(
        "**https://a.example/__x__/**",
        "<p><strong><a href=\"https://a.example/__x__/\"{end}https://a.example/__x__/</a></strong></p>",
    );
    html(
        "https://a.example/x*y z*",
        "<p><a href=\"https://a.example/x*y\"{end}https://a.example/x*y</a> z*</p>",
    );
    html(
        "<https://a.example/?a&b>",
        "<p><a href=\"https://a.example/?a&amp;b\"{end}https://a.example/?a&amp;b</a></p>",
    );
    html(
        "<mailto:ana@a.example>",
        "<p><a href=\"mailto:ana@a.example\"{end}mailto:ana@a.example</a></p>",
    );
    html(
        "[a *b*](https://a.example \"t\")",
        "<p><a href=\"https://a.example/\"{end}a <em>b</em></a></p>",
    );
    html("[a][1]\n\n[1]: https://a.example", "<p><a href=\"https://a.example/\"{end}a</a></p>");
    html(
        "![alt](https://a.example/x.png)",
        "<p><a href=\"https://a.example/x.png\"{end}alt</a></p>",
    );
    html(
        "![](https://a.example/x.png)",
        "<p><a href=\"https://a.example/x.png\"{end}https://a.example/x.png</a></p>",
    );
    html(
        "[![alt](https://b.example)](https://a.example)",
        "<p><a href=\"https://a.example/\"{end}alt</a></p>",
    );
    html(
        "[https://b.example](https://a.example)",
        "<p><a href=\"https://a.example/\"{end}https://b.example</a></p>",
    );
    html(
        "https://ex\u{430}mple.org",
        "<p><a href=\"https://xn--exmple-4nf.org/\"{end}https://ex\u{430}mple.org</a></p>",
    );
    html("[x](javascript:alert(1)) [y](/v1/me) [z](//a.example)", "<p>x y z</p>");
    html(
        "ftp://a.example https:// xhttps://a.example https://[",
        "<p>ftp://a.example https:// xhttps://a.example https://[</p>",
    );
    html(
        "\\<https://a.example>",
        "<p>&lt;<a href=\"https://a.example/\"{end}https://a.example</a>&gt;</p>",
    );
}

#[test]
fn references_are_resolved_once_outside_of_code() {
    stored("hi @ana and #ops", "hi @<user:ANA> and #<channel:OPS>", &[ana(), ops()]);
    stored(
        "@here @channel @Ana",
        "@<here> @<channel> @<user:ANA>",
        &[Mention::Here, Mention::Everyone, ana()],
    );
    stored("`@ana` @nobody ana@ana #no", "`@ana` @nobody ana@ana #no", &[]);
    stored("```\n@ana\n```\n    @ana\n\n    @here", "```\n@ana\n```\n    @ana\n\n    @here", &[]);
    stored(
        "**@ana** _@ana_ [@ana](https://a.example/@ana)",
        "**@<user:ANA>** _@<user:ANA>_ [@<user:ANA>](https://a.example/@ana)",
        &[ana()],
    );
    stored("https://a.example/@ana#ops \\@ana", "https://a.example/@ana#ops \\@ana", &[]);
    stored(
        "> - @ana\n\n|@ana|\n|-|\n|#ops|",
        "> - @<user:ANA>\n\n|@<user:ANA>|\n|-|\n|#<channel:OPS>|",
        &[ana(), ops()],
    );
    stored("# @ana", "# @<user:ANA>", &[ana()]);
    stored("<div>@ana</div>", "<div>@<user:ANA></div>", &[ana()]);
    stored("é @ana é", "é @<user:ANA> é", &[ana()]);
    stored(
        "*x* @bo_b",
        "*x* @<user:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a03>",
        &[Mention::User("0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a03".parse().unwrap())],
    );
}

#[test]
fn stored_references_count_only_when_their_id_is_known() {
    stored(
        "@<user:ANA> `@<user:ANA>` @<user:OPS>",
        "@<user:ANA> `@<user:ANA>` @<user:OPS>",
        &[ana()],
    );
    html("@<user:OPS>", "<p>@&lt;user:OPS&gt;</p>");
    html(
        "*a* @<user:OPS> `@<user:ANA>` \\@<user:ANA>",
        "<p><em>a</em> @&lt;user:OPS&gt; <code>@&lt;user:ANA&gt;</code> @&lt;user:ANA&gt;</p>",
    );
}

#[test]
fn references_are_drawn_with_names() {
    html("@ana", "<p><span class=\"mention\" data-user=\"ANA\">@ana</span></p>");
    html("*#ops*", "<p><em><a class=\"mention\" data-channel=\"OPS\">#ops</a></em></p>");
    html(
        "**@here**s @channel",
        "<p><strong><span class=\"mention mention-all\">@here</span></strong>s <span class=\"mention mention-all\">@channel</span></p>",
    );
    html(
        "[#ops @ana](https://a.example)",
        "<p><a href=\"https://a.example/\"{end}<span class=\"mention\" data-channel=\"OPS\">#ops</span> <span class=\"mention\" data-user=\"ANA\">@ana</span></a></p>",
    );
    let mut renamed = Names::default();
    renamed.insert_user(ANA.parse().unwrap(), "ana2");
    let stored = prepare("@ana @nobody", &names()).body;
    assert_eq!(
        render(&stored, &renamed),
        format!("<p><span class=\"mention\" data-user=\"{ANA}\">@ana2</span> @nobody</p>")
    );
}

#[test]
fn a_name_that_was_not_resolved_when_sent_stays_text() {
    assert_eq!(render("@ana @here", &names()), "<p>@ana @here</p>");
}

#[test]
fn candidates_are_what_must_be_looked_up() {
    let found =
        candidates(&format!("@Ana *@bo* #Ops `@code` @here @<user:{ANA}> #<channel:{OPS}> x@y.z"));
    assert_eq!(found.usernames, BTreeSet::from(["ana".to_owned(), "bo".to_owned()]));
    assert_eq!(found.channel_names, BTreeSet::from(["ops".to_owned()]));
    assert_eq!(found.users, BTreeSet::from([ANA.parse().unwrap()]));
    assert_eq!(found.channels, BTreeSet::from([OPS.parse().unwrap()]));
    assert!(candidates("@here `@ana`").is_empty());
}

/// Pieces of which bodies are put together, so that markup meets markup.
const PIECES: &str = "(@ana|@bo_b|@no|#ops|@here|@|#|##|# |a|B|é|你|x1| |  |   |    |\n|\n\n|\t|\r\n|[*]|[*][*]|_|__|~|~~|`|```|\n```rust\n|\n```\n|- |[+] |1[.] |2[)] |> |>|<|<b>|</b>|<!--|-->|=|===|---|:|:-|[|]|\\|-\\|\n|\\\\|!|\\[|\\]|\\(|\\)|\\[x\\]|\\]\\(|\\]: |&|&amp;|&#64;|&lt|;|\"|'|https://a[.]b/c|http://|://|<https://x[.]y>|mailto:|[.]|,|\u{a0}|\u{202e}|\u{1}|\u{0}|@<user:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01>|#<channel:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a02>|@<user:|javascript:)";

fn bodies() -> impl Strategy<Value = String> {
    prop::string::string_regex(&format!("{PIECES}{{0,25}}")).unwrap()
}

proptest! {
    #[test]
    fn the_short_way_draws_what_the_long_way_draws(
        body in "([a-zé你A-Z0-9@#:;.,!?<>&'\"()/ \n+=$%^{}-]|@ana|#ops|@here|https://a[.]b/c|<https://x[.]y>|http://|\u{a0}|\u{3000}|\u{85}|\u{2028}|\u{202e}|\u{200b}|\u{7f}|: |- |# |1[.]|=|\n){0,30}"
    ) {
        let body = resolve(&body, &names()).into_owned();
        if source::is_plain(&body) {
            let (short, short_mentions) = html::plain(&body, &names());
            let (long, long_mentions) = html::rich(&body, &names());
            prop_assert_eq!(&short, &long);
            prop_assert_eq!(short_mentions, long_mentions);
            prop_assert_eq!(sanitize::clean(&short), short);
        }
    }

    #[test]
    fn the_writer_makes_nothing_that_the_allow_list_changes(body in bodies()) {
        let body = resolve(&body, &names()).into_owned();
        let (html, _) = html::rich(&body, &names());
        prop_assert_eq!(sanitize::clean(&html), html);
    }

    #[test]
    fn preparing_again_changes_nothing(body in bodies()) {
        let once = prepare(&body, &names());
        let twice = prepare(&once.body, &names());
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(render(&once.body, &names()), once.body_html);
    }

    #[test]
    fn any_text_at_all_is_rendered(body in any::<String>()) {
        let prepared = prepare(&body, &names());
        prop_assert_eq!(sanitize::clean(&prepared.body_html), prepared.body_html);
    }

    #[test]
    fn highlighting_only_adds_marks(body in bodies(), words in "[abx ]{1,9}") {
        let html = prepare(&body, &names()).body_html;
        if let Ok(query) = words.parse::<tidings_domain::search::SearchQuery>() {
            let marked = highlight(&html, &query.terms);
            prop_assert_eq!(sanitize::clean(&marked), marked.clone());
            prop_assert_eq!(marked.replace("<mark>", "").replace("</mark>", ""), html);
        }
    }
}
