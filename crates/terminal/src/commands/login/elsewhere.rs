//! `tidings login --provider` and `--device-code`: sessions that somebody else vouches for, a provider
//! or oneself on another device. They have no device of the identity and no keys.

use std::process::{Command, Stdio};
use std::time::Duration;

use tidings_client::Client;
use tidings_client::signin::Polled;
use tidings_wire::Code;
use tidings_wire::account::{Me, NewSession, Secret};
use tidings_wire::signin::SignInProof;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::register::LoggedInLine;
use crate::ctx::Ctx;
use crate::failure::{Explain as _, Failure, Why as _};
use crate::phrase;
use crate::profile::{Account, SecretText, Session};

/// Has a browser sign in through a provider, and gives what comes of it.
pub(crate) async fn in_browser(
    ctx: &Ctx,
    client: &Client,
    provider: &str,
    what: &str,
) -> Result<SignInProof, Failure> {
    known(client, provider, what).await?;
    let mut secrets = Zeroizing::new([0; 64]);
    for half in secrets.chunks_exact_mut(32) {
        half.copy_from_slice(&*phrase::draw_seed()?);
    }
    let waiting = client.browser_sign_in(provider, &secrets).await.cannot(what)?;
    ctx.out.note("open this in a browser on this machine:");
    ctx.out.note(&format!("  {}", waiting.url()));
    if ctx.typed {
        open(waiting.url());
    }
    waiting.wait().await.map_err(|error| {
        error
            .why(what)
            .next("run the command again; elsewhere than here: tidings login --device-code")
    })
}

/// Checks that the server has the provider, and names those that it has.
async fn known(client: &Client, provider: &str, what: &str) -> Result<(), Failure> {
    let offered = client.discover().await.cannot(what)?.oauth;
    if offered.iter().any(|known| known.id == provider) {
        return Ok(());
    }
    let server = client.server().origin();
    let failure = Failure::usage(format!("{server} has no provider {provider}"));
    let ids: Vec<_> = offered.into_iter().map(|known| known.id).collect();
    Err(if ids.is_empty() {
        failure.next("it has none; log in with a key: tidings login")
    } else {
        failure.next(format!("it has: {}", ids.join(", ")))
    })
}

/// Opens an address in the person's browser, if there is one; they were shown it anyway.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

/// Logs in by a provider.
pub(super) async fn by_provider(
    ctx: &Ctx,
    client: &Client,
    account: Option<Account>,
    provider: &str,
    device_name: &str,
) -> Result<(), Failure> {
    const WHAT: &str = "log in";
    let proof = in_browser(ctx, client, provider, WHAT).await?;
    let signed_in = client.sign_in(proof, device_name).await.map_err(|error| {
        let failure = error.why(WHAT);
        match error.code() {
            Some(Code::NotFound) => failure.next(format!(
                "link your account while you are logged in: tidings links add {provider}; or make one: \
                 tidings register --server {} --username NAME --provider {provider}",
                client.server().origin()
            )),
            _ => failure,
        }
    })?;
    remember(ctx, client, account, &signed_in.user, &signed_in.session, device_name)
}

/// Logs in by a code that is approved elsewhere.
pub(super) async fn by_code(
    ctx: &Ctx,
    client: &Client,
    account: Option<Account>,
    device_name: &str,
) -> Result<(), Failure> {
    const WHAT: &str = "log in";
    let codes = client.begin_device_grant(device_name).await.cannot(WHAT)?;
    ctx.out.note(&format!("the code is {}", codes.user_code));
    ctx.out.note(&format!(
        "where you are logged in, run `tidings sessions approve {}`, or open {}",
        codes.user_code, codes.verification_uri_complete
    ));
    let mut interval = u64::from(codes.interval);
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        match client.poll_device_grant(&codes.device_code).await {
            Ok(Polled::LoggedIn(answer)) => {
                // What RFC 6749 leaves out is known from elsewhere.
                let session = NewSession {
                    id: answer.session_id,
                    token: Some(answer.access_token),
                    expires_at: ends_in(ctx, answer.expires_in),
                };
                return remember(ctx, client, account, &answer.user, &session, device_name);
            }
            Ok(Polled::SlowDown) => interval += 5,
            Ok(Polled::Denied) => {
                return Err(Failure::new("cannot log in: somebody said no")
                    .next("ask whoever has the other device"));
            }
            Ok(Polled::Expired) => {
                return Err(Failure::new("cannot log in: nobody answered in time")
                    .next("run the command again"));
            }
            // A server that restarts keeps the code.
            Err(error) if error.is_transient() => {}
            Ok(_) => {}
            Err(error) => return Err(error.why(WHAT)),
        }
    }
}

fn ends_in(ctx: &Ctx, seconds: u64) -> tidings_wire::Time {
    ctx.now().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)).into()
}

/// Keeps a session that has no keys. An account with keys keeps them: they are of the same identity.
fn remember(
    ctx: &Ctx,
    client: &Client,
    account: Option<Account>,
    user: &Me,
    session: &NewSession,
    device_name: &str,
) -> Result<(), Failure> {
    let identity = user.identity.clone().unwrap_or_default();
    if let Some(other) = account.as_ref().filter(|account| account.identity != identity) {
        return Err(Failure::usage(format!(
            "profile {} belongs to {}, and you signed in as {}",
            ctx.profile.name(),
            other.username,
            user.username
        ))
        .next("choose another profile: --profile NAME"));
    }
    let Some(Secret(token)) = &session.token else {
        return Err(
            Failure::new("the server gave no session token").next("tell whoever runs the server")
        );
    };
    let account = account.unwrap_or_else(|| Account {
        server: client.server().origin(),
        username: user.username.clone(),
        user_id: Some(user.id),
        identity,
        device_id: Uuid::nil(),
        device_name: device_name.to_owned(),
        chain: None,
        phrase_unchecked: false,
    });
    let account = Account {
        server: client.server().origin(),
        username: user.username.clone(),
        user_id: Some(user.id),
        ..account
    };
    ctx.profile.save_account(&account)?;
    ctx.profile.save_session(&Session {
        id: session.id,
        token: SecretText(token.clone()),
        expires_at: session.expires_at.to_string(),
    })?;
    if ctx.json {
        return ctx.out.json(&LoggedInLine {
            user,
            server: &account.server,
            device_id: account.device_id,
            phrase: None,
        });
    }
    ctx.out.note(&format!("logged in as {} at {}", account.username, account.server));
    if account.device_id.is_nil() {
        ctx.out.note("this session has no keys; `tidings login` with your phrase gives it some");
    }
    Ok(())
}
