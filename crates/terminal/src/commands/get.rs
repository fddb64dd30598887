//! `tidings get`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tidings_client::ClientError;
use tidings_client::media::Download;
use tidings_domain::{MediaId, MessageId};
use tidings_wire::Code;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::progress;

/// Fetch a file, or all files of a message.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings get 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01
  tidings get 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 -o plan.pdf
  tidings get 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 -o - | less

Prints the path of each file. A file that is there is never written over, unless -o names it.")]
pub(crate) struct Get {
    /// The id of a file or of a message.
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Where to write it: a file, a folder, or - for standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Get {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        match session.client.download(MediaId(self.id)).await {
            Ok(download) => self.keep(ctx, self.id, download).await,
            Err(error) if error.code() == Some(Code::NotFound) => {
                self.of_message(ctx, &session, error).await
            }
            Err(error) => Err(error).cannot("fetch the file"),
        }
    }

    async fn of_message(
        &self,
        ctx: &Ctx,
        session: &Session,
        no_file: ClientError,
    ) -> Result<(), Failure> {
        let client = &session.client;
        let Ok(message) = client.message(MessageId(self.id)).await else {
            return Err(no_file).cannot("fetch the file");
        };
        if message.attachments.is_empty() {
            return Err(Failure::new("the message carries no files"));
        }
        let one_place = self.output.as_ref().is_some_and(|path| !path.is_dir());
        if message.attachments.len() > 1 && one_place {
            let line = format!("the message carries {} files", message.attachments.len());
            return Err(Failure::usage(line).next("name a folder with -o, or one of the files"));
        }
        for file in &message.attachments {
            let download = client.download(MediaId(file.id)).await.cannot("fetch the file")?;
            self.keep(ctx, file.id, download).await?;
        }
        Ok(())
    }

    async fn keep(&self, ctx: &Ctx, id: Uuid, mut download: Download) -> Result<(), Failure> {
        let bar = progress::bytes(ctx, &download.filename, download.size);
        if self.output.as_deref() == Some(Path::new("-")) {
            let mut out = std::io::stdout();
            while let Some(piece) = download.chunk().await.cannot("fetch the file")? {
                out.write_all(&piece)?;
                bar.inc(piece.len() as u64);
            }
            return Ok(out.flush()?);
        }
        let path = self.place(&download.filename);
        let named = self.output.as_deref() == Some(path.as_path());
        if !named && path.exists() {
            let line = format!("{} is there already", sanitize::line(&path.display().to_string()));
            return Err(Failure::new(line).next("name another place with -o"));
        }
        // Under another name until it is whole: what broke off is not taken for the file.
        let mut partial = path.clone().into_os_string();
        partial.push(format!(".{}.part", id.as_simple()));
        let partial = PathBuf::from(partial);
        let written = async {
            let mut file =
                File::create(&partial).await.map_err(|error| unwritable(&path, &error))?;
            while let Some(piece) = download.chunk().await.cannot("fetch the file")? {
                file.write_all(&piece).await.map_err(|error| unwritable(&path, &error))?;
                bar.inc(piece.len() as u64);
            }
            file.flush().await.map_err(|error| unwritable(&path, &error))?;
            fs::rename(&partial, &path).await.map_err(|error| unwritable(&path, &error))
        };
        if let Err(failure) = written.await {
            // It may never have been made.
            let _ = fs::remove_file(&partial).await;
            return Err(failure);
        }
        bar.finish_and_clear();
        if ctx.json {
            let path = path.display().to_string();
            return ctx.out.json(&json!({"id": id, "filename": download.filename, "path": path}));
        }
        ctx.out.line(&sanitize::line(&path.display().to_string()))
    }

    /// Where a file of this name goes. What is hidden, such as a shell's settings, stays in sight.
    fn place(&self, name: &str) -> PathBuf {
        let name = if name.starts_with('.') { format!("_{name}") } else { name.to_owned() };
        match &self.output {
            Some(folder) if folder.is_dir() => folder.join(name),
            Some(path) => path.clone(),
            None => PathBuf::from(name),
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display().to_string();
    Failure::new(format!("cannot write {}: {error}", sanitize::line(&path)))
        .next("name another place with -o")
}
