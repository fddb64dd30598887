//! How long a file may be and what it may be called.

use super::{Finding, Tree};

/// Where a file is split: nobody keeps more than this in the head.
const MOST_LINES: usize = 800;

/// What people write by hand and read from top to bottom.
const SOURCES: [&str; 12] =
    ["rs", "ts", "js", "css", "html", "sql", "sh", "py", "toml", "md", "yml", "yaml"];

/// Names that say where code was put, not what it is.
const VAGUE: [&str; 6] = ["util", "utils", "helper", "helpers", "misc", "manager"];

/// Files past the length at which they are split. The changelog only grows, which is its purpose.
pub(super) fn long_files(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| SOURCES.contains(&file.extension()) && file.path != "CHANGELOG.md")
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let message = format!("{lines} lines; a file is split at {MOST_LINES}");
            (lines > MOST_LINES).then(|| Finding::about(file.path, message))
        })
        .collect()
}

/// Modules that are called after their folder, so that an editor shows ten files of one name.
pub(super) fn mod_files(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| file.name() == "mod.rs")
        .map(|file| Finding::about(file.path, "`x.rs` stands beside `x/`, there is no `mod.rs`"))
        .collect()
}

/// Rust modules whose name does not say what is in them.
pub(super) fn vague_names(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| file.extension() == "rs")
        .filter(|file| {
            file.path.split('/').any(|part| VAGUE.contains(&part.trim_end_matches(".rs")))
        })
        .map(|file| Finding::about(file.path, "name the module after what it does"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_too_many_is_found() {
        let fine = "x\n".repeat(800);
        let long = "x\n".repeat(801);
        assert!(long_files(&Tree::of(&[("crates/wire/src/event.rs", &fine)])).is_empty());
        assert_eq!(long_files(&Tree::of(&[("crates/wire/src/event.rs", &long)])).len(), 1);
        assert_eq!(long_files(&Tree::of(&[("docs/glossary.md", &long)])).len(), 1);
        let generated = [("Cargo.lock", long.as_str()), ("docs/schema/openapi.json", &long)];
        assert!(long_files(&Tree::of(&generated)).is_empty());
    }

    #[test]
    fn a_mod_file_is_found() {
        assert_eq!(mod_files(&Tree::of(&[("crates/wire/src/event/mod.rs", "")])).len(), 1);
        assert!(mod_files(&Tree::of(&[("crates/wire/src/event.rs", "")])).is_empty());
    }

    #[test]
    fn a_vague_module_is_found() {
        assert_eq!(vague_names(&Tree::of(&[("crates/wire/src/util.rs", "")])).len(), 1);
        assert_eq!(vague_names(&Tree::of(&[("crates/wire/src/utils/time.rs", "")])).len(), 1);
        assert!(vague_names(&Tree::of(&[("crates/wire/src/utility.rs", "")])).is_empty());
    }
}
