//! Tokens that must open nothing: forged, foreign, inconsistent, cut. Each is refused as unparsable, never with 5xx.

use latchkey_crypto::hmac_sha256;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::forge::{Forger, encode};
use latchkey_tests::people::{self, Person};
use latchkey_tests::tokens::claims;
use serde_json::{Value, json};

/// Every token is refused wherever a token may stand, and the genuine one still works afterwards.
async fn assert_refused(server: &TestServer, genuine: &Person, tokens: &[(String, String)]) {
    for (name, token) in tokens {
        let ask = || server.get("/users/me").client().header("x-stack-allow-anonymous-user", "true");
        let answer = ask().header("x-stack-access-token", token).send().await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        answer.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        let admin = ask().header("x-stack-admin-access-token", token).send().await;
        assert_eq!(admin.status, 401, "{name} as admin token: {}", admin.text());
        admin.expect_error(401, "UNPARSABLE_ADMIN_ACCESS_TOKEN");
    }
    people::seen_by_self(server, genuine).await;
}

fn named(tokens: impl IntoIterator<Item = (&'static str, String)>) -> Vec<(String, String)> {
    tokens.into_iter().map(|(name, token)| (name.to_owned(), token)).collect()
}

/// A person, the key that signs for them, and what their token says.
async fn setting(server: &TestServer) -> (Person, Forger, Value) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let forger = Forger::of_server(server, server.project_id(), "normal").await;
    let said = claims(&ada.access_token);
    (ada, forger, said)
}

fn with(said: &Value, changes: &[(&str, Value)]) -> Value {
    let mut changed = said.clone();
    for (name, value) in changes {
        changed[*name] = value.clone();
    }
    changed
}

fn without(said: &Value, name: &str) -> Value {
    let mut changed = said.clone();
    changed.as_object_mut().expect("claims").remove(name);
    changed
}

on_both_engines! {
    async fn the_forger_with_the_servers_key_is_believed(server) {
        // Otherwise the tests below would prove nothing.
        let (ada, forger, said) = setting(&server).await;
        let token = forger.claim(&said);
        let user = server.get("/users/me").client().user(&token).send().await.expect(200);
        assert_eq!(user["id"], ada.id);
    }

    async fn tokens_without_a_true_signature_are_refused(server) {
        let (ada, forger, said) = setting(&server).await;
        let payload = said.to_string();
        let body = format!("{}.{}", encode(forger.header().to_string()), encode(&payload));
        let hs256 = |secret: &[u8]| {
            let signed = format!("{}.{}", encode(json!({ "alg": "HS256", "kid": forger.kid }).to_string()), encode(&payload));
            let signature = hmac_sha256(secret, signed.as_bytes());
            format!("{signed}.{}", encode(signature))
        };
        let none = |alg: &str| format!("{}.{}.", encode(json!({ "alg": alg, "kid": forger.kid }).to_string()), encode(&payload));
        let signature = ada.access_token.rsplit('.').next().expect("a signature");
        let stranger = Forger::own(&forger.kid);
        let p384 = Forger::on_p384(&forger.kid);
        assert_refused(&server, &ada, &named([
            ("none", none("none")),
            ("None", none("None")),
            ("NONE", none("NONE")),
            ("none with a signature", format!("{}{signature}", none("none"))),
            ("no algorithm", forger.sign(&json!({ "kid": forger.kid }), &payload)),
            ("HS256 with the point", hs256(forger.point())),
            ("HS256 with the JWK", hs256(forger.jwk().to_string().as_bytes())),
            ("HS256 with the x coordinate", hs256(forger.jwk()["x"].as_str().expect("x").as_bytes())),
            ("HS256 with nothing", hs256(b"")),
            ("a stranger's key under a known id", stranger.claim(&said)),
            ("P-384 as ES256", p384.claim(&said)),
            ("P-384 as ES384", p384.sign(&json!({ "alg": "ES384", "kid": forger.kid }), &payload)),
            ("another algorithm's name", forger.sign(&json!({ "alg": "RS256", "kid": forger.kid }), &payload)),
            ("algorithm in lower case", forger.sign(&json!({ "alg": "es256", "kid": forger.kid }), &payload)),
            ("an empty signature", format!("{body}.")),
            ("a zero signature", format!("{body}.{}", encode([0; 64]))),
            ("r and s of one", {
                let mut one = [0; 64];
                (one[31], one[63]) = (1, 1);
                format!("{body}.{}", encode(one))
            }),
            ("a signature of all ones", format!("{body}.{}", encode([255; 64]))),
            ("a long signature", format!("{body}.{}", encode([1; 96]))),
            ("the signature of another token", {
                let other = with(&said, &[("name", json!("Mallory"))]);
                format!("{}.{}.{signature}", encode(forger.header().to_string()), encode(other.to_string()))
            }),
        ])).await;
    }

    async fn tokens_that_bring_their_own_key_are_refused(server) {
        let (ada, forger, said) = setting(&server).await;
        let payload = said.to_string();
        let stranger = Forger::own("mallory");
        let mut tokens = Vec::new();
        for (name, value) in [
            ("jwk", stranger.jwk()), ("jku", json!("https://evil.example.net/jwks.json")),
            ("x5u", json!("https://evil.example.net/cert.pem")), ("x5c", json!(["MIIB"])), ("crit", json!(["exp"])),
        ] {
            let header = |forger: &Forger, kid: &str| {
                let mut header = json!({ "alg": "ES256", "kid": kid });
                header[name] = value.clone();
                forger.sign(&header, &payload)
            };
            tokens.push((format!("{name}, a stranger's"), header(&stranger, "mallory")));
            tokens.push((format!("{name}, a stranger's under a known id"), header(&stranger, &forger.kid)));
            tokens.push((format!("{name}, beside a true signature"), header(&forger, &forger.kid)));
        }
        assert_refused(&server, &ada, &tokens).await;
    }

    async fn tokens_with_a_strange_key_id_are_refused(server) {
        let (ada, forger, said) = setting(&server).await;
        people::restricted(&server).await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
        let body = json!({ "email": "bo@example.com", "password": people::PASSWORD });
        request.json(&body).send().await.expect(200);
        let foreign = Forger::of_server(&server, &other.id, "normal").await;
        let restricted = Forger::of_server(&server, server.project_id(), "restricted").await;
        let id = |kid: Value| forger.sign(&json!({ "alg": "ES256", "kid": kid }), &said.to_string());
        assert_refused(&server, &ada, &named([
            ("the id of another project's key", id(json!(foreign.kid))),
            ("another project's key", foreign.claim(&said)),
            ("another project's key under the known id", {
                foreign.sign(&forger.header(), &said.to_string())
            }),
            ("the key of another kind of user", restricted.claim(&said)),
            ("no id", forger.sign(&json!({ "alg": "ES256" }), &said.to_string())),
            ("an unknown id", id(json!("abcdefghijkl"))),
            ("an empty id", id(json!(""))),
            ("an id that is no text", id(json!(7))),
            ("an id that is null", id(json!(null))),
            ("an id that is SQL", id(json!("' OR 1=1 --"))),
            ("an id that is a path", id(json!("../../etc/passwd"))),
            ("an id with NUL", id(json!("a\0b"))),
            ("a long id", id(json!("k".repeat(4000)))),
        ])).await;
    }

    async fn tokens_for_somebody_else_are_refused(server) {
        let (ada, forger, said) = setting(&server).await;
        let (own, other) = (server.project_id().to_owned(), server.other_project().id.clone());
        let api = &server.app().public_url;
        let changed = |changes: &[(&str, Value)]| forger.claim(&with(&said, changes));
        let issuer = |text: String| changed(&[("iss", json!(text))]);
        let audience = |value: Value| changed(&[("aud", value)]);
        assert_refused(&server, &ada, &named([
            ("a foreign issuer", issuer("https://evil.example.net".to_owned())),
            ("another host", issuer(format!("https://evil.example.net/api/v1/projects/{own}"))),
            ("a trailing slash", issuer(format!("{api}/api/v1/projects/{own}/"))),
            ("another version", issuer(format!("{api}/api/latest/projects/{own}"))),
            ("another project's issuer", issuer(format!("{api}/api/v1/projects/{other}"))),
            ("another kind's issuer", issuer(format!("{api}/api/v1/projects-anonymous-users/{own}"))),
            ("no issuer", forger.claim(&without(&said, "iss"))),
            ("an issuer that is a list", changed(&[("iss", json!([said["iss"]]))])),
            ("another project's audience", audience(json!(other))),
            ("an unknown audience", audience(json!("00000000-0000-4000-8000-00000000dead"))),
            ("an audience that is a list", audience(json!([own]))),
            ("no audience", forger.claim(&without(&said, "aud"))),
            ("another kind's audience", audience(json!(format!("{own}:anon")))),
            ("a made-up kind's audience", audience(json!(format!("{own}:admin")))),
            ("an audience with two kinds", audience(json!(format!("{own}:anon:anon")))),
            ("an audience that is no project", audience(json!("nonsense"))),
            ("an audience with NUL", audience(json!("a\0"))),
        ])).await;
    }

    async fn tokens_that_contradict_themselves_are_refused(server) {
        let (ada, forger, said) = setting(&server).await;
        let other = server.other_project().id.clone();
        let now = server.app().now() / 1000;
        let reason = json!({ "type": "restricted_by_administrator" });
        let changed = |changes: &[(&str, Value)]| forger.claim(&with(&said, changes));
        assert_refused(&server, &ada, &named([
            ("not valid yet", changed(&[("nbf", json!(now + 60))])),
            ("another project in the claims", changed(&[("project_id", json!(other))])),
            ("another branch", changed(&[("branch_id", json!("dev"))])),
            ("restricted without a reason", changed(&[("is_restricted", json!(true))])),
            ("a reason without a restriction", changed(&[("restricted_reason", reason.clone())])),
            ("restricted in a plain audience", changed(&[("is_restricted", json!(true)), ("restricted_reason", reason)])),
            ("anonymous but not restricted", changed(&[("is_anonymous", json!(true))])),
            ("a reason that does not exist", {
                changed(&[("is_restricted", json!(true)), ("restricted_reason", json!({ "type": "mood" }))])
            }),
            ("a user that is no id", changed(&[("sub", json!("ada"))])),
            ("a session that is no id", changed(&[("refresh_token_id", json!("'; --"))])),
            ("an end that is text", changed(&[("exp", json!("tomorrow"))])),
            ("an end beyond numbers", forger.sign(&forger.header(), &said.to_string().replace("\"exp\":", "\"exp\":1e400,\"x\":"))),
            ("no end", forger.claim(&without(&said, "exp"))),
            ("no user", forger.claim(&without(&said, "sub"))),
            ("no session", forger.claim(&without(&said, "refresh_token_id"))),
            ("no flags", forger.claim(&without(&said, "is_restricted"))),
            ("claims that are a list", forger.sign(&forger.header(), "[]")),
            ("claims that are text", forger.sign(&forger.header(), "\"claims\"")),
            ("no claims", forger.sign(&forger.header(), "{}")),
            ("claims that are not JSON", forger.sign(&forger.header(), "claims")),
        ])).await;
    }

    async fn tokens_that_were_cut_or_respelled_are_refused(server) {
        let (ada, _, _) = setting(&server).await;
        let token = &ada.access_token;
        let parts: Vec<&str> = token.split('.').collect();
        let mut tokens = named([
            ("one part", parts[0].to_owned()),
            ("two parts", parts[..2].join(".")),
            ("four parts", format!("{token}.{}", parts[2])),
            ("five parts", format!("{token}..")),
            ("dots", "..".to_owned()),
            ("an empty header", format!(".{}.{}", parts[1], parts[2])),
            ("an empty payload", format!("{}..{}", parts[0], parts[2])),
            ("padding", format!("{token}==")),
            ("a space inside", token.replacen('.', ". ", 1)),
            ("two tokens", format!("{token},{token}")),
            ("a long token", format!("{token}{}", "A".repeat(20_000))),
            ("a long header", format!("{}.{}.{}", "A".repeat(20_000), parts[1], parts[2])),
            ("deep JSON", format!("{}.{}.{}", encode("[".repeat(9000)), parts[1], parts[2])),
            ("deep claims", format!("{}.{}.{}", parts[0], encode("[".repeat(9000)), parts[2])),
            ("not base64", format!("{}.{}.!!!", parts[0], parts[1])),
            ("umlauts", "ä.ö.ü".to_owned()),
            ("quotes", format!("\"{token}\"")),
        ]);
        for length in (1..token.len()).step_by(37) {
            tokens.push((format!("cut to {length}"), token[..length].to_owned()));
        }
        for at in (0..token.len()).step_by(29).filter(|at| token.as_bytes()[*at] != b'.') {
            let other = if token.as_bytes()[at] == b'A' { 'B' } else { 'A' };
            tokens.push((format!("one letter changed at {at}"), format!("{}{other}{}", &token[..at], &token[at + 1..])));
        }
        assert_refused(&server, &ada, &tokens).await;
    }

    async fn the_last_letter_of_a_signature_has_one_spelling(server) {
        // 64 bytes leave four bits of the last letter unused; they must be zero (RFC 4648 section 3.5).
        let (ada, _, _) = setting(&server).await;
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = ada.access_token.chars().last().and_then(|letter| alphabet.find(letter)).expect("a letter");
        let respelled = alphabet.as_bytes()[last | 1] as char;
        let token = format!("{}{respelled}", &ada.access_token[..ada.access_token.len() - 1]);
        assert_refused(&server, &ada, &[("unused bits".to_owned(), token)]).await;
    }

    async fn a_bearer_header_is_no_way_around(server) {
        let (ada, forger, said) = setting(&server).await;
        let stranger = Forger::own(&forger.kid).claim(&said);
        let request = server.get("/users/me").client().header("authorization", &format!("Bearer {stranger}"));
        request.send().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        people::seen_by_self(&server, &ada).await;
    }

    async fn a_true_token_that_expired_long_ago_tells_when(server) {
        let (ada, forger, said) = setting(&server).await;
        let token = forger.claim(&with(&said, &[("exp", json!(1_000_000_000)), ("iat", json!(999_999_000))]));
        let answer = server.get("/users/me").client().user(&token).send().await;
        let details = answer.expect_error(401, "ACCESS_TOKEN_EXPIRED");
        assert_eq!(details["expired_at_millis"], 1_000_000_000_000_i64);
        assert_eq!(details["user_id"], ada.id);
    }

    async fn a_forged_token_is_unparsable_even_when_expired(server) {
        let (_, forger, said) = setting(&server).await;
        let token = Forger::own(&forger.kid).claim(&with(&said, &[("exp", json!(1))]));
        let answer = server.get("/users/me").client().user(&token).send().await;
        answer.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
    }

    async fn a_true_token_for_a_user_or_session_that_never_was_is_nobody(server) {
        let (_, forger, said) = setting(&server).await;
        let stranger = json!("00000000-0000-4000-8000-00000000dead");
        for name in ["sub", "refresh_token_id"] {
            let token = forger.claim(&with(&said, &[(name, stranger.clone())]));
            let answer = server.get("/users/me").client().user(&token).send().await;
            answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
    }

    async fn a_session_of_somebody_else_in_a_true_token_is_nobody(server) {
        let (_, forger, said) = setting(&server).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let token = forger.claim(&with(&said, &[("refresh_token_id", json!(bo.session_id()))]));
        let answer = server.get("/users/me").client().user(&token).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }
}
