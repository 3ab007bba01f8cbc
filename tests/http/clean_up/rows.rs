//! Sessions, codes, mails, keys and events that have outlived their time, each with a neighbour that has not.

use latchkey_api_types::ids::{OneTimeCodeId, ProjectId};
use latchkey_crypto::TokenHash;
use latchkey_identity::{clean_up, signing_keys};
use latchkey_storage::engine::{Stmt, stmt};
use latchkey_storage::one_time_codes::{self, OneTimeCodeRow};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::json;

const DAY: i64 = 24 * 3600;

async fn clean(server: &TestServer) -> u64 {
    clean_up::run(server.app()).await.expect("a clean-up")
}

async fn write(server: &TestServer, statements: Vec<Stmt>) {
    server.app().store.batch(statements).await.expect("rows");
}

async fn count(server: &TestServer, text: &'static str) -> i64 {
    let outcomes = server.app().store.batch(vec![stmt(text, Vec::new())]).await.expect("a count");
    outcomes[0].first::<(i64,)>().expect("a number").expect("a row").0
}

fn project(server: &TestServer) -> ProjectId {
    server.project_id().parse().expect("a project id")
}

fn code(server: &TestServer, text: &str, expires_at: i64, used_at: Option<i64>) -> Stmt {
    one_time_codes::insert(&OneTimeCodeRow {
        project_id: project(server),
        id: OneTimeCodeId::from_uuid(server.app().random.uuid()),
        kind: "test".to_owned(),
        code_hash: TokenHash::of(text),
        suffix_hash: TokenHash::of(text),
        data: "{}".to_owned(),
        attempts: 0,
        created_at: server.app().now(),
        expires_at,
        used_at,
        user_id: None,
    })
}

on_both_engines! {
    async fn a_session_goes_a_week_after_its_end(server) {
        let user = people::create(&server, &json!({})).await;
        for lifetime in [1000, 2000] {
            let body = json!({ "user_id": user["id"], "expires_in_millis": lifetime });
            server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        }
        let list = format!("/auth/sessions?user_id={}", user["id"].as_str().expect("an id"));
        server.clock().advance_millis(7 * DAY * 1000 + 1000);
        assert_eq!(clean(&server).await, 0);
        server.clock().advance_millis(1);
        assert_eq!(clean(&server).await, 1);
        let left = server.get(&list).server().send().await.expect(200);
        assert_eq!(left["items"].as_array().map(Vec::len), Some(1));
    }

    async fn a_code_goes_a_day_after_its_use_or_its_end(server) {
        let now = server.app().now();
        let day = DAY * 1000;
        write(&server, vec![
            code(&server, "used", now + 30 * day, Some(now)), code(&server, "expired", now, None),
            code(&server, "fresh", now + 30 * day, None), code(&server, "used later", now + 30 * day, Some(now + 1)),
        ]).await;
        server.clock().advance_seconds(DAY);
        assert_eq!(clean(&server).await, 0);
        server.clock().advance_millis(1);
        assert_eq!(clean(&server).await, 2);
        assert_eq!(count(&server, "SELECT COUNT(*) FROM one_time_codes").await, 2);
    }

    async fn a_mail_goes_thirty_days_after_it_was_sent_and_a_waiting_one_never(server) {
        let sign_up = |email: &str| {
            let body = json!({ "email": email, "password": people::PASSWORD, "verification_callback_url": "http://localhost/" });
            server.post("/auth/password/sign-up").client().json(&body).send()
        };
        sign_up("ada@example.com").await.expect(200);
        server.flush().await;
        sign_up("bo@example.com").await.expect(200);
        server.flush().await;
        let later = stmt("UPDATE outbox SET state = 'waiting', ended_at = NULL, is_paused = TRUE WHERE id = (SELECT MAX(id) FROM outbox)", Vec::new());
        write(&server, vec![later.exactly(1)]).await;
        server.clock().advance_seconds(30 * DAY);
        let everything = "SELECT COUNT(*) FROM outbox";
        clean(&server).await;
        assert_eq!(count(&server, everything).await, 2);
        server.clock().advance_millis(1);
        clean(&server).await;
        assert_eq!(count(&server, everything).await, 1);
    }

    async fn a_retired_key_goes_when_no_token_of_it_can_live(server) {
        people::sign_up(&server, "ada@example.com").await;
        signing_keys::rotate(server.app(), &project(&server), true).await.expect("a rotation");
        // Ten minutes of a token's life, and a minute for servers that had not noticed.
        server.clock().advance_seconds(11 * 60);
        assert_eq!(clean(&server).await, 0);
        server.clock().advance_millis(1);
        assert_eq!(clean(&server).await, 1);
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn events_are_kept_unless_the_configuration_says_how_long(server) {
        people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(4000 * DAY);
        let everything = "SELECT COUNT(*) FROM audit_events";
        let before = count(&server, everything).await;
        clean(&server).await;
        assert_eq!(count(&server, everything).await, before);
        let twin = server.twin_with(|builder| builder.config("retention.audit_events", "90d")).await;
        twin.clock().advance_seconds(90 * DAY);
        clean(&twin).await;
        assert_eq!(count(&server, everything).await, before, "not yet");
        twin.clock().advance_millis(1);
        clean(&twin).await;
        assert_eq!(count(&server, everything).await, 0);
    }

    async fn more_rows_than_one_transaction_takes_go_all_the_same(server) {
        let now = server.app().now();
        let codes: Vec<Stmt> = (0..1203).map(|number| code(&server, &format!("code {number}"), now, None)).collect();
        for chunk in codes.chunks(400) {
            write(&server, chunk.to_vec()).await;
        }
        server.clock().advance_millis(DAY * 1000 + 1);
        assert_eq!(clean(&server).await, 1203);
    }
}
