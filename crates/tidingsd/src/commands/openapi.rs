//! `tidingsd openapi`

use std::process::ExitCode;

use crate::stdout;

/// Print the description of the HTTP API (`OpenAPI` 3.1).
#[derive(Debug, clap::Args)]
pub(crate) struct OpenApi {}

impl OpenApi {
    pub(crate) fn run() -> anyhow::Result<ExitCode> {
        stdout::json(&tidings_server::http::openapi())?;
        Ok(ExitCode::SUCCESS)
    }
}
