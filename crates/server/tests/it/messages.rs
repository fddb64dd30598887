use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn room(world: &World) -> (Person, Person, String, String) {
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    (ana, bo, id, general)
}

#[tokio::test]
async fn a_message_is_stored_once_per_client_id() {
    let world = World::new().await;
    let (ana, bo, _, general) = room(&world).await;
    let path = format!("/v1/channels/{general}/messages");
    let body = json!({"client_id": "one", "body": "hi **there**, @bo `@bo`"});
    let first = world.post(&ana.token, &path, body.clone()).await.is(201);
    assert_eq!(first["body"], format!("hi **there**, @<user:{}> `@bo`", bo.id));
    assert!(text(&first["body_html"]).contains("<strong>there</strong>"));
    assert_eq!(first["mentions"], json!([{"type": "user", "id": bo.id}]));
    assert_eq!(first["author"]["username"], "ana");
    let log = world.log(&ana, &general).await;
    let again = world.post(&ana.token, &path, body.clone()).await.is(200);
    assert_eq!((&again["id"], &again["seq"]), (&first["id"], &first["seq"]));
    assert_eq!(world.log(&ana, &general).await, log);
    let other = json!({"client_id": "one", "body": "something else"});
    world.post(&ana.token, &path, other).await.refused(422, "idempotency_mismatch");
    // Somebody else's `one` is another message.
    world.post(&bo.token, &path, body.clone()).await.is(201);
    // The key outlives edit and erasure.
    let id = format!("/v1/messages/{}", text(&first["id"]));
    world.patch(&ana.token, &id, json!({"body": "edited"})).await.is(200);
    world.delete(&ana.token, &id).await.is(204);
    let again = world.post(&ana.token, &path, body).await.is(200);
    assert_eq!((&again["id"], &again["deleted"]), (&first["id"], &json!(true)));
}

#[tokio::test]
async fn what_is_too_long_or_empty_names_the_field() {
    let world = World::new().await;
    let (ana, _, _, general) = room(&world).await;
    let path = format!("/v1/channels/{general}/messages");
    for (bad, field) in [
        (json!({"client_id": "a", "body": "x".repeat(16_001)}), "body"),
        (json!({"client_id": "a", "body": ""}), "body"),
        (json!({"client_id": "", "body": "x"}), "client_id"),
        (json!({"client_id": "a", "body": "x", "broadcast": true}), "broadcast"),
        (json!({"client_id": "a", "body": "x", "parent_id": crate::world::nowhere()}), "parent_id"),
    ] {
        let problem = world.post(&ana.token, &path, bad).await.refused(422, "unprocessable");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let longest = json!({"client_id": "a", "body": "é".repeat(16_000)});
    world.post(&ana.token, &path, longest).await.is(201);
}

#[tokio::test]
async fn posting_in_a_public_channel_joins_it() {
    let world = World::new().await;
    let (ana, bo, id, _) = room(&world).await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    world.say(&bo, &ops, "hello").await;
    world.say(&bo, &ops, "again").await;
    let log = world.log(&ana, &ops).await;
    assert_eq!(
        log,
        ["channel.created", "member.joined", "member.joined", "message.created", "message.created"]
    );
    let view = world.get(&bo.token, &format!("/v1/channels/{ops}")).await.is(200);
    assert_eq!((&view["joined"], &view["unread"]), (&json!(true), &json!(0)));
    let private = world.channel(&ana, &id, json!({"name": "x", "visibility": "private"})).await;
    let path = format!("/v1/channels/{private}/messages");
    let body = json!({"client_id": "x", "body": "x"});
    world.post(&bo.token, &path, body).await.refused(404, "not_found");
}

#[tokio::test]
async fn threads_are_one_deep() {
    let world = World::new().await;
    let (ana, bo, _, general) = room(&world).await;
    let root = text(&world.say(&ana, &general, "root").await["id"]);
    let path = format!("/v1/channels/{general}/messages");
    let reply = json!({"client_id": "r1", "body": "reply", "parent_id": root});
    let reply = world.post(&bo.token, &path, reply).await.is(201);
    let body = json!({"client_id": "r2", "body": "too", "parent_id": root, "broadcast": true});
    world.post(&bo.token, &path, body).await.is(201);
    let deeper = json!({"client_id": "r3", "body": "x", "parent_id": reply["id"]});
    world.post(&bo.token, &path, deeper).await.refused(422, "unprocessable");

    let bodies = |list: Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|m| text(&m["body"])).collect()
    };
    assert_eq!(bodies(world.get(&ana.token, &path).await.is(200)), ["root", "too"]);
    let thread = world.get(&ana.token, &format!("{path}?thread={root}")).await.is(200);
    assert_eq!(bodies(thread), ["reply", "too"]);
    let root = world.get(&ana.token, &format!("/v1/messages/{root}")).await.is(200);
    assert_eq!(root["reply_count"], 2);
    let wrong = format!("{path}?thread={}", crate::world::nowhere());
    world.get(&ana.token, &wrong).await.refused(404, "not_found");
}

#[tokio::test]
async fn edits_keep_their_history_until_deletion_erases_it() {
    let world = World::new().await;
    let (ana, bo, _, general) = room(&world).await;
    let said = world.say(&bo, &general, "frist").await;
    let path = format!("/v1/messages/{}", text(&said["id"]));
    world.patch(&ana.token, &path, json!({"body": "x"})).await.refused(403, "forbidden");
    world.patch(&bo.token, &path, json!({"body": ""})).await.refused(422, "unprocessable");
    let edited = world.patch(&bo.token, &path, json!({"body": "first"})).await.is(200);
    assert_eq!((&edited["body"], &edited["seq"]), (&json!("first"), &said["seq"]));
    assert!(edited["edited_at"].is_string());
    let history = world.get(&ana.token, &format!("{path}/history")).await.is(200);
    let bodies: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|v| text(&v["body"])).collect();
    assert_eq!(bodies, ["frist", "first"]);

    world.delete(&ana.token, &path).await.is(204);
    world.delete(&ana.token, &path).await.is(204);
    let gone = world.get(&bo.token, &path).await.is(200);
    assert_eq!((&gone["deleted"], &gone["body"]), (&json!(true), &json!("")));
    assert_eq!(gone["author"]["username"], "bo");
    let history = world.get(&bo.token, &format!("{path}/history")).await.is(200);
    assert_eq!(history["items"], json!([]));
    world.patch(&bo.token, &path, json!({"body": "x"})).await.refused(410, "gone");
    world.put(&bo.token, &format!("{path}/reactions/👍"), json!({})).await.refused(410, "gone");
    let log = world.get(&ana.token, &format!("/v1/channels/{general}/log")).await.is(200);
    for entry in log["items"].as_array().unwrap() {
        let erased = matches!(entry["type"].as_str(), Some("message.created" | "message.edited"));
        assert_eq!(entry.get("data").is_none(), erased, "{entry}");
        assert_eq!(entry.get("salt").is_none(), erased, "{entry}");
    }
}

#[tokio::test]
async fn reactions_are_idempotent_and_of_at_most_fifty_kinds() {
    let world = World::new().await;
    let (ana, bo, _, general) = room(&world).await;
    let said = world.say(&ana, &general, "react").await;
    let path = format!("/v1/messages/{}", text(&said["id"]));
    let thumb = format!("{path}/reactions/%F0%9F%91%8D");
    world.put(&bo.token, &thumb, json!({})).await.is(204);
    let log = world.log(&ana, &general).await;
    world.put(&bo.token, &thumb, json!({})).await.is(204);
    assert_eq!(world.log(&ana, &general).await, log);
    world.put(&ana.token, &thumb, json!({})).await.is(204);
    let message = world.get(&ana.token, &path).await.is(200);
    assert_eq!(message["reactions"], json!([{"emoji": "👍", "count": 2, "me": true}]));
    world.delete(&ana.token, &thumb).await.is(204);
    world.delete(&ana.token, &thumb).await.is(204);
    let message = world.get(&ana.token, &path).await.is(200);
    assert_eq!(message["reactions"], json!([{"emoji": "👍", "count": 1, "me": false}]));

    for n in 0..49 {
        world.put(&ana.token, &format!("{path}/reactions/:e{n}:"), json!({})).await.is(204);
    }
    let more = format!("{path}/reactions/:more:");
    world.put(&ana.token, &more, json!({})).await.refused(422, "unprocessable");
    world
        .put(&ana.token, &format!("{path}/reactions/x"), json!({}))
        .await
        .refused(422, "unprocessable");
}

#[tokio::test]
async fn pages_go_both_ways_and_around() {
    let world = World::new().await;
    let (ana, _, _, general) = room(&world).await;
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(world.say(&ana, &general, &format!("m{n}")).await["seq"].as_u64().unwrap());
    }
    let path = format!("/v1/channels/{general}/messages");
    let page = async |query: String| {
        let page = world.get(&ana.token, &format!("{path}?{query}")).await.is(200);
        let found: Vec<u64> =
            page["items"].as_array().unwrap().iter().map(|m| m["seq"].as_u64().unwrap()).collect();
        (found, page.get("prev").cloned(), page.get("next").cloned())
    };
    let (found, prev, next) = page("limit=3".to_owned()).await;
    assert_eq!((found.as_slice(), next), (&seqs[7..], None));
    let prev = text(&prev.unwrap());
    let (found, _, next) = page(format!("limit=3&before={prev}")).await;
    assert_eq!(found, &seqs[4..7]);
    let (found, ..) = page(format!("limit=3&after={}", text(&next.unwrap()))).await;
    assert_eq!(found, &seqs[7..]);
    let (found, ..) = page(format!("limit=4&around={}", seqs[5])).await;
    assert_eq!(found, &seqs[3..7]);
    let both = format!("{path}?before=1&after=1");
    world.get(&ana.token, &both).await.refused(400, "bad_request");
}

#[tokio::test]
async fn the_log_is_a_chain_that_verifies() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    use tidings_wire::chain;

    let world = World::new().await;
    let (ana, _, _, general) = room(&world).await;
    let first = world.say(&ana, &general, "one").await;
    world.say(&ana, &general, "two").await;
    world.delete(&ana.token, &format!("/v1/messages/{}", text(&first["id"]))).await.is(204);
    let path = format!("/v1/channels/{general}/log?limit=200");
    let log = world.get(&ana.token, &path).await.is(200);
    let hash = |entry: &Value, key: &str| -> [u8; 32] {
        B64.decode(text(&entry[key])).unwrap().try_into().unwrap()
    };
    let mut prev = chain::GENESIS;
    for (at, entry) in log["items"].as_array().unwrap().iter().enumerate() {
        assert_eq!(entry["seq"], json!(at + 1));
        assert_eq!(hash(entry, "prev"), prev);
        let stored = world
            .app
            .store()
            .entries(text(&entry["log"]).parse().unwrap(), tidings_domain::Seq(at as u64), 1)
            .await
            .unwrap();
        let header = tidings_wire::event::Header {
            actor: stored[0].actor,
            community: stored[0].community,
            log: stored[0].log,
            seq: stored[0].seq,
            at: stored[0].at,
            kind: &stored[0].kind,
        };
        let commitment = hash(entry, "commitment");
        prev = chain::entry_hash(&prev, &header.encode(), &commitment);
        assert_eq!(hash(entry, "hash"), prev);
        if let Some(data) = entry.get("data") {
            let data = serde_json::to_vec(data).unwrap();
            assert_eq!(chain::commitment(&hash(entry, "salt"), &data), commitment);
        }
    }
}
