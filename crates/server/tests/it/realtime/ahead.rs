//! The store may be ahead of the hub: whoever begins then sees what the log says all the same.

use std::sync::Arc;

use tidings_domain::{LogId, Position, Seq};
use tidings_server::realtime::hub::{self, HubHandle};
use tidings_server::realtime::queue::Queue;
use tidings_server::realtime::subscription::Subscription;
use tidings_storage::{CommittedBatch, CommittedEntry, Store};
use tidings_wire::event::decode_data;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::sockets::say;
use super::{Room, create, room};

/// A hub of our own beside the server's, which hears of commits when the test says so.
struct Held {
    store: Arc<dyn Store>,
    hub: HubHandle,
    tail: mpsc::Sender<Arc<CommittedBatch>>,
    generation: u64,
    /// Up to where the hub has heard.
    told: Position,
}

impl Held {
    async fn beside(room: &Room) -> Self {
        let store = Arc::clone(room.world.server().store());
        let (generation, told) = (store.generation().await.unwrap(), store.head().await.unwrap());
        let (tail, batches) = mpsc::channel(1);
        let (hub, start) = hub::new(generation, told);
        // It ends with its tail.
        let tasks = TaskTracker::new();
        tasks.spawn(start(batches, Box::new(|_| {}), CancellationToken::new()).run());
        Self { store, hub, tail, generation, told }
    }

    async fn begin(&self, room: &Room, since: Option<Position>) -> Subscription {
        let (store, hub) = (Arc::clone(&self.store), self.hub.clone());
        Subscription::begin(store, hub, room.ben.id(), self.generation, since).await.unwrap()
    }

    /// Hands out everything of a log that was held back, at once.
    async fn catch_up(&mut self, room: &Room, log: LogId) {
        let entries = self.store.entries(log, Seq(0), 100).await.unwrap();
        let entries: Vec<_> = entries
            .into_iter()
            .filter(|entry| entry.position > self.told)
            .map(|entry| CommittedEntry {
                position: entry.position,
                log,
                seq: entry.seq,
                community: entry.community,
                actor: entry.actor,
                fact: entry
                    .data
                    .map(|(data, _)| Arc::new(decode_data(&entry.kind, &data).unwrap())),
                event: bytes::Bytes::new(),
            })
            .collect();
        self.told = entries.last().unwrap().position;
        self.tail.send(Arc::new(CommittedBatch { entries })).await.unwrap();
        // Commands come after the tail: when this is answered, the batch is out.
        let _ = self.hub.attach(room.ana.id(), &Arc::new(Queue::default()), None).await.unwrap();
        assert_eq!(self.hub.head(), self.told);
    }
}

/// The types of all events in this log's channel that wait.
async fn kinds(subscription: &mut Subscription) -> Vec<String> {
    let mut kinds = Vec::new();
    loop {
        let deliveries = subscription.take().await.unwrap();
        if deliveries.is_empty() {
            return kinds;
        }
        let events = deliveries.iter().flat_map(|delivery| delivery.events());
        kinds.extend(events.map(|event| event.kind.to_string()));
    }
}

#[tokio::test]
async fn who_leaves_before_the_hub_hears_of_it_sees_the_leaving_last() {
    let room = room().await;
    let mut held = Held::beside(&room).await;
    let start = held.told;
    say(&room.ana, room.channel, "with ben").await;
    room.ben.client().leave_channel(room.channel).await.unwrap();
    say(&room.ana, room.channel, "without ben").await;
    let mut ben = held.begin(&room, Some(start)).await;
    let mut seen = kinds(&mut ben).await;
    held.catch_up(&room, LogId::Conversation(room.channel)).await;
    seen.extend(kinds(&mut ben).await);
    assert_eq!(seen, ["member.left"]);
}

#[tokio::test]
async fn who_joins_before_the_hub_hears_of_it_sees_the_joining_first() {
    let room = room().await;
    let channel = create(&room.ana, room.community, "later").await;
    let mut held = Held::beside(&room).await;
    let start = held.told;
    say(&room.ana, channel, "without ben").await;
    room.ben.client().join_channel(channel).await.unwrap();
    say(&room.ana, channel, "with ben").await;
    let mut ben = held.begin(&room, Some(start)).await;
    let mut late = held.begin(&room, None).await;
    let mut seen = kinds(&mut ben).await;
    held.catch_up(&room, LogId::Conversation(channel)).await;
    seen.extend(kinds(&mut ben).await);
    assert_eq!(seen, ["member.joined", "message.created"]);
    assert_eq!(kinds(&mut late).await, Vec::<String>::new(), "it began after all of that");
}

#[tokio::test]
async fn who_joins_in_one_batch_with_what_came_before_does_not_receive_that() {
    let room = room().await;
    let channel = create(&room.ana, room.community, "later").await;
    let mut held = Held::beside(&room).await;
    let mut ben = held.begin(&room, None).await;
    say(&room.ana, channel, "without ben").await;
    room.ben.client().join_channel(channel).await.unwrap();
    say(&room.ana, channel, "with ben").await;
    held.catch_up(&room, LogId::Conversation(channel)).await;
    assert_eq!(kinds(&mut ben).await, ["member.joined", "message.created"]);
}
