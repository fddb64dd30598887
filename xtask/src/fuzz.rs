//! `cargo xtask fuzz TARGET`: coverage-guided fuzzing of a parser of remote bytes, on stable Rust.

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::{needs, process, surroundings};

/// What `cargo xtask fuzz` takes.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// A file of `fuzz/fuzz_targets`, without `.rs`
    target: String,

    /// How long to look, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// How long one input may take, in seconds; one that takes longer counts as a crash.
const PATIENCE: u32 = 10;

/// Runs until the time is over or an input crashes the parser; that input is kept in
/// `fuzz/artifacts`. What is found on the way is kept in `fuzz/corpus`, which git ignores.
pub(crate) fn run(args: &Args) -> Result<()> {
    let targets = targets();
    if !targets.contains(&args.target) {
        let names = if targets.is_empty() { "none".to_owned() } else { targets.join(", ") };
        bail!("there is no fuzz target `{}`; there are: {names}", args.target);
    }
    needs::provide(&[&needs::CXX, &needs::FUZZ])?;
    let corpus = surroundings::root().join("fuzz/corpus").join(&args.target);
    std::fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
    let seeds = surroundings::root().join("fuzz/seeds").join(&args.target);
    // The sanitizers want a nightly compiler; the coverage that guides the search does not.
    process::run(
        process::cargo()
            .args(["fuzz", "run", "--sanitizer", "none", &args.target])
            .args([corpus, seeds])
            .arg("--")
            .arg(format!("-max_total_time={}", args.seconds))
            .arg(format!("-timeout={PATIENCE}")),
    )
}

/// The names of the targets, sorted.
fn targets() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(surroundings::root().join("fuzz/fuzz_targets"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_refused_before_anything_is_installed() {
        let args = Args { target: "no-such-parser".to_owned(), seconds: 1 };
        let error = run(&args).unwrap_err().to_string();
        assert!(error.starts_with("there is no fuzz target `no-such-parser`"), "{error}");
    }
}
