//! `tidings api`.

use clap::Args;
use tidings_client::operation::RawAnswer;

use crate::ctx::Ctx;
use crate::failure::{Exit, Explain, Failure};
use crate::output::sanitize;

/// Make any request to the server's API, as yourself.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings api GET /v1/me
  tidings api GET '/v1/channels?limit=5' | jq .
  tidings api PATCH /v1/me --data '{\"status\": \"on leave\"}'
  tidings api POST /v1/dms --data - < people.json

Prints the body of the answer, refusals too; the exit code tells them apart. All paths are in the
server's /openapi.json.")]
pub(crate) struct Api {
    /// GET, POST, PUT, PATCH or DELETE.
    method: String,
    /// The path, with its query; begins with /.
    path: String,
    /// A JSON body; - reads it from standard input.
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

impl Api {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let method = self.method.to_ascii_uppercase();
        let method = method.parse().map_err(|_| {
            Failure::usage(format!("\"{}\" is no method", self.method))
                .next("for example: tidings api GET /v1/me")
        })?;
        let data = match self.data {
            Some(data) if data == "-" => Some(ctx.read_input()?),
            data => data,
        };
        if let Some(data) = &data {
            serde_json::from_str::<serde::de::IgnoredAny>(data).map_err(|error| {
                Failure::usage(format!("what is given with --data is no JSON: {error}"))
                    .next("put it in single quotes: --data '{\"key\": \"value\"}'")
            })?;
        }
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(Failure::usage(format!("\"{}\" is no path", self.path))
                .next("a path begins with one /, for example: tidings api GET /v1/me"));
        }
        let session = ctx.session().await?;
        let body = data.map(String::into_bytes);
        let answer = session.client.raw(method, &self.path, body).await.cannot("ask the server")?;
        print(ctx, &answer)?;
        verdict(&answer)
    }
}

fn print(ctx: &Ctx, answer: &RawAnswer) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim_end_matches('\n');
    if text.is_empty() {
        return Ok(());
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return ctx.out.line(&sanitize::json(text));
    }
    ctx.out.line(&sanitize::text(text))
}

fn verdict(answer: &RawAnswer) -> Result<(), Failure> {
    if answer.status < 400 {
        return Ok(());
    }
    let detail = answer.problem.as_ref().map_or("", |problem| problem.detail.as_str());
    let exit = if answer.status == 401 { Exit::NotLoggedIn } else { Exit::Failed };
    let line = format!("the server refused ({}): {detail}", answer.status);
    let failure = Failure { exit, ..Failure::new(line) };
    Err(match exit {
        Exit::NotLoggedIn => failure.next("tidings login"),
        _ => failure.next("its whole answer is on standard output"),
    })
}
