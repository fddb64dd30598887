//! The way out: what it refuses to dial, and what it takes back. Receivers are real sockets.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use tidings_server::outward::{Bounds, Excess, Outward, OutwardError, Resolver};
use tokio::net::TcpListener;

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(20),
    bytes: 1000,
    excess: Excess::Refuse,
    redirects: 3,
    kinds: &[],
};

/// Counts who connects to loopback, and says nothing to them.
struct Canary {
    port: u16,
    connects: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connects = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connects);
        tokio_util::task::TaskTracker::new().spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, connects }
    }
}

/// Answers what it was told to, one after the other, and then the last again.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|it| it.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

#[async_trait]
impl Resolver for Scripted {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

async fn site(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio_util::task::TaskTracker::new()
        .spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn home() -> Outward {
    Outward::new(vec!["127.0.0.0/8".parse().unwrap()])
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_dialed() {
    let canary = Canary::start().await;
    let port = canary.port;
    let outward = Outward::new(Vec::new());
    let hosts = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "127.127.127.127",
        "0",
        "0.0.0.0",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "%31%32%37.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let outcome = match outward.address(&url) {
            Ok(url) => outward.get(url.as_str(), &BOUNDS).await,
            Err(error) => Err(error),
        };
        assert!(
            matches!(outcome, Err(OutwardError::NotPublic(_) | OutwardError::Unknown(_))),
            "{host}: {outcome:?}"
        );
    }
    for url in [
        format!("http://example.org@127.0.0.1:{port}/"),
        format!("http://user:password@127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/_"),
        "file:///etc/passwd".to_owned(),
        "data:text/html,hello".to_owned(),
        "http://".to_owned(),
        "//127.0.0.1/".to_owned(),
        "127.0.0.1".to_owned(),
        "http://example.org:0/".to_owned(),
        "http://256.256.256.256/".to_owned(),
        "http://[::1/".to_owned(),
        format!("https://example.org/{}", "a".repeat(2048)),
    ] {
        assert!(outward.address(&url).is_err(), "{url}");
    }
    assert_eq!(canary.connects.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_leads_home_is_not_dialed() {
    let canary = Canary::start().await;
    let url = format!("http://rebind.example:{}/", canary.port);
    let refused = Err(OutwardError::NotPublic("rebind.example".to_owned()));
    for answers in [
        &["127.0.0.1"][..],
        &["203.0.114.1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["2606:4700::1111", "::1"],
        &["169.254.169.254"],
    ] {
        let outward = Outward::with_resolver(Vec::new(), Scripted::new(&[answers]));
        let outcome = outward.get(&url, &BOUNDS).await.map(|answer| answer.status);
        assert_eq!(outcome, refused, "{answers:?}");
    }
    assert_eq!(canary.connects.load(Ordering::SeqCst), 0);
}

/// The first lookup is the one that counts: what it said is connected to, and nothing is asked again.
#[tokio::test]
async fn a_name_that_changes_its_mind_is_not_followed() {
    let canary = Canary::start().await;
    let good = site(Router::new().route("/", get(|| async { "good" }))).await;
    let resolver = Scripted::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    // `good` listens on 127.0.0.1 only; 127.0.0.2 stands for a public host that is away.
    let allowed = vec!["127.0.0.2/32".parse().unwrap()];
    let outward = Outward::with_resolver(allowed, resolver);
    let url = format!("http://rebind.example:{}/", good.port());
    let first = outward.get(&url, &BOUNDS).await.unwrap_err();
    assert_eq!(first, OutwardError::Unreachable("rebind.example".to_owned()));
    let second = outward.get(&url, &BOUNDS).await.unwrap_err();
    assert_eq!(second, OutwardError::NotPublic("rebind.example".to_owned()));
    assert_eq!(canary.connects.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn every_redirect_is_checked_and_they_are_few() {
    let canary = Canary::start().await;
    let inside = format!("http://127.0.0.1:{}/", canary.port);
    let headers = |headers: HeaderMap| async move {
        let seen = |name| headers.contains_key(name);
        let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or("");
        format!("{} {} {accept}", seen(header::AUTHORIZATION), seen(header::REFERER))
    };
    let other = site(Router::new().route("/seen", get(headers))).await;
    let to_other = format!("http://127.0.0.2:{}/seen", other.port());
    let router = Router::new()
        .route("/inside", get(move || async move { Redirect::temporary(&inside) }))
        .route("/file", get(|| async { Redirect::temporary("file:///etc/passwd") }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/two", get(|| async { Redirect::permanent("/one") }))
        .route("/one", get(|| async { Redirect::to("end") }))
        .route("/end", get(|| async { "here" }))
        .route("/other", get(move || async move { Redirect::temporary(&to_other) }));
    let port = site(router).await.port();
    // A site on an address that may be dialed, and a canary on one that may not.
    let resolver = Scripted::new(&[&["127.0.0.1"]]);
    let outward = Outward::with_resolver(vec!["127.0.0.1/32".parse().unwrap()], resolver);
    let get =
        async |path: &str| outward.get(&format!("http://site.example:{port}{path}"), &BOUNDS).await;

    let two = get("/two").await.unwrap();
    assert_eq!((two.url.path(), &two.body[..]), ("/end", &b"here"[..]));
    assert_eq!(
        get("/round").await.unwrap_err(),
        OutwardError::Redirects("site.example".to_owned())
    );
    assert_eq!(get("/file").await.unwrap_err(), OutwardError::Redirects("site.example".to_owned()));
    assert_eq!(get("/other").await.unwrap_err(), OutwardError::NotPublic("127.0.0.2".to_owned()));
    let url = format!("http://site.example:{port}/two");
    let none = Bounds { redirects: 0, ..BOUNDS };
    assert_eq!(outward.get(&url, &none).await.unwrap().status, 308);

    let strict = Outward::with_resolver(
        vec!["127.0.0.2/32".parse().unwrap()],
        Scripted::new(&[&["127.0.0.1"]]),
    );
    let refused = strict.get(&url, &BOUNDS).await.unwrap_err();
    assert_eq!(refused, OutwardError::NotPublic("site.example".to_owned()));
    assert_eq!(canary.connects.load(Ordering::SeqCst), 0);

    // What was said to one host is not said to another.
    let there = format!("http://localhost:{}/seen", other.port());
    let router = Router::new().route("/", get_redirect(there));
    let from = site(router).await;
    let request = Request::get(format!("http://{from}/"))
        .header(header::AUTHORIZATION, "Bearer secret")
        .header(header::ACCEPT, "text/plain")
        .body(Bytes::new())
        .unwrap();
    let both = Outward::with_resolver(
        vec!["127.0.0.0/8".parse().unwrap()],
        Scripted::new(&[&["127.0.0.1"]]),
    );
    let seen = both.send(request, &BOUNDS).await.unwrap();
    assert_eq!(&seen.body[..], b"false false text/plain");
}

fn get_redirect(to: String) -> axum::routing::MethodRouter {
    get(move || async move { Redirect::temporary(&to) })
}

#[tokio::test]
async fn answers_are_bounded_in_size_time_and_kind() {
    let never = Arc::new(tokio::sync::Notify::new());
    let wait =
        |State(never): State<Arc<tokio::sync::Notify>>| async move { never.notified().await };
    let page =
        || async { ([(header::CONTENT_TYPE, "text/html")], "a".repeat(2000)).into_response() };
    let router =
        Router::new().route("/never", get(wait)).route("/page", get(page)).with_state(never);
    let address = site(router).await;
    let outward = home();
    let host = "127.0.0.1".to_owned();
    let url = format!("http://{address}/page");

    let too_long = outward.get(&url, &BOUNDS).await.unwrap_err();
    assert_eq!(too_long, OutwardError::TooLong(host.clone()));
    let cut = Bounds { excess: Excess::Cut, kinds: &["text/html"], ..BOUNDS };
    assert_eq!(outward.get(&url, &cut).await.unwrap().body.len(), 1000);
    let kind = Bounds { kinds: &["image/"], ..cut };
    assert_eq!(outward.get(&url, &kind).await.unwrap_err(), OutwardError::Kind(host.clone()));

    let quick = Bounds { time: Duration::from_millis(50), ..BOUNDS };
    let slow = outward.get(&format!("http://{address}/never"), &quick).await.unwrap_err();
    assert_eq!(slow, OutwardError::Slow(host));
}
