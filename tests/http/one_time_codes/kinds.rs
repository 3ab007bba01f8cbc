//! A code is good for one thing, in one project, once.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

use super::{Kind, builder};

on_both_engines! {
    async fn a_code_of_one_kind_is_not_found_at_the_others(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
                other.using(&server, &code).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
                other.check(&server, &code).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
            kind.using(&server, &code).await.expect(200);
        }
    }

    async fn a_code_of_another_project_is_not_found(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            for path in [kind.endpoint().to_owned(), format!("{}/check-code", kind.endpoint())] {
                let mut body = json!({ "code": code });
                if path == "/auth/password/reset" {
                    body["password"] = people::OTHER_PASSWORD.into();
                }
                let request = people::speaking_for(server.post(&path), server.other_project(), "client").json(&body);
                request.send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
            kind.using(&server, &code).await.expect(200);
        }
    }

    async fn a_used_code_stays_used(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            kind.check(&server, &code).await.expect(200);
            kind.using(&server, &code).await.expect(200);
            for spelling in [code.clone(), code.to_uppercase()] {
                kind.using(&server, &spelling).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
                kind.check(&server, &spelling).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
            }
        }
    }

    async fn the_code_of_a_waiting_second_factor_is_no_code_of_a_mail(server, builder = builder()) {
        let fields = json!({ "primary_email": "cy@example.com", "primary_email_auth_enabled": true, "password": people::PASSWORD });
        let cy = people::create(&server, &fields).await;
        let secret = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" });
        people::change(&server, cy["id"].as_str().expect("an id"), &secret).await;
        let body = json!({ "email": "cy@example.com", "password": people::PASSWORD });
        let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        for kind in Kind::ALL {
            let code = details["attempt_code"].as_str().expect("a code");
            kind.using(&server, code).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
    }
}
