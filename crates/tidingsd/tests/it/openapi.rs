//! The API keeps what its OpenAPI document promises, whatever it is asked.

use std::path::Path;
use std::process::Command;

use crate::community::{general, say};
use crate::daemon::Place;

/// Endless answers, what ends the very session that asks, and bodies of other formats.
const LEFT_OUT: [&str; 9] = [
    "/v1/stream",
    "/v1/ws",
    "/v1/sessions/current",
    "/v1/sessions/{id}",
    "/v1/admin/imports",
    "/v1/auth/oauth/{provider}/callback",
    "/v1/oauth/device",
    "/v1/oauth/token",
    "/device",
];

/// Where `cargo xtask test` has installed it, or wherever it is.
fn schemathesis() -> Command {
    #[expect(clippy::disallowed_methods, reason = "the task says so where it has put it")]
    let named = std::env::var_os("TIDINGS_TEST_SCHEMATHESIS");
    Command::new(named.unwrap_or_else(|| "schemathesis".into()))
}

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    say(ana.client(), channel, "hello").await.unwrap();

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = schemathesis();
    command
        .current_dir(place.folder())
        .env("SCHEMATHESIS_HOOKS", folder.join("schemathesis_hooks.py"));
    command.arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.args(["run", &format!("{}/openapi.json", daemon.url()), "--url", daemon.url()]);
    command.args(["--header", &format!("Authorization: Bearer {}", ana.token().0)]);
    command.args(["--max-examples", "10", "--seed", "1", "--no-color"]);
    command.args(["--exclude-path-regex", "^/hook/"]);
    for path in LEFT_OUT {
        command.args(["--exclude-path", path]);
    }
    let output = command.output().expect("schemathesis is here; `cargo xtask test` installs it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // It asked as somebody who is logged in until its end.
    assert!(!ana.client().communities().await.unwrap().is_empty(), "{said}");
    daemon.stop();
}
