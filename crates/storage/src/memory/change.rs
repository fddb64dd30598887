//! Changes: dedupe, preconditions, records, then entries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{ChannelId, Fact, IdentityKey, LogId, MessageId, UserId};
use tidings_wire::{chain, event};

use crate::change::{
    Change, ChangeError, Committed, Dedupe, Deduped, Digest, NewEntry, Placed, Precondition,
    Record, Refusal,
};
use crate::entry::{CommittedBatch, CommittedEntry, StoredEntry};
use crate::error::StorageError;
use crate::memory::State;
use crate::memory::entry::LogEntry;
use crate::projection::{Remains, complete_edit, complete_previews};

/// What was sent under which `client_id`.
#[derive(Debug, Default)]
pub(super) struct Dedupes(HashMap<(ChannelId, UserId, String), (Digest, Deduped)>);

impl Dedupes {
    fn get(&self, dedupe: &Dedupe) -> Option<&(Digest, Deduped)> {
        self.0.get(&(dedupe.channel, dedupe.user, dedupe.client_id.clone()))
    }
}

impl State {
    /// Applies a change whole, or leaves everything as it was.
    pub(super) fn apply(
        &mut self,
        change: Change,
    ) -> Result<(Committed, CommittedBatch), ChangeError> {
        if let Some(dedupe) = &change.dedupe
            && let Some((request, first)) = self.dedupes.get(dedupe)
        {
            return if *request == dedupe.request {
                Ok((Committed::Replayed(*first), CommittedBatch::default()))
            } else {
                Err(Refusal::DedupeMismatch.into())
            };
        }
        for precondition in change.preconditions {
            if !self.holds(&precondition) {
                return Err(Refusal::Precondition(precondition).into());
            }
        }
        self.validate_records(&change.records)?;
        self.validate_entries(&change.entries)?;

        for record in change.records {
            self.record(record);
        }
        let mut batch = CommittedBatch::default();
        let mut first = None;
        for entry in change.entries {
            let committed = self.append(entry)?;
            if let Some(Fact::MessageCreated { message }) = committed.fact.as_deref() {
                first.get_or_insert(Deduped { message_id: message.id, seq: committed.seq });
            }
            batch.entries.push(committed);
        }
        if let (Some(dedupe), Some(first)) = (change.dedupe, first) {
            let key = (dedupe.channel, dedupe.user, dedupe.client_id);
            self.dedupes.0.insert(key, (dedupe.request, first));
        }
        let placed =
            batch.entries.iter().map(|entry| Placed { position: entry.position, seq: entry.seq });
        Ok((Committed::Appended(placed.collect()), batch))
    }

    #[expect(clippy::too_many_lines, reason = "a table: one arm for each kind")]
    fn holds(&self, precondition: &Precondition) -> bool {
        let Self { accounts, communities, projections, moderation, .. } = self;
        match precondition {
            Precondition::NoAccounts => !accounts.any_with_identity(),
            Precondition::UserActive(id) => accounts.user(*id).is_some_and(|user| !user.disabled),
            Precondition::UsernameFree(name) => accounts.by_username(name).is_none(),
            Precondition::UserIs(user) => accounts.user(user.id) == Some(&**user),
            Precondition::IdentityFree(identity) => accounts.by_identity(*identity).is_none(),
            Precondition::ChainLength(identity, length) => {
                accounts.chain_length(*identity) == *length
            }
            Precondition::ChallengeUnused(challenge) => !accounts.challenge_used(challenge),
            Precondition::ResetUsable(code, user, now) => {
                accounts.reset(code).is_some_and(|(whose, end)| whose == *user && *now < end)
            }
            Precondition::UserUnclaimed(id) => {
                accounts.user(*id).is_some_and(|user| user.identity.is_none() && !user.bot)
            }
            Precondition::SlugFree(slug, id) => {
                communities.by_slug(slug).is_none_or(|community| community.id == *id)
            }
            Precondition::CommunityRole(community, user, least) => {
                projections.role(*community, *user).is_some_and(|role| role >= *least)
            }
            Precondition::CommunityIs(community) => {
                communities.by_id(community.id) == Some(community)
            }
            Precondition::RoleIs(community, user, role) => {
                projections.role(*community, *user) == Some(*role)
            }
            Precondition::NotInCommunity(community, user) => {
                projections.role(*community, *user).is_none()
            }
            Precondition::OtherOwner(community, user) => {
                projections.has_other_owner(*community, *user)
            }
            Precondition::InviteUsable(code, now) => {
                communities.invite(code).is_some_and(|invite| invite.usable(*now))
            }
            Precondition::JoinRequestIs(community, user, refused) => {
                self.joins.state(*community, *user) == *refused
            }
            Precondition::ChannelNameFree(community, name, id) => {
                projections.channel_name_free(*community, name, *id)
            }
            Precondition::DmFree(users) => projections.dm(users).is_none(),
            Precondition::ChannelIs(channel) => projections.channel(channel.id) == Some(&**channel),
            Precondition::ChannelOpen(id) => {
                projections.channel(*id).is_some_and(|channel| !channel.archived)
            }
            Precondition::InChannel(channel, user) => projections.in_channel(*channel, *user),
            Precondition::NotInChannel(channel, user) => !projections.in_channel(*channel, *user),
            Precondition::MessageLive(channel, id) => projections.is_live(*channel, *id),
            Precondition::MessageTopLevel(channel, id) => projections
                .message(*id)
                .is_some_and(|row| row.channel == *channel && row.remains.parent_id.is_none()),
            Precondition::ReactionAddable(id, user, emoji, kinds) => {
                projections.message(*id).is_none_or(|row| row.can_add(*user, emoji, *kinds))
            }
            Precondition::ReactionThere(id, user, emoji) => {
                projections.message(*id).is_some_and(|row| row.has_reaction(*user, emoji))
            }
            Precondition::ReadBefore(channel, user, seq) => {
                projections.marker(*channel, *user) < *seq
            }
            Precondition::ThreadReadBefore(root, user, seq) => {
                projections.thread_marker(*root, *user).is_none_or(|marker| marker < *seq)
            }
            Precondition::NotBlocked(one, other) => !self.blocks.between(*one, *other),
            Precondition::CommandFree(community, bot, name) => {
                self.commands.free(*community, *bot, name)
            }
            Precondition::ReminderThere(id) => self.reminders.has(*id),
            Precondition::WebhookThere(id) => self.webhooks.has(*id),
            Precondition::WebhookNote(id, key, value) => {
                self.webhooks.note(*id, key) == value.as_ref()
            }
            Precondition::Pinnable(channel, id, most) => {
                let rows = projections.messages.values();
                let pins = rows.filter(|row| row.channel == *channel && row.pinned.is_some());
                projections.message(*id).is_some_and(|row| row.pinned.is_none())
                    && pins.count() < *most
            }
            Precondition::Pinned(id) => {
                projections.message(*id).is_some_and(|row| row.pinned.is_some())
            }
            Precondition::Saved(user, id, saved) => {
                projections.attentions.saved.contains(&(*user, *id)) == *saved
            }
            Precondition::Unreported(message, user) => !self.reports.has(*message, *user),
            Precondition::JobIs(id, attempts, due) => self.jobs.is(*id, *attempts, *due),
            Precondition::OutgoingIs(id, revision) => self.outgoing.is(*id, *revision),
            Precondition::OutgoingAt(id, position) => self.outgoing.is_at(*id, *position),
            Precondition::ProviderThere(id) => self.signin.has_provider(id),
            Precondition::LinkFree(provider, subject, user) => {
                self.signin.link_free(provider, subject, *user)
            }
            Precondition::UserCodeFree(code, most) => {
                self.signin.code_free(code) && self.signin.grants() < *most
            }
            Precondition::GrantIs(grant) => self.signin.grant_is(grant),
            Precondition::SettingIs(name, value) => self.operations.setting(name) == value.as_ref(),
            Precondition::SourceFree(source) => self.sources.get(source).is_none(),
            Precondition::StorageLeft(user, more, most) => {
                self.files.bytes_of(*user).saturating_add(*more) <= *most
            }
            Precondition::MediaUsable(id, user, channel) => self.media_usable(*id, *user, *channel),
            Precondition::MediaOrphaned(id, before) => self.media_orphaned(*id, *before),
            Precondition::BlobUnused(sha256) => self.files.blob_unused(sha256),
            Precondition::NotRestricted(kind, community, user, now) => {
                !moderation.stands(*kind, *community, *user, *now)
            }
            Precondition::Retains(id, seconds) => projections
                .channel(*id)
                .is_some_and(|channel| channel.retention_s == Some(*seconds)),
        }
    }

    /// Finds what would collide while nothing is written yet.
    fn validate_records(&self, records: &[Record]) -> Result<(), StorageError> {
        let collision = |what: &str| {
            Err(StorageError::Internal { detail: format!("the row is there already: {what}") })
        };
        let mut names = HashSet::new();
        let mut lengths: HashMap<IdentityKey, u64> = HashMap::new();
        for record in records {
            match record {
                Record::CreateUser(user) => {
                    let taken = self.accounts.user(user.id).is_some()
                        || self.accounts.by_username(&user.username).is_some()
                        || user.identity.is_some_and(|it| self.accounts.by_identity(it).is_some());
                    if taken || !names.insert(user.username.as_str()) {
                        return collision("user");
                    }
                }
                Record::RenameUser(id, name) => {
                    let taken = self.accounts.by_username(name).is_some_and(|it| it.id != *id);
                    if taken || !names.insert(name.as_str()) {
                        return collision("username");
                    }
                }
                Record::AppendChain { identity, first, envelopes } => {
                    let length = lengths
                        .entry(*identity)
                        .or_insert_with(|| self.accounts.chain_length(*identity));
                    if length != first {
                        return collision("envelope");
                    }
                    *length += envelopes.len() as u64;
                }
                Record::CreateCommunity(community)
                    if self.communities.by_slug(&community.slug).is_some() =>
                {
                    return collision("slug");
                }
                Record::CreateMedia(media, _) if self.files.has(media.media.id) => {
                    return collision("media");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn validate_entries(&self, entries: &[NewEntry]) -> Result<(), ChangeError> {
        let mut created = HashSet::new();
        let mut deleted = HashSet::new();
        for entry in entries {
            // Encoded here for nothing, so that a fact without an encoding is found in time.
            encode(&entry.fact)?;
            let Some(channel) = entry.log.channel() else { continue };
            match &entry.fact {
                Fact::MessageCreated { message } => {
                    let known = self.projections.message(message.id).is_some();
                    let new = created.insert(message.id) && !known;
                    if !new {
                        let detail = format!("the message is there already: {}", message.id);
                        return Err(StorageError::Internal { detail }.into());
                    }
                }
                Fact::MessageEdited { message } | Fact::MessagePreviewed { message } => {
                    self.require_live(channel, message.id, &created, &deleted)?;
                }
                Fact::MessageDeleted { message_id } => {
                    self.require_live(channel, *message_id, &created, &deleted)?;
                    deleted.insert(*message_id);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn require_live(
        &self,
        channel: ChannelId,
        id: MessageId,
        created: &HashSet<MessageId>,
        deleted: &HashSet<MessageId>,
    ) -> Result<(), Refusal> {
        let there = created.contains(&id) || self.projections.is_live(channel, id);
        if there && !deleted.contains(&id) {
            Ok(())
        } else {
            Err(Refusal::Precondition(Precondition::MessageLive(channel, id)))
        }
    }

    fn record(&mut self, record: Record) {
        match record {
            Record::CreateUser(user) => self.accounts.create(user),
            Record::UpdateUser(user) => self.accounts.update(user),
            Record::RenameUser(id, name) => self.accounts.rename(id, name),
            Record::AppendChain { identity, envelopes, .. } => {
                self.accounts.append_chain(identity, envelopes);
            }
            Record::UseChallenge(challenge, until) => {
                self.accounts.use_challenge(challenge, until);
            }
            Record::CreateReset(code, user, until) => {
                self.accounts.create_reset(code, user, until);
            }
            Record::UseReset(code) => self.accounts.use_reset(&code),
            Record::CreateSession(session) => self.sessions.create(session),
            Record::TouchSession(id, used, end) => self.sessions.touch(id, used, end),
            Record::DeleteSession(id) => self.sessions.retain(|session| session.id != id),
            Record::DeleteSessions(user, device) => self.sessions.retain(|session| {
                session.user_id != user || device.is_some_and(|device| session.device_id != device)
            }),
            Record::CreateBot(bot) => self.bots.create(bot),
            Record::DeleteBot(id) => {
                self.bots.delete(id);
                self.commands.set(id, Vec::new());
            }
            Record::CreateToken(token) => self.bots.create_token(token),
            Record::TouchToken(id, used) => self.bots.touch_token(id, used),
            Record::DeleteToken(id) => self.bots.retain_tokens(|token| token.id != id),
            Record::DeleteTokens(user) => self.bots.retain_tokens(|token| token.user_id != user),
            Record::Seen(user, at) => {
                self.seen.insert(user, at);
            }
            Record::Block(block) => self.blocks.add(block),
            Record::Unblock(user, blocked) => self.blocks.remove(user, blocked),
            Record::SetCommands(bot, commands) => self.commands.set(bot, commands),
            Record::CreateInvocation(invocation) => self.commands.invoke(invocation),
            Record::PutReminder(reminder) => self.reminders.put(reminder),
            Record::DeleteReminder(id) => self.reminders.delete(id),
            Record::PutDraft(draft) => self.drafts.put(draft),
            Record::DeleteDraft(user, channel, parent) => self.drafts.delete(user, channel, parent),
            Record::Report(report) => self.reports.add(report),
            Record::ResolveReport(id, user, at) => self.reports.resolve(id, user, at),
            Record::CreateWebhook(webhook) => self.webhooks.create(webhook),
            Record::DeleteWebhook(id) => self.webhooks.delete(id),
            Record::PutWebhookNote(id, key, value) => self.webhooks.put_note(id, key, value),
            Record::CreateJob(job) => self.jobs.create(job),
            Record::BeginJob(id, until) => self.jobs.begin(id, until),
            Record::RenewJob(id, until) => self.jobs.renew(id, until),
            Record::PutOffJob(id, until) => self.jobs.put_off(id, until),
            Record::DeleteJob(id) => self.jobs.delete(id),
            Record::SetPreviews(owner, on) => self.previews.set(owner, on),
            Record::CreateOutgoing(webhook) => self.outgoing.create(*webhook),
            Record::UpdateOutgoing(webhook) => self.outgoing.update(*webhook),
            Record::MoveOutgoing(id, position) => self.outgoing.move_to(id, position),
            Record::AcceptOutgoing(id, at) => self.outgoing.accepted(id, at),
            Record::DisableOutgoing(id, at, why) => self.outgoing.disable(id, at, why),
            Record::PutAttempt(attempt) => self.outgoing.put_attempt(attempt),
            Record::DeleteOutgoing(id) => self.outgoing.delete(id),
            Record::CreateCommunity(community) => self.communities.create(community),
            Record::UpdateCommunity(community) => self.communities.update(community),
            Record::CreateInvite(invite) => self.communities.create_invite(invite),
            Record::UseInvite(code) => self.communities.use_invite(&code),
            Record::DeleteInvite(code) => self.communities.delete_invite(&code),
            Record::PutJoinRequest(request) => self.joins.put(request),
            Record::DeleteJoinRequest(community, user) => self.joins.delete(community, user),
            Record::PutProvider(provider) => self.signin.put_provider(provider),
            Record::DeleteProvider(id) => self.signin.delete_provider(&id),
            Record::PutLink(link) => self.signin.put_link(link),
            Record::DeleteLinks(user, provider) => {
                self.signin.delete_links(user, provider.as_deref());
            }
            Record::PutGrant(grant) => self.signin.put_grant(grant),
            Record::DeleteGrant(hash) => self.signin.delete_grant(&hash),
            Record::BindSource { source, target } => self.sources.bind(source, target),
            Record::CreateMedia(media, blob) => self.files.create(media, blob),
            Record::UseMedia(id) => self.files.use_media(id),
            Record::DeleteMedia(id) => self.files.delete(id),
            Record::DeleteBlob(sha256) => self.files.delete_blob(&sha256),
            Record::PutRestriction(row) => self.moderation.put(row),
            Record::DeleteRestriction(kind, community, user) => {
                self.moderation.delete(kind, community, user);
            }
            Record::Audit(act) => self.moderation.note(act),
            Record::PutResponse(response) => self.operations.put_response(response),
            Record::PutSetting(name, value) => self.operations.put_setting(name, value),
            Record::Prune(now) => {
                self.accounts.prune(now);
                self.joins.prune(now);
                self.signin.prune(now);
                self.sessions.retain(|session| session.expires_at >= now);
                self.bots.retain_tokens(|token| token.expires_at.is_none_or(|end| end >= now));
                self.operations.prune(now);
                self.moderation.prune(now);
                self.commands.prune(now);
            }
        }
    }

    /// Gives an entry its place, chains it, and lets the projections follow.
    fn append(&mut self, entry: NewEntry) -> Result<CommittedEntry, StorageError> {
        let NewEntry { log, community, actor, at, mut fact, salt } = entry;
        let position = self.log.next_position();
        let (seq, prev) = self.log.next_place(log);
        self.fill_in(log, &mut fact, seq, at);

        let kind = fact.kind();
        let data = Bytes::from(encode(&fact)?);
        let header = event::Header { actor, community, log, seq, at, kind };
        let commitment = chain::commitment(&salt, &data);
        let hash = chain::entry_hash(&prev, &header.encode(), &commitment);
        let event = Bytes::from(header.encode_event(&data));
        let remains = match &fact {
            Fact::MessageCreated { message } => Some(Remains::of(message)),
            _ => None,
        };
        let stored = StoredEntry {
            position,
            log,
            seq,
            community,
            actor,
            at,
            kind: kind.to_owned(),
            data: Some((data, salt)),
            commitment,
            prev,
            hash,
        };
        let fact = Arc::new(fact);
        let entry = LogEntry { stored, remains };
        let erased = self.projections.follow(&entry, Some(&fact));
        self.log.push(entry);
        for position in erased {
            self.log.erase(position);
        }
        Ok(CommittedEntry { position, log, seq, community, actor, fact: Some(fact), event })
    }

    /// What only the writer knows.
    fn fill_in(
        &self,
        log: LogId,
        fact: &mut Fact,
        seq: tidings_domain::Seq,
        at: tidings_domain::Timestamp,
    ) {
        match (fact, log) {
            (Fact::MessageCreated { message }, _) => message.seq = seq,
            (Fact::MessageEdited { message }, _) => {
                if let Some(row) = self.projections.message(message.id)
                    && let Some(newest) = row.newest()
                {
                    complete_edit(message, newest.clone(), &row.stored(UserId::NIL), at);
                }
            }
            (Fact::MessagePreviewed { message }, _) => {
                if let Some(row) = self.projections.message(message.id)
                    && let Some(newest) = row.newest()
                {
                    complete_previews(message, newest.clone());
                }
            }
            (
                Fact::ReadUpdated { channel_id, thread, seq, unread, mentions },
                LogId::User(user),
            ) => {
                (*unread, *mentions) = match thread {
                    None => self.projections.unread_after(*channel_id, user, *seq, &self.blocks),
                    Some(root) => (self.projections.unread_replies(*root, user, *seq), 0),
                };
            }
            _ => {}
        }
    }
}

fn encode(fact: &Fact) -> Result<Vec<u8>, StorageError> {
    event::encode_data(fact).map_err(|error| StorageError::Internal {
        detail: format!("a {} fact has no encoding: {error}", fact.kind()),
    })
}
