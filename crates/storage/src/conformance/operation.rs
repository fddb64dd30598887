//! Settings, kept answers, import sources, pruning and checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidings_domain::{DeviceId, UserId};

use super::session::session;
use super::world::World;
use crate::change::Precondition;
use crate::operation::StoredResponse;
use crate::session::StoredSession;
use crate::{Record, Store};

pub async fn settings_are_replaced(store: Arc<dyn Store>) {
    let world = World::new(store);
    assert_eq!(world.store.setting("gateway").await.unwrap(), None);
    for value in [vec![0, 255, 1], vec![]] {
        world.record(Record::PutSetting("gateway", value.clone())).await;
        assert_eq!(world.store.setting("gateway").await.unwrap(), Some(value));
    }
    assert_eq!(world.store.setting("other").await.unwrap(), None);
}

fn response(world: &World, user: UserId) -> StoredResponse {
    StoredResponse {
        user_id: user,
        key: world.bytes(),
        request: world.bytes(),
        status: 201,
        body: Some(b"{}".to_vec()),
        expires_at: world.now().plus_seconds(3_600),
    }
}

pub async fn answers_are_kept_for_their_user_and_key(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let shown = response(&world, ana.id);
    let secret = StoredResponse { body: None, ..response(&world, ana.id) };
    for response in [&shown, &secret] {
        world.record(Record::PutResponse(response.clone())).await;
        let found = world.store.response(ana.id, &response.key).await.unwrap();
        assert_eq!(found.as_ref(), Some(response));
    }
    assert_eq!(world.store.response(ben.id, &shown.key).await.unwrap(), None);
}

pub async fn import_sources_are_found_in_the_order_of_the_question(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (one, two) = (world.id(), world.id());
    for (source, target) in [("slack/T1/C1/1.0", one), ("slack/T1/C1/2.0", two)] {
        world.record(Record::BindSource { source: source.to_owned(), target }).await;
    }
    let asked = ["slack/T1/C1/2.0", "never", "slack/T1/C1/1.0"].map(str::to_owned);
    assert_eq!(world.store.sources(&asked).await.unwrap(), [Some(two), None, Some(one)]);
    assert_eq!(world.store.sources(&[]).await.unwrap(), []);
}

pub async fn prune_forgets_what_has_ended(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let now = world.now().plus_seconds(100_000);
    let (before, after) = (now.plus_seconds(-1), now.plus_seconds(1));
    let mut kept = Vec::new();
    for end in [before, after] {
        let (challenge, reset) = (world.bytes(), world.bytes());
        let session =
            StoredSession { expires_at: end, ..session(&world, &ana, DeviceId(world.id())) };
        let response = StoredResponse { expires_at: end, ..response(&world, ana.id) };
        world.record(Record::UseChallenge(challenge, end)).await;
        world.record(Record::CreateReset(reset, ana.id, end)).await;
        world.record(Record::CreateSession(session.clone())).await;
        world.record(Record::PutResponse(response.clone())).await;
        kept.push((challenge, reset, session.id, response.key));
    }
    world.record(Record::Prune(now)).await;
    for ((challenge, reset, session, key), there) in kept.into_iter().zip([false, true]) {
        assert_eq!(world.holds(Precondition::ChallengeUnused(challenge)).await, !there);
        let usable = Precondition::ResetUsable(reset, ana.id, before.plus_seconds(-1));
        assert_eq!(world.holds(usable).await, there);
        assert_eq!(world.store.session(session).await.unwrap().is_some(), there);
        assert_eq!(world.store.response(ana.id, &key).await.unwrap().is_some(), there);
    }
}

pub async fn totals_count_everything(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    world.ghost("ghost").await;
    let room = world.dm(&[&ana]).await;
    let gone = world.say(&room, &ana, "one").await;
    world.say(&room, &ana, "two").await;
    world.delete(&gone).await;
    let totals = world.store.totals().await.unwrap();
    let counts = (totals.users, totals.channels, totals.messages, totals.entries);
    assert_eq!(counts, (2, 1, 2, 5));
}

pub async fn a_sound_store_has_nothing_wrong(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let gone = world.say(&room, &ana, "one").await;
    world.edit(&gone, "two").await;
    world.delete(&gone).await;
    let (seen, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let progress = |done: u64, of: u64| {
        seen.fetch_max(done, Ordering::Relaxed);
        total.fetch_max(of, Ordering::Relaxed);
    };
    let wrong = world.store.check(&progress).await.unwrap();
    assert_eq!(wrong, Vec::<String>::new());
    let head = world.store.head().await.unwrap().0;
    assert_eq!((seen.into_inner(), total.into_inner()), (head, head));
}

pub async fn ping_answers(store: Arc<dyn Store>) {
    store.ping().await.unwrap();
}
