//! Bans, mutes, nicknames, and what of it others see.

use serde_json::{Value, json};

use crate::world::{Person, World, nowhere, text};

struct Scene {
    world: World,
    ana: Person,
    bo: Person,
    id: String,
    general: String,
}

/// A community of an owner and a member.
async fn scene() -> Scene {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    Scene { world, ana, bo, id, general }
}

impl Scene {
    fn path(&self, what: &str, who: &Person) -> String {
        format!("/v1/communities/{}/{what}/{}", self.id, who.id)
    }

    /// The time so many seconds from now, as requests write it.
    fn at(&self, seconds: i64) -> String {
        tidings_wire::Time(self.world.app.now().plus_seconds(seconds)).to_string()
    }

    async fn try_to_say(&self, who: &Person) -> crate::world::Answer {
        let message = json!({"client_id": self.world.app.new_id().to_string(), "body": "hello"});
        let path = format!("/v1/channels/{}/messages", self.general);
        self.world.post(&who.token, &path, message).await
    }

    async fn items(&self, what: &str) -> Vec<Value> {
        let path = format!("/v1/communities/{}/{what}", self.id);
        let list = self.world.get(&self.ana.token, &path).await.is(200);
        list["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_ban_takes_everything_and_no_invite_gives_it_back() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let code = world.invite(ana, &scene.id, json!({})).await;
    let accept = format!("/v1/invites/{code}/accept");
    let ban = scene.path("bans", bo);
    world.put(&ana.token, &ban, json!({"reason": " spam "})).await.is(204);

    world
        .get(&bo.token, &format!("/v1/channels/{}", scene.general))
        .await
        .refused(404, "not_found");
    scene.try_to_say(bo).await.refused(404, "not_found");
    let problem = world.post(&bo.token, &accept, json!({})).await.refused(403, "forbidden");
    assert!(text(&problem["detail"]).contains("banned"), "{problem}");
    let join = format!("/v1/channels/{}/join", scene.general);
    world.post(&bo.token, &join, json!({})).await.refused(404, "not_found");
    assert_eq!(world.log(ana, &scene.general).await.last().unwrap(), "member.left");

    let bans = scene.items("bans").await;
    assert_eq!(bans.len(), 1);
    assert_eq!((&bans[0]["user"]["username"], &bans[0]["reason"]), (&json!("bo"), &json!("spam")));
    assert_eq!((bans[0].get("until"), &bans[0]["created_by"]), (None, &json!(ana.id)));

    world.delete(&ana.token, &ban).await.is(204);
    assert_eq!(scene.items("bans").await, Vec::<Value>::new());
    world.post(&bo.token, &accept, json!({})).await.is(200);
    scene.try_to_say(bo).await.is(201);
    // Where nothing stands, nothing is lifted.
    world.delete(&ana.token, &ban).await.is(204);
}

#[tokio::test]
async fn a_ban_ends_by_itself() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let code = world.invite(ana, &scene.id, json!({})).await;
    let accept = format!("/v1/invites/{code}/accept");
    let until = scene.at(3600);
    let ban = scene.path("bans", bo);
    world.put(&ana.token, &ban, json!({"until": until})).await.is(204);
    world.wait(3599);
    let problem = world.post(&bo.token, &accept, json!({})).await.refused(403, "forbidden");
    assert!(text(&problem["detail"]).contains(&until), "{problem}");
    world.wait(1);
    assert_eq!(scene.items("bans").await, Vec::<Value>::new());
    world.post(&bo.token, &accept, json!({})).await.is(200);
    // What has ended is also forgotten.
    world.wait(1);
    world.app.prune().await.unwrap();
    scene.try_to_say(bo).await.is(201);
}

#[tokio::test]
async fn who_has_left_can_be_banned_but_not_who_never_came() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    world.delete(&bo.token, &scene.path("members", bo)).await.is(204);
    world.put(&ana.token, &scene.path("bans", bo), json!({})).await.is(204);
    let code = world.invite(ana, &scene.id, json!({})).await;
    let accept = format!("/v1/invites/{code}/accept");
    world.post(&bo.token, &accept, json!({})).await.refused(403, "forbidden");
    // An account that was never here looks like none at all.
    let (hall, _) = world.community(ana, "hall").await;
    let stranger = world.member(ana, &hall, "stranger").await;
    let known = world.put(&ana.token, &scene.path("bans", &stranger), json!({})).await;
    let path = format!("/v1/communities/{}/bans/{}", scene.id, nowhere());
    let unknown = world.put(&ana.token, &path, json!({})).await;
    let strip = |mut body: Value| {
        body.as_object_mut().unwrap().remove("trace_id");
        body
    };
    assert_eq!(strip(known.refused(404, "not_found")), strip(unknown.refused(404, "not_found")));
}

#[tokio::test]
async fn who_is_muted_reads_and_nothing_else_until_it_ends() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let mine = text(&world.say(bo, &scene.general, "before").await["id"]);
    let theirs = text(&world.say(ana, &scene.general, "hers").await["id"]);
    let reaction = format!("/v1/messages/{theirs}/reactions/👍");
    world.put(&bo.token, &reaction, json!({})).await.is(204);
    let until = scene.at(600);
    let mute = scene.path("mutes", bo);
    world.put(&ana.token, &mute, json!({"until": until, "reason": "calm down"})).await.is(204);

    let problem = scene.try_to_say(bo).await.refused(403, "forbidden");
    assert!(text(&problem["detail"]).contains(&until), "{problem}");
    let message = format!("/v1/messages/{mine}");
    world.patch(&bo.token, &message, json!({"body": "x"})).await.refused(403, "forbidden");
    let other = format!("/v1/messages/{theirs}/reactions/🎉");
    world.put(&bo.token, &other, json!({})).await.refused(403, "forbidden");
    // What was said may be taken back.
    world.delete(&bo.token, &reaction).await.is(204);
    world.get(&bo.token, &message).await.is(200);
    // Direct messages are no business of the community.
    let dm = world.post(&bo.token, "/v1/dms", json!({"users": [ana.id]})).await.is(201);
    world.say(bo, &text(&dm["id"]), "why?").await;
    // Leaving and coming back is no way around it.
    let code = world.invite(ana, &scene.id, json!({})).await;
    world.delete(&bo.token, &scene.path("members", bo)).await.is(204);
    world.post(&bo.token, &format!("/v1/invites/{code}/accept"), json!({})).await.is(200);
    scene.try_to_say(bo).await.refused(403, "forbidden");

    assert_eq!(scene.items("mutes").await[0]["reason"], "calm down");
    world.wait(600);
    assert_eq!(scene.items("mutes").await, Vec::<Value>::new());
    scene.try_to_say(bo).await.is(201);

    world.put(&ana.token, &mute, json!({})).await.is(204);
    scene.try_to_say(bo).await.refused(403, "forbidden");
    world.delete(&ana.token, &mute).await.is(204);
    scene.try_to_say(bo).await.is(201);
}

#[tokio::test]
async fn nobody_restricts_themselves_their_equals_or_the_last_owner() {
    let scene = scene().await;
    let (world, ana, id) = (&scene.world, &scene.ana, &scene.id);
    let admin = world.member_as(ana, id, "admin", "admin").await;
    let second = world.member_as(ana, id, "second", "admin").await;
    for what in ["mutes", "bans"] {
        let path = |who: &Person| scene.path(what, who);
        world.put(&ana.token, &path(ana), json!({})).await.refused(422, "unprocessable");
        for target in [ana, &second] {
            world.put(&admin.token, &path(target), json!({})).await.refused(403, "forbidden");
            world.delete(&admin.token, &path(target)).await.refused(403, "forbidden");
        }
        world.put(&ana.token, &path(&second), json!({})).await.is(204);
        let past = json!({"until": scene.at(0)});
        world.put(&ana.token, &path(&admin), past).await.refused(422, "unprocessable");
        let long = json!({"reason": "x".repeat(501)});
        world.put(&ana.token, &path(&admin), long).await.refused(422, "unprocessable");
        let odd = json!({"until": "tomorrow"});
        world.put(&ana.token, &path(&admin), odd).await.refused(400, "bad_request");
    }
    let owner = world.member_as(ana, id, "owner", "owner").await;
    world.put(&owner.token, &scene.path("bans", ana), json!({})).await.is(204);
    world.get(&ana.token, &format!("/v1/communities/{id}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn everybody_names_themselves_and_admins_name_members() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let (mine, hers) = (scene.path("members", bo), scene.path("members", ana));
    let member = world.patch(&bo.token, &mine, json!({"nickname": " Bobby "})).await.is(200);
    assert_eq!((&member["nickname"], &member["role"]), (&json!("Bobby"), &json!("member")));
    let members = format!("/v1/channels/{}/members", scene.general);
    let listed = world.get(&ana.token, &members).await.is(200);
    let named = listed["items"].as_array().unwrap().iter().find(|it| it["user"]["id"] == bo.id);
    assert_eq!(named.unwrap()["nickname"], "Bobby");
    world.patch(&bo.token, &hers, json!({"nickname": "x"})).await.refused(403, "forbidden");
    // A nickname is no way to a role.
    let both = json!({"nickname": "x", "role": "owner"});
    world.patch(&bo.token, &mine, both).await.refused(403, "forbidden");
    let long = json!({"nickname": "x".repeat(65)});
    world.patch(&bo.token, &mine, long).await.refused(422, "unprocessable");
    let member = world.patch(&ana.token, &mine, json!({"nickname": ""})).await.is(200);
    assert_eq!(member.get("nickname"), None);
}
