//! Incoming webhooks.

use std::sync::Arc;

use tidings_domain::{ChannelId, UserId, WebhookId};

use super::world::World;
use crate::webhook::StoredWebhook;
use crate::{Change, Precondition, Record, Refusal, Store};

async fn create(world: &World, channel_id: ChannelId, signed: bool) -> StoredWebhook {
    let webhook = StoredWebhook {
        id: WebhookId(world.id()),
        channel_id,
        name: "ci \u{1f916}".to_owned(),
        token_hash: world.bytes(),
        signed,
        created_by: UserId(world.id()),
        created_at: world.now(),
    };
    world.record(Record::CreateWebhook(webhook.clone())).await;
    webhook
}

pub async fn webhooks_are_found_by_id_and_channel(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (here, there) = (ChannelId(world.id()), ChannelId(world.id()));
    let first = create(&world, here, false).await;
    let other = create(&world, there, true).await;
    let second = create(&world, here, true).await;
    let all = world.store.webhooks_of(here).await.unwrap();
    assert_eq!(all, [first.clone(), second.clone()]);
    assert_eq!(world.store.webhook(other.id).await.unwrap(), Some(other));
    assert!(world.holds(Precondition::WebhookThere(first.id)).await);
    world.record(Record::PutWebhookNote(first.id, [1; 32], "x".to_owned())).await;
    world.record(Record::DeleteWebhook(first.id)).await;
    assert!(!world.holds(Precondition::WebhookThere(first.id)).await);
    assert_eq!(world.store.webhook(first.id).await.unwrap(), None);
    assert_eq!(world.store.webhook_note(first.id, &[1; 32]).await.unwrap(), None);
    assert_eq!(world.store.webhooks_of(here).await.unwrap(), [second]);
}

pub async fn a_note_is_written_only_over_what_was_read(store: Arc<dyn Store>) {
    let world = World::new(store);
    let webhook = create(&world, ChannelId(world.id()), false).await;
    let key = [7; 32];
    let note = |read: Option<&str>, written: &str| Change {
        preconditions: vec![Precondition::WebhookNote(webhook.id, key, read.map(str::to_owned))],
        records: vec![Record::PutWebhookNote(webhook.id, key, written.to_owned())],
        ..Change::default()
    };
    world.commit(note(None, "one")).await;
    assert_eq!(world.store.webhook_note(webhook.id, &key).await.unwrap().as_deref(), Some("one"));
    for stale in [None, Some("two")] {
        let refusal = world.refusal(note(stale, "x")).await;
        assert!(matches!(refusal, Refusal::Precondition(Precondition::WebhookNote(..))));
    }
    world.commit(note(Some("one"), "two")).await;
    assert_eq!(world.store.webhook_note(webhook.id, &key).await.unwrap().as_deref(), Some("two"));
    assert_eq!(world.store.webhook_note(webhook.id, &[8; 32]).await.unwrap(), None);
}
