//! Which crate may know which. A new edge is an architectural decision: it needs an RFD.

use super::Finding;
use super::workspace::{Crate, Edge, Workspace};

/// Each crate with those that it may depend on. What it must never know is in its `lib.rs`.
const ALLOWED: [(&str, &[&str]); 16] = [
    ("domain", &[]),
    ("identity", &["domain"]),
    ("wire", &["domain"]),
    ("markup", &["domain", "wire"]),
    ("storage", &["domain", "wire"]),
    ("storage-sql", &["domain", "storage", "wire"]),
    ("server", &["domain", "identity", "markup", "storage", "wire"]),
    ("client", &["domain", "identity", "wire"]),
    ("importer", &["domain", "markup", "wire"]),
    ("terminal", &["client", "domain", "identity", "wire"]),
    (
        "tidingsd",
        &["client", "domain", "identity", "importer", "server", "storage", "storage-sql", "wire"],
    ),
    ("testkit", &["client", "domain", "identity", "server", "storage", "storage-sql", "wire"]),
    ("bench", &["client", "domain", "identity", "storage", "storage-sql", "testkit", "wire"]),
    ("schedules", &["domain", "storage"]),
    ("fuzz", &["client", "domain", "identity", "importer", "server", "wire"]),
    ("xtask", &[]),
];

/// Every edge that the table does not allow, and every crate that the table does not know.
pub(super) fn forbidden_edges(workspace: &Workspace) -> Vec<Finding> {
    workspace.crates.iter().flat_map(check).collect()
}

fn check(from: &Crate) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", from.folder);
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from.name) else {
        let message = "the table of allowed edges in `xtask/src/tidy/edges.rs` has no such crate";
        return vec![Finding::about(&manifest, message)];
    };
    from.edges
        .iter()
        .filter(|edge| !is_allowed(from, edge, allowed))
        .map(|edge| {
            let message =
                format!("`{}` must not know `{}`; a new edge needs an RFD", from.name, edge.to);
            Finding::about(&manifest, message)
        })
        .collect()
}

/// Tests may also use the seeded world, the SDK through which its people speak, and the crate
/// itself with other features.
fn is_allowed(from: &Crate, edge: &Edge, allowed: &[&str]) -> bool {
    let to = edge.to.as_str();
    allowed.contains(&to)
        || edge.for_tests && (["testkit", "client"].contains(&to) || to == from.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, to: &str, for_tests: bool) -> Vec<Finding> {
        let edges = vec![Edge { to: to.to_owned(), for_tests }];
        let folder = format!("crates/{name}");
        forbidden_edges(&Workspace { crates: vec![Crate { name: name.to_owned(), folder, edges }] })
    }

    #[test]
    fn an_edge_outward_is_found() {
        let [finding] = &findings("domain", "storage", false)[..] else { panic!() };
        assert_eq!(finding.path, "crates/domain/Cargo.toml");
        assert!(finding.message.contains("`domain` must not know `storage`"));
        assert_eq!(findings("server", "storage-sql", false).len(), 1);
        assert_eq!(findings("testkit", "tidingsd", false).len(), 1);
        assert_eq!(findings("xtask", "domain", false).len(), 1);
    }

    #[test]
    fn edges_inward_and_the_test_world_are_fine() {
        assert!(findings("storage-sql", "storage", false).is_empty());
        assert!(findings("domain", "testkit", true).is_empty());
        assert!(findings("server", "client", true).is_empty());
        assert_eq!(findings("server", "client", false).len(), 1);
        assert_eq!(findings("domain", "testkit", false).len(), 1);
        assert_eq!(findings("domain", "server", true).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(findings("surprise", "domain", false).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Removing what depends on nothing that is left must remove everything.
        let mut left: Vec<_> = ALLOWED.to_vec();
        while !left.is_empty() {
            let names: Vec<_> = left.iter().map(|(name, _)| *name).collect();
            let before = left.len();
            left.retain(|(_, to)| to.iter().any(|name| names.contains(name)));
            assert!(left.len() < before, "a cycle among {names:?}");
        }
    }
}
