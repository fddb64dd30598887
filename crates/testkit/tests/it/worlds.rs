use std::time::Duration;

use tidings_testkit::{Backend, World};

async fn two_people_meet(backend: Backend) {
    let world = World::on(7, backend).await;
    let ana = world.person("ana").await;
    let bo = world.person("bo").await;
    assert_ne!(ana.id(), bo.id());
    assert_eq!(ana.client().me().await.unwrap().server_role, "owner");
    assert_eq!(bo.client().me().await.unwrap().server_role, "user");
    assert!(world.stranger().me().await.is_err());

    let world = world.restart().await;
    let again = bo.log_in(world.stranger()).await;
    assert_eq!(again.me().await.unwrap().username, "bo");
    world.stop().await;
}

#[tokio::test]
async fn people_and_sessions_survive_a_restart_on_sqlite() {
    two_people_meet(Backend::Sqlite).await;
}

#[tokio::test]
async fn people_and_sessions_survive_a_restart_on_postgres() {
    two_people_meet(Backend::Postgres).await;
}

#[tokio::test]
async fn a_seed_repeats_ids_and_keys() {
    let (one, two) = (World::new(3).await, World::new(3).await);
    let (ana, again) = (one.person("ana").await, two.person("ana").await);
    assert_eq!(ana.identity().public(), again.identity().public());
    assert_eq!(ana.device().id, again.device().id);
}

#[tokio::test]
async fn time_passes_when_it_is_told_to() {
    let world = World::new(5).await;
    let ana = world.person("ana").await;
    world.clock().advance(Duration::from_hours(31 * 24));
    assert!(ana.client().me().await.is_err(), "a session ends after 30 days without use");
}
