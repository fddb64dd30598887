//! The listener and the public address.

use std::io::ErrorKind;
use std::net::TcpListener;

use tidings_client::{Client, ServerUrl};

use super::Finding;
use crate::config::{Config, Listen, PublicUrl};
use crate::data::Holder;

pub(super) fn listener(listen: Listen, holder: Option<&Holder>) -> Finding {
    if listen.0.port() == 0 {
        return Finding::ok("listener", "takes a free port at each start");
    }
    match TcpListener::bind(listen.0) {
        Ok(_) if holder.is_some() => {
            Finding::ok("listener", format!("{listen} is free; the server listens elsewhere"))
        }
        Ok(_) => Finding::ok("listener", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && holder.is_some() => {
            Finding::ok("listener", format!("{listen} is in use, as it should be"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::fail(
            "listener",
            format!("{listen} is taken by another program"),
            "Stop it, or choose another port in [server] listen.",
        ),
        Err(error) => Finding::fail(
            "listener",
            format!("{listen} cannot be used: {error}"),
            "Choose another address in [server] listen.",
        ),
    }
}

pub(super) async fn public_url(config: &Config, holder: Option<&Holder>) -> Vec<Finding> {
    // A server that runs knows best: it may have been started with flags.
    let served = holder.and_then(|holder| holder.origin.as_ref()?.parse().ok());
    let derived = || PublicUrl::of_listener(config.server.listen.0);
    let url = served.or_else(|| config.server.public_url.clone()).unwrap_or_else(derived);
    let mut findings = Vec::new();
    findings.push(if url.is_secure() {
        Finding::ok("public address", url.to_string())
    } else {
        Finding::warn(
            "public address",
            format!("{url} is not encrypted"),
            "Put a proxy with TLS before the server and set [server] public_url to https://….",
        )
    });
    if holder.is_none() {
        findings.push(Finding::warn(
            "reachable",
            "not tried: no server runs on the data",
            "Start it and run this again.",
        ));
        return findings;
    }
    findings.push(match reach(&url).await {
        Ok(origin) if origin == url.as_str() => Finding::ok("reachable", format!("{url} answers")),
        Ok(origin) => Finding::fail(
            "reachable",
            format!("{url} answers as {origin}"),
            "Logins are bound to the origin. Set [server] public_url to what people type.",
        ),
        Err(error) => Finding::fail(
            "reachable",
            format!("{error:#}"),
            "Check the proxy, the firewall and the name's address.",
        ),
    });
    findings
}

/// The origin that the server at this address gives itself.
async fn reach(url: &PublicUrl) -> anyhow::Result<String> {
    let server: ServerUrl = url.as_str().parse()?;
    Ok(Client::new(server)?.discover().await?.origin)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_taken_address_is_a_failure_unless_the_server_has_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = Listen(taken.local_addr().unwrap());
        assert_eq!(listener(listen, None).verdict, Verdict::Fail);
        let holder = Holder { pid: Some(1), origin: None };
        assert_eq!(listener(listen, Some(&holder)).verdict, Verdict::Ok);
        drop(taken);
        assert_eq!(listener(listen, None).verdict, Verdict::Ok);
    }
}
