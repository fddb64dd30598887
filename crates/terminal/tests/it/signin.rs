//! Logging in without keys: by a provider in a browser, and by a code that is approved elsewhere.

use tidings_testkit::OidcProvider;

use crate::world::{Person, Running, Server};

/// A browser that goes where it is sent, with the cookies of one site.
fn browse(runtime: &tokio::runtime::Runtime, provider: &OidcProvider, start: &str) -> String {
    runtime.block_on(async {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a browser");
        let begun = http.get(start).send().await.expect("the server answers");
        let header = |answer: &reqwest::Response, name: &str| {
            answer.headers()[name].to_str().expect("text").to_owned()
        };
        let cookie = header(&begun, "set-cookie");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let back = provider.visit(&header(&begun, "location")).await;
        let answer = http.get(back).header("cookie", cookie).send().await.expect("an answer");
        let answer =
            http.get(header(&answer, "location")).send().await.expect("the terminal hears it");
        answer.text().await.expect("a text")
    })
}

/// Runs a command that waits for a browser, and is one; gives what the command said in the end.
fn with_browser(
    runtime: &tokio::runtime::Runtime,
    provider: &OidcProvider,
    person: &Person,
    args: &[&str],
) -> (Option<i32>, Vec<String>) {
    let running = Running::start(&mut person.command(args));
    let line = running.line_with("/v1/auth/oauth/");
    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
    let seen = browse(runtime, provider, url.expect("an address"));
    assert!(seen.contains("Go back to the terminal"), "{seen}");
    running.end()
}

fn scene() -> (Server, Person, OidcProvider, tokio::runtime::Runtime) {
    let server = Server::start_with(&[("TIDINGS__OUTWARD__ALLOW", "[\"127.0.0.0/8\"]")]);
    let ana = Person::owner(&server, "ana");
    let provider = OidcProvider::start();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    (server, ana, provider, runtime)
}

fn add(ana: &Person, provider: &OidcProvider, more: &[&str]) -> String {
    let secret = ana.file("secret");
    std::fs::write(&secret, OidcProvider::CLIENT_SECRET).expect("a file");
    let secret = secret.to_str().expect("a path").to_owned();
    let start = ["admin", "provider", "add", "acme", "--kind", "oidc", "--url", provider.url()];
    let rest = ["--client-id", OidcProvider::CLIENT_ID, "--secret-file", &secret];
    ana.ok(&start.into_iter().chain(rest).chain(more.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn an_account_elsewhere_logs_in_and_makes_accounts() {
    let (server, ana, provider, runtime) = scene();
    let printed = add(&ana, &provider, &["--registration", "open", "--group", "staff=acme:member"]);
    assert_eq!(printed.trim(), format!("{}/v1/auth/oauth/acme/callback", server.url()));
    assert!(ana.ok(&["admin", "provider", "list"]).starts_with("acme\toidc\tacme\topen\t"));
    let behave = |username: &str, sub: &str| {
        let behavior = serde_json::json!({"sub": sub, "username": username, "groups": ["staff"]});
        runtime.block_on(provider.behave(behavior));
    };
    behave("ana@acme.example", "1");
    let (code, said) = with_browser(&runtime, &provider, &ana, &["links", "add", "acme"]);
    assert_eq!(code, Some(0), "{said:?}");
    assert!(ana.ok(&["links", "list"]).starts_with("acme\tana@acme.example\t"));

    let laptop = Person::new();
    let login = ["login", "--server", server.url(), "--provider", "acme"];
    let (code, said) = with_browser(&runtime, &provider, &laptop, &login);
    assert_eq!(code, Some(0), "{said:?}");
    assert!(said.iter().any(|line| line.contains("has no keys")), "{said:?}");
    assert_eq!(laptop.json(&["whoami"])[0]["user"]["username"], "ana");
    laptop.ok(&["send", "#general", "from a machine without keys"]);

    // A newcomer makes keys, and is where the groups say.
    behave("bob@acme.example", "2");
    let bob = Person::new();
    let (code, said) = with_browser(&runtime, &provider, &bob, &login);
    assert_eq!(code, Some(1), "{said:?}");
    assert!(said.iter().any(|line| line.contains("tidings register")), "{said:?}");
    let start = ["register", "--server", server.url(), "--username", "bob", "--provider", "acme"];
    let (code, said) = with_browser(&runtime, &provider, &bob, &start);
    assert_eq!(code, Some(0), "{said:?}");
    assert!(bob.ok(&["community", "list"]).starts_with("acme\t"));

    let told = bob.fails(2, &["login", "--provider", "other"]);
    assert!(told.contains("no provider other") && told.contains("acme"), "{told}");
    ana.ok(&["links", "remove", "acme"]);
    let told = bob.fails(1, &["admin", "provider", "remove", "acme"]);
    assert!(told.contains("only the owner of the server"), "{told}");
    ana.ok(&["admin", "provider", "remove", "acme"]);
    assert_eq!(bob.ok(&["links", "list"]), "");
    ana.ok(&["admin", "keys", "rotate"]);
}

#[test]
fn a_code_that_is_approved_elsewhere_logs_in() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let laptop = Person::new();
    let login = ["login", "--server", server.url(), "--device-code", "--device-name", "kitchen"];
    let running = Running::start(&mut laptop.command(&login));
    let line = running.line_with("the code is ");
    let code = line.rsplit(' ').next().expect("a code");
    let told = ana.fails(1, &["sessions", "approve", "BBBB-BBBB"]);
    assert!(told.contains("no machine waits"), "{told}");
    let said = ana.json(&["sessions", "approve", code]);
    assert_eq!(said[0]["approved"], true);
    let (exit, said) = running.end();
    assert_eq!(exit, Some(0), "{said:?}");
    assert_eq!(laptop.json(&["whoami"])[0]["user"]["username"], "ana");
    let sessions = ana.ok(&["sessions", "list"]);
    assert!(sessions.contains("\tkitchen\t"), "{sessions}");

    let other = Person::new();
    let running =
        Running::start(&mut other.command(&["login", "--server", server.url(), "--device-code"]));
    let line = running.line_with("the code is ");
    ana.ok(&["sessions", "deny", line.rsplit(' ').next().expect("a code")]);
    let (exit, said) = running.end();
    assert_eq!(exit, Some(1), "{said:?}");
    assert!(said.iter().any(|line| line.contains("somebody said no")), "{said:?}");
}
