//! GitHub and Gitea: OAuth, and an API that says who somebody is.

use serde_json::json;
use tidings_testkit::OidcProvider;

use super::{configure, proof, ticket, world};
use crate::world::{World, text};

#[tokio::test]
async fn forges_sign_people_in_by_their_number() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let forge = OidcProvider::start();
    for kind in ["github", "gitea"] {
        let more = json!({
            "kind": kind, "url": format!("{}/", forge.url()), "registration": "open",
            "groups": [{"group": "tidings-chat", "community_id": acme, "role": "member"}],
        });
        configure(&world, &ana, &forge, kind, more).await;
        let behavior = json!({"sub": "583231", "username": "Octo-Cat", "groups": ["tidings-chat"]});
        forge.behave(behavior).await;
        let ticket = ticket(&world, &forge, kind).await;
        let info = world.post("", "/v1/auth/oauth/ticket", proof(&ticket)).await.is(200);
        assert_eq!((&info["label"], &info["username"]), (&json!("Octo-Cat"), &json!("octo-cat")));
        let bo = world.register(kind, json!({"sign_in": proof(&ticket)})).await;
        let communities = world.get(&bo.token, "/v1/communities").await.is(200);
        assert_eq!(communities["items"][0]["id"], acme);
        // Renamed there, they are the same person; somebody else under the old name is not.
        forge.behave(json!({"sub": "583231", "username": "renamed"})).await;
        let ticket = super::ticket(&world, &forge, kind).await;
        let signed_in = world.post("", "/v1/auth/oauth/session", proof(&ticket)).await.is(201);
        assert_eq!(text(&signed_in["user"]["id"]), bo.id);
        forge.behave(json!({"sub": "9", "username": "Octo-Cat"})).await;
        let ticket = super::ticket(&world, &forge, kind).await;
        let info = world.post("", "/v1/auth/oauth/ticket", proof(&ticket)).await.is(200);
        assert_eq!(info["linked"], false);
    }
}

#[tokio::test]
async fn a_forge_outside_of_the_public_internet_needs_leave() {
    let world = World::new().await;
    let ana = world.owner().await;
    for url in
        ["http://127.0.0.1:3000", "http://10.0.0.7", "http://[::1]/", "http://169.254.169.254"]
    {
        for kind in ["gitea", "github", "oidc"] {
            let body = json!({"kind": kind, "url": url, "client_id": "a", "client_secret": "b"});
            let answer = world.put(&ana.token, "/v1/admin/providers/x", body).await;
            answer.refused(422, "unprocessable");
        }
    }
}
