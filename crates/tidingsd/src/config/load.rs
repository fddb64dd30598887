//! Gathering the settings, and saying what is wrong with them.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use figment::error::Kind;
use figment::providers::{Env, Format as _, Toml};
use figment::{Figment, Source};

use super::{Config, Flags, Loaded};
use crate::failure::{Failure, USAGE};

/// What variables begin with; `__` stands between section and key.
const PREFIX: &str = "TIDINGS__";
/// The file in the data directory.
const FILE: &str = "tidings.toml";

impl Config {
    /// Reads `file`, or `DATA/tidings.toml` when that is there, then the environment, then flags.
    ///
    /// # Errors
    /// With [`USAGE`] when the file cannot be read, a setting does not exist or has a value that it
    /// cannot have.
    pub(crate) fn load(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Loaded> {
        let environment = || Env::prefixed(PREFIX).split("__");
        let over = |figment: Figment| flags.over(figment.merge(environment()));
        let file = match file {
            Some(file) if file.is_file() => Some(file.to_owned()),
            Some(file) => {
                let what = format!("there is no file {}", file.display());
                let next = "Name an existing file with --config, or leave it out: every setting \
                            has a default.";
                return Err(Failure::new(what, next).code(USAGE).into());
            }
            None => {
                let data = over(Figment::new()).extract_inner::<PathBuf>("server.data");
                let data = data.unwrap_or_else(|_| Self::default().server.data);
                Some(data.join(FILE)).filter(|file| file.is_file())
            }
        };
        let mut figment = Figment::new();
        if let Some(file) = &file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = over(figment).extract().map_err(explain)?;
        Ok(Loaded { config, file })
    }
}

impl Flags {
    fn over(&self, mut figment: Figment) -> Figment {
        let Self { data, listen, public_url, registration } = self;
        if let Some(data) = data {
            figment = figment.merge(("server.data", data));
        }
        if let Some(listen) = listen {
            figment = figment.merge(("server.listen", listen));
        }
        if let Some(public_url) = public_url {
            figment = figment.merge(("server.public_url", public_url));
        }
        if let Some(registration) = registration {
            figment = figment.merge(("server.registration", registration));
        }
        figment
    }
}

/// What is wrong, where, and what was probably meant.
fn explain(error: figment::Error) -> anyhow::Error {
    let lines: Vec<String> = error.into_iter().map(|error| line(&error)).collect();
    let next = "`tidingsd config schema` lists every setting.";
    Failure::new("the settings cannot be used", next).code(USAGE).because(anyhow!(lines.join("; ")))
}

fn line(error: &figment::Error) -> String {
    let mut key = error.path.join(".");
    let mut place = |name: &str| {
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(name);
        key.clone()
    };
    let told = match &error.kind {
        Kind::UnknownField(name, known) => {
            // Some sources put the unknown name at the end of the path as well.
            let section: Vec<_> =
                error.path.iter().filter(|part| *part != name).map(String::as_str).collect();
            let full = |name: &str| [&section[..], &[name]].concat().join(".");
            let unknown = full(name);
            match nearest(name, known) {
                Some(near) => {
                    format!("there is no setting {unknown}; did you mean {}?", full(near))
                }
                None => format!("there is no setting {unknown}; there are {}", known.join(", ")),
            }
        }
        Kind::MissingField(name) => format!("{} is missing", place(name)),
        // The value is not shown: it may be a secret.
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("{key} must be {expected}")
        }
        Kind::UnknownVariant(_, known) => format!("{key} must be one of {}", known.join(", ")),
        other if key.is_empty() => other.to_string(),
        other => format!("{key}: {other}"),
    };
    match error.metadata.as_ref() {
        Some(metadata) => match &metadata.source {
            Some(Source::File(file)) => format!("{}: {told}", file.display()),
            _ if metadata.name.contains("environment") => format!("environment: {told}"),
            _ => told,
        },
        None => told,
    }
}

/// The known name that is closest to `name`, when one is close.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be added, removed or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let here = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Config, String> {
        let figment = Figment::new().merge(Toml::string(toml));
        figment.extract().map_err(|error| {
            let error = explain(error);
            error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
        })
    }

    #[test]
    fn nothing_is_needed() {
        assert_eq!(read("").unwrap(), Config::default());
    }

    #[test]
    fn what_is_not_known_names_what_is_near() {
        let error = read("[server]\nlsten = \"127.0.0.1:1\"\n").unwrap_err();
        assert!(error.contains("no setting server.lsten; did you mean server.listen?"), "{error}");
        let error = read("[limit]\nenabled = false\n").unwrap_err();
        assert!(error.contains("no setting limit; did you mean limits?"), "{error}");
        let error = read("[log]\nxyzzy = 1\n").unwrap_err();
        assert!(error.contains("there are format, level"), "{error}");
    }

    #[test]
    fn values_that_cannot_be_are_named_by_their_key() {
        let error = read("[limits]\nsends = 0\n").unwrap_err();
        assert!(error.contains("limits.sends must be a nonzero"), "{error}");
        let error = read("[server]\nregistration = \"closed\"\n").unwrap_err();
        assert!(error.contains("server.registration must be one of invite, open"), "{error}");
        let error = read("[server]\nlisten = \"8420\"\n").unwrap_err();
        assert!(error.contains("server.listen: \"8420\" is not ADDRESS:PORT"), "{error}");
    }

    #[test]
    fn a_wrong_database_address_is_not_shown() {
        let error = read("[storage]\nurl = \"mysql://ana:secret@db\"\n").unwrap_err();
        assert!(error.contains("storage.url: it must begin with"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("listen", "listen", 0),
            ("lsten", "listen", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
