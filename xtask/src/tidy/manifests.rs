//! What each crate owes its reader: an introduction, and the lints that all crates share.

use super::workspace::Workspace;
use super::{Finding, Tree};

/// Crates whose root file does not begin by saying what the crate is for.
pub(super) fn missing_introductions(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let roots = workspace.crates.iter().flat_map(|member| {
        ["lib.rs", "main.rs"].map(|file| format!("{}/src/{file}", member.folder))
    });
    roots
        .filter(|path| tree.text(path).is_some_and(|text| !text.starts_with("//! ")))
        .map(|path| Finding::about(&path, "begins with `//!`: what it is for, what it never knows"))
        .collect()
}

/// Crates that set lints of their own, or none.
pub(super) fn missing_lints(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    workspace
        .crates
        .iter()
        .map(|member| format!("{}/Cargo.toml", member.folder))
        .filter(|path| !tree.text(path).is_some_and(inherits_lints))
        .map(|path| Finding::about(&path, "inherits the lints: `[lints]` with `workspace = true`"))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    manifest
        .parse::<toml::Table>()
        .ok()
        .as_ref()
        .and_then(|manifest| manifest.get("lints")?.get("workspace")?.as_bool())
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Crate;
    use super::*;

    fn workspace() -> Workspace {
        let folder = "crates/wire".to_owned();
        Workspace { crates: vec![Crate { name: "wire".to_owned(), folder, edges: Vec::new() }] }
    }

    #[test]
    fn a_crate_without_introduction_is_found() {
        let find = |path, text| missing_introductions(&Tree::of(&[(path, text)]), &workspace());
        assert_eq!(find("crates/wire/src/lib.rs", "pub mod event;\n").len(), 1);
        assert_eq!(find("crates/wire/src/main.rs", "fn main() {}\n").len(), 1);
        assert!(find("crates/wire/src/lib.rs", "//! What crosses.\n").is_empty());
        assert!(find("crates/wire/src/event.rs", "pub struct Event;\n").is_empty());
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        let find =
            |text| missing_lints(&Tree::of(&[("crates/wire/Cargo.toml", text)]), &workspace());
        assert!(find("[package]\nname = \"x\"\n[lints]\nworkspace = true\n").is_empty());
        assert_eq!(find("[package]\nname = \"x\"\n").len(), 1);
        assert_eq!(find("[lints.rust]\nunsafe_code = \"allow\"\n").len(), 1);
        assert_eq!(find("[lints]\nworkspace = false\n").len(), 1);
    }
}
