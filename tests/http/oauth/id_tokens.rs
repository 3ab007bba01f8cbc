//! ID tokens that a provider sends, or somebody in its place (OpenID Connect Core 1.0 §3.1.3.7).

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::forge::{Forger, encode};
use latchkey_tests::oauth::{self, Flow, code};
use latchkey_tests::provider::{Provider, configure};
use serde_json::{Value, json};

fn person() -> Value {
    json!({ "sub": "7", "email": "ada@example.com" })
}

async fn company(server: &TestServer) -> Provider {
    let company = Provider::start().await;
    configure(server, "company", &company.oidc()).await;
    company
}

/// Comes back and is refused, with nobody made on the way.
async fn refused(server: &TestServer, company: &Provider, what: &str) {
    let at = Flow::new(server, "company").begin().await;
    let answer = company.agree(at, &person(), &[("iss", company.url())]).come_back().await;
    assert_eq!(answer.header("location"), None, "{what}");
    answer.expect_text(400);
    let users = server.get("/users").server().send().await.expect(200);
    assert_eq!(users["items"], json!([]), "{what}");
}

async fn accepted(server: &TestServer, company: &Provider) {
    let at = Flow::new(server, "company").begin().await;
    code(&company.agree(at, &person(), &[("iss", company.url())]).come_back().await);
}

on_both_engines! {
    async fn unsigned_tokens_and_those_signed_by_the_public_key_are_refused(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let kid = company.key().kid().to_owned();
        let public = serde_json::to_string(&company.key().public_jwk()).expect("JSON");
        for header in [json!({ "alg": "none" }), json!({ "alg": "none", "kid": kid }), json!({ "alg": "None", "kid": kid })] {
            company.forges(move |claims| format!("{}.{}.", encode(header.to_string()), encode(claims.to_string())));
            refused(&server, &company, "alg none").await;
        }
        for alg in ["HS256", "HS384", "HS512"] {
            let (kid, secret) = (kid.clone(), public.clone());
            company.forges(move |claims| {
                let header = json!({ "alg": alg, "kid": kid });
                let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
                let algorithm = match alg {
                    "HS256" => aws_lc_rs::hmac::HMAC_SHA256,
                    "HS384" => aws_lc_rs::hmac::HMAC_SHA384,
                    _ => aws_lc_rs::hmac::HMAC_SHA512,
                };
                let key = aws_lc_rs::hmac::Key::new(algorithm, secret.as_bytes());
                format!("{signed}.{}", encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes())))
            });
            refused(&server, &company, alg).await;
        }
    }

    async fn the_key_of_somebody_else_is_refused_even_if_the_token_brings_it(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let kid = company.key().kid().to_owned();
        let thief = Forger::own(&kid);
        company.forges(move |claims| thief.claim(claims));
        refused(&server, &company, "the right key id").await;
        let thief = Forger::own("mine");
        company.forges(move |claims| {
            let header = json!({ "alg": "ES256", "kid": "mine", "jwk": thief.jwk(), "jku": "https://evil.example/keys" });
            thief.sign(&header, &claims.to_string())
        });
        refused(&server, &company, "a key of its own").await;
    }

    async fn tokens_without_nonce_or_with_that_of_another_request_are_refused(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let earlier = Flow::new(&server, "company").begin().await.parameter("nonce").expect("a nonce");
        for nonce in [Value::Null, json!(""), json!("x"), json!(earlier), json!([earlier]), json!(true)] {
            company.claims(&json!({ "nonce": nonce }));
            refused(&server, &company, &nonce.to_string()).await;
        }
    }

    async fn tokens_of_another_issuer_for_another_client_or_of_another_time_are_refused(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let now = latchkey_identity::Clock::now_seconds(server.clock());
        for claims in [
            json!({ "iss": "https://evil.example" }), json!({ "iss": format!("{}/", company.url()) }), json!({ "iss": null }),
            json!({ "aud": "another-client" }), json!({ "aud": [] }), json!({ "aud": null }), json!({ "aud": "" }),
            json!({ "aud": ["our-client", "another-client"] }), json!({ "aud": ["our-client", "another-client"], "azp": "our-client" }),
            json!({ "azp": "another-client" }),
            json!({ "exp": now - 61 }), json!({ "exp": null }), json!({ "exp": "never" }), json!({ "iat": now + 3600 }), json!({ "iat": null }),
            json!({ "nbf": now + 3600 }), json!({ "sub": "" }), json!({ "sub": null }), json!({ "sub": ["7"] }), json!({ "sub": "a".repeat(256) }),
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
        ] {
            company.claims(&claims);
            refused(&server, &company, &claims.to_string()).await;
        }
        company.claims(&json!({}));
        accepted(&server, &company).await;
    }

    async fn an_answer_without_id_token_is_refused_where_one_is_due(server, builder = oauth::builder()) {
        let company = company(&server).await;
        for token in ["", "x", "a.b.c"] {
            company.forges(move |_| token.to_owned());
            refused(&server, &company, token).await;
        }
    }

    async fn userinfo_of_somebody_else_is_refused(server, builder = oauth::builder()) {
        let company = company(&server).await;
        company.claims(&json!({ "sub": "8" }));
        let at = Flow::new(&server, "company").begin().await;
        let answer = company.agree(at, &person(), &[("iss", company.url())]).come_back().await;
        assert_eq!(oauth::error_code(&answer), "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE");
        assert_eq!(server.get("/users").server().send().await.expect(200)["items"], json!([]));
    }
}
