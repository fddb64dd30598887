//! Previews of links.

use std::sync::Arc;

use tidings_domain::message::Preview;
use tidings_domain::{Fact, LogId, Media, MediaId, Message, UserId};

use tidings_wire::event::decode_data;

use super::world::{World, one};
use crate::change::{Precondition, Refusal};
use crate::media::StoredMedia;
use crate::{Record, Store};

fn preview(url: &str, image: Option<Media>) -> Preview {
    Preview {
        url: url.to_owned(),
        title: "A page".to_owned(),
        description: "What it says".to_owned(),
        site: "example.org".to_owned(),
        image,
    }
}

fn previewing(world: &World, message: &Message, previews: Vec<Preview>) -> crate::NewEntry {
    // Of what comes with it only the previews count.
    let message = Message { previews, body: "changed".to_owned(), ..message.clone() };
    let log = LogId::Conversation(message.channel_id);
    world.entry(log, UserId::NIL, Fact::MessagePreviewed { message: Box::new(message) })
}

async fn picture(world: &World) -> Media {
    let media = Media {
        id: MediaId(world.id()),
        filename: "preview.jpg".to_owned(),
        content_type: "image/jpeg".to_owned(),
        size: 9,
        sha256: world.bytes(),
        dimensions: Some((4, 3)),
    };
    let stored = StoredMedia {
        media: media.clone(),
        uploader: UserId::NIL,
        channel: None,
        created_at: world.now(),
        used: true,
    };
    world.record(Record::CreateMedia(stored, format!("blob {}", media.id))).await;
    media
}

async fn newest(world: &World, message: &Message) -> Message {
    let stored = world.store.message(message.id, UserId::NIL).await.unwrap().unwrap();
    // The data of every version is a message of the same shape.
    let fact = decode_data("message.created", &stored.data.unwrap()).unwrap();
    let message = if let Fact::MessageCreated { message } = fact { Some(*message) } else { None };
    message.unwrap()
}

pub async fn previews_are_no_edit(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let channel = world.channel("room", &[&ana]).await;
    let message = world.say(&channel, &ana, "see https://example.org/").await;
    let image = picture(&world).await;
    let previews = vec![preview("https://example.org/", Some(image.clone()))];
    world.commit(one(previewing(&world, &message, previews.clone()))).await;

    let stored = world.store.message(message.id, ana.id).await.unwrap().unwrap();
    assert_eq!(stored.edited_at, None);
    let found = newest(&world, &message).await;
    assert_eq!((found.previews, found.body), (previews.clone(), message.body.clone()));
    assert_eq!(world.store.versions(message.id).await.unwrap().len(), 1);
    assert_eq!(world.store.media_uses(image.id).await.unwrap().channels, [channel.id]);
    assert_eq!(world.unread(&channel, &ana).await, (0, 0));

    // An edit keeps them until somebody has looked again.
    world.edit(&message, "see https://example.org/2").await;
    assert_eq!(newest(&world, &message).await.previews, previews);
    assert_eq!(world.store.versions(message.id).await.unwrap().len(), 2);
    let others = vec![preview("https://example.org/2", None)];
    world.commit(one(previewing(&world, &message, others.clone()))).await;
    let found = newest(&world, &message).await;
    assert_eq!((found.previews, found.body.as_str()), (others, "see https://example.org/2"));
    assert!(world.store.media_uses(image.id).await.unwrap().is_empty());

    let dump = world.store.dump_projections().await.unwrap();
    world.store.rebuild(&|_, _| {}).await.unwrap();
    assert_eq!(world.store.dump_projections().await.unwrap(), dump);
}

pub async fn previews_go_with_their_message(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let channel = world.channel("room", &[&ana]).await;
    let message = world.say(&channel, &ana, "see https://example.org/").await;
    let image = picture(&world).await;
    let shown = preview("https://example.org/", Some(image.clone()));
    let placed = world.commit(one(previewing(&world, &message, vec![shown.clone()]))).await;
    world.delete(&message).await;
    let log = LogId::Conversation(channel.id);
    let entries = world.store.entries(log, tidings_domain::Seq(0), 100).await.unwrap();
    let entry = entries.iter().find(|it| it.position == placed[0].position).unwrap();
    assert!(entry.data.is_none(), "what a page said outlives the message that led to it");
    assert!(world.store.media_uses(image.id).await.unwrap().is_empty());
    let refusal = world.refusal(one(previewing(&world, &message, vec![shown]))).await;
    assert!(matches!(refusal, Refusal::Precondition(Precondition::MessageLive(..))));
    let dump = world.store.dump_projections().await.unwrap();
    world.store.rebuild(&|_, _| {}).await.unwrap();
    assert_eq!(world.store.dump_projections().await.unwrap(), dump);
}

pub async fn previews_are_turned_off_and_on(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (here, there) = (world.id(), world.id());
    let on = async |owners: &[uuid::Uuid]| world.store.previews_on(owners).await.unwrap();
    assert!(on(&[here, there]).await);
    world.record(Record::SetPreviews(here, false)).await;
    world.record(Record::SetPreviews(here, false)).await;
    assert!(!on(&[here, there]).await && !on(&[there, here]).await && on(&[there]).await);
    world.record(Record::SetPreviews(here, true)).await;
    assert!(on(&[here, there]).await && on(&[]).await);
}
