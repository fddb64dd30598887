//! Bots and tokens.

use std::sync::Arc;

use tidings_domain::{CommunityId, Scope, Scopes, Timestamp, TokenId, User};

use super::world::World;
use crate::bot::{StoredBot, StoredToken};
use crate::{Record, Store};

fn scopes() -> Scopes {
    [Scope::MessagesRead, Scope::CommandsRun].into_iter().collect()
}

fn token(world: &World, user: &User, expires_at: Option<Timestamp>) -> StoredToken {
    StoredToken {
        id: TokenId(world.id()),
        user_id: user.id,
        name: "build \u{1f916}".to_owned(),
        scopes: scopes(),
        token_hash: world.bytes(),
        created_by: user.id,
        created_at: world.now(),
        last_used_at: None,
        expires_at,
    }
}

async fn create(world: &World, user: &User, expires_at: Option<Timestamp>) -> StoredToken {
    let token = token(world, user, expires_at);
    world.record(Record::CreateToken(token.clone())).await;
    token
}

pub async fn bots_are_found_by_account_and_community(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (here, there) = (CommunityId(world.id()), CommunityId(world.id()));
    let mut bots = Vec::new();
    for (name, community_id) in [("deploy", here), ("weather", here), ("other", there)] {
        let user = User { identity: None, bot: true, ..world.account(name) };
        world.record(Record::CreateUser(user.clone())).await;
        let bot = StoredBot {
            user_id: user.id,
            community_id,
            scopes: scopes(),
            created_by: ana.id,
            created_at: world.now(),
        };
        world.record(Record::CreateBot(bot.clone())).await;
        bots.push((bot, user));
    }
    let first = bots[0].1.id;
    assert_eq!(world.store.bot(first).await.unwrap().as_ref(), Some(&bots[0].0));
    assert_eq!(world.store.bot(ana.id).await.unwrap(), None);
    assert_eq!(world.store.bots_of(here).await.unwrap(), bots[..2]);
    world.record(Record::DeleteBot(first)).await;
    assert_eq!(world.store.bot(first).await.unwrap(), None);
    assert_eq!(world.store.bots_of(here).await.unwrap(), bots[1..2]);
}

pub async fn a_token_is_found_by_its_hash(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let token = create(&world, &ana, None).await;
    assert_eq!(world.store.token(token.id).await.unwrap(), Some(token.clone()));
    let found = world.store.token_by_hash(&token.token_hash).await.unwrap();
    assert_eq!(found, Some((token.clone(), ana)));
    assert_eq!(world.store.token_by_hash(&[1; 32]).await.unwrap(), None);
    let used = world.now();
    world.record(Record::TouchToken(token.id, used)).await;
    let found = world.store.token(token.id).await.unwrap();
    assert_eq!(found, Some(StoredToken { last_used_at: Some(used), ..token }));
}

pub async fn tokens_end_one_by_one_by_account_and_by_time(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let first = create(&world, &ana, None).await;
    let second = create(&world, &ana, Some(Timestamp(5_000))).await;
    let third = create(&world, &ana, Some(Timestamp(9_000))).await;
    let other = create(&world, &ben, None).await;
    world.record(Record::DeleteToken(first.id)).await;
    assert_eq!(world.store.token_by_hash(&first.token_hash).await.unwrap(), None);
    assert_eq!(world.store.tokens_of(ana.id).await.unwrap(), [second, third.clone()]);
    world.record(Record::Prune(Timestamp(9_000))).await;
    assert_eq!(world.store.tokens_of(ana.id).await.unwrap(), [third]);
    world.record(Record::DeleteTokens(ana.id)).await;
    assert_eq!(world.store.tokens_of(ana.id).await.unwrap(), []);
    assert_eq!(world.store.tokens_of(ben.id).await.unwrap(), [other]);
}
