//! Jobs.

use std::sync::Arc;

use tidings_domain::{JobId, Timestamp};

use super::world::World;
use crate::job::{JobKind, StoredJob};
use crate::{Change, Precondition, Record, Refusal, Store};

async fn create(world: &World, due: i64) -> StoredJob {
    let job = StoredJob {
        id: JobId(world.id()),
        kind: JobKind::Delivery,
        payload: r#"{"a":"é"}"#.to_owned(),
        due: Timestamp(due),
        attempts: 0,
        created_at: world.now(),
    };
    world.record(Record::CreateJob(job.clone())).await;
    job
}

fn begin(job: &StoredJob, until: i64) -> Change {
    Change {
        preconditions: vec![Precondition::JobIs(job.id, job.attempts, job.due)],
        records: vec![Record::BeginJob(job.id, Timestamp(until))],
        ..Change::default()
    }
}

pub async fn jobs_come_when_they_are_due(store: Arc<dyn Store>) {
    let world = World::new(store);
    assert_eq!(world.store.next_job().await.unwrap(), None);
    let late = create(&world, 30).await;
    let early = create(&world, 10).await;
    let middle = create(&world, 20).await;
    assert_eq!(world.store.next_job().await.unwrap(), Some(Timestamp(10)));
    assert_eq!(world.store.jobs_due(Timestamp(9), 10).await.unwrap(), []);
    let due = world.store.jobs_due(Timestamp(20), 10).await.unwrap();
    assert_eq!(due, [early.clone(), middle.clone()]);
    let first = world.store.jobs_due(Timestamp(99), 1).await.unwrap();
    assert_eq!(first, due.get(..1).unwrap());
    // A job that waits is not made a second time.
    let twin = StoredJob { due: Timestamp(5), payload: "{}".to_owned(), ..late.clone() };
    world.record(Record::CreateJob(twin)).await;
    world.record(Record::DeleteJob(early.id)).await;
    world.record(Record::PutOffJob(middle.id, Timestamp(40))).await;
    let due = world.store.jobs_due(Timestamp(99), 10).await.unwrap();
    assert_eq!(due, [late, StoredJob { due: Timestamp(40), ..middle }]);
}

pub async fn of_two_takers_of_a_job_one_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store);
    let job = create(&world, 10).await;
    let (one, other) =
        tokio::join!(world.store.commit(begin(&job, 60)), world.store.commit(begin(&job, 61)));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let until = Timestamp(if one.is_ok() { 60 } else { 61 });
    let taken = StoredJob { attempts: 1, due: until, ..job.clone() };
    assert_eq!(world.store.jobs_due(Timestamp(59), 10).await.unwrap(), []);
    let due = world.store.jobs_due(Timestamp(61), 10).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&taken));
    // The lease ends, another one takes it, and the first one comes too late.
    world.commit(begin(&taken, 90)).await;
    let done = Change {
        preconditions: vec![Precondition::JobIs(taken.id, taken.attempts, taken.due)],
        records: vec![Record::DeleteJob(taken.id)],
        ..Change::default()
    };
    let refusal = world.refusal(done).await;
    assert!(matches!(refusal, Refusal::Precondition(Precondition::JobIs(..))));
    assert_eq!(world.store.next_job().await.unwrap(), Some(Timestamp(90)));
    world.record(Record::RenewJob(job.id, Timestamp(95))).await;
    let renewed = StoredJob { attempts: 1, due: Timestamp(95), ..job };
    assert_eq!(world.store.jobs_due(Timestamp(99), 10).await.unwrap(), [renewed]);
}
