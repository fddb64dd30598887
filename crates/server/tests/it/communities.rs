use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_community_begins_with_general_and_an_owner() {
    let world = World::new().await;
    let ana = world.owner().await;
    let body = json!({"name": "Acme, Inc.", "slug": "acme"});
    let made = world.post(&ana.token, "/v1/communities", body.clone()).await.is(201);
    assert_eq!((made["my_role"].as_str(), made["slug"].as_str()), (Some("owner"), Some("acme")));
    let id = made["id"].as_str().unwrap();
    let channels = world.get(&ana.token, &format!("/v1/communities/{id}/channels")).await.is(200);
    let general = &channels["items"][0];
    assert_eq!(general["name"], "general");
    assert_eq!(general["conv_home"], world.app.gateway_id().to_string());
    assert_eq!((&general["joined"], &general["member_count"]), (&json!(true), &json!(1)));
    let log = world.log(&ana, general["id"].as_str().unwrap()).await;
    assert_eq!(log, ["channel.created", "member.joined"]);

    let problem = world.post(&ana.token, "/v1/communities", body).await.refused(409, "conflict");
    assert_eq!(problem["errors"][0]["field"], "slug");
    for bad in [json!({"name": "", "slug": "x"}), json!({"name": "x", "slug": "No Slug"})] {
        world.post(&ana.token, "/v1/communities", bad).await.refused(422, "unprocessable");
    }
    let path = format!("/v1/communities/{id}");
    let changed = world.patch(&ana.token, &path, json!({"name": "Acme"})).await.is(200);
    assert_eq!((changed["name"].as_str(), changed["slug"].as_str()), (Some("Acme"), Some("acme")));
    assert_eq!(world.get(&ana.token, &path).await.is(200), changed);
}

#[tokio::test]
async fn the_last_owner_cannot_leave_or_be_demoted() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let mine = format!("/v1/communities/{id}/members/{}", ana.id);
    let theirs = format!("/v1/communities/{id}/members/{}", bo.id);
    world.delete(&ana.token, &mine).await.refused(409, "conflict");
    world.patch(&ana.token, &mine, json!({"role": "member"})).await.refused(409, "conflict");
    world.patch(&ana.token, &theirs, json!({"role": "king"})).await.refused(422, "unprocessable");
    let member = world.patch(&ana.token, &theirs, json!({"role": "owner"})).await.is(200);
    assert_eq!(member["role"], "owner");
    world.delete(&ana.token, &mine).await.is(204);
    world.get(&ana.token, &format!("/v1/communities/{id}")).await.refused(404, "not_found");
    world.delete(&bo.token, &theirs).await.refused(409, "conflict");
}

#[tokio::test]
async fn who_is_removed_loses_every_channel_at_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let private =
        world.channel(&ana, &id, json!({"name": "secret", "visibility": "private"})).await;
    let path = format!("/v1/channels/{private}/members");
    world.post(&ana.token, &path, json!({"user_id": bo.id})).await.is(201);
    world.say(&bo, &private, "here").await;
    world.delete(&ana.token, &format!("/v1/communities/{id}/members/{}", bo.id)).await.is(204);
    for channel in [&general, &private] {
        let path = format!("/v1/channels/{channel}");
        world.get(&bo.token, &path).await.refused(404, "not_found");
        let message = json!({"client_id": "late", "body": "still here?"});
        let path = format!("{path}/messages");
        world.post(&bo.token, &path, message).await.refused(404, "not_found");
        assert_eq!(world.log(&ana, channel).await.last().unwrap(), "member.left");
    }
    assert_eq!(world.get(&bo.token, "/v1/channels").await.is(200)["items"], json!([]));
}

#[tokio::test]
async fn lists_are_paged_by_id() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let mut ids = vec![ana.id.clone()];
    for n in 0..4 {
        ids.push(world.member(&ana, &id, &format!("m{n}")).await.id);
    }
    ids.sort();
    let mut seen = Vec::new();
    let mut path = format!("/v1/communities/{id}/members?limit=2");
    loop {
        let answer = world.get(&ana.token, &path).await;
        let link = answer.headers.get("link").cloned();
        let page = answer.is(200);
        for member in page["items"].as_array().unwrap() {
            seen.push(member["user"]["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.get("next") else {
            assert!(link.is_none());
            break;
        };
        let link = link.unwrap();
        let link = link.to_str().unwrap();
        assert!(link.contains(next.as_str().unwrap()) && link.ends_with("rel=\"next\""), "{link}");
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!(seen, ids);
}
