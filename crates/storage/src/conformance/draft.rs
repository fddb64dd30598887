//! Drafts.

use std::sync::Arc;

use tidings_domain::{ChannelId, MessageId, UserId};

use super::world::World;
use crate::draft::StoredDraft;
use crate::{Record, Store};

async fn put(world: &World, user: UserId, parent: Option<MessageId>, body: &str) -> StoredDraft {
    let draft = StoredDraft {
        user_id: user,
        channel_id: ChannelId(uuid::Uuid::from_u128(7)),
        parent_id: parent,
        body: body.to_owned(),
        updated_at: world.now(),
    };
    world.record(Record::PutDraft(draft.clone())).await;
    draft
}

pub async fn one_draft_for_each_place(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (UserId(world.id()), UserId(world.id()));
    let thread = Some(MessageId(world.id()));
    put(&world, ana, None, "first").await;
    let inside = put(&world, ana, thread, "in a thread").await;
    let other = put(&world, ben, None, "of another").await;
    let later = put(&world, ana, None, "later \u{1f916}").await;
    let place = later.channel_id;
    let drafts = async |user| world.store.drafts(user).await.unwrap();
    assert_eq!(drafts(ana).await, [later.clone(), inside.clone()], "the latest first");
    assert_eq!(drafts(ben).await, [other]);
    let one = async |parent| world.store.draft(ana, place, parent).await.unwrap();
    assert_eq!((one(None).await, one(thread).await), (Some(later), Some(inside.clone())));
    assert_eq!(one(Some(MessageId(world.id()))).await, None);
    world.record(Record::DeleteDraft(ana, place, None)).await;
    world.record(Record::DeleteDraft(ana, place, None)).await;
    assert_eq!(drafts(ana).await, [inside]);
    assert_eq!(drafts(ben).await.len(), 1);
}
