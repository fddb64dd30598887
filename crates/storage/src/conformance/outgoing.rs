//! Outgoing webhooks.

use std::sync::Arc;

use tidings_domain::{ChannelId, CommunityId, LogId, Position, Role, Timestamp, UserId, WebhookId};

use super::world::{World, log};
use crate::outgoing::{ATTEMPTS_KEPT, StoredAttempt, StoredOutgoing};
use crate::{Precondition, Record, Store};

async fn create(
    world: &World,
    community_id: CommunityId,
    channel_id: Option<ChannelId>,
) -> StoredOutgoing {
    let webhook = StoredOutgoing {
        id: WebhookId(world.id()),
        community_id,
        channel_id,
        name: "ops \u{1f4e1}".to_owned(),
        url: "https://example.org/hook?x=1".to_owned(),
        events: vec!["member.joined".to_owned(), "message.created".to_owned()],
        generation: 0,
        rotated_at: None,
        revision: 0,
        position: Position(7),
        succeeded_at: None,
        disabled: None,
        created_by: UserId(world.id()),
        created_at: world.now(),
    };
    world.record(Record::CreateOutgoing(Box::new(webhook.clone()))).await;
    webhook
}

fn attempt(webhook: &StoredOutgoing, message: &str, attempt: u32, at: i64) -> StoredAttempt {
    StoredAttempt {
        webhook_id: webhook.id,
        message: message.to_owned(),
        attempt,
        event: "message.created".to_owned(),
        at: Timestamp(at),
        status: (attempt > 1).then_some(503),
        error: "example.org cannot be reached".to_owned(),
        next_at: (attempt == 1).then_some(Timestamp(at + 5)),
    }
}

pub async fn outgoing_webhooks_are_found_by_id_and_place(store: Arc<dyn Store>) {
    let world = World::new(store);
    let community = CommunityId(world.id());
    let channel = Some(ChannelId(world.id()));
    let whole = create(&world, community, None).await;
    let part = create(&world, community, channel).await;
    let other = create(&world, CommunityId(world.id()), None).await;
    let store = &world.store;
    assert_eq!(store.outgoing(part.id).await.unwrap(), Some(part.clone()));
    assert_eq!(store.outgoing(WebhookId(world.id())).await.unwrap(), None);
    let (of_whole, of_part) = (std::slice::from_ref(&whole), std::slice::from_ref(&part));
    assert_eq!(store.outgoing_of(community, None).await.unwrap(), of_whole);
    assert_eq!(store.outgoing_of(community, channel).await.unwrap(), of_part);
    let all = [whole.clone(), part.clone(), other.clone()];
    assert_eq!(store.outgoing_active().await.unwrap(), all);
    world.record(Record::DeleteOutgoing(part.id)).await;
    assert_eq!(store.outgoing(part.id).await.unwrap(), None);
    world.record(Record::DisableOutgoing(other.id, Timestamp(9), "gone".to_owned())).await;
    assert_eq!(store.outgoing_active().await.unwrap(), [whole]);
    let off = store.outgoing(other.id).await.unwrap().unwrap();
    assert_eq!((off.disabled, off.revision), (Some((Timestamp(9), "gone".to_owned())), 1));
}

pub async fn an_update_of_an_outgoing_webhook_keeps_its_place(store: Arc<dyn Store>) {
    let world = World::new(store);
    let webhook = create(&world, CommunityId(world.id()), None).await;
    assert!(world.holds(Precondition::OutgoingAt(webhook.id, Position(7))).await);
    assert!(world.holds(Precondition::OutgoingIs(webhook.id, 0)).await);
    world.record(Record::MoveOutgoing(webhook.id, Position(40))).await;
    world.record(Record::AcceptOutgoing(webhook.id, Timestamp(12))).await;
    let changed = StoredOutgoing {
        name: "other".to_owned(),
        url: "https://example.org/2".to_owned(),
        events: Vec::new(),
        generation: 3,
        rotated_at: Some(Timestamp(11)),
        disabled: Some((Timestamp(13), "by hand".to_owned())),
        ..webhook.clone()
    };
    world.record(Record::UpdateOutgoing(Box::new(changed.clone()))).await;
    let kept = StoredOutgoing {
        position: Position(40),
        succeeded_at: Some(Timestamp(12)),
        revision: 1,
        ..changed.clone()
    };
    assert_eq!(world.store.outgoing(webhook.id).await.unwrap(), Some(kept));
    assert!(!world.holds(Precondition::OutgoingAt(webhook.id, Position(7))).await);
    assert!(world.holds(Precondition::OutgoingAt(webhook.id, Position(40))).await);
    assert!(!world.holds(Precondition::OutgoingIs(webhook.id, 0)).await);
    world.record(Record::UpdateOutgoing(Box::new(webhook.clone()))).await;
    let again = world.store.outgoing(webhook.id).await.unwrap().unwrap();
    assert_eq!((again.disabled, again.rotated_at, again.generation), (None, None, 0));
}

pub async fn the_newest_attempts_are_kept(store: Arc<dyn Store>) {
    let world = World::new(store);
    let webhook = create(&world, CommunityId(world.id()), None).await;
    let other = create(&world, CommunityId(world.id()), None).await;
    let first = attempt(&webhook, "msg_1", 1, 1);
    let second = attempt(&webhook, "msg_1", 2, 2);
    world.record(Record::PutAttempt(first.clone())).await;
    world.record(Record::PutAttempt(second.clone())).await;
    let kept = world.store.outgoing_attempts(webhook.id).await.unwrap();
    assert_eq!(kept, [second, first]);
    for at in 0..ATTEMPTS_KEPT {
        let at = i64::try_from(at).unwrap() + 10;
        world.record(Record::PutAttempt(attempt(&webhook, &format!("msg_at_{at}"), 1, at))).await;
    }
    let kept = world.store.outgoing_attempts(webhook.id).await.unwrap();
    assert_eq!((kept.len(), kept.last().unwrap().at), (ATTEMPTS_KEPT, Timestamp(10)));
    assert_eq!(world.store.outgoing_attempts(other.id).await.unwrap(), []);
    world.record(Record::DeleteOutgoing(webhook.id)).await;
    assert_eq!(world.store.outgoing_attempts(webhook.id).await.unwrap(), []);
    // A late attempt of what is gone leaves nothing.
    world.record(Record::PutAttempt(attempt(&webhook, "msg_1", 3, 99))).await;
    assert_eq!(world.store.outgoing_attempts(webhook.id).await.unwrap(), []);
}

pub async fn happenings_are_those_of_the_community(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let community = world.community("acme", &ana).await;
    let other = world.community("other", &ana).await;
    let channel = world.create(world.room(&community, "ops"), &[&ana]).await;
    let elsewhere = world.create(world.room(&other, "ops"), &[&ana]).await;
    let dm = world.dm(&[&ana]).await;
    let after = world.store.head().await.unwrap();
    let message = world.say(&channel, &ana, "one").await;
    world.say(&elsewhere, &ana, "two").await;
    world.say(&dm, &ana, "three").await;
    let bob = world.user("bob").await;
    world.enlist(&community, &bob, Role::Member).await;
    let deleted = world.delete(&message).await;

    let found = world.store.happenings(community.id, after, 100).await.unwrap();
    let seen: Vec<_> = found.items.iter().map(|it| (it.log, it.kind.as_str())).collect();
    let expected = [
        (log(&channel), "message.created"),
        (LogId::Community(community.id), "member.joined"),
        (log(&channel), "message.deleted"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(found.reached, world.store.head().await.unwrap());
    assert!(found.at_head);
    let part = world.store.happenings(community.id, after, 1).await.unwrap();
    assert_eq!((part.items.len(), part.at_head), (1, false));
    let rest = world.store.happenings(community.id, part.reached, 100).await.unwrap();
    assert_eq!(rest.items, found.items.get(1..).unwrap());

    let entry = world.store.entry_at(deleted.position).await.unwrap().unwrap();
    assert_eq!((entry.log, entry.community), (log(&channel), Some(community.id)));
    assert!(entry.fact.is_some());
    let erased = world.store.entry_at(found.items.first().unwrap().position).await.unwrap();
    assert!(erased.unwrap().fact.is_none());
    assert!(world.store.entry_at(Position(99_999)).await.unwrap().is_none());
}
