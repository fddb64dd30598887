//! Reports.

use std::sync::Arc;

use tidings_domain::{ChannelId, CommunityId, MessageId, ReportId, Role, UserId};
use uuid::Uuid;

use super::world::World;
use crate::report::StoredReport;
use crate::{Precondition, Record, Store};

async fn report(world: &World, community: Option<CommunityId>) -> StoredReport {
    let report = StoredReport {
        id: ReportId(world.id()),
        community_id: community,
        channel_id: ChannelId(world.id()),
        message_id: MessageId(world.id()),
        reporter: UserId(world.id()),
        reason: "spam".to_owned(),
        created_at: world.now(),
        resolved: None,
    };
    assert!(world.holds(Precondition::Unreported(report.message_id, report.reporter)).await);
    world.record(Record::Report(report.clone())).await;
    assert!(!world.holds(Precondition::Unreported(report.message_id, report.reporter)).await);
    report
}

pub async fn reports_are_listed_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store);
    let community = Some(CommunityId(world.id()));
    let first = report(&world, community).await;
    let second = report(&world, community).await;
    let direct = report(&world, None).await;
    world.record(Record::Report(StoredReport { id: ReportId(world.id()), ..first.clone() })).await;
    let list = async |community, open, before, limit| {
        world.store.reports(community, open, before, limit).await.unwrap()
    };
    let end = ReportId(Uuid::max());
    assert_eq!(list(community, true, end, 9).await, [second.clone(), first.clone()], "once each");
    assert_eq!(list(community, true, end, 1).await, std::slice::from_ref(&second));
    assert_eq!(list(community, false, second.id, 9).await, std::slice::from_ref(&first));
    assert_eq!(list(None, true, end, 9).await, std::slice::from_ref(&direct));
    let (by, at) = (UserId(world.id()), world.now());
    world.record(Record::ResolveReport(second.id, by, at)).await;
    world.record(Record::ResolveReport(second.id, UserId(world.id()), world.now())).await;
    let done = StoredReport { resolved: Some((by, at)), ..second };
    assert_eq!(world.store.report(done.id).await.unwrap(), Some(done.clone()), "by the first");
    assert_eq!(list(community, true, end, 9).await, std::slice::from_ref(&first));
    assert_eq!(list(community, false, end, 9).await, [done, first]);
    assert_eq!(world.store.report(ReportId(world.id())).await.unwrap(), None);
}

pub async fn owners_and_admins_keep_order(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user("owner").await;
    let (admin, member) = (world.user("admin").await, world.user("member").await);
    let community = world.community("acme", &owner).await;
    world.enlist(&community, &admin, Role::Admin).await;
    world.enlist(&community, &member, Role::Member).await;
    let mut expected = [owner.id, admin.id];
    expected.sort_unstable();
    let keepers = async |community, limit| world.store.keepers(community, limit).await.unwrap();
    assert_eq!(keepers(Some(community.id), 9).await, expected);
    assert_eq!(keepers(Some(community.id), 1).await, expected[..1]);
    assert_eq!(keepers(Some(CommunityId(world.id())), 9).await, []);
    let owners = keepers(None, 9).await;
    assert!(!owners.contains(&member.id), "{owners:?}");
}
