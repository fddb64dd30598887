//! Communities whose admins decide who comes in.

use http::StatusCode;
use serde_json::json;
use tidings_domain::{LogId, Seq};

use crate::world::{Person, World, nowhere, text};

/// The types of the newest entries in somebody's own log, oldest first.
async fn told(world: &World, who: &Person) -> Vec<String> {
    let log = LogId::User(who.id.parse().unwrap());
    let entries = world.app.store().entries(log, Seq(0), 1_000).await.unwrap();
    let joins = entries.into_iter().filter(|entry| entry.kind.starts_with("join."));
    joins.map(|entry| entry.kind).collect()
}

async fn accept(world: &World, who: &Person, code: &str) -> (StatusCode, serde_json::Value) {
    let answer = world.post(&who.token, &format!("/v1/invites/{code}/accept"), json!({})).await;
    (answer.status, answer.body)
}

struct Scene {
    world: World,
    ana: Person,
    admin: Person,
    bo: Person,
    acme: String,
    general: String,
}

/// Ana owns acme, somebody is its admin, and bo is not in it.
async fn scene() -> Scene {
    let world = World::new().await;
    let ana = world.owner().await;
    let (hall, _) = world.community(&ana, "hall").await;
    let (acme, general) = world.community(&ana, "acme").await;
    let admin = world.member_as(&ana, &acme, "admin", "admin").await;
    let bo = world.member(&ana, &hall, "bo").await;
    Scene { world, ana, admin, bo, acme, general }
}

#[tokio::test]
async fn who_uses_an_invite_with_approval_is_in_when_an_admin_says_so() {
    let Scene { world, ana, admin, bo, acme, general } = scene().await;
    let code = world.invite(&ana, &acme, json!({"approval": true, "max_uses": 1})).await;
    let preview = world.get("", &format!("/v1/invites/{code}")).await.is(200);
    assert_eq!(preview["approval"], true);
    let (status, request) = accept(&world, &bo, &code).await;
    assert_eq!(status, 202, "{request}");
    assert_eq!(
        (&request["community"], &request["state"], &request["user"]["username"]),
        (&json!("acme"), &json!("waiting"), &json!("bo"))
    );
    // Asked is not in, and asking again uses nothing and tells nobody.
    world.get(&bo.token, &format!("/v1/channels/{general}")).await.refused(404, "not_found");
    let again = accept(&world, &bo, &code).await;
    assert_eq!((again.0.as_u16(), &again.1), (202, &request));
    let path = format!("/v1/communities/{acme}/join-requests");
    let listed = world.get(&admin.token, &path).await.is(200);
    assert_eq!(listed["items"], json!([request]));
    let own = world.get(&bo.token, "/v1/me/join-requests").await.is(200);
    assert_eq!(own["items"], json!([request]));
    for who in [&ana, &admin, &bo] {
        assert_eq!(told(&world, who).await, ["join.requested"]);
    }
    // The invite was for one.
    let cy =
        world.register("cy", json!({"invite": world.invite(&ana, &acme, json!({})).await})).await;
    world.get(&cy.token, &path).await.refused(403, "forbidden");
    assert_eq!(accept(&world, &world.member(&ana, &acme, "dan").await, &code).await.0, 200);

    let approve = format!("{path}/{}/approve", bo.id);
    world.post(&admin.token, &approve, json!({})).await.is(204);
    assert_eq!(world.log(&bo, &general).await.last().unwrap(), "member.joined");
    for who in [&ana, &admin, &bo] {
        assert_eq!(told(&world, who).await, ["join.requested", "join.approved"]);
    }
    assert_eq!(world.get(&admin.token, &path).await.is(200)["items"], json!([]));
    world.post(&admin.token, &approve, json!({})).await.refused(404, "not_found");
    let audit = world.get(&ana.token, &format!("/v1/communities/{acme}/audit")).await.is(200);
    assert_eq!(audit["items"][0]["action"], "member.approve");
    assert_eq!(audit["items"][0]["target"]["id"], bo.id);
}

#[tokio::test]
async fn who_is_banned_cannot_ask() {
    let Scene { world, ana, bo, acme, .. } = scene().await;
    let code = world.invite(&ana, &acme, json!({"approval": true})).await;
    let open = world.invite(&ana, &acme, json!({})).await;
    assert_eq!(accept(&world, &bo, &open).await.0, 200);
    let ban = format!("/v1/communities/{acme}/bans/{}", bo.id);
    assert!(world.put(&ana.token, &ban, json!({})).await.status.is_success());
    assert_eq!(accept(&world, &bo, &code).await.0, 403);
    let path = format!("/v1/communities/{acme}/join-requests");
    assert_eq!(world.get(&ana.token, &path).await.is(200)["items"], json!([]));
}

#[tokio::test]
async fn who_was_refused_cannot_ask_again_for_a_week() {
    let Scene { world, ana, admin, bo, acme, general } = scene().await;
    let path = format!("/v1/communities/{acme}");
    world.patch(&admin.token, &path, json!({"approval": true})).await.is(200);
    assert_eq!(world.get(&ana.token, &path).await.is(200)["approval"], true);
    // The community's rule holds for every invite.
    let code = world.invite(&ana, &acme, json!({})).await;
    assert_eq!(accept(&world, &bo, &code).await.0, 202);
    let refuse = format!("{path}/join-requests/{}/refuse", bo.id);
    for _ in 0..2 {
        world.post(&admin.token, &refuse, json!({})).await.is(204);
    }
    for who in [&ana, &admin, &bo] {
        assert_eq!(told(&world, who).await, ["join.requested", "join.refused"]);
    }
    let own = world.get(&bo.token, "/v1/me/join-requests").await.is(200);
    assert_eq!(own["items"][0]["state"], "refused");
    assert_eq!(accept(&world, &bo, &code).await.0, 403);
    // A refusal cannot be taken back by whom it is about.
    let withdraw = format!("/v1/me/join-requests/{acme}");
    world.delete(&bo.token, &withdraw).await.refused(404, "not_found");

    world.wait(7 * 24 * 3600 - 1);
    let bo = Person { token: relogin(&world, &bo).await, ..bo };
    assert_eq!(accept(&world, &bo, &code).await.0, 403);
    world.wait(1);
    assert_eq!(accept(&world, &bo, &code).await.0, 202);
    world.post(&admin.token, &refuse, json!({})).await.is(204);
    // An admin thinks again.
    let approve = format!("{path}/join-requests/{}/approve", bo.id);
    world.post(&admin.token, &approve, json!({})).await.is(204);
    assert_eq!(world.log(&bo, &general).await.last().unwrap(), "member.joined");
}

async fn relogin(world: &World, who: &Person) -> String {
    let body = world.login(who, json!({})).await;
    text(&world.post("", "/v1/sessions", body).await.is(201)["session"]["token"])
}

#[tokio::test]
async fn newcomers_have_an_account_while_they_wait() {
    let Scene { world, ana, acme, general, .. } = scene().await;
    let code = world.invite(&ana, &acme, json!({"approval": true})).await;
    let cy = world.register("cy", json!({"invite": code})).await;
    assert_eq!(world.get(&cy.token, "/v1/communities").await.is(200)["items"], json!([]));
    world.get(&cy.token, &format!("/v1/channels/{general}")).await.refused(404, "not_found");
    let path = format!("/v1/communities/{acme}/join-requests");
    let listed = world.get(&ana.token, &path).await.is(200);
    assert_eq!(listed["items"][0]["user"]["username"], "cy");
    // Nobody else learns of it, and the waiting see nobody.
    world.get(&cy.token, &format!("/v1/users/{}", ana.id)).await.refused(404, "not_found");

    let withdraw = format!("/v1/me/join-requests/{acme}");
    world.delete(&cy.token, &withdraw).await.is(204);
    assert_eq!(told(&world, &ana).await, ["join.requested", "join.withdrawn"]);
    world.delete(&cy.token, &withdraw).await.refused(404, "not_found");
    let approve = format!("{path}/{}/approve", cy.id);
    world.post(&ana.token, &approve, json!({})).await.refused(404, "not_found");
    world
        .post(&ana.token, &format!("{path}/{}/refuse", nowhere()), json!({}))
        .await
        .refused(404, "not_found");
    // They may ask anew.
    assert_eq!(accept(&world, &cy, &code).await.0, 202);
    world.post(&ana.token, &approve, json!({})).await.is(204);
    assert_eq!(world.get(&cy.token, "/v1/communities").await.is(200)["items"][0]["id"], acme);
}
