//! Providers that are slow, down or talk nonsense: whoever signs in learns so in time, and nobody else waits.

use std::time::Duration;

use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, code, error_code};
use latchkey_tests::provider::{Provider, Reply, configure};
use latchkey_tests::{join_all, people};
use serde_json::{Value, json};

const UNAVAILABLE: &str = "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// With patience that silence uses up soon, and that a provider on a busy machine does not.
fn impatient() -> Builder {
    oauth::builder().config("oauth.provider_timeout", "2s")
}

/// Far longer than any patience: a provider that is silent stays so for ever.
const FOR_EVER: Duration = Duration::from_mins(1);

fn person() -> Value {
    json!({ "sub": "7", "email": "ada@example.com" })
}

async fn company(server: &TestServer) -> Provider {
    let company = Provider::start().await;
    configure(server, "company", &company.oidc()).await;
    company
}

async fn come_back(server: &TestServer, company: &Provider) -> Answer {
    let at = Flow::new(server, "company").begin().await;
    company.agree(at, &person(), &[("iss", company.url())]).come_back().await
}

/// Everything that is no answer, with its name.
fn troubles() -> [(&'static str, Reply); 8] {
    let page = "<html><script>alert(1)</script></html>".to_owned();
    [
        ("silence", Reply::Silence),
        ("an endless body", Reply::Endless),
        ("a redirect", Reply::Redirect("https://evil.example/token".to_owned())),
        ("a redirect to itself", Reply::Redirect("/token".to_owned())),
        ("500", Reply::Raw(500, "application/json", "{}".to_owned())),
        ("503", Reply::Raw(503, "text/plain", "busy".to_owned())),
        ("a page", Reply::Raw(200, "text/html", page)),
        ("half an answer", Reply::Raw(200, "application/json", "{\"access_token\":".to_owned())),
    ]
}

on_both_engines! {
    async fn trouble_at_any_place_of_the_provider_goes_to_the_client_in_time(server, builder = impatient()) {
        for path in ["/token", "/userinfo"] {
            for (name, reply) in troubles() {
                let company = company(&server).await;
                company.answers(path, reply);
                let answer = tokio::time::timeout(FOR_EVER, come_back(&server, &company)).await;
                let answer = answer.unwrap_or_else(|_| panic!("{path}: {name}: no answer"));
                assert_eq!(error_code(&answer), UNAVAILABLE, "{path}: {name}");
                assert!(!answer.header("location").expect("a location").contains("alert"), "nothing of it is repeated");
            }
        }
    }

    async fn trouble_with_the_keys_goes_to_the_client(server, builder = impatient()) {
        for (name, reply) in troubles() {
            let company = company(&server).await;
            company.answers("/jwks", reply);
            assert_eq!(error_code(&come_back(&server, &company).await), UNAVAILABLE, "{name}");
        }
    }

    async fn trouble_with_the_discovery_document_is_answered_directly(server, builder = impatient()) {
        for (name, reply) in troubles() {
            let company = company(&server).await;
            company.answers(DISCOVERY, reply);
            let answer = Flow::new(&server, "company").answer().await;
            assert_eq!(answer.header("location"), None, "{name}");
            answer.expect_error(503, UNAVAILABLE);
        }
    }

    async fn a_provider_that_is_down_does_not_bring_anybody_down(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let at = Flow::new(&server, "company").begin().await;
        let way = company.agree(at, &person(), &[("iss", company.url())]);
        drop(company);
        assert_eq!(error_code(&way.come_back().await), UNAVAILABLE);
        // What is known of it is good for a while: the browser is still sent there.
        Flow::new(&server, "company").begin().await;
        oauth::sign_in(&server, "google", "ada@example.com").await;
    }

    async fn a_document_of_the_profile_is_asked_for_again_and_a_code_is_not(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let count = |path: &str| company.requests().iter().filter(|request| request.target.ends_with(path)).count();
        company.answers("/userinfo", Reply::Raw(503, "text/plain", String::new()));
        assert_eq!(error_code(&come_back(&server, &company).await), UNAVAILABLE);
        assert_eq!((count("/userinfo"), count("/token")), (3, 1));
        company.answers("/token", Reply::Raw(503, "text/plain", String::new()));
        assert_eq!(error_code(&come_back(&server, &company).await), UNAVAILABLE);
        assert_eq!(count("/token"), 2, "the provider may have used the code up");
    }

    async fn two_hundred_who_wait_for_a_provider_keep_nobody_else_waiting(server, builder = oauth::builder().config("oauth.provider_timeout", "1m")) {
        let company = company(&server).await;
        company.answers("/token", Reply::Silence);
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mut ways = Vec::new();
        for _ in 0..200 {
            let at = Flow::new(&server, "company").begin().await;
            ways.push(company.agree(at, &person(), &[("iss", company.url())]));
        }
        let waiting = join_all(ways.iter().map(oauth::Returning::come_back));
        let others = async {
            company.wait_for("/token", 200).await;
            people::sign_in(&server, "ada@example.com").await;
            people::seen_by_self(&server, &ada).await;
            oauth::sign_in(&server, "google", "grace@example.com").await;
            // It breaks off: everybody learns so at once.
            drop(company);
        };
        let (answers, ()) = tokio::join!(waiting, others);
        assert_eq!(answers.len(), 200);
        assert!(answers.iter().all(|answer| error_code(answer) == UNAVAILABLE));
    }

    async fn refusals_in_words_of_a_providers_own_are_not_repeated(server, builder = oauth::builder()) {
        let company = company(&server).await;
        for body in [
            json!({ "error": "invalid_grant", "error_description": "<script>alert(1)</script>" }),
            json!({ "error": { "message": "<script>", "code": 100 } }),
            json!({ "error": "<script>alert(1)</script>" }),
        ] {
            // Some answer errors with 200.
            company.answers("/token", Reply::Json(body.clone()));
            let answer = come_back(&server, &company).await;
            answer.expect_text(400);
            assert!(!answer.text().contains("script"), "{body}");
        }
        company.answers("/token", Reply::Json(json!({ "error": "access_denied" })));
        assert_eq!(error_code(&come_back(&server, &company).await), "OAUTH_PROVIDER_ACCESS_DENIED");
    }

    async fn a_provider_that_recovers_is_good_again(server, builder = oauth::builder()) {
        let company = company(&server).await;
        company.answers(DISCOVERY, Reply::Raw(503, "text/plain", String::new()));
        Flow::new(&server, "company").answer().await.expect_error(503, UNAVAILABLE);
        company.says(&json!({}));
        code(&come_back(&server, &company).await);
    }
}
