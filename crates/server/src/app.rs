//! The use cases, and everything they share.

pub mod access_tokens;
pub mod accounts;
pub mod attention;
pub mod audit;
pub mod blocks;
pub mod bots;
pub mod chains;
mod change;
pub mod channels;
pub mod commands;
pub mod communities;
pub mod dms;
pub mod drafts;
pub mod grants;
pub mod imports;
pub mod invites;
pub mod jobs;
pub mod joins;
pub mod log;
pub mod media;
pub mod members;
pub mod messages;
pub mod moderation;
pub mod notifications;
pub mod outgoing;
pub mod pins;
pub mod previews;
pub mod providers;
pub mod purge;
pub mod reactions;
pub mod reads;
pub mod registration;
pub mod reminders;
pub mod reports;
pub mod resets;
pub mod retention;
pub mod search;
pub mod sessions;
pub mod signin;
pub mod tokens;
pub mod typing;
pub mod webhooks;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use metrics_exporter_prometheus::PrometheusHandle;
use subtle::ConstantTimeEq as _;
use tidings_domain::{Channel, ChannelId, CommunityId, Role, Timestamp, User, UserId};
use tidings_storage::{Change, CommittedEntry, Record, Store};
use tidings_wire::discovery::Readiness;
use tokio::sync::{Notify, Semaphore, watch};
use uuid::Uuid;

use crate::access::Access;
use crate::auth::token;
use crate::blobs::Blobs;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ephemeral::Ephemeral;
use crate::error::ApiError;
use crate::limit::{Key, Limits};
use crate::outward::Outward;
use crate::settings::Settings;
use crate::signin::{SealKey, Sealer};

pub(crate) use change::Stale;

/// The code with which the first account registers. `Debug` hides it.
#[derive(Clone)]
pub struct SetupCode(pub String);

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a server is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where the bytes of files are kept.
    pub blobs: Arc<dyn Blobs>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator decided.
    pub settings: Settings,
    /// What the first account must show; without one nobody can be first.
    pub setup_code: Option<SetupCode>,
    /// The key under which secrets lie in the store; it lies elsewhere.
    pub seal_key: SealKey,
    /// The recorder's handle behind `/metrics`; without one that path does not exist.
    pub metrics: Option<PrometheusHandle>,
}

/// The server's use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    setup_code: Option<SetupCode>,
    metrics: Option<PrometheusHandle>,
    /// Signs challenges and hashes requests; never leaves the server.
    secret: [u8; 32],
    gateway_id: Uuid,
    has_accounts: AtomicBool,
    /// Ids so far; puts those of one millisecond in order.
    ids: AtomicU16,
    set_up: watch::Sender<bool>,
    ephemeral: OnceLock<Arc<dyn Ephemeral>>,
    caches: Caches,
    limits: Limits,
    outward: Outward,
    feed: outgoing::Feed,
    /// Is told when there is a new job.
    new_jobs: Notify,
    preview_cache: previews::Cache,
    sealer: Sealer,
    known_keys: access_tokens::Known,
    /// A place for each picture that is drawn at a time.
    drawing: Arc<Semaphore>,
    /// Idempotency keys of requests that are being answered now.
    busy_keys: Mutex<HashSet<(UserId, [u8; 32])>>,
    /// Who waits for what a bot answers.
    waiting: commands::Waiting,
    /// Tells that there is a new reminder, perhaps before all others.
    reminded: Notify,
    stranger: chains::Stranger,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("settings", &self.settings)
            .field("gateway_id", &self.gateway_id)
            .finish_non_exhaustive()
    }
}

/// What was read and may be asked for again. Sizes: everything that 10,000 people use at a time.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) channels: Cache<ChannelId, Arc<Channel>>,
    pub(crate) members: Cache<(ChannelId, UserId), bool>,
    pub(crate) roles: Cache<(CommunityId, UserId), Option<Role>>,
    pub(crate) users: Cache<UserId, Arc<User>>,
    /// All keywords of everybody.
    pub(crate) keywords: Cache<(), Arc<HashSet<String>>>,
    pub(crate) sessions: sessions::Live,
}

/// How many pictures are drawn at a time: each may take 176 MiB.
const DRAWING: usize = 1;

/// The name of the setting that holds the server's secret.
const SECRET: &str = "server_secret";
/// The name of the setting that holds the gateway's id.
const GATEWAY_ID: &str = "gateway_id";

impl App {
    /// Puts a server together. A new store is given its secret and gateway id.
    ///
    /// # Errors
    /// When the store fails, or holds a secret that is none.
    pub async fn open(parts: Parts) -> Result<Self, ApiError> {
        let Parts { store, blobs, clock, entropy, settings, setup_code, seal_key, metrics } = parts;
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        let secret = setting(&*store, SECRET, secret).await?;
        let mut random = [0; 10];
        entropy.fill(&mut random);
        let gateway = new_id(clock.now(), &random);
        let gateway_id =
            Uuid::from_bytes(setting(&*store, GATEWAY_ID, gateway.into_bytes()).await?);
        let has_accounts = store.has_accounts().await?;
        let app = Self(Arc::new(Inner {
            stranger: chains::Stranger::new(&secret)?,
            sealer: Sealer::new(&seal_key),
            known_keys: access_tokens::Known::default(),
            outward: Outward::new(settings.outward_allow.clone()),
            store,
            blobs,
            clock,
            entropy,
            settings,
            setup_code,
            metrics,
            secret,
            gateway_id,
            has_accounts: AtomicBool::new(has_accounts),
            ids: AtomicU16::new(0),
            set_up: watch::Sender::new(has_accounts),
            ephemeral: OnceLock::new(),
            caches: Caches {
                channels: Cache::new(100_000),
                members: Cache::new(500_000),
                roles: Cache::new(200_000),
                users: Cache::new(100_000),
                keywords: Cache::new(1),
                sessions: sessions::Live::default(),
            },
            limits: Limits::default(),
            feed: outgoing::Feed::default(),
            new_jobs: Notify::new(),
            preview_cache: previews::Cache::default(),
            drawing: Arc::new(Semaphore::new(DRAWING)),
            busy_keys: Mutex::default(),
            waiting: commands::Waiting::default(),
            reminded: Notify::new(),
        }));
        app.access_tokens().ensure().await?;
        Ok(app)
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The gateway's id: the home of the conversations that it sequences.
    pub fn gateway_id(&self) -> Uuid {
        self.0.gateway_id
    }

    /// The store, for the parts of the server that deliver what is in it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Where the bytes of files are kept.
    pub fn blobs(&self) -> &Arc<dyn Blobs> {
        &self.0.blobs
    }

    /// The only way to addresses that others have chosen.
    pub fn outward(&self) -> &Outward {
        &self.0.outward
    }

    pub(crate) fn feed(&self) -> &outgoing::Feed {
        &self.0.feed
    }

    fn preview_cache(&self) -> &previews::Cache {
        &self.0.preview_cache
    }

    pub(crate) fn new_jobs(&self) -> &Notify {
        &self.0.new_jobs
    }

    pub(crate) fn known_keys(&self) -> &access_tokens::Known {
        &self.0.known_keys
    }

    /// Seals what the store keeps, for one purpose.
    pub(crate) fn seal(&self, purpose: &str, text: &[u8]) -> Result<Vec<u8>, ApiError> {
        self.0.sealer.seal(&*self.0.entropy, purpose, text).ok_or_else(too_long_to_seal)
    }

    /// Opens what was sealed for this purpose; `None` when it was not, or under another key.
    pub(crate) fn open_sealed(
        &self,
        purpose: &str,
        sealed: &[u8],
    ) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        self.0.sealer.open(purpose, sealed)
    }

    /// Seals a value for a cookie or an address.
    pub(crate) fn seal_text<T: serde::Serialize>(
        &self,
        purpose: &str,
        value: &T,
    ) -> Result<String, ApiError> {
        self.0.sealer.seal_text(&*self.0.entropy, purpose, value).ok_or_else(too_long_to_seal)
    }

    /// A value that was sealed as text for this purpose.
    pub(crate) fn open_text<T: serde::de::DeserializeOwned>(
        &self,
        purpose: &str,
        text: &str,
    ) -> Option<T> {
        self.0.sealer.open_text(purpose, text)
    }

    pub(crate) fn drawing(&self) -> &Arc<Semaphore> {
        &self.0.drawing
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The handle behind `/metrics`.
    pub fn metrics(&self) -> Option<&PrometheusHandle> {
        self.0.metrics.as_ref()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.entropy.fill(&mut bytes);
        bytes
    }

    /// A new `UUIDv7` whose first random bits count (RFC 9562, section 6.2, method 1): what is
    /// listed by its id and came within one millisecond stands in its order.
    pub fn new_id(&self) -> Uuid {
        let mut random: [u8; 10] = self.random();
        let [high, low] = self.0.ids.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        [random[0], random[1]] = [high, low];
        new_id(self.now(), &random)
    }

    /// The server's own key for HMACs.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.0.secret
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.0.caches
    }

    pub(crate) fn busy_keys(&self) -> &Mutex<HashSet<(UserId, [u8; 32])>> {
        &self.0.busy_keys
    }

    pub(crate) fn stranger(&self) -> &chains::Stranger {
        &self.0.stranger
    }

    /// Names who delivers ephemeral events. Only the first call counts.
    pub fn deliver_ephemerals(&self, to: Arc<dyn Ephemeral>) {
        // A second deliverer would mean two hubs; the first one is the one that is connected.
        let _ = self.0.ephemeral.set(to);
    }

    /// Who delivers ephemeral events; none before the hub runs.
    pub fn ephemeral(&self) -> Option<&Arc<dyn Ephemeral>> {
        self.0.ephemeral.get()
    }

    /// Whether somebody has an account here, and from when on.
    pub fn set_up(&self) -> watch::Receiver<bool> {
        self.0.set_up.subscribe()
    }

    pub(crate) async fn has_accounts(&self) -> Result<bool, ApiError> {
        if !self.0.has_accounts.load(Ordering::Relaxed) && self.0.store.has_accounts().await? {
            self.accounts_exist();
        }
        Ok(self.0.has_accounts.load(Ordering::Relaxed))
    }

    pub(crate) fn accounts_exist(&self) {
        self.0.has_accounts.store(true, Ordering::Relaxed);
        self.0.set_up.send_replace(true);
    }

    /// Compares with the setup code in constant time, whatever the lengths.
    pub(crate) fn is_setup_code(&self, code: &str) -> bool {
        self.0
            .setup_code
            .as_ref()
            .is_some_and(|ours| token::hash(&ours.0).ct_eq(&token::hash(code)).into())
    }

    /// Takes one from a bucket, unless limits are off.
    pub(crate) fn limit(&self, key: Key, per_minute: u32) -> Result<(), ApiError> {
        if !self.0.settings.limits.enabled {
            return Ok(());
        }
        self.0.limits.take(key, per_minute, self.0.clock.elapsed())
    }

    /// Refuses who has used up a bucket, without taking from it.
    pub(crate) fn limit_peek(&self, key: Key, per_minute: u32) -> Result<(), ApiError> {
        if !self.0.settings.limits.enabled {
            return Ok(());
        }
        self.0.limits.peek(key, per_minute, self.0.clock.elapsed())
    }

    /// Whether `gap` has passed since this was last true of the key.
    pub(crate) fn spaced(&self, key: Key, gap: std::time::Duration) -> bool {
        self.0.limits.spaced(key, gap, self.0.clock.elapsed())
    }

    /// Rights.
    pub fn access(&self) -> Access<'_> {
        Access(self)
    }

    /// Accounts and profiles.
    pub fn accounts(&self) -> accounts::Accounts<'_> {
        accounts::Accounts(self)
    }

    /// How accounts come to be.
    pub fn registration(&self) -> registration::Registrations<'_> {
        registration::Registrations(self)
    }

    /// Logging in and out.
    pub fn sessions(&self) -> sessions::Sessions<'_> {
        sessions::Sessions(self)
    }

    /// Sigchains and the devices that they certify.
    pub fn chains(&self) -> chains::Chains<'_> {
        chains::Chains(self)
    }

    /// Providers of sign-in.
    pub fn providers(&self) -> providers::Providers<'_> {
        providers::Providers(self)
    }

    /// Signing in through a provider.
    pub fn signin(&self) -> signin::SignIns<'_> {
        signin::SignIns(self)
    }

    /// Terminals that are logged in from elsewhere.
    pub fn grants(&self) -> grants::Grants<'_> {
        grants::Grants(self)
    }

    /// Short-lived signed tokens, and their keys.
    pub fn access_tokens(&self) -> access_tokens::AccessTokens<'_> {
        access_tokens::AccessTokens(self)
    }

    /// A way back for who lost phrase and devices.
    pub fn resets(&self) -> resets::Resets<'_> {
        resets::Resets(self)
    }

    /// Communities.
    pub fn communities(&self) -> communities::Communities<'_> {
        communities::Communities(self)
    }

    /// Members of communities.
    pub fn members(&self) -> members::Members<'_> {
        members::Members(self)
    }

    /// Block lists.
    pub fn blocks(&self) -> blocks::Blocks<'_> {
        blocks::Blocks(self)
    }

    /// Bots.
    pub fn bots(&self) -> bots::Bots<'_> {
        bots::Bots(self)
    }

    /// Incoming webhooks.
    pub fn webhooks(&self) -> webhooks::Webhooks<'_> {
        webhooks::Webhooks(self)
    }

    /// Outgoing webhooks.
    pub fn outgoing(&self) -> outgoing::OutgoingWebhooks<'_> {
        outgoing::OutgoingWebhooks(self)
    }

    /// What links lead to.
    pub fn previews(&self) -> previews::Previews<'_> {
        previews::Previews(self)
    }

    /// What is to be done.
    pub fn jobs(&self) -> jobs::Jobs<'_> {
        jobs::Jobs(self)
    }

    /// API tokens.
    pub fn tokens(&self) -> tokens::Tokens<'_> {
        tokens::Tokens(self)
    }

    /// Slash commands.
    pub fn commands(&self) -> commands::Commands<'_> {
        commands::Commands(self)
    }

    /// Reminders.
    pub fn reminders(&self) -> reminders::Reminders<'_> {
        reminders::Reminders(self)
    }

    /// Bans and mutes.
    pub fn moderation(&self) -> moderation::Moderation<'_> {
        moderation::Moderation(self)
    }

    /// Deleting many messages at once.
    pub fn purges(&self) -> purge::Purges<'_> {
        purge::Purges(self)
    }

    /// Erasing what is older than its channel keeps.
    pub fn retention(&self) -> retention::Retention<'_> {
        retention::Retention(self)
    }

    /// What administrators did.
    pub fn audit(&self) -> audit::Audit<'_> {
        audit::Audit(self)
    }

    /// Invites.
    pub fn invites(&self) -> invites::Invites<'_> {
        invites::Invites(self)
    }

    /// Requests to join.
    pub fn joins(&self) -> joins::Joins<'_> {
        joins::Joins(self)
    }

    /// Channels, and who is in them.
    pub fn channels(&self) -> channels::Channels<'_> {
        channels::Channels(self)
    }

    /// Direct conversations.
    pub fn dms(&self) -> dms::Dms<'_> {
        dms::Dms(self)
    }

    /// Messages.
    pub fn messages(&self) -> messages::Messages<'_> {
        messages::Messages(self)
    }

    /// Files.
    pub fn media(&self) -> media::Files<'_> {
        media::Files(self)
    }

    /// Reactions.
    pub fn reactions(&self) -> reactions::Reactions<'_> {
        reactions::Reactions(self)
    }

    /// Notifications.
    pub fn notifications(&self) -> notifications::Notifications<'_> {
        notifications::Notifications(self)
    }

    /// What people choose to be told.
    pub fn attention(&self) -> attention::Attentions<'_> {
        attention::Attentions(self)
    }

    /// Drafts.
    pub fn drafts(&self) -> drafts::Drafts<'_> {
        drafts::Drafts(self)
    }

    /// Reports of messages.
    pub fn reports(&self) -> reports::Reports<'_> {
        reports::Reports(self)
    }

    /// Pinned and saved messages.
    pub fn pins(&self) -> pins::Pins<'_> {
        pins::Pins(self)
    }

    /// Read markers.
    pub fn reads(&self) -> reads::Reads<'_> {
        reads::Reads(self)
    }

    /// The log as it stands.
    pub fn log(&self) -> log::Log<'_> {
        log::Log(self)
    }

    /// Notices that somebody types.
    pub fn typing(&self) -> typing::Typing<'_> {
        typing::Typing(self)
    }

    /// Full-text search.
    pub fn search(&self) -> search::Search<'_> {
        search::Search(self)
    }

    /// Imports from other chats.
    pub fn imports(&self) -> imports::Imports<'_> {
        imports::Imports(self)
    }

    /// Tells the caches what was committed, by this process or another. Whoever reads the log's
    /// tail calls it for every entry, in order, before delivering the entry.
    pub fn observe(&self, entry: &CommittedEntry) {
        self.feed().note(entry.community, entry.position);
        let stale = entry.fact.as_ref().and_then(|fact| Stale::by_fact(entry.log, fact));
        if let Some(stale) = stale {
            self.forget(&stale);
        }
    }

    /// Whether each part that the server needs answers.
    pub async fn readiness(&self) -> Readiness {
        let store = match self.0.store.ping().await {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                tracing::error!(%error, "the database does not answer");
                "does not answer".to_owned()
            }
        };
        let blobs = match self.0.blobs.ping().await {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                tracing::error!(%error, "the place for files does not answer");
                "does not answer".to_owned()
            }
        };
        // It lives in this process, in memory.
        let bus = "ok".to_owned();
        Readiness { ready: store == "ok" && blobs == "ok", store, bus, blobs }
    }

    /// Lets go of what ended before now: challenges, stored answers, resets, sessions. To be
    /// called about once an hour.
    pub async fn prune(&self) -> Result<(), ApiError> {
        let records = vec![Record::Prune(self.now())];
        self.0.store.commit(Change { records, ..Change::default() }).await?;
        self.access_tokens().ensure().await
    }
}

fn too_long_to_seal() -> ApiError {
    ApiError::new(tidings_wire::Code::TooLarge, "This is too long to be kept sealed.")
}

fn new_id(now: Timestamp, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(now.0).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}

/// A setting of fixed size; `fresh` is kept when there is none yet.
async fn setting<const N: usize>(
    store: &dyn Store,
    name: &'static str,
    fresh: [u8; N],
) -> Result<[u8; N], ApiError> {
    let kept = if let Some(kept) = store.setting(name).await? {
        kept
    } else {
        let records = vec![Record::PutSetting(name, fresh.to_vec())];
        store.commit(Change { records, ..Change::default() }).await?;
        fresh.to_vec()
    };
    kept.try_into().map_err(|_| {
        tidings_storage::StorageError::Corrupt {
            place: "settings",
            detail: format!("{name} does not have {N} bytes"),
        }
        .into()
    })
}
