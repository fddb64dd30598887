//! `tidings presence`.

use clap::Args;
use tidings_client::PersonRef;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};

/// Say whether somebody is there, as far as you may know.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings presence @bob")]
pub(crate) struct PresenceOf {
    /// Whom, @name or an id.
    person: PersonRef,
}

impl PresenceOf {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "see who is there";
        let session = ctx.session().await?;
        let id = session.client.resolve_person(&self.person).await.cannot(WHAT)?;
        for presence in session.client.presence(&[id]).await.cannot(WHAT)? {
            if ctx.json {
                ctx.out.json(&presence)?;
            } else if presence.state == "offline" {
                ctx.out.line(&format!("offline (last seen: {})", presence.last_seen))?;
            } else {
                ctx.out.line(&presence.state)?;
            }
        }
        Ok(())
    }
}
