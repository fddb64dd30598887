//! A provider of sign-in that is a process of its own, and lies when it is told to.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// `tidings-test-provider`, until it is dropped.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl OidcProvider {
    /// What it calls every client.
    pub const CLIENT_ID: &str = "tidings";
    /// What every client proves itself with.
    pub const CLIENT_SECRET: &str = "s3cret+/ é";

    /// Starts it. It lies beside the test, as the workspace builds it.
    pub fn start() -> Self {
        // reqwest wants to know by whose cryptography, though nothing here is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.parent().and_then(std::path::Path::parent).expect("target/debug/deps");
        let program = folder.join("tidings-test-provider");
        let mut child = Command::new(&program)
            .env_clear()
            // It ends when this end of the pipe does, however the test does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; build the workspace, not one package", program.display())
            });
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("the provider says where it is");
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { child, url: url.trim().to_owned(), http }
    }

    /// Where it is: its issuer.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Says how it behaves from now on, and whom it signs in: `lie`, `sub`, `username`, `groups`.
    pub async fn behave(&self, behavior: Value) {
        let sent = self.http.post(format!("{}/control", self.url)).json(&behavior).send().await;
        let status = sent.expect("the provider answers").status();
        assert!(status.is_success(), "{status}: {behavior}");
    }

    /// Goes to an address of it as a browser, and gives where it sends the browser.
    pub async fn visit(&self, url: &str) -> String {
        let answer = self.http.get(url).send().await.expect("the provider answers");
        let location = answer.headers().get("location");
        let location = location.unwrap_or_else(|| panic!("{url}: {}", answer.status()));
        location.to_str().expect("an address").to_owned()
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
