use serde_json::{Value, json};
use tidings_identity::sigchain::{Op, Revoked};

use crate::world::{ORIGIN, SETUP, World, nowhere, text};

#[tokio::test]
async fn first_account_needs_the_setup_code_and_owns_the_server() {
    let world = World::new().await;
    let ana = world.person("ana");
    assert_eq!(world.get("", "/.well-known/tidings").await.is(200)["registration"], "setup");
    let body = world.registration(&ana, json!({})).await;
    world.post("", "/v1/accounts", body).await.refused(409, "setup_required");
    let body = world.registration(&ana, json!({"setup_code": "wrong"})).await;
    world.post("", "/v1/accounts", body).await.refused(403, "forbidden");
    assert!(!*world.app.set_up().borrow());

    let body = world.registration(&ana, json!({"setup_code": SETUP})).await;
    let answer = world.post("", "/v1/accounts", body).await.is(201);
    assert_eq!(answer["user"]["server_role"], "owner");
    assert_eq!(answer["device"]["name"], "laptop");
    assert_eq!(text(&answer["session"]["token"]).len(), 43);
    assert!(*world.app.set_up().borrow());
    assert_eq!(world.get("", "/.well-known/tidings").await.is(200)["registration"], "invite");

    // The code is spent with it.
    let bo = world.person("bo");
    let body = world.registration(&bo, json!({"setup_code": SETUP})).await;
    world.post("", "/v1/accounts", body).await.refused(403, "invite_required");
}

#[tokio::test]
async fn a_challenge_works_once_and_for_five_minutes() {
    let world = World::new().await;
    let ana = world.person("ana");
    let late = world.registration(&ana, json!({"setup_code": SETUP})).await;
    world.wait(300);
    world.post("", "/v1/accounts", late).await.refused(401, "unauthorized");
    let mut body = world.registration(&ana, json!({"setup_code": SETUP})).await;
    world.post("", "/v1/accounts", body.clone()).await.is(201);
    body["invite"] = json!("whatever");
    world.post("", "/v1/accounts", body).await.refused(403, "forbidden");
}

#[tokio::test]
async fn proofs_that_do_not_hold_are_refused_alike() {
    let world = World::new().await;
    let (ana, eve) = (world.person("ana"), world.person("eve"));
    let other_challenge = world.challenge(&eve).await;
    let other = world.registration(&eve, json!({})).await;
    let mut answers = Vec::new();
    for spoiled in [
        json!({"origin": "http://evil.example.org"}),
        json!({"origin": "http://localhost:8421"}),
        json!({"challenge": other_challenge}),
        json!({"challenge": ""}),
        json!({"signature": other["signature"]}),
        json!({"signature": "short"}),
        json!({"username": "eve"}),
    ] {
        let mut more = spoiled;
        more["setup_code"] = json!(SETUP);
        let body = world.registration(&ana, more).await;
        let mut problem = world.post("", "/v1/accounts", body).await.refused(401, "unauthorized");
        problem["trace_id"] = Value::Null;
        answers.push(problem);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn names_and_identities_are_taken_once() {
    let world = World::with(|settings| {
        settings.registration = tidings_server::Registration::Open;
    })
    .await;
    let mut ana = world.owner().await;
    let mut bo = world.person("ana");
    let body = world.registration(&bo, json!({})).await;
    let problem = world.post("", "/v1/accounts", body).await.refused(409, "conflict");
    assert_eq!(problem["errors"][0]["field"], "username");
    bo.name = "Bo".to_owned();
    let body = world.registration(&bo, json!({})).await;
    world.post("", "/v1/accounts", body).await.refused(422, "unprocessable");
    ana.name = "other".to_owned();
    let body = world.registration(&ana, json!({})).await;
    let problem = world.post("", "/v1/accounts", body).await.refused(409, "conflict");
    assert_eq!(problem["errors"][0]["field"], "identity");
}

#[tokio::test]
async fn the_chain_must_be_valid_and_certify_the_device() {
    let world = World::new().await;
    let (ana, eve) = (world.person("ana"), world.person("eve"));
    let theirs: Value = serde_json::from_str(eve.first.as_json()).unwrap();
    for (spoiled, field) in [
        (json!({"chain": []}), "chain"),
        (json!({"chain": [theirs]}), "chain"),
        (json!({"chain": [{"kez": "x"}]}), "chain"),
        (json!({"device": {"id": nowhere(), "name": "laptop", "platform": "linux"}}), "device.id"),
        (json!({"device": {"id": nowhere(), "name": "", "platform": "linux"}}), "device.name"),
    ] {
        let mut more = spoiled;
        more["setup_code"] = json!(SETUP);
        let body = world.registration(&ana, more).await;
        let problem = world.post("", "/v1/accounts", body).await.refused(422, "unprocessable");
        assert_eq!(problem["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn an_invite_is_accepted_by_registering() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (community, general) = world.community(&ana, "acme").await;
    let code = world.invite(&ana, &community, json!({"max_uses": 1})).await;
    let bo = world.register("bo", json!({"invite": code})).await;
    let mine = world.get(&bo.token, "/v1/communities").await.is(200);
    assert_eq!(mine["items"][0]["id"], community.as_str());
    let channel = world.get(&bo.token, &format!("/v1/channels/{general}")).await.is(200);
    assert_eq!((channel["joined"].clone(), channel["unread"].clone()), (json!(true), json!(0)));

    let eve = world.person("eve");
    for code in [code.as_str(), "wrong"] {
        let body = world.registration(&eve, json!({"invite": code})).await;
        world.post("", "/v1/accounts", body).await.refused(403, "forbidden");
    }
}

/// `data` of every `identity.changed` in a log.
async fn changed(world: &World, log: &str) -> Vec<Value> {
    let after = tidings_domain::Seq(0);
    let entries = world.app.store().entries(log.parse().unwrap(), after, 100).await.unwrap();
    let changed = entries.iter().filter(|entry| entry.kind == "identity.changed");
    changed.map(|entry| serde_json::from_slice(&entry.data.as_ref().unwrap().0).unwrap()).collect()
}

#[tokio::test]
async fn a_reset_code_gives_the_account_a_new_identity_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (community, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &community, "bo").await;
    let dm =
        text(&world.post(&ana.token, "/v1/dms", json!({"users": [bo.id]})).await.is(201)["id"]);
    // Somebody who has been here knows the old identity.
    world.get(&ana.token, &format!("/v1/users/{}", bo.id)).await.is(200);
    let path = format!("/v1/admin/users/{}/reset", bo.id);
    world.post(&bo.token, &path, json!({})).await.refused(403, "forbidden");
    let code = text(&world.post(&ana.token, &path, json!({})).await.is(201)["code"]);

    // Good for this account only.
    let eve = world.person("ana");
    let body = world.registration(&eve, json!({"invite": code})).await;
    world.post("", "/v1/accounts", body).await.refused(403, "forbidden");

    let new = world.register("bo", json!({"invite": code})).await;
    assert_eq!(new.id, bo.id);
    world.get(&bo.token, "/v1/me").await.refused(401, "unauthorized");
    let me = world.get(&new.token, "/v1/me").await.is(200);
    assert_eq!(me["identity"], new.identity.public().to_string());
    let mine = world.get(&new.token, "/v1/communities").await.is(200);
    assert_eq!(mine["items"][0]["id"], community.as_str());

    let previous = bo.identity.public().to_string();
    for (reader, log) in [(&ana, format!("g:{community}")), (&ana, format!("c:{dm}"))] {
        let found = changed(&world, &log).await;
        assert_eq!(found.len(), 1, "{log}");
        let data = &found[0];
        assert_eq!(data["identity"], new.identity.public().to_string());
        assert_eq!(
            (&data["previous"], &data["user"]["username"]),
            (&json!(previous), &json!("bo"))
        );
        assert_ne!(data["identity"], data["previous"]);
        // It is an event for everybody in the room.
        let logs = world.app.store().logs_of(reader.id.parse().unwrap()).await.unwrap();
        assert!(logs.logs.contains(&log.parse().unwrap()));
    }
    assert_eq!(changed(&world, &format!("u:{}", bo.id)).await.len(), 1);
    // Who looks bo up sees the new identity at once.
    let profile = world.get(&ana.token, &format!("/v1/users/{}", bo.id)).await.is(200);
    assert_eq!(profile["identity"], new.identity.public().to_string());

    let again = world.person("bo");
    let body = world.registration(&again, json!({"invite": code})).await;
    world.post("", "/v1/accounts", body).await.refused(403, "forbidden");
    // The old identity opens nothing any more.
    let login = world.login(&bo, json!({})).await;
    world.post("", "/v1/sessions", login).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn chains_grow_by_signature_and_revoked_devices_are_out_at_once() {
    let world = World::new().await;
    let mut ana = world.owner().await;
    let path = format!("/v1/identities/{}/chain", ana.identity.public());
    let page = world.get("", &path).await.is(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["head"]["seq"], 0);

    let second = tidings_identity::key::DeviceSecret::from_seed(&world.app.random());
    let id = tidings_domain::DeviceId(world.app.new_id());
    let device = tidings_identity::sigchain::Device::describe(id, "phone", "android", &second);
    let now = world.app.now();
    let added = ana.chain.sign_next(&ana.identity, &Op::AddDevice(device), now).unwrap();
    let added: Value = serde_json::from_str(added.as_json()).unwrap();
    let head = world.post("", &path, json!({"items": [added]})).await.is(200);
    assert_eq!(head["seq"], 1);
    let problem = world.post("", &path, json!({"items": [added]})).await.refused(409, "conflict");
    assert_eq!(problem["head"], head);

    let path_of_devices = format!("/v1/users/{}/devices", ana.id);
    let devices = world.get(&ana.token, &path_of_devices).await.is(200);
    assert_eq!(devices["items"].as_array().unwrap().len(), 2);

    let caller = world.app.sessions().authenticate(&ana.token).await.unwrap();
    let revoke = Op::Revoke(Revoked::Device(ana.device_id));
    let revoked = ana.chain.sign_next(&ana.identity, &revoke, now).unwrap();
    let revoked: Value = serde_json::from_str(revoked.as_json()).unwrap();
    world.post("", &path, json!({"items": [revoked]})).await.is(200);
    world.get(&ana.token, "/v1/me").await.refused(401, "unauthorized");
    assert!(caller.ended().is_cancelled());
    let login = world.login(&ana, json!({})).await;
    world.post("", "/v1/sessions", login).await.refused(401, "unauthorized");

    let page = world.get("", &format!("{path}?after=0&limit=1")).await.is(200);
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (1, &json!("1")));
    let stranger = world.person("x").identity.public();
    world.get("", &format!("/v1/identities/{stranger}/chain")).await.refused(404, "not_found");
    assert_eq!(world.app.settings().public_url, ORIGIN);
}
