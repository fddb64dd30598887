//! Files: what carries them, who has how much, and when nothing needs them.

use std::sync::Arc;

use tidings_domain::{Channel, Media, MediaId, Message, Timestamp, User};

use super::world::World;
use crate::change::{Change, Precondition};
use crate::media::{StoredBlob, StoredMedia};
use crate::search::{Carries, SearchFilter};
use crate::{Record, Store};

/// A file of 100 bytes, each of them `byte`.
async fn upload(world: &World, user: &User, byte: u8, kind: &str) -> StoredMedia {
    let stored = StoredMedia {
        media: Media {
            id: MediaId(world.id()),
            filename: "a file".to_owned(),
            content_type: kind.to_owned(),
            size: 100,
            sha256: [byte; 32],
            dimensions: kind.starts_with("image/").then_some((640, 480)),
        },
        uploader: user.id,
        channel: None,
        created_at: world.now(),
        used: false,
    };
    let blob = format!("{byte}.{}", stored.media.id);
    world.record(Record::CreateMedia(stored.clone(), blob)).await;
    stored
}

/// Sends a message that carries files.
async fn carry(world: &World, room: &Channel, user: &User, files: &[&StoredMedia]) -> Message {
    let attachments = files.iter().map(|file| file.media.clone()).collect();
    let mut message = Message { attachments, ..world.draft(room, user, "see") };
    let records = files.iter().map(|file| Record::UseMedia(file.media.id)).collect();
    let entries = vec![world.sending(&message)];
    let change = Change { records, entries, ..Change::default() };
    message.seq = world.commit(change).await[0].seq;
    message
}

async fn orphans(world: &World, before: Timestamp) -> Vec<MediaId> {
    world.store.orphaned_media(before, 100).await.unwrap()
}

const LONG_AGO: Timestamp = Timestamp(0);

pub async fn a_file_is_kept_as_it_was_uploaded(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let plain = upload(&world, &ana, 1, "text/plain").await;
    let kept = world.store.media(plain.media.id).await.unwrap();
    assert_eq!(kept, Some(plain));
    let picture = upload(&world, &ana, 2, "image/png").await;
    let id = MediaId(world.id());
    let media = Media { id, ..picture.media.clone() };
    let bound = StoredMedia { media, channel: Some(room.id), ..picture };
    world.record(Record::CreateMedia(bound.clone(), "other".to_owned())).await;
    assert_eq!(world.store.media(id).await.unwrap(), Some(bound));
    assert_eq!(world.store.media(MediaId(world.id())).await.unwrap(), None);
}

pub async fn equal_bytes_share_the_first_blob(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let one = upload(&world, &ana, 1, "text/plain").await;
    let two = upload(&world, &ana, 1, "text/plain").await;
    let blob = StoredBlob { sha256: [1; 32], name: format!("1.{}", one.media.id) };
    assert_eq!(world.store.blob(&[1; 32]).await.unwrap(), Some(blob.clone()));
    assert_eq!(world.store.blob(&[2; 32]).await.unwrap(), None);
    let names = [blob.name.clone(), format!("1.{}", two.media.id)];
    assert_eq!(world.store.known_blobs(&names).await.unwrap(), [true, false]);
    for file in [one, two] {
        assert!(!world.holds(Precondition::BlobUnused([1; 32])).await);
        assert_eq!(world.store.unused_blobs(9).await.unwrap(), []);
        world.record(Record::DeleteMedia(file.media.id)).await;
    }
    assert!(world.holds(Precondition::BlobUnused([1; 32])).await);
    assert_eq!(world.store.unused_blobs(9).await.unwrap(), [blob]);
    world.record(Record::DeleteBlob([1; 32])).await;
    assert_eq!(world.store.blob(&[1; 32]).await.unwrap(), None);
    assert_eq!(world.store.unused_blobs(9).await.unwrap(), []);
}

pub async fn a_file_is_used_by_the_messages_that_carry_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let one = world.channel("one", &[&ana, &ben]).await;
    let two = world.channel("two", &[&ana]).await;
    let file = upload(&world, &ana, 1, "image/png").await;
    let id = file.media.id;
    assert!(world.store.media_uses(id).await.unwrap().is_empty());
    let first = carry(&world, &one, &ana, &[&file]).await;
    let again = carry(&world, &one, &ana, &[&file]).await;
    let other = carry(&world, &two, &ana, &[&file]).await;
    let mut expected = vec![one.id, two.id];
    expected.sort_unstable();
    assert_eq!(world.store.media_uses(id).await.unwrap().channels, expected);
    // An edit carries what was carried.
    world.edit(&first, "look").await;
    world.delete(&again).await;
    assert_eq!(world.store.media_uses(id).await.unwrap().channels, expected);
    world.delete(&first).await;
    assert_eq!(world.store.media_uses(id).await.unwrap().channels, [two.id]);
    world.delete(&other).await;
    assert!(world.store.media_uses(id).await.unwrap().is_empty());
    assert!(world.store.media(id).await.unwrap().unwrap().used);
}

pub async fn what_nothing_carries_is_an_orphan(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let carried = upload(&world, &ana, 1, "text/plain").await;
    let fresh = upload(&world, &ana, 2, "text/plain").await;
    let message = carry(&world, &room, &ana, &[&carried]).await;
    assert_eq!(orphans(&world, LONG_AGO).await, []);
    assert_eq!(orphans(&world, world.now()).await, [fresh.media.id]);
    world.delete(&message).await;
    assert_eq!(orphans(&world, LONG_AGO).await, [carried.media.id]);
    let orphaned = |file: &StoredMedia, at| Precondition::MediaOrphaned(file.media.id, at);
    assert!(world.holds(orphaned(&carried, LONG_AGO)).await);
    assert!(!world.holds(orphaned(&fresh, LONG_AGO)).await);
    assert!(!world.holds(orphaned(&fresh, fresh.created_at)).await);
    assert!(world.holds(orphaned(&fresh, world.now())).await);
    world.record(Record::DeleteMedia(carried.media.id)).await;
    assert!(!world.holds(orphaned(&carried, LONG_AGO)).await);
    assert_eq!(world.store.orphaned_media(world.now(), 0).await.unwrap(), []);
}

pub async fn only_who_uploaded_a_file_may_use_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let other = world.channel("other", &[&ana]).await;
    let file = upload(&world, &ana, 1, "text/plain").await;
    let usable = |user: &User, channel| Precondition::MediaUsable(file.media.id, user.id, channel);
    assert!(world.holds(usable(&ana, Some(room.id))).await);
    assert!(world.holds(usable(&ana, None)).await);
    assert!(!world.holds(usable(&ben, Some(room.id))).await);
    let message = carry(&world, &room, &ana, &[&file]).await;
    assert!(world.holds(usable(&ana, Some(other.id))).await);
    // What was deleted does not come back.
    world.delete(&message).await;
    assert!(!world.holds(usable(&ana, Some(room.id))).await);

    let media = Media { id: MediaId(world.id()), ..file.media.clone() };
    let bound = StoredMedia { media, channel: Some(room.id), used: false, ..file };
    world.record(Record::CreateMedia(bound.clone(), "bound".to_owned())).await;
    let usable = |channel| Precondition::MediaUsable(bound.media.id, ana.id, channel);
    assert!(world.holds(usable(Some(room.id))).await);
    assert!(!world.holds(usable(Some(other.id))).await);
    assert!(!world.holds(usable(None)).await);
}

pub async fn every_file_of_a_user_counts(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    assert_eq!(world.store.media_bytes(ana.id).await.unwrap(), 0);
    let file = upload(&world, &ana, 1, "text/plain").await;
    upload(&world, &ana, 1, "text/plain").await;
    upload(&world, &ben, 1, "text/plain").await;
    assert_eq!(world.store.media_bytes(ana.id).await.unwrap(), 200);
    assert!(world.holds(Precondition::StorageLeft(ana.id, 50, 250)).await);
    assert!(!world.holds(Precondition::StorageLeft(ana.id, 51, 250)).await);
    assert!(!world.holds(Precondition::StorageLeft(ana.id, 0, 199)).await);
    world.record(Record::DeleteMedia(file.media.id)).await;
    assert_eq!(world.store.media_bytes(ana.id).await.unwrap(), 100);
}

pub async fn files_and_pictures_are_found(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let text = upload(&world, &ana, 1, "text/plain").await;
    let picture = upload(&world, &ana, 2, "image/png").await;
    let one = carry(&world, &room, &ana, &[&text]).await;
    let two = carry(&world, &room, &ana, &[&text, &picture]).await;
    world.say(&room, &ana, "see").await;
    let head = world.store.head().await.unwrap();
    world.store.indexed(head).await.unwrap();
    for (carries, expected) in
        [(Carries::File, vec![two.id, one.id]), (Carries::Image, vec![two.id])]
    {
        let filter = SearchFilter {
            channels: vec![room.id],
            carries: vec![carries],
            ..SearchFilter::default()
        };
        let page = world.store.search(&filter, None, 10, ana.id).await.unwrap();
        let found: Vec<_> = page.messages.iter().map(|message| message.id).collect();
        assert_eq!(found, expected);
    }
}

pub async fn attachments_survive_a_rebuild(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let kept = upload(&world, &ana, 1, "text/plain").await;
    let lost = upload(&world, &ana, 2, "text/plain").await;
    let edited = carry(&world, &room, &ana, &[&kept]).await;
    world.edit(&edited, "look").await;
    let deleted = carry(&world, &room, &ana, &[&kept, &lost]).await;
    world.delete(&deleted).await;
    let live = world.store.dump_projections().await.unwrap();
    assert_eq!(live.iter().filter(|line| line.starts_with("attachments|")).count(), 1);
    world.store.rebuild(&|_, _| ()).await.unwrap();
    assert_eq!(world.store.dump_projections().await.unwrap(), live);
    assert_eq!(world.store.media_uses(kept.media.id).await.unwrap().channels, [room.id]);
    assert_eq!(orphans(&world, LONG_AGO).await, [lost.media.id]);
}
