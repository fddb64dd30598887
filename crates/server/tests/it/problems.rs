use axum::body::Body;
use http::{Method, Request, header};
use serde_json::json;

use crate::world::{World, nowhere, request};

#[tokio::test]
async fn everything_that_goes_wrong_is_a_problem_document() {
    let world = World::new().await;
    let ana = world.owner().await;
    world.get("", "/nowhere").await.refused(404, "not_found");
    world.get(&ana.token, "/v1/pins").await.refused(404, "not_found");
    let answer = world.delete(&ana.token, "/v1/me").await;
    assert!(answer.headers[header::ALLOW].to_str().unwrap().contains("PATCH"));
    answer.refused(405, "method_not_allowed");
    let answer = world.get("", "/v1/me").await;
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    answer.refused(401, "unauthorized");
    world.get("wrong", "/v1/me").await.refused(401, "unauthorized");

    let body = |kind: Option<&str>, body: Vec<u8>| {
        let mut request = Request::builder()
            .method(Method::PATCH)
            .uri("/v1/me")
            .header(header::AUTHORIZATION, format!("Bearer {}", ana.token));
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Body::from(body)).unwrap()
    };
    let json_type = Some("application/json; charset=utf-8");
    world.send(body(json_type, b"{".to_vec())).await.refused(400, "bad_request");
    world.send(body(json_type, b"[]".to_vec())).await.refused(400, "bad_request");
    world.send(body(json_type, vec![0xff])).await.refused(400, "bad_request");
    world
        .send(body(Some("text/plain"), b"{}".to_vec()))
        .await
        .refused(415, "unsupported_media_type");
    world.send(body(None, b"{}".to_vec())).await.refused(415, "unsupported_media_type");
    let large = format!("{{\"status\":\"{}\"}}", "x".repeat(1 << 20)).into_bytes();
    world.send(body(json_type, large)).await.refused(413, "too_large");
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000)).into_bytes();
    world.send(body(json_type, deep)).await.refused(400, "bad_request");
    world.send(body(json_type, b"{\"unknown\":1}".to_vec())).await.is(200);

    for bad in ["/v1/channels/1", "/v1/channels/%ff", "/v1/users/x"] {
        world.get(&ana.token, bad).await.refused(404, "not_found");
    }
    let path = format!("/v1/channels/{}/messages?limit=x", nowhere());
    world.get(&ana.token, &path).await.refused(400, "bad_request");
    world.get(&ana.token, "/v1/channels?limit=0").await.refused(422, "unprocessable");
    world.get(&ana.token, "/v1/channels?limit=201").await.refused(422, "unprocessable");
    world.get(&ana.token, "/v1/search").await.refused(400, "bad_request");
}

#[tokio::test]
async fn trace_ids_are_taken_over_and_answers_are_never_pages() {
    let world = World::new().await;
    let mut traced = request("", Method::GET, "/healthz", None);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    traced.headers_mut().insert("traceparent", parent.parse().unwrap());
    let answer = world.send(traced).await;
    assert_eq!(answer.headers["x-trace-id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert!(answer.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    let other = world.get("", "/healthz").await;
    assert_eq!(other.headers["x-trace-id"].len(), 32);
    assert_eq!(world.get("", "/readyz").await.is(200)["ready"], true);
    world.get("", "/metrics").await.refused(404, "not_found");
}

#[tokio::test]
async fn one_changes_ones_own_account() {
    let world = World::new().await;
    let ana = world.owner().await;
    let body = json!({"display_name": " Ana B. ", "discoverable": true});
    let me = world.patch(&ana.token, "/v1/me", body).await.is(200);
    assert_eq!((me["display_name"].as_str(), &me["discoverable"]), (Some("Ana B."), &json!(true)));
    assert_eq!(world.get(&ana.token, "/v1/me").await.is(200), me);
    for bad in [json!({"display_name": ""}), json!({"status": "x".repeat(141)})] {
        world.patch(&ana.token, "/v1/me", bad).await.refused(422, "unprocessable");
    }
    let profile = world.get(&ana.token, "/v1/users?handle=@Ana@localhost:8420").await.is(200);
    assert_eq!(profile["id"], ana.id.as_str());
    world.get(&ana.token, "/v1/users?handle=ana@else.where").await.refused(404, "not_found");
}
