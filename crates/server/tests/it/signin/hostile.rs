//! What a provider, a browser or somebody in between may try. Each lie is one of a real provider that
//! signs for real, and is otherwise honest; after each one the truth still works.

use serde_json::json;
use tidings_testkit::OidcProvider;

use super::{Browser, configure, location, loopback, path_of, proof, ticket, ticket_of, world};
use crate::world::{Answer, Person, World};

/// What a provider can say wrongly in its ID token, or in what leads to it.
const LIES: [&str; 29] = [
    "another issuer",
    "a slash after the issuer",
    "another audience",
    "more audiences",
    "another party",
    "another nonce",
    "no nonce",
    "expired",
    "old",
    "from the future",
    "no subject",
    "no algorithm",
    "no algorithm in capitals",
    "no signature",
    "public key as secret",
    "client secret as secret",
    "unknown kid",
    "path in kid",
    "address in kid",
    "one kid for two keys",
    "key in header",
    "address of keys in header",
    "critical header",
    "token in token",
    "another key",
    "broken signature",
    "no ID token",
    "another issuer in discovery",
    "another issuer in the answer",
];

struct Scene {
    world: World,
    ana: Person,
    provider: OidcProvider,
}

/// Ana is linked; whoever is signed in by mistake would be ana.
async fn scene() -> Scene {
    let world = world().await;
    let ana = world.owner().await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({})).await;
    provider.behave(json!({"sub": "77", "username": "ana"})).await;
    let mine = ticket(&world, &provider, "acme").await;
    world.post(&ana.token, "/v1/me/links", proof(&mine)).await.is(201);
    Scene { world, ana, provider }
}

/// How many sessions ana has.
async fn sessions(world: &World, ana: &Person) -> usize {
    let sessions = world.get(&ana.token, "/v1/sessions").await.is(200);
    sessions["items"].as_array().unwrap().len()
}

#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.body);
    let html = answer.body.as_str().unwrap();
    assert!(html.contains("did not work"), "{what}: {html}");
    for cookie in answer.headers.get_all("set-cookie") {
        assert!(!cookie.to_str().unwrap().starts_with("tidings_session"), "{what}");
    }
}

#[tokio::test]
async fn a_provider_that_lies_signs_nobody_in() {
    let Scene { world, ana, provider } = scene().await;
    for lie in LIES {
        // The browser is on its way before the provider goes bad: most lies are in the answer.
        let mut browser = Browser::default();
        let there = browser.begin(&world, "acme", "").await;
        provider.behave(json!({"lie": lie, "sub": "77", "username": "ana"})).await;
        let back = provider.visit(&there).await;
        let answer = browser.get(&world, &path_of(&back)).await;
        is_refused(&answer, lie);
        assert_eq!(sessions(&world, &ana).await, 1, "{lie}");
        provider.behave(json!({"sub": "77", "username": "ana"})).await;
    }
    let answer = Browser::default().sign_in(&world, &provider, "acme", "").await;
    assert_eq!(location(&answer), "http://localhost:8420/");
    assert_eq!(sessions(&world, &ana).await, 2);
}

#[tokio::test]
async fn a_provider_that_cannot_be_trusted_is_not_begun_with() {
    let Scene { world, provider, .. } = scene().await;
    for lie in [
        "another issuer in discovery",
        "redirecting discovery",
        "huge discovery",
        "private keys address",
    ] {
        provider.behave(json!({"lie": lie})).await;
        let answer = Browser::default().get(&world, "/v1/auth/oauth/acme/start").await;
        answer.refused(503, "unavailable");
    }
    drop(provider);
    let answer = Browser::default().get(&world, "/v1/auth/oauth/acme/start").await;
    answer.refused(503, "unavailable");
    Browser::default().get(&world, "/v1/auth/oauth/other/start").await.refused(404, "not_found");
}

#[tokio::test]
async fn an_answer_works_once_and_only_in_the_browser_that_asked() {
    let Scene { world, ana, provider } = scene().await;
    let mut browser = Browser::default();
    let there = browser.begin(&world, "acme", "").await;
    let back = path_of(&provider.visit(&there).await);
    // Somebody else's browser, one without cookies, and one that began something else.
    let mut other = Browser::default();
    is_refused(&other.get(&world, &back).await, "no cookie");
    other.begin(&world, "acme", "").await;
    is_refused(&other.get(&world, &back).await, "state mismatch");
    // The right browser with a state that was changed, twice given, or left out.
    let begun = browser.clone();
    let (head, state) = back.split_once("state=").unwrap();
    let (state, rest) = state.split_once('&').unwrap();
    let mut changed = state.to_owned();
    let last = if changed.ends_with('A') { 'B' } else { 'A' };
    changed.pop();
    changed.push(last);
    for (path, what) in [
        (format!("{head}state={changed}&{rest}"), "a changed state"),
        (format!("{head}{rest}"), "no state"),
        (format!("{head}state=&{rest}"), "an empty state"),
    ] {
        is_refused(&begun.clone().get(&world, &path).await, what);
    }
    let twice = format!("{back}&state={state}");
    assert_eq!(begun.clone().get(&world, &twice).await.status, 400);
    // None of this spent it.
    let answer = browser.get(&world, &back).await;
    assert_eq!(location(&answer), "http://localhost:8420/");
    assert_eq!(sessions(&world, &ana).await, 2);
    // Replayed with all cookies as they were: the provider refuses its own code, and we do even when
    // the provider would not.
    provider.behave(json!({"lie": "codes work again", "sub": "77", "username": "ana"})).await;
    is_refused(&begun.clone().get(&world, &back).await, "a replayed code");
    // A used code in a new flow, where the provider is lax but the nonce is another.
    let code = head.split_once("code=").or(rest.split_once("code=")).unwrap().1;
    let code = code.split('&').next().unwrap();
    let mut fresh = Browser::default();
    let there = reqwest::Url::parse(&fresh.begin(&world, "acme", "").await).unwrap();
    let own = there.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let path = format!("/v1/auth/oauth/acme/callback?code={code}&state={own}");
    is_refused(&fresh.get(&world, &path).await, "an injected code");
    assert_eq!(sessions(&world, &ana).await, 2);
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_has_to_begin_again() {
    let Scene { world, provider, .. } = scene().await;
    let mut browser = Browser::default();
    let there = browser.begin(&world, "acme", "").await;
    let back = path_of(&provider.visit(&there).await);
    world.wait(600);
    is_refused(&browser.get(&world, &back).await, "ten minutes later");
}

#[tokio::test]
async fn what_the_provider_refuses_stays_refused() {
    let Scene { world, provider, .. } = scene().await;
    provider.behave(json!({"lie": "no consent", "sub": "77"})).await;
    let answer = Browser::default().sign_in(&world, &provider, "acme", "").await;
    is_refused(&answer, "no consent");
    assert!(answer.body.as_str().unwrap().contains("access_denied"));
    provider.behave(json!({"sub": "77"})).await;
    // Without PKCE an honest provider gives no code.
    let mut browser = Browser::default();
    let mut there = reqwest::Url::parse(&browser.begin(&world, "acme", "").await).unwrap();
    let pairs: Vec<(String, String)> = there.query_pairs().into_owned().collect();
    let sent = |name: &str| pairs.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(sent("code_challenge_method"), "S256");
    assert_eq!(sent("redirect_uri"), "http://localhost:8420/v1/auth/oauth/acme/callback");
    assert_eq!(sent("scope"), "openid profile");
    assert!(sent("nonce").len() == 43 && sent("state").len() == 43);
    let rest = pairs.iter().filter(|(name, _)| !name.starts_with("code_challenge"));
    there.query_pairs_mut().clear().extend_pairs(rest);
    let back = provider.visit(there.as_str()).await;
    let answer = browser.get(&world, &path_of(&back)).await;
    is_refused(&answer, "missing PKCE");
    // With the challenge of another verifier the code is not ours.
    let mut browser = Browser::default();
    let mut there = reqwest::Url::parse(&browser.begin(&world, "acme", "").await).unwrap();
    let swapped: Vec<(String, String)> = there
        .query_pairs()
        .map(|(name, value)| {
            let other = super::challenge("another-verifier-of-forty-three-characters");
            let value = if name == "code_challenge" { other } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    there.query_pairs_mut().clear().extend_pairs(swapped);
    let back = provider.visit(there.as_str()).await;
    let answer = browser.get(&world, &path_of(&back)).await;
    is_refused(&answer, "another verifier");
    assert!(answer.body.as_str().unwrap().contains("invalid_grant"));
}

#[tokio::test]
async fn an_answer_of_one_provider_is_none_of_another() {
    let Scene { world, ana, provider } = scene().await;
    let evil = OidcProvider::start();
    configure(&world, &ana, &evil, "evil", json!({})).await;
    evil.behave(json!({"sub": "77", "username": "ana"})).await;
    let mut browser = Browser::default();
    let there = browser.begin(&world, "evil", "").await;
    let back = path_of(&evil.visit(&there).await).replace("/evil/", "/acme/");
    is_refused(&browser.get(&world, &back).await, "mixed up");
    let ticket = ticket(&world, &evil, "evil").await;
    let info = world.post("", "/v1/auth/oauth/ticket", proof(&ticket)).await.is(200);
    assert_eq!((&info["linked"], &info["provider"]), (&json!(false), &json!("evil")));
    drop(provider);
}

#[tokio::test]
async fn a_ticket_is_for_who_began_and_works_once() {
    let Scene { world, ana, provider } = scene().await;
    let ticket = ticket(&world, &provider, "acme").await;
    let use_it =
        async |body: serde_json::Value| world.post("", "/v1/auth/oauth/session", body).await;
    use_it(json!({"ticket": ticket})).await.refused(401, "unauthorized");
    let wrong = json!({"ticket": ticket, "verifier": "another-verifier-of-forty-three-characters"});
    use_it(wrong).await.refused(401, "unauthorized");
    let mut changed = ticket.clone();
    let last = if changed.ends_with('A') { 'B' } else { 'A' };
    changed.replace_range(changed.len() - 5..changed.len() - 4, &last.to_string());
    use_it(proof(&changed)).await.refused(401, "unauthorized");
    for broken in ["", "x", "AAAA", &"A".repeat(4_000)] {
        use_it(proof(broken)).await.refused(401, "unauthorized");
    }
    use_it(proof(&ticket)).await.is(201);
    use_it(proof(&ticket)).await.refused(401, "unauthorized");
    assert_eq!(sessions(&world, &ana).await, 2);

    let late = super::ticket(&world, &provider, "acme").await;
    world.wait(900);
    use_it(proof(&late)).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_with_a_ticket() {
    let Scene { world, .. } = scene().await;
    let challenge = super::challenge(super::VERIFIER);
    for (query, status) in [
        (format!("redirect_uri=http://evil.example:80/&state=a&code_challenge={challenge}"), 422),
        (format!("redirect_uri=http://localhost:1/&state=a&code_challenge={challenge}"), 422),
        (format!("redirect_uri=http://127.0.0.1:1/&code_challenge={challenge}"), 422),
        ("redirect_uri=http://127.0.0.1:1/&state=a".to_owned(), 422),
        ("redirect_uri=http://127.0.0.1:1/&state=a&code_challenge=short".to_owned(), 422),
        ("return=//evil.example".to_owned(), 422),
        ("return=https://evil.example/".to_owned(), 422),
        ("return=/%5Cevil.example".to_owned(), 422),
        ("intent=everything".to_owned(), 422),
    ] {
        let answer = world.get("", &format!("/v1/auth/oauth/acme/start?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.body);
    }
    // A program's ticket does not log a browser in, whatever it asked for.
    let Scene { world, provider, .. } = scene().await;
    let mut browser = Browser::default();
    let answer = browser.sign_in(&world, &provider, "acme", &loopback()).await;
    ticket_of(&answer);
    browser.get(&world, "/v1/me").await.refused(401, "unauthorized");
}
