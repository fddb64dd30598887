//! The send queue on disk: what was written while the server was away goes out once, in order.
//!
//! One file per message, named by its place in line, written beside its name, synced, and renamed,
//! so that a crash leaves a whole file or none. A message goes out under the `client_id` that it
//! got when it was queued, and its channel is written down before the first try; so a try whose
//! answer was lost may be repeated, and the server appends once.
//!
//! Two locks let several processes share a directory: `line.lock` for the moment in which a place
//! is given, `drain.lock` for as long as somebody sends. Only who holds the second one sends.
//! Refused messages move to `refused/` with the reason; nothing is ever thrown away.

mod disk;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings_domain::{ChannelId, Timestamp};
use tidings_wire::message::{CreateMessage, Message};
use tidings_wire::{Code, Time};
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;
use crate::message::new_client_id;
use crate::resolve::{ChannelRef, ResolveError};
use disk::Lock;

/// A queue of messages in a directory of its own.
#[derive(Debug, Clone)]
pub struct Outbox {
    dir: PathBuf,
}

/// A message to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The conversation, as it was named.
    pub target: ChannelRef,
    /// Markdown.
    pub body: String,
    /// The top-level message to reply to.
    pub parent_id: Option<Uuid>,
}

/// A message in line, as its file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// What the message is called; the same at every try.
    pub client_id: String,
    /// The conversation, as it was named.
    pub target: String,
    /// The conversation, once the name was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<Uuid>,
    /// Markdown.
    pub body: String,
    /// The top-level message to reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// When it was written.
    pub queued_at: Time,
    /// Why the server refused it; only in `refused/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub struct OutboxError {
    /// What was tried.
    pub what: &'static str,
    /// With which file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// Why a message was refused for good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedError {
    /// Its conversation was not found.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The server said no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file's target is no name of a conversation.
    #[error(transparent)]
    Target(#[from] crate::resolve::RefError),
}

/// What became of one message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The server has it.
    Sent {
        /// What was in line.
        queued: Queued,
        /// What the server made of it.
        message: Box<Message>,
    },
    /// The server will not take it.
    Refused {
        /// What was in line.
        queued: Queued,
        /// Why.
        error: RefusedError,
        /// Where it is kept.
        kept_at: PathBuf,
    },
}

/// What became of the queue.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Drained {
    /// One for each message that left the line, in order.
    pub outcomes: Vec<Outcome>,
    /// Why the rest still waits; `None` when nothing does.
    pub stopped: Option<ClientError>,
}

/// What became of one message that was to be sent now.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fate {
    /// The server has it.
    Sent(Box<Message>),
    /// The server will not take it; it is not kept.
    Refused(RefusedError),
    /// It waits in line: because of this error, or (`None`) because another process has been
    /// sending for a long time and will come to it.
    Waits {
        /// What it is called.
        client_id: String,
        /// What stopped the line.
        error: Option<ClientError>,
    },
}

/// How long to wait for another process that sends: one of its requests may time out first.
const TURN_TIMEOUT: Duration = Duration::from_secs(35);

/// How often to look whether it is our turn: quicker than a person notices.
const TURN_STEP: Duration = Duration::from_millis(20);

impl Outbox {
    /// Opens the queue in `dir`, which is made (0700) when it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, OutboxError> {
        let dir = dir.into();
        disk::create_private_dir(&dir)?;
        Ok(Self { dir })
    }

    /// Gives a message the last place in line and says what it is called there. It is on disk
    /// when this returns.
    pub fn push(&self, message: &Outgoing, now: Timestamp) -> Result<String, OutboxError> {
        let client_id = new_client_id();
        let queued = Queued {
            client_id: client_id.clone(),
            target: message.target.to_string(),
            channel_id: None,
            body: message.body.clone(),
            parent_id: message.parent_id,
            queued_at: Time(now),
            refused: None,
        };
        let _line = Lock::take(&self.dir.join("line.lock"))?;
        let last = self.line()?.last().and_then(|path| place_of(path)).unwrap_or(0);
        let name = format!("{:020}-{client_id}.json", last + 1);
        disk::write(&self.dir.join(name), &queued)?;
        Ok(client_id)
    }

    /// Messages in line, first to last.
    pub fn pending(&self) -> Result<Vec<Queued>, OutboxError> {
        let mut pending = Vec::new();
        for path in self.line()? {
            pending.extend(disk::read(&path)?);
        }
        Ok(pending)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> Result<bool, OutboxError> {
        Ok(self.line()?.is_empty())
    }

    /// Sends everything in line, unless another process does so right now; stops at the first
    /// message that the server cannot take at the moment. Safe to drop: what was not answered
    /// stays in line.
    pub async fn drain(&self, client: &Client) -> Result<Drained, OutboxError> {
        if self.is_empty()? {
            return Ok(Drained::default());
        }
        match Lock::try_take(&self.dir.join("drain.lock"))? {
            Some(_turn) => self.send_all(client).await,
            None => Ok(Drained::default()),
        }
    }

    /// Queues a message and sends everything up to it, waiting while another process sends. Gives
    /// its fate and what became of those before it.
    pub async fn send(
        &self,
        client: &Client,
        message: &Outgoing,
        now: Timestamp,
    ) -> Result<(Fate, Vec<Outcome>), OutboxError> {
        // The turn comes before the place in line: nobody else can send this message, so its
        // outcome is known here.
        let turn = self.wait_for_turn().await?;
        let client_id = self.push(message, now)?;
        if turn.is_none() {
            return Ok((Fate::Waits { client_id, error: None }, Vec::new()));
        }
        let Drained { outcomes, stopped } = self.send_all(client).await?;
        let mut others = Vec::new();
        let mut fate = None;
        for outcome in outcomes {
            match outcome {
                Outcome::Sent { queued, message } if queued.client_id == client_id => {
                    fate = Some(Fate::Sent(message));
                }
                Outcome::Refused { queued, error, kept_at } if queued.client_id == client_id => {
                    // Its author learns of it right now and has the text at hand.
                    disk::remove(&kept_at)?;
                    fate = Some(Fate::Refused(error));
                }
                other => others.push(other),
            }
        }
        let fate = fate.unwrap_or(Fate::Waits { client_id, error: stopped });
        Ok((fate, others))
    }

    async fn wait_for_turn(&self) -> Result<Option<Lock>, OutboxError> {
        let path = self.dir.join("drain.lock");
        let end = tokio::time::Instant::now() + TURN_TIMEOUT;
        loop {
            let lock = Lock::try_take(&path)?;
            if lock.is_some() || tokio::time::Instant::now() >= end {
                return Ok(lock);
            }
            tokio::time::sleep(TURN_STEP).await;
        }
    }

    /// Sends the line from its head; only for who holds `drain.lock`.
    async fn send_all(&self, client: &Client) -> Result<Drained, OutboxError> {
        let mut drained = Drained::default();
        for path in self.line()? {
            let Some(mut queued) = disk::read::<Queued>(&path)? else { continue };
            match send_one(client, &path, &mut queued).await? {
                Ok(message) => {
                    disk::remove(&path)?;
                    drained.outcomes.push(Outcome::Sent { queued, message: Box::new(message) });
                }
                Err(error) if error.is_lasting() => {
                    let kept_at = self.set_aside(&path, &queued, &error)?;
                    drained.outcomes.push(Outcome::Refused { queued, error, kept_at });
                }
                Err(
                    RefusedError::Client(error)
                    | RefusedError::Resolve(ResolveError::Client(error)),
                ) => {
                    drained.stopped = Some(error);
                    break;
                }
                // Only requests fail for now.
                Err(_) => break,
            }
        }
        Ok(drained)
    }

    fn set_aside(
        &self,
        path: &Path,
        queued: &Queued,
        error: &RefusedError,
    ) -> Result<PathBuf, OutboxError> {
        let refused = self.dir.join("refused");
        disk::create_private_dir(&refused)?;
        let kept_at = refused.join(path.file_name().unwrap_or_default());
        disk::write(&kept_at, &Queued { refused: Some(error.to_string()), ..queued.clone() })?;
        disk::remove(path)?;
        Ok(kept_at)
    }

    /// The files in line, first to last.
    fn line(&self) -> Result<Vec<PathBuf>, OutboxError> {
        let mut files = disk::list(&self.dir)?;
        files.retain(|path| place_of(path).is_some());
        files.sort();
        Ok(files)
    }
}

impl RefusedError {
    /// Whether the message can never be sent as it is. Being logged out is no fault of the message.
    fn is_lasting(&self) -> bool {
        let error = match self {
            Self::Resolve(ResolveError::Client(error)) | Self::Client(error) => error,
            Self::Resolve(_) | Self::Target(_) => return true,
        };
        matches!(error, ClientError::Problem { .. })
            && !error.is_transient()
            && error.code() != Some(Code::Unauthorized)
    }
}

/// Sends one message: finds its channel, writes that down, and posts.
async fn send_one(
    client: &Client,
    path: &Path,
    queued: &mut Queued,
) -> Result<Result<Message, RefusedError>, OutboxError> {
    let channel = match queued.channel_id {
        Some(id) => ChannelId(id),
        None => match find_channel(client, &queued.target).await {
            Ok(id) => {
                // A try whose answer gets lost must be repeated in the same channel, even when
                // another one has the name by then.
                queued.channel_id = Some(id.0);
                disk::write(path, queued)?;
                id
            }
            Err(error) => return Ok(Err(error)),
        },
    };
    let request = CreateMessage {
        client_id: queued.client_id.clone(),
        body: queued.body.clone(),
        parent_id: queued.parent_id,
        broadcast: false,
        attachments: Vec::new(),
    };
    Ok(client.send(channel, &request).await.map_err(RefusedError::from))
}

async fn find_channel(client: &Client, target: &str) -> Result<ChannelId, RefusedError> {
    let target: ChannelRef = target.parse()?;
    if let ChannelRef::Id(id) = target {
        return Ok(id);
    }
    Ok(ChannelId(client.resolve_channel(&target).await?.id))
}

/// The place in line that a file's name tells; `None` for files that are no messages.
fn place_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    name.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn outgoing(body: &str) -> Outgoing {
        Outgoing { target: "#general".parse().unwrap(), body: body.to_owned(), parent_id: None }
    }

    fn bodies(outbox: &Outbox) -> Vec<String> {
        outbox.pending().unwrap().into_iter().map(|queued| queued.body).collect()
    }

    /// A client of a port where nobody listens.
    fn nobody() -> Client {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Client::new(format!("http://127.0.0.1:{port}").parse().unwrap()).unwrap()
    }

    #[test]
    fn messages_keep_their_order_even_when_the_clock_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path().join("outbox")).unwrap();
        for (index, at) in [500, 400, 900, 100].into_iter().enumerate() {
            outbox.push(&outgoing(&index.to_string()), Timestamp(at)).unwrap();
        }
        assert_eq!(bodies(&outbox), ["0", "1", "2", "3"]);
    }

    #[test]
    fn processes_that_push_at_once_get_places_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let outbox = Outbox::open(dir.path()).unwrap();
                scope.spawn(move || {
                    for index in 0..10 {
                        outbox.push(&outgoing(&format!("{writer}-{index}")), Timestamp(0)).unwrap();
                    }
                });
            }
        });
        let outbox = Outbox::open(dir.path()).unwrap();
        let line = outbox.line().unwrap();
        let places: Vec<u64> = line.iter().filter_map(|path| place_of(path)).collect();
        assert_eq!(places, (1..=40).collect::<Vec<u64>>());
        for writer in 0..4 {
            let mine: Vec<String> = bodies(&outbox)
                .into_iter()
                .filter(|body| body.starts_with(&writer.to_string()))
                .collect();
            let expected: Vec<String> = (0..10).map(|index| format!("{writer}-{index}")).collect();
            assert_eq!(mine, expected);
        }
    }

    #[test]
    fn what_is_queued_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path().join("outbox")).unwrap();
        outbox.push(&outgoing("secret"), Timestamp(0)).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&outbox.dir), 0o700);
        assert_eq!(mode(&outbox.line().unwrap()[0]), 0o600);
    }

    #[test]
    fn half_written_files_are_not_in_line() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        std::fs::write(dir.path().join("00000000000000000001-x.json.new"), "{").unwrap();
        std::fs::write(dir.path().join("notes.json"), "{}").unwrap();
        assert!(outbox.is_empty().unwrap());
        outbox.push(&outgoing("a"), Timestamp(0)).unwrap();
        assert_eq!(bodies(&outbox), ["a"]);
    }

    #[tokio::test]
    async fn messages_wait_while_the_server_is_away() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        let client = nobody();
        for body in ["a", "b"] {
            let (fate, others) = outbox.send(&client, &outgoing(body), Timestamp(0)).await.unwrap();
            assert!(matches!(
                fate,
                Fate::Waits { error: Some(ClientError::Unreachable { .. }), .. }
            ));
            assert!(others.is_empty());
        }
        assert_eq!(bodies(&outbox), ["a", "b"]);
        let drained = outbox.drain(&client).await.unwrap();
        assert!(drained.outcomes.is_empty() && drained.stopped.is_some());
        assert_eq!(bodies(&outbox), ["a", "b"]);
    }

    #[tokio::test]
    async fn only_one_process_drains_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        outbox.push(&outgoing("a"), Timestamp(0)).unwrap();
        let other = Lock::take(&dir.path().join("drain.lock")).unwrap();
        let drained = outbox.drain(&nobody()).await.unwrap();
        assert!(drained.stopped.is_none() && drained.outcomes.is_empty());
        drop(other);
        assert!(outbox.drain(&nobody()).await.unwrap().stopped.is_some());
    }

    #[test]
    fn only_the_messages_own_fault_takes_it_out_of_line() {
        let refused = |code: Code| {
            RefusedError::Client(ClientError::Problem {
                problem: Box::new(tidings_wire::Problem {
                    kind: String::new(),
                    title: String::new(),
                    status: code.status(),
                    code,
                    detail: String::new(),
                    trace_id: String::new(),
                    errors: Vec::new(),
                }),
                retry_after: None,
            })
        };
        for (code, lasting) in [
            (Code::Unprocessable, true),
            (Code::NotFound, true),
            (Code::Forbidden, true),
            (Code::Unauthorized, false),
            (Code::RateLimited, false),
            (Code::StorageFull, false),
        ] {
            assert_eq!(refused(code).is_lasting(), lasting, "{code}");
        }
    }
}
