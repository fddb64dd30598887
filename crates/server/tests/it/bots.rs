use serde_json::{Value, json};

use crate::world::{World, text};

/// A bot in a community, and its token.
pub(crate) async fn bot(
    world: &World,
    admin: &str,
    community: &str,
    scopes: Value,
) -> (String, String) {
    let path = format!("/v1/communities/{community}/bots");
    let bot = world.post(admin, &path, json!({"name": "deploy", "scopes": scopes})).await.is(201);
    let id = text(&bot["id"]);
    let made = world.post(admin, &format!("/v1/bots/{id}/tokens"), json!({"name": "t"})).await;
    (id, text(&made.is(201)["token"]))
}

#[tokio::test]
async fn a_bot_takes_part_as_far_as_its_scopes_go() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let scopes = json!(["messages:write", "channels:read"]);
    let (id, token) = bot(&world, &ana.token, &acme, scopes).await;
    assert!(token.starts_with("tdg_pat_") && token.len() == 51);
    let me = world.get(&token, "/v1/me").await.is(200);
    assert_eq!((&me["id"], &me["username"]), (&json!(id), &json!("deploy")));
    let channels = world.get(&token, "/v1/channels").await.is(200);
    assert_eq!(channels["items"][0]["id"], general, "it joined #general");
    let path = format!("/v1/channels/{general}/messages");
    let body = json!({"client_id": "1", "body": "built"});
    let said = world.post(&token, &path, body).await.is(201);
    assert_eq!((&said["author"]["id"], &said["author"]["bot"]), (&json!(id), &json!(true)));
    let refused = world.get(&token, &path).await.refused(403, "forbidden");
    assert!(text(&refused["detail"]).contains("messages:read"), "{refused}");
    // What is not there and what may not be seen are the same to it.
    let nowhere = format!("/v1/channels/{}/messages", crate::world::nowhere());
    let same = world.get(&token, &nowhere).await.refused(403, "forbidden");
    assert_eq!(same["detail"], refused["detail"]);
    let list = world.get(&ana.token, &format!("/v1/communities/{acme}/bots")).await.is(200);
    assert_eq!(list["items"][0]["scopes"], json!(["messages:write", "channels:read"]));
    let members = world.get(&ana.token, &format!("/v1/communities/{acme}/members")).await.is(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deleted_bot_is_gone_at_once_and_what_it_said_stays() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let (id, token) = bot(&world, &ana.token, &acme, json!(["messages:write"])).await;
    let path = format!("/v1/channels/{general}/messages");
    world.post(&token, &path, json!({"client_id": "1", "body": "built"})).await.is(201);
    let caller = world.app.sessions().authenticate(&token).await.unwrap();
    world.delete(&ana.token, &format!("/v1/bots/{id}")).await.is(204);
    assert!(caller.ended().is_cancelled(), "its connections close");
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
    assert_eq!(world.log(&ana, &general).await.last().unwrap(), "member.left");
    let said = world.get(&ana.token, &path).await.is(200);
    assert_eq!(said["items"][0]["author"]["username"], "deploy");
    world.delete(&ana.token, &format!("/v1/bots/{id}")).await.refused(404, "not_found");
    let tokens = format!("/v1/bots/{id}/tokens");
    world.post(&ana.token, &tokens, json!({"name": "t"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_bot_that_was_removed_may_still_be_deleted() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let (id, token) = bot(&world, &ana.token, &acme, json!(["channels:read"])).await;
    world.delete(&ana.token, &format!("/v1/communities/{acme}/members/{id}")).await.is(204);
    let channels = world.get(&token, "/v1/channels").await.is(200);
    assert_eq!(channels["items"], json!([]));
    world.delete(&ana.token, &format!("/v1/bots/{id}")).await.is(204);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn tokens_are_shown_once_expire_and_are_revoked() {
    let world = World::new().await;
    let ana = world.owner().await;
    let ask = json!({"name": "ci", "scopes": ["messages:read"], "expires_in_s": 60});
    let made = world.post(&ana.token, "/v1/tokens", ask).await.is(201);
    let token = text(&made["token"]);
    world.get(&token, "/v1/search?q=x").await.is(200);
    world.get(&token, "/v1/channels").await.refused(403, "forbidden");
    let list = world.get(&ana.token, "/v1/tokens").await.is(200);
    assert!(!list.to_string().contains(&token));
    assert!(list["items"][0]["last_used_at"].is_string());
    world.wait(60);
    world.get(&token, "/v1/search?q=x").await.refused(401, "unauthorized");
    assert_eq!(world.get(&ana.token, "/v1/tokens").await.is(200)["items"], json!([]));

    let ask = json!({"name": "ci", "scopes": ["messages:read"]});
    let made = world.post(&ana.token, "/v1/tokens", ask).await.is(201);
    let (id, token) = (text(&made["id"]), text(&made["token"]));
    world.wait(400 * 24 * 3600);
    world.get(&token, "/v1/me").await.is(200);
    let login = world.login(&ana, json!({})).await;
    let session = world.post("", "/v1/sessions", login).await.is(201);
    let session = text(&session["session"]["token"]);
    world.delete(&session, &format!("/v1/tokens/{id}")).await.is(204);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
    world.delete(&session, &format!("/v1/tokens/{id}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_request_for_a_token_is_refused_when_it_is_wrong() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    for (bad, field) in [
        (json!({"name": "", "scopes": ["messages:read"]}), "name"),
        (json!({"name": "x".repeat(65), "scopes": ["messages:read"]}), "name"),
        (json!({"name": "x"}), "scopes"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["messages:eat"]}), "scopes"),
        (json!({"name": "x", "scopes": ["messages:read"], "expires_in_s": 0}), "expires_in_s"),
    ] {
        let refused = world.post(&ana.token, "/v1/tokens", bad).await.refused(422, "unprocessable");
        assert_eq!(refused["errors"][0]["field"], field);
    }
    // Whoever may send without limits is for the server's owner to say.
    let admin = json!({"name": "x", "scopes": ["admin"]});
    world.post(&bo.token, "/v1/tokens", admin.clone()).await.refused(403, "forbidden");
    world.post(&ana.token, "/v1/tokens", admin).await.is(201);
    let (id, token) = bot(&world, &ana.token, &acme, json!(["messages:read"])).await;
    let more = json!({"name": "x", "scopes": ["messages:write"]});
    let path = format!("/v1/bots/{id}/tokens");
    world.post(&ana.token, &path, more.clone()).await.refused(422, "unprocessable");
    // A token makes no tokens.
    world.post(&token, "/v1/tokens", more).await.refused(403, "forbidden");
    let bots = format!("/v1/communities/{acme}/bots");
    let same = json!({"name": "bo", "scopes": ["messages:read"]});
    world.post(&ana.token, &bots, same).await.refused(409, "conflict");
}

#[tokio::test]
async fn a_repeat_of_the_request_does_not_show_the_secret_again() {
    let world = World::new().await;
    let ana = world.owner().await;
    let ask = || {
        let body = json!({"name": "ci", "scopes": ["messages:read"]});
        let mut request =
            crate::world::request(&ana.token, http::Method::POST, "/v1/tokens", Some(body));
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        request
    };
    world.send(ask()).await.is(201);
    world.send(ask()).await.refused(409, "conflict");
    let list = world.get(&ana.token, "/v1/tokens").await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_tokens_with_admin_send_without_limits() {
    let world = World::with(|settings| settings.limits.sends_per_channel = 3).await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let path = format!("/v1/channels/{general}/messages");
    let token = async |scopes: Value| {
        let ask = json!({"name": "ci", "scopes": scopes});
        text(&world.post(&ana.token, "/v1/tokens", ask).await.is(201)["token"])
    };
    let free = token(json!(["admin"])).await;
    for n in 0..10 {
        let body = json!({"client_id": format!("free {n}"), "body": "x"});
        world.post(&free, &path, body).await.is(201);
    }
    let plain = token(json!(["messages:write"])).await;
    for n in 0..3 {
        let body = json!({"client_id": format!("plain {n}"), "body": "x"});
        world.post(&plain, &path, body).await.is(201);
    }
    let body = json!({"client_id": "one more", "body": "x"});
    world.post(&plain, &path, body).await.refused(429, "rate_limited");
}
