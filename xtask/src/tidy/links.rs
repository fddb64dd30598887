//! Links between the documents: each leads to a file that is there and a heading that it has.

use super::tree::File;
use super::{Finding, Tree};

/// Relative links that lead nowhere.
pub(super) fn broken_links(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| file.extension() == "md")
        .flat_map(|file| {
            links(file.text)
                .into_iter()
                .filter_map(|(line, target)| {
                    let message = complaint(tree, &file, &target)?;
                    Some(Finding::at(file.path, line, message))
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Pages of the book that its summary does not list, so that nobody would find them, and requests
/// for discussion that are not in their index.
pub(super) fn unlisted_pages(tree: &Tree) -> Vec<Finding> {
    let listed_in = |list: &str| -> Vec<String> {
        let targets = links(tree.text(list).unwrap_or_default()).into_iter();
        targets.filter_map(|(_, target)| resolve(list, &target)).collect()
    };
    let lists = [("docs/", "docs/SUMMARY.md"), ("docs/rfd/", "docs/rfd/README.md")];
    let unlisted = lists.iter().flat_map(|(folder, list)| {
        let listed = listed_in(list);
        tree.files()
            .filter(|file| file.path.starts_with(folder) && file.extension() == "md")
            .filter(|file| !file.path.ends_with("SUMMARY.md") && file.path != *list)
            .filter(|file| !listed.iter().any(|path| path == file.path))
            .map(|file| Finding::about(file.path, format!("is not listed in {list}")))
            .collect::<Vec<_>>()
    });
    unlisted.collect()
}

fn complaint(tree: &Tree, file: &File<'_>, target: &str) -> Option<String> {
    if has_scheme(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(file.path, path) else {
        return Some(format!("`{target}` leads out of the repository"));
    };
    if !tree.contains(&path) {
        return Some(format!("`{target}` leads nowhere"));
    }
    let target_file = File { text: tree.text(&path)?, path: &path };
    if anchor.is_empty() || target_file.extension() != "md" {
        return None;
    }
    (!anchors(target_file.text).contains(&anchor.to_owned()))
        .then(|| format!("`{target}` names a heading that {path} does not have"))
}

/// `https:`, `mailto:` and the like.
fn has_scheme(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.chars().all(|character| character.is_ascii_alphanumeric() || character == '+')
    })
}

/// The path from the root that `target` means in the document at `from`; the empty target is the
/// document itself. `None` when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The targets of links and images, inline or by reference, with their lines; not those in code.
fn links(text: &str) -> Vec<(usize, String)> {
    prose(text)
        .flat_map(|(number, line)| {
            let mut targets = inline_targets(&line);
            targets.extend(definition_target(&line));
            targets.into_iter().map(move |target| (number, target)).collect::<Vec<_>>()
        })
        .collect()
}

fn inline_targets(line: &str) -> Vec<String> {
    line.split("](").skip(1).filter_map(|rest| target_of(rest, ')')).collect()
}

/// `[name]: target`, which stands at the beginning of a line.
fn definition_target(line: &str) -> Option<String> {
    let (name, rest) = line.trim_start().strip_prefix('[')?.split_once("]: ")?;
    // `[^name]:` is a footnote.
    (!name.starts_with('^')).then(|| target_of(rest.trim_start(), ' '))?
}

/// What stands before `end` or a title, without the brackets that allow spaces.
fn target_of(rest: &str, end: char) -> Option<String> {
    if let Some(rest) = rest.strip_prefix('<') {
        return rest.split_once('>').map(|(target, _)| target.to_owned());
    }
    let target = rest.split([end, ' ']).next()?;
    (!target.is_empty()).then(|| target.to_owned())
}

/// The anchors of the headings, as code forges and mdBook both make them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for line in unfenced(text).map(|(_, line)| line) {
        let title = line.trim_start_matches('#');
        let is_heading = title.len() < line.len() && title.starts_with(' ');
        if is_heading {
            let anchor = slug(title);
            let again = anchors.iter().filter(|other| **other == anchor).count();
            anchors.push(if again == 0 { anchor } else { format!("{anchor}-{again}") });
        }
    }
    anchors
}

fn slug(title: &str) -> String {
    // Of a link in a heading only the words count.
    let words = title.split("](").enumerate().map(|(index, part)| {
        if index == 0 { part } else { part.split_once(')').map_or(part, |(_, after)| after) }
    });
    words
        .collect::<String>()
        .trim()
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ => character.is_alphanumeric().then_some(character),
        })
        .collect()
}

/// The numbered lines outside fenced blocks of code.
fn unfenced(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let is_fence = ["```", "~~~"].iter().any(|fence| line.trim_start().starts_with(fence));
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((number, line))
    })
}

/// The numbered lines outside code of any kind.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    unfenced(text).map(|(number, line)| (number, line.split('`').step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/guide/start.md", text),
            ("docs/glossary.md", "# Glossary\n\n## Read marker\n\n## Read marker\n"),
            ("README.md", "# Tidings\n"),
        ]);
        let broken = broken_links(&tree);
        broken.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        assert_eq!(
            findings("# Start\n\n[a](../glossary.md) and [b](glossary.md)\n"),
            ["docs/guide/start.md:3: `glossary.md` leads nowhere"]
        );
        assert_eq!(findings("[a]: missing.md\n").len(), 1);
        assert_eq!(findings("![a](picture.png \"title\")\n").len(), 1);
        assert_eq!(findings("[`a`](missing.md)\n").len(), 1);
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(findings("[a](../../../elsewhere.md)\n").len(), 1);
        assert!(findings("[a](../../README.md), [b](/README.md), [c](../)\n").is_empty());
    }

    #[test]
    fn a_link_to_a_missing_heading_is_found() {
        assert!(findings("[a](../glossary.md#read-marker)\n").is_empty());
        assert!(findings("[a](../glossary.md#read-marker-1)\n").is_empty());
        assert_eq!(findings("[a](../glossary.md#cursor)\n").len(), 1);
        assert_eq!(findings("# Start\n[a](#stop)\n").len(), 1);
        assert!(findings("# Start\n[a](#start)\n").is_empty());
    }

    #[test]
    fn a_page_that_nothing_lists_is_found() {
        let tree = |summary: &str, index: &str| {
            let list = [("docs/SUMMARY.md", summary), ("docs/rfd/README.md", index)];
            let pages = [("docs/rfd/0001-log.md", ""), ("README.md", "")];
            let found = unlisted_pages(&Tree::of(&[list, pages].concat()));
            found.iter().map(Finding::to_string).collect::<Vec<_>>()
        };
        let summary = "[RFDs](rfd/README.md)\n[Log](rfd/0001-log.md)\n";
        assert!(tree(summary, "[Log](0001-log.md)").is_empty());
        assert_eq!(
            tree(summary, ""),
            ["docs/rfd/0001-log.md: is not listed in docs/rfd/README.md"]
        );
        assert_eq!(
            tree("[Log](rfd/0001-log.md)", "[Log](0001-log.md)"),
            ["docs/rfd/README.md: is not listed in docs/SUMMARY.md"]
        );
    }

    #[test]
    fn addresses_code_and_footnotes_are_left_alone() {
        assert!(findings("[a](https://example.org/x) <mailto:a@b>\n").is_empty());
        assert!(findings("```\n[a](missing.md)\n```\n`[a](missing.md)`\n").is_empty());
        assert!(findings("[^1]: a note\n").is_empty());
    }

    #[test]
    fn headings_become_anchors() {
        let anchors = anchors("# `x.rs` beside `x/`\n## See [the log](log.md), too\n#no\n");
        assert_eq!(anchors, ["xrs-beside-x", "see-the-log-too"]);
    }
}
