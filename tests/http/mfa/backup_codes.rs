//! Backup codes: each works once, whatever happens at the same time.

use latchkey_testkit::on_both_engines;
use latchkey_tests::second_factors::{attempt, backup, call, complete, set_up};
use latchkey_tests::{join_all, people, stored};
use serde_json::json;

on_both_engines! {
    async fn a_backup_code_signs_in_once(server) {
        let (ada, _, codes) = set_up(&server, "ada@example.com").await;
        let first = attempt(&server, "ada@example.com").await;
        let answer = complete(&server, &first, &backup(&codes[0])).await.expect(200);
        let token = answer["access_token"].as_str().expect("a token");
        assert_eq!(stored::session(&server, token).await.expect("a session").amr, "pwd otp mfa");
        let second = attempt(&server, "ada@example.com").await;
        complete(&server, &second, &backup(&codes[0])).await.expect_error(400, "INVALID_BACKUP_CODE");
        complete(&server, &second, &backup(&codes[1])).await.expect(200);
        let status = server.get("/auth/mfa").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(status["backup_codes_remaining"], 8);
        let events = stored::events(&server, &ada.id).await;
        assert!(events.iter().any(|event| event.kind == "second_factor.accepted" && event.details.contains("backup_code")));
    }

    async fn the_spelling_of_a_backup_code_does_not_matter(server) {
        let (_, _, codes) = set_up(&server, "ada@example.com").await;
        for typed in [codes[0].to_uppercase(), codes[1].replace('-', ""), format!(" {} ", codes[2].replace('-', " "))] {
            let attempt = attempt(&server, "ada@example.com").await;
            complete(&server, &attempt, &backup(&typed)).await.expect(200);
        }
    }

    async fn one_backup_code_in_24_sign_ins_at_once_opens_one_session(server) {
        let (_, _, codes) = set_up(&server, "ada@example.com").await;
        let attempts = join_all((0..24).map(|_| attempt(&server, "ada@example.com"))).await;
        let proof = backup(&codes[0]);
        let answers = join_all(attempts.iter().map(|attempt| complete(&server, attempt, &proof))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            refused.expect_error(400, "INVALID_BACKUP_CODE");
        }
    }

    async fn a_backup_code_is_its_users_own(server) {
        let (_, _, codes) = set_up(&server, "ada@example.com").await;
        set_up(&server, "bo@example.com").await;
        let attempt = attempt(&server, "bo@example.com").await;
        complete(&server, &attempt, &backup(&codes[0])).await.expect_error(400, "INVALID_BACKUP_CODE");
    }

    async fn new_codes_end_the_old_ones(server) {
        let (ada, _, old) = set_up(&server, "ada@example.com").await;
        let path = "/auth/mfa/backup-codes/regenerate";
        let new = call(&server, &ada, path, &json!({})).await.expect(200);
        let new: Vec<&str> = new["backup_codes"].as_array().expect("codes").iter().filter_map(|code| code.as_str()).collect();
        assert_eq!(new.len(), 10);
        let attempt = attempt(&server, "ada@example.com").await;
        complete(&server, &attempt, &backup(&old[0])).await.expect_error(400, "INVALID_BACKUP_CODE");
        complete(&server, &attempt, &backup(new[0])).await.expect(200);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"backup_codes.renewed".to_owned()));
    }

    async fn codes_renewed_many_times_at_once_are_ten(server) {
        let (ada, _, _) = set_up(&server, "ada@example.com").await;
        let path = "/auth/mfa/backup-codes/regenerate";
        let body = json!({});
        let answers = join_all((0..6).map(|_| call(&server, &ada, path, &body))).await;
        assert!(answers.iter().any(|answer| answer.status == 200));
        assert!(answers.iter().all(|answer| answer.status < 500 || answer.status == 503));
        let status = server.get("/auth/mfa").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(status["backup_codes_remaining"], 10);
    }

    async fn without_totp_there_are_no_backup_codes(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        call(&server, &ada, "/auth/mfa/backup-codes/regenerate", &json!({})).await.expect_text(400);
    }

    async fn backup_codes_are_nowhere_in_the_clear(server) {
        let (ada, _, codes) = set_up(&server, "ada@example.com").await;
        let first = attempt(&server, "ada@example.com").await;
        complete(&server, &first, &backup(&codes[0])).await.expect(200);
        let seen = people::seen_by_server(&server, &ada.id).await.to_string();
        let events = stored::events(&server, &ada.id).await;
        let events: String = events.into_iter().map(|event| event.details).collect();
        for code in &codes {
            assert!(!seen.contains(code.as_str()) && !events.contains(code.as_str()));
        }
    }
}
