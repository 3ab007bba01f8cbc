//! Twenty requests may try a code, whatever its first six characters: whoever knows the rest, the nonce, must not find
//! them by trying, however many try at once.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::join_all;
use serde_json::json;

use super::{Kind, builder};

/// How many requests are under way at once; as many connections are opened.
const AT_ONCE: usize = 100;

/// Crockford's base32 in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The code with other first characters, another one for each number.
fn guess(code: &str, number: usize) -> String {
    let digit = |place: u32| char::from(ALPHABET[number / 32_usize.pow(place) % 32]);
    let typed: String = (0..6).map(digit).collect();
    let typed = if code.starts_with(&typed) { "zzzzzz".to_owned() } else { typed };
    format!("{typed}{}", &code[6..])
}

/// A request from an address of its own, as far as headers go.
async fn attempt_from(server: &TestServer, number: usize, path: &str, code: &str) -> Answer {
    let address = format!("203.0.{}.{}", number / 250, number % 250 + 1);
    let request =
        server.post(path).client().header("x-forwarded-for", &address).json(&json!({ "code": code }));
    request.send().await
}

on_both_engines! {
    async fn hundreds_of_guesses_at_once_kill_the_code(
        server, builder = builder().config("server.trusted_proxy", "x-forwarded-for")
    ) {
        let code = Kind::SignIn.code(&server).await;
        let try_number = async |number: usize| {
            attempt_from(&server, number, "/auth/otp/sign-in", &guess(&code, number)).await
        };
        for round in 0..3 {
            let guesses = join_all((0..AT_ONCE).map(|number| try_number(round * AT_ONCE + number)));
            for answer in guesses.await {
                answer.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
        }
        for number in 0..3 {
            let answer = attempt_from(&server, 1000 + number, "/auth/otp/sign-in", &code).await;
            answer.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
        }
        let users = server.get("/users").server().send().await.expect(200);
        assert_eq!(users["items"], json!([]));
    }

    async fn of_many_requests_at_once_exactly_twenty_are_answered(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            let answers = join_all((0..60).map(|_| kind.check(&server, &code))).await;
            assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 20, "{kind:?}");
            for answer in answers.iter().filter(|answer| answer.status != 200) {
                answer.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
            }
        }
    }

    async fn guesses_and_right_codes_count_together_and_each_counts_before_its_verdict(server, builder = builder()) {
        let code = Kind::SignIn.code(&server).await;
        let path = "/auth/otp/sign-in/check-code";
        let try_number = async |number: usize| {
            let tried = if number.is_multiple_of(4) { code.clone() } else { guess(&code, number) };
            attempt_from(&server, number, path, &tried).await
        };
        let answers = join_all((0..80).map(try_number)).await;
        assert!(answers.iter().filter(|answer| answer.status == 200).count() <= 20);
        Kind::SignIn.using(&server, &code).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
    }

    async fn the_twentieth_request_may_be_the_right_one(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            for number in 0..19 {
                kind.check(&server, &guess(&code, number)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
            kind.using(&server, &code).await.expect(200);
        }
    }

    async fn other_codes_of_the_same_address_are_not_touched(server, builder = builder()) {
        let (dead, good) = (Kind::SignIn.code(&server).await, Kind::SignIn.code(&server).await);
        for number in 0..20 {
            Kind::SignIn.check(&server, &guess(&dead, number)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        Kind::SignIn.using(&server, &dead).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
        Kind::SignIn.using(&server, &good).await.expect(200);
    }

    async fn guesses_at_another_endpoint_count_as_well(server, builder = builder()) {
        let code = Kind::SignIn.code(&server).await;
        for number in 0..20 {
            Kind::EmailVerification.check(&server, &guess(&code, number)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        Kind::SignIn.using(&server, &code).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
    }

    async fn the_limit_can_be_configured(server, builder = builder().config("codes.attempts", "3")) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            for number in 0..3 {
                kind.check(&server, &guess(&code, number)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
            kind.using(&server, &code).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
        }
    }
}
