//! A provider of sign-in for tests: a process of its own that speaks `OpenID Connect` (and what GitHub
//! and Gitea make of OAuth) over HTTP on loopback, with real signatures, and that lies when it is
//! told to.
//!
//! It prints its address. `POST /control` with a JSON object says how it behaves from then on; an
//! honest one checks the client's secret, the redirect URI, PKCE, and that a code is used once.

#![expect(clippy::unwrap_used, reason = "what the provider cannot do fails the test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::Mac as _;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What the provider calls every client.
const CLIENT_ID: &str = "tidings";
/// What every client proves itself with; it needs encoding in a header.
const CLIENT_SECRET: &str = "s3cret+/ é";
/// The key's name.
const KID: &str = "key-1";

/// How the provider behaves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Behavior {
    /// How it lies; not at all when empty.
    lie: String,
    /// Who signs in.
    sub: String,
    /// What they are called.
    username: String,
    /// Their groups.
    groups: Vec<String>,
}

struct Issued {
    challenge: Option<String>,
    nonce: Option<String>,
    redirect_uri: String,
    used: bool,
}

struct Provider {
    url: String,
    key: SigningKey,
    /// A key that is not published.
    other: SigningKey,
    behavior: Mutex<Behavior>,
    codes: Mutex<HashMap<String, Issued>>,
}

type Shared = Arc<Provider>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    announce(&url);
    std::thread::spawn(end_with_the_test);
    let provider = Arc::new(Provider {
        url,
        key: SigningKey::from_bytes(&[11; 32]),
        other: SigningKey::from_bytes(&[22; 32]),
        behavior: Mutex::default(),
        codes: Mutex::default(),
    });
    let app = Router::new()
        .route("/control", post(control))
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize))
        .route("/login/oauth/authorize", get(authorize))
        .route("/token", post(oidc_token))
        .route("/login/oauth/access_token", post(forge_token))
        .route("/userinfo", get(userinfo))
        .route("/api/v3/user", get(github_user))
        .route("/api/v3/user/orgs", get(github_orgs))
        .route("/api/v1/user", get(gitea_user))
        .route("/api/v1/user/orgs", get(gitea_orgs))
        .with_state(provider);
    axum::serve(listener, app).await.unwrap();
}

/// Whoever started it holds the other end of its standard input.
fn end_with_the_test() {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::exit(0);
}

#[expect(clippy::print_stdout, reason = "whoever started it reads the address")]
fn announce(url: &str) {
    println!("{url}");
}

impl Provider {
    fn behavior(&self) -> Behavior {
        self.behavior.lock().unwrap().clone()
    }

    fn lies(&self, how: &str) -> bool {
        self.behavior.lock().unwrap().lie == how
    }
}

async fn control(State(provider): State<Shared>, Json(behavior): Json<Behavior>) {
    *provider.behavior.lock().unwrap() = behavior;
}

async fn discovery(State(provider): State<Shared>) -> Response {
    let url = &provider.url;
    if provider.lies("redirecting discovery") {
        return (StatusCode::FOUND, [(header::LOCATION, format!("{url}/jwks"))]).into_response();
    }
    if provider.lies("huge discovery") {
        return " ".repeat(1 << 20).into_response();
    }
    let issuer = if provider.lies("another issuer in discovery") {
        "https://accounts.example.org".to_owned()
    } else {
        url.clone()
    };
    let jwks = if provider.lies("private keys address") {
        "http://10.0.0.1/jwks".to_owned()
    } else {
        format!("{url}/jwks")
    };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": jwks,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

fn jwk(key: &SigningKey, kid: &str) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x})
}

async fn jwks(State(provider): State<Shared>) -> Json<Value> {
    let mut keys = vec![jwk(&provider.key, KID)];
    if provider.lies("one kid for two keys") {
        keys.insert(0, jwk(&provider.other, KID));
    }
    Json(json!({"keys": keys}))
}

/// Signs in whoever the behavior names, without asking.
async fn authorize(
    State(provider): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let field = |name: &str| query.get(name).cloned();
    let Some(redirect_uri) = field("redirect_uri") else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut back = url::Url::parse(&redirect_uri).unwrap();
    if let Some(state) = field("state") {
        back.query_pairs_mut().append_pair("state", &state);
    }
    let fine = field("client_id").as_deref() == Some(CLIENT_ID)
        && field("response_type").as_deref() == Some("code")
        && field("code_challenge_method").as_deref() == Some("S256")
        && field("code_challenge").is_some_and(|it| it.len() == 43);
    if fine && !provider.lies("no consent") {
        let code = format!("code-{}", provider.codes.lock().unwrap().len());
        let issued = Issued {
            challenge: field("code_challenge"),
            nonce: field("nonce"),
            redirect_uri,
            used: false,
        };
        back.query_pairs_mut().append_pair("code", &code);
        provider.codes.lock().unwrap().insert(code, issued);
    } else {
        let word = if fine { "access_denied" } else { "invalid_request" };
        back.query_pairs_mut().append_pair("error", word);
    }
    let iss = if provider.lies("another issuer in the answer") {
        "https://accounts.example.org"
    } else {
        &provider.url
    };
    back.query_pairs_mut().append_pair("iss", iss);
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

/// Checks client and code; gives the nonce.
fn redeem(provider: &Provider, headers: &HeaderMap, body: &Bytes) -> Result<Option<String>, Value> {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let decode = |text: &str| {
        let pair = url::form_urlencoded::parse(text.as_bytes()).next();
        pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (client, secret) = match basic.and_then(|value| value.strip_prefix("Basic ")) {
        Some(basic) => {
            let pair = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
            let (client, secret) = pair.split_once(':').unwrap();
            (decode(client), decode(secret))
        }
        None => (field("client_id").to_owned(), field("client_secret").to_owned()),
    };
    if (client.as_str(), secret.as_str()) != (CLIENT_ID, CLIENT_SECRET) {
        return Err(json!({"error": "invalid_client"}));
    }
    let mut codes = provider.codes.lock().unwrap();
    let Some(issued) = codes.get_mut(field("code")) else {
        return Err(json!({"error": "invalid_grant"}));
    };
    let verifier = Sha256::digest(field("code_verifier"));
    let fine = issued.redirect_uri == field("redirect_uri")
        && field("grant_type") == "authorization_code"
        && issued.challenge == Some(URL_SAFE_NO_PAD.encode(verifier))
        && (!issued.used || provider.lies("codes work again"));
    issued.used = true;
    if fine { Ok(issued.nonce.clone()) } else { Err(json!({"error": "invalid_grant"})) }
}

async fn oidc_token(State(provider): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    match redeem(&provider, &headers, &body) {
        Ok(_) if provider.lies("no ID token") => {
            Json(json!({"access_token": "at", "token_type": "Bearer"})).into_response()
        }
        Ok(nonce) => Json(json!({
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": id_token(&provider, nonce.as_deref()),
        }))
        .into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(error)).into_response(),
    }
}

/// GitHub says 200 even when it refuses.
async fn forge_token(
    State(provider): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    match redeem(&provider, &headers, &body) {
        Ok(_) => Json(json!({"access_token": "at", "token_type": "bearer", "scope": ""})),
        Err(error) => Json(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "a process of its own has a clock of its own")]
fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn id_token(provider: &Provider, nonce: Option<&str>) -> String {
    let Behavior { lie, sub, username, groups } = provider.behavior();
    let now = now_s();
    let mut claims = json!({
        "iss": provider.url,
        "sub": sub,
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 300,
        "nonce": nonce,
        "name": "Somebody Else",
        "groups": groups,
    });
    if !matches!(lie.as_str(), "username by userinfo" | "userinfo of another") {
        claims["preferred_username"] = json!(username);
    }
    let mut header = json!({"alg": "EdDSA", "typ": "JWT", "kid": KID});
    match lie.as_str() {
        "another issuer" => claims["iss"] = json!("https://accounts.example.org"),
        "a slash after the issuer" => claims["iss"] = json!(format!("{}/", provider.url)),
        "another audience" => claims["aud"] = json!("somebody-else"),
        "more audiences" => claims["aud"] = json!([CLIENT_ID, "somebody-else"]),
        "another party" => claims["azp"] = json!("somebody-else"),
        "another nonce" => claims["nonce"] = json!("somebody-else"),
        "no nonce" => claims["nonce"] = Value::Null,
        "expired" => {
            claims["iat"] = json!(now - 500);
            claims["exp"] = json!(now - 100);
        }
        "old" => claims["iat"] = json!(now - 3600),
        "from the future" => claims["iat"] = json!(now + 600),
        "no subject" => claims["sub"] = json!(""),
        "no algorithm" => header["alg"] = json!("none"),
        "no algorithm in capitals" => header["alg"] = json!("NONE"),
        "public key as secret" | "client secret as secret" => header["alg"] = json!("HS256"),
        "unknown kid" => header["kid"] = json!("key-2"),
        "path in kid" => header["kid"] = json!("../../../../etc/passwd"),
        "address in kid" => header["kid"] = json!("https://evil.example/key"),
        "key in header" => header["jwk"] = jwk(&provider.other, KID),
        "address of keys in header" => header["jku"] = json!("https://evil.example/jwks"),
        "critical header" => header["crit"] = json!(["exp"]),
        "token in token" => header["cty"] = json!("JWT"),
        _ => {}
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mac = |key: &[u8]| {
        let mut mac = hmac::Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(signed.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let signature = match lie.as_str() {
        "no algorithm" | "no algorithm in capitals" | "no signature" => Vec::new(),
        "public key as secret" => mac(provider.key.verifying_key().as_bytes()),
        "client secret as secret" => mac(CLIENT_SECRET.as_bytes()),
        "another key"
        | "key in header"
        | "unknown kid"
        | "path in kid"
        | "address in kid"
        | "address of keys in header" => provider.other.sign(signed.as_bytes()).to_vec(),
        "broken signature" => {
            let mut signature = provider.key.sign(signed.as_bytes()).to_vec();
            signature[5] ^= 1;
            signature
        }
        _ => provider.key.sign(signed.as_bytes()).to_vec(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn userinfo(State(provider): State<Shared>, headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|token| token != "Bearer at") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Behavior { lie, sub, username, groups } = provider.behavior();
    let sub = if lie == "userinfo of another" { "somebody-else".to_owned() } else { sub };
    Json(json!({"sub": sub, "preferred_username": username, "groups": groups})).into_response()
}

async fn github_user(State(provider): State<Shared>) -> Json<Value> {
    let Behavior { sub, username, .. } = provider.behavior();
    let id: u64 = sub.parse().unwrap();
    Json(json!({"id": id, "login": username, "name": null}))
}

async fn github_orgs(State(provider): State<Shared>) -> Json<Value> {
    let groups = provider.behavior().groups;
    Json(groups.into_iter().map(|login| json!({"login": login, "id": 1})).collect())
}

async fn gitea_user(State(provider): State<Shared>) -> Json<Value> {
    let Behavior { sub, username, .. } = provider.behavior();
    let id: u64 = sub.parse().unwrap();
    Json(json!({"id": id, "login": username, "full_name": "Full Name"}))
}

async fn gitea_orgs(State(provider): State<Shared>) -> Json<Value> {
    let groups = provider.behavior().groups;
    Json(groups.into_iter().map(|name| json!({"id": 1, "username": name})).collect())
}
