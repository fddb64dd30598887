//! Rebuilds: what follows from the log alone is what live writing came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidings_domain::{
    Channel, ChannelNotice, Fact, LogId, Mention, Message, MessageId, NotificationId, NotifyLevel,
    Position, Role, Seq, Timestamp, User, UserId,
};

use super::entry::{everything, verify};
use super::visible::all_visible;
use super::world::{World, log};
use crate::Store;
use crate::message::StoredThread;

/// Rebuilds, and compares every row with what was there before.
async fn rebuild(world: &World) {
    let live = world.store.dump_projections().await.unwrap();
    let rebuilt = world.store.rebuild(&|_, _| ()).await.unwrap();
    assert_eq!(rebuilt.entries, world.store.head().await.unwrap().0);
    assert_eq!(rebuilt.unknown, 0);
    let again = world.store.dump_projections().await.unwrap();
    for (live, again) in live.iter().zip(&again) {
        assert_eq!(live, again);
    }
    assert_eq!(live.len(), again.len());
    assert_eq!(world.store.check(&|_, _| ()).await.unwrap(), Vec::<String>::new());
}

async fn busy_room(world: &World) -> (Channel, User, User, Vec<Message>) {
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Member).await;
    let room = world.create(world.room(&acme, "room"), &[&ana, &ben]).await;
    let one = world.mention(&room, &ana, &[Mention::User(ben.id), Mention::Here]).await;
    let two = world.reply(&one, &ben, "reply").await;
    let three = world.say(&room, &ben, "three").await;
    let four = Message { broadcast: true, ..world.answer(&one, &ana, "four") };
    let four = world.send(four).await;
    world.edit(&three, "edited").await;
    world.react(&one, &ben, ":ok:").await;
    world.react(&three, &ana, ":ok:").await;
    world.read(&room, &ben, one.seq).await;
    world.read_thread(&one, &ana, one.seq).await;
    (room, ana, ben, vec![one, two, three, four])
}

pub async fn a_rebuilt_store_equals_the_live_one(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben, messages) = busy_room(&world).await;
    let views = (world.view(&room, &ana).await, world.view(&room, &ben).await);
    assert!(!world.store.dump_projections().await.unwrap().is_empty());
    rebuild(&world).await;
    assert_eq!((world.view(&room, &ana).await, world.view(&room, &ben).await), views);
    for message in &messages {
        let kept = world.store.message(message.id, ana.id).await.unwrap().unwrap();
        assert_eq!((kept.seq, kept.author_id), (message.seq, message.author.id));
    }
}

pub async fn a_rebuild_after_deletions_equals_the_live_store(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben, messages) = busy_room(&world).await;
    // Each in turn: its entries have no data left to read it from.
    for message in &messages {
        world.delete(message).await;
        rebuild(&world).await;
        let kept = world.store.message(message.id, ana.id).await.unwrap().unwrap();
        assert_eq!((kept.deleted, kept.data), (true, None));
        assert_eq!((kept.parent_id, kept.broadcast), (message.parent_id, message.broadcast));
        assert_eq!(kept.author_id, message.author.id);
        assert_eq!(kept.created_at, message.created_at);
    }
    assert_eq!(world.unread(&room, &ben).await, (0, 0));
}

pub async fn a_rebuilt_store_goes_on(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben, messages) = busy_room(&world).await;
    rebuild(&world).await;
    let unread = world.unread(&room, &ben).await.0;
    world.edit(&messages[0], "again").await;
    world.delete(&messages[3]).await;
    world.say(&room, &ana, "more").await;
    assert_eq!(world.unread(&room, &ben).await.0, unread);
    assert_eq!(world.store.versions(messages[0].id).await.unwrap().len(), 2);
    verify(&world, log(&room)).await;
    rebuild(&world).await;
}

/// Two hundred random steps, then everything is looked at before and after a rebuild.
pub async fn a_random_history_survives_a_rebuild(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut history = History::new(&world).await;
    for _ in 0..200 {
        history.step().await;
    }
    history.verify().await;
    rebuild(&world).await;
    history.verify().await;
    history.verify_visible().await;
    for _ in 0..50 {
        history.step().await;
    }
    history.verify().await;
    for room in &history.rooms {
        verify(&world, log(room)).await;
    }
    rebuild(&world).await;
}

/// People who do random things, and a plain account of what they did.
#[derive(Debug)]
pub(super) struct History<'a> {
    world: &'a World,
    users: Vec<User>,
    rooms: Vec<Channel>,
    said: Vec<Said>,
    /// By room and user: where they joined, where they left, where the marker is.
    members: BTreeMap<(usize, usize), Place>,
    /// By user and message: where the markers of threads are.
    threads: BTreeMap<(usize, MessageId), Seq>,
    /// By user and message: where a notification of the user's own stands.
    told: BTreeMap<(usize, MessageId), Position>,
    /// What users have marked as seen.
    seen: BTreeSet<(usize, MessageId)>,
    /// By user and room: what they chose.
    notices: BTreeMap<(usize, usize), ChannelNotice>,
}

#[derive(Debug)]
struct Said {
    room: usize,
    author: usize,
    message: Message,
    position: Position,
    /// Whether it called everybody when it was sent.
    called: bool,
    deleted: bool,
}

impl Said {
    fn counts(&self) -> bool {
        self.message.in_timeline() && !self.message.imported && !self.deleted
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    joined: Position,
    left: Option<Position>,
    marker: Seq,
}

impl<'a> History<'a> {
    pub(super) async fn new(world: &'a World) -> Self {
        let mut users = Vec::new();
        for name in ["ana", "ben", "cleo", "dan"] {
            users.push(world.user(name).await);
        }
        let mut rooms = Vec::new();
        for name in ["a", "b"] {
            rooms.push(world.channel(name, &[]).await);
        }
        Self {
            world,
            users,
            rooms,
            said: Vec::new(),
            members: BTreeMap::new(),
            threads: BTreeMap::new(),
            told: BTreeMap::new(),
            seen: BTreeSet::new(),
            notices: BTreeMap::new(),
        }
    }

    fn is_in(&self, room: usize, user: usize) -> bool {
        self.members.get(&(room, user)).is_some_and(|place| place.left.is_none())
    }

    /// Does one random thing.
    pub(super) async fn step(&mut self) {
        let (room, user) = (self.world.below(self.rooms.len()), self.world.below(self.users.len()));
        match self.world.below(22) {
            0..=5 => self.send(room, user).await,
            6 | 7 => self.edit().await,
            8 | 9 => self.delete().await,
            10 | 11 => self.react(user).await,
            12 | 13 => self.move_marker(room, user).await,
            14 | 15 => self.move_thread_marker(user).await,
            16 | 17 => self.mark_seen(user).await,
            18 => self.choose(room, user).await,
            19 => self.pin().await,
            _ => self.come_or_go(room, user).await,
        }
    }

    async fn send(&mut self, room: usize, author: usize) {
        let world = self.world;
        let roots: Vec<_> = self
            .said
            .iter()
            .filter(|it| it.room == room && it.message.parent_id.is_none())
            .map(|it| it.message.clone())
            .collect();
        let mut draft = world.draft(&self.rooms[room], &self.users[author], "random");
        if !roots.is_empty() && world.below(2) == 0 {
            draft.parent_id = Some(roots[world.below(roots.len())].id);
            draft.broadcast = world.below(3) == 0;
        }
        draft.imported = world.below(6) == 0;
        draft.mentions = self.draw_mentions();
        let counts = draft.in_timeline() && !draft.imported;
        let all = |mention: &Mention| matches!(mention, Mention::Here | Mention::Everyone);
        let called = counts && draft.mentions.iter().any(all);
        let mut change = super::world::one(world.sending(&draft));
        for (user, person) in self.users.iter().enumerate() {
            if user != author && draft.mentions.contains(&Mention::User(person.id)) {
                change.entries.push(world.telling(&draft, person));
            }
        }
        let placed = world.commit(change).await;
        let mut told = placed[1..].iter().map(|placed| placed.position);
        for (user, person) in self.users.iter().enumerate() {
            if user != author && draft.mentions.contains(&Mention::User(person.id)) {
                self.told.insert((user, draft.id), told.next().unwrap());
            }
        }
        let message = Message { seq: placed[0].seq, ..draft };
        let position = placed[0].position;
        let sent = Said { room, author, message, position, called, deleted: false };
        if sent.counts()
            && let Some(place) = self.members.get_mut(&(room, author))
            && place.left.is_none()
        {
            place.marker = place.marker.max(sent.message.seq);
        }
        if let Some(top) = sent.message.parent_id.filter(|_| !sent.message.imported) {
            self.follow(top, room, author, sent.message.seq);
        }
        self.said.push(sent);
    }

    async fn mark_seen(&mut self, user: usize) {
        let (id, end) = (self.users[user].id, NotificationId(uuid::Uuid::max()));
        let listed = self.world.store.notifications(id, false, end, 9).await.unwrap();
        if listed.is_empty() {
            return;
        }
        let picked = listed[self.world.below(listed.len())].notification.id;
        let fact = Fact::NotificationRead { ids: vec![picked] };
        self.world.append(LogId::User(id), id, fact).await;
        self.seen.insert((user, MessageId(picked.0)));
    }

    async fn choose(&mut self, room: usize, user: usize) {
        let levels = [NotifyLevel::All, NotifyLevel::Mentions, NotifyLevel::Nothing];
        let now = self.world.now();
        let until = (self.world.below(2) == 0).then_some(Timestamp(now.0 - 20_000));
        let notice = ChannelNotice { level: levels[self.world.below(3)], muted_until: until };
        let (id, channel_id) = (self.users[user].id, self.rooms[room].id);
        self.world.append(LogId::User(id), id, Fact::NotifyUpdated { channel_id, notice }).await;
        self.notices.insert((user, room), notice);
    }

    async fn pin(&self) {
        let Some(number) = self.draw_live() else { return };
        let (message, by) = (&self.said[number].message, &self.users[0]);
        let pinned = self.world.holds(crate::Precondition::Pinned(message.id)).await;
        self.world.pin(message, by, !pinned).await;
        let kept = self.world.store.message(message.id, by.id).await.unwrap().unwrap();
        assert_eq!(kept.pinned, !pinned);
    }

    /// Notifications of a user, newest first, and whether they have been seen: found one by one.
    fn listed(&self, user: usize) -> Vec<(NotificationId, bool)> {
        let mut listed = Vec::new();
        for said in self.said.iter().filter(|said| !said.deleted) {
            let message = &said.message;
            let Some(place) = self.members.get(&(said.room, user)) else { continue };
            let notice = self.notices.get(&(user, said.room));
            let silent = notice.is_some_and(|notice| {
                notice.level == NotifyLevel::Nothing || notice.muted(message.created_at)
            });
            let position = match self.told.get(&(user, message.id)) {
                Some(position) => *position,
                None if said.called && said.author != user && !silent => said.position,
                None => continue,
            };
            if place.left.is_some() || position <= place.joined {
                continue;
            }
            let thread = message.parent_id.map(|top| self.threads.get(&(user, top)));
            let passed = message.in_timeline() && message.seq <= place.marker
                || thread.is_some_and(|at| message.seq <= *at.unwrap_or(&place.marker));
            let read = passed || self.seen.contains(&(user, message.id));
            listed.push((NotificationId(message.id.0), read));
        }
        listed.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
        listed
    }

    /// Compares what is listed, in small pages, with what was found one by one.
    async fn verify_notifications(&self) {
        for (user, person) in self.users.iter().enumerate() {
            let expected = self.listed(user);
            for only_unread in [false, true] {
                let (mut found, mut before) = (Vec::new(), NotificationId(uuid::Uuid::max()));
                loop {
                    let page = self.world.store.notifications(person.id, only_unread, before, 3);
                    let page = page.await.unwrap();
                    let Some(last) = page.last() else { break };
                    before = last.notification.id;
                    found.extend(page.iter().map(|it| (it.notification.id, it.read)));
                }
                let expected = expected.iter().filter(|(_, read)| !(only_unread && *read));
                assert_eq!(found, expected.copied().collect::<Vec<_>>(), "{user}: {self:#?}");
            }
            let unread = expected.iter().filter(|(_, read)| !read).count() as u64;
            let found = self.world.store.unread_notifications(person.id).await.unwrap();
            assert_eq!(found, unread, "user {user}");
        }
    }

    /// Everybody reads everything: channels, and the threads that they follow.
    pub(super) async fn read_everything(&mut self) {
        for (room, channel) in self.rooms.iter().enumerate() {
            let head = self.world.store.log_head(log(channel)).await.unwrap();
            for (user, person) in self.users.iter().enumerate() {
                if self.is_in(room, user) {
                    self.world.read(channel, person, head).await;
                    if let Some(place) = self.members.get_mut(&(room, user)) {
                        place.marker = head;
                    }
                }
            }
            for ((user, top), marker) in &mut self.threads {
                let said = self.said.iter().find(|it| it.message.id == *top).unwrap();
                if said.room == room {
                    self.world.read_thread(&said.message, &self.users[*user], head).await;
                    *marker = head;
                }
            }
        }
    }

    /// Nobody has anything unread.
    pub(super) async fn verify_nothing_unread(&self) {
        for person in &self.users {
            assert_eq!(self.world.store.unread_notifications(person.id).await.unwrap(), 0);
            for channel in &self.rooms {
                assert_eq!(self.world.unread(channel, person).await, (0, 0));
            }
            let after = MessageId::NIL;
            assert_eq!(self.world.store.threads(person.id, true, after, 9).await.unwrap(), []);
        }
    }

    fn follow(&mut self, top: MessageId, room: usize, author: usize, seq: Seq) {
        if self.is_in(room, author) {
            let marker = self.threads.entry((author, top)).or_default();
            *marker = seq.max(*marker);
        }
        let first = self.said.iter().find(|it| it.message.id == top);
        let (asker, place) = first.map(|it| (it.author, it.message.seq)).unwrap();
        if self.is_in(room, asker) {
            self.threads.entry((asker, top)).or_insert(place);
        }
    }

    async fn move_thread_marker(&mut self, user: usize) {
        let Some(number) = self.draw_root() else { return };
        let said = &self.said[number];
        if !self.is_in(said.room, user) {
            return;
        }
        let head = self.world.store.log_head(log(&self.rooms[said.room])).await.unwrap();
        let seq = Seq(self.world.draw() % (head.0 + 1));
        self.world.read_thread(&said.message, &self.users[user], seq).await;
        self.threads.insert((user, said.message.id), seq);
    }

    /// A top-level message, deleted or not.
    fn draw_root(&self) -> Option<usize> {
        let top = |it: &usize| self.said[*it].message.parent_id.is_none();
        let roots: Vec<_> = (0..self.said.len()).filter(top).collect();
        (!roots.is_empty()).then(|| roots[self.world.below(roots.len())])
    }

    fn draw_mentions(&self) -> Vec<Mention> {
        let user = self.users[self.world.below(self.users.len())].id;
        match self.world.below(5) {
            0 => vec![Mention::User(user)],
            1 => vec![Mention::Here, Mention::User(user)],
            2 => vec![Mention::Everyone],
            _ => Vec::new(),
        }
    }

    /// A message that is not deleted.
    fn draw_live(&self) -> Option<usize> {
        let live: Vec<_> = (0..self.said.len()).filter(|it| !self.said[*it].deleted).collect();
        (!live.is_empty()).then(|| live[self.world.below(live.len())])
    }

    async fn edit(&mut self) {
        let Some(number) = self.draw_live() else { return };
        let mentions = self.draw_mentions();
        let said = &mut self.said[number];
        let edit = self.world.editing(&said.message, "edited", &mentions);
        said.message.mentions = mentions;
        self.world.commit(super::world::one(edit)).await;
    }

    async fn delete(&mut self) {
        let Some(number) = self.draw_live() else { return };
        self.world.delete(&self.said[number].message).await;
        self.said[number].deleted = true;
    }

    async fn react(&mut self, user: usize) {
        let Some(number) = self.draw_live() else { return };
        let (message, user) = (&self.said[number].message, &self.users[user]);
        let emoji = [":one:", ":two:", ":three:"][self.world.below(3)];
        let precondition =
            crate::Precondition::ReactionThere(message.id, user.id, emoji.parse().unwrap());
        if self.world.holds(precondition).await {
            self.world.unreact(message, user, emoji).await;
        } else {
            self.world.react(message, user, emoji).await;
        }
    }

    async fn move_marker(&mut self, room: usize, user: usize) {
        if !self.is_in(room, user) {
            return;
        }
        let head = self.world.store.log_head(log(&self.rooms[room])).await.unwrap();
        let seq = Seq(self.world.draw() % (head.0 + 1));
        self.world.read(&self.rooms[room], &self.users[user], seq).await;
        if let Some(place) = self.members.get_mut(&(room, user)) {
            place.marker = seq;
        }
    }

    async fn come_or_go(&mut self, room: usize, user: usize) {
        let (channel, person) = (&self.rooms[room], &self.users[user]);
        if self.is_in(room, user) {
            let left = self.world.leave(channel, person).await;
            if let Some(place) = self.members.get_mut(&(room, user)) {
                *place = Place { left: Some(left.position), marker: Seq(0), ..*place };
            }
            let here: Vec<_> = self.said.iter().filter(|it| it.room == room).collect();
            self.threads.retain(|(follower, top), _| {
                *follower != user || !here.iter().any(|it| it.message.id == *top)
            });
        } else {
            let joined = self.world.join(channel, person).await;
            let place = Place { joined: joined.position, left: None, marker: joined.seq };
            self.members.insert((room, user), place);
        }
    }

    /// Counts again, one by one, and compares.
    pub(super) async fn verify(&self) {
        self.verify_notifications().await;
        for (room, channel) in self.rooms.iter().enumerate() {
            for (user, person) in self.users.iter().enumerate() {
                let joined = self.is_in(room, user);
                let marker = self.members.get(&(room, user)).map_or(Seq(0), |it| it.marker);
                let unread = self.said.iter().filter(|it| {
                    joined && it.room == room && it.counts() && it.message.seq > marker
                });
                let named = unread.clone().filter(|it| {
                    it.author != user
                        && it.message.mentions.iter().any(|mention| match mention {
                            Mention::User(id) => *id == person.id,
                            Mention::Here | Mention::Everyone => true,
                            Mention::Channel(_) => false,
                        })
                });
                let expected = (joined, marker, unread.count() as u64, named.count() as u64);
                let view = self.world.view(channel, person).await;
                let found = (view.joined, view.read_seq, view.unread, view.mentions);
                assert_eq!(found, expected, "room {room}, user {user}: {self:#?}");
            }
            let members = (0..self.users.len()).filter(|user| self.is_in(room, *user)).count();
            let view = self.world.view(channel, &self.users[0]).await;
            assert_eq!(view.member_count, members as u64);
        }
        if let Some(number) = self.draw_root() {
            let root = self.said[number].message.id;
            for (user, person) in self.users.iter().enumerate() {
                let marker = self.threads.get(&(user, root)).copied();
                let expected = marker.map(|read_seq| {
                    let unread = self.said.iter().filter(|it| {
                        it.message.parent_id == Some(root)
                            && !it.message.imported
                            && !it.deleted
                            && it.message.seq > read_seq
                    });
                    StoredThread { read_seq, unread: unread.count() as u64 }
                });
                let found = self.world.store.thread_state(root, person.id).await.unwrap();
                assert_eq!(found, expected, "thread {root}, user {user}: {self:#?}");
            }
        }
        if let Some(number) = self.draw_live() {
            let root = &self.said[number].message;
            let replies = self.said.iter().filter(|it| it.message.parent_id == Some(root.id));
            let live = replies.filter(|it| !it.deleted);
            let last = live.clone().map(|it| it.message.created_at).max();
            let kept = self.world.store.message(root.id, UserId::NIL).await.unwrap().unwrap();
            let expected = (u32::try_from(live.count()).unwrap(), last);
            assert_eq!((kept.reply_count, kept.last_reply_at), expected);
        }
    }

    /// Looks at every entry and decides for each user.
    async fn verify_visible(&self) {
        let mut logs: Vec<_> = self.rooms.iter().map(log).collect();
        logs.extend(self.users.iter().map(|user| LogId::User(user.id)));
        let all = everything(self.world, &logs).await;
        for (user, person) in self.users.iter().enumerate() {
            let sees = |log: LogId, position: Position| {
                if log == LogId::User(person.id) {
                    return true;
                }
                let room = self.rooms.iter().position(|room| LogId::Conversation(room.id) == log);
                let place = room.and_then(|room| self.members.get(&(room, user)));
                place.is_some_and(|place| match place.left {
                    None => position >= place.joined,
                    Some(left) => position == left,
                })
            };
            let expected = all.iter().filter(|entry| sees(entry.log, entry.position));
            let expected: Vec<_> = expected.map(|entry| entry.position).collect();
            let events = all_visible(self.world, person, Position(0), 7).await;
            let found: Vec<_> = events.iter().map(|event| event.position).collect();
            assert_eq!(found, expected);
        }
    }
}
