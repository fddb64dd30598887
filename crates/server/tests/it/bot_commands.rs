//! Commands that bots bring along.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bots::bot;
use crate::world::{Answer, Person, World, text};

struct Scene {
    world: World,
    ana: Person,
    bo: Person,
    id: String,
    general: String,
    /// The bot's account and its token.
    robo: (String, String),
}

fn deploy() -> Value {
    json!({"commands": [{
        "name": "deploy",
        "summary": "Put a version into service",
        "args": [
            {"name": "env", "type": "word", "required": true},
            {"name": "who", "type": "user", "required": false},
            {"name": "why", "type": "text", "required": false},
        ],
    }]})
}

async fn scene(patience: Duration) -> Scene {
    let world = World::with(|settings| settings.command_patience = patience).await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let scopes = json!(["commands:run", "messages:read", "messages:write", "channels:read"]);
    let robo = bot(&world, &ana.token, &id, scopes).await;
    let path = format!("/v1/bots/{}/commands", robo.0);
    world.put(&robo.1, &path, deploy()).await.is(200);
    Scene { world, ana, bo, id, general, robo }
}

/// Long enough for a bot in the same process, however busy the machine is.
const LONG: Duration = Duration::from_mins(1);
/// Nobody answers that fast.
const SHORT: Duration = Duration::from_millis(1);

impl Scene {
    async fn run(&self, who: &Person, channel: &str, line: &str) -> Answer {
        let path = format!("/v1/channels/{channel}/commands");
        self.world.post(&who.token, &path, json!({"text": line})).await
    }

    async fn cursor(&self) -> String {
        text(&self.world.get(&self.robo.1, "/v1/sync").await.is(200)["next"])
    }

    /// What the bot is told after a cursor: waits until there is something.
    async fn invoked(&self, since: &str) -> Vec<Value> {
        let mut since = since.to_owned();
        loop {
            let path = format!("/v1/sync?timeout=60&since={since}");
            let page = self.world.get(&self.robo.1, &path).await.is(200);
            let events = page["events"].as_array().unwrap().iter();
            let found: Vec<_> =
                events.filter(|event| event["type"] == "command.invoked").cloned().collect();
            if !found.is_empty() {
                return found;
            }
            since = text(&page["next"]);
        }
    }

    async fn reply(&self, invocation: &Value, body: Value) -> Answer {
        let path = format!("/v1/invocations/{}/reply", text(&invocation["id"]));
        self.world.post(&self.robo.1, &path, body).await
    }
}

#[tokio::test]
async fn a_bot_is_told_and_its_answer_is_for_whoever_asked() {
    let scene = scene(LONG).await;
    let cursor = scene.cursor().await;
    let answers = async {
        let event = scene.invoked(&cursor).await.remove(0);
        assert_eq!(
            (&event["log"], &event["actor_id"]),
            (&json!(format!("u:{}", scene.robo.0)), &json!(scene.bo.id))
        );
        let told = event["data"].clone();
        assert_eq!(told["command"], "deploy");
        assert_eq!(told["text"], "prod @Ana because it is time");
        assert_eq!(
            told["args"],
            json!([
                {"name": "env", "value": "prod"},
                {"name": "who", "value": "ana"},
                {"name": "why", "value": "because it is time"},
            ])
        );
        assert_eq!(told["channel_id"], scene.general);
        assert_eq!(told["community_id"], scene.id);
        assert_eq!(told["user"]["username"], "bo");
        scene.reply(&told, json!({"text": "On its way"})).await.is(200);
    };
    let line = "/deploy prod @Ana because it is time";
    let (ran, ()) = tokio::join!(scene.run(&scene.bo, &scene.general, line), answers);
    let ran = ran.is(200);
    assert_eq!((&ran["visible"], &ran["text"]), (&json!("you"), &json!("On its way")));
    assert_eq!(ran["bot"]["username"], "deploy");
    assert_eq!(ran.get("message"), None);
    // Nobody else has heard of it: neither the channel, nor who is connected.
    let path = format!("/v1/channels/{}/messages", scene.general);
    assert_eq!(scene.world.get(&scene.ana.token, &path).await.is(200)["items"], json!([]));
    assert!(scene.world.published.1.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_for_the_channel_is_a_message_of_the_bot_and_posted_once() {
    let scene = scene(LONG).await;
    let cursor = scene.cursor().await;
    let answers = async {
        let told = scene.invoked(&cursor).await[0]["data"].clone();
        let body = json!({"text": "Deployed", "visible": "channel"});
        scene.reply(&told, body.clone()).await.is(200);
        // As a bot does that was killed before it wrote down how far it is.
        assert_eq!(scene.invoked(&cursor).await[0]["data"], told, "the cursor leads there again");
        scene.reply(&told, body).await.is(200);
    };
    let (ran, ()) = tokio::join!(scene.run(&scene.bo, &scene.general, "/deploy prod"), answers);
    let ran = ran.is(200);
    assert_eq!((&ran["visible"], &ran["message"]["body"]), (&json!("channel"), &json!("Deployed")));
    assert_eq!(ran["message"]["author"]["username"], "deploy");
    let path = format!("/v1/channels/{}/messages", scene.general);
    let page = scene.world.get(&scene.ana.token, &path).await.is(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_asked_is_told_of_silence_and_of_the_late_answer() {
    let scene = scene(SHORT).await;
    let cursor = scene.cursor().await;
    let ran = scene.run(&scene.bo, &scene.general, "/deploy prod").await.is(200);
    assert_eq!(ran["visible"], "you");
    assert!(text(&ran["text"]).contains("@deploy has not answered"), "{ran}");
    // The bot was away; it finds the command when it comes back.
    let told = scene.invoked(&cursor).await[0]["data"].clone();
    scene.reply(&told, json!({"text": "Sorry, I slept"})).await.is(200);
    let late = scene.world.published.1.lock().unwrap().clone();
    let [(user, kind, data)] = &late[..] else { panic!("{late:?}") };
    assert_eq!((user, kind.as_str()), (&scene.bo.id, "command.replied"));
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["text"], "Sorry, I slept");
    assert_eq!((&data["invocation_id"], &data["bot"]["username"]), (&told["id"], &json!("deploy")));
    // Not for ever.
    scene.world.wait(3600);
    scene.reply(&told, json!({"text": "x"})).await.refused(410, "gone");
}

#[tokio::test]
async fn only_the_bot_that_was_asked_may_answer() {
    let scene = scene(SHORT).await;
    let world = &scene.world;
    let cursor = scene.cursor().await;
    scene.run(&scene.bo, &scene.general, "/deploy prod").await.is(200);
    let told = scene.invoked(&cursor).await[0]["data"].clone();
    let path = format!("/v1/invocations/{}/reply", text(&told["id"]));
    let body = json!({"text": "x"});
    world.post(&scene.bo.token, &path, body.clone()).await.refused(404, "not_found");
    world.post(&scene.ana.token, &path, body.clone()).await.refused(404, "not_found");
    let bots = format!("/v1/communities/{}/bots", scene.id);
    let ask = json!({"name": "other", "scopes": ["commands:run"]});
    let other = text(&world.post(&scene.ana.token, &bots, ask).await.is(201)["id"]);
    let tokens = format!("/v1/bots/{other}/tokens");
    let made = world.post(&scene.ana.token, &tokens, json!({"name": "t"})).await.is(201);
    world.post(&text(&made["token"]), &path, body).await.refused(404, "not_found");
    for (bad, field) in [
        (json!({"text": " "}), "text"),
        (json!({"text": "x".repeat(16_001)}), "text"),
        (json!({"text": "x", "visible": "nobody"}), "visible"),
    ] {
        let problem = scene.reply(&told, bad).await.refused(422, "unprocessable");
        assert_eq!(problem["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn commands_of_bots_are_completed_explained_and_near() {
    let scene = scene(SHORT).await;
    let world = &scene.world;
    let path = format!("/v1/communities/{}/commands", scene.id);
    let list = world.get(&scene.bo.token, &path).await.is(200);
    let found = list["items"].as_array().unwrap().iter().find(|it| it["name"] == "deploy").unwrap();
    assert_eq!(found["usage"], "/deploy env [@who] [why]");
    assert_eq!(found["bot"]["id"], scene.robo.0);
    assert_eq!(found["args"][1], json!({"name": "who", "type": "user", "required": false}));
    let help = text(&scene.run(&scene.bo, &scene.general, "/help").await.is(200)["text"]);
    let line = "/deploy env [@who] [why]: Put a version into service (@deploy)";
    assert!(help.lines().any(|it| it == line), "{help}");
    let one = scene.run(&scene.bo, &scene.general, "/help deploy").await.is(200);
    assert_eq!(one["text"], line);
    let problem = scene.run(&scene.bo, &scene.general, "/depoly x").await;
    let problem = problem.refused(422, "unprocessable");
    assert!(text(&problem["detail"]).contains("/deploy"), "{problem}");
    let problem = scene.run(&scene.bo, &scene.general, "/deploy").await;
    let problem = problem.refused(422, "unprocessable");
    assert!(text(&problem["detail"]).contains("the env is missing"), "{problem}");
}

#[tokio::test]
async fn where_a_bot_is_not_its_commands_are_not() {
    let scene = scene(SHORT).await;
    let world = &scene.world;
    let body = json!({"name": "secret", "visibility": "private"});
    let private = world.channel(&scene.ana, &scene.id, body).await;
    scene.run(&scene.ana, &private, "/deploy prod").await.refused(422, "unprocessable");
    let members = format!("/v1/channels/{private}/members");
    world.post(&scene.ana.token, &members, json!({"user_id": scene.robo.0})).await.is(201);
    scene.run(&scene.ana, &private, "/deploy prod").await.is(200);
    // In a direct conversation with it they are.
    let dm = world.post(&scene.bo.token, "/v1/dms", json!({"users": [scene.robo.0]})).await.is(201);
    scene.run(&scene.bo, &text(&dm["id"]), "/deploy prod").await.is(200);
    // Who may not speak does not make a bot speak, and a bot runs no bot's commands.
    let mute = format!("/v1/communities/{}/mutes/{}", scene.id, scene.bo.id);
    world.put(&scene.ana.token, &mute, json!({})).await.is(204);
    scene.run(&scene.bo, &scene.general, "/deploy prod").await.refused(403, "forbidden");
    let path = format!("/v1/channels/{}/commands", scene.general);
    let own = world.post(&scene.robo.1, &path, json!({"text": "/deploy prod"})).await;
    own.refused(403, "forbidden");
    let kick = format!("/v1/communities/{}/members/{}", scene.id, scene.robo.0);
    world.delete(&scene.ana.token, &kick).await.is(204);
    scene.run(&scene.ana, &scene.general, "/deploy prod").await.refused(422, "unprocessable");
}

#[tokio::test]
async fn what_cannot_be_a_command_is_refused() {
    let scene = scene(SHORT).await;
    let world = &scene.world;
    let path = format!("/v1/bots/{}/commands", scene.robo.0);
    let arg = |name: &str, kind: &str, required: bool| json!({"name": name, "type": kind, "required": required});
    let command =
        |name: &str, args: Vec<Value>| json!({"name": name, "summary": "x", "args": args});
    for bad in [
        vec![command("ban", vec![])],
        vec![command("Deploy", vec![])],
        vec![command("a", vec![]), command("a", vec![])],
        vec![json!({"name": "a", "summary": ""})],
        vec![command("a", vec![arg("x", "king", true)])],
        vec![command("a", vec![arg("x", "word", false), arg("y", "word", true)])],
        vec![command("a", vec![arg("x", "text", true), arg("y", "word", true)])],
        vec![command("a", vec![arg("x", "word", true); 11])],
        (0..51).map(|n| command(&format!("c{n}"), vec![])).collect(),
    ] {
        let answer = world.put(&scene.robo.1, &path, json!({"commands": bad})).await;
        assert_eq!(answer.refused(422, "unprocessable")["errors"][0]["field"], "commands");
    }
    // Nothing of it was taken.
    let list = world.get(&scene.robo.1, &path).await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    // Another bot cannot take a name that is taken, and an admin can make room.
    let bots = format!("/v1/communities/{}/bots", scene.id);
    let ask = json!({"name": "other", "scopes": ["commands:run"]});
    let other = text(&world.post(&scene.ana.token, &bots, ask).await.is(201)["id"]);
    let theirs = format!("/v1/bots/{other}/commands");
    let problem = world.put(&scene.ana.token, &theirs, deploy()).await.refused(409, "conflict");
    assert!(text(&problem["detail"]).contains("deploy"), "{problem}");
    world.put(&scene.ana.token, &path, json!({"commands": []})).await.is(200);
    world.put(&scene.ana.token, &theirs, deploy()).await.is(200);
    let acts = world.get(&scene.ana.token, &format!("/v1/communities/{}/audit", scene.id)).await;
    assert_eq!(acts.is(200)["items"][0]["action"], "bot.commands");
}
