//! `cargo xtask tidy`: the rules of the repository that no compiler knows.
//!
//! A rule is a function from what the repository holds to findings, in the file of its subject,
//! with a test that plants a violation. To add one: write it, test it, list it in [`findings`].

mod changelog;
mod edges;
mod files;
mod links;
mod manifests;
mod tree;
mod words;
mod workspace;

use anyhow::{Result, bail};
use std::fmt;

use crate::{needs, report};

pub(crate) use tree::Tree;
use workspace::Workspace;

/// One violation of one rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1; `None` when the finding is about the whole file.
    line: Option<usize>,
    /// What is wrong and what to do instead.
    message: String,
}

impl Finding {
    fn about(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}: {}", self.path, self.message),
            None => write!(formatter, "{}: {}", self.path, self.message),
        }
    }
}

/// Checks with what the check itself needs.
pub(crate) fn run() -> Result<()> {
    needs::provide(&[&needs::GIT])?;
    report::step("tidy", check)?;
    Ok(())
}

/// Prints every finding; any is an error.
pub(crate) fn check() -> Result<()> {
    let findings = findings(&Tree::load()?, &Workspace::load()?);
    for finding in &findings {
        report::say(finding);
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("tidy has one finding, printed above"),
        count => bail!("tidy has {count} findings, printed above"),
    }
}

/// Every rule, on everything.
fn findings(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 11] = [
        files::long_files,
        files::mod_files,
        files::vague_names,
        words::ignored_tests,
        words::open_ends,
        words::registry_hosts,
        words::places,
        words::asides,
        changelog::fragments,
        links::broken_links,
        links::unlisted_pages,
    ];
    let mut findings: Vec<_> = rules.iter().flat_map(|rule| rule(tree)).collect();
    findings.extend(edges::forbidden_edges(workspace));
    findings.extend(manifests::missing_introductions(tree, workspace));
    findings.extend(manifests::missing_lints(tree, workspace));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compiler_error() {
        assert_eq!(Finding::at("a.rs", 7, "too odd").to_string(), "a.rs:7: too odd");
        assert_eq!(Finding::about("a.rs", "too odd").to_string(), "a.rs: too odd");
    }

    #[test]
    fn this_repository_is_tidy() {
        let found = findings(&Tree::load().unwrap(), &Workspace::load().unwrap());
        let lines: Vec<_> = found.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
