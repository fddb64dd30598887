//! Signed tokens, the keys that others check them with, and what is found at fixed places.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use serde_json::{Value, json};

use crate::world::{World, text};

async fn mint(world: &World, token: &str, body: Value) -> String {
    let answer = world.post(token, "/v1/auth/token", body).await.is(200);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(600)));
    text(&answer["access_token"])
}

fn part(token: &str, at: usize) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

async fn kids(world: &World) -> Vec<String> {
    let answer = world.get("", "/.well-known/jwks.json").await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/jwk-set+json");
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let keys = answer.is(200);
    keys["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

#[tokio::test]
async fn a_signed_token_works_as_long_as_its_session() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let token = mint(&world, &ana.token, json!({})).await;
    let (head, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!((&head["alg"], &head["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!(kids(&world).await, [text(&head["kid"])]);
    let origin = json!("http://localhost:8420");
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["sub"]),
        (&origin, &origin, &json!(ana.id))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(world.get(&token, "/v1/me").await.is(200)["id"], ana.id);
    let messages = format!("/v1/channels/{general}/messages");
    world.get(&token, &messages).await.is(200);
    // It is not the session: it makes no others, and ends none.
    world.post(&token, "/v1/auth/token", json!({})).await.refused(403, "forbidden");
    world.post(&token, "/v1/tokens", json!({"name": "x"})).await.refused(403, "forbidden");
    world.delete(&token, "/v1/sessions/current").await.refused(403, "forbidden");
    // Nor does it make the owner of the server what only that person may be.
    world.post(&token, "/v1/admin/imports", json!({})).await.refused(403, "forbidden");

    let narrow = mint(&world, &ana.token, json!({"scopes": ["channels:read"]})).await;
    world.get(&narrow, "/v1/channels").await.is(200);
    world.get(&narrow, &messages).await.refused(403, "forbidden");
    let elsewhere = mint(&world, &ana.token, json!({"audience": "https://files.example"})).await;
    world.get(&elsewhere, "/v1/me").await.refused(401, "unauthorized");

    world.wait(599);
    world.get(&token, "/v1/me").await.is(200);
    world.wait(1);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
    let token = mint(&world, &ana.token, json!({})).await;
    world.get(&token, "/v1/me").await.is(200);
    world.delete(&ana.token, "/v1/sessions/current").await.is(204);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn only_what_may_be_given_is_given() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let ask = async |body| world.post(&bo.token, "/v1/auth/token", body).await;
    ask(json!({"scopes": ["admin"]})).await.refused(403, "forbidden");
    ask(json!({"scopes": ["everything"]})).await.refused(422, "unprocessable");
    ask(json!({"scopes": []})).await.refused(422, "unprocessable");
    ask(json!({"audience": ""})).await.refused(422, "unprocessable");
    ask(json!({"audience": "x".repeat(513)})).await.refused(422, "unprocessable");
    let token = mint(&world, &ana.token, json!({"scopes": ["admin"]})).await;
    world.get(&token, "/v1/channels").await.is(200);
    let made = json!({"name": "ci", "scopes": ["messages:read"]});
    let pat = text(&world.post(&bo.token, "/v1/tokens", made).await.is(201)["token"]);
    world.post(&pat, "/v1/auth/token", json!({})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn keys_change_and_the_old_ones_are_believed_until_their_tokens_end() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let first = kids(&world).await;
    let old = mint(&world, &ana.token, json!({})).await;
    world.post(&bo.token, "/v1/admin/keys/rotate", json!({})).await.refused(403, "forbidden");
    world.post(&ana.token, "/v1/admin/keys/rotate", json!({})).await.is(200);
    let both = kids(&world).await;
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    let new = mint(&world, &ana.token, json!({})).await;
    assert_eq!(part(&new, 0)["kid"], both[1]);
    for token in [&old, &new] {
        world.get(token, "/v1/me").await.is(200);
    }
    world.wait(721);
    assert_eq!(kids(&world).await, [both[1].clone()]);
    // By itself it changes once a month.
    world.wait(30 * 24 * 3600);
    world.app.prune().await.unwrap();
    let later = kids(&world).await;
    assert_eq!((later.len(), &later[0]), (2, &both[1]));
    // Keys lie sealed: neither a seed nor a name of theirs can be read in the store.
    let kept = world.app.store().setting("jwt_keys").await.unwrap().unwrap();
    assert!(!kept.windows(4).any(|part| part == b"seed"));
}

#[tokio::test]
async fn forged_tokens_are_refused_alike() {
    let world = World::new().await;
    let ana = world.owner().await;
    let token = mint(&world, &ana.token, json!({})).await;
    let parts: Vec<&str> = token.split('.').collect();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut claims = part(&token, 1);
    claims["sub"] = json!("0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01");
    let head = json!({"alg": "none", "typ": "at+jwt", "kid": part(&token, 0)["kid"]});
    for forged in [
        format!("{}.{}.{}", parts[0], encode(&claims), parts[2]),
        format!("{}.{}.", encode(&head), parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        "a.b.c".to_owned(),
        "..".to_owned(),
        ".".to_owned(),
    ] {
        world.get(&forged, "/v1/me").await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn the_metadata_names_what_is_there() {
    let world = World::new().await;
    let answer = world.get("", "/.well-known/oauth-authorization-server").await.is(200);
    assert_eq!(answer["issuer"], "http://localhost:8420");
    assert_eq!(answer["response_types_supported"], json!([]));
    for field in ["token_endpoint", "device_authorization_endpoint", "jwks_uri"] {
        let path = text(&answer[field]).replace("http://localhost:8420", "");
        let found = world.get("", &path).await.status;
        assert!(found == 200 || found == 405, "{field}: {found}");
    }
}

#[tokio::test]
async fn only_who_wants_to_be_found_is_found() {
    let world = World::new().await;
    let ana = world.owner().await;
    let at = |resource: &str| format!("/.well-known/webfinger?resource={resource}");
    let hidden = world.get("", &at("acct:ana@localhost:8420")).await;
    let absent = world.get("", &at("acct:nobody@localhost:8420")).await;
    let shape = |mut body: Value| {
        body.as_object_mut().unwrap().remove("trace_id");
        body
    };
    assert_eq!(shape(hidden.refused(404, "not_found")), shape(absent.refused(404, "not_found")));
    world.patch(&ana.token, "/v1/me", json!({"discoverable": true})).await.is(200);
    let answer = world.get("", &at("acct:Ana@LOCALHOST:8420")).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/jrd+json");
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let found = answer.is(200);
    assert_eq!(found["subject"], "acct:ana@localhost:8420");
    let rels = |found: &Value| -> Vec<String> {
        found["links"].as_array().unwrap().iter().map(|link| text(&link["rel"])).collect()
    };
    let chain = rels(&found).into_iter().find(|rel| rel.ends_with("/rel/sigchain")).unwrap();
    let link = found["links"].as_array().unwrap().iter().find(|link| link["rel"] == chain).unwrap();
    let path = text(&link["href"]).replace("http://localhost:8420", "");
    world.get("", &path).await.is(200);
    let one = format!("{}&rel=self", at("acct:ana@localhost:8420"));
    assert_eq!(rels(&world.get("", &one).await.is(200)), ["self"]);
    let two = format!("{one}&rel={chain}&rel=none");
    assert_eq!(rels(&world.get("", &two).await.is(200)), ["self".to_owned(), chain]);
    for (query, status) in [
        ("", 400),
        ("?resource=", 400),
        ("?resource=ana", 400),
        ("?resource=acct:ana@localhost:8420&resource=acct:ana@localhost:8420", 400),
        ("?resource=acct:ana@elsewhere.example", 404),
        ("?resource=acct:ana@localhost", 404),
        ("?resource=acct:ana", 404),
        ("?resource=mailto:ana@localhost:8420", 404),
        ("?resource=https://localhost:8420/ana", 404),
    ] {
        let answer = world.get("", &format!("/.well-known/webfinger{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
    }
}
