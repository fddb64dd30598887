//! `tidings login`; without keys in [`elsewhere`].

pub(crate) mod elsewhere;

use std::path::PathBuf;

use clap::Args;
use tidings_client::login::LoginError;
use tidings_client::{Client, NewDevice};
use tidings_domain::IdentityKey;
use tidings_identity::{DeviceSecret, IdentitySecret, Phrase};
use tidings_wire::Code;
use tidings_wire::account::LoggedIn;

use super::register::{LoggedInLine, draw_device, forget_identity, remember};
use crate::ctx::{Ctx, client_of};
use crate::failure::{Explain, Failure, Why as _};
use crate::phrase;
use crate::profile::{Account, Keys};

/// Log in: with this device's key, or with the recovery phrase on a new device.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings login                                      again, on a device that was logged in before
  tidings login --server URL                         on a new device; asks for the phrase
  tidings login --server URL --phrase-file my.phrase
  pass show tidings | tidings login --server URL     the phrase from standard input
  tidings login --server URL --provider github       by an account elsewhere, without keys
  tidings login --server URL --device-code           by a code, approved where you are logged in

A new device is added to the identity's public chain of devices.")]
pub(crate) struct Login {
    /// The server's address; needed once per profile.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Read the recovery phrase from this file, or from standard input for -.
    #[arg(long, value_name = "FILE")]
    phrase_file: Option<PathBuf>,
    /// Log in by this provider, in a browser; the session has no keys.
    #[arg(long, value_name = "PROVIDER", conflicts_with_all = ["phrase_file", "device_code"])]
    provider: Option<String>,
    /// Show a code that you approve where you are logged in; the session has no keys.
    #[arg(long, conflicts_with = "phrase_file")]
    device_code: bool,
    /// What to call this device; this machine's name if absent.
    #[arg(long, value_name = "NAME")]
    device_name: Option<String>,
}

impl Login {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let account = ctx.profile.account()?;
        let server = match (&self.server, &account) {
            (Some(server), _) => server.clone(),
            (None, Some(account)) => account.server.clone(),
            (None, None) => {
                return Err(Failure::usage("which server? This profile has none yet")
                    .next("tidings login --server URL"));
            }
        };
        if self.phrase_file.is_none() && account.as_ref().is_some_and(|it| it.user_id.is_none()) {
            // The phrase of its identity was not shown yet, so it must not become an account here.
            return Err(Failure::usage("this profile has a registration that is not finished")
                .next("run the `tidings register` command again"));
        }
        let client = client_of(&server)?;
        let device_name = self.device_name.as_deref().unwrap_or(&ctx.host);
        if let Some(provider) = &self.provider {
            return elsewhere::by_provider(ctx, &client, account, provider, device_name).await;
        }
        if self.device_code {
            return elsewhere::by_code(ctx, &client, account, device_name).await;
        }
        let discovery = client.discover().await.cannot("log in")?;
        let (account, logged_in) = match (account, ctx.profile.keys()?) {
            (Some(account), Some(keys)) if self.phrase_file.is_none() => {
                with_device(ctx, &client, account, &keys).await?
            }
            (account, keys) => {
                let words = phrase::read(ctx, self.phrase_file.as_deref())?;
                self.with_phrase(ctx, &client, account, keys, &words, &discovery.origin).await?
            }
        };
        if ctx.json {
            return ctx.out.json(&LoggedInLine {
                user: &logged_in.user,
                server: &account.server,
                device_id: account.device_id,
                phrase: None,
            });
        }
        ctx.out.note(&format!("logged in as {} at {}", account.username, account.server));
        check_phrase(ctx, account)
    }

    /// Restores the identity, adds this device to its chain unless it is there, and logs in.
    async fn with_phrase(
        &self,
        ctx: &Ctx,
        client: &Client,
        account: Option<Account>,
        keys: Option<Keys>,
        words: &Phrase,
        public_origin: &str,
    ) -> Result<(Account, LoggedIn), Failure> {
        let identity = words.secret();
        let public = identity.public();
        if let Some(other) =
            account.as_ref().filter(|account| account.identity != public.to_string())
        {
            return Err(Failure::usage(format!(
                "profile {} belongs to {}, and this is the phrase of somebody else",
                ctx.profile.name(),
                other.username
            ))
            .next("choose another profile for this identity: --profile NAME"));
        }
        let known = account.as_ref().and_then(Account::head);
        let chain = client.fetch_chain(public, known).await.cannot("log in")?;
        let Some(chain) = chain else {
            let server = client.server().origin();
            return Err(LoginError::NoAccount { server }.why("log in"));
        };
        let name = self.device_name.clone().unwrap_or_else(|| ctx.host.clone());
        let certified = account
            .as_ref()
            .zip(keys)
            .filter(|(account, _)| chain.device(account.device(), ctx.now()).is_some());
        let (device, is_new) = match certified {
            Some((account, keys)) => (device_of(account, &keys), false),
            None => (draw_device(&name)?, true),
        };
        let mut account = account.unwrap_or_else(|| Account {
            server: String::new(),
            username: String::new(),
            user_id: None,
            identity: public.to_string(),
            device_id: device.id.0,
            device_name: String::new(),
            chain: None,
            phrase_unchecked: false,
        });
        account.server = client.server().origin();
        account.device_id = device.id.0;
        account.device_name.clone_from(&device.name);
        // Whoever types the phrase has it.
        account.phrase_unchecked = false;
        if is_new {
            // On disk before it is in the chain: a crash in between costs a spare entry, not the
            // only key to one.
            let secret = DeviceSecret::from_seed(&device.secret.seed());
            ctx.profile.save_keys(&Keys { device: secret, identity: None })?;
        }
        let head = add_device(ctx, client, &identity, &device, &account).await?;
        account.chain = Some(head.into());
        let logged_in = client
            .create_session_with(public, device.id, &device.secret)
            .await
            .map_err(|error| not_accepted(&error, public_origin))?;
        remember(ctx, &mut account, &logged_in)?;
        forget_identity(ctx)?;
        Ok((account, logged_in))
    }
}

async fn add_device(
    ctx: &Ctx,
    client: &Client,
    identity: &IdentitySecret,
    device: &NewDevice,
    account: &Account,
) -> Result<tidings_identity::Head, Failure> {
    client.add_device(identity, device, account.head(), ctx.now()).await.cannot("add this device")
}

fn device_of(account: &Account, keys: &Keys) -> NewDevice {
    NewDevice {
        id: account.device(),
        name: account.device_name.clone(),
        platform: std::env::consts::OS.to_owned(),
        secret: DeviceSecret::from_seed(&keys.device.seed()),
    }
}

/// Logs in with the key that this device has.
async fn with_device(
    ctx: &Ctx,
    client: &Client,
    mut account: Account,
    keys: &Keys,
) -> Result<(Account, LoggedIn), Failure> {
    let identity: IdentityKey = account.identity_key().ok_or_else(|| {
        Failure::new(format!("the identity of profile {} is no key", ctx.profile.name()))
            .next("tidings login --phrase-file FILE")
    })?;
    let logged_in = client
        .create_session_with(identity, account.device(), &keys.device)
        .await
        .map_err(|error| not_accepted_device(&error))?;
    account.server = client.server().origin();
    remember(ctx, &mut account, &logged_in)?;
    Ok((account, logged_in))
}

fn not_accepted(error: &LoginError, public_origin: &str) -> Failure {
    let failure = error.why("log in");
    match error {
        LoginError::Client(client_error) if client_error.code() == Some(Code::Unauthorized) => {
            Failure { line: format!("cannot log in: {client_error}"), ..failure }
                .next(format!("the server calls itself {public_origin}: use that as --server"))
        }
        _ => failure,
    }
}

fn not_accepted_device(error: &LoginError) -> Failure {
    let failure = error.why("log in");
    let LoginError::Client(client_error) = error else { return failure };
    if client_error.code() != Some(Code::Unauthorized) {
        return failure;
    }
    Failure {
        line: "the server does not accept this device; it may have been revoked".to_owned(),
        ..failure
    }
    .next("log in with the recovery phrase: tidings login --phrase-file FILE")
}

/// The check that was put off at registration; now there is no putting it off.
fn check_phrase(ctx: &Ctx, mut account: Account) -> Result<(), Failure> {
    if !account.phrase_unchecked || !ctx.typed || !ctx.out.notes_for_people {
        return Ok(());
    }
    let Some(identity) = ctx.profile.keys()?.and_then(|keys| keys.identity) else { return Ok(()) };
    if phrase::check(ctx, &Phrase::from_seed(&identity.seed()), false)? {
        account.phrase_unchecked = false;
        ctx.profile.save_account(&account)?;
        forget_identity(ctx)?;
        ctx.out.note("thank you: the phrase is checked");
    }
    Ok(())
}
