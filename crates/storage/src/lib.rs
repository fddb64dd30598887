//! What Tidings keeps, as traits: one writer for every change, repositories for every read.
//!
//! Every write is a [`Change`]: preconditions that are checked again inside of the transaction,
//! rows that are no part of any log ([`Record`]), and entries to append. The store turns each
//! entry's [`Fact`](tidings_domain::Fact) into its projections in the same transaction, and can
//! rebuild all projections from the entries alone; [`projection`] has the rules. Every read is a method of a repository and sees
//! one consistent state.
//!
//! This crate must never know SQL. To add a noun: its trait in a file of its own, its part of
//! [`memory`], its tables and queries in `storage-sql`, and its cases in `conformance`, which all
//! three run.

pub mod account;
pub mod attention;
pub mod block;
pub mod bot;
pub mod change;
pub mod channel;
pub mod command;
pub mod community;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod draft;
pub mod entry;
pub mod error;
pub mod import;
pub mod job;
pub mod join;
pub mod media;
pub mod memory;
pub mod message;
pub mod moderation;
pub mod operation;
pub mod outgoing;
pub mod presence;
pub mod preview;
pub mod projection;
pub mod reminder;
pub mod report;
pub mod search;
pub mod session;
pub mod signin;
pub mod webhook;

pub use account::AccountRepository;
pub use attention::AttentionRepository;
pub use block::BlockRepository;
pub use bot::BotRepository;
pub use change::{
    Change, ChangeError, Committed, Dedupe, Deduped, LogWriter, NewEntry, Precondition, Record,
    Refusal,
};
pub use channel::ChannelRepository;
pub use command::CommandRepository;
pub use community::CommunityRepository;
pub use draft::DraftRepository;
pub use entry::{CommittedBatch, CommittedEntry, EntryRepository, StoredEntry, UserLogs};
pub use error::StorageError;
pub use import::ImportRepository;
pub use job::JobRepository;
pub use join::JoinRepository;
pub use media::MediaRepository;
pub use memory::MemoryStore;
pub use message::MessageRepository;
pub use moderation::ModerationRepository;
pub use operation::OperationRepository;
pub use outgoing::OutgoingRepository;
pub use presence::PresenceRepository;
pub use preview::PreviewRepository;
pub use reminder::ReminderRepository;
pub use report::ReportRepository;
pub use search::SearchRepository;
pub use session::SessionRepository;
pub use signin::SigninRepository;
pub use webhook::WebhookRepository;

/// A whole store: what the server is given at start.
pub trait Store:
    LogWriter
    + AccountRepository
    + AttentionRepository
    + BlockRepository
    + BotRepository
    + ChannelRepository
    + CommandRepository
    + CommunityRepository
    + DraftRepository
    + EntryRepository
    + ImportRepository
    + JoinRepository
    + JobRepository
    + MediaRepository
    + MessageRepository
    + ModerationRepository
    + OperationRepository
    + PresenceRepository
    + ReminderRepository
    + ReportRepository
    + OutgoingRepository
    + PreviewRepository
    + SearchRepository
    + SessionRepository
    + SigninRepository
    + WebhookRepository
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: LogWriter
        + AccountRepository
        + AttentionRepository
        + BlockRepository
        + BotRepository
        + ChannelRepository
        + CommandRepository
        + CommunityRepository
        + DraftRepository
        + EntryRepository
        + ImportRepository
        + JoinRepository
        + JobRepository
        + MediaRepository
        + MessageRepository
        + ModerationRepository
        + OperationRepository
        + PresenceRepository
        + ReminderRepository
        + ReportRepository
        + OutgoingRepository
        + PreviewRepository
        + SearchRepository
        + SessionRepository
        + SigninRepository
        + WebhookRepository
        + std::fmt::Debug
        + Send
        + Sync
        + 'static
{
}
