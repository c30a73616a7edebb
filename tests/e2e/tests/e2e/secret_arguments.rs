//! A secret argument goes to the granted upstream and nowhere else: not into the guest, whatever it tries, and into
//! nothing that the host says or keeps.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleetgate_e2e::{Installation, Server};
use serde_json::{Value, json};

use crate::canaries::{files, nowhere, spellings};

/// Letters that every encoding spells differently.
const PASSWORD: &str = "canary-1a2b+3c4d/5e6f=7788~yy>>??";
const ENABLE: &str = "enable-canary+90/ab=cd~ww<<!!";
const BEARER: &str = "bearer-canary+12/34=56~vv>>??";
const SECRETS: [&str; 3] = [PASSWORD, ENABLE, BEARER];

/// An upstream that keeps what it got, and gives back all of it in every spelling, from then on with every answer.
struct Echo {
    url: String,
    got: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> Self {
        let got = Arc::<Mutex<Vec<String>>>::default();
        let keeps = got.clone();
        let app = Router::new().fallback(move |request: Request| {
            let keeps = keeps.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
                let body = String::from_utf8_lossy(&body).into_owned();
                let authorization = head.headers.get(header::AUTHORIZATION);
                let authorization = authorization.and_then(|value| value.to_str().ok()).unwrap_or_default();
                let said = format!("{} {} {authorization}\n{body}", head.method, head.uri);
                let all = {
                    let mut keeps = keeps.lock().expect("a list");
                    keeps.push(said);
                    keeps.join("\n")
                };
                answer(head.uri.path(), &all)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, got }
    }
}

fn answer(path: &str, all: &str) -> Response {
    let known = SECRETS.into_iter().filter(|secret| all.contains(secret) || all.contains("Basic "));
    let spelled: Vec<String> = known.flat_map(|secret| spellings(&format!("{secret}:"))).collect();
    let text = format!("{all}\n{}", spelled.join("\n"));
    match path {
        "/granted/json" => axum::Json(json!({ "you sent": text, text: 1 })).into_response(),
        "/granted/pieces" => {
            let pieces: Vec<_> = text
                .into_bytes()
                .chunks(3)
                .map(|piece| Ok::<_, std::convert::Infallible>(piece.to_vec()))
                .collect();
            axum::body::Body::from_stream(futures_util::stream::iter(pieces)).into_response()
        }
        "/granted/500" => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, text).into_response(),
        _ => {
            let mut response = text.into_response();
            for (number, spelling) in spelled.iter().enumerate() {
                let name: axum::http::HeaderName = format!("x-echo-{number}").parse().expect("a name");
                response.headers_mut().insert(name, spelling.parse().expect("a value"));
            }
            response
        }
    }
}

fn login(path: &str) -> Value {
    let backwards: String = PASSWORD.chars().rev().collect();
    json!({ "path": format!("/granted/{path}"), "password": PASSWORD, "enable": ENABLE, "backwards": backwards })
}

fn installation(echo: &Echo) -> Installation {
    let installation = Installation::new();
    installation.install("hostile");
    installation.secret("token", BEARER);
    installation.secret("password", PASSWORD);
    installation.config(&format!(
        "[secrets]\ntoken = {{ file = \"token\" }}\n\n[plugins.hostile.grant.http.api]\nurl = \"{}\"\n\
         credential = {{ bearer = \"token\" }}\nfrom_call = {{ body = [\"/password\", \"/enable\"], basic = true }}\n",
        echo.url
    ));
    installation
}

#[tokio::test]
async fn a_secret_argument_is_in_no_guest_result_log_record_or_file() {
    let echo = Echo::start().await;
    let installation = installation(&echo);
    let mut command = installation.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.env("FLEETGATE_LOG", "trace");
    let server = Server::of(command);
    let client = server.client_of("hostile");
    let mut said = String::new();
    let mut references = Vec::new();
    for path in ["headers", "json", "pieces", "500"] {
        for fail in [false, true] {
            let mut arguments = login(path);
            arguments["fail"] = fail.into();
            let answer = client.call("login", arguments).await;
            if !fail {
                assert_eq!(answer.structured()["found"], 0, "the password stands in the guest's memory");
            }
            let _ = writeln!(said, "{answer:?}");
            references.push(answer.reference());
        }
    }
    let mut wrong = login("headers");
    wrong["password"] = json!([PASSWORD]);
    for (tool, arguments) in [
        ("login_later", login("headers")),
        ("login", wrong),
        ("login", json!({"password": PASSWORD})),
        ("logn", login("json")),
    ] {
        let answer = client.call(tool, arguments).await;
        let _ = writeln!(said, "{answer:?}");
        if tool == "login_later" {
            assert_eq!(answer.structured()["elsewhere"], "invalid-arguments", "{answer:?}");
            assert!(
                answer.structured()["outcome"].as_str().expect("text").contains("[masked]"),
                "{answer:?}"
            );
        }
        if tool.starts_with("login") {
            references.push(answer.reference());
        }
    }
    assert!(said.contains("[masked]"), "the upstream echoed it, so something must be masked");
    for command in [
        &["audit", "find"][..],
        &["audit", "find", "--json"],
        &["audit", "tail", "-n", "1000"],
        &["jobs", "list", "--json"],
        &["check"],
    ] {
        let _ = writeln!(said, "{:?}", installation.fleetgate(command));
    }
    for reference in references {
        let _ = writeln!(said, "{:?}", installation.why(&reference));
    }
    server.logs("fleetgate-secret-").await;
    said += &server.log();
    drop(server);
    for file in files(installation.path()) {
        if file.file_name().is_some_and(|name| name != "token" && name != "password") {
            said += &String::from_utf8_lossy(&std::fs::read(&file).expect("our own file"));
        }
    }
    for secret in SECRETS {
        nowhere(secret, &said);
    }
    assert!(said.contains("fleetgate-secret-"), "the guest's log has the placeholders");

    let got = echo.got.lock().expect("a list").join("\n");
    let basic = STANDARD.encode(format!("netops:{PASSWORD}"));
    assert!(got.contains(&format!("Basic {basic}")), "{got}");
    assert!(got.contains(&format!("\"password\":\"{PASSWORD}\"")) && got.contains(ENABLE), "{got}");
    assert!(!got.contains("fleetgate-secret-"), "what was refused did not arrive: {got}");
}

#[tokio::test]
async fn a_secret_argument_from_a_file_or_stdin_stands_on_no_command_line() {
    use std::io::Write as _;
    use std::process::Stdio;
    let echo = Echo::start().await;
    let installation = installation(&echo);
    let mut arguments = login("headers");
    arguments.as_object_mut().expect("an object").remove("password");
    arguments.as_object_mut().expect("an object").remove("enable");
    let from_file = format!("/password={}", installation.path().join("password").display());
    let arguments = arguments.to_string();
    let mut command = installation.command(&[
        "call",
        "hostile",
        "login",
        &arguments,
        "--secret",
        &from_file,
        "--secret",
        "/enable=-",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("fleetgate starts");
    child.stdin.take().expect("piped").write_all(format!("{ENABLE}\n").as_bytes()).expect("it reads");
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().expect("it ends");
    let said = format!("{output:?}");
    assert!(output.status.success(), "{said}");
    for secret in SECRETS {
        nowhere(secret, &said);
    }
    let got = echo.got.lock().expect("a list").join("\n");
    assert!(got.contains(&format!("\"password\":\"{PASSWORD}\"")) && got.contains(ENABLE), "{got}");

    let installed =
        installation.fleetgate(&["call", "hostile", "login", "{}", "--secret", "/path=/etc/hostname"]);
    let said = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.code() == Some(2) && said.contains("no secret argument of this tool"), "{said}");
}
