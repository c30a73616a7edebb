//! Who is let in, and to what.

use std::time::Duration;

use fleet_sim::naas::{Behaviour, Claims, known};
use reqwest::Method;
use serde_json::json;

use crate::client::{Api, BOTH, NOT_ALLOWED, NOT_AUTHENTICATED, noon, server, server_of, show};

#[tokio::test]
async fn without_credentials_that_count_everything_but_health_is_401() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let token = server.token(known::ADMIN);
        for authorization in [
            None,
            Some("Bearer".to_owned()),
            Some("Bearer not.a.token".to_owned()),
            Some(format!("Token {token}")),
            Some(format!("Bearer {token}x")),
            Some(format!("Bearer {}", server.token(known::EXPIRED))),
            Some(format!("Bearer {}", server.token(known::REVOKED))),
            Some("Basic !!!".to_owned()),
            Some("Basic bm9jb2xvbg==".to_owned()),
        ] {
            let nobody = Api::with(&server, authorization);
            nobody.command(&show(known::IOS, "show clock")).await.refused(401, NOT_AUTHENTICATED);
            for path in ["/v2/jobs", "/v2/jobs/failed", "/v2/contexts", "/v2/send-command/x"] {
                nobody.get(path).await.refused(401, NOT_AUTHENTICATED);
            }
            nobody.cancel("x").await.refused(401, NOT_AUTHENTICATED);
            nobody.post("/v2/api-keys", &json!({})).await.refused(401, NOT_AUTHENTICATED);
            nobody.delete("/v2/api-keys/k-x").await.refused(401, NOT_AUTHENTICATED);
            assert_eq!(nobody.get("/healthcheck").await.status, 200);
        }
        assert!(server.state().jobs().is_empty());
    }
}

#[tokio::test]
async fn an_api_key_header_is_never_read() {
    let server = server().await;
    let nobody = Api::with(&server, None);
    let request = nobody.request(Method::GET, "/v2/jobs").header("x-api-key", server.token(known::ADMIN));
    nobody.send(request).await.refused(401, NOT_AUTHENTICATED);
}

#[tokio::test]
async fn a_viewer_and_a_key_without_a_role_read_and_do_not_write() {
    let server = server().await;
    let job = Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show clock")).await.job();
    for handle in [known::VIEWER, known::ROLELESS] {
        let viewer = Api::of(&server, handle);
        for path in ["send-command", "send-command-structured", "send-config"] {
            let answer = viewer.post(&format!("/v2/{path}"), &show(known::IOS, "show clock")).await;
            answer.refused(403, NOT_ALLOWED);
        }
        viewer.cancel(&job).await.refused(403, NOT_ALLOWED);
        for path in ["/v2/jobs", "/v2/contexts", &format!("/v2/send-command/{job}")] {
            assert_eq!(viewer.get(path).await.status, 200, "{path}");
        }
    }
    assert_eq!(server.state().jobs().len(), 1);
}

#[tokio::test]
async fn failed_jobs_are_for_viewers_in_the_documents_and_for_operators_in_the_source() {
    for (behaviour, status) in [(Behaviour::AsDocumented, 200), (Behaviour::StrictUpstream, 403)] {
        let server = server_of(behaviour).await;
        assert_eq!(Api::of(&server, known::VIEWER).get("/v2/jobs/failed").await.status, status);
        assert_eq!(Api::of(&server, known::OPERATOR).get("/v2/jobs/failed").await.status, 200);
    }
}

#[tokio::test]
async fn basic_is_an_admin_whoever_it_is() {
    let server = server().await;
    let anybody = Api::basic(&server, "anybody", "with any password");
    assert_eq!(anybody.command(&show(known::IOS, "show clock")).await.status, 202);
    assert_eq!(anybody.get("/v2/jobs/failed").await.status, 200);
}

#[tokio::test]
async fn a_key_works_in_its_contexts_only() {
    let server = server().await;
    let lab = Api::of(&server, known::LAB_OPERATOR);
    lab.command(&show(known::IOS, "show clock")).await.refused(403, NOT_ALLOWED);
    let mut body = show(known::IOS, "show clock");
    body["context"] = known::LAB.into();
    let own = lab.command(&body).await.job();
    assert_eq!(lab.result(&own).await.status, 200);

    let foreign = Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show version")).await.job();
    lab.result(&foreign).await.refused(403, NOT_ALLOWED);
    lab.cancel(&foreign).await.refused(403, NOT_ALLOWED);
}

#[tokio::test]
async fn bearers_read_and_cancel_in_the_documents_and_are_403_in_the_source() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let operator = Api::of(&server, known::OPERATOR);
        let job = operator.command(&show(known::IOS, "show clock")).await.job();
        assert_eq!(operator.get("/v2/jobs").await.status, 200);
        for reader in [known::VIEWER, known::OPERATOR, known::ADMIN] {
            for path in ["send-command", "send-command-structured", "send-config"] {
                let answer = Api::of(&server, reader).get(&format!("/v2/{path}/{job}")).await;
                match behaviour {
                    Behaviour::AsDocumented => assert_eq!(answer.of(200)["job_id"], job),
                    Behaviour::StrictUpstream => answer.refused(403, NOT_ALLOWED),
                }
            }
        }
        match behaviour {
            Behaviour::AsDocumented => operator.cancel(&job).await.empty(),
            Behaviour::StrictUpstream => operator.cancel(&job).await.refused(403, NOT_ALLOWED),
        }
    }
}

#[tokio::test]
async fn the_login_of_a_submit_owns_its_job_whoever_submitted_it() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let job = Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show clock")).await.job();
        assert_eq!(Api::owner(&server).result(&job).await.of(200)["job_id"], job);
        for (username, password) in [(known::USER, "wrong"), ("other", known::PASSWORD)] {
            let stranger = Api::basic(&server, username, password);
            stranger.result(&job).await.refused(403, NOT_ALLOWED);
            stranger.cancel(&job).await.refused(403, NOT_ALLOWED);
        }
        Api::owner(&server).cancel(&job).await.empty();
    }
}

#[tokio::test]
async fn a_job_that_is_not_there_is_404_in_the_documents_and_403_in_the_source() {
    let id = "6fd2bbc8-52b8-4826-8c2a-189968d0de23";
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        for api in [Api::of(&server, known::ADMIN), Api::owner(&server)] {
            let answer = api.result(id).await;
            match behaviour {
                Behaviour::AsDocumented => {
                    let body =
                        json!({"job_id": id, "status": "not_found", "app": "naas", "version": "2.1.0"});
                    assert_eq!(answer.of(404), body);
                }
                Behaviour::StrictUpstream => answer.refused(403, NOT_ALLOWED),
            }
        }
    }
}

#[tokio::test]
async fn any_token_with_the_servers_signature_counts_until_it_expires() {
    let server = server().await;
    let claims = Claims {
        sub: "k-0a1b2c3d4e5f".into(),
        role: Some("operator".into()),
        contexts: vec!["*".into()],
        iat: noon().as_second(),
        exp: Some(noon().as_second() + 60),
    };
    let api = Api::with(&server, Some(format!("Bearer {}", server.state().sign(&claims))));
    assert_eq!(api.get("/v2/jobs").await.status, 200);
    server.state().pass(Duration::from_secs(60));
    api.get("/v2/jobs").await.refused(401, NOT_AUTHENTICATED);
}
