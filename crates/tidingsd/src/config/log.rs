//! `[log]`

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use utoipa::ToSchema;

/// The log on standard error. It never holds keys, tokens, names or what people write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `text` for people, `json` for programs: one object per line.
    #[schema(inline, default = "text")]
    pub(crate) format: LogFormat,
    /// What is worth a line: `error`, `warn`, `info`, `debug`, `trace`, or directives such as
    /// `info,tidings_server=debug`.
    #[schema(value_type = String, default = "info")]
    pub(crate) level: Level,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Directives of the log's filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Level(String);

impl Level {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        // A lone word would be taken for the name of a crate, and nothing would be logged.
        let lone = !text.contains(['=', ',', '[']) && !levels.contains(&text);
        if lone || EnvFilter::try_new(text).is_err() {
            return Err(format!(
                "{text:?} is neither one of {} nor a list such as info,tidings_server=debug",
                levels.join(", ")
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_level_is_noticed() {
        assert!("info,tidings_server=debug".parse::<Level>().is_ok());
        assert!("debug".parse::<Level>().is_ok());
        for bad in ["inof", "", "a=loud"] {
            assert!(bad.parse::<Level>().is_err(), "{bad}");
        }
    }
}
