use axum::body::Body;
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use serde_json::{Value, json};
use sha2::Sha256;
use tidings_server::hook::{self, Source};

use crate::world::{Answer, Person, World, text};

/// Deliveries in the shapes that the programs send, each with the source, the event's header, and
/// the beginning of what it says; `None` where there is nothing to say.
const DELIVERIES: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "github_ping",
        "github",
        "ping",
        Some(
            "[acme/harbor](https://github.example.com/acme/harbor) is connected.\n> Keep it logically awesome.",
        ),
    ),
    (
        "github_push",
        "github",
        "push",
        Some(
            "**acme/harbor**: ana pushed 7 commits to [main](https://github.example.com/acme/harbor/compare/aaaa...bbbb)\n- [0101010](https://github.example.com/acme/harbor/commit/0101010101010101010101010101010101010101) Step 1: tidy \\*up\\* · bo\n",
        ),
    ),
    (
        "github_push_forced",
        "github",
        "push",
        Some("**acme/harbor**: ana force-pushed 1 commit to [fix]("),
    ),
    ("github_push_deleted", "github", "push", Some("**acme/harbor**: ana deleted the branch fix")),
    (
        "github_pull_request",
        "github",
        "pull_request",
        Some(
            "[acme/harbor#7 Moor \\<boats> faster](https://github.example.com/acme/harbor/pull/7): bo opened it\n> Closes #3.\n>\n> ```rs\n",
        ),
    ),
    (
        "github_pull_request_merged",
        "github",
        "pull_request",
        Some(
            "[acme/harbor#7 Moor \\<boats> faster](https://github.example.com/acme/harbor/pull/7): ana merged it",
        ),
    ),
    (
        "github_pull_request_review_requested",
        "github",
        "pull_request",
        Some(
            "[acme/harbor#7 Moor \\<boats> faster](https://github.example.com/acme/harbor/pull/7): bo asks ana for a review",
        ),
    ),
    ("github_pull_request_labeled", "github", "pull_request", None),
    (
        "github_issues",
        "github",
        "issues",
        Some(
            "[acme/harbor#3 The crane \\*sticks\\*](https://github.example.com/acme/harbor/issues/3): cy opened it\n> It sticks.\n> Always.",
        ),
    ),
    (
        "github_issues_closed",
        "github",
        "issues",
        Some(
            "[acme/harbor#3 The crane \\*sticks\\*](https://github.example.com/acme/harbor/issues/3): ana closed it as not planned",
        ),
    ),
    (
        "github_issue_comment",
        "github",
        "issue_comment",
        Some(
            "[acme/harbor#3 The crane \\*sticks\\*](https://github.example.com/acme/harbor/issues/3): ana [commented](https://github.example.com/acme/harbor/issues/3#issuecomment-5)\n> Which *one*?",
        ),
    ),
    (
        "github_pull_request_review",
        "github",
        "pull_request_review",
        Some(
            "[acme/harbor#7 Moor \\<boats> faster](https://github.example.com/acme/harbor/pull/7): ana [approved it](",
        ),
    ),
    (
        "github_pull_request_review_comment",
        "github",
        "pull_request_review_comment",
        Some(
            "[acme/harbor#7 Moor \\<boats> faster](https://github.example.com/acme/harbor/pull/7): ana [commented](https://github.example.com/acme/harbor/pull/7#discussion_r9) on src/moor_it.rs\n> Why?",
        ),
    ),
    (
        "github_release",
        "github",
        "release",
        Some(
            "**acme/harbor**: ana released [1.2: Low tide](https://github.example.com/acme/harbor/releases/tag/v1.2.0)\n> - boats\n> - cranes",
        ),
    ),
    (
        "github_workflow_run_failure",
        "github",
        "workflow_run",
        Some(
            "❌ **acme/harbor**: [CI](https://github.example.com/acme/harbor/actions/runs/1) fails on main\n> Step 7: tidy \\*up\\*",
        ),
    ),
    (
        "github_workflow_run_success",
        "github",
        "workflow_run",
        Some(
            "✅ **acme/harbor**: [CI](https://github.example.com/acme/harbor/actions/runs/1) passes again on main",
        ),
    ),
    (
        "gitea_push",
        "gitea",
        "push",
        Some(
            "**acme/quay**: ana pushed 1 commit to [main](https://git.example.org/acme/quay/compare/a...b)\n- [ddddddd](",
        ),
    ),
    (
        "gitea_pull_request",
        "gitea",
        "pull_request",
        Some("[acme/quay#2 Paint it red](https://git.example.org/acme/quay/pulls/2): bo opened it"),
    ),
    (
        "gitea_pull_request_approved",
        "gitea",
        "pull_request_approved",
        Some(
            "[acme/quay#2 Paint it red](https://git.example.org/acme/quay/pulls/2): ana approved it\n> Fine.",
        ),
    ),
    (
        "gitlab_push",
        "gitlab",
        "Push Hook",
        Some("**acme/dock**: ana pushed 3 commits to main\n- [bbbbbbb]("),
    ),
    (
        "gitlab_tag_push",
        "gitlab",
        "Tag Push Hook",
        Some("**acme/dock**: ana created the tag v1.0.0"),
    ),
    (
        "gitlab_merge_request",
        "gitlab",
        "Merge Request Hook",
        Some(
            "[acme/dock!4 Dredge \\*deeper\\*](https://lab.example.org/acme/dock/-/merge_requests/4): ana opened it\n> See #1\n>\n> Please.",
        ),
    ),
    (
        "gitlab_merge_request_merged",
        "gitlab",
        "Merge Request Hook",
        Some(
            "[acme/dock!4 Dredge \\*deeper\\*](https://lab.example.org/acme/dock/-/merge_requests/4): ana merged it",
        ),
    ),
    (
        "gitlab_issue",
        "gitlab",
        "Issue Hook",
        Some("[acme/dock#23 Silt](https://lab.example.org/acme/dock/-/issues/23): ana opened it"),
    ),
    (
        "gitlab_note",
        "gitlab",
        "Note Hook",
        Some(
            "[acme/dock!4 Dredge \\*deeper\\*](https://lab.example.org/acme/dock/-/merge_requests/4): ana [commented](",
        ),
    ),
    (
        "gitlab_pipeline_failed",
        "gitlab",
        "Pipeline Hook",
        Some(
            "❌ **acme/dock**: [the pipeline](https://lab.example.org/acme/dock/-/pipelines/31) fails on main\n> Dredge",
        ),
    ),
    (
        "gitlab_pipeline_success",
        "gitlab",
        "Pipeline Hook",
        Some(
            "✅ **acme/dock**: [the pipeline](https://lab.example.org/acme/dock/-/pipelines/31) passes again on main",
        ),
    ),
    (
        "gitlab_release",
        "gitlab",
        "Release Hook",
        Some("**acme/dock**: released [1.0](https://lab.example.org/acme/dock/-/releases/v1.0.0)"),
    ),
    (
        "alertmanager_firing",
        "alertmanager",
        "",
        Some(
            "🔥 **[DiskFull](http://alertmanager.example.org)** fires (2)\n- Disk of db1 is 95 % full (critical) [source](http://prometheus.example.org/graph?g0.expr=x)\n- Disk of db2",
        ),
    ),
    (
        "alertmanager_resolved",
        "alertmanager",
        "",
        Some("✅ **[DiskFull](http://alertmanager.example.org)** is resolved\n- Disk of db1"),
    ),
    (
        "alertmanager_grafana",
        "alertmanager",
        "",
        Some("🔥 **[DiskFull](https://grafana.example.org/)** fires\n- Disk of db1"),
    ),
    (
        "slack_text",
        "slack",
        "",
        Some("**Deployed** [build 9](https://ci.example.org/9) by @U012AB3CD & co"),
    ),
    (
        "slack_attachments",
        "slack",
        "",
        Some(
            "> **[TypeError: x is \\*undefined\\*](https://sentry.example.org/1/?a=1&b=2)**\n> at moor (dock.js:12)\n> **Project**: dock\n> **Environment**\n> _DOCK-1_",
        ),
    ),
    (
        "slack_blocks",
        "slack",
        "",
        Some(
            "**🔴 db1 is down**\n\n**Time:** 10:00\n**Error:** `timeout of 48000ms exceeded`\n**Host**\ndb1\n\n---\n\nUptime watch",
        ),
    ),
    (
        "slack_rich_text",
        "slack",
        "",
        Some("Build **failed**@channel\n- [https://ci.example.org/9](https://ci.example.org/9)"),
    ),
];

fn payload(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn headers(source: &str, event: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !event.is_empty() {
        let name = format!("x-{source}-event");
        headers.insert(HeaderName::try_from(name).unwrap(), event.parse().unwrap());
    }
    headers
}

#[test]
fn every_delivery_says_what_its_program_means() {
    for (name, source, event, says) in DELIVERIES {
        let body = payload(name).to_string();
        let source: Source = source.parse().unwrap();
        let headers = headers(name.split('_').next().unwrap(), event);
        let post = hook::read(source, &headers, body.as_bytes()).unwrap();
        match (says, &post) {
            (None, None) => {}
            (Some(says), Some(post)) if post.body.starts_with(says) => {}
            _ => panic!("{name} says {post:#?}\ninstead of {says:?}"),
        }
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/webhooks"));
    assert_eq!(files.unwrap().count(), DELIVERIES.len(), "every file is a delivery of the table");
}

/// Every pointer into a value, leaves and branches.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn any_field_may_be_null_or_of_another_type_or_gone() {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("\u{0}\u{202e}@channel ```"),
        json!([]),
        json!([null]),
        json!({}),
    ];
    for (name, source, event, _) in DELIVERIES {
        let whole = payload(name);
        let source: Source = source.parse().unwrap();
        let headers = headers(name.split('_').next().unwrap(), event);
        let mut all = Vec::new();
        pointers(&whole, "", &mut all);
        for pointer in all {
            for other in &others {
                let mut spoiled = whole.clone();
                *spoiled.pointer_mut(&pointer).unwrap() = other.clone();
                // It is understood or refused; it never panics, and says no more than fits.
                if let Ok(Some(post)) = hook::read(source, &headers, spoiled.to_string().as_bytes())
                {
                    assert!(!post.body.is_empty() && post.body.chars().count() <= 16_000);
                }
            }
        }
    }
}

struct Scene {
    world: World,
    ana: Person,
    ops: String,
    path: String,
    made: Value,
}

async fn scene_with(settings: impl FnOnce(&mut tidings_server::Settings), more: Value) -> Scene {
    let world = World::with(settings).await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let ops = world.channel(&ana, &acme, json!({"name": "ops"})).await;
    let mut body = json!({"name": "ci"});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = world.post(&ana.token, &format!("/v1/channels/{ops}/webhooks"), body).await;
    let made = made.is(201);
    let path = text(&made["url"]).strip_prefix("http://localhost:8420").unwrap().to_owned();
    Scene { world, ana, ops, path, made }
}

async fn scene() -> Scene {
    scene_with(|_| {}, json!({})).await
}

impl Scene {
    async fn send(&self, suffix: &str, headers: HeaderMap, body: impl Into<Body>) -> Answer {
        let uri = format!("{}{suffix}", self.path);
        let mut request =
            Request::builder().method(Method::POST).uri(uri).body(body.into()).unwrap();
        *request.headers_mut() = headers;
        self.world.send(request).await
    }

    async fn deliver(&self, name: &str) -> Answer {
        let (_, source, event, _) = DELIVERIES.iter().find(|it| it.0 == name).unwrap();
        let headers = headers(source, event);
        self.send(&format!("/{source}"), headers, payload(name).to_string()).await
    }

    async fn json(&self, body: Value) -> Answer {
        self.send("", headers("slack", ""), body.to_string()).await
    }

    async fn messages(&self) -> Vec<Value> {
        let path = format!("/v1/channels/{}/messages", self.ops);
        let list = self.world.get(&self.ana.token, &path).await.is(200);
        list["items"].as_array().unwrap().clone()
    }
}

#[track_caller]
fn ok(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!("ok")));
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
}

#[track_caller]
fn refused(answer: &Answer, status: u16, word: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body), (status, &json!(word)));
}

#[tokio::test]
async fn a_post_is_a_message_of_the_webhook_marked_as_a_bots() {
    let scene = scene().await;
    ok(&scene.json(json!({"text": "*hello* <!channel>", "icon_emoji": ":x:"})).await);
    ok(&scene.json(json!({"text": "as another", "username": "Ana Ash"})).await);
    let messages = scene.messages().await;
    let author = &messages[0]["author"];
    assert_eq!(
        (&author["id"], &author["username"], &author["bot"]),
        (&scene.made["id"], &json!("ci"), &json!(true))
    );
    assert_eq!(messages[0]["body"], "**hello** @<channel>");
    assert_eq!(messages[0]["mentions"], json!([{"type": "everyone"}]).clone());
    let author = &messages[1]["author"];
    assert_eq!((&author["username"], &author["bot"]), (&json!("Ana Ash"), &json!(true)));
    // It is somebody else's message to every reader: unread, and no member's.
    let channel = format!("/v1/channels/{}", scene.ops);
    let channel = scene.world.get(&scene.ana.token, &channel).await.is(200);
    assert_eq!((&channel["unread"], &channel["member_count"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn forms_and_errors_are_those_of_slack() {
    let scene = scene().await;
    let mut form = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    form.insert(header::CONTENT_TYPE, kind);
    ok(&scene.send("/slack", form, "payload=%7B%22text%22%3A%22a%2Bb+c%22%7D").await);
    ok(&scene.send("/raw", HeaderMap::new(), "plain *text*").await);
    let bodies: Vec<Value> = scene.messages().await.iter().map(|it| it["body"].clone()).collect();
    assert_eq!(bodies, ["a+b c", "plain *text*"]);
    refused(&scene.json(json!({"text": ""})).await, 400, "no_text");
    refused(&scene.send("", HeaderMap::new(), "nonsense").await, 400, "invalid_payload");
    refused(&scene.send("/github", headers("slack", ""), "{}").await, 400, "invalid_payload");
    refused(&scene.send("/telegram", HeaderMap::new(), "x").await, 404, "no_service");
    refused(&scene.send("/raw", HeaderMap::new(), "x".repeat(2 << 20)).await, 413, "too_large");
    let channel = format!("/v1/channels/{}", scene.ops);
    scene.world.delete(&scene.ana.token, &channel).await.is(204);
    refused(&scene.json(json!({"text": "x"})).await, 410, "channel_is_archived");
}

#[tokio::test]
async fn a_wrong_token_a_wrong_id_and_a_deleted_webhook_are_the_same() {
    let scene = scene().await;
    let (id, token) = scene.path.strip_prefix("/hook/").unwrap().split_once('/').unwrap();
    let wrong = [
        format!("/hook/{id}/{}", "A".repeat(43)),
        format!("/hook/{}/{token}", crate::world::nowhere()),
        format!("/hook/x/{token}"),
    ];
    let mut answers = Vec::new();
    for path in &wrong {
        answers.push(scene.world.post("", path, json!({"text": "x"})).await);
    }
    let id = text(&scene.made["id"]);
    scene.world.delete(&scene.ana.token, &format!("/v1/webhooks/{id}")).await.is(204);
    answers.push(scene.json(json!({"text": "x"})).await);
    for answer in &answers {
        refused(answer, 404, "no_service");
    }
    assert_eq!(scene.messages().await.len(), 0);
    scene
        .world
        .delete(&scene.ana.token, &format!("/v1/webhooks/{id}"))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn secrets_are_shown_once_and_kept_as_hashes() {
    let scene = scene_with(|_| {}, json!({"signed": true})).await;
    let path = format!("/v1/channels/{}/webhooks", scene.ops);
    let list = scene.world.get(&scene.ana.token, &path).await.is(200);
    assert_eq!(list["items"][0]["id"], scene.made["id"]);
    let token = scene.path.rsplit('/').next().unwrap();
    let secret = text(&scene.made["secret"]);
    assert!(!list.to_string().contains(token) && !list.to_string().contains(&secret));
    let stored = scene.world.app.store().webhooks_of(scene.ops.parse().unwrap()).await.unwrap();
    assert!(!format!("{stored:?}").contains(token));
}

#[tokio::test]
async fn a_signed_webhook_takes_only_what_is_signed() {
    let scene = scene_with(|_| {}, json!({"signed": true})).await;
    let secret = text(&scene.made["secret"]);
    let body = payload("github_issues").to_string();
    let sign = |secret: &str, body: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    };
    let with = |name: &'static str, value: String| {
        let mut headers = headers("github", "issues");
        headers.insert(name, value.parse().unwrap());
        headers
    };
    for bad in [
        headers("github", "issues"),
        with("x-hub-signature-256", format!("sha256={}", sign("wrong", &body))),
        with("x-hub-signature-256", format!("sha256={}", sign(&secret, "other"))),
        with("x-hub-signature-256", sign(&secret, &body)),
        with("x-hub-signature-256", "sha256=zz".to_owned()),
        with("x-gitlab-token", "wrong".to_owned()),
    ] {
        refused(&scene.send("/github", bad, body.clone()).await, 403, "invalid_signature");
    }
    // The address alone posts nothing, in whatever format.
    refused(&scene.send("/raw", HeaderMap::new(), "x").await, 403, "invalid_signature");
    let good = with("x-hub-signature-256", format!("sha256={}", sign(&secret, &body)));
    ok(&scene.send("/github", good, body.clone()).await);
    let good = with("x-gitea-signature", sign(&secret, &body));
    ok(&scene.send("/gitea", good, body).await);
    let mut good = headers("gitlab", "Issue Hook");
    good.insert("x-gitlab-token", secret.parse().unwrap());
    ok(&scene.send("/gitlab", good, payload("gitlab_issue").to_string()).await);
}

#[tokio::test]
async fn an_issue_or_pull_request_is_one_thread() {
    let scene = scene().await;
    for name in [
        "github_pull_request",
        "github_issues",
        "github_issue_comment",
        "github_pull_request_review",
        "github_pull_request_labeled",
        "github_pull_request_merged",
    ] {
        ok(&scene.deliver(name).await);
    }
    let messages = scene.messages().await;
    let shown: Vec<(&Value, &Value)> =
        messages.iter().map(|it| (&it["reply_count"], &it["broadcast"])).collect();
    // The pull request, the issue, and that it was merged, which the channel sees too.
    assert_eq!(messages.len(), 3, "{shown:?}");
    assert_eq!((&messages[0]["reply_count"], &messages[1]["reply_count"]), (&json!(2), &json!(1)));
    assert_eq!(messages[2]["parent_id"], messages[0]["id"]);
    // What a stranger wrote in an issue rings nowhere.
    assert_eq!(messages[0]["mentions"], json!([]));
    assert!(text(&messages[0]["body"]).contains("@channel"));
}

#[tokio::test]
async fn a_delivery_is_told_once() {
    let scene = scene().await;
    for _ in 0..3 {
        let mut headers = headers("github", "issues");
        headers.insert("x-github-delivery", HeaderValue::from_static("72d3162e"));
        let body = payload("github_issues").to_string();
        ok(&scene.send("/github", headers, body).await);
        let mut keyed = HeaderMap::new();
        keyed.insert("idempotency-key", HeaderValue::from_static("k"));
        ok(&scene.send("/raw", keyed, "once").await);
    }
    let messages = scene.messages().await;
    assert_eq!((messages.len(), &messages[0]["reply_count"]), (2, &json!(0)));
}

#[tokio::test]
async fn a_workflow_is_told_of_when_its_state_changes() {
    let scene = scene().await;
    for name in ["success", "success", "failure", "failure", "success", "success", "failure"] {
        ok(&scene.deliver(&format!("github_workflow_run_{name}")).await);
    }
    let marks: Vec<char> =
        scene.messages().await.iter().map(|it| text(&it["body"]).chars().next().unwrap()).collect();
    assert_eq!(marks, ['❌', '✅', '❌']);
}

#[tokio::test]
async fn an_alert_and_its_end_are_one_thread() {
    let scene = scene().await;
    for name in ["alertmanager_firing", "alertmanager_firing", "alertmanager_resolved"] {
        ok(&scene.deliver(name).await);
    }
    let messages = scene.messages().await;
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["reply_count"], 2);
    assert_eq!(messages[1]["parent_id"], messages[0]["id"]);
}

#[tokio::test]
async fn thread_ts_names_a_message_or_a_thread_of_ones_own() {
    let scene = scene().await;
    let root = scene.world.say(&scene.ana, &scene.ops, "root").await;
    ok(&scene.json(json!({"text": "to it", "thread_ts": root["id"]})).await);
    for text in ["first", "second", "third"] {
        ok(&scene.json(json!({"text": text, "thread_ts": "deploy-9"})).await);
    }
    // What is no message here begins nothing and is not lost.
    ok(&scene.json(json!({"text": "alone", "thread_ts": crate::world::nowhere()})).await);
    let messages = scene.messages().await;
    let counts: Vec<&Value> = messages.iter().map(|it| &it["reply_count"]).collect();
    assert_eq!(counts, [&json!(1), &json!(2), &json!(0)]);
    let concurrent = (0..4).map(|n| json!({"text": n.to_string(), "thread_ts": "at once"}));
    let [a, b, c, d] = <[Value; 4]>::try_from(concurrent.collect::<Vec<_>>()).unwrap();
    let all = tokio::join!(scene.json(a), scene.json(b), scene.json(c), scene.json(d));
    [all.0, all.1, all.2, all.3].iter().for_each(ok);
    let messages = scene.messages().await;
    assert_eq!((messages.len(), &messages[3]["reply_count"]), (4, &json!(3)));
}

#[tokio::test]
async fn a_webhook_that_is_too_busy_is_told_when_to_come_back() {
    let scene = scene_with(|settings| settings.limits.webhooks = 2, json!({})).await;
    ok(&scene.json(json!({"text": "1"})).await);
    ok(&scene.json(json!({"text": "2"})).await);
    let answer = scene.json(json!({"text": "3"})).await;
    refused(&answer, 429, "rate_limited");
    assert_eq!(answer.headers[header::RETRY_AFTER], "30");
    scene.world.wait(30);
    ok(&scene.json(json!({"text": "3"})).await);
}

#[tokio::test]
async fn a_request_for_a_webhook_is_refused_when_it_is_wrong() {
    let scene = scene().await;
    let path = format!("/v1/channels/{}/webhooks", scene.ops);
    for bad in [json!({"name": ""}), json!({"name": "x".repeat(65)})] {
        scene.world.post(&scene.ana.token, &path, bad).await.refused(422, "unprocessable");
    }
    scene.world.post(&scene.ana.token, &path, json!({"name": 5})).await.refused(400, "bad_request");
}
