//! What cases build with: ids, a clock, and one step for each thing that people do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidings_domain::fact::{Pin, Reaction};
use tidings_domain::message::Format;
use tidings_domain::user::ServerRole;
use tidings_domain::{
    Author, Channel, ChannelId, ChannelType, Community, CommunityId, Fact, IdentityKey, LogId,
    Mention, Message, MessageId, Notification, NotificationId, NotificationKind, Role, RoomKind,
    Seq, Timestamp, User, UserId, Visibility,
};
use uuid::Uuid;

use crate::change::{
    Change, ChangeError, Committed, NewEntry, Placed, Precondition, Record, Refusal,
};
use crate::channel::ChannelView;
use crate::{Dedupe, Store};

/// A store with a clock and a source of ids of its own: every run draws the same.
#[derive(Debug)]
pub struct World {
    pub store: Arc<dyn Store>,
    draws: AtomicU64,
    clock: AtomicI64,
    /// Which community each channel belongs to, for the entries of its log.
    homes: Mutex<HashMap<ChannelId, CommunityId>>,
}

impl World {
    pub fn new(store: Arc<dyn Store>) -> Self {
        // An ordinary day; any would do.
        let clock = AtomicI64::new(1_760_000_000_000);
        Self { store, draws: AtomicU64::new(1), clock, homes: Mutex::default() }
    }

    /// The next number of `SplitMix64` (Steele, Lea, Flood, 2014).
    pub fn draw(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.draws.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&self, end: usize) -> usize {
        usize::try_from(self.draw() % end as u64).unwrap()
    }

    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.draw().to_be_bytes());
        }
        bytes
    }

    /// Ids in order of time.
    pub fn id(&self) -> Uuid {
        let mut random = [0; 10];
        random.copy_from_slice(&self.bytes()[..10]);
        let now = u64::try_from(self.now().0).unwrap();
        uuid::Builder::from_unix_timestamp_millis(now, &random).into_uuid()
    }

    /// A second later than the last time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.fetch_add(1_000, Ordering::Relaxed))
    }

    pub async fn commit(&self, change: Change) -> Vec<Placed> {
        match self.store.commit(change).await.unwrap() {
            Committed::Appended(placed) => placed,
            Committed::Replayed(first) => unreachable!("nothing was sent before: {first:?}"),
        }
    }

    /// Commits a change that has to be refused.
    pub async fn refusal(&self, change: Change) -> Refusal {
        match self.store.commit(change).await {
            Err(ChangeError::Refused(refusal)) => refusal,
            other => unreachable!("expected a refusal: {other:?}"),
        }
    }

    /// Whether a precondition holds now.
    pub async fn holds(&self, precondition: Precondition) -> bool {
        let change = Change { preconditions: vec![precondition.clone()], ..Change::default() };
        match self.store.commit(change).await {
            Ok(_) => true,
            Err(ChangeError::Refused(Refusal::Precondition(failed))) => {
                assert_eq!(failed, precondition);
                false
            }
            Err(error) => unreachable!("{error}"),
        }
    }

    pub async fn record(&self, record: Record) {
        let placed = self.commit(Change { records: vec![record], ..Change::default() }).await;
        assert_eq!(placed, []);
    }

    pub fn entry(&self, log: LogId, actor: UserId, fact: Fact) -> NewEntry {
        let community = match log {
            LogId::Community(id) => Some(id),
            LogId::Conversation(id) => self.homes.lock().unwrap().get(&id).copied(),
            LogId::User(_) => None,
        };
        NewEntry { log, community, actor, at: self.now(), fact, salt: self.bytes() }
    }

    pub async fn append(&self, log: LogId, actor: UserId, fact: Fact) -> Placed {
        self.commit(one(self.entry(log, actor, fact))).await[0]
    }

    /// An account that nobody has yet.
    pub fn account(&self, username: &str) -> User {
        User {
            id: UserId(self.id()),
            username: username.to_owned(),
            display_name: username.to_uppercase(),
            identity: Some(IdentityKey(self.bytes())),
            server_role: ServerRole::User,
            bot: false,
            discoverable: false,
            status: String::new(),
            disabled: false,
            created_at: self.now(),
        }
    }

    pub async fn user(&self, username: &str) -> User {
        let user = self.account(username);
        self.record(Record::CreateUser(user.clone())).await;
        user
    }

    pub async fn ghost(&self, username: &str) -> User {
        let user = User { identity: None, ..self.account(username) };
        self.record(Record::CreateUser(user.clone())).await;
        user
    }

    /// A community with its owner in it.
    pub async fn community(&self, slug: &str, owner: &User) -> Community {
        let community = Community {
            id: CommunityId(self.id()),
            name: slug.to_uppercase(),
            slug: slug.to_owned(),
            approval: false,
            created_at: self.now(),
        };
        self.record(Record::CreateCommunity(community.clone())).await;
        self.enlist(&community, owner, Role::Owner).await;
        community
    }

    pub async fn enlist(&self, community: &Community, user: &User, role: Role) -> Placed {
        let fact = Fact::MemberJoined { user: author(user), role };
        self.append(LogId::Community(community.id), user.id, fact).await
    }

    /// A channel that is not in the store yet.
    pub fn room(&self, community: &Community, name: &str) -> Channel {
        Channel {
            id: ChannelId(self.id()),
            community_id: Some(community.id),
            name: Some(name.to_owned()),
            channel_type: ChannelType::Text,
            visibility: Visibility::Public,
            kind: RoomKind::Open,
            topic: String::new(),
            category: None,
            archived: false,
            retention_s: None,
            default: false,
            created_at: self.now(),
            dm_users: Vec::new(),
        }
    }

    pub async fn create(&self, channel: Channel, members: &[&User]) -> Channel {
        if let Some(community) = channel.community_id {
            self.homes.lock().unwrap().insert(channel.id, community);
        }
        let fact = Fact::ChannelCreated(Box::new(channel.clone()));
        let mut change = one(self.entry(log(&channel), UserId::NIL, fact));
        for user in members {
            let fact = Fact::MemberJoined { user: author(user), role: Role::Member };
            change.entries.push(self.entry(log(&channel), user.id, fact));
        }
        self.commit(change).await;
        channel
    }

    /// A public channel of a community of its own, with members.
    pub async fn channel(&self, name: &str, members: &[&User]) -> Channel {
        let founder = self.user(&format!("founder-{}", self.draw())).await;
        let community = self.community(&format!("c-{}", self.draw()), &founder).await;
        self.create(self.room(&community, name), members).await
    }

    pub async fn dm(&self, users: &[&User]) -> Channel {
        let mut dm_users: Vec<_> = users.iter().map(|user| user.id).collect();
        dm_users.sort_unstable();
        let channel = Channel {
            id: ChannelId(self.id()),
            community_id: None,
            name: None,
            channel_type: if users.len() > 2 { ChannelType::GroupDm } else { ChannelType::Dm },
            visibility: Visibility::Private,
            kind: RoomKind::Open,
            topic: String::new(),
            category: None,
            archived: false,
            retention_s: None,
            default: false,
            created_at: self.now(),
            dm_users,
        };
        self.create(channel, users).await
    }

    pub async fn join(&self, channel: &Channel, user: &User) -> Placed {
        let fact = Fact::MemberJoined { user: author(user), role: Role::Member };
        self.append(log(channel), user.id, fact).await
    }

    pub async fn leave(&self, channel: &Channel, user: &User) -> Placed {
        self.append(log(channel), user.id, Fact::MemberLeft { user: author(user) }).await
    }

    /// A message that has not been sent.
    pub fn draft(&self, channel: &Channel, user: &User, body: &str) -> Message {
        Message {
            id: MessageId(self.id()),
            channel_id: channel.id,
            seq: Seq(0),
            author: author(user),
            parent_id: None,
            broadcast: false,
            format: Format::Text,
            body: body.to_owned(),
            body_html: format!("<p>{body}</p>"),
            mentions: Vec::new(),
            attachments: Vec::new(),
            previews: Vec::new(),
            reactions: Vec::new(),
            reply_count: 0,
            last_reply_at: None,
            pinned: false,
            created_at: self.now(),
            edited_at: None,
            deleted: false,
            client_id: None,
            imported: false,
        }
    }

    /// The entry that sends a message.
    pub fn sending(&self, message: &Message) -> NewEntry {
        let log = LogId::Conversation(message.channel_id);
        let fact = Fact::MessageCreated { message: Box::new(message.clone()) };
        NewEntry { at: message.created_at, ..self.entry(log, message.author.id, fact) }
    }

    /// The entry that tells somebody of a message that names them.
    pub fn telling(&self, message: &Message, user: &User) -> NewEntry {
        let notification = Notification {
            id: NotificationId(message.id.0),
            kind: NotificationKind::Mention,
            community_id: None,
            channel_id: Some(message.channel_id),
            message_id: Some(message.id),
            parent_id: message.parent_id,
            actor: message.author.id,
            quiet: false,
            created_at: message.created_at,
        };
        let fact = Fact::NotificationCreated(Box::new(notification));
        self.entry(LogId::User(user.id), message.author.id, fact)
    }

    /// Pins a message, or takes the pin out.
    pub async fn pin(&self, message: &Message, user: &User, pinned: bool) -> Placed {
        let pin = Pin { message_id: message.id, user_id: user.id };
        let fact = if pinned { Fact::PinAdded(pin) } else { Fact::PinRemoved(pin) };
        self.append(LogId::Conversation(message.channel_id), user.id, fact).await
    }

    /// Sends a message; it comes back with its place.
    pub async fn send(&self, mut message: Message) -> Message {
        message.seq = self.commit(one(self.sending(&message))).await[0].seq;
        message
    }

    pub async fn say(&self, channel: &Channel, user: &User, body: &str) -> Message {
        self.send(self.draft(channel, user, body)).await
    }

    pub async fn mention(&self, channel: &Channel, user: &User, mentions: &[Mention]) -> Message {
        let draft = self.draft(channel, user, "hey");
        self.send(Message { mentions: mentions.to_vec(), ..draft }).await
    }

    pub async fn reply(&self, parent: &Message, user: &User, body: &str) -> Message {
        self.send(self.answer(parent, user, body)).await
    }

    /// A reply that has not been sent.
    pub fn answer(&self, parent: &Message, user: &User, body: &str) -> Message {
        Message {
            id: MessageId(self.id()),
            author: author(user),
            parent_id: Some(parent.id),
            body: body.to_owned(),
            body_html: body.to_owned(),
            mentions: Vec::new(),
            created_at: self.now(),
            ..parent.clone()
        }
    }

    /// The entry that gives a message another body.
    pub fn editing(&self, message: &Message, body: &str, mentions: &[Mention]) -> NewEntry {
        let edit = Message {
            body: body.to_owned(),
            body_html: format!("<p>{body}</p>"),
            mentions: mentions.to_vec(),
            ..message.clone()
        };
        let log = LogId::Conversation(message.channel_id);
        self.entry(log, message.author.id, Fact::MessageEdited { message: Box::new(edit) })
    }

    pub async fn edit(&self, message: &Message, body: &str) -> Placed {
        self.commit(one(self.editing(message, body, &[]))).await[0]
    }

    /// The entry that deletes a message.
    pub fn deleting(&self, message: &Message) -> NewEntry {
        let fact = Fact::MessageDeleted { message_id: message.id };
        self.entry(LogId::Conversation(message.channel_id), message.author.id, fact)
    }

    pub async fn delete(&self, message: &Message) -> Placed {
        self.commit(one(self.deleting(message))).await[0]
    }

    pub async fn react(&self, message: &Message, user: &User, emoji: &str) -> Placed {
        let fact = Fact::ReactionAdded(reaction(message, user, emoji));
        self.append(LogId::Conversation(message.channel_id), user.id, fact).await
    }

    pub async fn unreact(&self, message: &Message, user: &User, emoji: &str) -> Placed {
        let fact = Fact::ReactionRemoved(reaction(message, user, emoji));
        self.append(LogId::Conversation(message.channel_id), user.id, fact).await
    }

    /// Sets a read marker.
    pub async fn read(&self, channel: &Channel, user: &User, seq: Seq) -> Placed {
        let fact =
            Fact::ReadUpdated { channel_id: channel.id, thread: None, seq, unread: 0, mentions: 0 };
        self.append(LogId::User(user.id), user.id, fact).await
    }

    /// The entry that sets a read marker of a thread.
    pub fn reading_thread(&self, top: &Message, user: &User, seq: Seq) -> NewEntry {
        let fact = Fact::ReadUpdated {
            channel_id: top.channel_id,
            thread: Some(top.id),
            seq,
            unread: 0,
            mentions: 0,
        };
        self.entry(LogId::User(user.id), user.id, fact)
    }

    pub async fn read_thread(&self, top: &Message, user: &User, seq: Seq) -> Placed {
        self.commit(one(self.reading_thread(top, user, seq))).await[0]
    }

    pub async fn view(&self, channel: &Channel, user: &User) -> ChannelView {
        self.store.channel_view(channel.id, user.id).await.unwrap().unwrap()
    }

    /// What is unread, and those that name the user.
    pub async fn unread(&self, channel: &Channel, user: &User) -> (u64, u64) {
        let view = self.view(channel, user).await;
        (view.unread, view.mentions)
    }
}

/// A change of one entry.
pub fn one(entry: NewEntry) -> Change {
    Change { entries: vec![entry], ..Change::default() }
}

/// The change of a client that sends a message under a name of its own.
pub fn deduped(entry: NewEntry, client_id: &str, request: u8) -> Change {
    let dedupe = Dedupe {
        channel: entry.log.channel().unwrap(),
        user: entry.actor,
        client_id: client_id.to_owned(),
        request: [request; 32],
    };
    Change { dedupe: Some(dedupe), ..one(entry) }
}

pub fn log(channel: &Channel) -> LogId {
    LogId::Conversation(channel.id)
}

pub fn author(user: &User) -> Author {
    Author {
        id: user.id,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        bot: user.bot,
    }
}

pub fn reaction(message: &Message, user: &User, emoji: &str) -> Reaction {
    Reaction { message_id: message.id, user_id: user.id, emoji: emoji.parse().unwrap() }
}
