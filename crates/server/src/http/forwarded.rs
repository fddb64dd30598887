//! Where a request comes from when proxies stand in between.
//!
//! Anybody can write `X-Forwarded-For`, so it counts only as far as proxies of the operator's own have
//! written it: each appends the address that it was dialed from, which makes the rightmost entry the
//! newest. `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two hands the other on as
//! the client sent it.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address behind the trusted proxies: the rightmost entry of `X-Forwarded-For` that is none of
/// theirs, when `peer` is. An entry that is no address ends the search at the proxy that wrote it.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !is_trusted(&client) {
        return client;
    }
    for value in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        let Ok(text) = value.to_str() else { return client };
        for entry in text.rsplit(',') {
            let Some(address) = address(entry.trim()) else { return client };
            client = address;
            if !is_trusted(&client) {
                return client;
            }
        }
    }
    client
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().ok().or_else(|| text.parse().ok().map(|it: SocketAddr| it.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn behind(lines: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        client("10.0.0.1".parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn headers_count_only_behind_trusted_proxies() {
        assert_eq!(behind(&["192.0.2.1"], &[]), "10.0.0.1");
        assert_eq!(behind(&["192.0.2.1"], &["10.1.0.0/16"]), "10.0.0.1");
        assert_eq!(behind(&["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(behind(&[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_passed_over() {
        let trusted = &["10.0.0.0/8", "2001:db8::/32"];
        assert_eq!(behind(&["203.0.113.9, 192.0.2.1"], trusted), "192.0.2.1");
        assert_eq!(behind(&["203.0.113.9, 192.0.2.1, 10.2.3.4"], trusted), "192.0.2.1");
        assert_eq!(behind(&["203.0.113.9", "192.0.2.1,2001:db8::7"], trusted), "192.0.2.1");
        assert_eq!(behind(&["10.9.9.9, 10.2.3.4"], trusted), "10.9.9.9");
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_search() {
        let trusted = &["10.0.0.0/8"];
        for junk in ["unknown", "", "192.0.2.1;", "192.0.2.1, ", "1.2.3.4.5"] {
            assert_eq!(behind(&[junk], trusted), "10.0.0.1", "{junk}");
        }
        assert_eq!(behind(&["192.0.2.1, junk, 10.2.3.4"], trusted), "10.2.3.4");
    }

    #[test]
    fn addresses_come_with_ports_and_brackets() {
        for (text, ip) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(behind(&[text], &["10.0.0.1/32"]), ip, "{text}");
        }
    }
}
