//! From keys to a session: registering, certifying a device, logging in.
//!
//! Every signature here is bound to the origin that was dialed, so one made for this server is
//! worth nothing at another.

use serde_json::value::RawValue;
use tidings_domain::{DeviceId, IdentityKey, Timestamp};
use tidings_identity::sigchain::{
    ChainError, Device, HeadConflict, ParseError, Revoked, SignError,
};
use tidings_identity::signed::FieldError;
use tidings_identity::{
    Chain, DeviceSecret, Envelope, Head, IdentitySecret, Login, Op, Register, parse_envelope,
};
use tidings_wire::Code;
use tidings_wire::account::{CreateSession, DeviceInfo, LoggedIn, Register as RegisterBody};
use tidings_wire::signin::SignInProof;

use crate::client::Client;
use crate::error::ClientError;

/// How often an entry is made anew when another one was faster: two devices that are added at the
/// same moment need two.
const APPEND_TRIES: usize = 3;

/// A device that is to act for an identity.
#[derive(Debug)]
pub struct NewDevice {
    /// The id that it drew.
    pub id: DeviceId,
    /// What its owner calls it, 1 to 64 characters.
    pub name: String,
    /// What it runs on, 1 to 32 characters.
    pub platform: String,
    /// Its secret.
    pub secret: DeviceSecret,
}

impl NewDevice {
    fn describe(&self) -> Device {
        Device::describe(self.id, &*self.name, &*self.platform, &self.secret)
    }
}

/// What a newcomer asks for.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// The name asked for.
    pub username: String,
    /// The name that people read; the username when absent.
    pub display_name: Option<String>,
    /// For the first account of a server: the code that the server printed.
    pub setup_code: Option<String>,
    /// For later accounts, unless registration is open; also the code of a reset.
    pub invite: Option<String>,
    /// A sign-in through a provider, with which the account is to be linked.
    pub sign_in: Option<SignInProof>,
}

/// A session and the head of the chain that it rests on.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Account, device, and session with its token.
    pub logged_in: LoggedIn,
    /// What to remember of the identity's chain.
    pub head: Head,
}

/// Why registering, certifying or logging in did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The request failed or was refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was to be signed cannot be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The chain's next entry cannot be made.
    #[error("this device cannot be added to the identity's chain")]
    Sign(#[from] SignError),
    /// The server sent something that is no envelope.
    #[error("the server sent a broken chain for this identity")]
    Parse(#[from] ParseError),
    /// The server sent a chain that does not hold.
    #[error("the server sent a chain that does not hold")]
    Chain(#[from] ChainError),
    /// The server's chain contradicts what was seen before.
    #[error("the server shows another history of this identity than before")]
    Head(#[from] HeadConflict),
    /// The server has no chain of this identity.
    #[error("{server} knows no account of this identity")]
    NoAccount {
        /// The origin.
        server: String,
    },
    /// The identity's chain certifies no such device.
    #[error("you have no device {device}")]
    NoDevice {
        /// The id that was asked for.
        device: DeviceId,
    },
}

impl Client {
    /// Registers an account: makes the identity's chain with this device in it, and a session.
    ///
    /// When the answer is lost (the error [`ClientError::is_transient`]), the account may exist:
    /// keep the keys and try [`Client::create_session_with`].
    pub async fn register(
        &self,
        identity: &IdentitySecret,
        device: &NewDevice,
        request: &Registration,
        now: Timestamp,
    ) -> Result<Registered, LoginError> {
        let origin = self.server().origin();
        let public = identity.public();
        let (chain, envelope) = Chain::create(identity, device.describe(), now)?;
        let challenge = self.challenge(public.to_string()).await?.challenge;
        let signed =
            Register { origin: &origin, username: &request.username, challenge: &challenge };
        let signature = signed.sign(identity)?.to_base64url();
        let body = RegisterBody {
            username: request.username.clone(),
            display_name: request.display_name.clone(),
            identity: public.to_string(),
            origin,
            device: DeviceInfo {
                id: device.id.0,
                name: device.name.clone(),
                platform: device.platform.clone(),
            },
            chain: vec![self.raw_envelope(&envelope)?],
            challenge,
            signature,
            setup_code: request.setup_code.clone(),
            invite: request.invite.clone(),
            sign_in: request.sign_in.clone(),
            cookie: false,
        };
        let logged_in = self.create_account(&body).await?;
        Ok(Registered { logged_in, head: chain.head() })
    }

    /// Logs in with the key of a device that the identity's chain certifies.
    pub async fn create_session_with(
        &self,
        identity: IdentityKey,
        device: DeviceId,
        secret: &DeviceSecret,
    ) -> Result<LoggedIn, LoginError> {
        let origin = self.server().origin();
        let challenge = self.challenge(identity.to_string()).await?.challenge;
        let signed = Login { origin: &origin, device_id: device, challenge: &challenge };
        let signature = signed.sign(secret)?.to_base64url();
        let body = CreateSession {
            identity: identity.to_string(),
            origin,
            device_id: device.0,
            challenge,
            signature,
            cookie: false,
        };
        Ok(self.create_session(&body).await?)
    }

    /// Fetches an identity's whole chain and validates it from its first entry. `known` is the head
    /// that was remembered from before: a chain that does not contain it is an error to shout
    /// about. `None` when the server has no chain of this identity.
    pub async fn fetch_chain(
        &self,
        identity: IdentityKey,
        known: Option<Head>,
    ) -> Result<Option<Chain>, LoginError> {
        let mut envelopes: Vec<Envelope> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = match self.chain_page(identity, after.as_deref()).await {
                Err(error) if error.code() == Some(Code::NotFound) => return Ok(None),
                page => page?,
            };
            for item in &page.items {
                envelopes.push(parse_envelope(item.get().as_bytes())?);
            }
            // A page without entries cannot move on; a server that sends one forever is stopped.
            after = page.next.filter(|_| !page.items.is_empty());
            if after.is_none() {
                break;
            }
        }
        if envelopes.is_empty() {
            return Ok(None);
        }
        let chain = Chain::validate_for(identity, &envelopes)?;
        if let Some(known) = known {
            chain.extends(known)?;
        }
        Ok(Some(chain))
    }

    /// Appends an `add_device` entry for `device` to the identity's chain, with the identity's own
    /// key. Does nothing when the chain certifies the device already.
    ///
    /// Fails with [`LoginError::NoAccount`] when the server has no chain of this identity.
    pub async fn add_device(
        &self,
        identity: &IdentitySecret,
        device: &NewDevice,
        known: Option<Head>,
        now: Timestamp,
    ) -> Result<Head, LoginError> {
        let add = |chain: &Chain| {
            let missing = chain.device(device.id, now).is_none();
            Ok(missing.then(|| Op::AddDevice(device.describe())))
        };
        self.extend_chain(identity, known, now, add).await
    }

    /// Appends a `revoke` entry for a device to the identity's chain, with the identity's own key.
    /// The server ends the device's sessions with it. Does nothing when it was revoked before.
    ///
    /// Fails with [`LoginError::NoDevice`] when the chain never certified the device or it has
    /// expired, and with [`LoginError::NoAccount`] when the server has no chain of this identity.
    pub async fn revoke_device(
        &self,
        identity: &IdentitySecret,
        device: DeviceId,
        known: Option<Head>,
        now: Timestamp,
    ) -> Result<Head, LoginError> {
        let revoke = |chain: &Chain| {
            if chain.is_revoked(device) {
                return Ok(None);
            }
            chain.device(device, now).ok_or(LoginError::NoDevice { device })?;
            Ok(Some(Op::Revoke(Revoked::Device(device))))
        };
        self.extend_chain(identity, known, now, revoke).await
    }

    /// Appends the entry that `next` asks for in view of the chain, if any. When another entry was
    /// faster, the chain is looked at again.
    async fn extend_chain(
        &self,
        identity: &IdentitySecret,
        known: Option<Head>,
        now: Timestamp,
        next: impl Fn(&Chain) -> Result<Option<Op>, LoginError> + Send,
    ) -> Result<Head, LoginError> {
        let public = identity.public();
        let mut tries = 0;
        loop {
            let Some(mut chain) = self.fetch_chain(public, known).await? else {
                return Err(LoginError::NoAccount { server: self.server().origin() });
            };
            let Some(op) = next(&chain)? else { return Ok(chain.head()) };
            let envelope = chain.sign_next(identity, &op, now)?;
            tries += 1;
            match self.append_chain(public, vec![self.raw_envelope(&envelope)?]).await {
                Ok(()) => return Ok(chain.head()),
                Err(error) if error.code() == Some(Code::Conflict) && tries < APPEND_TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn raw_envelope(&self, envelope: &Envelope) -> Result<Box<RawValue>, ClientError> {
        serde_json::value::to_raw_value(envelope).map_err(|error| ClientError::Protocol {
            server: self.server().origin(),
            status: None,
            why: format!("an envelope cannot be written ({error})"),
        })
    }
}
