//! The notes that a change leaves for the next release: `changelog.d/<number>.<kind>.md`.

use super::{Finding, Tree};

/// The headings of the changelog, as in "Keep a Changelog" 1.1.
const KINDS: [&str; 6] = ["added", "changed", "deprecated", "removed", "fixed", "security"];

const FOLDER: &str = "changelog.d/";

/// Fragments with a name that no release would pick up, or that are not one paragraph.
pub(super) fn fragments(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter_map(|file| {
            let name = file.path.strip_prefix(FOLDER).filter(|name| *name != "README.md")?;
            let complaint = complaint_about_name(name).or_else(|| complaint_about_text(file.text));
            complaint.map(|message| Finding::about(file.path, message))
        })
        .collect()
}

fn complaint_about_name(name: &str) -> Option<String> {
    let parts: Vec<_> = name.split('.').collect();
    match parts.as_slice() {
        [number, kind, "md"] if number.parse::<u32>().is_ok() && KINDS.contains(kind) => None,
        _ => Some(format!("is called <number>.<kind>.md; kinds: {}", KINDS.join(", "))),
    }
}

fn complaint_about_text(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        Some("says what a user notices, in a sentence".to_owned())
    } else if text.starts_with(['#', '-', '*']) || text.lines().any(|line| line.trim().is_empty()) {
        Some("is one paragraph without heading or bullet; the release makes the list".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, text: &str) -> usize {
        fragments(&Tree::of(&[(&format!("changelog.d/{name}"), text)])).len()
    }

    #[test]
    fn a_fragment_of_another_name_is_found() {
        assert_eq!(findings("12.added.md", "Channels have topics.\n"), 0);
        assert_eq!(findings("README.md", ""), 0);
        assert_eq!(findings("added.md", "Channels have topics.\n"), 1);
        assert_eq!(findings("12.new.md", "Channels have topics.\n"), 1);
        assert_eq!(findings("x.added.md", "Channels have topics.\n"), 1);
        assert_eq!(findings("12.added.txt", "Channels have topics.\n"), 1);
    }

    #[test]
    fn a_fragment_that_is_no_paragraph_is_found() {
        assert_eq!(findings("12.fixed.md", " \n"), 1);
        assert_eq!(findings("12.fixed.md", "# Fixed\n"), 1);
        assert_eq!(findings("12.fixed.md", "- One\n- Two\n"), 1);
        assert_eq!(findings("12.fixed.md", "One.\n\nTwo.\n"), 1);
        assert_eq!(findings("12.fixed.md", "One that\ngoes on.\n"), 0);
    }
}
