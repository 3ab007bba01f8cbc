//! Contract 03 §3: which keys are published where.

use std::collections::BTreeSet;

use latchkey_jose::{Expect, Jwks, VerifyingKey};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::{claim, header, keys};
use reqwest::Method;
use serde_json::Value;

async fn key_set(server: &TestServer, query: &str) -> Value {
    server
        .get(&format!("/projects/{}/.well-known/jwks.json{query}", server.project_id()))
        .send()
        .await
        .expect(200)
}

fn kids(set: &Value) -> Vec<String> {
    let keys = set["keys"].as_array().expect("keys").iter();
    keys.map(|key| key["kid"].as_str().expect("a key id").to_owned()).collect()
}

/// Verifies a token as a back end does that knows key set, issuer and audience; `None` if it refuses.
fn verified(server: &TestServer, set: &Value, token: &str, issuer: &str, audience: &str) -> Option<Value> {
    let set: Jwks = serde_json::from_value(set.clone()).expect("a key set");
    let kid = header(token)["kid"].as_str().expect("a key id").to_owned();
    let jwk = set.keys.iter().find(|key| key.kid.as_ref() == Some(&kid))?;
    let now_seconds = server.app().now() / 1000;
    let expect = Expect { issuers: &[issuer], audience, now_seconds, leeway_seconds: 0 };
    VerifyingKey::from_jwk(jwk).expect("a key").verify(token, &expect).ok()
}

on_both_engines! {
    async fn a_key_set_grows_by_two_keys_for_each_kind(server) {
        let normal = kids(&key_set(&server, "").await);
        let restricted = kids(&key_set(&server, "?include_restricted=true").await);
        let anonymous = kids(&key_set(&server, "?include_anonymous=true").await);
        assert_eq!((normal.len(), restricted.len(), anonymous.len()), (2, 4, 6));
        assert_eq!(anonymous.iter().collect::<BTreeSet<_>>().len(), 6);
        assert_eq!(restricted[..2], normal[..]);
        assert_eq!(anonymous[..4], restricted[..], "normal, then restricted, then anonymous");
        let both = kids(&key_set(&server, "?include_anonymous=true&include_restricted=false").await);
        assert_eq!(both, anonymous, "anonymous implies restricted");
        assert_eq!(kids(&key_set(&server, "?include_anonymous=false&include_restricted=false").await), normal);
    }

    async fn a_key_has_the_contracts_fields_and_nothing_private(server) {
        let set = key_set(&server, "?include_anonymous=true").await;
        assert_eq!(keys(&set), ["keys"]);
        for key in set["keys"].as_array().expect("keys") {
            assert_eq!(keys(key), ["alg", "crv", "kid", "kty", "x", "y"]);
            assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&"EC".into(), &"P-256".into(), &"ES256".into()));
            for coordinate in ["x", "y"] {
                assert_eq!(key[coordinate].as_str().map(str::len), Some(43), "32 bytes in base64url");
            }
        }
    }

    async fn the_first_key_of_a_kind_signs(server) {
        let set = kids(&key_set(&server, "?include_anonymous=true").await);
        let people = [
            (0, people::sign_up(&server, "ada@example.com").await),
            (2, people::restricted(&server).await),
            (4, people::anonymous(&server).await),
        ];
        for (index, person) in people {
            assert_eq!(header(&person.access_token)["kid"], set[index]);
        }
    }

    async fn a_verifier_of_the_plain_project_accepts_normal_users_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let set = key_set(&server, "").await;
        let issuer = claim(&ada.access_token, "iss");
        let said = verified(&server, &set, &ada.access_token, &issuer, server.project_id()).expect("a good token");
        assert_eq!(said["sub"], ada.id);
        let everything = key_set(&server, "?include_anonymous=true").await;
        for person in [people::restricted(&server).await, people::anonymous(&server).await] {
            for set in [&set, &everything] {
                assert!(verified(&server, set, &person.access_token, &issuer, server.project_id()).is_none());
            }
            let (issuer, audience) = (claim(&person.access_token, "iss"), claim(&person.access_token, "aud"));
            verified(&server, &everything, &person.access_token, &issuer, &audience).expect("a good token of its kind");
            assert!(verified(&server, &set, &person.access_token, &issuer, &audience).is_none());
        }
    }

    async fn key_sets_may_be_cached_for_an_hour(server) {
        let path = format!("/projects/{}/.well-known/jwks.json", server.project_id());
        let answer = server.get(&path).send().await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
        assert_eq!(answer.json(), server.get(&path).send().await.json(), "and do not change on their own");
    }

    async fn projects_have_keys_of_their_own(server) {
        let own = kids(&key_set(&server, "").await);
        for id in [server.other_project().id.as_str(), "internal"] {
            let other = kids(&server.get(&format!("/projects/{id}/.well-known/jwks.json")).send().await.expect(200));
            assert_eq!(other.len(), 2);
            assert!(other.iter().all(|kid| !own.contains(kid)));
        }
    }

    async fn an_unknown_project_is_a_text_error(server) {
        let path = "/projects/00000000-0000-4000-8000-00000000dead/.well-known/jwks.json";
        server.get(path).send().await.expect_text(404);
        server.get("/projects/.well-known/jwks.json").send().await.expect_text(404);
    }

    async fn other_parameters_are_refused(server) {
        let path = format!("/projects/{}/.well-known/jwks.json?odd=1", server.project_id());
        server.get(&path).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn the_issuers_of_other_kinds_lead_to_the_key_set(server) {
        let table = [("projects-anonymous-users", "include_anonymous"), ("projects-restricted-users", "include_restricted")];
        for (segment, parameter) in table {
            let path = format!("/{segment}/{}/.well-known/jwks.json", server.project_id());
            let expected = format!("/api/v1/projects/{}/.well-known/jwks.json", server.project_id());
            for (query, kept) in [("", ""), ("?a=b%20c", "a=b%20c")] {
                let answer = server.get(&format!("{path}{query}")).send().await;
                assert_eq!(answer.status, 307, "{}", answer.text());
                let location = answer.header("location").expect("a location");
                assert!(location.contains(&expected), "{location}");
                assert!(location.contains(&format!("{parameter}=true")) && location.contains(kept), "{location}");
            }
            let post = server.request(Method::POST, &format!("/api/v1{path}")).send().await;
            assert_eq!(post.status, 307, "whatever the method");
        }
    }

    async fn whoever_follows_the_issuer_finds_the_key_that_signed(server) {
        for person in [people::restricted(&server).await, people::anonymous(&server).await] {
            let issuer = claim(&person.access_token, "iss");
            let path = issuer.strip_prefix(&server.app().public_url).expect("an issuer of this server");
            let answer = server.request(Method::GET, &format!("{path}/.well-known/jwks.json")).send().await;
            let location = answer.header("location").expect("a location").to_owned();
            let path = location.strip_prefix(&server.app().public_url).unwrap_or(&location).to_owned();
            let set = server.request(Method::GET, &path).send().await.expect(200);
            assert!(kids(&set).contains(&header(&person.access_token)["kid"].as_str().expect("a key id").to_owned()));
        }
    }

    async fn a_redirect_never_leaves_the_server(server) {
        for id in ["%2f%2fevil.com", "..%2f..%2fevil", "@evil.com", "evil.com%23"] {
            let answer = server.get(&format!("/projects-anonymous-users/{id}/.well-known/jwks.json")).send().await;
            if let Some(location) = answer.header("location") {
                let own = location.strip_prefix(&server.app().public_url).unwrap_or(location);
                assert!(own.starts_with("/api/v1/projects/"), "{location}");
            }
            assert!(answer.status < 500);
        }
    }
}
