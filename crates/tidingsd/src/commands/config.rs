//! `tidingsd config`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::cli::Place;
use crate::config::Config;
use crate::stdout;

/// Show the settings that count, with secrets hidden.
#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Print the JSON schema of tidings.toml: every setting with its meaning, unit and default
    Schema,
}

impl ConfigCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(Part::Schema) = self.part {
            stdout::json(&Config::json_schema()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let loaded = self.place.load()?;
        let settings = toml::to_string_pretty(&loaded.config.effective())
            .context("the settings cannot be written as TOML")?;
        match &loaded.file {
            Some(file) => stdout::say(format_args!("# from {}", file.display()))?,
            None => stdout::say("# no file was read")?,
        }
        stdout::say(settings.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
