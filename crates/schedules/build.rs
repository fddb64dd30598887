//! Plants bugs into a copy of the sources that are checked, for `src/planted.rs`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A bug: its name, the file, the text that is to be replaced and what replaces it.
type Bug = (&'static str, &'static str, &'static str, &'static str);

/// What goes wrong in earnest: a lock that is let go of, a mark or a wake-up that is forgotten, a
/// place that is taken from the wrong moment, an answer that goes to another.
const BUGS: &[Bug] = &[
    (
        "overflow-unmarked",
        "queue.rs",
        "state.lagged = true;",
        "state.lagged = !crate::planted::awake(\"overflow-unmarked\");",
    ),
    (
        "close-unheard",
        "queue.rs",
        "state.closed.get_or_insert(why);",
        "state.closed.get_or_insert(why);
        if crate::planted::awake(\"close-unheard\") {
            return;
        }",
    ),
    (
        "take-unlocked",
        "queue.rs",
        "Taken::Deliveries(state.waiting.drain(..).collect())",
        "if crate::planted::awake(\"take-unlocked\") {
            let taken = state.waiting.iter().cloned().collect();
            drop(state);
            self.lock().waiting.clear();
            return Taken::Deliveries(taken);
        }
        Taken::Deliveries(state.waiting.drain(..).collect())",
    ),
    (
        "route-stale",
        "hub.rs",
        "            self.routes.remove(log);
        }
        Attached::From",
        "            if !crate::planted::awake(\"route-stale\") {
                self.routes.remove(log);
            }
        }
        Attached::From",
    ),
    (
        "read-ahead",
        "hub.rs",
        "Attached::From(head.max(state.read_at))",
        "let ahead = if crate::planted::awake(\"read-ahead\") { head } else { state.read_at };
        Attached::From(head.max(ahead))",
    ),
    (
        "left-too-early",
        "hub.rs",
        "let &CommittedEntry { log, position, .. } = left;
        if let Some(state) = self.users.get_mut(&user)
            && position > state.read_at",
        "let &CommittedEntry { log, position, .. } = left;
        if let Some(state) = self.users.get_mut(&user)
            && (position > state.read_at || crate::planted::awake(\"left-too-early\"))",
    ),
    (
        "joined-too-early",
        "hub.rs",
        "joins || *log != entry.log",
        "joins && !crate::planted::awake(\"joined-too-early\") || *log != entry.log",
    ),
    (
        "change-missed",
        "hub.rs",
        "self.recent.iter().any(missed)",
        "(!crate::planted::awake(\"change-missed\") && self.recent.iter().any(missed))",
    ),
    (
        "restart-unordered",
        "subscription.rs",
        "                Taken::Lagged =>",
        "                Taken::Lagged if crate::planted::awake(\"restart-unordered\") => {
                    self.behind = Some(self.hub.head());
                    self.queue.restart();
                }
                Taken::Lagged =>",
    ),
    (
        "passed-twice",
        "subscription.rs",
        "if first > self.cursor {",
        "if first > self.cursor || crate::planted::awake(\"passed-twice\") {",
    ),
    (
        "gap-unseen",
        "group.rs",
        "if first == self.told + 1 {",
        "if first == self.told + 1 || crate::planted::awake(\"gap-unseen\") {",
    ),
    (
        "answers-swapped",
        "group.rs",
        "for (answer, outcome) in answers.into_iter().zip(outcomes) {",
        "let mut answers = answers;
        if crate::planted::awake(\"answers-swapped\") {
            answers.reverse();
        }
        for (answer, outcome) in answers.into_iter().zip(outcomes) {",
    ),
    (
        "neighbors-failed",
        "group.rs",
        "if changes.len() > 1 =>",
        "if changes.len() > 1 && !crate::planted::awake(\"neighbors-failed\") =>",
    ),
    (
        "lock-skipped",
        "sequence.rs",
        "fn transaction<T>(rows: &Arc<Mutex<Rows>>, work: impl FnOnce(&mut Rows) -> T) -> T {",
        "fn transaction<T>(rows: &Arc<Mutex<Rows>>, work: impl FnOnce(&mut Rows) -> T) -> T {
    if crate::planted::awake(\"lock-skipped\") {
        let mut draft = with(rows, |rows| rows.clone());
        let done = work(&mut draft);
        with(rows, |rows| *rows = draft);
        return done;
    }",
    ),
    (
        "told-before-commit",
        "sequence.rs",
        "    with(rows, work)",
        "    if crate::planted::awake(\"told-before-commit\") {
        let mut draft = with(rows, |rows| rows.clone());
        let done = work(&mut draft);
        let rows = Arc::clone(rows);
        drop(spawn(async move { with(&rows, |rows| *rows = draft) }));
        return done;
    }
    with(rows, work)",
    ),
];

/// The modules of the copy, each with the files that it is made of.
const REALTIME: [&str; 5] = ["cursor", "delivery", "hub", "queue", "subscription"];
const CHECKS: [&str; 3] = ["fan_out", "inbox", "sequence"];

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script so where things are")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let server = home.join("../server/src/realtime");
    let store = home.join("../storage-sql/src/writer");
    let own = home.join("src");

    let mut tree = String::new();
    let names: Vec<_> = BUGS.iter().map(|(name, ..)| *name).collect();
    writeln!(tree, "/// Every bug that is planted.\npub const BUGS: &[&str] = &{names:?};")?;
    for name in CHECKS {
        plant(&mut tree, "pub ", &own, name, &out)?;
    }
    let copies = out.join("realtime");
    fs::create_dir_all(&copies)?;
    writeln!(tree, "/// Delivery, with bugs.\npub mod realtime {{")?;
    plant(&mut tree, "", &own.join("realtime"), "bounds", &copies)?;
    plant(&mut tree, "", &own.join("realtime"), "primitives", &copies)?;
    for name in REALTIME {
        plant(&mut tree, "pub ", &server, name, &copies)?;
    }
    let copies = out.join("writer");
    fs::create_dir_all(&copies)?;
    writeln!(tree, "}}\n/// Group commit, with bugs.\npub mod writer {{")?;
    plant(&mut tree, "", &own.join("writer"), "primitives", &copies)?;
    plant(&mut tree, "pub(crate) ", &store, "group", &copies)?;
    writeln!(tree, "}}")?;
    fs::write(out.join("planted.rs"), tree)?;
    Ok(())
}

/// Copies a file with its bugs, and makes the copy a module.
fn plant(
    tree: &mut String,
    reach: &str,
    folder: &Path,
    name: &str,
    copies: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let file = format!("{name}.rs");
    let source = folder.join(&file);
    println!("cargo::rerun-if-changed={}", source.display());
    let mut text = fs::read_to_string(&source)?;
    for (bug, _, old, new) in BUGS.iter().filter(|(_, it, ..)| *it == file) {
        if text.matches(old).count() != 1 {
            let source = source.display();
            let what = "finds no place of its own";
            return Err(format!("{bug} of schedules/build.rs {what} in {source}: {old}").into());
        }
        text = text.replace(old, new);
    }
    let copy = copies.join(file);
    fs::write(&copy, text)?;
    let copy = copy.to_str().ok_or("the target folder's name is not UTF-8")?;
    writeln!(tree, "#[path = {copy:?}]\n{reach}mod {name};")?;
    Ok(())
}
