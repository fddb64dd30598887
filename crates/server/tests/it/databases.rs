//! Moderation, from outside, on each database, with a restart in between.

use std::time::Duration;

use tidings_domain::{ChannelId, CommunityId, InviteCode, RestrictionKind};
use tidings_testkit::{Backend, World};
use tidings_wire::Code;
use tidings_wire::channel::{Purge, UpdateChannel};
use tidings_wire::community::CreateInvite;
use tidings_wire::moderation::Restrict;

use crate::realtime::sockets::{Ws, say, say_as, token};

async fn a_spammer_is_dealt_with(backend: Backend) {
    let world = World::on(1, backend).await;
    let (ana, ben) = (world.person("ana").await, world.person("ben").await);
    let client = ana.client();
    let crew = CommunityId(client.create_community("Crew", "crew").await.unwrap().id);
    let invite = client.create_invite(crew, &CreateInvite::default()).await.unwrap();
    let code = InviteCode(invite.code);
    ben.client().accept_invite(&code).await.unwrap();
    let general = ChannelId(client.channels().await.unwrap()[0].id);
    for number in 0..450 {
        say(&ben, general, &format!("buy this {number}")).await;
    }
    say(&ana, general, "stop it").await;

    let mut live = Ws::start(&world, &token(&world, &ben).await, None).await;
    let until =
        |seconds| Some(tidings_wire::Time(world.server().app().now().plus_seconds(seconds)));
    let mute = Restrict { reason: Some("ads".to_owned()), until: until(60) };
    client.restrict(RestrictionKind::Mute, crew, ben.id(), &mute).await.unwrap();
    let (_, event) = live.event().await;
    assert_eq!(
        (&event["type"], &event["data"]["user"]["username"]),
        (&"member.muted".into(), &"ben".into())
    );
    assert!(event["data"]["until"].is_string() && event["data"].get("reason").is_none());
    let refused = ben.client().send(general, &message("again")).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Forbidden));

    let ban = Restrict { reason: None, until: until(3_600) };
    client.restrict(RestrictionKind::Ban, crew, ben.id(), &ban).await.unwrap();
    // The ban is the last that they hear.
    let (_, left) = live.event().await;
    let (_, last) = live.event().await;
    assert_eq!((&left["type"], &last["type"]), (&"member.left".into(), &"member.banned".into()));
    say(&ana, general, "they are gone").await;
    let purge = Purge { user_id: Some(ben.id().0), ..Purge::default() };
    let purged = client.purge(general, &purge).await.unwrap();
    assert_eq!((purged.deleted, purged.more), (450, false));

    let world = if backend == Backend::Memory { world } else { world.restart().await };
    let ana = ana.log_in(world.server().client()).await;
    let ben = ben.log_in(world.server().client()).await;
    let refused = ben.accept_invite(&code).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Forbidden));
    assert_eq!(ana.restrictions(RestrictionKind::Ban, crew).await.unwrap().len(), 1);
    world.clock().advance(Duration::from_hours(1));
    ben.accept_invite(&code).await.unwrap();
    say_as(&ben, general, "sorry").await;

    let keep = UpdateChannel { retention_s: Some(60), ..UpdateChannel::default() };
    ana.update_channel(general, &keep).await.unwrap();
    world.clock().advance(Duration::from_secs(61));
    assert_eq!(world.server().app().retention().expire().await.unwrap(), 3);
    let wrong = world.server().store().check(&|_, _| ()).await.unwrap();
    assert_eq!(wrong, Vec::<String>::new());
    let acts = ana.audit_page(crew, None, 50).await.unwrap().items;
    let acts: Vec<_> = acts.iter().map(|act| act.action.as_str()).collect();
    assert_eq!(
        acts,
        ["channel.update", "channel.purge", "member.ban", "member.mute", "invite.create"]
    );
    world.stop().await;
}

fn message(body: &str) -> tidings_wire::message::CreateMessage {
    tidings_wire::message::CreateMessage {
        client_id: body.to_owned(),
        body: body.to_owned(),
        parent_id: None,
        broadcast: false,
        attachments: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spammer_is_dealt_with_on_sqlite() {
    Box::pin(a_spammer_is_dealt_with(Backend::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spammer_is_dealt_with_on_postgres() {
    Box::pin(a_spammer_is_dealt_with(Backend::Postgres)).await;
}
