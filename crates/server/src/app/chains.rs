//! Sigchains: kept, validated again at every append, vouched for by nobody here.

use std::collections::HashMap;
use std::net::IpAddr;

use hmac::{Hmac, Mac as _};
use serde_json::value::RawValue;
use sha2::Sha256;
use tidings_domain::{DeviceId, Fact, IdentityKey, LogId, Timestamp};
use tidings_identity::key::DeviceSecret;
use tidings_identity::sigchain::{AppendError, MAX_ENTRIES};
use tidings_identity::{Chain, Envelope, IdentitySecret, Op, PublicKey, parse_envelope};
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal, StorageError};
use tidings_wire::Code;
use tidings_wire::account::{ChainHead, ChainPage, Device};

use super::App;
use crate::access::ProfileReader;
use crate::error::ApiError;
use crate::limit::Key;

/// Most bytes of envelopes in one request.
pub(crate) const REQUEST_MAX: usize = 64 * 1024;
/// How many envelopes are read from the store at a time.
const READ: usize = 1000;

/// From [`App::chains`].
#[derive(Debug, Clone, Copy)]
pub struct Chains<'a>(pub(super) &'a App);

/// A chain as it is kept.
#[derive(Debug)]
pub(crate) struct ReadChain {
    pub(crate) chain: Chain,
    pub(crate) envelopes: Vec<Envelope>,
}

impl ReadChain {
    fn head(&self) -> ChainHead {
        wire_head(&self.chain)
    }

    /// When each device was added, by the chain's own word.
    fn added_at(&self) -> HashMap<DeviceId, Timestamp> {
        let added = self.envelopes.iter().filter_map(|envelope| match envelope.op() {
            Op::AddDevice(device) => Some((device.id, envelope.created_at())),
            _ => None,
        });
        added.collect()
    }
}

fn wire_head(chain: &Chain) -> ChainHead {
    let head = chain.head();
    ChainHead { seq: head.seq, hash: head.hash.to_string() }
}

/// The chain of nobody. A login for an identity without an account goes through the same steps
/// with it as one for an identity that has one, so that both take as long.
#[derive(Debug)]
pub(crate) struct Stranger {
    identity: IdentityKey,
    login_key: PublicKey,
    envelope: Envelope,
}

impl Stranger {
    pub(crate) fn new(secret: &[u8; 32]) -> Result<Self, ApiError> {
        let seed = |what: &[u8]| -> [u8; 32] {
            #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of 32 bytes");
            mac.update(b"tidings/v1/stranger/");
            mac.update(what);
            mac.finalize().into_bytes().into()
        };
        let identity = IdentitySecret::from_seed(&seed(b"identity"));
        let device = DeviceSecret::from_seed(&seed(b"device"));
        let described =
            tidings_identity::sigchain::Device::describe(DeviceId::NIL, "-", "-", &device);
        let (_, envelope) =
            Chain::create(&identity, described, Timestamp(0)).map_err(ApiError::internal)?;
        Ok(Self { identity: identity.public(), login_key: device.public_keys().login, envelope })
    }

    pub(crate) const fn identity(&self) -> IdentityKey {
        self.identity
    }

    pub(crate) const fn login_key(&self) -> PublicKey {
        self.login_key
    }
}

impl Chains<'_> {
    /// The chain of an identity. `None` when there is none; that takes as long as a short one.
    pub(crate) async fn read(&self, identity: IdentityKey) -> Result<Option<ReadChain>, ApiError> {
        let store = self.0.store();
        let mut envelopes = Vec::new();
        loop {
            let page = store.chain(identity, envelopes.len() as u64, READ).await?;
            let last = page.len() < READ;
            for bytes in page {
                envelopes.push(parse_envelope(&bytes).map_err(|error| corrupt(&error))?);
            }
            if last {
                break;
            }
        }
        if envelopes.is_empty() {
            let stranger = std::slice::from_ref(&self.0.stranger().envelope);
            drop(Chain::validate(stranger).map_err(|error| corrupt(&error))?);
            return Ok(None);
        }
        let chain = Chain::validate_for(identity, &envelopes).map_err(|error| corrupt(&error))?;
        Ok(Some(ReadChain { chain, envelopes }))
    }

    /// A page of an identity's chain: envelopes after a place, or from the first on.
    pub async fn page(
        &self,
        identity: IdentityKey,
        after: Option<u64>,
        limit: usize,
    ) -> Result<ChainPage, ApiError> {
        let read = self.read(identity).await?.ok_or_else(ApiError::not_found)?;
        let first = after.map_or(0, |after| after.saturating_add(1));
        let skip = usize::try_from(first).unwrap_or(usize::MAX);
        let items = read
            .envelopes
            .iter()
            .skip(skip)
            .take(limit)
            .map(|envelope| RawValue::from_string(envelope.as_json().to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(ApiError::internal)?;
        let end = first.saturating_add(items.len() as u64);
        let more = end <= read.chain.head().seq && !items.is_empty();
        Ok(ChainPage { head: read.head(), next: more.then(|| (end - 1).to_string()), items })
    }

    /// Appends envelopes to the chain of an identity that has an account here. The signatures are
    /// the right to do so.
    pub async fn append(
        &self,
        identity: IdentityKey,
        items: &[Box<RawValue>],
        address: Option<IpAddr>,
    ) -> Result<ChainHead, ApiError> {
        let app = self.0;
        app.limit(Key::Chains(address), app.settings().limits.chains)?;
        let user = app.store().user_by_identity(identity).await?.ok_or_else(ApiError::not_found)?;
        let mut read = self.read(identity).await?.ok_or_else(ApiError::not_found)?;
        let kept = read.envelopes.len() as u64;
        let now = app.now();
        let before: Vec<DeviceId> = read.chain.devices(now).map(|device| device.id).collect();
        let new = parse_items(items)?;
        for envelope in &new {
            let head = read.head();
            read.chain.append(envelope).map_err(|error| match error {
                AppendError::Seq { .. } | AppendError::Prev { .. } => {
                    ApiError::conflict(format!("The chain does not go on there: {error}"))
                        .with_head(head)
                }
                other => ApiError::field("items", "invalid", other.to_string()),
            })?;
        }
        if new.is_empty() {
            return Ok(read.head());
        }

        let log = LogId::User(user.id);
        let device_fact = |fact| app.entry(log, None, user.id, now, fact);
        let after: Vec<DeviceId> = read.chain.devices(now).map(|device| device.id).collect();
        let mut change = Change {
            preconditions: vec![Precondition::ChainLength(identity, kept)],
            records: vec![Record::AppendChain { identity, first: kept, envelopes: stored(&new) }],
            ..Change::default()
        };
        for device_id in after.iter().copied().filter(|id| !before.contains(id)) {
            change.entries.push(device_fact(Fact::DeviceAdded { user_id: user.id, device_id }));
        }
        for device_id in before.iter().copied().filter(|id| !after.contains(id)) {
            change.records.push(Record::DeleteSessions(user.id, Some(device_id)));
            change.entries.push(device_fact(Fact::DeviceRevoked { user_id: user.id, device_id }));
        }
        match app.commit(change).await {
            Ok(_) => Ok(read.head()),
            Err(ChangeError::Refused(Refusal::Precondition(_))) => {
                let now = self.read(identity).await?.ok_or_else(ApiError::not_found)?;
                Err(ApiError::conflict("The chain has grown in between; append after its head.")
                    .with_head(now.head()))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The devices that the chain of an account certifies now.
    pub async fn devices(&self, right: &ProfileReader) -> Result<Vec<Device>, ApiError> {
        let Some(identity) = right.user().identity else { return Ok(Vec::new()) };
        let Some(read) = self.read(identity).await? else { return Ok(Vec::new()) };
        let added_at = read.added_at();
        let now = self.0.now();
        Ok(read
            .chain
            .devices(now)
            .map(|device| Device {
                id: device.id.0,
                name: device.name.clone(),
                platform: device.platform.clone(),
                login_key: device.keys.login.to_string(),
                added_at: added_at.get(&device.id).copied().unwrap_or_default().into(),
            })
            .collect())
    }
}

/// Envelopes of a request.
pub(super) fn parse_items(items: &[Box<RawValue>]) -> Result<Vec<Envelope>, ApiError> {
    let bytes: usize = items.iter().map(|item| item.get().len()).sum();
    if bytes > REQUEST_MAX || items.len() as u64 > MAX_ENTRIES {
        return Err(ApiError::new(
            Code::TooLarge,
            format!("A request carries at most {REQUEST_MAX} bytes of envelopes, not {bytes}."),
        ));
    }
    items
        .iter()
        .map(|item| {
            parse_envelope(item.get().as_bytes())
                .map_err(|error| ApiError::field("chain", "invalid", error.to_string()))
        })
        .collect()
}

/// Envelopes as the store keeps them.
pub(super) fn stored(envelopes: &[Envelope]) -> Vec<Vec<u8>> {
    envelopes.iter().map(|envelope| envelope.as_json().as_bytes().to_vec()).collect()
}

fn corrupt(error: &dyn std::fmt::Display) -> ApiError {
    StorageError::Corrupt { place: "chains", detail: error.to_string() }.into()
}
