//! What a torture run found, as Markdown.

use std::fmt::Write as _;

use super::checker::{Verdict, Violation};
use crate::report::Versions;

/// The result of one run.
#[derive(Debug)]
pub struct Findings {
    /// Such as `r1`.
    pub name: String,
    /// What was done.
    pub title: String,
    /// With it the run can be repeated.
    pub seed: u64,
    /// What was measured, with its bar.
    pub rows: Vec<Row>,
    /// What the checker said in words, and other remarks.
    pub notes: Vec<String>,
}

/// One bar.
#[derive(Debug)]
pub struct Row {
    /// What is asked for.
    pub what: String,
    /// What came out.
    pub figure: String,
    /// The bar.
    pub bar: String,
    /// Whether it is met.
    pub met: bool,
    /// Whether it depends on how fast the machine is, and on what else it does.
    pub measured: bool,
}

impl Findings {
    /// Findings without rows yet.
    pub fn new(name: &str, title: &str, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            seed,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether every bar is met.
    pub fn met(&self) -> bool {
        self.rows.iter().all(|row| row.met)
    }

    /// Whether every bar is met that holds on any machine: those of times and memory aside.
    pub fn sound(&self) -> bool {
        self.rows.iter().all(|row| row.met || row.measured)
    }

    /// Adds a bar that holds on any machine.
    pub fn row(&mut self, what: &str, figure: String, bar: &str, met: bool) {
        self.push(what, figure, bar, met, false);
    }

    /// Adds a bar of time or memory.
    pub fn measured(&mut self, what: &str, figure: String, bar: &str, met: bool) {
        self.push(what, figure, bar, met, true);
    }

    fn push(&mut self, what: &str, figure: String, bar: &str, met: bool, measured: bool) {
        let (what, bar) = (what.to_owned(), bar.to_owned());
        self.rows.push(Row { what, figure, bar, met, measured });
    }

    /// Adds the checker's verdict: every kind of violation must be absent.
    pub fn judge(&mut self, verdict: &Verdict) {
        let count = |violation| verdict.count(violation);
        let figure = format!(
            "{} / {} / {} / {} (and {} others)",
            count(Violation::Lost),
            count(Violation::Duplicate),
            count(Violation::Gap),
            count(Violation::Order),
            count(Violation::Phantom)
                + count(Violation::WrongRecipient)
                + count(Violation::Disagreement)
                + count(Violation::Stuck),
        );
        self.row("lost / duplicate / gap / order", figure, "0 / 0 / 0 / 0", verdict.clean());
        self.notes.push(verdict.describe());
    }

    /// A heading, a table, the notes.
    pub fn markdown(&self) -> String {
        let Self { name, title, seed, rows, notes } = self;
        let mut text = format!("### {} — {title}\n\n", name.to_uppercase());
        text.push_str("| what | figure | bar | met |\n|---|---|---|---|\n");
        for Row { what, figure, bar, met, .. } in rows {
            let met = if *met { "yes" } else { "**no**" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {what} | {figure} | {bar} | {met} |");
        }
        text.push('\n');
        for note in notes {
            let _ = writeln!(text, "- {note}");
        }
        let Versions { commit, kernel, cores, .. } = Versions::current();
        let _ = writeln!(text, "- seed {seed}, commit {commit}, Linux {kernel}, {cores} cores");
        text
    }
}
