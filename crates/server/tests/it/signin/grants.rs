//! Terminals that are logged in from elsewhere.

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::Browser;
use crate::world::{Answer, World, request, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn form(world: &World, path: &str, body: &str) -> Answer {
    let mut request = request("", Method::POST, path, None);
    *request.body_mut() = body.to_owned().into();
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    world.send(request).await
}

async fn begin(world: &World) -> Value {
    form(world, "/v1/oauth/device", "client_id=tidings-cli&device_name=a+terminal").await.is(200)
}

async fn poll(world: &World, codes: &Value) -> Answer {
    let code = codes["device_code"].as_str().unwrap();
    let body = format!("grant_type={GRANT}&device_code={code}&client_id=tidings-cli");
    form(world, "/v1/oauth/token", &body).await
}

#[track_caller]
fn is(answer: &Answer, word: &str) {
    assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &json!(word)));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn a_terminal_is_logged_in_when_somebody_says_yes() {
    let world = World::new().await;
    let ana = world.owner().await;
    let codes = begin(&world).await;
    let code = text(&codes["user_code"]);
    let letters: Vec<char> = code.chars().filter(|c| *c != '-').collect();
    assert!(letters.len() == 8 && letters.iter().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(*c)));
    assert_eq!(codes["verification_uri"], "http://localhost:8420/device");
    let complete = format!("http://localhost:8420/device?code={code}");
    assert_eq!(codes["verification_uri_complete"], complete);
    assert_eq!((&codes["interval"], &codes["expires_in"]), (&json!(5), &json!(900)));
    is(&poll(&world, &codes).await, "authorization_pending");

    let path = format!("/v1/auth/device/{}", code.to_lowercase().replace('-', ""));
    let shown = world.get(&ana.token, &path).await.is(200);
    assert_eq!((&shown["device_name"], &shown["user_code"]), (&json!("a terminal"), &json!(code)));
    world.get("", &path).await.refused(401, "unauthorized");
    world.post(&ana.token, &format!("{path}/approve"), json!({})).await.is(204);
    // It is answered: neither seen nor answered again.
    world.get(&ana.token, &path).await.refused(404, "not_found");
    world.post(&ana.token, &format!("{path}/deny"), json!({})).await.refused(404, "not_found");

    world.wait(5);
    let answer = poll(&world, &codes).await.is(200);
    assert_eq!((&answer["token_type"], &answer["user"]["id"]), (&json!("Bearer"), &json!(ana.id)));
    let token = text(&answer["access_token"]);
    assert_eq!(world.get(&token, "/v1/me").await.is(200)["username"], "ana");
    let sessions = world.get(&token, "/v1/sessions").await.is(200);
    let current = |it: &&Value| it["current"] == true;
    let mine = sessions["items"].as_array().unwrap().iter().find(current).unwrap();
    assert_eq!((&mine["device_name"], &mine["id"]), (&json!("a terminal"), &answer["session_id"]));
    // The code is spent.
    world.wait(5);
    is(&poll(&world, &codes).await, "expired_token");
}

#[tokio::test]
async fn who_polls_too_early_waits_longer_from_then_on() {
    let world = World::new().await;
    let ana = world.owner().await;
    let codes = begin(&world).await;
    is(&poll(&world, &codes).await, "authorization_pending");
    world.wait(4);
    is(&poll(&world, &codes).await, "slow_down");
    // Ten seconds now.
    world.wait(5);
    is(&poll(&world, &codes).await, "slow_down");
    world.wait(15);
    is(&poll(&world, &codes).await, "authorization_pending");
    let path = format!("/v1/auth/device/{}/deny", text(&codes["user_code"]));
    world.post(&ana.token, &path, json!({})).await.is(204);
    world.wait(60);
    is(&poll(&world, &codes).await, "access_denied");
}

#[tokio::test]
async fn codes_end_and_cannot_be_guessed() {
    let world = World::new().await;
    let ana = world.owner().await;
    let codes = begin(&world).await;
    let code = text(&codes["user_code"]);
    world.wait(900);
    is(&poll(&world, &codes).await, "expired_token");
    let path = format!("/v1/auth/device/{code}/approve");
    world.post(&ana.token, &path, json!({})).await.refused(404, "not_found");
    world.app.prune().await.unwrap();

    for (body, word) in [
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        (&format!("grant_type={GRANT}"), "invalid_request"),
        (&format!("grant_type={GRANT}&device_code=a&device_code=b"), "invalid_request"),
        (&format!("grant_type={GRANT}&device_code=wrong"), "expired_token"),
        ("", "invalid_request"),
        ("a=%ff", "invalid_request"),
    ] {
        is(&form(&world, "/v1/oauth/token", body).await, word);
    }
    is(&form(&world, "/v1/oauth/device", "device_name=x").await, "invalid_request");
    is(&form(&world, "/v1/oauth/device", "client_id=").await, "invalid_request");
    let json = world.post("", "/v1/oauth/device", json!({"client_id": "x"})).await;
    is(&json, "invalid_request");

    let mut tries = 0;
    let refused = loop {
        let answer = world.get(&ana.token, "/v1/auth/device/BBBBBBBB").await;
        if answer.status != StatusCode::NOT_FOUND {
            break answer;
        }
        tries += 1;
        assert!(tries < 100, "codes can be tried without end");
    };
    refused.refused(429, "rate_limited");
    // That counts against who guesses, not against others.
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let fresh = text(&begin(&world).await["user_code"]);
    world.get(&bo.token, &format!("/v1/auth/device/{fresh}")).await.is(200);
}

#[tokio::test]
async fn the_page_asks_before_it_says_yes() {
    let world = World::new().await;
    let ana = world.owner().await;
    let body = "client_id=x&device_name=%3Cscript%3Ealert(1)%3C/script%3E";
    let codes = form(&world, "/v1/oauth/device", body).await.is(200);
    let code = text(&codes["user_code"]);
    let page = format!("/device?code={code}");
    let mut browser = Browser::default();
    let html = browser.get(&world, &page).await;
    assert!(html.body.as_str().unwrap().contains(&format!("tidings sessions approve {code}")));
    let mut body = world.login(&ana, json!({})).await;
    body["cookie"] = json!(true);
    browser.send(&world, Method::POST, "/v1/sessions", Some(body)).await.is(201);
    let html = browser.get(&world, "/device").await.is(200);
    assert!(html.as_str().unwrap().contains("<input name=\"code\""));
    let html = browser.get(&world, "/device?code=WRONGCOD").await;
    assert_eq!(html.status, 404);
    let html = browser.get(&world, &page).await;
    let text = html.body.as_str().unwrap();
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script"), "{text}");
    assert_eq!(html.headers["x-frame-options"], "DENY");
    // Looking at it says nothing yet.
    is(&poll(&world, &codes).await, "authorization_pending");
    // A page of somebody else's cannot say yes.
    let mut foreign = request("", Method::POST, "/device", None);
    *foreign.body_mut() = format!("code={code}&answer=approve").into();
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    foreign.headers_mut().insert(header::CONTENT_TYPE, kind);
    let cookie = format!("{}={}", browser.0[0].0, browser.0[0].1).parse().unwrap();
    foreign.headers_mut().insert(header::COOKIE, cookie);
    foreign.headers_mut().insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    world.send(foreign).await.refused(403, "forbidden");

    let mut yes = request("", Method::POST, "/device", None);
    *yes.body_mut() = format!("code={code}&answer=approve").into();
    yes.headers_mut()
        .insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    let cookie = format!("{}={}", browser.0[0].0, browser.0[0].1).parse().unwrap();
    yes.headers_mut().insert(header::COOKIE, cookie);
    yes.headers_mut().insert(header::ORIGIN, crate::world::ORIGIN.parse().unwrap());
    let done = world.send(yes).await.is(200);
    assert!(done.as_str().unwrap().contains("The terminal is logged in"));
    world.wait(5);
    poll(&world, &codes).await.is(200);
}
