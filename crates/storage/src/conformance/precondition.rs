//! Each precondition: when it holds, and when a change is refused for it.

use std::sync::Arc;

use tidings_domain::{
    Channel, ChannelId, Community, CommunityId, Fact, IdentityKey, LogId, MessageId,
    RestrictionKind, Role, Seq, ServerRole, User, UserId, Visibility,
};

use super::community::invite;
use super::world::{World, author, log};
use crate::block::StoredBlock;
use crate::change::Precondition;
use crate::community::StoredInvite;
use crate::moderation::StoredRestriction;
use crate::{Record, Store};

pub async fn no_accounts(store: Arc<dyn Store>) {
    let world = World::new(store);
    world.ghost("ghost").await;
    assert!(world.holds(Precondition::NoAccounts).await);
    world.user("ana").await;
    assert!(!world.holds(Precondition::NoAccounts).await);
}

pub async fn user_active(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    assert!(world.holds(Precondition::UserActive(ana.id)).await);
    assert!(!world.holds(Precondition::UserActive(UserId(world.id()))).await);
    world.record(Record::UpdateUser(User { disabled: true, ..ana.clone() })).await;
    assert!(!world.holds(Precondition::UserActive(ana.id)).await);
}

pub async fn username_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let free = |name: &str| Precondition::UsernameFree(name.to_owned());
    let ghost = world.ghost("ana").await;
    assert!(!world.holds(free("ana")).await);
    world.record(Record::RenameUser(ghost.id, "ben".to_owned())).await;
    assert!(world.holds(free("ana")).await);
    assert!(!world.holds(free("ben")).await);
}

pub async fn not_blocked(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let clear = async || {
        let there = world.holds(Precondition::NotBlocked(ana.id, ben.id)).await;
        assert_eq!(there, world.holds(Precondition::NotBlocked(ben.id, ana.id)).await);
        there
    };
    assert!(clear().await);
    let created_at = world.now();
    world.record(Record::Block(StoredBlock { user_id: ben.id, blocked: ana.id, created_at })).await;
    assert!(!clear().await);
    world.record(Record::Unblock(ben.id, ana.id)).await;
    assert!(clear().await);
}

pub async fn identity_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    assert!(!world.holds(Precondition::IdentityFree(ana.identity.unwrap())).await);
    assert!(world.holds(Precondition::IdentityFree(IdentityKey([1; 32]))).await);
}

pub async fn chain_length(store: Arc<dyn Store>) {
    let world = World::new(store);
    let identity = IdentityKey(world.bytes());
    assert!(world.holds(Precondition::ChainLength(identity, 0)).await);
    let envelopes = vec![b"{}".to_vec(), b"{}".to_vec()];
    world.record(Record::AppendChain { identity, first: 0, envelopes }).await;
    for (length, holds) in [(0, false), (1, false), (2, true), (3, false)] {
        assert_eq!(world.holds(Precondition::ChainLength(identity, length)).await, holds);
    }
}

pub async fn challenge_unused(store: Arc<dyn Store>) {
    let world = World::new(store);
    let challenge = world.bytes();
    assert!(world.holds(Precondition::ChallengeUnused(challenge)).await);
    world.record(Record::UseChallenge(challenge, world.now())).await;
    assert!(!world.holds(Precondition::ChallengeUnused(challenge)).await);
}

pub async fn reset_usable(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (code, end) = (world.bytes(), world.now());
    let usable = |user, at| Precondition::ResetUsable(code, user, at);
    let before = end.plus_seconds(-1);
    assert!(!world.holds(usable(ana.id, before)).await);
    world.record(Record::CreateReset(code, ana.id, end)).await;
    assert!(world.holds(usable(ana.id, before)).await);
    assert!(!world.holds(usable(ben.id, before)).await);
    assert!(!world.holds(usable(ana.id, end)).await);
    world.record(Record::UseReset(code)).await;
    assert!(!world.holds(usable(ana.id, before)).await);
}

pub async fn user_unclaimed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ghost) = (world.user("ana").await, world.ghost("ghost").await);
    assert!(world.holds(Precondition::UserUnclaimed(ghost.id)).await);
    assert!(!world.holds(Precondition::UserUnclaimed(ana.id)).await);
    assert!(!world.holds(Precondition::UserUnclaimed(UserId(world.id()))).await);
    let identity = Some(IdentityKey(world.bytes()));
    world.record(Record::UpdateUser(User { identity, ..ghost.clone() })).await;
    assert!(!world.holds(Precondition::UserUnclaimed(ghost.id)).await);
}

pub async fn slug_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let free = |slug: &str, id| Precondition::SlugFree(slug.to_owned(), id);
    let other = CommunityId(world.id());
    assert!(world.holds(free("acme", acme.id)).await);
    assert!(!world.holds(free("acme", other)).await);
    assert!(world.holds(free("zoo", other)).await);
}

pub async fn community_role(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let role = |user: &User, role| Precondition::CommunityRole(acme.id, user.id, role);
    for least in [Role::Member, Role::Admin, Role::Owner] {
        assert!(world.holds(role(&ana, least)).await);
        assert!(!world.holds(role(&ben, least)).await);
    }
    world.enlist(&acme, &ben, Role::Admin).await;
    for (least, holds) in [(Role::Member, true), (Role::Admin, true), (Role::Owner, false)] {
        assert_eq!(world.holds(role(&ben, least)).await, holds);
    }
}

pub async fn not_in_community(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    assert!(!world.holds(Precondition::NotInCommunity(acme.id, ana.id)).await);
    assert!(world.holds(Precondition::NotInCommunity(acme.id, ben.id)).await);
}

pub async fn other_owner(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Admin).await;
    assert!(!world.holds(Precondition::OtherOwner(acme.id, ana.id)).await);
    assert!(world.holds(Precondition::OtherOwner(acme.id, ben.id)).await);
}

pub async fn invite_usable(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let now = world.now();
    let usable = |code| Precondition::InviteUsable(code, now);
    let counted = StoredInvite { max_uses: Some(1), ..invite(&world, acme.id, ana.id) };
    assert!(!world.holds(usable(counted.code_hash)).await);
    world.record(Record::CreateInvite(counted.clone())).await;
    assert!(world.holds(usable(counted.code_hash)).await);
    world.record(Record::UseInvite(counted.code_hash)).await;
    assert!(!world.holds(usable(counted.code_hash)).await);

    for (end, holds) in [(now, false), (now.plus_seconds(1), true)] {
        let timed = StoredInvite { expires_at: Some(end), ..invite(&world, acme.id, ana.id) };
        world.record(Record::CreateInvite(timed.clone())).await;
        assert_eq!(world.holds(usable(timed.code_hash)).await, holds);
    }
}

pub async fn channel_name_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (acme, zoo) = (world.community("acme", &ana).await, world.community("zoo", &ana).await);
    let ops = world.create(world.room(&acme, "ops"), &[&ana]).await;
    let other = ChannelId(world.id());
    let free = |community, id| Precondition::ChannelNameFree(community, "ops".to_owned(), id);
    assert!(!world.holds(free(acme.id, other)).await);
    assert!(world.holds(free(acme.id, ops.id)).await);
    assert!(world.holds(free(zoo.id, other)).await);
    let archived = Fact::ChannelArchived(Box::new(Channel { archived: true, ..ops.clone() }));
    world.append(log(&ops), ana.id, archived).await;
    assert!(world.holds(free(acme.id, other)).await);
}

pub async fn dm_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let both = vec![ana.id, ben.id];
    assert!(world.holds(Precondition::DmFree(both.clone())).await);
    world.dm(&[&ana, &ben]).await;
    assert!(!world.holds(Precondition::DmFree(both)).await);
    assert!(world.holds(Precondition::DmFree(vec![ana.id])).await);
}

pub async fn channel_open(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    assert!(world.holds(Precondition::ChannelOpen(room.id)).await);
    assert!(!world.holds(Precondition::ChannelOpen(ChannelId(world.id()))).await);
    let archived = Fact::ChannelArchived(Box::new(Channel { archived: true, ..room.clone() }));
    world.append(log(&room), ana.id, archived).await;
    assert!(!world.holds(Precondition::ChannelOpen(room.id)).await);
}

pub async fn in_channel(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana]).await;
    for (user, inside) in [(&ana, true), (&ben, false)] {
        assert_eq!(world.holds(Precondition::InChannel(room.id, user.id)).await, inside);
        assert_eq!(world.holds(Precondition::NotInChannel(room.id, user.id)).await, !inside);
    }
    world.leave(&room, &ana).await;
    assert!(!world.holds(Precondition::InChannel(room.id, ana.id)).await);
    assert!(world.holds(Precondition::NotInChannel(room.id, ana.id)).await);
}

pub async fn message_live(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (room, other) = (world.channel("a", &[&ana]).await, world.channel("b", &[&ana]).await);
    let message = world.say(&room, &ana, "hi").await;
    assert!(world.holds(Precondition::MessageLive(room.id, message.id)).await);
    assert!(!world.holds(Precondition::MessageLive(other.id, message.id)).await);
    assert!(!world.holds(Precondition::MessageLive(room.id, MessageId(world.id()))).await);
    world.delete(&message).await;
    assert!(!world.holds(Precondition::MessageLive(room.id, message.id)).await);
}

pub async fn message_top_level(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (room, other) = (world.channel("a", &[&ana]).await, world.channel("b", &[&ana]).await);
    let message = world.say(&room, &ana, "hi").await;
    let reply = world.reply(&message, &ana, "ho").await;
    assert!(world.holds(Precondition::MessageTopLevel(room.id, message.id)).await);
    assert!(!world.holds(Precondition::MessageTopLevel(other.id, message.id)).await);
    assert!(!world.holds(Precondition::MessageTopLevel(room.id, reply.id)).await);
    assert!(!world.holds(Precondition::MessageTopLevel(room.id, MessageId(world.id()))).await);
}

pub async fn reaction_addable(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let message = world.say(&room, &ana, "hi").await;
    let addable = |user: &User, emoji: &str| {
        Precondition::ReactionAddable(message.id, user.id, emoji.parse().unwrap(), 2)
    };
    world.react(&message, &ana, ":one:").await;
    assert!(!world.holds(addable(&ana, ":one:")).await);
    assert!(world.holds(addable(&ben, ":one:")).await);
    assert!(world.holds(addable(&ben, ":two:")).await);
    world.react(&message, &ben, ":two:").await;
    assert!(!world.holds(addable(&ana, ":three:")).await);
    assert!(world.holds(addable(&ana, ":two:")).await);
    world.unreact(&message, &ana, ":one:").await;
    assert!(world.holds(addable(&ana, ":three:")).await);
}

pub async fn reaction_there(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let message = world.say(&room, &ana, "hi").await;
    let there = |user: &User| {
        Precondition::ReactionThere(message.id, user.id, "\u{1f44d}".parse().unwrap())
    };
    assert!(!world.holds(there(&ana)).await);
    world.react(&message, &ana, "\u{1f44d}").await;
    assert!(world.holds(there(&ana)).await);
    assert!(!world.holds(there(&ben)).await);
    world.unreact(&message, &ana, "\u{1f44d}").await;
    assert!(!world.holds(there(&ana)).await);
}

pub async fn read_before(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let marker = world.view(&room, &ana).await.read_seq;
    let before = |seq| Precondition::ReadBefore(room.id, ana.id, seq);
    assert!(!world.holds(before(marker)).await);
    assert!(world.holds(before(marker.next())).await);
    world.read(&room, &ana, marker.next()).await;
    assert!(!world.holds(before(marker.next())).await);
    assert!(!world.holds(before(Seq(0))).await);
}

pub async fn source_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let free = || Precondition::SourceFree("slack/T1/U1".to_owned());
    assert!(world.holds(free()).await);
    let (source, target) = ("slack/T1/U1".to_owned(), world.id());
    world.record(Record::BindSource { source, target }).await;
    assert!(!world.holds(free()).await);
}

pub async fn thread_read_before(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let top = world.say(&room, &ana, "root").await;
    let before = |seq| Precondition::ThreadReadBefore(top.id, ana.id, seq);
    assert!(world.holds(before(Seq(0))).await);
    world.read_thread(&top, &ana, top.seq).await;
    assert!(!world.holds(before(top.seq)).await);
    assert!(world.holds(before(top.seq.next())).await);
    assert!(world.holds(Precondition::ThreadReadBefore(top.id, ben.id, Seq(0))).await);
}

pub async fn user_is(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ghost) = (world.user("ana").await, world.ghost("ghost").await);
    let is = |user: &User| Precondition::UserIs(Box::new(user.clone()));
    assert!(world.holds(is(&ana)).await);
    assert!(world.holds(is(&ghost)).await);
    for other in [
        User { username: "other".to_owned(), ..ana.clone() },
        User { display_name: "other".to_owned(), ..ana.clone() },
        User { identity: None, ..ana.clone() },
        User { identity: ana.identity, ..ghost.clone() },
        User { server_role: ServerRole::Owner, ..ana.clone() },
        User { bot: true, ..ana.clone() },
        User { discoverable: true, ..ana.clone() },
        User { status: "away".to_owned(), ..ana.clone() },
        User { disabled: true, ..ana.clone() },
        world.account("nobody"),
    ] {
        assert!(!world.holds(is(&other)).await, "{other:?}");
    }
    let now = User { status: "away".to_owned(), ..ana.clone() };
    world.record(Record::UpdateUser(now.clone())).await;
    assert_eq!((world.holds(is(&ana)).await, world.holds(is(&now)).await), (false, true));
}

pub async fn community_is(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    assert!(world.holds(Precondition::CommunityIs(acme.clone())).await);
    for other in [
        Community { name: "other".to_owned(), ..acme.clone() },
        Community { slug: "other".to_owned(), ..acme.clone() },
        Community { approval: true, ..acme.clone() },
        Community { id: CommunityId(world.id()), ..acme.clone() },
    ] {
        assert!(!world.holds(Precondition::CommunityIs(other)).await);
    }
}

pub async fn role_is(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let is = |user: &User, role| Precondition::RoleIs(acme.id, user.id, role);
    assert!(world.holds(is(&ana, Role::Owner)).await);
    // Unlike a right, a higher role is another one.
    assert!(!world.holds(is(&ana, Role::Member)).await);
    assert!(!world.holds(is(&ben, Role::Member)).await);
    world.enlist(&acme, &ben, Role::Member).await;
    assert!(world.holds(is(&ben, Role::Member)).await);
    let left = Fact::MemberLeft { user: author(&ben) };
    world.append(LogId::Community(acme.id), ben.id, left).await;
    assert!(!world.holds(is(&ben, Role::Member)).await);
}

pub async fn channel_is(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let room = world.create(world.room(&acme, "room"), &[&ana]).await;
    let is = |channel: &Channel| Precondition::ChannelIs(Box::new(channel.clone()));
    assert!(world.holds(is(&room)).await);
    for other in [
        Channel { name: Some("other".to_owned()), ..room.clone() },
        Channel { visibility: Visibility::Private, ..room.clone() },
        Channel { topic: "other".to_owned(), ..room.clone() },
        Channel { category: Some("other".to_owned()), ..room.clone() },
        Channel { archived: true, ..room.clone() },
        Channel { default: true, ..room.clone() },
        Channel { retention_s: Some(60), ..room.clone() },
        world.room(&acme, "another"),
    ] {
        assert!(!world.holds(is(&other)).await, "{other:?}");
    }
    let now = Channel { topic: "new".to_owned(), ..room.clone() };
    world.append(log(&room), ana.id, Fact::ChannelUpdated(Box::new(now.clone()))).await;
    assert_eq!((world.holds(is(&room)).await, world.holds(is(&now)).await), (false, true));
}

pub async fn not_restricted(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (acme, zoo) = (CommunityId(world.id()), CommunityId(world.id()));
    let (ben, end) = (UserId(world.id()), world.now());
    let free = |kind, community, now| Precondition::NotRestricted(kind, community, ben, now);
    let before = end.plus_seconds(-1);
    assert!(world.holds(free(RestrictionKind::Mute, acme, before)).await);
    let mute = StoredRestriction {
        community: acme,
        user: ben,
        kind: RestrictionKind::Mute,
        until: Some(end),
        reason: String::new(),
        actor: UserId::NIL,
        at: before,
    };
    world.record(Record::PutRestriction(mute.clone())).await;
    assert!(!world.holds(free(RestrictionKind::Mute, acme, before)).await);
    // It ends by itself.
    assert!(world.holds(free(RestrictionKind::Mute, acme, end)).await);
    assert!(world.holds(free(RestrictionKind::Ban, acme, before)).await);
    assert!(world.holds(free(RestrictionKind::Mute, zoo, before)).await);
    world.record(Record::PutRestriction(StoredRestriction { until: None, ..mute })).await;
    assert!(!world.holds(free(RestrictionKind::Mute, acme, end.plus_seconds(1 << 40))).await);
}

pub async fn retains(store: Arc<dyn Store>) {
    let world = World::new(store);
    let room = world.channel("room", &[]).await;
    assert!(!world.holds(Precondition::Retains(room.id, 60)).await);
    let erasing = Channel { retention_s: Some(60), ..room };
    let fact = Fact::ChannelUpdated(Box::new(erasing.clone()));
    world.append(log(&erasing), UserId::NIL, fact).await;
    assert!(world.holds(Precondition::Retains(erasing.id, 60)).await);
    assert!(!world.holds(Precondition::Retains(erasing.id, 61)).await);
    assert!(!world.holds(Precondition::Retains(ChannelId(world.id()), 60)).await);
}
