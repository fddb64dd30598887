//! The files of the repository: what git tracks, and what it would add.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::{process, surroundings};

/// Every text file by its path from the root, in the order of the paths.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// `None` stands for a file that is no text.
    files: BTreeMap<String, Option<String>>,
}

/// A text file of the repository.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'tree> {
    /// From the root, with `/` between folders.
    pub(crate) path: &'tree str,
    /// All of it.
    pub(crate) text: &'tree str,
}

impl File<'_> {
    /// The name without its folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// What follows the last dot of the name, empty when there is none.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

impl Tree {
    /// Reads what is in the working tree now; files that git ignores do not belong to it.
    pub(crate) fn load() -> Result<Self> {
        let root = surroundings::root();
        // A clone may belong to another user than the one who checks it.
        let listed = process::capture(Command::new("git").current_dir(root).args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let files = listed
            .split_terminator('\0')
            .filter_map(|path| {
                // What was deleted is still listed until the deletion is staged.
                let bytes = fs::read(root.join(path)).ok()?;
                Some((path.to_owned(), String::from_utf8(bytes).ok()))
            })
            .collect();
        Ok(Self { files })
    }

    /// A tree with just these files, for tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect();
        Self { files }
    }

    /// The files that are text.
    pub(crate) fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.files.iter().filter_map(|(path, text)| text.as_deref().map(|text| File { path, text }))
    }

    /// The text of the file at `path`, `None` when there is no such text file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether a file or a folder is at `path`; the empty path is the root.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(format!("{path}/")..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&format!("{path}/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_their_folders_are_contained() {
        let tree = Tree::of(&[("docs/rfd/0001-log.md", ""), ("docs-of-old.md", "")]);
        assert!(tree.contains("docs/rfd/0001-log.md"));
        assert!(tree.contains("docs/rfd/") && tree.contains("docs") && tree.contains(""));
        assert!(!tree.contains("doc") && !tree.contains("docs/rf") && !tree.contains("src"));
    }

    #[test]
    fn loading_finds_this_file_and_nothing_ignored() {
        let tree = Tree::load().unwrap();
        assert!(tree.text("xtask/src/tidy/tree.rs").is_some_and(|text| text.contains("git")));
        assert!(!tree.files().any(|file| file.path.starts_with("target/")));
    }

    #[test]
    fn names_have_extensions() {
        let file = File { path: "a.d/b.tar.gz", text: "" };
        assert_eq!((file.name(), file.extension()), ("b.tar.gz", "gz"));
        assert_eq!(File { path: "a.d/b", text: "" }.extension(), "");
    }
}
