//! `cargo xtask test`: everything that must hold, with what it needs installed and started.

use anyhow::Result;
use clap::Parser;

use crate::postgres::{self, Cluster};
use crate::tidy::Tree;
use crate::{needs, process, report, schema, surroundings, tidy};

/// What `cargo xtask test` takes.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Leave out what needs a server or a browser: the tests whose name contains `postgres`, and
    /// the short forms of torture and replay
    #[arg(long)]
    fast: bool,

    /// Handed to `cargo nextest run`: a part of a test's name, `-E 'package(tidings-domain)'`, …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    nextest: Vec<String>,
}

impl Args {
    /// Every test there is.
    pub(crate) fn all() -> Self {
        Self { fast: false, nextest: Vec::new() }
    }
}

/// Runs tidy, compares the committed schemas, tries the examples in the documentation and then runs
/// the tests, whose summary is the last thing printed when all is well. A step that fails does not
/// keep the next ones from running.
pub(crate) fn run(args: &Args) -> Result<()> {
    needs::provide(&[&needs::GIT, &needs::NEXTEST])?;
    if !args.fast {
        needs::provide(&[&needs::STRACE, &needs::PYTHON, &needs::CURL, &needs::JQ])?;
        needs::provide(&[&needs::VENV, &needs::SCHEMATHESIS])?;
    }
    let tidy = report::step("tidy", tidy::check);
    let schemas = report::step("committed schemas", || schema::run(&schema::Args::check()));
    let examples = report::step("examples in the documentation", run_examples);

    let mut nextest = process::cargo();
    nextest.args(["nextest", "run", "--workspace", "--profile"]);
    nextest.arg(if args.fast { "fast" } else { "ci" }).args(&args.nextest);
    let cluster = if args.fast { None } else { start_postgres()? };
    if let Some(cluster) = &cluster {
        nextest.env(postgres::URL_VARIABLE, cluster.url());
    }
    if !args.fast {
        nextest.env("TIDINGS_TEST_SCHEMATHESIS", needs::schemathesis());
    }
    report::say("== tests");
    let tests = process::run(&mut nextest);
    drop(cluster);

    for outcome in [tidy, schemas, examples, tests] {
        outcome?;
    }
    Ok(())
}

/// A cluster for the whole run, unless the caller has named one already.
pub(crate) fn start_postgres() -> Result<Option<Cluster>> {
    if surroundings::variable(postgres::URL_VARIABLE).is_some() {
        report::say(format_args!("using the PostgreSQL of {}", postgres::URL_VARIABLE));
        return Ok(None);
    }
    needs::provide(&[&needs::POSTGRES])?;
    report::step("starting PostgreSQL", Cluster::start).map(Some)
}

fn run_examples() -> Result<()> {
    if !has_examples(&Tree::load()?) {
        report::say("there are none");
        return Ok(());
    }
    process::run(process::cargo().args(["test", "--quiet", "--doc", "--workspace"]))
}

/// Whether a library holds a code block that `rustdoc` would compile. Asking cargo costs a build.
fn has_examples(tree: &Tree) -> bool {
    tree.files().any(|file| {
        let is_library = file.path.starts_with("crates/") && file.path.contains("/src/");
        let is_rust = file.extension() == "rs";
        is_library && is_rust && has_rust_block(file.text)
    })
}

fn has_rust_block(text: &str) -> bool {
    let comments = text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
    });
    let mut inside = false;
    for line in comments {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        inside = !inside;
        let words = ["", "rust", "no_run", "should_panic", "compile_fail"];
        if inside && language.split(',').all(|word| words.contains(&word.trim())) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_rust_are_examples_and_others_are_not() {
        assert!(has_rust_block("/// ```\n/// assert!(true);\n/// ```\nfn f() {}"));
        assert!(has_rust_block("//! ```rust,no_run\n//! loop {}\n//! ```\n"));
        assert!(!has_rust_block("/// ```json\n/// {}\n/// ```\nfn f() {}"));
        assert!(!has_rust_block("/// Plain words about `code`.\nfn f() {}"));
    }

    #[test]
    fn only_libraries_have_examples() {
        let block = "/// ```\n/// assert!(true);\n/// ```\nfn f() {}";
        assert!(has_examples(&Tree::of(&[("crates/wire/src/cursor.rs", block)])));
        assert!(!has_examples(&Tree::of(&[("crates/wire/tests/it/main.rs", block)])));
        assert!(!has_examples(&Tree::of(&[("docs/guide.md", block)])));
    }
}
