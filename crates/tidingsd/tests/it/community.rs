//! Short ways to say things in a test.

use tidings_client::message::{Place, new_client_id};
use tidings_client::{Client, ClientError};
use tidings_domain::{ChannelId, CommunityId};
use tidings_testkit::Person;
use tidings_wire::channel::Channel;
use tidings_wire::message::{CreateMessage, Message};

/// Makes a community and gives its `#general`.
pub(crate) async fn general(person: &Person) -> ChannelId {
    let community = person.client().create_community("Club", "club").await.unwrap();
    let channels = person.client().channels_of(CommunityId(community.id)).await.unwrap();
    ChannelId(channels[0].id)
}

pub(crate) async fn say(
    client: &Client,
    channel: ChannelId,
    body: &str,
) -> Result<Message, ClientError> {
    let message = CreateMessage {
        client_id: new_client_id(),
        body: body.to_owned(),
        parent_id: None,
        broadcast: false,
        attachments: Vec::new(),
    };
    client.send(channel, &message).await
}

/// All top-level messages, oldest first.
pub(crate) async fn timeline(client: &Client, channel: ChannelId) -> Vec<Message> {
    let mut all: Vec<Message> = Vec::new();
    loop {
        let after = all.last().map_or(0, |message| message.seq);
        let page = client.messages(channel, Place::After(after), 200).await.unwrap();
        if page.items.is_empty() {
            return all;
        }
        all.extend(page.items);
    }
}

pub(crate) async fn bodies(client: &Client, channel: ChannelId) -> Vec<String> {
    timeline(client, channel).await.into_iter().map(|message| message.body).collect()
}

/// Every channel of one's communities, with what was said in it; without ids and places, which
/// differ from import to import.
pub(crate) async fn everything(client: &Client) -> Vec<String> {
    let mut channels = Vec::new();
    for community in client.communities().await.unwrap() {
        channels.extend(client.channels_of(CommunityId(community.id)).await.unwrap());
    }
    let mut lines = Vec::new();
    for channel in channels {
        let Channel { id, name, topic, archived, .. } = channel;
        let name = name.unwrap_or_default();
        lines.push(format!("#{name} {topic:?} {archived}"));
        for message in timeline(client, ChannelId(id)).await {
            lines.push(format!("#{name} {}", line(&message)));
            if message.reply_count > 0 {
                let thread = tidings_domain::MessageId(message.id);
                let replies = client.replies(ChannelId(id), thread, Place::After(0), 200).await;
                for reply in replies.unwrap().items {
                    lines.push(format!("#{name} > {}", line(&reply)));
                }
            }
        }
    }
    lines.sort();
    lines
}

fn line(message: &Message) -> String {
    let Message { author, created_at, body, deleted, reactions, .. } = message;
    let reactions: Vec<_> =
        reactions.iter().map(|it| format!("{} {}", it.emoji, it.count)).collect();
    let mut body = body.clone();
    for mention in message.mentions.iter().filter_map(|mention| mention.id) {
        body = body.replace(&mention.to_string(), "ID");
    }
    format!("{created_at} {} {body:?} {deleted} {reactions:?}", author.username)
}
