//! Commands of bots.

use std::sync::Arc;

use tidings_domain::{ChannelId, CommunityId, Role, User, UserId};

use super::community::dismiss;
use super::world::World;
use crate::bot::StoredBot;
use crate::command::{StoredCommand, StoredInvocation};
use crate::{Change, Precondition, Record, Store};

fn command(community_id: CommunityId, bot: &User, name: &str) -> StoredCommand {
    StoredCommand {
        community_id,
        bot_id: bot.id,
        name: name.to_owned(),
        summary: "does \u{1f916} things".to_owned(),
        args: "[]".to_owned(),
    }
}

async fn names(world: &World, community: CommunityId) -> Vec<String> {
    let found = world.store.commands_of(community).await.unwrap();
    found.into_iter().map(|(command, bot)| format!("{} {}", command.name, bot.username)).collect()
}

pub async fn a_bots_commands_are_set_as_a_whole(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user("owner").await;
    let acme = world.community("acme", &owner).await;
    let (robo, other) = (world.user("robo").await, world.user("other").await);
    for bot in [&robo, &other] {
        world.enlist(&acme, bot, Role::Member).await;
    }
    let set = async |bot: &User, all: &[&str]| {
        let commands = all.iter().map(|name| command(acme.id, bot, name)).collect();
        world.record(Record::SetCommands(bot.id, commands)).await;
    };
    set(&robo, &["deploy-to", "deploy", "roll"]).await;
    set(&other, &["weather"]).await;
    let all = ["deploy robo", "deploy-to robo", "roll robo", "weather other"];
    assert_eq!(names(&world, acme.id).await, all);
    assert_eq!(names(&world, CommunityId(world.id())).await, [""; 0]);
    let free = async |bot: &User, name: &str| {
        world.holds(Precondition::CommandFree(acme.id, bot.id, name.to_owned())).await
    };
    assert!(free(&robo, "deploy").await, "its own is free to it");
    assert!(!free(&other, "deploy").await);
    assert!(free(&other, "fresh").await);
    set(&robo, &["roll", "undo"]).await;
    assert_eq!(names(&world, acme.id).await, ["roll robo", "undo robo", "weather other"]);
    let mine = world.store.bot_commands(robo.id).await.unwrap();
    assert_eq!(mine, ["roll", "undo"].map(|name| command(acme.id, &robo, name)));
    world.record(Record::UpdateUser(User { disabled: true, ..other.clone() })).await;
    assert_eq!(names(&world, acme.id).await, ["roll robo", "undo robo"]);
    dismiss(&world, &acme, &robo).await;
    assert_eq!(names(&world, acme.id).await, [""; 0], "who is gone offers nothing");
    world.record(Record::DeleteBot(robo.id)).await;
    assert_eq!(world.store.bot_commands(robo.id).await.unwrap(), []);
}

pub async fn an_invocation_is_kept_until_its_time_is_over(store: Arc<dyn Store>) {
    let world = World::new(store);
    let invocation = StoredInvocation {
        id: world.id(),
        bot_id: UserId(world.id()),
        user_id: UserId(world.id()),
        channel_id: ChannelId(world.id()),
        expires_at: world.now(),
    };
    let bot = StoredBot {
        user_id: invocation.bot_id,
        community_id: CommunityId(world.id()),
        scopes: "commands:run".parse().unwrap(),
        created_by: invocation.user_id,
        created_at: world.now(),
    };
    let records = vec![Record::CreateBot(bot), Record::CreateInvocation(invocation.clone())];
    world.commit(Change { records, ..Change::default() }).await;
    let found = async || world.store.invocation(invocation.id).await.unwrap();
    assert_eq!(found().await, Some(invocation.clone()));
    world.record(Record::Prune(invocation.expires_at)).await;
    assert_eq!(found().await, Some(invocation.clone()));
    world.record(Record::Prune(invocation.expires_at.plus_seconds(1))).await;
    assert_eq!(found().await, None);
}
