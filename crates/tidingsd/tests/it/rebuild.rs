use tidings_client::search::SearchScope;
use tidings_domain::MessageId;
use tidings_storage::OperationRepository as _;
use tidings_storage_sql::{Options, SqlStore};

use crate::community::{everything, general, say};
use crate::daemon::Place;
use crate::export;

async fn projections(place: &Place) -> Vec<String> {
    let url = format!("sqlite:{}", place.data().join("tidings.db").display());
    let store = SqlStore::open(&Options { url, generation: 1 }).await.unwrap();
    let lines = store.dump_projections().await.unwrap();
    store.close().await;
    lines
}

#[tokio::test]
async fn a_rebuilt_server_equals_the_live_one() {
    let place = Place::new();
    export::write(place.folder(), 300);
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    let first = say(ana.client(), channel, "salt and vinegar").await.unwrap();
    let second = say(ana.client(), channel, "to be deleted").await.unwrap();
    ana.client().edit(MessageId(first.id), "salt and pepper").await.unwrap();
    ana.client().react(MessageId(first.id), "👍").await.unwrap();
    ana.client().delete_message(MessageId(second.id)).await.unwrap();
    daemon.stop();
    place.run(&["import", "slack", "export.zip", "--community", "club"]).ok();

    let live = projections(&place).await;
    assert!(live.len() > 300);
    let told = place.run(&["rebuild"]).ok();
    assert!(told.contains("entries were replayed"), "{told}");
    assert_eq!(projections(&place).await, live);

    let daemon = place.serve();
    let client = ana.log_in(daemon.client()).await;
    let found = async |words: &str| {
        let hits = client.search(words, &SearchScope::default()).await.unwrap().items;
        hits.into_iter().map(|hit| hit.message.body).collect::<Vec<_>>()
    };
    assert_eq!(found("pepper").await, ["salt and pepper"]);
    assert!(found("vinegar").await.is_empty() && found("deleted").await.is_empty());
    assert_eq!(found("\"number 299\"").await.len(), 1);
    assert!(everything(&client).await.iter().any(|line| line.contains("👍 1")));
}
