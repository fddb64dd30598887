//! The crates of the workspace and what they depend on, as cargo tells it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{process, surroundings};

/// The crates of the workspace.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) crates: Vec<Crate>,
}

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    /// Without the prefix `tidings-`.
    pub(super) name: String,
    /// Its folder from the root.
    pub(super) folder: String,
    /// Its dependencies inside the workspace.
    pub(super) edges: Vec<Edge>,
}

/// One crate of the workspace depends on another.
#[derive(Debug)]
pub(super) struct Edge {
    /// The other crate, without the prefix.
    pub(super) to: String,
    /// Whether only tests, examples and benches see it.
    pub(super) for_tests: bool,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// Set for crates that are taken from a folder.
    path: Option<String>,
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo, which needs no network for it.
    pub(super) fn load() -> Result<Self> {
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        Self::parse(&process::capture(process::cargo().args(arguments))?, surroundings::root())
    }

    fn parse(metadata: &str, root: &Path) -> Result<Self> {
        let Metadata { packages } =
            serde_json::from_str(metadata).context("read what cargo metadata printed")?;
        let crates = packages.into_iter().map(|package| {
            let folder = Path::new(&package.manifest_path)
                .parent()
                .and_then(|folder| folder.strip_prefix(root).ok())
                .with_context(|| format!("{} is outside the workspace", package.manifest_path))?;
            let edges = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
            Ok(Crate {
                name: short(&package.name),
                folder: folder.to_string_lossy().into_owned(),
                edges: edges
                    .map(|dependency| Edge {
                        to: short(&dependency.name),
                        for_tests: dependency.kind.as_deref() == Some("dev"),
                    })
                    .collect(),
            })
        });
        Ok(Self { crates: crates.collect::<Result<_>>()? })
    }
}

fn short(name: &str) -> String {
    name.strip_prefix("tidings-").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_crates_and_edges_inside_the_workspace() {
        let metadata = r#"{"packages": [{
            "name": "tidings-wire", "manifest_path": "/repo/crates/wire/Cargo.toml",
            "dependencies": [
                {"name": "bytes", "path": null, "kind": null},
                {"name": "tidings-domain", "path": "/repo/crates/domain", "kind": null},
                {"name": "tidings-testkit", "path": "/repo/crates/testkit", "kind": "dev"}
            ]}]}"#;
        let workspace = Workspace::parse(metadata, Path::new("/repo")).unwrap();
        let [wire] = workspace.crates.as_slice() else { panic!("{workspace:?}") };
        assert_eq!((wire.name.as_str(), wire.folder.as_str()), ("wire", "crates/wire"));
        let edges: Vec<_> = wire.edges.iter().map(|e| (e.to.as_str(), e.for_tests)).collect();
        assert_eq!(edges, [("domain", false), ("testkit", true)]);
    }
}
