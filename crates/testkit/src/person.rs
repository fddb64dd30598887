//! People with keys, devices and sessions.

use tidings_client::login::Registration;
use tidings_client::{Client, NewDevice};
use tidings_domain::{DeviceId, Timestamp, UserId};
use tidings_identity::{DeviceSecret, IdentitySecret};
use tidings_wire::account::{Me, Secret};

use crate::entropy::TestEntropy;

/// Somebody who is logged in.
#[derive(Debug)]
pub struct Person {
    client: Client,
    token: Secret,
    me: Me,
    identity: IdentitySecret,
    device: NewDevice,
}

impl Person {
    /// Registers somebody with new keys at any server. `now` goes into the identity's chain.
    pub async fn register(
        client: Client,
        entropy: &TestEntropy,
        registration: &Registration,
        now: Timestamp,
    ) -> Self {
        let identity = IdentitySecret::from_seed(&entropy.draw());
        let device = new_device(entropy, now);
        let registered = client
            .register(&identity, &device, registration, now)
            .await
            .unwrap_or_else(|error| panic!("{} cannot register: {error}", registration.username));
        let token = registered.logged_in.session.token.expect("a session has a token");
        let client = client.with_token(token.clone());
        Self { client, token, me: registered.logged_in.user, identity, device }
    }

    /// Speaks to the server as this person.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The token of this person's session.
    pub const fn token(&self) -> &Secret {
        &self.token
    }

    /// The account.
    pub fn id(&self) -> UserId {
        UserId(self.me.id)
    }

    /// The account's name.
    pub fn username(&self) -> &str {
        &self.me.username
    }

    /// What owns the account.
    pub const fn identity(&self) -> &IdentitySecret {
        &self.identity
    }

    /// The device that is logged in.
    pub const fn device(&self) -> &NewDevice {
        &self.device
    }

    /// Another client of the same person and device, with a session of its own at `server`, which
    /// may be this person's server after a restart.
    pub async fn log_in(&self, server: Client) -> Client {
        let (identity, device) = (self.identity.public(), &self.device);
        let logged_in = server
            .create_session_with(identity, device.id, &device.secret)
            .await
            .unwrap_or_else(|error| panic!("{} cannot log in: {error}", self.me.username));
        let token = logged_in.session.token.expect("a session has a token");
        server.with_token(token)
    }
}

/// A device that nobody has certified yet.
pub(crate) fn new_device(entropy: &TestEntropy, now: Timestamp) -> NewDevice {
    let millis = u64::try_from(now.0).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.draw());
    NewDevice {
        id: DeviceId(id.into_uuid()),
        name: "laptop".to_owned(),
        platform: "test".to_owned(),
        secret: DeviceSecret::from_seed(&entropy.draw()),
    }
}
