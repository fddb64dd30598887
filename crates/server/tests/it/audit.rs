//! The log of administrative acts.

use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn audit(world: &World, who: &Person, community: &str) -> Vec<Value> {
    let path = format!("/v1/communities/{community}/audit?limit=200");
    let list = world.get(&who.token, &path).await.is(200);
    list["items"].as_array().unwrap().clone()
}

fn actions(acts: &[Value]) -> Vec<&str> {
    acts.iter().map(|act| act["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_administrative_act_is_written_down() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let (bo, cy) = (world.member(&ana, &id, "bo").await, world.member(&ana, &id, "cy").await);
    let before = audit(&world, &ana, &id).await.len();
    let community = format!("/v1/communities/{id}");
    let of = |what: &str, who: &Person| format!("{community}/{what}/{}", who.id);
    let message = text(&world.say(&bo, &general, "rude").await["id"]);
    let token = &ana.token;

    world.patch(token, &community, json!({"name": "Acme"})).await.is(200);
    world.patch(token, &of("members", &bo), json!({"role": "admin"})).await.is(200);
    world.patch(token, &of("members", &bo), json!({"nickname": "B"})).await.is(200);
    world.put(token, &of("mutes", &bo), json!({"reason": "loud"})).await.is(204);
    world.delete(token, &of("mutes", &bo)).await.is(204);
    world.delete(token, &format!("/v1/messages/{message}")).await.is(204);
    let channel = world.channel(&ana, &id, json!({"name": "ops"})).await;
    let path = format!("/v1/channels/{channel}");
    world.patch(token, &path, json!({"topic": "t", "retention_s": 60})).await.is(200);
    world.post(token, &format!("{path}/members"), json!({"user_id": cy.id})).await.is(201);
    world.delete(token, &format!("{path}/members/{}", cy.id)).await.is(204);
    world.say(&ana, &channel, "x").await;
    world.post(token, &format!("{path}/purge"), json!({"last": 5})).await.is(200);
    world.delete(token, &path).await.is(204);
    world.patch(token, &path, json!({"archived": false})).await.is(200);
    let code = world.invite(&ana, &id, json!({})).await;
    world.delete(token, &format!("/v1/invites/{code}")).await.is(204);
    world.delete(token, &of("members", &cy)).await.is(204);
    world.put(token, &of("bans", &bo), json!({})).await.is(204);
    world.delete(token, &of("bans", &bo)).await.is(204);

    let mut acts = audit(&world, &ana, &id).await;
    acts.truncate(acts.len() - before);
    acts.reverse();
    assert_eq!(
        actions(&acts),
        [
            "community.update",
            "member.role",
            "member.nickname",
            "member.mute",
            "member.unmute",
            "message.delete",
            "channel.create",
            "channel.update",
            "channel.remove_member",
            "channel.purge",
            "channel.archive",
            "channel.unarchive",
            "invite.create",
            "invite.delete",
            "member.kick",
            "member.ban",
            "member.unban",
        ]
    );
    let mute = &acts[3];
    assert_eq!(
        (&mute["actor"]["username"], &mute["detail"]),
        (&json!("ana"), &json!({"reason": "loud"}))
    );
    assert_eq!(mute["target"], json!({"type": "user", "id": bo.id, "name": "bo"}));
    assert_eq!(acts[7]["detail"], json!({"topic": "t", "retention_s": 60}));
    assert_eq!(acts[9]["detail"], json!({"deleted": 1, "last": 5}));
    // Codes are secrets, and bodies are gone.
    let all = Value::from(acts).to_string();
    assert!(!all.contains(&code) && !all.contains("rude"), "{all}");
}

#[tokio::test]
async fn what_nobody_administered_is_not_written_down() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let before = audit(&world, &ana, &id).await;
    let message = text(&world.say(&bo, &general, "mine").await["id"]);
    world.delete(&bo.token, &format!("/v1/messages/{message}")).await.is(204);
    let mine = format!("/v1/communities/{id}/members/{}", bo.id);
    world.patch(&bo.token, &mine, json!({"nickname": "B"})).await.is(200);
    // Refused acts are none.
    world.put(&bo.token, &format!("/v1/communities/{id}/bans/{}", ana.id), json!({})).await.is(403);
    world.delete(&bo.token, &mine).await.is(204);
    assert_eq!(audit(&world, &ana, &id).await, before);
}

#[tokio::test]
async fn bots_their_tokens_and_webhooks_are_written_down() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let before = audit(&world, &ana, &id).await.len();
    let token = &ana.token;
    let ask = json!({"name": "robo", "scopes": ["messages:read", "messages:write"]});
    let bot = world.post(token, &format!("/v1/communities/{id}/bots"), ask).await.is(201);
    let bot = text(&bot["id"]);
    let ask = json!({"name": "laptop", "scopes": ["messages:read"]});
    let path = format!("/v1/bots/{bot}/tokens");
    let made = world.post(token, &path, ask.clone()).await.is(201);
    world.delete(token, &format!("/v1/tokens/{}", text(&made["id"]))).await.is(204);
    // One's own tokens are one's own affair.
    let own = world.post(token, "/v1/tokens", ask).await.is(201);
    world.delete(token, &format!("/v1/tokens/{}", text(&own["id"]))).await.is(204);
    let path = format!("/v1/channels/{general}/webhooks");
    let hook = world.post(token, &path, json!({"name": "ci"})).await.is(201);
    world.delete(token, &format!("/v1/webhooks/{}", text(&hook["id"]))).await.is(204);
    world.delete(token, &format!("/v1/bots/{bot}")).await.is(204);

    let mut acts = audit(&world, &ana, &id).await;
    acts.truncate(acts.len() - before);
    acts.reverse();
    assert_eq!(
        actions(&acts),
        [
            "bot.create",
            "token.create",
            "token.delete",
            "webhook.create",
            "webhook.delete",
            "bot.delete",
        ]
    );
    assert_eq!(acts[0]["target"], json!({"type": "user", "id": bot, "name": "robo"}));
    assert_eq!(acts[1]["detail"], json!({"name": "laptop", "scopes": ["messages:read"]}));
    assert_eq!(acts[3]["target"]["name"], "ci");
    assert_eq!(acts[3]["detail"], json!({"channel_id": general}));
    // Secrets are shown once, and never here.
    let all = Value::from(acts).to_string();
    let secret = text(&made["token"]);
    let url = text(&hook["url"]);
    let last = url.rsplit('/').next().unwrap();
    assert!(!all.contains(&secret) && !all.contains(last), "{all}");
}

#[tokio::test]
async fn outgoing_webhooks_are_written_down_without_their_secrets() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let before = audit(&world, &ana, &id).await.len();
    let token = &ana.token;
    let ask = json!({"name": "ops", "url": "https://example.org/secret-path"});
    let path = format!("/v1/communities/{id}/webhooks/outgoing");
    let made = world.post(token, &path, ask.clone()).await.is(201);
    let path = format!("/v1/webhooks/outgoing/{}", text(&made["id"]));
    world.patch(token, &path, json!({"name": "ops 2"})).await.is(200);
    let rotated = world.post(token, &format!("{path}/secret"), json!({})).await.is(200);
    world.delete(token, &path).await.is(204);
    let path = format!("/v1/channels/{general}/webhooks/outgoing");
    world.post(token, &path, ask).await.is(201);
    let mut acts = audit(&world, &ana, &id).await;
    acts.truncate(acts.len() - before);
    acts.reverse();
    let expected =
        ["webhook.create", "webhook.update", "webhook.rotate", "webhook.delete", "webhook.create"];
    assert_eq!(actions(&acts), expected);
    assert_eq!(acts[1]["target"], json!({"type": "webhook", "id": made["id"], "name": "ops 2"}));
    assert_eq!(acts[4]["detail"], json!({"channel_id": general, "receiver": "example.org"}));
    let all = Value::from(acts).to_string();
    let secrets = [text(&made["secret"]), text(&rotated["secret"]), "secret-path".to_owned()];
    assert!(secrets.iter().all(|secret| !all.contains(secret)), "{all}");
}

#[tokio::test]
async fn acts_on_private_channels_stay_among_those_who_are_in_them() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let admin = world.member_as(&ana, &id, "admin", "admin").await;
    let before = audit(&world, &admin, &id).await;
    let private = json!({"name": "secret", "visibility": "private"});
    let channel = world.channel(&ana, &id, private).await;
    world
        .patch(&ana.token, &format!("/v1/channels/{channel}"), json!({"topic": "t"}))
        .await
        .is(200);
    assert_eq!(actions(&audit(&world, &ana, &id).await)[..2], ["channel.update", "channel.create"]);
    assert_eq!(audit(&world, &admin, &id).await, before);
}

#[tokio::test]
async fn acts_are_paged_from_the_newest_to_the_oldest() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    for n in 0..5 {
        world.channel(&ana, &id, json!({"name": format!("c{n}")})).await;
    }
    let mut names = Vec::new();
    let mut path = format!("/v1/communities/{id}/audit?limit=2");
    loop {
        let page = world.get(&ana.token, &path).await.is(200);
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|act| text(&act["target"]["name"])));
        let Some(next) = page.get("next") else { break };
        path = format!("/v1/communities/{id}/audit?limit=2&after={}", text(next));
    }
    assert_eq!(names, ["c4", "c3", "c2", "c1", "c0"]);
    let path = format!("/v1/communities/{id}/audit?limit=201");
    world.get(&ana.token, &path).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn the_servers_owner_sees_what_was_done_to_the_server() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    world.post(&ana.token, &format!("/v1/admin/users/{}/reset", bo.id), json!({})).await.is(201);
    let list = world.get(&ana.token, "/v1/admin/audit").await.is(200);
    let act = &list["items"][0];
    assert_eq!((&act["action"], &act["target"]["name"]), (&json!("user.reset"), &json!("bo")));
    world.get(&bo.token, "/v1/admin/audit").await.refused(403, "forbidden");
}
