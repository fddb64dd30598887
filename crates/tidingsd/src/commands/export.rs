//! `tidingsd export`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use futures_util::TryStreamExt as _;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::value::RawValue;
use tidings_client::export::Writer;
use tidings_domain::{LogId, Seq, UserId};
use tidings_server::blobs::{BlobError, BlobName, Blobs};
use tidings_server::{Clock as _, SystemClock, SystemEntropy};
use tidings_storage::StoredEntry;
use tidings_storage_sql::Options;
use tidings_storage_sql::export::{Log, Media, Place as From, Snapshot};
use tidings_wire::Entry;
use tidings_wire::export::{Content, FORMAT, Head, LogHead, MediaPart, Record, Subject};
use tidings_wire::time::Time;
use uuid::Uuid;

use super::open_blobs;
use crate::cli::Place;
use crate::copy::Partial;
use crate::data::DataDir;
use crate::failure::Failure;
use crate::{logs, progress, stdout};

/// Entries that are read at a time.
const PAGE: usize = 1_000;

/// Write what a community, a channel or a person has here into a file that proves itself.
///
/// The server may run meanwhile. The file has the log's entries in their order, chained by hashes and
/// signed by this server's key, and the files that belong to them; whoever gets it proves with
/// `tidings export verify FILE` that nothing is missing or changed.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Export a community with its public channels
    Community(OfCommunity),
    /// Export a channel
    Channel(OfChannel),
    /// Export everything that the server keeps about a person
    User(OfUser),
    /// Print the public half of the key that signs exports
    Key(Key),
}

/// What all exports have in common.
#[derive(Debug, Args)]
pub(crate) struct Output {
    #[command(flatten)]
    place: Place,
    /// The file to write, or a directory for a file named after what is exported and the time
    #[arg(long, value_name = "FILE|DIR", default_value = ".")]
    out: PathBuf,
    /// Print what was exported as JSON
    #[arg(long)]
    json: bool,
}

/// Export a community: its log and those of its public channels, with their files.
///
/// Private channels stay private: they are left out as if there were none, unless you say otherwise.
#[derive(Debug, Args)]
pub(crate) struct OfCommunity {
    /// Its slug or id
    #[arg(value_name = "SLUG|ID")]
    community: String,
    /// With the private channels, whose members should know of it
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    output: Output,
}

/// Export a channel: its log with its files.
#[derive(Debug, Args)]
pub(crate) struct OfChannel {
    /// Its id, as `tidings channel list --json` shows it
    #[arg(value_name = "ID")]
    channel: Uuid,
    /// Also when it is a private channel or direct messages, whose members should know of it
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    output: Output,
}

/// Export everything that the server keeps about a person.
///
/// Their own log, what they did in every other (in private channels and direct messages too, but
/// nothing that others said there), their files, and every row of the database that is about them,
/// without what would let somebody in.
#[derive(Debug, Args)]
pub(crate) struct OfUser {
    /// Their username or id
    #[arg(value_name = "@NAME")]
    user: String,
    #[command(flatten)]
    output: Output,
}

/// Print the public half of the key that signs exports.
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(flatten)]
    place: Place,
}

impl ExportCommand {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Community(it) => {
                run(it.output, &Wanted::Community { name: it.community, private: it.private }).await
            }
            Self::Channel(it) => {
                run(it.output, &Wanted::Channel { id: it.channel, private: it.private }).await
            }
            Self::User(it) => {
                let name = it.user.trim_start_matches('@').to_owned();
                run(it.output, &Wanted::User { name }).await
            }
            Self::Key(it) => it.run(),
        }
    }
}

impl Key {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.place.load()?.config;
        let key = DataDir::create(&config.server.data)?.export_key(&SystemEntropy)?;
        stdout::say(key.public())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What somebody asked for.
enum Wanted {
    Community { name: String, private: bool },
    Channel { id: Uuid, private: bool },
    User { name: String },
}

/// What will be in the file.
struct Plan {
    kind: Subject,
    id: Uuid,
    name: String,
    private: bool,
    logs: Vec<Log>,
    user: Option<UserId>,
    media: Vec<Media>,
}

/// What was exported, in `--json`.
#[derive(Debug, Default, Serialize)]
struct Told {
    file: String,
    kind: Option<Subject>,
    name: String,
    logs: usize,
    entries: u64,
    records: usize,
    media: usize,
    key: String,
}

async fn run(output: Output, wanted: &Wanted) -> anyhow::Result<ExitCode> {
    let config = output.place.load()?.config;
    logs::start_quiet(&config.log);
    let url = config.database();
    if let Some(file) = url.file()
        && !file.is_file()
    {
        let what = format!("there is no database at {}", file.display());
        return Err(Failure::new(what, "Name the data directory with --data.").into());
    }
    let made_at = Time(SystemClock::new().now());
    let options = Options { url: url.expose().to_owned(), generation: 0 };
    let mut snapshot = Snapshot::open(&options).await.map_err(|error| {
        Failure::new("cannot read the database", "Run `tidingsd doctor`.").because(error)
    })?;
    let plan = plan(&mut snapshot, wanted).await?;
    let path = file_for(&output.out, &plan, made_at);
    if path.exists() {
        let what = format!("{} is there already", path.display());
        return Err(Failure::new(what, "Name another file with --out, or a directory.").into());
    }
    let key = DataDir::create(&config.server.data)?.export_key(&SystemEntropy)?;
    let blobs = open_blobs(&config)?;
    let head = Head {
        format: FORMAT,
        kind: plan.kind,
        id: plan.id,
        name: plan.name.clone(),
        private: plan.private,
        head: snapshot.head().0,
        made_at,
        made_by: concat!("tidingsd ", env!("CARGO_PKG_VERSION")).to_owned(),
        key: key.public().to_string(),
    };
    let written = async {
        let (file, partial) = Partial::create(&path)?;
        let mut writer = Writer::new(BufWriter::new(file));
        let told = write(&mut snapshot, &mut writer, &plan, head, &*blobs).await?;
        let file = writer.finish(&key)?.into_inner().map_err(io::IntoInnerError::into_error)?;
        partial.finish(&file)?;
        anyhow::Ok(told)
    };
    let mut told = written.await.map_err(|error| {
        let what = format!("cannot write an export to {}", path.display());
        let next = "Nothing is left of it. Look at the reason, then try again; the server is not \
                    affected.";
        Failure::new(what, next).because(error)
    })?;
    told.file = path.display().to_string();
    told.key = key.public().to_string();
    if output.json {
        stdout::json(&told)?;
    } else {
        stdout::say(format_args!(
            "{}: {} logs with {} entries, {} records, {} files",
            told.file, told.logs, told.entries, told.records, told.media
        ))?;
        stdout::say(format_args!("signed by {}", told.key))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn plan(snapshot: &mut Snapshot, wanted: &Wanted) -> anyhow::Result<Plan> {
    let nobody = |what: String, next: &str| anyhow::Error::from(Failure::new(what, next));
    let (mut plan, ids) = match wanted {
        Wanted::Community { name, private } => {
            let Some(found) = snapshot.community(name).await? else {
                let next = "Name its slug, as `tidings community list` shows it, or its id.";
                return Err(nobody(format!("there is no community {name}"), next));
            };
            let channels = snapshot.channels(found.id).await?;
            let shown = channels.iter().filter(|channel| *private || !channel.private);
            let ids = shown.map(|channel| LogId::Conversation(channel.id));
            let ids = [LogId::Community(found.id)].into_iter().chain(ids).collect();
            (Plan::new(Subject::Community, found.id.0, found.name, *private), ids)
        }
        Wanted::Channel { id, private } => {
            let Some(found) = snapshot.channel(tidings_domain::ChannelId(*id)).await? else {
                let next = "Name its id, as `tidings channel list --json` shows it.";
                return Err(nobody(format!("there is no channel {id}"), next));
            };
            if found.private && !private {
                let next = "If those who are in it know of this, say so with --private.";
                return Err(nobody(format!("{id} is for its members alone"), next));
            }
            let ids: Vec<_> = vec![LogId::Conversation(found.id)];
            (Plan::new(Subject::Channel, *id, found.name, *private), ids)
        }
        Wanted::User { name } => {
            let Some((id, username)) = snapshot.user(name).await? else {
                let next = "`tidingsd user list` shows all accounts.";
                return Err(nobody(format!("there is no account {name}"), next));
            };
            let mut plan = Plan::new(Subject::User, id.0, username, true);
            plan.user = Some(id);
            plan.media = snapshot.media_by(id).await?;
            (plan, vec![LogId::User(id)])
        }
    };
    for id in ids {
        let Some(log) = snapshot.log(id).await? else { continue };
        if plan.user.is_none() {
            plan.media.append(&mut snapshot.media_of(&log).await?);
        }
        plan.logs.push(log);
    }
    Ok(plan)
}

impl Plan {
    const fn new(kind: Subject, id: Uuid, name: String, private: bool) -> Self {
        Self { kind, id, name, private, logs: Vec::new(), user: None, media: Vec::new() }
    }
}

type Out = Writer<BufWriter<File>>;

async fn write(
    snapshot: &mut Snapshot,
    writer: &mut Out,
    plan: &Plan,
    head: Head,
    blobs: &dyn Blobs,
) -> anyhow::Result<Told> {
    let bar = progress::bytes("Files");
    bar.set_length(plan.media.iter().map(|media| media.size).sum());
    let kept = write_media(writer, &plan.media, blobs, &bar).await;
    bar.finish_and_clear();
    let kept = kept?;
    let mut told = Told {
        kind: Some(plan.kind),
        name: plan.name.clone(),
        media: plan.media.len(),
        ..Told::default()
    };
    writer.line(Content::Export(head))?;
    let bar = progress::bar("Exporting", "entries");
    bar.set_length(plan.logs.iter().map(|log| log.entries).sum());
    for log in &plan.logs {
        write_log(snapshot, writer, log, &mut told, &bar).await?;
    }
    if let Some(user) = plan.user {
        write_acts(snapshot, writer, user, &mut told, &bar).await?;
        for found in snapshot.records(user).await? {
            told.records += 1;
            writer.line(Content::Record(Record { table: found.table, row: found.row }))?;
        }
    }
    bar.finish_and_clear();
    for media in &plan.media {
        let sha256 = hex::encode(media.sha256);
        writer.line(Content::Media(MediaPart {
            id: media.id.0,
            filename: media.filename.clone(),
            content_type: media.content_type.clone(),
            size: media.size,
            kept: kept.contains(&sha256),
            sha256,
        }))?;
    }
    Ok(told)
}

/// Everything of one log.
async fn write_log(
    snapshot: &mut Snapshot,
    writer: &mut Out,
    log: &Log,
    told: &mut Told,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    told.logs += 1;
    writer.line(Content::Log(LogHead {
        log: log.id.to_string(),
        head: Some(URL_SAFE_NO_PAD.encode(log.head)),
        entries: Some(log.entries),
    }))?;
    let mut after = Seq(0);
    loop {
        let page = snapshot.entries(log, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for entry in page {
            writer.line(Content::Entry(wire(entry)?))?;
            told.entries += 1;
            bar.inc(1);
        }
    }
}

/// What a person did in logs that are not their own.
async fn write_acts(
    snapshot: &mut Snapshot,
    writer: &mut Out,
    user: UserId,
    told: &mut Told,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut from = From::default();
    let mut log = None;
    loop {
        let (page, reached) = snapshot.entries_by(user, from, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        from = reached;
        bar.inc_length(page.len() as u64);
        for entry in page {
            if log != Some(entry.log) {
                log = Some(entry.log);
                told.logs += 1;
                let name = entry.log.to_string();
                writer.line(Content::Log(LogHead { log: name, head: None, entries: None }))?;
            }
            writer.line(Content::Entry(wire(entry)?))?;
            told.entries += 1;
            bar.inc(1);
        }
    }
}

/// The bytes of each file once; which of them are there, by their SHA-256.
async fn write_media(
    writer: &mut Out,
    media: &[Media],
    blobs: &dyn Blobs,
    bar: &ProgressBar,
) -> anyhow::Result<BTreeSet<String>> {
    let mut kept = BTreeSet::new();
    for media in media {
        let sha256 = hex::encode(media.sha256);
        let Ok(name) = media.blob.parse::<BlobName>() else { continue };
        if kept.contains(&sha256) {
            continue;
        }
        // What was deleted since the database was read is gone: whoever deleted it wanted that.
        let mut bytes = match blobs.read(&name, 0..media.size).await {
            Err(BlobError::NotFound { .. }) => continue,
            bytes => bytes.with_context(|| format!("cannot read the file {}", media.id))?,
        };
        writer.begin_media(&sha256)?;
        let mut written = 0;
        while let Some(piece) = bytes.try_next().await? {
            writer.media(&piece)?;
            written += piece.len() as u64;
            bar.inc(piece.len() as u64);
        }
        if written != media.size {
            bail!("the file {} has {written} bytes and should have {}", media.id, media.size);
        }
        kept.insert(sha256);
    }
    Ok(kept)
}

fn wire(entry: StoredEntry) -> anyhow::Result<Entry> {
    let (data, salt) = match entry.data {
        None => (None, None),
        Some((data, salt)) => {
            let text = String::from_utf8(data.into()).context("an entry is no text")?;
            let data = RawValue::from_string(text).context("an entry is no JSON")?;
            (Some(data), Some(URL_SAFE_NO_PAD.encode(salt)))
        }
    };
    Ok(Entry {
        actor_id: entry.actor.0,
        channel_id: entry.log.channel().map(|id| id.0),
        community_id: entry.community.map(|id| id.0),
        commitment: URL_SAFE_NO_PAD.encode(entry.commitment),
        data,
        hash: URL_SAFE_NO_PAD.encode(entry.hash),
        log: entry.log.to_string(),
        prev: URL_SAFE_NO_PAD.encode(entry.prev),
        salt,
        seq: entry.seq.0,
        timestamp: entry.at.into(),
        kind: entry.kind,
    })
}

/// `community-0193….20261120-092853.zip` in a directory; any other path as it is.
fn file_for(out: &Path, plan: &Plan, made_at: Time) -> PathBuf {
    if !out.is_dir() {
        return out.to_owned();
    }
    let kind = match plan.kind {
        Subject::Community => "community",
        Subject::Channel => "channel",
        _ => "user",
    };
    let digits: String = made_at.to_string().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    let time = time.get(..6).unwrap_or(time);
    out.join(format!("{kind}-{}-{day}-{time}.zip", plan.id))
}
