//! Making entries. Each one is read back and checked like one from a stranger before it is handed
//! out, so what this version signs, this version accepts.

use serde_json::{Value, json};
use tidings_domain::{DeviceId, IdentityKey, Timestamp};

use crate::key::{DeviceSecret, IdentitySecret, Signature};

use super::envelope::{ALG, EVENT, EntryHash, Envelope, KIND, ParseError, VERSION, consent_text};
use super::op::{Device, Op, write_time};
use super::{AppendError, Chain, json};

impl Device {
    /// The description of a device that holds `secret`, for its `add_device` entry.
    pub fn describe(
        id: DeviceId,
        name: impl Into<String>,
        platform: impl Into<String>,
        secret: &DeviceSecret,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            platform: platform.into(),
            keys: secret.public_keys(),
            expires_at: None,
        }
    }
}

impl Chain {
    /// A new account's chain: entry 0 is the `add_device` of its first device. Gives the chain and
    /// the envelope that registration sends.
    pub fn create(
        identity: &IdentitySecret,
        first: Device,
        created_at: Timestamp,
    ) -> Result<(Self, Envelope), SignError> {
        let payload = event(identity.public(), None, &Op::AddDevice(first), created_at)?;
        let envelope = seal(identity, &payload)?;
        Ok((Self::open(&envelope)?, envelope))
    }

    /// Makes and appends the next entry.
    ///
    /// Fails, with the chain unchanged, when `identity` is not the key that signs now, when the
    /// operation is not well-formed, or when the rules of the chain refuse it. A rotation goes
    /// through [`Chain::rotate`].
    pub fn sign_next(
        &mut self,
        identity: &IdentitySecret,
        op: &Op,
        created_at: Timestamp,
    ) -> Result<Envelope, SignError> {
        let payload = self.next_event(identity, op, created_at)?;
        self.finish(identity, &payload)
    }

    /// Makes and appends the entry under which `new` takes over from `old`; both sign it.
    ///
    /// The vault key stays the one derived from the old seed, so a `set_vault` should follow.
    pub fn rotate(
        &mut self,
        old: &IdentitySecret,
        new: &IdentitySecret,
        created_at: Timestamp,
    ) -> Result<Envelope, SignError> {
        let op = |sig_by_new| Op::Rotate { new_primary: new.public(), sig_by_new };
        let unsigned = self.next_event(old, &op(Signature([0; 64])), created_at)?;
        let consent = new.sign(consent_text(unsigned)?.as_bytes());
        let payload = self.next_event(old, &op(consent), created_at)?;
        self.finish(old, &payload)
    }

    fn next_event(
        &self,
        identity: &IdentitySecret,
        op: &Op,
        created_at: Timestamp,
    ) -> Result<Value, SignError> {
        let actual = identity.public();
        if actual != self.primary() {
            return Err(SignError::Secret { expected: self.primary(), actual });
        }
        Ok(event(actual, Some((self.next_seq(), self.head().hash)), op, created_at)?)
    }

    fn finish(
        &mut self,
        identity: &IdentitySecret,
        payload: &Value,
    ) -> Result<Envelope, SignError> {
        let envelope = seal(identity, payload)?;
        self.append(&envelope)?;
        Ok(envelope)
    }
}

/// The `payload` member of an envelope; `place` is `seq` and `prev`, `None` at entry 0.
fn event(
    primary: IdentityKey,
    place: Option<(u64, EntryHash)>,
    op: &Op,
    created_at: Timestamp,
) -> Result<Value, ParseError> {
    let mut payload = json!({
        "type": EVENT,
        "version": VERSION,
        "primary": primary.to_string(),
        "seq": place.map_or(0, |(seq, _)| seq),
        "created_at": write_time("created_at", created_at)?,
        "op": op.name(),
        "payload": op.to_payload()?,
    });
    if let (Some((_, prev)), Some(members)) = (place, payload.as_object_mut()) {
        members.insert("prev".to_owned(), prev.to_string().into());
    }
    Ok(payload)
}

fn seal(identity: &IdentitySecret, payload: &Value) -> Result<Envelope, ParseError> {
    let signature = identity.sign(json::canonical(payload)?.as_bytes());
    Envelope::from_value(&json!({
        "kez": KIND,
        "payload": payload,
        "signature": {
            "alg": ALG,
            "key": identity.public().to_string(),
            "sig": signature.to_hex(),
        },
    }))
}

/// Why an entry could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The secret is not the one that signs this chain now.
    #[error("the chain is signed by {expected} now, not by {actual}")]
    Secret {
        /// The key that signs the next entry.
        expected: IdentityKey,
        /// The public half of the secret that was given.
        actual: IdentityKey,
    },
    /// The operation or the time cannot be written.
    #[error(transparent)]
    Form(#[from] ParseError),
    /// The rules of the chain refuse the entry.
    #[error(transparent)]
    Append(#[from] AppendError),
}
