//! Sign-in through others.

use std::sync::Arc;

use tidings_domain::{Timestamp, User, UserId};

use super::world::World;
use crate::signin::{GrantState, StoredGrant, StoredLink, StoredProvider};
use crate::{Precondition, Record, Store};

async fn configure(world: &World, id: &str) -> StoredProvider {
    let provider = StoredProvider {
        id: id.to_owned(),
        kind: "oidc".to_owned(),
        name: "Acme é".to_owned(),
        url: "https://id.example.org".to_owned(),
        client_id: "tidings".to_owned(),
        sealed_secret: vec![0, 1, 255],
        options: "{}".to_owned(),
        created_at: world.now(),
    };
    world.record(Record::PutProvider(provider.clone())).await;
    provider
}

async fn link(world: &World, provider: &str, subject: &str, user: &User) -> StoredLink {
    let link = StoredLink {
        provider: provider.to_owned(),
        subject: subject.to_owned(),
        user_id: user.id,
        label: format!("{subject} é"),
        granted: "[]".to_owned(),
        created_at: world.now(),
        last_used_at: world.now(),
    };
    world.record(Record::PutLink(link.clone())).await;
    link
}

fn free(provider: &str, subject: &str, user: &User) -> Precondition {
    Precondition::LinkFree(provider.to_owned(), subject.to_owned(), user.id)
}

pub async fn providers_are_replaced_and_go_with_their_links(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (second, first) = (configure(&world, "b").await, configure(&world, "a").await);
    assert_eq!(world.store.providers().await.unwrap(), [first.clone(), second.clone()]);
    let renamed = StoredProvider { name: "other".to_owned(), options: "[]".to_owned(), ..first };
    world.record(Record::PutProvider(renamed.clone())).await;
    assert_eq!(world.store.provider("a").await.unwrap(), Some(renamed));
    assert_eq!(world.store.provider("c").await.unwrap(), None);

    assert!(world.holds(Precondition::ProviderThere("a".to_owned())).await);
    let kept = link(&world, "b", "1", &ana).await;
    link(&world, "a", "1", &ana).await;
    assert!(world.store.has_links("a").await.unwrap());
    world.record(Record::DeleteProvider("a".to_owned())).await;
    assert!(!world.holds(Precondition::ProviderThere("a".to_owned())).await);
    assert!(!world.store.has_links("a").await.unwrap());
    assert_eq!(world.store.providers().await.unwrap(), [second]);
    assert_eq!(world.store.links_of(ana.id).await.unwrap(), [kept]);
}

pub async fn a_provider_knows_each_user_once(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    assert!(world.holds(free("a", "1", &ana)).await);
    let made = link(&world, "a", "1", &ana).await;
    assert!(!world.holds(free("a", "1", &ben)).await);
    assert!(!world.holds(free("a", "2", &ana)).await);
    assert!(world.holds(free("a", "2", &ben)).await);
    assert!(world.holds(free("b", "1", &ana)).await);
    assert_eq!(world.store.link("a", "1").await.unwrap(), Some(made.clone()));
    assert_eq!(world.store.link("b", "1").await.unwrap(), None);
    // Used again, it is the same link.
    let used = StoredLink { last_used_at: world.now(), granted: "[1]".to_owned(), ..made };
    world.record(Record::PutLink(used.clone())).await;
    let other = link(&world, "b", "1", &ana).await;
    assert_eq!(world.store.links_of(ana.id).await.unwrap(), [used.clone(), other.clone()]);
    world.record(Record::DeleteLinks(ana.id, Some("b".to_owned()))).await;
    assert_eq!(world.store.links_of(ana.id).await.unwrap(), [used]);
    let bens = link(&world, "b", "2", &ben).await;
    world.record(Record::DeleteLinks(ana.id, None)).await;
    assert_eq!(world.store.links_of(ana.id).await.unwrap(), []);
    assert_eq!(world.store.links_of(ben.id).await.unwrap(), [bens]);
}

pub async fn a_terminal_waits_until_somebody_answers(store: Arc<dyn Store>) {
    let world = World::new(store);
    let grant = StoredGrant {
        device_hash: world.bytes(),
        user_code: "BCDFGHJK".to_owned(),
        device_name: "a terminal é".to_owned(),
        created_at: world.now(),
        expires_at: Timestamp(9_000),
        interval_s: 5,
        state: GrantState::Pending,
    };
    let code_free = || Precondition::UserCodeFree(grant.user_code.clone(), 1);
    assert!(world.holds(code_free()).await);
    assert!(!world.holds(Precondition::UserCodeFree("X".to_owned(), 0)).await);
    world.record(Record::PutGrant(grant.clone())).await;
    assert!(!world.holds(code_free()).await);
    assert!(!world.holds(Precondition::UserCodeFree("X".to_owned(), 1)).await);
    assert!(world.holds(Precondition::UserCodeFree("X".to_owned(), 2)).await);
    let is = |grant: &StoredGrant| Precondition::GrantIs(Box::new(grant.clone()));
    assert!(world.holds(is(&grant)).await);
    assert_eq!(world.store.grant(&grant.device_hash).await.unwrap(), Some(grant.clone()));
    assert_eq!(world.store.grant(&[9; 32]).await.unwrap(), None);
    assert_eq!(world.store.grant_by_code("BCDFGHJK").await.unwrap(), Some(grant.clone()));
    assert_eq!(world.store.grant_by_code("X").await.unwrap(), None);

    let user = UserId(world.id());
    for state in [GrantState::Denied, GrantState::Approved(user)] {
        let answered = StoredGrant { state, interval_s: 10, ..grant.clone() };
        world.record(Record::PutGrant(answered.clone())).await;
        assert!(world.holds(is(&answered)).await);
        assert!(!world.holds(is(&grant)).await);
        assert_eq!(world.store.grant(&grant.device_hash).await.unwrap(), Some(answered));
    }
    world.record(Record::DeleteGrant(grant.device_hash)).await;
    assert_eq!(world.store.grant(&grant.device_hash).await.unwrap(), None);
    world.record(Record::PutGrant(grant.clone())).await;
    world.record(Record::Prune(Timestamp(9_000))).await;
    assert!(world.holds(is(&grant)).await);
    world.record(Record::Prune(Timestamp(9_001))).await;
    assert!(!world.holds(is(&grant)).await);
}

pub async fn a_setting_is_replaced_only_as_it_was_read(store: Arc<dyn Store>) {
    let world = World::new(store);
    let is = |value: Option<&[u8]>| Precondition::SettingIs("keys", value.map(<[u8]>::to_vec));
    assert!(world.holds(is(None)).await);
    assert!(!world.holds(is(Some(&[]))).await);
    world.record(Record::PutSetting("keys", vec![1, 2])).await;
    assert!(world.holds(is(Some(&[1, 2]))).await);
    assert!(!world.holds(is(None)).await);
    assert!(!world.holds(is(Some(&[1]))).await);
}
