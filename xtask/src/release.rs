//! Building for speed and running a tool of `bench/`, which starts the programs beside it.

use std::process::Command;

use anyhow::Result;

use crate::postgres::{self, Cluster};
use crate::{process, report};

/// Builds server, client and tools in release mode, then runs `tidings-bench KIND NAME …`.
///
/// A `cluster` is named to the tool in its environment and must be kept until it ends.
pub(crate) fn run_tool(
    kind: &str,
    name: &str,
    arguments: &[String],
    cluster: Option<&Cluster>,
) -> Result<()> {
    report::step("building in release mode", || {
        let programs = ["tidings-bench", "tidingsd", "tidings"];
        let selection = programs.iter().flat_map(|program| ["--bin", program]);
        process::run(process::cargo().args(["build", "--release", "--workspace"]).args(selection))
    })?;
    let mut tool = Command::new(process::target_directory()?.join("release/tidings-bench"));
    tool.args([kind, name]).args(arguments);
    if let Some(cluster) = cluster {
        tool.env(postgres::URL_VARIABLE, cluster.url());
    }
    process::run(&mut tool)
}
