//! `cargo xtask schema`: the committed schemas, as the server itself prints them.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;

use crate::{process, report, surroundings};

/// What `cargo xtask schema` takes.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Change nothing, and fail when a committed schema is not what the code says
    #[arg(long)]
    check: bool,
}

impl Args {
    /// Only look.
    pub(crate) fn check() -> Self {
        Self { check: true }
    }
}

/// A committed schema.
#[derive(Debug)]
struct Schema {
    /// Where it is kept.
    path: &'static str,
    /// What `tidingsd` is asked for it.
    question: &'static [&'static str],
}

const SCHEMAS: [Schema; 2] = [
    Schema { path: "docs/schema/openapi.json", question: &["openapi"] },
    Schema { path: "docs/schema/config.json", question: &["config", "schema"] },
];

/// Asks the server for each schema, then writes it or compares it with what is committed.
pub(crate) fn run(args: &Args) -> Result<()> {
    process::run(process::cargo().args(["build", "--workspace", "--bin", "tidingsd"]))?;
    let server = process::target_directory()?.join("debug/tidingsd");
    let mut stale = Vec::new();
    for Schema { path, question } in &SCHEMAS {
        let printed = process::capture(Command::new(&server).args(*question))?;
        let fresh = canonical(&printed)
            .with_context(|| format!("read what `tidingsd {}` prints", question.join(" ")))?;
        let file = surroundings::root().join(path);
        if fs::read_to_string(&file).is_ok_and(|committed| committed == fresh) {
            report::say(format_args!("{path} is fresh"));
        } else if args.check {
            stale.push(*path);
        } else {
            fs::create_dir_all(file.with_file_name(""))
                .and_then(|()| fs::write(&file, fresh))
                .with_context(|| format!("write {path}"))?;
            report::say(format_args!("{path} was written"));
        }
    }
    if !stale.is_empty() {
        bail!("{} not what the code says; run `cargo xtask schema`", stale.join(", "));
    }
    Ok(())
}

/// The same JSON, indented, with sorted keys and a newline at the end, so that a change of the code
/// shows as a small difference.
fn canonical(printed: &str) -> Result<String> {
    let value: serde_json::Value = serde_json::from_str(printed).context("it is no JSON")?;
    ensure!(value.is_object(), "it is no JSON object");
    Ok(format!("{value:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_does_not_depend_on_order_or_space() {
        let expected = "{\n  \"a\": [],\n  \"b\": 1\n}\n";
        assert_eq!(canonical("{\"b\":1,\"a\":[]}").unwrap(), expected);
        assert_eq!(canonical(" {\"a\" : [ ], \"b\": 1}\n").unwrap(), expected);
    }

    #[test]
    fn a_server_that_prints_no_schema_is_an_error() {
        assert!(canonical("").is_err());
        assert!(canonical("listening").is_err());
        assert!(canonical("[]").is_err());
    }
}
