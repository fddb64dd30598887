use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn search_finds_only_what_the_caller_may_read() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let private =
        world.channel(&ana, &id, json!({"name": "secret", "visibility": "private"})).await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    world.say(&ana, &general, "the tiger sleeps").await;
    world.say(&ana, &private, "the tiger is hidden").await;
    world.say(&ana, &ops, "a tiger in #general and https://example.org").await;
    world.say(&bo, &general, "which Tiger?").await;

    let find = async |who: &crate::world::Person, query: &str| -> Vec<String> {
        let list = world.get(&who.token, &format!("/v1/search?{query}")).await.is(200);
        list["items"].as_array().unwrap().iter().map(|hit| text(&hit["message"]["body"])).collect()
    };
    assert_eq!(find(&ana, "q=tiger").await.len(), 4);
    let found = find(&bo, "q=tiger").await;
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], "which Tiger?");
    assert_eq!(find(&bo, "q=tiger+from:bo").await, ["which Tiger?"]);
    assert_eq!(find(&bo, "q=tiger+in:%23ops").await.len(), 1);
    assert_eq!(find(&bo, "q=tiger+has:link").await.len(), 1);
    assert_eq!(find(&bo, "q=tiger+in:secret").await.len(), 0);
    assert_eq!(find(&bo, "q=tiger+from:nobody").await.len(), 0);
    assert_eq!(find(&bo, &format!("q=tiger&channel={ops}")).await.len(), 1);
    assert_eq!(find(&bo, &format!("q=tiger&community={id}")).await.len(), 3);

    let path = "/v1/search?q=tiger&limit=2";
    let page = world.get(&bo.token, path).await.is(200);
    assert!(text(&page["items"][0]["highlight_html"]).contains("<mark>Tiger</mark>"));
    let next = format!("{path}&cursor={}", text(&page["next"]));
    assert_eq!(world.get(&bo.token, &next).await.is(200)["items"].as_array().unwrap().len(), 1);
    world.get(&bo.token, "/v1/search?q=x&cursor=no").await.refused(400, "bad_request");
    world.get(&bo.token, "/v1/search?q=from:").await.refused(422, "unprocessable");
}
