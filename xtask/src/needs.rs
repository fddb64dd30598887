//! The programs that the tasks need beside cargo, and how each is installed when it is missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{postgres, process, report, surroundings};

/// A program that a task needs.
#[derive(Debug)]
pub(crate) struct Need {
    /// What the program is called in what is printed.
    name: &'static str,
    /// Whether it is here already.
    present: fn() -> bool,
    source: Source,
}

/// Where a missing program comes from.
#[derive(Debug)]
enum Source {
    /// Packages of Debian.
    Debian(&'static [&'static str]),
    /// A crate at a version that is known to build on our oldest compiler.
    Crate { name: &'static str, version: &'static str },
    /// A package for Python, in a folder of its own beside what cargo builds.
    Python { package: &'static str, version: &'static str },
}

/// Lists the files that belong to the repository, for `tidy`.
pub(crate) const GIT: Need =
    Need { name: "git", present: || on_path("git"), source: Source::Debian(&["git"]) };

/// Compiles libFuzzer, for `fuzz`.
pub(crate) const CXX: Need =
    Need { name: "c++", present: || on_path("c++"), source: Source::Debian(&["g++"]) };

/// The second database of every storage test.
pub(crate) const POSTGRES: Need = Need {
    name: "PostgreSQL",
    present: || postgres::programs().is_some(),
    source: Source::Debian(&["postgresql"]),
};

/// Makes an fsync fail under a server, for its torture.
pub(crate) const STRACE: Need =
    Need { name: "strace", present: || on_path("strace"), source: Source::Debian(&["strace"]) };

/// Runs the bot of the guide that is written in Python.
pub(crate) const PYTHON: Need =
    Need { name: "python3", present: || on_path("python3"), source: Source::Debian(&["python3"]) };

/// Makes folders for packages of Python.
pub(crate) const VENV: Need = Need {
    name: "python3-venv",
    present: || {
        let mut python = Command::new("python3");
        process::capture(python.args(["-c", "import ensurepip, venv"])).is_ok()
    },
    source: Source::Debian(&["python3-venv"]),
};

/// Asks the API what its own document promises.
pub(crate) const SCHEMATHESIS: Need = Need {
    name: "schemathesis",
    present: || schemathesis().is_file(),
    source: Source::Python { package: "schemathesis", version: "4.32.5" },
};

/// Where schemathesis is, once it is installed.
pub(crate) fn schemathesis() -> PathBuf {
    python_folder("schemathesis", "4.32.5").join("bin/schemathesis")
}

fn python_folder(package: &str, version: &str) -> PathBuf {
    surroundings::target().join("python").join(format!("{package}-{version}"))
}

/// Runs the recipes of the guide that are written in shell.
pub(crate) const CURL: Need =
    Need { name: "curl", present: || on_path("curl"), source: Source::Debian(&["curl"]) };

/// Takes JSON apart in the recipes of the guide.
pub(crate) const JQ: Need =
    Need { name: "jq", present: || on_path("jq"), source: Source::Debian(&["jq"]) };

/// Runs the tests.
pub(crate) const NEXTEST: Need = Need {
    name: "cargo-nextest",
    present: || on_path("cargo-nextest"),
    source: Source::Crate { name: "cargo-nextest", version: "0.9.151" },
};

/// Runs the fuzz targets.
pub(crate) const FUZZ: Need = Need {
    name: "cargo-fuzz",
    present: || on_path("cargo-fuzz"),
    source: Source::Crate { name: "cargo-fuzz", version: "0.13.2" },
};

/// Guards licenses, bans and sources.
pub(crate) const DENY: Need = Need {
    name: "cargo-deny",
    present: || on_path("cargo-deny"),
    source: Source::Crate { name: "cargo-deny", version: "0.20.2" },
};

/// Finds dependencies that nothing uses.
pub(crate) const MACHETE: Need = Need {
    name: "cargo-machete",
    present: || on_path("cargo-machete"),
    source: Source::Crate { name: "cargo-machete", version: "0.9.2" },
};

/// Finds misspelled words.
pub(crate) const TYPOS: Need = Need {
    name: "typos",
    present: || on_path("typos"),
    source: Source::Crate { name: "typos-cli", version: "1.52.0" },
};

/// Builds the book.
pub(crate) const MDBOOK: Need = Need {
    name: "mdbook",
    present: || on_path("mdbook"),
    source: Source::Crate { name: "mdbook", version: "0.5.4" },
};

/// Installs those of `needs` that are missing, a printed line for each; an error names the first
/// that could not be installed.
pub(crate) fn provide(needs: &[&Need]) -> Result<()> {
    for need in needs.iter().filter(|need| !(need.present)()) {
        report::step(&format!("installing {}", need.name), || install(need))?;
    }
    Ok(())
}

fn install(need: &Need) -> Result<()> {
    match &need.source {
        Source::Debian(packages) => install_packages(packages),
        Source::Crate { name, version } => process::run(
            process::cargo()
                .args(["install", "--locked", name, "--version", version])
                .stdin(Stdio::null()),
        ),
        Source::Python { package, version } => install_python(package, version),
    }
    .with_context(|| format!("install {}", need.name))?;
    if !(need.present)() {
        bail!("{} was installed and is still not found; is its folder on PATH?", need.name);
    }
    Ok(())
}

fn install_python(package: &str, version: &str) -> Result<()> {
    let folder = python_folder(package, version);
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    let wanted = format!("{package}=={version}");
    process::run(pip.args(["install", "--quiet", "--disable-pip-version-check", &wanted]))
}

/// Installs with the lists of packages that are here, and fetches the lists when there are none or
/// when they turn out to be too old.
fn install_packages(packages: &[&str]) -> Result<()> {
    if surroundings::find_program("apt-get").is_none() {
        bail!("install {} by hand: there is no apt-get here", packages.join(" "));
    }
    let install = || {
        process::run(
            apt_get()?.args(["install", "-y", "--no-install-recommends", "-q"]).args(packages),
        )
    };
    let update = || process::run(apt_get()?.args(["update", "-q"]));
    if !has_package_lists() {
        update()?;
        return install();
    }
    install().or_else(|_| {
        update()?;
        install()
    })
}

fn has_package_lists() -> bool {
    std::fs::read_dir("/var/lib/apt/lists").is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
    })
}

/// `apt-get` with the rights to install, asking no questions.
fn apt_get() -> Result<Command> {
    let mut command = if surroundings::is_root() {
        Command::new("apt-get")
    } else if surroundings::find_program("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        bail!("installing packages takes root or sudo, and neither is here");
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    Ok(command)
}

fn on_path(name: &str) -> bool {
    surroundings::find_program(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_present_is_not_installed_again() {
        const PRESENT: Need =
            Need { name: "sh", present: || on_path("sh"), source: Source::Debian(&["no-such"]) };
        provide(&[&PRESENT]).unwrap();
    }
}
