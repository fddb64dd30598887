//! The programs of libFuzzer are one file for each target, all alike.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidings_fuzz::TARGETS;

/// What each of them says.
const PROGRAM: &str = "//! The target of this file's name, for libFuzzer.\n\
    #![no_main]\n\
    \n\
    libfuzzer_sys::fuzz_target!(|data: &[u8]| tidings_fuzz::run(env!(\"CARGO_BIN_NAME\"), data));\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn every_target_has_its_program_and_no_program_is_left_over() {
    let mut there: Vec<String> = std::fs::read_dir(folder().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    let mut wanted: Vec<String> = TARGETS.iter().map(|it| format!("{}.rs", it.name)).collect();
    wanted.sort();
    assert_eq!(there, wanted, "each file of fuzz/fuzz_targets reads\n{PROGRAM}");
    for file in there {
        let text = std::fs::read_to_string(folder().join("fuzz_targets").join(&file)).unwrap();
        assert_eq!(text, PROGRAM, "{file}");
    }
}

#[test]
fn the_manifest_lists_every_program() {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let listed = manifest.split_once("[[bin]]").map(|(before, _)| before.len()).unwrap_or_default();
    let mut wanted = String::new();
    for name in TARGETS.iter().map(|target| target.name) {
        let path = format!("fuzz_targets/{name}.rs");
        let _ = write!(wanted, "[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n");
        wanted.push_str("test = false\ndoc = false\nbench = false\n\n");
    }
    assert_eq!(&manifest[listed..], wanted.trim_end().to_owned() + "\n");
}
