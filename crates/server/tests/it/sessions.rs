use http::{Method, header};
use serde_json::{Value, json};

use crate::world::{ORIGIN, World, request, text};

#[tokio::test]
async fn a_device_logs_in_and_out() {
    let world = World::new().await;
    let ana = world.owner().await;
    let login = world.login(&ana, json!({})).await;
    let answer = world.post("", "/v1/sessions", login.clone()).await.is(201);
    let token = text(&answer["session"]["token"]);
    assert_ne!(token, ana.token);
    world.post("", "/v1/sessions", login).await.refused(401, "unauthorized");
    let list = world.get(&token, "/v1/sessions").await.is(200);
    let current: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|s| s["current"].clone()).collect();
    assert_eq!(current.len(), 2);
    assert_eq!(current.iter().filter(|current| **current == json!(true)).count(), 1);
    world.delete(&token, "/v1/sessions/current").await.is(204);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
    world.get(&ana.token, "/v1/me").await.is(200);
}

#[tokio::test]
async fn every_refused_login_is_the_same() {
    let world = World::new().await;
    let ana = world.owner().await;
    let stranger = world.person("eve");
    let mut answers = Vec::new();
    let spoiled = [
        json!({"origin": "https://evil.example.org"}),
        json!({"identity": stranger.identity.public().to_string()}),
        json!({"identity": "nonsense"}),
        json!({"device_id": crate::world::nowhere()}),
        json!({"challenge": "AAAA"}),
        json!({"signature": "AAAA"}),
    ];
    for more in spoiled {
        let login = world.login(&ana, more).await;
        answers.push(world.post("", "/v1/sessions", login).await.refused(401, "unauthorized"));
    }
    let unknown = world.login(&stranger, json!({})).await;
    answers.push(world.post("", "/v1/sessions", unknown).await.refused(401, "unauthorized"));
    for answer in &mut answers {
        answer["trace_id"] = Value::Null;
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn one_ends_only_ones_own_sessions() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (community, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &community, "bo").await;
    let mine = world.get(&ana.token, "/v1/sessions").await.is(200);
    let path = format!("/v1/sessions/{}", text(&mine["items"][0]["id"]));
    world.delete(&bo.token, &path).await.refused(404, "not_found");
    let caller = world.app.sessions().authenticate(&ana.token).await.unwrap();
    world.delete(&ana.token, &path).await.is(204);
    assert!(caller.ended().is_cancelled());
    world.get(&ana.token, "/v1/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn sessions_roll_while_they_are_used_and_end_after_thirty_days() {
    let world = World::new().await;
    let ana = world.owner().await;
    let day = 24 * 3600;
    for _ in 0..3 {
        world.wait(29 * day);
        world.get(&ana.token, "/v1/me").await.is(200);
    }
    world.wait(30 * day);
    world.get(&ana.token, "/v1/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn browsers_get_a_cookie_that_works_only_from_our_own_pages() {
    let world = World::new().await;
    let ana = world.owner().await;
    let login = world.login(&ana, json!({"cookie": true})).await;
    let mut foreign = request("", Method::POST, "/v1/sessions", Some(login.clone()));
    foreign.headers_mut().insert(header::ORIGIN, "http://evil.example.org".parse().unwrap());
    world.send(foreign).await.refused(403, "forbidden");
    let answer = world.post("", "/v1/sessions", login).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(answer.is(201)["session"].get("token"), None);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();

    let with = |method: Method, origin: Option<&str>| {
        let body = (method == Method::PATCH).then(|| json!({"status": "here"}));
        let mut request = request("", method, "/v1/me", body);
        request.headers_mut().insert(header::COOKIE, pair.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        }
        request
    };
    world.send(with(Method::GET, None)).await.is(200);
    world.send(with(Method::PATCH, None)).await.refused(403, "forbidden");
    let foreign = with(Method::PATCH, Some("http://evil.example.org"));
    world.send(foreign).await.refused(403, "forbidden");
    assert_eq!(world.send(with(Method::GET, None)).await.is(200)["status"], "");
    assert_eq!(world.send(with(Method::PATCH, Some(ORIGIN))).await.is(200)["status"], "here");
}

#[tokio::test]
async fn tokens_are_kept_as_hashes_only() {
    let world = World::new().await;
    let ana = world.owner().await;
    let hash = tidings_server::auth::token::hash(&ana.token);
    let (session, _) = world.app.store().session_by_token(&hash).await.unwrap().unwrap();
    assert!(!format!("{session:?}").contains(&ana.token));
}
