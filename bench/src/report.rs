//! What a bench says: one line of a table per figure, beside its ceiling and its bar.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What stands above the tables of `docs/benchmarks.md`.
const INTRODUCTION: &str = "\
# Benchmarks

Every figure is measured through the public API, on loopback, with 200-byte bodies, beside its
*ceiling*: the smallest honest program that does the same, built and run in the same bench. Absolute
figures depend on the machine and on its neighbors; ratios and processor seconds are what counts.
The processor seconds are those of the server alone (user and system, from `/proc`), the load
generator is a process of its own on the same cores. Each table is written by
`cargo xtask bench NAME`, this page by `cargo xtask bench all`.
";

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// What was done, with its size.
    pub work: String,
    /// What Tidings did, with its unit.
    pub figure: String,
    /// What the ceiling did in the same run.
    pub ceiling: Option<String>,
    /// Figure by ceiling, in the direction of the bar.
    pub ratio: Option<f64>,
    /// Processor seconds of the server per 100,000 deliveries (or what `work` counts), ours.
    pub cpu: Option<f64>,
    /// The same of the ceiling.
    pub ceiling_cpu: Option<f64>,
    /// What is asked for.
    pub bar: String,
    /// Whether it is met.
    pub met: bool,
}

/// All figures of one bench, with what they were measured on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Name of the bench, such as `b1`.
    pub bench: String,
    /// One line on what is measured.
    pub title: String,
    /// When it ended, RFC 3339 UTC.
    pub at: String,
    /// Versions of what was built and run.
    pub versions: Versions,
    /// The figures.
    pub lines: Vec<Line>,
    /// How many runs, sizes, and whatever a reader needs to judge the figures.
    pub notes: Vec<String>,
}

/// Versions of what was built and run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Versions {
    /// Short hash of the commit, with `+` when the tree had changes.
    pub commit: String,
    /// `rustc -V`.
    pub rustc: String,
    /// The `SQLite` that is linked in.
    pub sqlite: String,
    /// Kernel release.
    pub kernel: String,
    /// Processors that the run could use.
    pub cores: usize,
}

impl Report {
    /// An empty report of `bench`.
    pub fn new(bench: &str, title: &str) -> Self {
        Self {
            bench: bench.to_owned(),
            title: title.to_owned(),
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            versions: Versions::current(),
            lines: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether every bar is met.
    pub fn met(&self) -> bool {
        self.lines.iter().all(|line| line.met)
    }

    /// The report as Markdown: a heading, a table, the notes.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {} — {}\n\n", self.bench.to_uppercase(), self.title);
        text.push_str(
            "| work | Tidings | ceiling, same run | ratio | CPU-s per 100k (ceiling) | bar | met |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for line in &self.lines {
            let ceiling = line.ceiling.as_deref().unwrap_or("—");
            let ratio = line.ratio.map_or_else(|| "—".to_owned(), |ratio| format!("{ratio:.2}"));
            let cpu = match (line.cpu, line.ceiling_cpu) {
                (Some(own), Some(other)) => format!("{own:.3} ({other:.3})"),
                (Some(own), None) => format!("{own:.3}"),
                _ => "—".to_owned(),
            };
            let met = if line.met { "yes" } else { "**no**" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {ceiling} | {ratio} | {cpu} | {} | {met} |",
                line.work, line.figure, line.bar
            );
        }
        text.push('\n');
        for note in &self.notes {
            text.extend(["- ", note, "\n"]);
        }
        let Versions { commit, rustc, sqlite, kernel, cores } = &self.versions;
        let _ = writeln!(
            text,
            "- {}, commit {commit}, {rustc}, SQLite {sqlite}, Linux {kernel}, {cores} cores",
            self.at
        );
        text
    }

    /// The page of all `reports`, for `docs/benchmarks.md`.
    pub fn page(reports: &[Self]) -> String {
        let mut text = INTRODUCTION.to_owned();
        for report in reports {
            text.push('\n');
            text.push_str(&report.markdown());
        }
        text
    }

    /// Appends the report as one line of JSON to `path`.
    pub fn append_to(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("open {}", path.display()))?;
        writeln!(file, "{}", serde_json::to_string(self)?)?;
        Ok(())
    }
}

impl Versions {
    /// Asks `git`, `rustc` and the kernel; what cannot be asked is `unknown`.
    pub fn current() -> Self {
        let mut commit = output("git", &["rev-parse", "--short", "HEAD"]);
        if output("git", &["status", "--porcelain", "--untracked-files=no"]) != "unknown" {
            commit.push('+');
        }
        Self {
            commit,
            rustc: output("rustc", &["-V"]),
            sqlite: rusqlite::version().to_owned(),
            kernel: output("uname", &["-r"]),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// What a command prints, trimmed; `unknown` when it fails or prints nothing.
fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Prints one line to standard output at once.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever reads has gone: the figures are in the results file.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Prints one line to standard error at once.
pub fn complain(text: &str) {
    // There is nowhere left to complain to when this fails.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_is_missed_is_shown_in_bold() {
        let mut report = Report::new("b0", "nothing");
        let line = Line {
            work: "one".into(),
            figure: "5/s".into(),
            ceiling: Some("10/s".into()),
            ratio: Some(0.5),
            cpu: Some(0.1),
            ceiling_cpu: None,
            bar: "≥ 0.6".into(),
            met: false,
        };
        report.lines.push(line);
        assert!(!report.met());
        let text = report.markdown();
        assert!(text.contains("| one | 5/s | 10/s | 0.50 | 0.100 | ≥ 0.6 | **no** |"), "{text}");
    }
}
