//! Projections: what follows from the entries, and from nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tidings_domain::fact::Reaction;
use tidings_domain::{
    ChannelId, CommunityId, Fact, LogId, Mention, Message, MessageId, Position, Role, Seq, UserId,
};

use crate::entry::StoredEntry;
use crate::memory::attention::Attentions;
use crate::memory::channel::{Named, Room};
use crate::memory::community::{Member, Members};
use crate::memory::entry::LogEntry;
use crate::memory::message::{MessageRow, Reacted, Said};
use crate::projection::Remains;

#[derive(Debug, Default)]
pub(super) struct Projections {
    pub(super) rooms: BTreeMap<ChannelId, Room>,
    pub(super) communities: BTreeMap<CommunityId, Members>,
    pub(super) messages: HashMap<MessageId, MessageRow>,
    pub(super) attentions: Attentions,
}

impl Projections {
    /// Follows one entry; `fact` is `None` once its data has been erased. Returns the entries whose
    /// data it erases.
    pub(super) fn follow(&mut self, entry: &LogEntry, fact: Option<&Arc<Fact>>) -> Vec<Position> {
        let LogEntry { stored, remains } = entry;
        match stored.log {
            LogId::Conversation(channel) => {
                if let Some(remains) = remains {
                    self.create_message(channel, stored, *remains, fact);
                } else if let Some(fact) = fact {
                    return self.follow_in_channel(channel, stored, fact);
                }
            }
            LogId::Community(community) => {
                if let Some(fact) = fact {
                    let members = self.communities.entry(community).or_default();
                    follow_membership(members, stored, fact);
                }
            }
            LogId::User(user) => {
                if let Some(Fact::ReadUpdated { channel_id, thread, seq, .. }) =
                    fact.map(|it| &**it)
                {
                    self.set_marker(user, *channel_id, *thread, *seq);
                } else if let Some(fact) = fact {
                    self.attentions.follow(user, stored, fact);
                }
            }
        }
        Vec::new()
    }

    fn follow_in_channel(
        &mut self,
        channel: ChannelId,
        stored: &StoredEntry,
        fact: &Arc<Fact>,
    ) -> Vec<Position> {
        let room = self.rooms.entry(channel).or_default();
        match &**fact {
            Fact::ChannelCreated(now) | Fact::ChannelUpdated(now) | Fact::ChannelArchived(now) => {
                room.channel = Some((**now).clone());
            }
            Fact::MemberJoined { user, .. } => {
                if !room.has(user.id) {
                    room.markers.insert(user.id, stored.seq);
                }
                follow_membership(&mut room.members, stored, fact);
            }
            Fact::MemberLeft { user } => {
                follow_membership(&mut room.members, stored, fact);
                room.markers.remove(&user.id);
                room.threads.retain(|(follower, _), _| *follower != user.id);
            }
            Fact::MessageEdited { message } => self.edit_message(stored, message, fact),
            Fact::MessagePreviewed { message } => self.preview_message(stored, message.id, fact),
            Fact::MessageDeleted { message_id } => return self.delete_message(*message_id),
            Fact::ReactionAdded(reaction) => self.add_reaction(stored.seq, reaction),
            Fact::ReactionRemoved(reaction) => self.remove_reaction(reaction),
            Fact::PinAdded(pin) => {
                if let Some(row) = self.messages.get_mut(&pin.message_id).filter(|it| !it.deleted) {
                    row.pinned = Some(stored.position);
                }
            }
            Fact::PinRemoved(pin) => {
                if let Some(row) = self.messages.get_mut(&pin.message_id) {
                    row.pinned = None;
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn create_message(
        &mut self,
        channel: ChannelId,
        stored: &StoredEntry,
        remains: Remains,
        fact: Option<&Arc<Fact>>,
    ) {
        let (seq, author) = (stored.seq, remains.author_id);
        let room = self.rooms.entry(channel).or_default();
        if remains.in_timeline() {
            room.timeline.insert(seq, remains.message_id);
        }
        if remains.counts() {
            room.message_count += 1;
            room.counted.insert(seq, room.message_count);
            if room.has(author) {
                let marker = room.markers.entry(author).or_default();
                *marker = seq.max(*marker);
            }
        }
        if let Some(parent) = remains.parent_id.and_then(|id| self.messages.get_mut(&id)) {
            parent.reply_count += 1;
            parent.last_reply_at = parent.last_reply_at.max(Some(remains.created_at));
            parent.replies.insert(seq, remains.message_id);
        }
        let said = stored
            .data
            .as_ref()
            .zip(fact)
            .map(|((data, _), fact)| Said { data: data.clone(), fact: Arc::clone(fact) });
        let row = MessageRow {
            remains,
            channel,
            seq,
            position: stored.position,
            edited_at: None,
            deleted: false,
            pinned: None,
            reply_count: 0,
            last_reply_at: None,
            said,
            versions: vec![stored.position],
            replies: BTreeMap::new(),
            reactions: Vec::new(),
        };
        self.messages.insert(remains.message_id, row);
        if let Some(top) = remains.parent_id.filter(|_| remains.counts_in_thread()) {
            self.follow_thread(top, author, seq);
        }
        if let Some(Fact::MessageCreated { message }) = fact.map(|it| &**it) {
            self.name(message);
            let all = |mention: &Mention| matches!(mention, Mention::Here | Mention::Everyone);
            if remains.counts() && message.mentions.iter().any(all) {
                self.attentions.call(channel, remains.message_id, stored.at);
            }
        }
    }

    /// Lets the author of a reply and that of the top-level message follow the thread.
    fn follow_thread(&mut self, top: MessageId, author: UserId, seq: Seq) {
        let Some(row) = self.messages.get(&top) else { return };
        let Some(room) = self.rooms.get_mut(&row.channel) else { return };
        if room.has(author) {
            let marker = room.threads.entry((author, top)).or_default();
            *marker = seq.max(*marker);
        }
        let asker = row.remains.author_id;
        if room.has(asker) {
            room.threads.entry((asker, top)).or_insert(row.seq);
        }
    }

    fn set_marker(
        &mut self,
        user: UserId,
        channel: ChannelId,
        thread: Option<MessageId>,
        seq: Seq,
    ) {
        let channel = match thread {
            None => Some(channel),
            Some(top) => self.messages.get(&top).map(|row| row.channel),
        };
        let room = channel.and_then(|channel| self.rooms.get_mut(&channel));
        let Some(room) = room.filter(|room| room.has(user)) else { return };
        match thread {
            None => room.markers.insert(user, seq),
            Some(top) => room.threads.insert((user, top), seq),
        };
    }

    fn edit_message(&mut self, stored: &StoredEntry, message: &Message, fact: &Arc<Fact>) {
        let Some(row) = self.messages.get_mut(&message.id) else { return };
        row.said = stored
            .data
            .as_ref()
            .map(|(data, _)| Said { data: data.clone(), fact: Arc::clone(fact) });
        row.edited_at = Some(stored.at);
        row.versions.push(stored.position);
        self.name(message);
    }

    fn preview_message(&mut self, stored: &StoredEntry, id: MessageId, fact: &Arc<Fact>) {
        let Some(row) = self.messages.get_mut(&id) else { return };
        row.said = stored
            .data
            .as_ref()
            .map(|(data, _)| Said { data: data.clone(), fact: Arc::clone(fact) });
        row.versions.push(stored.position);
    }

    /// Replaces whom a message names.
    fn name(&mut self, message: &Message) {
        let Some(row) = self.messages.get(&message.id).filter(|row| row.remains.counts()) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&row.channel) else { return };
        let users = message.mentions.iter().filter_map(|mention| match mention {
            Mention::User(id) => Some(*id),
            _ => None,
        });
        let named = Named {
            author: row.remains.author_id,
            users: users.collect::<BTreeSet<_>>(),
            everyone: message
                .mentions
                .iter()
                .any(|mention| matches!(mention, Mention::Here | Mention::Everyone)),
        };
        if named.everyone || !named.users.is_empty() {
            room.mentions.insert(row.seq, named);
        } else {
            room.mentions.remove(&row.seq);
        }
    }

    fn delete_message(&mut self, id: MessageId) -> Vec<Position> {
        let Some(row) = self.messages.get_mut(&id).filter(|row| !row.deleted) else {
            return Vec::new();
        };
        row.deleted = true;
        row.pinned = None;
        row.said = None;
        row.edited_at = None;
        row.reactions.clear();
        let erased = std::mem::take(&mut row.versions);
        let (remains, seq) = (row.remains, row.seq);
        self.attentions.forget(row.channel, id);
        if let Some(room) = self.rooms.get_mut(&row.channel) {
            room.mentions.remove(&seq);
            if remains.counts() {
                room.tombstones.insert(seq);
            }
        }
        if let Some(parent) = remains.parent_id {
            self.count_replies(parent);
        }
        erased
    }

    fn count_replies(&mut self, parent: MessageId) {
        let Some(row) = self.messages.get(&parent) else { return };
        let replies = row.replies.values().filter_map(|id| self.messages.get(id));
        let live = || replies.clone().filter(|reply| !reply.deleted);
        let count = live().fold(0, |count, _| count + 1);
        let last = live().map(|reply| reply.remains.created_at).max();
        if let Some(row) = self.messages.get_mut(&parent) {
            row.reply_count = count;
            row.last_reply_at = last;
        }
    }

    fn add_reaction(&mut self, seq: Seq, reaction: &Reaction) {
        let Reaction { message_id, user_id, emoji } = reaction;
        let Some(row) = self.messages.get_mut(message_id) else { return };
        if row.deleted || row.has_reaction(*user_id, emoji) {
            return;
        }
        let kind = row.reactions.iter().find(|it| it.emoji == *emoji);
        let place = kind.map_or(seq, |it| it.place);
        row.reactions.push(Reacted { emoji: emoji.clone(), user: *user_id, place });
    }

    fn remove_reaction(&mut self, reaction: &Reaction) {
        if let Some(row) = self.messages.get_mut(&reaction.message_id) {
            row.reactions.retain(|it| it.user != reaction.user_id || it.emoji != reaction.emoji);
        }
    }

    /// Every row as sorted lines.
    pub(super) fn lines(&self, head_of: impl Fn(ChannelId) -> Seq) -> Vec<String> {
        let mut lines = Vec::new();
        for (id, room) in &self.rooms {
            lines.push(format!(
                "heads|log=c:{id}|seq={}|message_count={}",
                head_of(*id),
                room.message_count
            ));
            lines.extend(room.channel.iter().map(|channel| format!("channels|{channel:?}")));
            lines.extend(member_lines(&format!("channel_members|channel={id}"), &room.members));
            for (user, seq) in &room.markers {
                lines.push(format!("read_markers|channel={id}|user={user}|seq={seq}"));
            }
            for ((user, top), seq) in &room.threads {
                lines.push(format!("thread_markers|thread={top}|user={user}|seq={seq}"));
            }
            for seq in &room.tombstones {
                lines.push(format!("tombstones|channel={id}|seq={seq}"));
            }
            for (seq, named) in &room.mentions {
                let everyone = named.everyone.then_some(UserId::NIL);
                for user in everyone.into_iter().chain(named.users.iter().copied()) {
                    lines.push(format!(
                        "mentions|channel={id}|seq={seq}|user={user}|author={}",
                        named.author
                    ));
                }
            }
        }
        for (id, members) in &self.communities {
            lines.extend(member_lines(&format!("community_members|community={id}"), members));
        }
        for (id, row) in &self.messages {
            let number = self.rooms.get(&row.channel).and_then(|room| room.counted.get(&row.seq));
            let stored = StoredLine(row);
            lines.push(format!("messages|id={id}|number={number:?}|{stored}"));
            for media in row.newest().into_iter().flat_map(Message::media) {
                lines.push(format!("attachments|message={id}|media={}", media.id));
            }
            for reacted in &row.reactions {
                lines.push(format!(
                    "reactions|message={id}|emoji={}|user={}|place={}",
                    reacted.emoji.as_str(),
                    reacted.user,
                    reacted.place
                ));
            }
        }
        lines.extend(self.attentions.lines());
        lines.sort_unstable();
        lines
    }
}

/// The columns of a message's line.
struct StoredLine<'a>(&'a MessageRow);

impl std::fmt::Display for StoredLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let row = self.0;
        let data = row.said.as_ref().map(|said| String::from_utf8_lossy(&said.data));
        write!(
            f,
            "channel={}|seq={}|position={}|{:?}|edited_at={:?}|deleted={}|pinned={:?}|reply_count={}|\
             last_reply_at={:?}|replies={:?}|data={}",
            row.channel,
            row.seq,
            row.position.0,
            row.remains,
            row.edited_at,
            row.deleted,
            row.pinned,
            row.reply_count,
            row.last_reply_at,
            row.replies.values(),
            data.unwrap_or_default(),
        )
    }
}

fn member_lines(table: &str, members: &Members) -> Vec<String> {
    let line = |(user, member): (&UserId, &Member)| {
        format!(
            "{table}|user={user}|role={}|nickname={:?}|joined_at={}|joined={}|left={:?}",
            member.role,
            member.nickname,
            member.joined_at.0,
            member.joined.0,
            member.left.map(|position| position.0)
        )
    };
    members.iter().map(line).collect()
}

fn follow_membership(members: &mut Members, stored: &StoredEntry, fact: &Fact) {
    match fact {
        Fact::MemberJoined { user, role } => {
            let present = members.get(&user.id).filter(|member| member.is_present()).cloned();
            let member = present.unwrap_or_else(|| begin(stored, *role));
            members.insert(user.id, member);
        }
        Fact::MemberRoleChanged { user, role } => {
            if let Some(member) = members.get_mut(&user.id).filter(|it| it.is_present()) {
                member.role = *role;
            }
        }
        Fact::MemberUpdated { user, nickname } => {
            if let Some(member) = members.get_mut(&user.id).filter(|it| it.is_present()) {
                member.nickname.clone_from(nickname);
            }
        }
        Fact::MemberLeft { user } | Fact::MemberBanned { user, .. } => {
            if let Some(member) = members.get_mut(&user.id).filter(|it| it.is_present()) {
                member.left = Some(stored.position);
            }
        }
        _ => {}
    }
}

fn begin(stored: &StoredEntry, role: Role) -> Member {
    let (joined_at, joined) = (stored.at, stored.position);
    Member { role, nickname: None, joined_at, joined, left: None }
}
