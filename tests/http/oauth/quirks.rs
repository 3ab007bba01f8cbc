//! What is particular about the providers that are known by name (contract 04 §8.1), from the redirect to the user.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, code, exchange};
use latchkey_tests::people;
use latchkey_tests::provider::{CLIENT_ID, Provider, Reply, configure};
use latchkey_tests::tokens;
use reqwest::Method;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

/// Another machine in the place of a provider, at all of these origins.
async fn stand_in(server: &TestServer, kind: &str, origins: &[&str], more: &Value) -> Provider {
    let provider = Provider::start().await;
    for origin in origins {
        server.app().stand_in_for(origin, provider.url().parse().expect("a URL"));
    }
    provider.answers("/oauth2/v3/certs", Reply::Json(json!({ "keys": [provider.key().public_jwk()] })));
    let mut settings = more.clone();
    settings["type"] = json!(kind);
    configure(server, kind, &settings).await;
    provider
}

async fn come_back(server: &TestServer, kind: &str, provider: &Provider, person: &Value) -> Answer {
    let at = Flow::new(server, kind).begin().await;
    provider.agree(at, person, &[]).come_back().await
}

/// The user who comes out.
async fn user(server: &TestServer, answer: &Answer) -> Value {
    let answer = exchange(server, &code(answer), &[]).send().await.expect(200);
    let id: String = tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
    people::seen_by_server(server, &id).await
}

fn token_request(provider: &Provider) -> String {
    let requests = provider.requests();
    let request = requests.iter().find(|request| request.body.contains("grant_type=authorization_code"));
    request.expect("a request for tokens").body.clone()
}

on_both_engines! {
    async fn each_provider_says_of_addresses_what_it_can_be_believed(server, builder = oauth::builder()) {
        // Provider, its origins, what its documents say, and whether the address counts as verified; none for no address.
        let flagged = |flag: bool| json!({ "id": 1, "sub": "1", "email": ADA, "email_verified": flag, "verified": flag });
        for (kind, origins, documents, expected) in [
            ("google", &["https://oauth2.googleapis.com", "https://openidconnect.googleapis.com", "https://www.googleapis.com"][..], vec![("/v1/userinfo", flagged(true))], Some(true)),
            ("google", &["https://oauth2.googleapis.com", "https://openidconnect.googleapis.com", "https://www.googleapis.com"], vec![("/v1/userinfo", flagged(false))], Some(false)),
            ("discord", &["https://discord.com"], vec![("/api/users/@me", flagged(true))], Some(true)),
            ("discord", &["https://discord.com"], vec![("/api/users/@me", flagged(false))], Some(false)),
            ("linkedin", &["https://www.linkedin.com", "https://api.linkedin.com"], vec![("/v2/userinfo", flagged(true))], Some(true)),
            ("linkedin", &["https://www.linkedin.com", "https://api.linkedin.com"], vec![("/v2/userinfo", flagged(false))], Some(false)),
            ("facebook", &["https://graph.facebook.com"], vec![("/v20.0/me", flagged(true))], Some(false)),
            ("spotify", &["https://accounts.spotify.com", "https://api.spotify.com"], vec![("/v1/me", flagged(true))], Some(false)),
            ("twitch", &["https://id.twitch.tv", "https://api.twitch.tv"], vec![("/helix/users", json!({ "data": [{ "id": "1", "email": ADA }] }))], Some(true)),
            ("gitlab", &["https://gitlab.com"], vec![("/api/v4/user", json!({ "id": 1, "email": ADA, "confirmed_at": "2020-01-01T00:00:00Z" }))], Some(true)),
            ("gitlab", &["https://gitlab.com"], vec![("/api/v4/user", json!({ "id": 1, "email": ADA, "confirmed_at": null }))], Some(false)),
            ("x", &["https://api.x.com"], vec![("/2/users/me", json!({ "data": { "id": "1", "name": "Ada", "email": ADA, "confirmed_email": ADA } }))], None),
            ("bitbucket", &["https://bitbucket.org", "https://api.bitbucket.org"], vec![
                ("/2.0/user", json!({ "account_id": "1" })),
                ("/2.0/user/emails", json!({ "values": [{ "email": "old@example.com", "is_primary": false, "is_confirmed": true }, { "email": ADA, "is_primary": true, "is_confirmed": false }] })),
            ], Some(false)),
            ("github", &["https://github.com", "https://api.github.com"], vec![
                ("/user", json!({ "id": 1, "login": "ada", "email": "public@example.com" })),
                ("/user/emails", json!([{ "email": "old@example.com", "primary": false, "verified": true }, { "email": ADA, "primary": true, "verified": true }])),
            ], Some(true)),
        ] {
            let provider = stand_in(&server, kind, origins, &json!({})).await;
            provider.claims(&json!({ "iss": "https://accounts.google.com" }));
            for (path, document) in documents {
                provider.answers(path, Reply::Json(document));
            }
            let user = user(&server, &come_back(&server, kind, &provider, &json!({ "sub": "1" })).await).await;
            assert_eq!(user["oauth_providers"][0]["account_id"], "1", "{kind}");
            match expected {
                Some(verified) => assert_eq!((user["primary_email"].clone(), user["primary_email_verified"].clone()), (json!(ADA), json!(verified)), "{kind}"),
                None => assert_eq!(user["primary_email"], Value::Null, "{kind}"),
            }
            let id = user["id"].as_str().expect("an id");
            server.delete(&format!("/users/{id}")).server().send().await.expect(200);
        }
    }

    async fn github_without_the_permission_for_addresses_is_refused_in_words(server, builder = oauth::builder()) {
        let hub = stand_in(&server, "github", &["https://github.com", "https://api.github.com"], &json!({})).await;
        hub.answers("/user", Reply::Json(json!({ "id": 1, "login": "ada", "email": ADA })));
        for reply in [Reply::Raw(404, "application/json", "{}".to_owned()), Reply::Raw(403, "application/json", "{}".to_owned()), Reply::Json(json!([]))] {
            hub.answers("/user/emails", reply);
            let answer = come_back(&server, "github", &hub, &json!({})).await;
            assert_eq!(answer.header("location"), None);
            answer.expect_text(400);
        }
        let calls = hub.requests();
        let emails = calls.iter().find(|request| request.target.ends_with("/user/emails")).expect("a call of its own");
        assert_eq!(emails.header("user-agent"), "latchkey");
    }

    async fn facebook_accounts_without_address_are_refused_in_words(server, builder = oauth::builder()) {
        let facebook = stand_in(&server, "facebook", &["https://graph.facebook.com"], &json!({ "facebookConfigId": "42" })).await;
        assert_eq!(Flow::new(&server, "facebook").begin().await.parameter("config_id").as_deref(), Some("42"));
        facebook.answers("/v20.0/me", Reply::Json(json!({ "id": "1", "name": "Ada" })));
        come_back(&server, "facebook", &facebook, &json!({})).await.expect_text(400);
    }

    async fn linkedin_is_never_sent_a_verifier_and_everybody_else_is(server, builder = oauth::builder()) {
        let linkedin = stand_in(&server, "linkedin", &["https://www.linkedin.com", "https://api.linkedin.com"], &json!({})).await;
        linkedin.answers("/v2/userinfo", Reply::Json(json!({ "sub": "1" })));
        code(&come_back(&server, "linkedin", &linkedin, &json!({})).await);
        assert!(!token_request(&linkedin).contains("code_verifier"));
        let discord = stand_in(&server, "discord", &["https://discord.com"], &json!({})).await;
        discord.answers("/api/users/@me", Reply::Json(json!({ "id": "1" })));
        code(&come_back(&server, "discord", &discord, &json!({})).await);
        assert!(token_request(&discord).contains("code_verifier="));
    }

    async fn google_keeps_what_was_granted_before(server, builder = oauth::builder()) {
        stand_in(&server, "google", &[], &json!({})).await;
        let at = Flow::new(&server, "google").begin().await;
        for (name, value) in [("include_granted_scopes", "true"), ("access_type", "offline"), ("prompt", "consent"), ("response_type", "code")] {
            assert_eq!(at.parameter(name).as_deref(), Some(value), "{name}");
        }
    }

    async fn microsoft_lets_in_personal_accounts_unless_a_tenant_is_named_and_never_verifies(server, builder = oauth::builder()) {
        let origins = ["https://login.microsoftonline.com", "https://graph.microsoft.com"];
        let microsoft = stand_in(&server, "microsoft", &origins, &json!({})).await;
        let at = Flow::new(&server, "microsoft").begin().await;
        assert_eq!(at.location.path(), "/consumers/oauth2/v2.0/authorize");
        let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
        microsoft.answers("/consumers/discovery/v2.0/keys", Reply::Json(json!({ "keys": [microsoft.key().public_jwk()] })));
        microsoft.answers("/v1.0/me", Reply::Json(json!({ "id": "1", "mail": ADA, "displayName": "Ada", "email_verified": true })));
        microsoft.claims(&json!({ "iss": format!("https://login.microsoftonline.com/{personal}/v2.0"), "tid": personal }));
        let ada = user(&server, &come_back(&server, "microsoft", &microsoft, &json!({ "sub": "s" })).await).await;
        assert_eq!((ada["primary_email"].clone(), ada["primary_email_verified"].clone()), (json!(ADA), json!(false)));
        let foreign = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        microsoft.claims(&json!({ "iss": format!("https://login.microsoftonline.com/{foreign}/v2.0"), "tid": foreign }));
        come_back(&server, "microsoft", &microsoft, &json!({ "sub": "s" })).await.expect_text(400);
        configure(&server, "microsoft", &json!({ "type": "microsoft", "microsoftTenantId": foreign })).await;
        let at = Flow::new(&server, "microsoft").begin().await;
        assert_eq!(at.location.path(), format!("/{foreign}/oauth2/v2.0/authorize"));
    }

    async fn apple_comes_back_by_a_form_with_the_name_and_is_sent_a_secret_of_the_moment(server, builder = oauth::builder()) {
        let key = latchkey_jose::SigningKey::generate().expect("a key");
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", base64_of(&key.to_pkcs8()));
        let secret = json!({ "team_id": "TEAM", "key_id": "KEY", "private_key": pem }).to_string();
        let apple = stand_in(&server, "apple", &["https://appleid.apple.com"], &json!({ "clientSecret": secret })).await;
        apple.answers("/auth/keys", Reply::Json(json!({ "keys": [apple.key().public_jwk()] })));
        apple.claims(&json!({ "iss": "https://appleid.apple.com" }));
        let at = Flow::new(&server, "apple").begin().await;
        assert_eq!(at.parameter("response_mode").as_deref(), Some("form_post"));
        let person = json!({ "sub": "1", "email": ADA, "email_verified": "true" });
        let name = json!({ "name": { "firstName": "Ada", "lastName": "Lovelace" }, "email": "victim@example.com" }).to_string();
        apple.trusts_any_secret();
        let way = apple.agree(at, &person, &[("user", &name)]);
        let pairs: Vec<(String, String)> = way.location.query_pairs().into_owned().collect();
        let fields: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = server.request(Method::POST, way.location.path()).form(&fields);
        let answer = request.header("cookie", way.cookie.as_deref().expect("a cookie")).send().await;
        let ada = user(&server, &answer).await;
        assert_eq!((ada["display_name"].clone(), ada["primary_email"].clone()), (json!("Ada Lovelace"), json!(ADA)), "the address in the form is anybody's");
        let form = token_request(&apple);
        let sent = reqwest::Url::parse(&format!("http://form/?{form}")).expect("a form");
        let sent = sent.query_pairs().find(|(name, _)| name == "client_secret").expect("a secret in the body").1.into_owned();
        assert_eq!(tokens::claim(&sent, "sub"), CLIENT_ID);
        assert_eq!(tokens::claim(&sent, "iss"), "TEAM");
        assert_eq!(tokens::claim(&sent, "aud"), "https://appleid.apple.com");
    }

    async fn each_provider_is_asked_for_its_scopes_with_the_parameters_of_all(server, builder = oauth::builder()) {
        for (kind, scope) in [
            ("google", "https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile"),
            ("github", "user:email"), ("microsoft", "User.Read openid"), ("facebook", "openid public_profile email"),
            ("spotify", "user-read-email user-read-private"), ("discord", "identify email"), ("gitlab", "read_user"),
            ("bitbucket", "account email"), ("linkedin", "openid profile email"), ("apple", "name email"),
            ("x", "users.read offline.access tweet.read"), ("twitch", "user:read:email"),
        ] {
            configure(&server, kind, &json!({ "type": kind })).await;
            let at = Flow::new(&server, kind).with("provider_scope", "more").begin().await;
            let callback = format!("{}/api/v1/auth/oauth/callback/{kind}", server.public_url());
            let scope = format!("{scope} more");
            let method = (kind != "linkedin").then_some("S256");
            for (name, expected) in [
                ("response_type", Some("code")), ("client_id", Some(CLIENT_ID)), ("scope", Some(&*scope)), ("access_type", Some("offline")),
                ("prompt", Some("consent")), ("redirect_uri", Some(&*callback)), ("code_challenge_method", method),
            ] {
                assert_eq!(at.parameter(name).as_deref(), expected, "{kind}: {name}");
            }
        }
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
