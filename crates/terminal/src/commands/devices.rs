//! `tidings devices list|revoke`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use tidings_client::login::LoginError;
use tidings_domain::{DeviceId, IdentityKey, UserId};
use tidings_identity::{Chain, IdentitySecret};
use tidings_wire::account::Device;

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;
use crate::phrase;

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesCommand {
    List(List),
    Revoke(Revoke),
}

/// List your devices, as your identity's chain certifies them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings devices list
  tidings devices list --json | jq -r 'select(.current | not) | .id'")]
pub(crate) struct List {}

/// Revoke a device for good: lost, sold, or not yours any more.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings devices revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33
  tidings devices revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33 --phrase-file my.phrase

It writes into your identity's public chain that the device acts for you no more, which takes your
recovery phrase. Its sessions end at once, and its key opens nothing from then on. What it has sent
stays. A device that is revoked never comes back; `tidings login` with the phrase makes a new one.
To end a session and keep the device: tidings sessions revoke")]
pub(crate) struct Revoke {
    /// The device's id, from `tidings devices list`.
    #[arg(value_name = "ID")]
    device: DeviceId,
    /// Read the recovery phrase from this file, or from standard input for -.
    #[arg(long, value_name = "FILE")]
    phrase_file: Option<PathBuf>,
    /// Revoke the very device that this is.
    #[arg(long)]
    this_device: bool,
}

/// What `list` prints with `--json`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    device: &'a Device,
    /// Whether it is this one.
    current: bool,
}

impl DevicesCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(ctx).await,
            Self::Revoke(command) => command.run(ctx).await,
        }
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the devices";
        let session = ctx.session().await?;
        let chain = own_chain(ctx, &session, WHAT).await?;
        let user = UserId(session.account.user_id.unwrap_or_default());
        let mut devices = session.client.devices_of(user).await.cannot(WHAT)?.items;
        // The server tells names and times; the chain alone tells which devices there are.
        devices.retain(|device| chain.device(DeviceId(device.id), ctx.now()).is_some());
        let mut table = Table::new(["ID", "ADDED", "PLATFORM", "DEVICE", ""]);
        for device in devices {
            let current = device.id == session.account.device_id;
            if ctx.json {
                ctx.out.json(&Line { device: &device, current })?;
                continue;
            }
            table.row([
                device.id.to_string(),
                ctx.cell_day(device.added_at),
                device.platform,
                device.name,
                if current { "here" } else { "" }.to_owned(),
            ]);
        }
        if ctx.json { Ok(()) } else { table.print(&ctx.out, "Your identity has no device.") }
    }
}

impl Revoke {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "revoke the device";
        let session = ctx.session().await?;
        let here = self.device == session.account.device();
        if here && !self.this_device {
            return Err(Failure::usage("this is the device that you are on").next(
                "`tidings logout` ends its session; to give it up for good add --this-device",
            ));
        }
        if here && session.account.phrase_unchecked {
            // The way back may be on this device alone.
            return Err(Failure::new("your recovery phrase is not checked yet, and without it this would end the account")
                .next("tidings login checks it"));
        }
        let chain = own_chain(ctx, &session, WHAT).await?;
        let Some(device) = chain.device(self.device, ctx.now()) else {
            if chain.is_revoked(self.device) {
                return Err(Failure::new("the device was revoked before")
                    .next("`tidings devices list` shows those that you still have"));
            }
            return Err(LoginError::NoDevice { device: self.device }.why(WHAT));
        };
        let sessions = session.client.sessions().await.cannot(WHAT)?;
        let ended = sessions.iter().filter(|it| it.device_id == self.device.0).count();
        let identity = self.identity(ctx, chain.primary())?;
        let head = session
            .client
            .revoke_device(&identity, self.device, Some(chain.head()), ctx.now())
            .await
            .cannot(WHAT)?;
        let mut account = session.account.clone();
        account.chain = Some(head.into());
        ctx.profile.save_account(&account)?;
        if here {
            ctx.profile.delete_session()?;
        }
        if ctx.json {
            return ctx.out.json(&json!({
                "device_id": self.device.0, "revoked": true, "sessions_ended": ended,
            }));
        }
        let sessions = match ended {
            0 => "it had no session".to_owned(),
            1 => "its session has ended".to_owned(),
            many => format!("its {many} sessions have ended"),
        };
        ctx.out.note(&format!("revoked {}; {sessions}, and its key opens nothing", device.name));
        Ok(())
    }

    /// The key that signs the chain: here until the phrase was checked, in the phrase after that.
    fn identity(&self, ctx: &Ctx, primary: IdentityKey) -> Result<IdentitySecret, Failure> {
        if self.phrase_file.is_none()
            && let Some(identity) = ctx.profile.keys()?.and_then(|keys| keys.identity)
        {
            return Ok(identity);
        }
        let identity = phrase::read(ctx, self.phrase_file.as_deref())?.secret();
        if identity.public() == primary {
            return Ok(identity);
        }
        Err(Failure::new("this is the phrase of another identity")
            .next("give the one of this account; `tidings whoami` shows its identity"))
    }
}

/// The identity's chain, validated whole and found to go on from where it was last seen.
async fn own_chain(ctx: &Ctx, session: &Session, what: &str) -> Result<Chain, Failure> {
    let account = &session.account;
    let identity = account.identity_key().ok_or_else(|| {
        Failure::new(format!("the identity of profile {} is no key", ctx.profile.name()))
            .next("tidings login --phrase-file FILE")
    })?;
    let chain = session.client.fetch_chain(identity, account.head()).await.cannot(what)?;
    chain.ok_or_else(|| LoginError::NoAccount { server: account.server.clone() }.why(what))
}
