//! Contract 05 §3.3: deleting a user and all that belongs to them.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::{join_all, stored};
use serde_json::json;

on_both_engines! {
    async fn a_deleted_user_leaves_nothing_that_opens_anything(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/users/{}", ada.id);
        assert_eq!(server.delete(&path).server().send().await.expect(200), json!({ "success": true }));
        server.get(&path).server().send().await.expect_error(404, "USER_NOT_FOUND");
        server.delete(&path).server().send().await.expect_error(404, "USER_NOT_FOUND");
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let answer = refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await;
        answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
        answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        let list = server.get(&format!("/auth/sessions?user_id={}", ada.id)).admin().send().await.expect(200);
        assert_eq!(list["items"], json!([]));
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"user.deleted".to_owned()), "the record stays");
    }

    async fn the_address_is_free_again(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert_ne!(people::sign_up(&server, "ada@example.com").await.id, ada.id);
    }

    async fn of_racing_deletions_one_succeeds(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/users/{}", ada.id);
        let answers = join_all((0..8).map(|_| server.delete(&path).server().send())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(404, "USER_NOT_FOUND");
        }
    }

    async fn a_deletion_that_races_sign_ins_and_refreshes_is_never_a_5xx(server) {
        for round in 0..3 {
            let email = format!("ada{round}@example.com");
            let ada = people::sign_up(&server, &email).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let sign_ins = join_all((0..4).map(|_| server.post("/auth/password/sign-in").client().json(&body).send()));
            let refreshes = join_all((0..6).map(|_| {
                let refresh = server.post("/auth/sessions/current/refresh").client();
                refresh.json(&json!({ "refresh_token": ada.refresh_token })).send()
            }));
            let path = format!("/users/{}", ada.id);
            let delete = server.delete(&path).server().send();
            let (sign_ins, refreshes, deleted) = tokio::join!(sign_ins, refreshes, delete);
            deleted.expect(200);
            server.flush().await;
            for answer in sign_ins.iter().chain(&refreshes) {
                assert!(answer.status < 500, "{}", answer.text());
            }
        }
    }
}
