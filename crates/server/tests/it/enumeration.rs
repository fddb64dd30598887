//! Nobody learns from an answer whether something exists.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::world::{Answer, World, nowhere};

/// Everything that an answer says: status, headers but the trace id, and the problem but the
/// trace id and the time.
fn seen(answer: Answer) -> (u16, HeaderMap, Value) {
    let Answer { status, mut headers, mut body } = answer;
    headers.remove("x-trace-id");
    body["trace_id"] = Value::Null;
    (status.as_u16(), headers, body)
}

#[tokio::test]
async fn known_and_unknown_answer_alike() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let (other, _) = world.community(&ana, "other").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let eve = world.member(&ana, &other, "eve").await;
    let body = json!({"name": "secret", "visibility": "private"});
    let private = world.channel(&ana, &other, body).await;
    let message = world.say(&ana, &private, "psst").await["id"].as_str().unwrap().to_owned();
    let nothing = nowhere().to_string();

    // What `bo` may not know, and what is not there.
    for (method, known, unknown) in [
        (Method::GET, format!("/v1/communities/{other}"), format!("/v1/communities/{nothing}")),
        (
            Method::GET,
            format!("/v1/communities/{other}/members"),
            format!("/v1/communities/{nothing}/members"),
        ),
        (Method::GET, format!("/v1/channels/{private}"), format!("/v1/channels/{nothing}")),
        (Method::DELETE, format!("/v1/channels/{private}"), format!("/v1/channels/{nothing}")),
        (
            Method::GET,
            format!("/v1/channels/{private}/messages"),
            format!("/v1/channels/{nothing}/messages"),
        ),
        (Method::GET, format!("/v1/channels/{private}/log"), format!("/v1/channels/{nothing}/log")),
        (Method::GET, format!("/v1/messages/{message}"), format!("/v1/messages/{nothing}")),
        (Method::DELETE, format!("/v1/messages/{message}"), format!("/v1/messages/{nothing}")),
        (Method::GET, format!("/v1/users/{}", eve.id), format!("/v1/users/{nothing}")),
        (
            Method::GET,
            "/v1/users?handle=eve@localhost:8420".to_owned(),
            "/v1/users?handle=nobody@localhost:8420".to_owned(),
        ),
        (
            Method::GET,
            format!("/v1/search?q=x&channel={private}"),
            format!("/v1/search?q=x&channel={nothing}"),
        ),
    ] {
        let known = seen(world.call(&bo.token, method.clone(), &known, None).await);
        let unknown = seen(world.call(&bo.token, method, &unknown, None).await);
        assert_eq!(known.0, 404);
        assert_eq!(known, unknown);
    }

    let known = world
        .post("", "/v1/auth/challenge", json!({"identity": ana.identity.public().to_string()}))
        .await;
    let stranger = world.person("x").identity.public().to_string();
    let unknown = world.post("", "/v1/auth/challenge", json!({"identity": stranger})).await;
    assert_eq!(known.status, unknown.status);
    let shape = |answer: &Answer| {
        let challenge = answer.body["challenge"].as_str().unwrap().len();
        (challenge, answer.body["expires_at"].clone(), answer.body.as_object().unwrap().len())
    };
    assert_eq!(shape(&known), shape(&unknown));
}
