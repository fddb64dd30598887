//! Changes at the same time: nobody's is lost.

use serde_json::{Value, json};

use crate::world::{Person, World};

/// Sends both at once, and waits for both.
async fn both(world: &World, by: [&Person; 2], path: &str, bodies: [Value; 2]) {
    let [one, two] = bodies;
    let (one, two) =
        tokio::join!(world.patch(&by[0].token, path, one), world.patch(&by[1].token, path, two));
    one.is(200);
    two.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_of_different_fields_both_survive() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member_as(&ana, &id, "bo", "admin").await;
    let (channel, community) = (format!("/v1/channels/{general}"), format!("/v1/communities/{id}"));
    for round in 0..50 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let bodies = [json!({"topic": a}), json!({"category": b})];
        both(&world, [&ana, &bo], &channel, bodies).await;
        let now = world.get(&ana.token, &channel).await.is(200);
        assert_eq!((&now["topic"], &now["category"]), (&json!(a), &json!(b)), "{round}");

        both(&world, [&ana, &bo], &community, [json!({"name": a}), json!({"slug": b})]).await;
        let now = world.get(&ana.token, &community).await.is(200);
        assert_eq!((&now["name"], &now["slug"]), (&json!(a), &json!(b)), "{round}");

        let bodies = [json!({"display_name": a}), json!({"status": b})];
        both(&world, [&bo, &bo], "/v1/me", bodies).await;
        let now = world.get(&bo.token, "/v1/me").await.is(200);
        assert_eq!((&now["display_name"], &now["status"]), (&json!(a), &json!(b)), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_community_keeps_an_owner_however_fast_roles_change() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member_as(&ana, &id, "bo", "owner").await;
    for _ in 0..50 {
        // Each takes the other's role away; one of them is too late.
        let path = |of: &Person| format!("/v1/communities/{id}/members/{}", of.id);
        let (of_bo, of_ana) = (path(&bo), path(&ana));
        let member = json!({"role": "member"});
        let (one, two) = tokio::join!(
            world.patch(&ana.token, &of_bo, member.clone()),
            world.patch(&bo.token, &of_ana, member.clone())
        );
        let statuses = [one.status.as_u16(), two.status.as_u16()];
        let owner = match statuses {
            [200, 403 | 404 | 409] => &ana,
            [403 | 404 | 409, 200] => &bo,
            other => panic!("{other:?}"),
        };
        let other = if owner.id == ana.id { &of_bo } else { &of_ana };
        world.patch(&owner.token, other, json!({"role": "owner"})).await.is(200);
    }
}
