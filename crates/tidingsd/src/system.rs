//! What the program asks of the operating system for itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Whatever this process makes can be read by its owner alone: the database holds what people said
/// in private.
pub(crate) fn keep_files_private() {
    umask(Mode::from_bits_truncate(0o077));
}

/// Raises the limit of open files to the most that is allowed, and says what it is now. Each
/// connection takes one; the usual 1,024 would turn people away.
pub(crate) fn raise_file_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        return Some(hard);
    }
    Some(soft)
}

/// The address under which other machines most likely reach this one: the one that the kernel
/// would send from. Nothing is sent to find out.
pub(crate) fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address for documentation (RFC 5737): connecting a datagram socket only picks a route.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

/// The origin that a server at `listen` has unless the operator names another.
pub(crate) fn default_origin(listen: SocketAddr) -> String {
    let ip = if listen.ip().is_unspecified() {
        outward_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    } else {
        listen.ip()
    };
    match listen.port() {
        80 => format!("http://{}", host(ip)),
        port => format!("http://{}:{port}", host(ip)),
    }
}

/// An address as it stands in URLs.
pub(crate) fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_origin_can_be_dialed() {
        let origin = |listen: &str| default_origin(listen.parse().unwrap());
        assert_eq!(origin("127.0.0.1:8420"), "http://127.0.0.1:8420");
        assert_eq!(origin("[::1]:80"), "http://[::1]");
        assert!(!origin("0.0.0.0:8420").contains("0.0.0.0"));
    }

    #[test]
    fn the_limit_of_open_files_is_at_its_most() {
        let limit = raise_file_limit().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (limit, limit));
    }
}
