//! The server's only way to addresses that somebody else has chosen: receivers of webhooks, pages
//! that are linked to, pictures by their address, providers of sign-in.
//!
//! Whoever may name an address could otherwise have the server ask its own neighbors (server-side
//! request forgery). So nothing is connected to that is not on the public Internet, unless the
//! operator has named its network. Names are looked up once, every answer is checked, and what was
//! checked is what is connected to: a name that leads elsewhere a moment later changes nothing.
//! Redirects are requests of their own; nothing of the server's goes with them. Time, size and kind
//! of what comes back have bounds.

mod address;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode, header};
use ipnet::IpNet;
use reqwest::Url;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How long it may take to connect; a machine that is there does it in less.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest address that is dialed, in bytes: what browsers and proxies take, too.
pub const URL_MAX: usize = 2048;

/// Looks names up.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync {
    /// Every address of a host.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What to do with an answer that is longer than [`Bounds::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It is an error.
    Refuse,
    /// The beginning is enough.
    Cut,
}

/// What an answer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the first lookup to the last byte, redirects and all.
    pub time: Duration,
    /// Most bytes of the body.
    pub bytes: usize,
    /// What happens to a longer body.
    pub excess: Excess,
    /// Most redirects that are followed, of a GET without a body; of everything else, none is.
    pub redirects: u8,
    /// Types that are read, `type/subtype` or `type/`; all when empty. Only successes are looked at.
    pub kinds: &'static [&'static str],
}

/// An answer, read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Where it came from, after the redirects.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, within the bounds.
    pub body: Bytes,
}

impl From<Answer> for http::Response<Vec<u8>> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.body.into());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}

/// Why there is no answer. Safe to show to whoever named the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutwardError {
    /// It is no address of this kind.
    #[error("the address must begin with http:// or https://, with a host and no password in it")]
    Url,
    /// The host is in a private network.
    #[error("{0} is not on the public Internet")]
    NotPublic(String),
    /// There is no such host.
    #[error("{0} was not found")]
    Unknown(String),
    /// Nobody answers, or not in the protocol.
    #[error("{0} cannot be reached")]
    Unreachable(String),
    /// It takes too long.
    #[error("{0} takes too long to answer")]
    Slow(String),
    /// The body is too long.
    #[error("the answer of {0} is too long")]
    TooLong(String),
    /// The body is of a kind that nobody asked for.
    #[error("the answer of {0} is of another kind")]
    Kind(String),
    /// One redirect follows another, or one leads out of TLS.
    #[error("{0} redirects too often, or to nowhere")]
    Redirects(String),
    /// No certificates can be checked on this machine.
    #[error("TLS is not available")]
    Tls,
}

/// Sends requests to addresses that others have chosen. See the [module](self).
#[derive(Debug)]
pub struct Outward {
    guard: Arc<Guard>,
    http: OnceLock<Option<reqwest::Client>>,
}

impl Outward {
    /// A way out that leads to the public Internet and to these networks.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self::with_resolver(allowed, Arc::new(SystemResolver))
    }

    /// The same, with a resolver of one's own.
    pub fn with_resolver(allowed: Vec<IpNet>, resolver: Arc<dyn Resolver>) -> Self {
        Self { guard: Arc::new(Guard { allowed, resolver }), http: OnceLock::new() }
    }

    /// Reads an address as people give it, and refuses what would be refused anyway: schemes other
    /// than http and https, names and passwords, hosts that are written as a private address.
    /// Whether a name leads to one is seen when it is dialed.
    pub fn address(&self, text: &str) -> Result<Url, OutwardError> {
        if text.len() > URL_MAX {
            return Err(OutwardError::Url);
        }
        let url = Url::parse(text).map_err(|_| OutwardError::Url)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Sends a request and reads the answer, whatever its status.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        bounds: &Bounds,
    ) -> Result<Answer, OutwardError> {
        let url = self.address(&request.uri().to_string())?;
        let host = host(&url);
        tokio::time::timeout(bounds.time, self.follow(url, request, bounds))
            .await
            .unwrap_or(Err(OutwardError::Slow(host)))
    }

    /// Asks for what is at an address, as a stranger would.
    pub async fn get(&self, url: &str, bounds: &Bounds) -> Result<Answer, OutwardError> {
        let request = Request::get(url).body(Bytes::new()).map_err(|_| OutwardError::Url)?;
        self.send(request, bounds).await
    }

    async fn follow(
        &self,
        mut url: Url,
        request: Request<Bytes>,
        bounds: &Bounds,
    ) -> Result<Answer, OutwardError> {
        let (parts, body) = request.into_parts();
        let may_follow = parts.method == Method::GET && body.is_empty();
        let http = self.http().ok_or(OutwardError::Tls)?;
        let mut headers = parts.headers;
        let mut left = bounds.redirects;
        loop {
            let name = host(&url);
            let sent = http
                .request(parts.method.clone(), url.clone())
                .headers(headers.clone())
                .body(body.clone())
                .send()
                .await
                .map_err(|error| failure(&name, &error))?;
            let to = (may_follow && bounds.redirects > 0 && sent.status().is_redirection())
                .then(|| sent.headers().get(header::LOCATION))
                .flatten();
            let Some(to) = to else { return read(sent, bounds).await };
            let to = to.to_str().ok().and_then(|to| url.join(to).ok());
            let next = to.filter(|next| {
                matches!((url.scheme(), next.scheme()), (_, "https") | ("http", "http"))
            });
            let (Some(next), Some(fewer)) = (next, left.checked_sub(1)) else {
                return Err(OutwardError::Redirects(name));
            };
            self.check(&next)?;
            if next.origin() != url.origin() {
                // What was meant for one host is nothing for another.
                let kept = headers.remove(header::ACCEPT);
                headers.clear();
                headers.extend(kept.map(|accept| (header::ACCEPT, accept)));
            }
            (url, left) = (next, fewer);
        }
    }

    /// Made when it is first needed: reading the certificates of the operating system takes a moment.
    fn http(&self) -> Option<&reqwest::Client> {
        let make = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls()?)
                .dns_resolver(Arc::clone(&self.guard))
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT)
                // A kept connection would skip the check.
                .pool_max_idle_per_host(0)
                .user_agent(concat!("Tidings/", env!("CARGO_PKG_VERSION")))
                .build()
                .ok()
        };
        self.http.get_or_init(make).as_ref()
    }

    /// What can be said of an address without looking anything up. Hosts that are addresses are
    /// never looked up, so they are checked here.
    fn check(&self, url: &Url) -> Result<(), OutwardError> {
        let plain = url.username().is_empty() && url.password().is_none();
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(OutwardError::Url);
        };
        if !plain || !matches!(url.scheme(), "http" | "https") || url.port() == Some(0) {
            return Err(OutwardError::Url);
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse() {
            Ok(address) if !self.guard.permits(address) => {
                Err(OutwardError::NotPublic(host.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The certificates of the operating system, where a company's own authority is installed; those of
/// the web when it has none, as in a small container.
fn tls() -> Option<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .inspect_err(|error| tracing::error!(%error, "TLS is not available"))
        .ok()?;
    let builder = match builder.clone().with_platform_verifier() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::info!(%error, "no certificates of the operating system; those of the web count");
            let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
            builder.with_root_certificates(rustls::RootCertStore { roots })
        }
    };
    Some(builder.with_no_client_auth())
}

async fn read(mut response: reqwest::Response, bounds: &Bounds) -> Result<Answer, OutwardError> {
    let url = response.url().clone();
    let name = host(&url);
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_success() && !is_of_kind(&headers, bounds.kinds) {
        return Err(OutwardError::Kind(name));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&name, &error))? {
        let room = bounds.bytes.saturating_sub(body.len());
        if chunk.len() <= room {
            body.extend_from_slice(&chunk);
            continue;
        }
        if bounds.excess == Excess::Refuse {
            return Err(OutwardError::TooLong(name));
        }
        body.extend_from_slice(chunk.get(..room).unwrap_or_default());
        break;
    }
    Ok(Answer { url, status, headers, body: body.freeze() })
}

fn is_of_kind(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let fits = |of: &&str| if of.ends_with('/') { kind.starts_with(of) } else { kind == **of };
    kinds.is_empty() || kinds.iter().any(fits)
}

/// What went wrong, found among the causes: the guard's own words come from below the connection.
fn failure(name: &str, error: &reqwest::Error) -> OutwardError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<OutwardError>() {
            return ours.clone();
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return OutwardError::Slow(name.to_owned());
    }
    tracing::debug!(%error, "no answer from outside");
    OutwardError::Unreachable(name.to_owned())
}

/// Stands between every name and every connection.
#[derive(Debug)]
struct Guard {
    allowed: Vec<IpNet>,
    resolver: Arc<dyn Resolver>,
}

impl Guard {
    fn permits(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        address::is_global(address) || self.allowed.iter().any(|network| network.contains(&plain))
    }

    /// The addresses of a host. One that is not public among them is reason enough to refuse all.
    async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, OutwardError> {
        let found = self.resolver.resolve(host).await;
        let addresses = found.map_err(|_| OutwardError::Unknown(host.to_owned()))?;
        if addresses.is_empty() {
            return Err(OutwardError::Unknown(host.to_owned()));
        }
        if !addresses.iter().all(|address| self.permits(*address)) {
            return Err(OutwardError::NotPublic(host.to_owned()));
        }
        Ok(addresses)
    }
}

impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = Self { allowed: self.allowed.clone(), resolver: Arc::clone(&self.resolver) };
        Box::pin(async move {
            let addresses = guard.lookup(name.as_str()).await?;
            // Port 0 stands for the one of the address that is dialed.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_the_operator_are_let_through() {
        let guard = Guard {
            allowed: vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()],
            resolver: Arc::new(SystemResolver),
        };
        for (address, permitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("fc12::1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(guard.permits(address.parse().unwrap()), permitted, "{address}");
        }
    }

    #[test]
    fn kinds_are_compared_without_their_parameters() {
        let headers = |kind: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(kind))])
        };
        assert!(is_of_kind(&headers("Text/HTML; charset=utf-8"), &["text/html"]));
        assert!(is_of_kind(&headers("image/png"), &["text/html", "image/"]));
        assert!(!is_of_kind(&headers("imagery/png"), &["image/"]));
        assert!(!is_of_kind(&HeaderMap::new(), &["text/html"]));
        assert!(is_of_kind(&HeaderMap::new(), &[]));
    }
}
