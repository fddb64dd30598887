//! `tidings register`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tidings_client::login::{LoginError, Registered, Registration};
use tidings_client::{Client, NewDevice};
use tidings_domain::{DeviceId, name};
use tidings_identity::{DeviceSecret, Head, IdentitySecret, Phrase};
use tidings_wire::Code;
use tidings_wire::account::{LoggedIn, Me};
use tidings_wire::signin::SignInProof;
use uuid::Uuid;

use super::invite::code_of;
use super::login::elsewhere::in_browser;
use crate::ctx::{Ctx, client_of};
use crate::failure::{Explain, Failure, Why as _};
use crate::phrase;
use crate::profile::{Account, Keys, SecretText, Session};

/// Make an account on a server, with a new identity.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings register --server http://127.0.0.1:8420 --username ana --setup-code 4F7K-…
  tidings register --server https://chat.example.org --username bob --invite CODE
  tidings register --server URL --username ci --invite CODE --phrase-out ci.phrase
  tidings register --server URL --username ana --reset-code CODE
  tidings register --server URL --username ana --provider github

The 24 words that it shows are the account: they are shown once, or written to --phrase-out.")]
pub(crate) struct Register {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    server: String,
    /// The name you want: 1 to 32 of a-z 0-9 . _ -
    #[arg(long, value_name = "NAME")]
    username: String,
    /// The name that people read; your username if absent.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The code that `tidingsd serve` printed, for the first account.
    #[arg(long, value_name = "CODE", conflicts_with = "invite")]
    setup_code: Option<String>,
    /// The code or link of an invite, for later accounts.
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    invite: Option<String>,
    /// The code of `tidings admin reset`: have an account again whose phrase and devices are lost.
    // Codes are base64url: one in sixty-four begins with a hyphen.
    #[arg(
        long,
        value_name = "CODE",
        allow_hyphen_values = true,
        conflicts_with_all = ["setup_code", "invite"]
    )]
    reset_code: Option<String>,
    /// Be known by this provider, too: it links the account, and may stand for an invite.
    #[arg(long, value_name = "PROVIDER", conflicts_with = "reset_code")]
    provider: Option<String>,
    /// Write the recovery phrase to this new file (0600) instead of showing it.
    #[arg(long, value_name = "FILE")]
    phrase_out: Option<PathBuf>,
    /// What to call this device; this machine's name if absent.
    #[arg(long, value_name = "NAME")]
    device_name: Option<String>,
}

/// What `register` and `login` print with `--json`.
#[derive(Serialize)]
pub(crate) struct LoggedInLine<'a> {
    /// The account.
    pub user: &'a Me,
    /// The origin.
    pub server: &'a str,
    /// This device.
    pub device_id: Uuid,
    /// The recovery phrase, when it was made here and not written to a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phrase: Option<&'a str>,
}

impl Register {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        name::username(&self.username).map_err(|error| {
            Failure::usage(format!("\"{}\" cannot be a username: it {error}", self.username))
                .next("choose another name with --username")
        })?;
        let client = client_of(&self.server)?;
        let unfinished = unfinished(ctx, &client.server().origin())?;
        let discovery = client.discover().await.cannot("register")?;

        let sign_in = match &self.provider {
            Some(provider) => Some(in_browser(ctx, &client, provider, "register").await?),
            None => None,
        };
        let first_try = unfinished.is_none();
        let keys = match unfinished {
            Some((account, keys)) => {
                if self.resume(ctx, &client, account, &keys).await? {
                    return Ok(());
                }
                keys
            }
            None => Keys {
                device: DeviceSecret::from_seed(&*phrase::draw_seed()?),
                identity: Some(IdentitySecret::from_seed(&*phrase::draw_seed()?)),
            },
        };
        let Some(identity) = &keys.identity else {
            return Err(Failure::new("the keys of this profile are not those of a new account"));
        };
        let account = self.account(ctx, &client, identity)?;
        let words = Phrase::from_seed(&identity.seed());
        if let Some(path) = &self.phrase_out {
            phrase::write(path, &words)?;
        }
        // Before the server knows the identity, it is safe here: a crash can lose no account.
        ctx.profile.save_keys(&keys)?;
        ctx.profile.save_account(&account)?;
        let device = NewDevice {
            id: account.device(),
            name: account.device_name.clone(),
            platform: std::env::consts::OS.to_owned(),
            secret: DeviceSecret::from_seed(&keys.device.seed()),
        };
        match client.register(identity, &device, &self.registration(sign_in)?, ctx.now()).await {
            Ok(Registered { logged_in, head }) => {
                self.finish(ctx, account, &words, &logged_in, Some(head))?;
                if self.invite.is_some() {
                    tell_of_waiting(ctx).await;
                }
                Ok(())
            }
            Err(error) => Err(self.refused(ctx, &error, &discovery.origin, first_try)),
        }
    }

    /// Looks whether an account was made although the answer was lost: then its device can log in,
    /// and the registration is finished.
    async fn resume(
        &self,
        ctx: &Ctx,
        client: &Client,
        account: Account,
        keys: &Keys,
    ) -> Result<bool, Failure> {
        let Some(identity) = &keys.identity else { return Ok(false) };
        let answer =
            client.create_session_with(identity.public(), account.device(), &keys.device).await;
        match answer {
            Ok(logged_in) => {
                let words = Phrase::from_seed(&identity.seed());
                if let Some(path) = &self.phrase_out {
                    phrase::write(path, &words)?;
                }
                self.finish(ctx, account, &words, &logged_in, None)?;
                Ok(true)
            }
            Err(LoginError::Client(error)) if error.code() == Some(Code::Unauthorized) => Ok(false),
            Err(error) => Err(error.why("register")),
        }
    }

    fn account(
        &self,
        ctx: &Ctx,
        client: &Client,
        identity: &IdentitySecret,
    ) -> Result<Account, Failure> {
        let unfinished = ctx.profile.account()?.map(|account| account.device_id);
        Ok(Account {
            server: client.server().origin(),
            username: self.username.clone(),
            user_id: None,
            identity: identity.public().to_string(),
            device_id: unfinished.unwrap_or_else(Uuid::now_v7),
            device_name: self.device_name.clone().unwrap_or_else(|| ctx.host.clone()),
            chain: None,
            phrase_unchecked: false,
        })
    }

    fn registration(&self, sign_in: Option<SignInProof>) -> Result<Registration, Failure> {
        Ok(Registration {
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            setup_code: self.setup_code.clone(),
            sign_in,
            // The API takes the code of a reset where it takes an invite.
            invite: match &self.reset_code {
                Some(code) => Some(code.trim().to_owned()),
                None => self.invite.as_deref().map(code_of).transpose()?.map(|code| code.0),
            },
        })
    }

    fn finish(
        &self,
        ctx: &Ctx,
        account: Account,
        words: &Phrase,
        logged_in: &LoggedIn,
        head: Option<Head>,
    ) -> Result<(), Failure> {
        let mut account = account;
        account.chain = head.map(Into::into);
        let interactive = self.phrase_out.is_none() && ctx.typed && ctx.out.notes_for_people;
        // Until the person has shown that the words are written down, the only other copy stays.
        account.phrase_unchecked = interactive && !ctx.json;
        remember(ctx, &mut account, logged_in)?;
        if ctx.json {
            forget_identity(ctx)?;
            let text = words.to_text();
            return ctx.out.json(&LoggedInLine {
                user: &logged_in.user,
                server: &account.server,
                device_id: account.device_id,
                phrase: self.phrase_out.is_none().then_some(&text),
            });
        }
        ctx.out.note(&format!("registered {} at {}", account.username, account.server));
        match &self.phrase_out {
            Some(path) => {
                ctx.out
                    .note(&format!("the recovery phrase is in {}: keep it safe", path.display()));
            }
            None => phrase::show(ctx, words)?,
        }
        if !interactive {
            return forget_identity(ctx);
        }
        if phrase::check(ctx, words, true)? {
            account.phrase_unchecked = false;
            ctx.profile.save_account(&account)?;
            return forget_identity(ctx);
        }
        Ok(())
    }

    /// Explains a refusal, and forgets keys that belong to no account.
    fn refused(
        &self,
        ctx: &Ctx,
        error: &LoginError,
        public_origin: &str,
        first_try: bool,
    ) -> Failure {
        let failure = error.why("register");
        let LoginError::Client(client_error) = error else { return failure };
        let Some(code) = client_error.code().filter(|_| !client_error.is_transient()) else {
            return failure
                .next("run the same command again: it finds out whether the account was made");
        };
        // Keys of an identity that nobody knows are only in the way of the next try. Those of a
        // registration whose answer was lost once are kept, whatever is said about them now.
        if first_try
            && ctx.profile.delete_account().is_ok()
            && let Some(path) = &self.phrase_out
        {
            let _ = std::fs::remove_file(path);
        }
        let failure = Failure { exit: crate::failure::Exit::Failed, ..failure };
        match code {
            Code::SetupRequired => failure.next(
                "give the code that `tidingsd serve` printed (DATA/setup-code): --setup-code CODE",
            ),
            Code::InviteRequired => {
                failure.next("ask a member of the server for an invite: --invite CODE")
            }
            Code::Forbidden if self.setup_code.is_some() => failure.next(
                "compare the code with what `tidingsd serve` printed; it is also in DATA/setup-code",
            ),
            Code::Forbidden if self.reset_code.is_some() => Failure {
                line: format!(
                    "cannot register: the reset code is wrong, used or old, or not for {}",
                    self.username
                ),
                ..failure
            }
            .next("check code and username, or ask the server's owner for a new code"),
            Code::Forbidden => failure.next("ask for a new invite: this one is wrong, old or used"),
            Code::Conflict => failure.next("choose another name with --username"),
            Code::Unauthorized => Failure {
                line: format!("cannot register: {client_error}"),
                ..failure
            }
            .next(format!("the server calls itself {public_origin}: use that as --server")),
            _ => failure,
        }
    }
}

/// Says that the invite leads to a door where admins decide. The account is made either way, so a
/// server that does not answer now is no failure.
async fn tell_of_waiting(ctx: &Ctx) {
    let Ok(session) = ctx.session_as_it_is() else { return };
    for request in session.client.own_join_requests().await.unwrap_or_default() {
        ctx.out.note(&format!("an admin of {} has to let you in", request.community));
    }
}

/// Account and keys of a registration whose answer was lost, to try again as the same identity.
fn unfinished(ctx: &Ctx, server: &str) -> Result<Option<(Account, Keys)>, Failure> {
    let Some(account) = ctx.profile.account()? else { return Ok(None) };
    let profile = ctx.profile.name();
    let Account { username, server: other, .. } = &account;
    if account.user_id.is_some() {
        return Err(Failure::usage(format!(
            "profile {profile} already holds the account {username} at {other}"
        ))
        .next("choose another profile for the new account: --profile NAME"));
    }
    if other != server {
        return Err(Failure::usage(format!(
            "profile {profile} has an unfinished registration at {other}"
        ))
        .next(format!(
            "finish it with --server {other}, or choose another profile: --profile NAME"
        )));
    }
    Ok(ctx.profile.keys()?.filter(|keys| keys.identity.is_some()).map(|keys| (account, keys)))
}

/// Saves what the server said about account and session.
pub(crate) fn remember(
    ctx: &Ctx,
    account: &mut Account,
    logged_in: &LoggedIn,
) -> Result<(), Failure> {
    let Some(token) = &logged_in.session.token else {
        return Err(
            Failure::new("the server gave no session token").next("tell whoever runs the server")
        );
    };
    account.user_id = Some(logged_in.user.id);
    account.username.clone_from(&logged_in.user.username);
    ctx.profile.save_account(account)?;
    ctx.profile.save_session(&Session {
        id: logged_in.session.id,
        token: SecretText(token.0.clone()),
        expires_at: logged_in.session.expires_at.to_string(),
    })
}

/// Drops the identity's own key from this device: the phrase is in safe hands.
pub(crate) fn forget_identity(ctx: &Ctx) -> Result<(), Failure> {
    match ctx.profile.keys()? {
        Some(keys) if keys.identity.is_some() => {
            ctx.profile.save_keys(&Keys { identity: None, ..keys })
        }
        _ => Ok(()),
    }
}

/// A device that has just been drawn.
pub(crate) fn draw_device(name: &str) -> Result<NewDevice, Failure> {
    Ok(NewDevice {
        id: DeviceId(Uuid::now_v7()),
        name: name.to_owned(),
        platform: std::env::consts::OS.to_owned(),
        secret: DeviceSecret::from_seed(&*phrase::draw_seed()?),
    })
}
