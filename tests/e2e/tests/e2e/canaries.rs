//! A credential goes upstream and nowhere else, whatever comes back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use fleetgate_e2e::{Installation, Server};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Letters that every encoding spells differently.
const SECRET: &str = "canary-9f8e+7d6c/5b4a=3210~zz>>??";
const USER: &str = "fleet";

/// An upstream that gives back what it got, in every spelling that an upstream may think of.
struct Echo {
    url: String,
    authorized: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> Self {
        let authorized = Arc::new(Mutex::new(Vec::new()));
        let seen = authorized.clone();
        let app = Router::new().fallback(move |request: Request| {
            let credential = request
                .headers()
                .get(header::AUTHORIZATION)
                .or_else(|| request.headers().get("x-api-key"))
                .map(|value| value.to_str().expect("ASCII").to_owned())
                .unwrap_or_default();
            seen.lock().expect("a list").push(credential.clone());
            answer(
                request.uri().path().to_owned(),
                request.uri().query().unwrap_or_default().to_owned(),
                credential,
            )
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, authorized }
    }
}

async fn answer(path: String, query: String, credential: String) -> Response {
    let all = [spellings(&credential), spellings(&password(&credential))].concat();
    let everything = all.join("\n");
    match path.as_str() {
        "/granted/headers" => {
            let mut headers = HeaderMap::new();
            for (number, spelling) in all.into_iter().enumerate() {
                let name: axum::http::HeaderName = format!("x-echo-{number}").parse().expect("a name");
                headers.insert(name, spelling.parse().expect("a value"));
            }
            headers.insert(header::SET_COOKIE, format!("token={credential}").parse().expect("a value"));
            (headers, "in the headers").into_response()
        }
        "/granted/body" => everything.into_response(),
        // Cut where a search that looks at one piece after the other would not find it.
        "/granted/pieces" => {
            let pieces: Vec<_> = everything
                .into_bytes()
                .chunks(3)
                .map(|piece| Ok::<_, std::convert::Infallible>(piece.to_vec()))
                .collect();
            Body::from_stream(futures_util::stream::iter(pieces)).into_response()
        }
        "/granted/json" => axum::Json(json!({ "you sent": everything, "as": credential })).into_response(),
        "/granted/500" => (StatusCode::INTERNAL_SERVER_ERROR, everything).into_response(),
        "/granted/401" => (StatusCode::UNAUTHORIZED, format!("{everything} is not valid")).into_response(),
        "/granted/there" => {
            let to = format!("/granted/body?token={}", utf8_percent_encode(&credential, NON_ALPHANUMERIC));
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        "/granted/away" => {
            let token = utf8_percent_encode(&credential, NON_ALPHANUMERIC).to_string();
            let to = format!("http://127.0.0.1:1/{query}?token={token}");
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        "/granted/slow" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            everything.into_response()
        }
        _ => (StatusCode::NOT_FOUND, everything).into_response(),
    }
}

/// The secret alone, as an upstream that has understood the credential knows it.
fn password(credential: &str) -> String {
    if let Some(login) = credential.strip_prefix("Basic ") {
        let login = STANDARD.decode(login).expect("RFC 7617");
        let login = String::from_utf8(login).expect("text");
        return login.split_once(':').expect("a user and a password").1.to_owned();
    }
    credential.strip_prefix("Bearer ").unwrap_or(credential).to_owned()
}

pub fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("text");
        hex
    })
}

/// A text as upstreams spell it, by itself and as part of something longer.
pub fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![
        text.to_owned(),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        hex(text),
        hex(text).to_uppercase(),
    ];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        for before in ["", "x", "xy"] {
            all.push(engine.encode(format!("{before}{text}")));
        }
    }
    all
}

/// What must not be found anywhere: base64 of something that the secret is part of begins at any of three places.
pub fn traces(secret: &str) -> Vec<String> {
    let mut traces = vec![secret.to_owned(), hex(secret), hex(secret).to_uppercase()];
    traces.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
    traces.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().to_lowercase());
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for start in 0..3 {
            // Whole groups of three bytes, which are spelled the same whatever stands around them.
            let whole = &secret.as_bytes()[start..start + (secret.len() - start) / 3 * 3];
            traces.push(engine.encode(whole));
        }
    }
    traces
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("our own folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

fn to(method: &str, path: &str) -> Value {
    json!({"method": method, "scheme": "http", "authority": "api.upstream", "path": path})
}

/// Runs everything that can go well or wrong with one kind of credential, and gives back all that was said.
async fn whole_run(credential: &str) -> (String, usize) {
    let echo = Echo::start().await;
    let installation = Installation::new();
    installation.install("hostile");
    installation.secret("token", SECRET);
    let config = format!(
        "[secrets]\ntoken = {{ file = \"token\" }}\n\n[plugins.hostile.grant.http.api]\nurl = \"{}\"\n\
         timeout = \"5s\"\ncredential = {credential}\n",
        echo.url
    );
    installation.config(&config);
    let server = Server::start(&installation);
    let client = server.client_of("hostile");
    let mut said = String::new();
    let mut references = Vec::new();
    for path in ["headers", "body", "pieces", "json", "500", "401", "there", "away", "slow", "nothing"] {
        for method in ["GET", "POST"] {
            let mut arguments = to(method, &format!("/granted/{path}"));
            arguments["headers"] = json!({"authorization": "Bearer mine", "x-mine": "kept"});
            arguments["body"] = json!(if method == "POST" { "hello" } else { "" });
            let answer = client.call("request", arguments).await;
            let _ = writeln!(said, "{answer:?}");
            references.push(answer.reference());
        }
    }
    for wrong in [to("DELETE", "/granted/body"), to("GET", "/secret"), json!({"method": 7})] {
        let answer = client.call("request", wrong).await;
        let _ = writeln!(said, "{answer:?}");
        references.push(answer.reference());
    }
    // A secret that changes under way, and an upstream that is gone.
    installation.secret("token", &format!("{SECRET}-second"));
    let _ = writeln!(said, "{:?}", client.call("request", to("GET", "/granted/body")).await);
    installation.config(&config.replace(&echo.url, "http://127.0.0.1:1"));
    let gone = installation.run(&["call", "hostile", "request", &to("GET", "/granted/body").to_string()]);
    let _ = writeln!(said, "{gone:?}");
    // A table that is wrong right beside the credential.
    installation.config(&config.replace("credential = ", "credential = [").replace("timeout", "timeuot"));
    let _ = writeln!(said, "{:?}", installation.run(&["check"]));
    installation.config(&config);

    for command in [
        &["check"][..],
        &["check", "--json"],
        &["audit", "find"],
        &["audit", "find", "--json"],
        &["audit", "tail", "-n", "1000"],
        &["call", "hostile", "request", &to("GET", "/granted/body").to_string(), "--json"],
    ] {
        let _ = writeln!(said, "{:?}", installation.run(command));
    }
    for reference in references {
        let _ = writeln!(said, "{:?}", installation.why(&reference));
    }
    said += &server.log();
    drop(server);
    for file in files(installation.path()) {
        if file.file_name().is_some_and(|name| name != "token") {
            said += &String::from_utf8_lossy(&std::fs::read(&file).expect("our own file"));
        }
    }
    let arrived = echo.authorized.lock().expect("a list").clone();
    let with_it = arrived.iter().filter(|credential| is_the_credential(credential)).count();
    assert_eq!(with_it, arrived.len(), "every request carried the credential, and nothing else: {arrived:?}");
    (said, arrived.len())
}

/// Whether this is what the upstream was to be sent.
fn is_the_credential(credential: &str) -> bool {
    let secrets = [SECRET.to_owned(), format!("{SECRET}-second")];
    secrets.iter().any(|secret| {
        let basic = STANDARD.encode(format!("{USER}:{secret}"));
        [format!("Bearer {secret}"), format!("Basic {basic}"), secret.clone()]
            .iter()
            .any(|sent| sent == credential)
    })
}

async fn never_seen(credential: &str) {
    let (said, arrived) = whole_run(credential).await;
    assert!(arrived >= 20, "only {arrived} requests arrived");
    assert!(said.contains("[masked]"), "the upstream echoed it, so something must be masked");
    nowhere(SECRET, &said);
}

/// Fails where the secret is in there, in whatever spelling.
pub fn nowhere(secret: &str, said: &str) {
    for trace in traces(secret) {
        let found = said.match_indices(&trace).next();
        let around = found.map(|(at, _)| {
            let start = said[..at].char_indices().rev().nth(200).map_or(0, |(start, _)| start);
            said[start..].chars().take(500).collect::<String>()
        });
        assert_eq!(around, None, "{secret} is there as {trace}");
    }
}

#[test]
fn the_search_finds_every_spelling_that_the_upstream_sends() {
    for around in [SECRET.to_owned(), format!("Bearer {SECRET}"), format!("{USER}:{SECRET}")] {
        for spelling in spellings(&around) {
            assert!(
                traces(SECRET).iter().any(|trace| spelling.contains(trace)),
                "{spelling} would not be found"
            );
        }
    }
}

#[tokio::test]
async fn a_bearer_token_is_in_no_result_log_record_or_file() {
    never_seen("{ bearer = \"token\" }").await;
}

#[tokio::test]
async fn a_password_is_in_no_result_log_record_or_file() {
    never_seen(&format!("{{ basic = {{ user = \"{USER}\", password = \"token\" }} }}")).await;
}

#[tokio::test]
async fn a_key_in_a_header_is_in_no_result_log_record_or_file() {
    never_seen("{ header = \"X-Api-Key\", secret = \"token\" }").await;
}
