//! Design §5: how passwords are kept, how imported and outdated hashes are replaced, and what a full queue answers.

use std::collections::BTreeSet;

use latchkey_crypto::{HashParams, PasswordHasher, Secret};
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD};
use latchkey_tests::{join_all, stored};
use serde_json::{Value, json};

use super::{try_sign_in, try_sign_up};

/// [`PASSWORD`] by bcrypt with cost 5.
const BCRYPT: &str = "$2b$05$c0nzIfHPZhtAZphVti7DiuDZ84GsRro/rRqYWp1XoP8r5Ym6xH7Vy";

async fn with_hash(server: &TestServer, hash: &str) -> Value {
    let fields = json!({
        "primary_email": "ada@example.com", "primary_email_auth_enabled": true, "password_hash": hash,
    });
    people::create(server, &fields).await
}

fn id(user: &Value) -> &str {
    user["id"].as_str().expect("an id")
}

fn narrow() -> Builder {
    TestServer::builder().config("passwords.threads", "1").config("passwords.queue", "1")
}

on_both_engines! {
    async fn a_password_is_kept_as_argon2id_with_a_salt_of_its_own(server) {
        let (ada, bo) = (people::sign_up(&server, "ada@example.com").await, people::sign_up(&server, "bo@example.com").await);
        let hashes: BTreeSet<String> = [
            stored::password_hash(&server, &ada.id).await.expect("a hash"),
            stored::password_hash(&server, &bo.id).await.expect("a hash"),
        ].into();
        assert_eq!(hashes.len(), 2, "the same password, two hashes");
        assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$m=")), "{hashes:?}");
    }

    async fn an_imported_bcrypt_hash_is_replaced_at_the_next_sign_in(server) {
        let user = with_hash(&server, BCRYPT).await;
        assert_eq!(user["has_password"], true);
        assert_eq!(stored::password_hash(&server, id(&user)).await.as_deref(), Some(BCRYPT));
        try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        assert_eq!(stored::password_hash(&server, id(&user)).await.as_deref(), Some(BCRYPT), "a wrong one replaces nothing");
        people::sign_in(&server, "ada@example.com").await;
        let replaced = stored::password_hash(&server, id(&user)).await.expect("a hash");
        assert!(replaced.starts_with("$argon2id$"), "{replaced}");
        people::sign_in(&server, "ada@example.com").await;
        assert_eq!(stored::password_hash(&server, id(&user)).await, Some(replaced), "once is enough");
    }

    async fn each_spelling_of_bcrypt_signs_in(server) {
        for (index, prefix) in ["$2a$", "$2b$", "$2y$"].into_iter().enumerate() {
            let email = format!("user{index}@example.com");
            let hash = BCRYPT.replacen("$2b$", prefix, 1);
            let fields = json!({ "primary_email": email, "primary_email_auth_enabled": true, "password_hash": hash });
            let user = people::create(&server, &fields).await;
            assert_eq!(people::sign_in(&server, &email).await.id, user["id"], "{prefix}");
        }
    }

    async fn racing_sign_ins_with_an_outdated_hash_all_succeed(server) {
        let user = with_hash(&server, BCRYPT).await;
        for answer in join_all((0..8).map(|_| try_sign_in(&server, "ada@example.com", PASSWORD))).await {
            assert_eq!(answer.expect(200)["user_id"], user["id"]);
        }
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn an_argon2_hash_with_other_parameters_is_replaced(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let current = stored::password_hash(&server, &ada.id).await.expect("a hash");
        let params = HashParams { memory_kib: 9000, iterations: 3, parallelism: 1 };
        let hasher = PasswordHasher::new(params, 1, 4).expect("a hasher");
        let old = hasher.hash(Secret::new(PASSWORD.to_owned())).await.expect("a hash");
        assert!(old.contains("m=9000,t=3"), "{old}");
        stored::set_password_hash(&server, &ada.id, &old).await;
        people::sign_in(&server, "ada@example.com").await;
        let replaced = stored::password_hash(&server, &ada.id).await.expect("a hash");
        let parameters = |hash: &str| hash.split('$').nth(3).map(str::to_owned);
        assert_ne!(replaced, old);
        assert_eq!(parameters(&replaced), parameters(&current));
    }

    async fn a_full_queue_answers_503_and_when_to_come_back(server, builder = narrow()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let sign_ins = join_all((0..40).map(|_| try_sign_in(&server, "ada@example.com", PASSWORD)));
        let reads = join_all((0..40).map(|_| people::seen_by_self(&server, &ada)));
        let (answers, _) = tokio::join!(sign_ins, reads);
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert!(!done.is_empty() && !refused.is_empty(), "{} and {}", done.len(), refused.len());
        for answer in refused {
            answer.expect_text(503);
            let seconds: u32 = answer.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
            assert!((1..=60).contains(&seconds), "{seconds}");
        }
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn the_secrets_of_an_account_are_in_no_answer(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let fields = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" });
        let user = people::change(&server, &ada.id, &fields).await.to_string();
        let hash = stored::password_hash(&server, &ada.id).await.expect("a hash");
        for secret in ["argon2", hash.as_str(), "MTIzNDU2", PASSWORD] {
            assert!(!user.contains(secret), "{secret} in {user}");
        }
        let wrong = try_sign_up(&server, "ada@example.com", "short").await.text();
        assert!(!wrong.contains("short\""), "{wrong}");
    }
}
