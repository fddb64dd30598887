//! The whole way, over real sockets and through the SDK, on both databases.

use std::time::Duration;

use tidings_domain::{CommunityId, Timestamp};
use tidings_server::Registration as Policy;
use tidings_testkit::client::login::Registration;
use tidings_testkit::client::signin::Polled;
use tidings_testkit::{Backend, OidcProvider, Person, World};
use tidings_wire::account::Secret;
use tidings_wire::signin::{CreateAccessToken, GroupRole, PutProvider, SignInProof};

/// Signs in with a browser that keeps one cookie.
async fn sign_in(world: &World, provider: &OidcProvider) -> SignInProof {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let waiting = world.stranger().browser_sign_in("acme", &world.entropy().draw()).await.unwrap();
    let begun = http.get(waiting.url()).send().await.unwrap();
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers()[name].to_str().unwrap().to_owned()
    };
    let cookie = header(&begun, "set-cookie").split(';').next().unwrap().to_owned();
    let back = provider.visit(&header(&begun, "location")).await;
    let answer = http.get(back).header("cookie", cookie).send().await.unwrap();
    let there = header(&answer, "location");
    let (proof, heard) = tokio::join!(waiting.wait(), http.get(there).send());
    assert!(heard.unwrap().status().is_success());
    proof.unwrap()
}

async fn everything_works_on(backend: Backend) {
    let world = World::with(5, backend, |settings| {
        settings.outward_allow = vec!["127.0.0.0/8".parse().unwrap()];
        settings.registration = Policy::Invite;
    })
    .await;
    #[expect(clippy::disallowed_methods, reason = "the provider looks at the same clock")]
    let now = std::time::SystemTime::now();
    let millis = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    world.clock().set(Timestamp(i64::try_from(millis).unwrap()));
    let ana = world.person("ana").await;
    let acme = ana.client().create_community("Acme", "acme").await.unwrap();
    let provider = OidcProvider::start();
    let request = PutProvider {
        kind: "oidc".to_owned(),
        url: Some(provider.url().to_owned()),
        client_id: OidcProvider::CLIENT_ID.to_owned(),
        client_secret: Some(Secret(OidcProvider::CLIENT_SECRET.to_owned())),
        registration: Some("open".to_owned()),
        groups: vec![GroupRole {
            group: "staff".to_owned(),
            community_id: acme.id,
            role: "admin".to_owned(),
        }],
        ..PutProvider::default()
    };
    ana.client().put_provider("acme", &request).await.unwrap();
    let behavior = serde_json::json!({"sub": "1", "username": "bo", "groups": ["staff"]});
    provider.behave(behavior).await;

    // A newcomer registers by it, and is an admin at once.
    let registration = Registration {
        username: "bo".to_owned(),
        sign_in: Some(sign_in(&world, &provider).await),
        ..Registration::default()
    };
    let now: Timestamp = tidings_server::Clock::now(world.clock());
    let bo = Person::register(world.stranger(), world.entropy(), &registration, now).await;
    assert_eq!(bo.client().community(CommunityId(acme.id)).await.unwrap().my_role, "admin");
    assert_eq!(bo.client().links().await.unwrap()[0].label, "bo");
    // And logs in by it, then by a code, then makes tokens.
    let proof = sign_in(&world, &provider).await;
    let signed_in = world.stranger().sign_in(proof.clone(), "laptop").await.unwrap();
    assert_eq!(signed_in.user.id, bo.id().0);
    assert!(world.stranger().sign_in(proof, "laptop").await.is_err());
    let codes = world.stranger().begin_device_grant("terminal").await.unwrap();
    let poll = || async { world.stranger().poll_device_grant(&codes.device_code).await.unwrap() };
    assert_eq!(poll().await, Polled::Pending);
    assert_eq!(poll().await, Polled::SlowDown);
    bo.client().answer_device(&codes.user_code, true).await.unwrap();
    world.clock().advance(Duration::from_secs(10));
    let Polled::LoggedIn(answer) = poll().await else { panic!("the terminal is not logged in") };
    assert_eq!(answer.user.id, bo.id().0);
    assert_eq!(poll().await, Polled::Expired);
    let token = bo.client().access_token(&CreateAccessToken::default()).await.unwrap();
    let by_token = world.stranger().with_token(token.access_token);
    assert_eq!(by_token.me().await.unwrap().id, bo.id().0);
    assert_eq!(ana.client().rotate_keys().await.unwrap().keys.len(), 2);
    assert_eq!(by_token.me().await.unwrap().id, bo.id().0);
    bo.client().delete_link("acme").await.unwrap();
    assert_eq!(bo.client().links().await.unwrap(), []);
    ana.client().delete_provider("acme").await.unwrap();
    assert_eq!(ana.client().providers().await.unwrap(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_on_sqlite() {
    everything_works_on(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_on_postgres() {
    everything_works_on(Backend::Postgres).await;
}
