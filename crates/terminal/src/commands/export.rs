//! `tidings export …`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tidings_client::export::{Export, Verified};
use tidings_identity::PublicKey;
use tidings_wire::export::Subject;

use crate::ctx::Ctx;
use crate::failure::Failure;
use crate::output::sanitize;
use crate::progress;

/// `tidings export …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    Verify(Verify),
}

/// Prove that an export is whole: every line, every entry, every file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings export verify acme.zip
  tidings export verify acme.zip --key ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29
  tidings export verify acme.zip --json | jq .entries

Nobody is asked: this works without a server. The first line that is wrong is named. The key of a
server stands as export_key in its /.well-known/tidings, and `tidingsd export key` prints it.")]
pub(crate) struct Verify {
    /// The file that `tidingsd export` wrote.
    file: PathBuf,
    /// The key that must have signed it.
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: Option<PublicKey>,
}

fn key(text: &str) -> Result<PublicKey, String> {
    text.parse().map_err(|_| "a key is ed25519: and 64 lowercase hexadecimal digits".to_owned())
}

impl ExportCommand {
    pub(crate) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Verify(command) => command.run(ctx),
        }
    }
}

impl Verify {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let file = File::open(&self.file).map_err(|error| {
            Failure::new(format!("cannot open {name}: {error}")).next("check the path of the file")
        })?;
        let wrong = |error| {
            Failure::new(format!("{name} is not whole: {error}"))
                .next("trust nothing in it; get it again from whoever made it")
        };
        let mut export = Export::open(BufReader::new(file)).map_err(wrong)?;
        let bar = progress::bytes(ctx, "Checking", Some(export.bytes()));
        let verified = export.verify(self.key, |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let verified = verified.map_err(wrong)?;
        if ctx.json {
            return ctx.out.json(&verified);
        }
        ctx.out.line(&sanitize::line(&told(&name, &verified)))?;
        let key = &verified.key;
        if verified.key_matches {
            ctx.out.line(&format!("signed by the key that you gave, {key}"))
        } else {
            ctx.out.line(&format!("signed by {key}"))?;
            ctx.out.note("Compare the key with export_key in the server's /.well-known/tidings, or give it with --key.");
            Ok(())
        }
    }
}

fn told(name: &str, verified: &Verified) -> String {
    let kind = match verified.kind {
        Subject::Community => "the community",
        Subject::Channel => "the channel",
        _ => "the account",
    };
    let called = if verified.name.is_empty() {
        verified.id.to_string()
    } else {
        format!("{} ({})", verified.name, verified.id)
    };
    let partial = match verified.partial_logs {
        0 => String::new(),
        count => format!(", what they did in {count} others"),
    };
    let gone = match verified.media_gone {
        0 => String::new(),
        count => format!(" ({count} gone)"),
    };
    format!(
        "{name} is whole: {kind} {called} on {}, {} lines, {} whole logs{partial}, {} entries \
         ({} erased), {} records, {} files{gone}",
        verified.made_at,
        verified.lines,
        verified.logs,
        verified.entries,
        verified.erased,
        verified.records,
        verified.media,
    )
}
