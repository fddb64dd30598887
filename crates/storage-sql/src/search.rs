//! Full-text search: FTS5 on SQLite, `tsvector` on PostgreSQL, the same words in both.
//!
//! Bodies are cut into words by `domain::search::token`, so both databases find the same. On SQLite
//! a second column holds words for the channel, the author and what the message carries: a search
//! is then one intersection of lists that FTS5 keeps in order of rowids, newest first, and costs
//! the same however common its words are and whatever the reader may not see.

use async_trait::async_trait;
use tidings_domain::search::token;
use tidings_domain::{Media, Message, MessageId, Position, UserId};
use tidings_storage::search::{Carries, SearchFilter, SearchPage, has_link, words};
use tidings_storage::{SearchRepository, StorageError};

use crate::conn::{Conn, Params, Value, params};
use crate::read;
use crate::store::SqlStore;
use crate::writer::Request;

const LINK: i64 = 1;
const FILE: i64 = 2;
const IMAGE: i64 = 4;

/// A message as the index sees it.
pub(crate) struct Document {
    /// The position of the message's first entry.
    pub(crate) position: u64,
    log: i64,
    author: UserId,
    carries: i64,
    words: String,
}

impl Document {
    pub(crate) fn new(position: u64, log: i64, message: &Message) -> Self {
        Self::with_words(position, log, message, words(&message.body))
    }

    /// The document of a message whose words were cut before.
    pub(crate) fn with_words(position: u64, log: i64, message: &Message, words: String) -> Self {
        let bit = |carried: bool, bit: i64| if carried { bit } else { 0 };
        let carries = bit(has_link(&message.body), LINK)
            | bit(!message.attachments.is_empty(), FILE)
            | bit(message.attachments.iter().any(Media::is_image), IMAGE);
        Self { position, log, author: message.author.id, carries, words }
    }

    fn meta(&self) -> String {
        let mut meta = format!("{} {}", channel_word(self.log), author_word(self.author));
        for (bit, word) in [(LINK, "haslink"), (FILE, "hasfile"), (IMAGE, "hasimage")] {
            if self.carries & bit != 0 {
                meta.push(' ');
                meta.push_str(word);
            }
        }
        meta
    }
}

fn channel_word(log: i64) -> String {
    format!("c{log}")
}

fn author_word(author: UserId) -> String {
    format!("u{}", author.0.as_simple())
}

/// Puts documents into the index.
pub(crate) async fn insert(conn: &mut Conn, documents: Vec<Document>) -> Result<(), StorageError> {
    if conn.is_postgres() {
        let rows = documents.into_iter().map(|document| {
            let Document { position, log, author, carries, words } = document;
            params![position, log, author, carries, tsvector(&words)]
        });
        conn.execute_each(
            "INSERT INTO search (position, log, author, carries, body)
             VALUES (?1, ?2, ?3, ?4, CAST(CAST(?5 AS TEXT) AS TSVECTOR))",
            rows.collect(),
        )
        .await
    } else {
        let rows = documents
            .into_iter()
            .map(|document| params![document.position, document.meta(), document.words]);
        conn.execute_each(
            "INSERT INTO search (rowid, meta, body) VALUES (?1, ?2, ?3)",
            rows.collect(),
        )
        .await
    }
}

/// Takes a message out of the index, if it is there.
pub(crate) async fn remove(conn: &mut Conn, position: Position) -> Result<(), StorageError> {
    let sql = if conn.is_postgres() {
        "DELETE FROM search WHERE position = ?1"
    } else {
        "DELETE FROM search WHERE rowid = ?1"
    };
    conn.execute(sql, params![position]).await.map(drop)
}

#[async_trait]
impl SearchRepository for SqlStore {
    async fn search(
        &self,
        filter: &SearchFilter,
        before: Option<Position>,
        limit: usize,
        reader: UserId,
    ) -> Result<SearchPage, StorageError> {
        let filter = filter.clone();
        self.read(move |conn| {
            Box::pin(async move { find(conn, &filter, before, limit, reader).await })
        })
        .await
    }

    async fn indexed(&self, position: Position) -> Result<(), StorageError> {
        let mut reached = self.indexed.clone();
        if *reached.borrow() >= position.0 {
            return Ok(());
        }
        self.writer.send(Request::Index(position.0)).await?;
        reached.wait_for(|reached| *reached >= position.0).await.map(drop).map_err(|_| {
            StorageError::Unavailable { detail: "the log's writer has stopped".to_owned() }
        })
    }
}

async fn find(
    conn: &mut Conn,
    filter: &SearchFilter,
    before: Option<Position>,
    limit: usize,
    reader: UserId,
) -> Result<SearchPage, StorageError> {
    let rows = filter.channels.iter().map(|channel| params![*channel]).collect();
    let logs =
        conn.query_each("SELECT log FROM channels WHERE id = ?1", rows, |row| row.int(0)).await?;
    let logs: Vec<i64> = logs.into_iter().flatten().collect();
    if logs.is_empty() {
        return Ok(SearchPage::default());
    }
    let before = before.unwrap_or(Position(u64::MAX >> 1));
    // One more than asked for tells whether there is another page.
    let mut found = if conn.is_postgres() {
        find_postgres(conn, filter, &logs, before, limit + 1).await?
    } else {
        find_sqlite(conn, filter, &logs, before, limit + 1).await?
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(|(position, _)| *position) } else { None };
    let mut messages = Vec::with_capacity(found.len());
    for (_, id) in found {
        if let Some(message) = read::message::one(conn, id, reader).await? {
            messages.push(message);
        }
    }
    Ok(SearchPage { messages, next })
}

fn times(filter: &SearchFilter) -> (i64, i64) {
    (filter.after.map_or(i64::MIN, |at| at.0), filter.before.map_or(i64::MAX, |at| at.0))
}

async fn find_sqlite(
    conn: &mut Conn,
    filter: &SearchFilter,
    logs: &[i64],
    before: Position,
    limit: usize,
) -> Result<Vec<(Position, MessageId)>, StorageError> {
    let (from, until) = times(filter);
    // The outer order is the index's own; FTS5 walks it backward and stops at the limit.
    let sql = "SELECT s.rowid, e.subject FROM search s CROSS JOIN entries e ON e.position = s.rowid
               WHERE s.search MATCH ?1 AND s.rowid < ?2 AND e.at >= ?3 AND e.at < ?4
               ORDER BY s.rowid DESC LIMIT ?5";
    let params = params![fts5(filter, logs), before, from, until, limit];
    conn.query(sql, params, |row| Ok((Position(row.count(0)?), MessageId(row.id(1)?)))).await
}

/// Words as the index has them: letters and digits only, without case and accents.
fn folded(words: &[String]) -> Vec<String> {
    words.iter().flat_map(|word| token::list(word)).collect()
}

/// The query in FTS5's language. Words are letters and digits only and stand in quotes, so nothing
/// that a person typed is read as an operator.
fn fts5(filter: &SearchFilter, logs: &[i64]) -> String {
    let any = |words: Vec<String>| format!("meta : ({})", words.join(" OR "));
    let mut query = any(logs.iter().map(|log| channel_word(*log)).collect());
    if !filter.authors.is_empty() {
        let authors = filter.authors.iter().map(|author| author_word(*author)).collect();
        query.push_str(" AND ");
        query.push_str(&any(authors));
    }
    for carried in &filter.carries {
        query.push_str(match carried {
            Carries::Link => " AND meta : haslink",
            Carries::File => " AND meta : hasfile",
            Carries::Image => " AND meta : hasimage",
        });
    }
    let phrase = |words: &[String]| format!("body : \"{}\"", folded(words).join(" "));
    for term in filter.terms.iter().filter(|term| !term.exclude) {
        query.push_str(" AND ");
        query.push_str(&phrase(&term.words));
    }
    for term in filter.terms.iter().filter(|term| term.exclude) {
        query = format!("({query}) NOT {}", phrase(&term.words));
    }
    query
}

async fn find_postgres(
    conn: &mut Conn,
    filter: &SearchFilter,
    logs: &[i64],
    before: Position,
    limit: usize,
) -> Result<Vec<(Position, MessageId)>, StorageError> {
    let (from, until) = times(filter);
    let list = |items: Vec<String>| Value::from(format!("{{{}}}", items.join(",")));
    let phrases = |exclude: bool| {
        let terms = filter.terms.iter().filter(move |term| term.exclude == exclude);
        terms.map(|term| tsquery(&term.words)).collect::<Vec<_>>()
    };
    let wanted = phrases(false).join(" & ");
    let unwanted = phrases(true).join(" | ");
    let carries = filter.carries.iter().fold(0, |bits, carried| {
        bits | match carried {
            Carries::Link => LINK,
            Carries::File => FILE,
            Carries::Image => IMAGE,
        }
    });
    let sql = "SELECT s.position, e.subject FROM search s JOIN entries e ON e.position = s.position
               WHERE s.log = ANY (CAST(CAST(?1 AS TEXT) AS BIGINT[]))
                 AND (CAST(?2 AS TEXT) = '{}' OR s.author = ANY (CAST(CAST(?2 AS TEXT) AS UUID[])))
                 AND (CAST(?3 AS TEXT) = '' OR s.body @@ CAST(CAST(?3 AS TEXT) AS TSQUERY))
                 AND (CAST(?4 AS TEXT) = '' OR NOT s.body @@ CAST(CAST(?4 AS TEXT) AS TSQUERY))
                 AND s.carries & CAST(?5 AS BIGINT) = CAST(?5 AS BIGINT)
                 AND s.position < ?6 AND e.at >= ?7 AND e.at < ?8
               ORDER BY s.position DESC LIMIT ?9";
    let params: Params = vec![
        list(logs.iter().map(ToString::to_string).collect()),
        list(filter.authors.iter().map(ToString::to_string).collect()),
        Value::from(wanted),
        Value::from(unwanted),
        Value::from(carries),
        Value::from(before),
        Value::from(from),
        Value::from(until),
        Value::from(limit),
    ];
    conn.query(sql, params, |row| Ok((Position(row.count(0)?), MessageId(row.id(1)?)))).await
}

/// Words and their places, as PostgreSQL writes them. Its own parser would cut text by the locale
/// that the cluster was made with.
fn tsvector(words: &str) -> String {
    // PostgreSQL counts places up to this one and lets all later words share it.
    const LAST: usize = 16_383;
    let placed = words.split(' ').filter(|word| !word.is_empty()).zip(1_usize..);
    let placed: Vec<_> =
        placed.map(|(word, place)| format!("'{word}':{}", place.min(LAST))).collect();
    placed.join(" ")
}

/// Words that follow each other, in PostgreSQL's language, each in quotes.
fn tsquery(words: &[String]) -> String {
    let quoted: Vec<_> = folded(words).iter().map(|word| format!("'{word}'")).collect();
    format!("({})", quoted.join(" <-> "))
}
