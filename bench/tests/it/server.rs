//! The server that these tests start: the real one, of the same build.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The `tidingsd` of the same target directory, or the one that `TIDINGSD_BIN` names.
///
/// Whoever tests the whole workspace has built it; for those who test a part it is built here.
#[expect(clippy::disallowed_methods, reason = "the one place where these tests read their places")]
pub(crate) fn tidingsd() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    if let Some(named) = std::env::var_os("TIDINGSD_BIN").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(named);
        assert!(path.is_file(), "TIDINGSD_BIN names {}, which is no file", path.display());
        return path;
    }
    let own = std::env::current_exe().unwrap();
    // `<target>/<profile>/deps/it-…`
    let profile = own.ancestors().nth(2).unwrap();
    let path = profile.join("tidingsd");
    if !path.is_file() {
        BUILT.get_or_init(|| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--workspace", "--bin", "tidingsd", "--target-dir"]);
            cargo.arg(profile.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
            if profile.ends_with("release") {
                cargo.arg("--release");
            }
            let status = cargo.status().unwrap();
            assert!(status.success(), "{cargo:?} ended with {status}");
        });
    }
    path
}

/// A folder on the disk of the build, for data whose durability matters.
pub(crate) fn scratch() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&path).unwrap();
    path
}
