//! `cargo xtask ci`: everything that guards the main branch, in the order of the quickest answer.

use std::process::Command;

use anyhow::{Result, bail};

use crate::needs::{self, Need};
use crate::{process, report, schema, surroundings, test};

/// Runs every guard, also after one has failed, and ends with the list of those that did.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    let mut guard = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        if let Err(error) = report::step(name, work) {
            report::say(format_args!("{error:#}"));
            failed.push(name);
        }
    };
    guard("format", &|| process::run(process::cargo().args(["fmt", "--all", "--check"])));
    guard("clippy", &|| {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        process::run(process::cargo().args(arguments))
    });
    guard("documentation", &|| {
        // Written for those who work on the code: private items are part of it, links lead there.
        let flags = "-D warnings -A rustdoc::private_intra_doc_links";
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        process::run(process::cargo().args(arguments).env("RUSTDOCFLAGS", flags))
    });
    guard("licenses, bans and sources", &|| {
        // Advisories need a database from elsewhere, and say nothing about the change at hand.
        let arguments = ["deny", "check", "bans", "licenses", "sources"];
        if_installed(&needs::DENY, || process::run(process::cargo().args(arguments)))
    });
    guard("unused dependencies", &|| {
        if_installed(&needs::MACHETE, || process::run(process::cargo().arg("machete")))
    });
    guard("spelling", &|| if_installed(&needs::TYPOS, || process::run(&mut program("typos"))));
    guard("book", &|| {
        let build = || process::run(program("mdbook").args(["build", "docs"]));
        if_installed(&needs::MDBOOK, build)
    });
    guard("schemas", &|| schema::run(&schema::Args::check()));
    guard("tests", &|| test::run(&test::Args::all()));

    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    Ok(())
}

/// Runs a tool that is welcome but not required: where it cannot be installed, the reason is
/// printed and the guard holds.
fn if_installed(need: &Need, work: impl FnOnce() -> Result<()>) -> Result<()> {
    match needs::provide(&[need]) {
        Ok(()) => work(),
        Err(error) => {
            report::say(format_args!("skipped: {error:#}"));
            Ok(())
        }
    }
}

/// A program that cargo has installed, maybe in a folder that is not on `PATH`.
fn program(name: &str) -> Command {
    let path = surroundings::find_program(name).unwrap_or_else(|| name.into());
    let mut command = Command::new(path);
    command.current_dir(surroundings::root());
    command
}
