//! The sigchain: the public, append-only record of an identity, in KEZ envelopes.
//!
//! Bytes from anywhere become an [`Envelope`] by [`parse_envelope`], which checks form and sizes;
//! envelopes become a [`Chain`] by [`Chain::validate`] or [`Chain::append`], which check
//! signature, place and meaning. Only a `Chain` says what an identity certifies. Revocation counts
//! from its entry on, by the order of the chain; the wall clock decides nothing but `expires_at`.
//! The format is described in `docs/schema/sigchain.md`.

mod build;
mod envelope;
mod json;
mod op;
mod state;
mod time;

use std::fmt;

use tidings_domain::{DeviceId, IdentityKey, Timestamp};

use crate::key::{BadSignature, PublicKey, verify_strict};

pub use build::SignError;
pub use envelope::{EntryHash, Envelope, ParseError, parse_envelope};
pub use op::{Device, Manifest, Op, Revoked, SharedFiles, Subject, VaultKey};

use state::State;

/// Most bytes of one envelope, as received and in canonical form: 64 KiB, far above any operation
/// of ours (about 1 KiB) and what a request may carry (40-identity of the design).
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

/// Most entries of one chain: 10,000, which a phone still validates within seconds and nobody's
/// devices reach in a lifetime.
pub const MAX_ENTRIES: u64 = 10_000;

/// The end of a chain: what a client remembers of an identity between visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The place of the last entry, counted from 0.
    pub seq: u64,
    /// The hash of the last envelope, which the next one carries as `prev`.
    pub hash: EntryHash,
}

/// A validated chain and what it certifies. It keeps the hash of every entry but not the
/// envelopes: those stay with whoever stores them.
#[derive(Debug, Clone)]
pub struct Chain {
    identity: IdentityKey,
    primary: IdentityKey,
    head: Head,
    hashes: Vec<EntryHash>,
    state: State,
}

impl Chain {
    /// Validates a whole chain from entry 0.
    ///
    /// Fails at the first entry that is refused, naming its place in `envelopes`; an empty list is
    /// [`ChainError::Empty`].
    pub fn validate(envelopes: &[Envelope]) -> Result<Self, ChainError> {
        let (first, rest) = envelopes.split_first().ok_or(ChainError::Empty)?;
        let at = |index| move |source| ChainError::Entry { index, source };
        let mut chain = Self::open(first).map_err(at(0))?;
        for (index, envelope) in rest.iter().enumerate() {
            chain.append(envelope).map_err(at(index + 1))?;
        }
        Ok(chain)
    }

    /// Like [`Chain::validate`], and refuses the chain of anybody but `identity`, the key under
    /// which entry 0 was signed.
    pub fn validate_for(identity: IdentityKey, envelopes: &[Envelope]) -> Result<Self, ChainError> {
        let chain = Self::validate(envelopes)?;
        if chain.identity != identity {
            return Err(ChainError::Identity { expected: identity, actual: chain.identity });
        }
        Ok(chain)
    }

    /// Begins a chain with its entry 0, whose primary key becomes the identity.
    pub fn open(first: &Envelope) -> Result<Self, AppendError> {
        let identity = first.primary();
        check_link(first, identity, 0, None)?;
        let mut state = State::new(identity);
        let primary = state.apply(first)?;
        let head = Head { seq: 0, hash: first.hash() };
        Ok(Self { identity, primary, head, hashes: vec![head.hash], state })
    }

    /// Adds the next entry; the chain is unchanged when it is refused.
    pub fn append(&mut self, envelope: &Envelope) -> Result<(), AppendError> {
        let seq = self.next_seq();
        if seq >= MAX_ENTRIES {
            return Err(AppendError::Full { max: MAX_ENTRIES });
        }
        check_link(envelope, self.primary, seq, Some(self.head.hash))?;
        self.primary = self.state.apply(envelope)?;
        self.head = Head { seq, hash: envelope.hash() };
        self.hashes.push(self.head.hash);
        Ok(())
    }

    /// The key under which entry 0 was signed: the name of the chain, whatever it rotated to.
    pub const fn identity(&self) -> IdentityKey {
        self.identity
    }

    /// The key that signs the next entry.
    pub const fn primary(&self) -> IdentityKey {
        self.primary
    }

    /// The last entry.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The `seq` of the entry that would follow.
    pub const fn next_seq(&self) -> u64 {
        self.head.seq + 1
    }

    /// The hash of entry `seq`, or `None` past the head.
    pub fn hash_at(&self, seq: u64) -> Option<EntryHash> {
        usize::try_from(seq).ok().and_then(|seq| self.hashes.get(seq)).copied()
    }

    /// The devices that are certified at `now`: added, not revoked, not expired; by id.
    pub fn devices(&self, now: Timestamp) -> impl Iterator<Item = &Device> {
        self.state.devices().filter(move |device| device.is_current(now))
    }

    /// The device `id` when it is certified at `now`; `None` for unknown, revoked and expired ones
    /// alike.
    pub fn device(&self, id: DeviceId, now: Timestamp) -> Option<&Device> {
        self.state.device(id).filter(|device| device.is_current(now))
    }

    /// Whether an entry revoked the device `id`; it cannot come back.
    pub fn is_revoked(&self, id: DeviceId) -> bool {
        self.state.is_revoked(id)
    }

    /// The public key to which the person's epoch keys are sealed, once one is set. A rotation
    /// does not change it: the person's client sets a new one right after.
    pub const fn vault_key(&self) -> Option<VaultKey> {
        self.state.vault()
    }

    /// What the identity claims to be elsewhere, sorted; each viewer checks the proofs.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.state.subjects()
    }

    /// The list of files that the person shares, once one is set.
    pub const fn shared_files(&self) -> Option<SharedFiles> {
        self.state.shared_files()
    }

    /// Checks that this chain still contains `known`, the head that a client remembers of the same
    /// identity. An error means that whoever served the chain hides or rewrites entries: warn
    /// loudly, and do not replace the remembered head.
    pub fn extends(&self, known: Head) -> Result<(), HeadConflict> {
        match self.hash_at(known.seq) {
            None => Err(HeadConflict::RolledBack { known: known.seq, actual: self.head.seq }),
            Some(actual) if actual != known.hash => {
                Err(HeadConflict::Forked { seq: known.seq, known: known.hash, actual })
            }
            Some(_) => Ok(()),
        }
    }
}

/// Checks everything about an entry but the meaning of its operation.
fn check_link(
    envelope: &Envelope,
    primary: IdentityKey,
    seq: u64,
    prev: Option<EntryHash>,
) -> Result<(), AppendError> {
    if envelope.seq() != seq {
        return Err(AppendError::Seq { expected: seq, actual: envelope.seq() });
    }
    if envelope.prev() != prev {
        return Err(AppendError::Prev { expected: prev, actual: envelope.prev() });
    }
    if envelope.primary() != primary {
        return Err(AppendError::Primary { expected: primary, actual: envelope.primary() });
    }
    if envelope.signed_by() != primary {
        return Err(AppendError::Signer { expected: primary, actual: envelope.signed_by() });
    }
    verify_strict(primary, envelope.signed_bytes(), envelope.signature())
        .map_err(|BadSignature| AppendError::Signature { key: primary })
}

/// Why an entry cannot follow the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The chain has as many entries as a chain may have.
    #[error("the chain is full: it has {max} entries")]
    Full {
        /// The most that a chain may have.
        max: u64,
    },
    /// The entry belongs in another place.
    #[error("seq must be {expected}, not {actual}")]
    Seq {
        /// The place after the head.
        expected: u64,
        /// The place that the entry claims.
        actual: u64,
    },
    /// The entry follows another one than the head: it was signed on a fork.
    #[error("prev must be {}, not {}", or_absent(.expected.as_ref()), or_absent(.actual.as_ref()))]
    Prev {
        /// The hash of the head; absent at entry 0.
        expected: Option<EntryHash>,
        /// What the entry carries.
        actual: Option<EntryHash>,
    },
    /// The entry belongs to another identity, or to a key that was rotated away.
    #[error("primary must be {expected}, not {actual}")]
    Primary {
        /// The key of the chain at this place.
        expected: IdentityKey,
        /// The key that the entry names.
        actual: IdentityKey,
    },
    /// The entry says that somebody else signed it.
    #[error("signature.key must be {expected}, not {actual}")]
    Signer {
        /// The key of the chain at this place.
        expected: IdentityKey,
        /// The key that the signature names.
        actual: IdentityKey,
    },
    /// The signature does not fit the payload.
    #[error("the signature is not one of {key} over this payload")]
    Signature {
        /// The key that should have signed.
        key: IdentityKey,
    },
    /// The device was revoked; a device that comes back draws a new id and seed.
    #[error("device {id} was revoked and cannot be added again")]
    DeviceRevoked {
        /// The device.
        id: DeviceId,
    },
    /// The device is in the chain with other keys.
    #[error("device {id} is already in the chain with other keys")]
    DeviceChanged {
        /// The device.
        id: DeviceId,
    },
    /// A key that already has another purpose: one key, one use, one device.
    #[error("{key} is already in use for something else in this chain")]
    KeyReused {
        /// The key.
        key: PublicKey,
    },
    /// The new primary key did not agree to the rotation.
    #[error("sig_by_new is not a signature of {key} over this payload")]
    RotateSignature {
        /// The key that should have agreed.
        key: IdentityKey,
    },
}

/// Why a list of envelopes is not a valid chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is no entry at all.
    #[error("a chain has at least one entry")]
    Empty,
    /// It is the chain of somebody else.
    #[error("the chain belongs to {actual}, not to {expected}")]
    Identity {
        /// Whose chain was wanted.
        expected: IdentityKey,
        /// Whose it is.
        actual: IdentityKey,
    },
    /// An entry is refused.
    #[error("entry {index} of the chain is refused")]
    Entry {
        /// Its place in the list, from 0.
        index: usize,
        /// Why.
        source: AppendError,
    },
}

/// How a chain contradicts the head that a client remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadConflict {
    /// Entries that were there are gone.
    #[error(
        "the chain was rolled back: it ends at entry {actual}, but entry {known} was seen before"
    )]
    RolledBack {
        /// The place of the remembered head.
        known: u64,
        /// The place of the head that is served now.
        actual: u64,
    },
    /// Another entry stands where the remembered head was.
    #[error("the chain was forked: entry {seq} is {actual}, but {known} was seen there before")]
    Forked {
        /// The place of the remembered head.
        seq: u64,
        /// Its hash.
        known: EntryHash,
        /// The hash that stands there now.
        actual: EntryHash,
    },
}

fn or_absent(hash: Option<&EntryHash>) -> &dyn fmt::Display {
    hash.map_or(&"absent" as &dyn fmt::Display, |hash| hash)
}
