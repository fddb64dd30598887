//! Reminders.

use std::sync::Arc;

use tidings_domain::{ChannelId, Timestamp, UserId};

use super::world::World;
use crate::reminder::StoredReminder;
use crate::{Precondition, Record, Store};

fn reminder(world: &World, user_id: UserId, due_at: i64) -> StoredReminder {
    StoredReminder {
        id: world.id(),
        user_id,
        channel_id: ChannelId(world.id()),
        due_at: Timestamp(due_at),
        text: "tea \u{1f375}".to_owned(),
    }
}

pub async fn reminders_come_due_in_order(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, bo) = (UserId(world.id()), UserId(world.id()));
    assert_eq!(world.store.next_reminder().await.unwrap(), None);
    let late = reminder(&world, ana, 3_000);
    let soon = reminder(&world, bo, 1_000);
    let also = reminder(&world, ana, 1_000);
    for reminder in [&late, &soon, &also] {
        world.record(Record::PutReminder(reminder.clone())).await;
    }
    let due = async |now, limit| world.store.due_reminders(Timestamp(now), limit).await.unwrap();
    assert_eq!(due(999, 10).await, []);
    assert_eq!(due(1_000, 10).await, [soon.clone(), also.clone()]);
    assert_eq!(due(5_000, 2).await, [soon.clone(), also.clone()]);
    assert_eq!(due(5_000, 10).await, [soon.clone(), also.clone(), late.clone()]);
    assert_eq!(world.store.next_reminder().await.unwrap(), Some(Timestamp(1_000)));
    assert_eq!(world.store.reminders_of(ana).await.unwrap(), [also.clone(), late.clone()]);
    assert!(world.holds(Precondition::ReminderThere(also.id)).await);
    world.record(Record::DeleteReminder(also.id)).await;
    assert!(!world.holds(Precondition::ReminderThere(also.id)).await);
    assert_eq!(world.store.reminders_of(ana).await.unwrap().len(), 1);
    // Put again, it is put off.
    let later = StoredReminder { due_at: Timestamp(9_000), ..late };
    world.record(Record::PutReminder(later.clone())).await;
    assert_eq!(world.store.reminders_of(ana).await.unwrap(), [later]);
}
