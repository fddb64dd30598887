//! The public API as far as benches and torture need it: accounts, rooms, and who is in them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidings_domain::{DeviceId, Timestamp};
use tidings_identity::sigchain::Device;
use tidings_identity::{Chain, DeviceSecret, IdentitySecret, Login, Register};
use uuid::Uuid;

use crate::http::Http;

/// Connections over which set-up sends its requests: enough to share an fsync among them.
const PARALLEL: usize = 16;

/// Somebody with an account, and what they need to log in again.
#[derive(Debug)]
pub struct Account {
    /// Its id.
    pub user_id: String,
    /// The token of the session that registering made.
    pub token: String,
    identity: String,
    device_id: DeviceId,
    device: DeviceSecret,
}

/// A server, as its users reach it.
#[derive(Debug)]
pub struct Api {
    server: SocketAddr,
    /// Makes the keys of every account drawn here different.
    next_key: AtomicU64,
}

/// A community with its owner and an invite that anyone may use.
#[derive(Debug)]
pub struct Community {
    /// Its id.
    pub id: String,
    /// The server's owner, who made it.
    pub owner: Account,
    /// Registering with it joins.
    pub invite: String,
}

impl Api {
    /// The API at `server`; `seed` decides the keys of the accounts made through it.
    pub fn new(server: SocketAddr, seed: u64) -> Self {
        Self { server, next_key: AtomicU64::new(seed) }
    }

    /// A connection of its own.
    pub fn connect(&self) -> Http {
        Http::new(self.server)
    }

    /// Where the server is.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Registers `username` with a setup code or an invite, whichever is given.
    pub fn register(
        &self,
        http: &mut Http,
        username: &str,
        setup_code: Option<&str>,
        invite: Option<&str>,
    ) -> anyhow::Result<Account> {
        let mut random = ChaCha8Rng::seed_from_u64(self.next_key.fetch_add(1, Ordering::Relaxed));
        let identity = IdentitySecret::from_seed(&random.random());
        let device = DeviceSecret::from_seed(&random.random());
        let device_id = DeviceId(Uuid::now_v7());
        let description = Device::describe(device_id, "bench", "linux", &device);
        let now = Timestamp(jiff::Timestamp::now().as_millisecond());
        let (_, envelope) =
            Chain::create(&identity, description, now).context("make a sigchain")?;

        let origin = self.origin();
        let key = identity.public().to_string();
        let challenge = challenge(http, &key)?;
        let signature = Register { origin: &origin, username, challenge: &challenge }
            .sign(&identity)
            .context("sign the registration")?;
        let envelope: Value = serde_json::from_str(envelope.as_json())?;
        let body = json!({
            "username": username, "identity": key, "origin": origin,
            "device": { "id": device_id.to_string(), "name": "bench", "platform": "linux" },
            "chain": [envelope], "challenge": challenge, "signature": signature.to_base64url(),
            "setup_code": setup_code, "invite": invite,
        });
        let answer: Value = http.call("POST", "/v1/accounts", None, Some(&body.to_string()))?;
        Ok(Account {
            user_id: text(&answer, "/user/id")?,
            token: text(&answer, "/session/token")?,
            identity: key,
            device_id,
            device,
        })
    }

    /// Logs `account` in once more and returns the new token.
    pub fn login(&self, http: &mut Http, account: &Account) -> anyhow::Result<String> {
        let origin = self.origin();
        let challenge = challenge(http, &account.identity)?;
        let statement =
            Login { origin: &origin, device_id: account.device_id, challenge: &challenge };
        let signature = statement.sign(&account.device).context("sign the login")?;
        let body = json!({
            "identity": account.identity, "origin": origin,
            "device_id": account.device_id.to_string(), "challenge": challenge,
            "signature": signature.to_base64url(),
        });
        let answer: Value = http.call("POST", "/v1/sessions", None, Some(&body.to_string()))?;
        text(&answer, "/session/token")
    }

    /// Registers the server's owner and makes a community with an invite.
    pub fn found(&self, setup_code: &str) -> anyhow::Result<Community> {
        let mut http = self.connect();
        let owner = self.register(&mut http, "owner", Some(setup_code), None)?;
        let body = r#"{"name":"Harbor","slug":"harbor"}"#;
        let token = Some(owner.token.as_str());
        let community: Value = http.call("POST", "/v1/communities", token, Some(body))?;
        let id = text(&community, "/id")?;
        let path = format!("/v1/communities/{id}/invites");
        let invite: Value = http.call("POST", &path, token, Some("{}"))?;
        Ok(Community { id, owner, invite: text(&invite, "/code")? })
    }

    /// Registers `count` people `<prefix>0`, `<prefix>1`, … into the community.
    pub fn people(
        &self,
        community: &Community,
        prefix: &str,
        count: usize,
    ) -> anyhow::Result<Vec<Account>> {
        let numbers: Vec<usize> = (0..count).collect();
        self.in_parallel(&numbers, |http, number| {
            self.register(http, &format!("{prefix}{number}"), None, Some(&community.invite))
        })
    }

    /// Makes a public channel and returns its id.
    pub fn create_channel(&self, community: &Community, name: &str) -> anyhow::Result<String> {
        let path = format!("/v1/communities/{}/channels", community.id);
        let body = json!({
            "name": name, "type": "text", "visibility": "public", "kind": "open",
        });
        let token = Some(community.owner.token.as_str());
        let channel: Value = self.connect().call("POST", &path, token, Some(&body.to_string()))?;
        text(&channel, "/id")
    }

    /// Joins every one of `accounts` to the channel.
    pub fn join_all(&self, channel: &str, accounts: &[Account]) -> anyhow::Result<()> {
        self.in_parallel(accounts, |http, account| join(http, &account.token, channel))?;
        Ok(())
    }

    /// Does `task` for every item over a few connections at once; results are in order.
    pub fn in_parallel<T: Sync, R: Send>(
        &self,
        items: &[T],
        task: impl Fn(&mut Http, &T) -> anyhow::Result<R> + Sync,
    ) -> anyhow::Result<Vec<R>> {
        let share = items.len().div_ceil(PARALLEL).max(1);
        let work = |part: &[T]| -> anyhow::Result<Vec<R>> {
            let mut http = self.connect();
            part.iter().map(|item| task(&mut http, item)).collect()
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                items.chunks(share).map(|part| scope.spawn(|| work(part))).collect();
            let mut results = Vec::with_capacity(items.len());
            for thread in threads {
                let part = thread.join().ok().context("a thread of the set-up panicked")?;
                results.extend(part?);
            }
            Ok(results)
        })
    }

    fn origin(&self) -> String {
        format!("http://{}", self.server)
    }
}

/// Joins a channel as the holder of `token`.
pub fn join(http: &mut Http, token: &str, channel: &str) -> anyhow::Result<()> {
    http.request("POST", &format!("/v1/channels/{channel}/join"), Some(token), None)?.success()
}

/// Leaves a channel as the holder of `token`.
pub fn leave(http: &mut Http, token: &str, channel: &str) -> anyhow::Result<()> {
    http.request("POST", &format!("/v1/channels/{channel}/leave"), Some(token), None)?.success()
}

/// The last `seq` of a channel.
pub fn head_seq(http: &mut Http, token: &str, channel: &str) -> anyhow::Result<u64> {
    let path = format!("/v1/channels/{channel}");
    let channel: Value = http.call("GET", &path, Some(token), None)?;
    channel.get("head_seq").and_then(Value::as_u64).context("a channel without head_seq")
}

/// The cursor at the head of everything, as the holder of `token` sees it.
pub fn cursor(http: &mut Http, token: &str) -> anyhow::Result<String> {
    let answer: Value = http.call("GET", "/v1/sync", Some(token), None)?;
    text(&answer, "/next")
}

/// Reads everything after `since` page by page, hands each page's events to `on_page`, and returns
/// the cursor at the head.
pub fn read_to_head<E: DeserializeOwned>(
    http: &mut Http,
    token: &str,
    since: &str,
    mut on_page: impl FnMut(Vec<E>),
) -> anyhow::Result<String> {
    #[derive(serde::Deserialize)]
    struct Page<E> {
        next: String,
        events: Vec<E>,
        #[serde(default)]
        has_more: bool,
    }
    let mut since = since.to_owned();
    loop {
        let path = format!("/v1/sync?since={since}&timeout=0&limit=1000");
        let page: Page<E> = http.call("GET", &path, Some(token), None)?;
        on_page(page.events);
        since = page.next;
        if !page.has_more {
            return Ok(since);
        }
    }
}

fn challenge(http: &mut Http, identity: &str) -> anyhow::Result<String> {
    let body = json!({ "identity": identity }).to_string();
    let answer: Value = http.call("POST", "/v1/auth/challenge", None, Some(&body))?;
    text(&answer, "/challenge")
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no {pointer} in {value}"))?.to_owned())
}
