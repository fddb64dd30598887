//! What may not stand in a file, whatever the file is about.

use super::tree::File;
use super::{Finding, Tree};

/// What a compiler, an interpreter or a shell reads, where an open end is a promise to somebody.
const CODE: [&str; 9] = ["rs", "ts", "js", "css", "html", "sql", "sh", "py", "toml"];

// The words are written in two halves, so that this file does not hold what it looks for.

/// Where packages come from. A host in a file would outlive a mirror, and says nothing that the
/// package manager does not know.
const REGISTRIES: [&str; 10] = [
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("yarnpkg", ".com"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("debian", ".org/debian"),
    concat!("docker", ".io"),
    concat!("ghcr", ".io"),
    concat!("quay", ".io"),
];

/// Folders that exist on one machine: a reader elsewhere cannot follow them.
const PLACES: [&str; 5] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tmp/ba", "sh"),
];

/// Asides to whoever asked for the change; the reader of the file was not there.
const ASIDES: [&str; 5] = [
    concat!("as dis", "cussed"),
    concat!("as inst", "ructed"),
    concat!("the br", "ief"),
    concat!("this br", "ief"),
    concat!("you asked", " for"),
];

/// Words that mark what is not done yet.
const OPEN_ENDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Tests that nobody runs: they rot, and the report does not say so.
pub(super) fn ignored_tests(tree: &Tree) -> Vec<Finding> {
    let message = "a test runs or is deleted";
    lines(tree, |file| file.extension() == "rs")
        .filter(|(_, _, line)| {
            let line = line.trim_start();
            line.starts_with("#[ignore")
                || line.starts_with("#[cfg_attr") && has_word(line, "ignore")
        })
        .map(|(path, number, _)| Finding::at(path, number, message))
        .collect()
}

/// What is not done, unless it names the issue in which it will be.
pub(super) fn open_ends(tree: &Tree) -> Vec<Finding> {
    lines(tree, |file| CODE.contains(&file.extension()))
        .filter_map(|(path, number, line)| {
            let word = OPEN_ENDS.iter().find(|word| has_open_end(line, word))?;
            Some(Finding::at(path, number, format!("finish it, or write `{word}(#issue)`")))
        })
        .collect()
}

/// Hosts of package registries. Lock files are written by package managers.
pub(super) fn registry_hosts(tree: &Tree) -> Vec<Finding> {
    lines(tree, |file| !is_lock(file))
        .filter_map(|(path, number, line)| {
            let host = REGISTRIES.iter().find(|host| line.contains(**host))?;
            Some(Finding::at(path, number, format!("names the registry host {host}")))
        })
        .collect()
}

/// Paths into somebody's machine.
pub(super) fn places(tree: &Tree) -> Vec<Finding> {
    lines(tree, |file| !is_lock(file))
        .filter_map(|(path, number, line)| {
            let place = PLACES.iter().find(|place| begins_path(line, place))?;
            Some(Finding::at(path, number, format!("{place} is a place on one machine only")))
        })
        .collect()
}

/// Sentences to somebody who is not the reader.
pub(super) fn asides(tree: &Tree) -> Vec<Finding> {
    lines(tree, |file| !is_lock(file))
        .filter_map(|(path, number, line)| {
            let line = line.to_lowercase();
            let aside = ASIDES.iter().find(|aside| has_word(&line, aside))?;
            Some(Finding::at(path, number, format!("\"{aside}\" speaks to somebody else")))
        })
        .collect()
}

fn lines(
    tree: &Tree,
    wanted: impl Fn(&File<'_>) -> bool,
) -> impl Iterator<Item = (&str, usize, &str)> {
    tree.files().filter(wanted).flat_map(|file| {
        file.text.lines().zip(1..).map(move |(line, number)| (file.path, number, line))
    })
}

fn is_lock(file: &File<'_>) -> bool {
    ["Cargo.lock", "package-lock.json"].contains(&file.name())
}

/// Where `needle` stands in `line`, with what precedes and what follows it.
fn occurrences<'a>(line: &'a str, needle: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    line.match_indices(needle)
        .filter_map(move |(start, _)| Some((line.get(..start)?, line.get(start + needle.len()..)?)))
}

fn is_part_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn has_word(line: &str, word: &str) -> bool {
    occurrences(line, word).any(|(before, after)| {
        !before.ends_with(is_part_of_word) && !after.starts_with(is_part_of_word)
    })
}

/// A path begins where no other path ends: `docs/home/` is not below the homes of users.
fn begins_path(line: &str, place: &str) -> bool {
    occurrences(line, place).any(|(before, _)| {
        !before.ends_with(|character: char| {
            is_part_of_word(character) || "./~-}>*".contains(character)
        })
    })
}

fn has_open_end(line: &str, word: &str) -> bool {
    occurrences(line, word).any(|(before, after)| {
        let is_word = !before.ends_with(is_part_of_word) && !after.starts_with(is_part_of_word);
        let issue = after.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
        let names_issue = issue.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        is_word && !names_issue
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Tree {
        Tree::of(&[("crates/wire/src/event.rs", text)])
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_eq!(ignored_tests(&rust("#[test]\n#[ignore]\nfn f() {}"))[0].line, Some(2));
        assert_eq!(ignored_tests(&rust("    #[ignore = \"slow\"]")).len(), 1);
        assert_eq!(ignored_tests(&rust("#[cfg_attr(miri, ignore)]")).len(), 1);
        assert!(ignored_tests(&rust("// Unknown fields are ignored.\nfn ignore() {}")).is_empty());
    }

    #[test]
    fn an_open_end_without_issue_is_found() {
        for word in OPEN_ENDS {
            assert_eq!(open_ends(&rust(&format!("// {word}: later"))).len(), 1);
            assert_eq!(open_ends(&rust(&format!("// {word}(#n): later"))).len(), 1);
            assert!(open_ends(&rust(&format!("// {word}(#12): later"))).is_empty());
            assert!(open_ends(&rust(&format!("// MAX{word}ES"))).is_empty());
        }
    }

    #[test]
    fn a_registry_host_is_found_outside_lock_files() {
        for host in REGISTRIES {
            let text = format!("see https://{host}/x");
            assert_eq!(registry_hosts(&Tree::of(&[("README.md", &text)])).len(), 1, "{host}");
            assert!(registry_hosts(&Tree::of(&[("Cargo.lock", &text)])).is_empty());
        }
    }

    #[test]
    fn a_place_on_one_machine_is_found() {
        for place in PLACES {
            let text = format!("cat {place}x");
            assert_eq!(places(&Tree::of(&[("docs/guide.md", &text)])).len(), 1, "{place}");
            let elsewhere = format!("cat docs{place}x");
            assert!(places(&Tree::of(&[("docs/guide.md", &elsewhere)])).is_empty(), "{place}");
        }
    }

    #[test]
    fn an_aside_is_found() {
        for aside in ASIDES {
            let text = format!("// Done, {aside} it.");
            assert_eq!(asides(&rust(&text)).len(), 1, "{aside}");
            assert_eq!(asides(&rust(&text.to_uppercase())).len(), 1, "{aside}");
        }
        assert!(asides(&rust(&format!("// {}ly.", ASIDES[2]))).is_empty());
    }
}
