//! Tens of thousands of seeded inputs for each target.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use tidings_fuzz::mutate::Mutator;
use tidings_fuzz::{TARGETS, target};

/// Mutated inputs for each target.
const INPUTS: usize = 50_000;
/// What the inputs follow from; a failure prints it with the input.
const SEED: u64 = 0x7469_6469_6e67_7301;

/// The committed seeds of a target, in the order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[track_caller]
fn withstands(name: &str) {
    let target = target(name).unwrap();
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "there are no seeds in fuzz/seeds/{name}");
    let mut mutator = Mutator::new(SEED);
    let mutated = (0..INPUTS).map(|_| mutator.next(&seeds));
    for (number, input) in seeds.iter().cloned().chain(mutated).enumerate() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            eprintln!("{name}: input {number} of seed {SEED:#x}: b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

macro_rules! withstand {
    ($($name:ident),+ $(,)?) => {
        /// The tests of this file, which are all targets.
        const TESTED: &[&str] = &[$(stringify!($name)),+];

        $(
            #[test]
            fn $name() {
                withstands(stringify!($name));
            }
        )+
    };
}

withstand![
    emoji,
    ids,
    names,
    references,
    search_query,
    answers,
    event_data,
    frames,
    import_records,
    request_bodies,
    times,
    chain,
    envelope,
    phrase,
    signed_payload,
    challenge,
    cursor,
    highlight,
    page,
    query_string,
    render,
    request_headers,
    resume_token,
    webhook,
    blocks,
    mrkdwn,
    slack_export,
    slack_zip,
    addresses,
    event_stream,
    sanitizer,
];

#[test]
fn every_target_is_tested() {
    let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(TESTED, targets);
}
