//! What every parser of remote bytes must withstand.
//!
//! Each [`Target`] is a plain function of bytes that gives them to one parser and asserts what must
//! hold whatever they are: no panic, what was read is printed and read again as the same, HTML has
//! nothing outside of its allow-list, sizes are bounded. The tests feed each target tens of
//! thousands of seeded mutations of its seeds in `fuzz/seeds`; the programs in `fuzz/fuzz_targets`
//! hand the same functions to libFuzzer (`cargo xtask fuzz TARGET`).
//!
//! To add a parser: a function in the file of its crate, a line in [`TARGETS`], one seed at least in
//! `fuzz/seeds/NAME/`, and its program, which a test describes when it is missing. This crate must
//! never be known by another.

mod client;
mod domain;
mod html;
mod identity;
mod importer;
pub mod mutate;
mod server;
mod wire;

/// The sanitizer of the command line, whose crate is a program and cannot be a dependency.
#[path = "../../terminal/src/output/sanitize.rs"]
mod sanitize;
mod terminal;

/// One parser and what must hold of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the folder of its seeds, and of its program.
    pub name: &'static str,
    /// Panics when the parser breaks a promise for these bytes.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($module:ident::$name:ident),+ $(,)?) => {
        /// Every target, by the crate whose parser it tries.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), run: $module::$name }),+];
    };
}

targets![
    domain::emoji,
    domain::ids,
    domain::names,
    domain::references,
    domain::search_query,
    wire::answers,
    wire::event_data,
    wire::frames,
    wire::import_records,
    wire::request_bodies,
    wire::times,
    identity::chain,
    identity::envelope,
    identity::phrase,
    identity::signed_payload,
    server::challenge,
    server::cursor,
    server::highlight,
    server::page,
    server::query_string,
    server::render,
    server::request_headers,
    server::resume_token,
    server::webhook,
    importer::blocks,
    importer::mrkdwn,
    importer::slack_export,
    importer::slack_zip,
    client::addresses,
    client::event_stream,
    terminal::sanitizer,
];

/// The target with this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs a target by name, for the programs of libFuzzer.
///
/// # Panics
/// When there is no such target, and when its parser breaks a promise.
pub fn run(name: &str, data: &[u8]) {
    let target = target(name);
    assert!(target.is_some(), "there is no fuzz target {name}");
    if let Some(target) = target {
        (target.run)(data);
    }
}

/// The bytes as text; parsers of text are reached behind a check that they are UTF-8.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Two parts: the first line, and what follows it.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
