//! One transaction: heads of logs, places for entries, rows that are gathered and written together.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{ChannelId, CommunityId, Fact, LogId, MessageId, Position, Seq, UserId};
use tidings_storage::change::{Placed, Prepared};
use tidings_storage::{
    Change, ChangeError, Committed, CommittedEntry, Deduped, NewEntry, Precondition, Record,
    Refusal, StorageError,
};
use tidings_wire::chain;
use tidings_wire::event::{Header, Unplaced, encode_data};
use uuid::Uuid;

use super::{precondition, projection, record};
use crate::conn::{Conn, Params, params};
use crate::search::Document;

/// Where a log stands while a transaction runs.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// The log's number in the tables.
    pub(super) id: i64,
    /// Its newest place.
    pub(super) seq: u64,
    /// The hash of its newest entry.
    pub(super) hash: chain::Hash,
    /// Messages of the timeline ever appended, imported ones aside.
    pub(super) message_count: u64,
    changed: bool,
}

impl Head {
    pub(super) const fn count_message(&mut self) {
        self.message_count += 1;
        self.changed = true;
    }
}

/// The log's kind and owner, as columns.
pub(crate) const fn log_columns(log: LogId) -> (&'static str, Uuid) {
    match log {
        LogId::Conversation(id) => ("c", id.0),
        LogId::Community(id) => ("g", id.0),
        LogId::User(id) => ("u", id.0),
    }
}

type ClientKey = (ChannelId, UserId, String);

/// What a transaction leaves to do when it is committed.
pub(super) struct Finished {
    /// What to tell the tail.
    pub(super) entries: Vec<CommittedEntry>,
    /// The newest position.
    pub(super) head: u64,
    /// Whether bodies were erased.
    pub(super) erased: bool,
    /// What the index will want.
    pub(super) documents: Vec<Document>,
    /// Whether nothing but new messages touches the index.
    pub(super) simple: bool,
}

/// A transaction that is under way.
pub(crate) struct Batch<'c> {
    pub(crate) conn: &'c mut Conn,
    /// The newest position that was given out.
    position: u64,
    heads: HashMap<LogId, Head>,
    /// Messages of this transaction by `client_id`, for repeats within it.
    sent: HashMap<ClientKey, ([u8; 32], Deduped)>,
    entry_rows: Vec<Params>,
    client_rows: Vec<Params>,
    pub(super) messages: projection::MessageRows,
    committed: Vec<CommittedEntry>,
    /// What the index will want of the messages of this transaction.
    documents: Vec<Document>,
    /// Whether nothing but new messages touches the index.
    simple: bool,
    pub(super) erased: bool,
}

impl<'c> Batch<'c> {
    /// Takes the lock that all writers share.
    pub(crate) async fn begin(conn: &'c mut Conn) -> Result<Self, StorageError> {
        let sql = if conn.is_postgres() {
            "SELECT position FROM log_position WHERE id = 1 FOR UPDATE"
        } else {
            "SELECT position FROM log_position WHERE id = 1"
        };
        let position = conn.query_first(sql, params![], |row| row.count(0)).await?;
        Ok(Self {
            conn,
            position: position.unwrap_or(0),
            heads: HashMap::new(),
            sent: HashMap::new(),
            entry_rows: Vec::new(),
            client_rows: Vec::new(),
            messages: projection::MessageRows::default(),
            committed: Vec::new(),
            documents: Vec::new(),
            simple: true,
            erased: false,
        })
    }

    /// Applies changes in order; one outcome for each.
    pub(super) async fn apply(
        &mut self,
        changes: &[Box<Change>],
    ) -> Result<Vec<Result<Committed, ChangeError>>, StorageError> {
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut rest = changes;
        while !rest.is_empty() {
            let sends = rest.iter().take_while(|change| is_plain_send(change)).count();
            let (run, others) = rest.split_at(sends.max(1));
            rest = others;
            // Plain sends change nothing that a precondition of another plain send looks at, so
            // what all of them demand is asked at once.
            self.flush().await?;
            let mut known = HashMap::new();
            let demanded: Vec<_> = run.iter().map(|change| demands(change)).collect();
            precondition::holds_each(
                self.conn,
                demanded.iter().flat_map(|demands| demands.iter()),
                &mut known,
            )
            .await?;
            let repeats = self.find_repeats(run).await?;
            for ((change, demands), repeat) in run.iter().zip(&demanded).zip(repeats) {
                outcomes.push(self.apply_one(change, demands, repeat, &known).await?);
            }
        }
        Ok(outcomes)
    }

    async fn apply_one(
        &mut self,
        change: &Change,
        demands: &[Precondition],
        repeat: Option<([u8; 32], Deduped)>,
        known: &HashMap<Precondition, bool>,
    ) -> Result<Result<Committed, ChangeError>, StorageError> {
        if let Some(dedupe) = &change.dedupe {
            let key = (dedupe.channel, dedupe.user, dedupe.client_id.clone());
            if let Some((request, first)) = repeat.or_else(|| self.sent.get(&key).copied()) {
                return Ok(if request == dedupe.request {
                    Ok(Committed::Replayed(first))
                } else {
                    Err(Refusal::DedupeMismatch.into())
                });
            }
        }
        for precondition in demands {
            if known.get(precondition) != Some(&true) {
                return Ok(Err(Refusal::Precondition(precondition.clone()).into()));
            }
        }
        for record in &change.records {
            record::write(self.conn, record).await?;
        }
        let mut placed = Vec::with_capacity(change.entries.len());
        let prepared = change.prepared.iter().map(Option::as_deref).chain(std::iter::repeat(None));
        for (entry, prepared) in change.entries.iter().zip(prepared) {
            let (place, message_id) = self.append(entry, prepared).await?;
            if let (Some(dedupe), Some(message_id)) = (&change.dedupe, message_id) {
                self.remember(dedupe, message_id, place.seq).await?;
            }
            placed.push(place);
        }
        Ok(Ok(Committed::Appended(placed)))
    }

    /// The first message under each change's `client_id`, when there is one.
    async fn find_repeats(
        &mut self,
        run: &[Box<Change>],
    ) -> Result<Vec<Option<([u8; 32], Deduped)>>, StorageError> {
        let mut asked = Vec::with_capacity(run.len());
        let mut rows = Vec::with_capacity(run.len());
        for (index, change) in run.iter().enumerate() {
            if let Some(dedupe) = &change.dedupe {
                let log = self.head(LogId::Conversation(dedupe.channel), None).await?.id;
                rows.push(params![log, dedupe.user, &dedupe.client_id]);
                asked.push(index);
            }
        }
        let found = self
            .conn
            .query_each(
                "SELECT request, message_id, seq FROM client_ids
                 WHERE log = ?1 AND user_id = ?2 AND client_id = ?3",
                rows,
                |row| {
                    let message_id = MessageId(row.id(1)?);
                    Ok((row.hash(0)?, Deduped { message_id, seq: Seq(row.count(2)?) }))
                },
            )
            .await?;
        let mut repeats = vec![None; run.len()];
        for (index, repeat) in asked.into_iter().zip(found) {
            if let Some(slot) = repeats.get_mut(index) {
                *slot = repeat;
            }
        }
        Ok(repeats)
    }

    async fn remember(
        &mut self,
        dedupe: &tidings_storage::Dedupe,
        message_id: MessageId,
        seq: Seq,
    ) -> Result<(), StorageError> {
        let log = self.head(LogId::Conversation(dedupe.channel), None).await?.id;
        self.client_rows.push(params![
            log,
            dedupe.user,
            &dedupe.client_id,
            dedupe.request,
            message_id,
            seq
        ]);
        let key = (dedupe.channel, dedupe.user, dedupe.client_id.clone());
        self.sent.insert(key, (dedupe.request, Deduped { message_id, seq }));
        Ok(())
    }

    /// The log's head; the log comes to be when it is not there.
    pub(super) async fn head(
        &mut self,
        log: LogId,
        community: Option<CommunityId>,
    ) -> Result<&mut Head, StorageError> {
        if !self.heads.contains_key(&log) {
            let head = self.load_head(log, community).await?;
            self.heads.insert(log, head);
        }
        self.heads.get_mut(&log).ok_or_else(|| StorageError::Internal {
            detail: "a head that was just put into the map is not there".to_owned(),
        })
    }

    async fn load_head(
        &mut self,
        log: LogId,
        community: Option<CommunityId>,
    ) -> Result<Head, StorageError> {
        let (kind, owner) = log_columns(log);
        let found = self
            .conn
            .query_first(
                "SELECT id, head_seq, head_hash, message_count FROM logs WHERE owner = ?1 AND kind = ?2",
                params![owner, kind],
                |row| {
                    Ok(Head {
                        id: row.int(0)?,
                        seq: row.count(1)?,
                        hash: row.hash(2)?,
                        message_count: row.count(3)?,
                        changed: false,
                    })
                },
            )
            .await?;
        if let Some(head) = found {
            return Ok(head);
        }
        let id = self
            .conn
            .query_first(
                "INSERT INTO logs (kind, owner, community_id, head_hash) VALUES (?1, ?2, ?3, ?4)
                 RETURNING id",
                params![kind, owner, community.unwrap_or(CommunityId::NIL), chain::GENESIS],
                |row| row.int(0),
            )
            .await?
            .unwrap_or_default();
        Ok(Head { id, seq: 0, hash: chain::GENESIS, message_count: 0, changed: false })
    }

    /// Gives an entry its place and its hash, and carries out what it means.
    async fn append(
        &mut self,
        entry: &NewEntry,
        prepared: Option<&Prepared>,
    ) -> Result<(Placed, Option<MessageId>), StorageError> {
        let mut fact = entry.fact.clone();
        let position = self.position + 1;
        let place = {
            let head = self.head(entry.log, entry.community).await?;
            Placed { position: Position(position), seq: Seq(head.seq + 1) }
        };
        let subject = projection::complete(self, entry.log, place, entry.at, &mut fact).await?;
        let (data, commitment) = encode(&fact, &entry.salt, place.seq, prepared)?;
        let header = Header {
            actor: entry.actor,
            community: entry.community,
            log: entry.log,
            seq: place.seq,
            at: entry.at,
            kind: fact.kind(),
        };
        let (header, event) = header.encode_both(&data);
        let head = self.head(entry.log, entry.community).await?;
        let hash = chain::entry_hash(&head.hash, &header, &commitment);
        head.seq = place.seq.0;
        head.hash = hash;
        head.changed = true;
        let log = head.id;
        self.position = position;
        self.entry_rows.push(params![
            position,
            log,
            place.seq,
            Cow::Borrowed(fact.kind()),
            entry.actor,
            entry.at,
            subject.message,
            subject.parent,
            subject.flags,
            data,
            entry.salt,
            commitment,
            hash
        ]);
        let seen =
            projection::Seen { place, log: entry.log, actor: entry.actor, at: entry.at, subject };
        projection::project(self, &seen, Some(&fact)).await?;
        let created = match &fact {
            Fact::MessageCreated { message } => {
                self.documents.push(match prepared {
                    Some(Prepared { words, .. }) => {
                        Document::with_words(position, log, message, words.clone())
                    }
                    None => Document::new(position, log, message),
                });
                Some(subject.message)
            }
            Fact::MessageEdited { .. } | Fact::MessageDeleted { .. } => {
                self.simple = false;
                None
            }
            _ => None,
        };
        self.committed.push(CommittedEntry {
            position: place.position,
            log: entry.log,
            seq: place.seq,
            community: entry.community,
            actor: entry.actor,
            fact: Some(Arc::new(fact)),
            event: Bytes::from(event),
        });
        Ok((place, created))
    }

    /// Writes what was gathered. Everything that reads projections comes after it.
    pub(crate) async fn flush(&mut self) -> Result<(), StorageError> {
        if !self.entry_rows.is_empty() {
            self.conn
                .execute_each(
                    "INSERT INTO entries (position, log, seq, kind, actor, at, subject, parent,
                       flags, data, salt, commitment, hash)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    std::mem::take(&mut self.entry_rows),
                )
                .await?;
        }
        self.messages.flush(self.conn).await?;
        if !self.client_rows.is_empty() {
            self.conn
                .execute_each(
                    "INSERT INTO client_ids (log, user_id, client_id, request, message_id, seq)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    std::mem::take(&mut self.client_rows),
                )
                .await?;
        }
        let mut heads = Vec::new();
        for head in self.heads.values_mut().filter(|head| head.changed) {
            head.changed = false;
            heads.push(params![head.id, head.seq, head.hash, head.message_count]);
        }
        self.conn
            .execute_each(
                "UPDATE logs SET head_seq = ?2, head_hash = ?3, message_count = ?4 WHERE id = ?1",
                heads,
            )
            .await
    }

    /// Writes the rest, and says what is to be done when it is committed.
    pub(super) async fn finish(mut self) -> Result<Finished, StorageError> {
        self.flush().await?;
        if !self.committed.is_empty() {
            self.conn
                .execute(
                    "UPDATE log_position SET position = ?1 WHERE id = 1",
                    params![self.position],
                )
                .await?;
        }
        Ok(Finished {
            entries: self.committed,
            head: self.position,
            erased: self.erased,
            documents: self.documents,
            simple: self.simple,
        })
    }
}

/// The data of an entry, and the commitment to it.
fn encode(
    fact: &Fact,
    salt: &[u8; 32],
    seq: Seq,
    prepared: Option<&Prepared>,
) -> Result<(Vec<u8>, chain::Hash), StorageError> {
    if let Some(Prepared { data, commitment, .. }) = prepared {
        let rest = Unplaced::rest(seq);
        let data = [data.as_bytes(), rest.as_bytes()].concat();
        return Ok((data, commitment.end(rest.as_bytes())));
    }
    let data = encode_data(fact).map_err(|e| StorageError::Internal { detail: e.to_string() })?;
    let commitment = chain::commitment(salt, &data);
    Ok((data, commitment))
}

/// Whether a change is one new message, whom it calls, and nothing else that other sends could depend
/// on.
fn is_plain_send(change: &Change) -> bool {
    let [NewEntry { fact: Fact::MessageCreated { .. }, .. }, calls @ ..] = &*change.entries else {
        return false;
    };
    // No precondition of a send looks at jobs.
    change.records.iter().all(|record| matches!(record, Record::CreateJob(_)))
        && calls.iter().all(|entry| matches!(entry.fact, Fact::NotificationCreated(_)))
}

/// Everything that must hold for a change: what it names, and what its facts imply.
fn demands(change: &Change) -> Cow<'_, [Precondition]> {
    let mut created = Vec::new();
    let mut implied = Vec::new();
    for entry in &change.entries {
        let message = match &entry.fact {
            Fact::MessageCreated { message } => {
                created.push(message.id);
                continue;
            }
            Fact::MessageEdited { message } | Fact::MessagePreviewed { message } => message.id,
            Fact::MessageDeleted { message_id } => *message_id,
            _ => continue,
        };
        if let Some(channel) = entry.log.channel()
            && !created.contains(&message)
        {
            implied.push(Precondition::MessageLive(channel, message));
        }
    }
    if implied.is_empty() {
        Cow::Borrowed(&change.preconditions)
    } else {
        Cow::Owned(change.preconditions.iter().cloned().chain(implied).collect())
    }
}
