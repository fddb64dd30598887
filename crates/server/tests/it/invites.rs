use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn an_invite_shows_where_it_leads_and_lets_people_in() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (first, _) = world.community(&ana, "first").await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &first, "bo").await;
    let path = format!("/v1/communities/{acme}/invites");
    let invite = world.post(&ana.token, &path, json!({"max_uses": 1})).await.is(201);
    let code = text(&invite["code"]);
    assert_eq!(code.len(), 22);
    assert_eq!(invite["url"], format!("http://localhost:8420/invite/{code}"));
    let preview = world.get("", &format!("/v1/invites/{code}")).await.is(200);
    assert_eq!(
        preview,
        json!({"community": "acme", "slug": "acme", "inviter": "ana", "approval": false})
    );
    let accept = format!("/v1/invites/{code}/accept");
    let joined = world.post(&bo.token, &accept, json!({})).await.is(200);
    assert_eq!((&joined["id"], &joined["my_role"]), (&json!(acme), &json!("member")));
    // Whoever is in stays in, and uses nothing.
    world.post(&bo.token, &accept, json!({})).await.is(200);
    assert_eq!(world.log(&bo, &general).await.last().unwrap(), "member.joined");
    let log = tidings_domain::LogId::Community(acme.parse().unwrap());
    let entries = world.app.store().entries(log, tidings_domain::Seq(0), 100).await.unwrap();
    let kinds: Vec<_> = entries.iter().rev().take(2).map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["member.joined", "invite.accepted"]);

    let cy = world.member(&ana, &first, "cy").await;
    world.post(&cy.token, &accept, json!({})).await.refused(410, "gone");
    world.get("", &format!("/v1/invites/{code}")).await.refused(410, "gone");
    world.get("", "/v1/invites/wrong").await.refused(404, "not_found");
}

#[tokio::test]
async fn invites_expire_and_are_taken_back() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let short = world.invite(&ana, &acme, json!({"expires_in_s": 60})).await;
    let long = world.invite(&ana, &acme, json!({})).await;
    world.wait(60);
    world.get("", &format!("/v1/invites/{short}")).await.refused(410, "gone");
    let path = format!("/v1/communities/{acme}/invites");
    let list = world.get(&ana.token, &path).await.is(200);
    let codes: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|i| text(&i["code"])).collect();
    assert!(codes.contains(&long) && !codes.contains(&short));
    world.delete(&bo.token, &format!("/v1/invites/{long}")).await.refused(403, "forbidden");
    world.delete(&ana.token, &format!("/v1/invites/{long}")).await.is(204);
    world.get("", &format!("/v1/invites/{long}")).await.refused(404, "not_found");
    for bad in [json!({"max_uses": 0}), json!({"expires_in_s": 0}), json!({"role": "king"})] {
        world.post(&ana.token, &path, bad).await.refused(422, "unprocessable");
    }
}

#[tokio::test]
async fn only_owners_invite_admins() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let admin = world.member_as(&ana, &acme, "adi", "admin").await;
    let path = format!("/v1/communities/{acme}/invites");
    world.post(&admin.token, &path, json!({"role": "admin"})).await.refused(403, "forbidden");
    world.post(&admin.token, &path, json!({})).await.is(201);
    let mine = world.get(&admin.token, &format!("/v1/communities/{acme}")).await.is(200);
    assert_eq!(mine["my_role"], "admin");
}

#[tokio::test]
async fn accepting_twice_at_a_time_is_accepting_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (first, _) = world.community(&ana, "first").await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &first, "bo").await;
    let accept = format!("/v1/invites/{}/accept", world.invite(&ana, &acme, json!({})).await);
    let (one, other) = tokio::join!(
        world.post(&bo.token, &accept, json!({})),
        world.post(&bo.token, &accept, json!({}))
    );
    assert_eq!(one.is(200), other.is(200));
    let joins = world.log(&ana, &general).await;
    assert_eq!(joins.iter().filter(|kind| *kind == "member.joined").count(), 2);
}
