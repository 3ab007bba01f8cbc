//! Contract 08 §6: the operators' probe of mail.

use latchkey_storage::StorageError;
use latchkey_storage::engine::args;
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::owners;
use reqwest::Method;
use serde_json::json;

const TOKEN: &str = "monitoring-0123456789";
const ADDRESS: &str = "probe@example.com";

fn with_probe() -> Builder {
    TestServer::builder().config("health.email_token", TOKEN).config("health.email_address", ADDRESS)
}

async fn probe(server: &TestServer, authorization: Option<&str>) -> Answer {
    let request = server.request(Method::POST, "/health/email");
    match authorization {
        Some(value) => request.header("authorization", value).send().await,
        None => request.send().await,
    }
}

/// How many users and how many teams the project `internal` has.
async fn internal(server: &TestServer) -> (usize, usize) {
    let project = latchkey_api_types::ids::ProjectId::internal();
    let read = server.app().store.read(move |tx| {
        Box::pin(async move {
            let users: Vec<(String,)> =
                tx.query("SELECT id FROM users WHERE project_id = $1", args![project]).await?;
            let teams: Vec<(String,)> =
                tx.query("SELECT id FROM teams WHERE project_id = $1", args![project]).await?;
            Ok::<_, StorageError>((users.len(), teams.len()))
        })
    });
    read.await.expect("counts")
}

on_both_engines! {
    async fn a_probe_sends_a_mail_and_leaves_no_account(server, builder = with_probe()) {
        owners::sign_up(&server, "somebody@example.com").await;
        let before = internal(&server).await;
        let bearer = format!("Bearer {TOKEN}");
        let answer = probe(&server, Some(&bearer)).await;
        assert_eq!(answer.expect(200), json!({ "status": "ok" }));
        assert_eq!(answer.header("cache-control"), Some("no-store, max-age=0"));
        let mails = server.mailbox().list(Some(ADDRESS));
        assert_eq!(mails.len(), 1);
        assert_eq!(internal(&server).await, before);
        probe(&server, Some(&bearer)).await.expect(200);
        assert_eq!(server.mailbox().list(Some(ADDRESS)).len(), 2, "as often as it is asked for");
    }

    async fn nobody_probes_without_the_token(server, builder = with_probe()) {
        for wrong in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Bearer monitoring-012345678"), Some("Basic monitoring-0123456789"), Some(TOKEN)] {
            let answer = probe(&server, wrong).await;
            assert_eq!(answer.status, 401, "{wrong:?}");
            assert!(!answer.text().contains(TOKEN));
        }
        assert_eq!(server.mailbox().list(None).len(), 0);
        let get = server.request(Method::GET, "/health/email").header("authorization", &format!("Bearer {TOKEN}"));
        assert_eq!(get.send().await.status, 405);
    }

    async fn without_a_token_in_the_configuration_there_is_no_probe(server) {
        for authorization in [None, Some("Bearer "), Some("Bearer x")] {
            assert_eq!(probe(&server, authorization).await.status, 404);
        }
    }

    async fn several_probes_at_a_time_are_no_trouble(server, builder = with_probe()) {
        let bearer = format!("Bearer {TOKEN}");
        let before = internal(&server).await;
        let answers = latchkey_tests::join_all((0..4).map(|_| probe(&server, Some(&bearer)))).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!((internal(&server).await, server.mailbox().list(Some(ADDRESS)).len()), (before, 4));
    }
}
