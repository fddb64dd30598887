//! Running programs: cargo above all, always from the folder of the workspace.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::surroundings;

/// A cargo that shares the target directory of this one and knows nothing of this crate.
pub(crate) fn cargo() -> Command {
    let program = surroundings::variable("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(surroundings::root());
    for name in surroundings::variables_of_this_crate() {
        command.env_remove(name);
    }
    command
}

/// Runs to the end with the output on ours; anything but success is an error that names the
/// command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start `{}`", describe(command)))?;
    ensure!(status.success(), "`{}` ended with {status}", describe(command));
    Ok(())
}

/// Runs to the end and gives back what was printed on standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start `{}`", describe(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", describe(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", describe(command)))
}

/// The target directory that cargo uses, wherever it was told to build.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = capture(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).context("read what cargo metadata printed")?;
    metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str)
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")
}

/// The command as a person would type it.
fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    command.get_args().fold(name, |line, argument| line + " " + &argument.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_the_command() {
        let error = run(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` ended with exit status: 3");
    }

    #[test]
    fn captured_output_is_what_was_printed() {
        assert_eq!(capture(Command::new("/bin/sh").args(["-c", "echo hi"])).unwrap(), "hi\n");
        assert!(capture(Command::new("/bin/sh").args(["-c", "echo hi; exit 1"])).is_err());
    }

    #[test]
    fn nested_cargo_does_not_see_this_crate() {
        let removed: Vec<_> = cargo()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        assert!(removed.contains(&"CARGO_PKG_NAME".into()), "{removed:?}");
        assert!(!removed.contains(&"CARGO_TARGET_DIR".into()), "{removed:?}");
    }
}
