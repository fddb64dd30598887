//! Slash commands: what each does, and what it answers.

use serde_json::{Value, json};

use crate::world::{Answer, Person, World, text};

struct Scene {
    world: World,
    ana: Person,
    bo: Person,
    id: String,
    general: String,
    ops: String,
}

/// A community of an owner and a member, and a channel beside `#general`.
async fn scene() -> Scene {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    Scene { world, ana, bo, id, general, ops }
}

impl Scene {
    async fn run(&self, who: &Person, channel: &str, line: &str) -> Answer {
        let path = format!("/v1/channels/{channel}/commands");
        self.world.post(&who.token, &path, json!({"text": line})).await
    }

    /// Runs a line in `#ops` as the owner; what they are told.
    async fn ana(&self, line: &str) -> String {
        let answer = self.run(&self.ana, &self.ops, line).await.is(200);
        assert_eq!(answer["visible"], "you", "{answer}");
        text(&answer["text"])
    }

    async fn channel(&self) -> Value {
        self.world.get(&self.ana.token, &format!("/v1/channels/{}", self.ops)).await.is(200)
    }

    async fn try_to_say(&self, who: &Person) -> Answer {
        let message = json!({"client_id": self.world.app.new_id().to_string(), "body": "hello"});
        let path = format!("/v1/channels/{}/messages", self.ops);
        self.world.post(&who.token, &path, message).await
    }
}

#[tokio::test]
async fn help_shows_what_the_role_may() {
    let scene = scene().await;
    let all = scene.ana("/help").await;
    assert!(all.contains("/role @user role: ") && all.contains("/ban @user"), "{all}");
    assert_eq!(scene.ana("/help topic").await.split(':').next(), Some("/topic [text]"));
    let few = scene.run(&scene.bo, &scene.ops, "/help").await.is(200);
    let few = text(&few["text"]);
    assert!(few.contains("/me text") && !few.contains("/ban") && !few.contains("/topic"), "{few}");
    scene.run(&scene.bo, &scene.ops, "/help ban").await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_schema_has_what_one_may_run() {
    let scene = scene().await;
    let path = format!("/v1/communities/{}/commands", scene.id);
    let names = async |who: &Person| {
        let list = scene.world.get(&who.token, &path).await.is(200);
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|it| text(&it["name"])).collect::<Vec<_>>()
    };
    let list = scene.world.get(&scene.ana.token, &path).await.is(200);
    let ban = list["items"].as_array().unwrap().iter().find(|it| it["name"] == "ban").unwrap();
    assert_eq!(ban["usage"], "/ban @user [time] [reason]");
    assert_eq!(ban["args"][0], json!({"name": "user", "type": "user", "required": true}));
    assert_eq!(ban["role"], "admin");
    let (all, few) = (names(&scene.ana).await, names(&scene.bo).await);
    assert!(all.contains(&"role".to_owned()) && all.len() > few.len());
    // Whoever is shown a command may run it, and nobody else: no names are left over.
    for name in &all {
        let answer = scene.run(&scene.bo, &scene.ops, &format!("/{name} x y z")).await;
        assert_eq!(answer.status == 403, !few.contains(name) && answer.status != 422, "{name}");
    }
}

#[tokio::test]
async fn what_is_no_command_is_refused_with_the_nearest() {
    let scene = scene().await;
    for (line, part) in [
        ("/topci x", "/topic"),
        ("/bann @bo", "/ban"),
        ("hello", "begins with /"),
        ("/role @bo king", "/role @user role"),
        ("/kick @nobody", "@nobody"),
        ("/join #nowhere", "#nowhere"),
    ] {
        let problem = scene.run(&scene.ana, &scene.ops, line).await.refused(422, "unprocessable");
        assert!(text(&problem["detail"]).contains(part), "{line}: {problem}");
    }
    for line in ["/topic x", "/ban @ana", "/purge 1", "/archive", "/role @bo owner", "/rename x"] {
        scene.run(&scene.bo, &scene.ops, line).await.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn what_is_said_by_a_command_is_a_message() {
    let scene = scene().await;
    for (line, format, body) in [
        ("/me waves", "me", "waves"),
        ("/shrug oh well", "text", "oh well ¯\\\\\\_(ツ)\\_/¯"),
        ("/poll \"Lunch?\" \"Pizza\" \"Soup\"", "poll", "Lunch?\n\n- 1️⃣ Pizza\n- 2️⃣ Soup"),
    ] {
        let answer = scene.run(&scene.bo, &scene.ops, line).await.is(200);
        assert_eq!(answer["visible"], "channel");
        let message = &answer["message"];
        assert_eq!((&message["format"], &message["body"]), (&json!(format), &json!(body)));
        let path = format!("/v1/messages/{}", text(&message["id"]));
        let kept = scene.world.get(&scene.ana.token, &path).await.is(200);
        assert_eq!((&kept["format"], &kept["author"]["username"]), (&json!(format), &json!("bo")));
    }
    let shrug = scene.run(&scene.bo, &scene.ops, "/shrug").await.is(200);
    assert!(text(&shrug["message"]["body_html"]).contains("¯\\_(ツ)_/¯"), "{shrug}");
    // Votes are reactions.
    let poll = scene.run(&scene.ana, &scene.ops, "/poll \"q\" \"a\" \"b\"").await.is(200);
    let vote = format!("/v1/messages/{}/reactions/1️⃣", text(&poll["message"]["id"]));
    scene.world.put(&scene.bo.token, &vote, json!({})).await.is(204);
    scene.run(&scene.ana, &scene.ops, "/poll \"q\" \"a\"").await.refused(422, "unprocessable");
}

#[tokio::test]
async fn channels_are_changed_by_commands() {
    let scene = scene().await;
    let (world, bo) = (&scene.world, &scene.bo);
    scene.ana("/topic Who is on call").await;
    scene.ana("/rename #operations").await;
    let channel = scene.channel().await;
    assert_eq!(channel["topic"], "Who is on call");
    assert_eq!(channel["name"], "operations");
    scene.ana("/topic").await;
    assert_eq!(scene.channel().await["topic"], "");

    scene.run(bo, &scene.general, "/join #operations").await.is(200);
    assert_eq!(scene.channel().await["member_count"], 2);
    scene.run(bo, &scene.ops, "/leave").await.is(200);
    assert_eq!(scene.channel().await["member_count"], 1);
    assert_eq!(scene.ana("/invite @bo").await, "@bo is in this channel now.");
    assert_eq!(scene.channel().await["member_count"], 2);

    for body in ["one", "two"] {
        world.say(bo, &scene.ops, body).await;
    }
    world.say(&scene.ana, &scene.ops, "hers").await;
    assert_eq!(scene.ana("/purge @bo 1").await, "1 message is gone.");
    assert_eq!(scene.ana("/purge @bo").await, "1 message is gone.");
    assert_eq!(scene.ana("/purge 5").await, "1 message is gone.");
    scene.ana("/archive").await;
    assert_eq!(scene.channel().await["archived"], true);
    scene.run(bo, &scene.ops, "/me waves").await.refused(409, "conflict");
}

#[tokio::test]
async fn members_are_changed_by_commands() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let code = world.invite(ana, &scene.id, json!({})).await;
    let member = async || {
        let path = format!("/v1/communities/{}/members", scene.id);
        let list = world.get(&ana.token, &path).await.is(200);
        list["items"].as_array().unwrap().iter().find(|it| it["user"]["id"] == bo.id).cloned()
    };
    scene.run(bo, &scene.ops, "/nick Bobby B").await.is(200);
    assert_eq!(member().await.unwrap()["nickname"], "Bobby B");
    scene.run(bo, &scene.ops, "/nick").await.is(200);
    assert_eq!(member().await.unwrap().get("nickname"), None);
    scene.run(bo, &scene.ops, "/status at lunch").await.is(200);
    assert_eq!(world.get(&bo.token, "/v1/me").await.is(200)["status"], "at lunch");
    assert_eq!(scene.ana("/role @bo admin").await, "@bo is admin now.");
    assert_eq!(member().await.unwrap()["role"], "admin");
    scene.ana("/role @bo member").await;

    scene.ana("/mute @bo 10m too loud").await;
    scene.try_to_say(bo).await.refused(403, "forbidden");
    scene.run(bo, &scene.ops, "/me mumbles").await.refused(403, "forbidden");
    world.wait(600);
    scene.try_to_say(bo).await.is(201);
    scene.ana("/mute @bo").await;
    scene.ana("/unmute @bo").await;
    scene.try_to_say(bo).await.is(201);

    let accept = format!("/v1/invites/{code}/accept");
    scene.ana("/kick @bo").await;
    assert_eq!(member().await, None);
    world.post(&bo.token, &accept, json!({})).await.is(200);
    scene.ana("/ban @bo 7d spam").await;
    world.post(&bo.token, &accept, json!({})).await.refused(403, "forbidden");
    scene.ana("/unban @bo").await;
    world.post(&bo.token, &accept, json!({})).await.is(200);
}

#[tokio::test]
async fn webhooks_and_tokens_are_made_shown_and_ended() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let made = scene.ana("/webhook create #general my ci").await;
    let url = made.split(' ').next_back().unwrap();
    let path = url.strip_prefix(crate::world::ORIGIN).unwrap();
    world.post("", path, json!({"text": "built"})).await.is(200);
    let page = world.get(&ana.token, &format!("/v1/channels/{}/messages", scene.general)).await;
    assert_eq!(page.is(200)["items"][0]["author"]["username"], "my ci");
    assert_eq!(scene.ana("/webhook list").await, "There is no webhook.");
    let list = scene.ana("/webhook list #general").await;
    let (id, name) = list.split_once(' ').unwrap();
    assert_eq!(name, "my ci");
    scene.run(bo, &scene.ops, &format!("/webhook revoke {id}")).await.refused(403, "forbidden");
    assert_eq!(scene.ana(&format!("/webhook revoke {id}")).await, "The webhook my ci is gone.");
    world.post("", path, json!({"text": "built"})).await.is(404);
    for line in [&format!("/webhook revoke {id}"), "/webhook revoke x", "/webhook create #no ci"] {
        scene.run(ana, &scene.ops, line).await.refused(422, "unprocessable");
    }

    let line = "/token create backup messages:read channels:read 90d";
    let made = scene.run(bo, &scene.ops, line).await.is(200);
    let token = text(&made["text"]).lines().last().unwrap().to_owned();
    assert!(token.starts_with("tdg_pat_"), "{made}");
    world.get(&token, "/v1/channels").await.is(200);
    world.get(&token, "/v1/search?q=x").await.is(200);
    let list = scene.run(bo, &scene.ops, "/token list").await.is(200);
    let list = text(&list["text"]);
    let (id, rest) = list.split_once(' ').unwrap();
    assert_eq!(rest, "backup: messages:read channels:read");
    assert!(!list.contains(&token));
    // Nobody ends another's, and no token makes one.
    let revoke = format!("/token revoke {id}");
    scene.run(ana, &scene.ops, &revoke).await.refused(422, "unprocessable");
    let ask = json!({"name": "t", "scopes": ["commands:run", "messages:write"]});
    let other = text(&world.post(&bo.token, "/v1/tokens", ask).await.is(201)["token"]);
    let path = format!("/v1/channels/{}/commands", scene.ops);
    world.post(&other, &path, json!({"text": line})).await.refused(403, "forbidden");
    world.post(&other, &path, json!({"text": "/me hums"})).await.is(200);
    scene.run(bo, &scene.ops, &revoke).await.is(200);
    world.get(&token, "/v1/channels").await.refused(401, "unauthorized");
    scene.run(bo, &scene.ops, "/token create x admin").await.refused(403, "forbidden");
    scene.run(bo, &scene.ops, "/token create x all").await.refused(422, "unprocessable");
}

#[tokio::test]
async fn a_secret_that_a_command_showed_is_not_kept_to_be_shown_again() {
    let scene = scene().await;
    let path = format!("/v1/channels/{}/commands", scene.ops);
    for (line, shown_again) in
        [("/webhook create ci", false), ("/token create x messages:read", false), ("/help", true)]
    {
        let run = async || {
            let body = json!({"text": line});
            let mut request =
                crate::world::request(&scene.ana.token, http::Method::POST, &path, Some(body));
            request.headers_mut().insert("idempotency-key", line.parse().unwrap());
            scene.world.send(request).await
        };
        run().await.is(200);
        if shown_again {
            run().await.is(200);
        } else {
            run().await.refused(409, "conflict");
        }
    }
}

#[tokio::test]
async fn commands_are_counted() {
    let scene = scene().await;
    for _ in 0..60 {
        scene.run(&scene.bo, &scene.ops, "/help").await.is(200);
    }
    let refused = scene.run(&scene.bo, &scene.ops, "/help").await;
    assert!(refused.headers.contains_key("retry-after"));
    refused.refused(429, "rate_limited");
    scene.run(&scene.ana, &scene.ops, "/help").await.is(200);
}

#[tokio::test]
async fn direct_messages_know_some_commands() {
    let scene = scene().await;
    let (world, ana, bo) = (&scene.world, &scene.ana, &scene.bo);
    let sent = scene.run(bo, &scene.ops, "/msg @ana psst").await.is(200);
    assert_eq!((&sent["visible"], &sent["message"]["body"]), (&json!("you"), &json!("psst")));
    let dm = text(&sent["message"]["channel_id"]);
    let page = world.get(&ana.token, &format!("/v1/channels/{dm}/messages")).await.is(200);
    assert_eq!(page["items"][0]["body"], "psst");
    scene.run(ana, &dm, "/me nods").await.is(200);
    scene.run(ana, &dm, "/topic secrets").await.refused(422, "unprocessable");
    let help = text(&scene.run(ana, &dm, "/help").await.is(200)["text"]);
    assert!(help.contains("/msg") && !help.contains("/topic"), "{help}");
    scene.run(bo, &scene.ops, "/msg @nobody hi").await.refused(422, "unprocessable");
    // A channel that one may not know of is none.
    let private = json!({"name": "secret", "visibility": "private"});
    let private = world.channel(ana, &scene.id, private).await;
    scene.run(bo, &private, "/help").await.refused(404, "not_found");
}
