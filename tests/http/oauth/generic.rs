//! Providers that are described by settings: OpenID Connect by discovery, OAuth 2.0 by endpoints, servers of one's own.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, code, error_code, exchange};
use latchkey_tests::people;
use latchkey_tests::provider::{Provider, Reply, configure, write};
use latchkey_tests::tokens;
use reqwest::Url;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

fn oauth2(provider: &Provider) -> Value {
    let at = |path: &str| format!("{}/{path}", provider.url());
    json!({
        "type": "oauth2", "authorizationEndpoint": at("authorize"), "tokenEndpoint": at("token"),
        "userinfoEndpoint": at("me"), "scopes": ["who", "mail"],
        "profile": { "accountId": "data/0/key", "email": "data/0/mail", "name": "data/0/called" },
    })
}

fn person() -> Value {
    json!({ "sub": "7", "email": ADA, "email_verified": true, "name": "Ada Lovelace", "picture": "https://x.example/a.png" })
}

/// The whole way through a provider that names itself in the redirect.
async fn come_back(server: &TestServer, id: &str, provider: &Provider, person: &Value) -> Answer {
    let at = Flow::new(server, id).begin().await;
    provider.agree(at, person, &[("iss", provider.url())]).come_back().await
}

async fn sign_in(server: &TestServer, id: &str, provider: &Provider, person: &Value) -> Value {
    let code = code(&come_back(server, id, provider, person).await);
    let answer = exchange(server, &code, &[]).send().await.expect(200);
    let id: String = tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
    people::seen_by_server(server, &id).await
}

on_both_engines! {
    async fn a_provider_of_openid_connect_is_found_by_its_issuer(server, builder = oauth::builder()) {
        let company = Provider::start().await;
        configure(&server, "company", &company.oidc()).await;
        let at = Flow::new(&server, "company").begin().await;
        assert!(at.location.as_str().starts_with(&format!("{}/authorize?", company.url())), "{}", at.location);
        assert_eq!(at.parameter("scope").as_deref(), Some("openid email profile"));
        assert_eq!(at.parameter("redirect_uri"), Some(format!("{}/api/v1/auth/oauth/callback/company", server.public_url())));
        assert_eq!(at.parameter("code_challenge_method").as_deref(), Some("S256"));
        let user = sign_in(&server, "company", &company, &person()).await;
        assert_eq!((user["display_name"].clone(), user["profile_image_url"].clone()), (json!("Ada Lovelace"), json!("https://x.example/a.png")));
        assert_eq!(user["oauth_providers"], json!([{ "id": "company", "account_id": "7", "email": ADA }]));
        assert_eq!((user["primary_email"].clone(), user["primary_email_verified"].clone()), (json!(ADA), json!(false)), "nobody said that it is to be believed");
        assert_eq!(sign_in(&server, "company", &company, &person()).await["id"], user["id"]);
    }

    async fn an_issuer_is_believed_about_addresses_only_where_the_settings_say_so(server, builder = oauth::builder()) {
        let (company, stranger) = (Provider::start().await, Provider::start().await);
        let mut believed = company.oidc();
        believed["trustEmailVerified"] = json!(true);
        configure(&server, "company", &believed).await;
        configure(&server, "stranger", &stranger.oidc()).await;
        let fields = json!({ "primary_email": ADA, "primary_email_auth_enabled": true, "primary_email_verified": true });
        let ada = people::create(&server, &fields).await;
        let taken = come_back(&server, "stranger", &stranger, &person()).await;
        assert_eq!(error_code(&taken), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        assert_eq!(sign_in(&server, "company", &company, &person()).await["id"], ada["id"]);
        let mut unsure = person();
        (unsure["sub"], unsure["email_verified"]) = (json!("8"), json!(false));
        assert_eq!(error_code(&come_back(&server, "company", &company, &unsure).await), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
    }

    async fn scopes_and_client_authentication_are_as_the_settings_say(server, builder = oauth::builder()) {
        for (id, method) in [("basic", "client_secret_basic"), ("post", "client_secret_post")] {
            let provider = Provider::start().await;
            let mut settings = provider.oidc();
            (settings["scopes"], settings["tokenEndpointAuth"]) = (json!(["groups", "email"]), json!(method));
            configure(&server, id, &settings).await;
            let at = Flow::new(&server, id).with("provider_scope", "extra").begin().await;
            assert_eq!(at.parameter("scope").as_deref(), Some("openid groups email extra"));
            code(&come_back(&server, id, &provider, &json!({ "sub": id })).await);
            let requests = provider.requests();
            let token = requests.iter().find(|request| request.target == "POST /token").expect("a request for tokens");
            assert_eq!(token.headers.contains_key("authorization"), method == "client_secret_basic");
            assert_eq!(token.body.contains("client_secret="), method == "client_secret_post");
        }
    }

    async fn a_provider_of_plain_oauth_is_described_by_its_endpoints_and_members(server, builder = oauth::builder()) {
        let forge = Provider::start().await;
        forge.answers("/me", Reply::Json(json!({ "data": [{ "key": 9, "mail": ADA, "called": "Ada", "sure": true }] })));
        configure(&server, "forge", &oauth2(&forge)).await;
        let at = Flow::new(&server, "forge").begin().await;
        assert_eq!(at.parameter("scope").as_deref(), Some("who mail"));
        assert!(at.parameter("code_challenge").is_some());
        let user = sign_in(&server, "forge", &forge, &json!({})).await;
        assert_eq!(user["oauth_providers"], json!([{ "id": "forge", "account_id": "9", "email": ADA }]));
        assert_eq!((user["display_name"].clone(), user["primary_email_verified"].clone()), (json!("Ada"), json!(false)));

        let mut other = oauth2(&forge);
        (other["pkce"], other["profile"]["emailVerified"]) = (json!(false), json!("data/0/sure"));
        other["profile"]["email"] = json!("data/0/other");
        configure(&server, "other", &other).await;
        assert_eq!(Flow::new(&server, "other").begin().await.parameter("code_challenge"), None);
        forge.answers("/me", Reply::Json(json!({ "data": [{ "key": "x", "other": "grace@example.com", "sure": true }] })));
        assert_eq!(sign_in(&server, "other", &forge, &json!({})).await["primary_email_verified"], true);
    }

    async fn github_and_gitlab_may_be_servers_of_ones_own(server, builder = oauth::builder()) {
        let (hub, lab) = (Provider::start().await, Provider::start().await);
        configure(&server, "hub", &json!({ "type": "github", "baseUrl": format!("{}/", hub.url()) })).await;
        configure(&server, "gitlab", &json!({ "type": "gitlab", "baseUrl": lab.url(), "trustEmailVerified": true })).await;
        hub.answers("/api/v3/user", Reply::Json(json!({ "id": 1, "login": "ada", "avatar_url": "https://x.example/a" })));
        hub.answers("/api/v3/user/emails", Reply::Json(json!([{ "email": ADA, "primary": true, "verified": true }])));
        lab.answers("/api/v4/user", Reply::Json(json!({ "id": 2, "name": "Grace", "email": "grace@example.com", "confirmed_at": "2020-01-01T00:00:00Z" })));
        let at = Flow::new(&server, "hub").begin().await;
        assert!(at.location.as_str().starts_with(&format!("{}/login/oauth/authorize?", hub.url())), "{}", at.location);
        assert!(at.parameter("redirect_uri").expect("a callback").ends_with("/callback/hub"));
        let ada = sign_in(&server, "hub", &hub, &json!({})).await;
        assert_eq!((ada["display_name"].clone(), ada["primary_email_verified"].clone()), (json!("ada"), json!(false)));
        let grace = sign_in(&server, "gitlab", &lab, &json!({})).await;
        assert_eq!((grace["display_name"].clone(), grace["primary_email_verified"].clone()), (json!("Grace"), json!(true)));
    }

    async fn two_providers_of_one_type_cannot_be_mixed_up(server, builder = oauth::builder()) {
        // The attacker's provider sends the browser on to the honest one, to get its code at its own token endpoint.
        let (honest, attacker) = (Provider::start().await, Provider::start().await);
        configure(&server, "honest", &honest.oidc()).await;
        configure(&server, "attacker", &attacker.oidc()).await;
        let victims = Flow::new(&server, "honest").begin().await;
        let code = honest.code(&victims, &person());
        let at = Flow::new(&server, "attacker").begin().await;
        // The honest provider comes back to the address that is registered for it, and says who it is.
        let mut way = at.back(&[("code", &code), ("iss", honest.url())]);
        let own_path = way.location.path().to_owned();
        way.location.set_path(&own_path.replace("/callback/attacker", "/callback/honest"));
        way.come_back().await.expect_text(400);
        // Even at the attacker's own address the issuer gives it away.
        let way = Flow::new(&server, "attacker").begin().await.back(&[("code", &code), ("iss", honest.url())]);
        way.come_back().await.expect_text(400);
        // One that does not say who it is has announced that it would.
        let way = Flow::new(&server, "attacker").begin().await.back(&[("code", &code)]);
        way.come_back().await.expect_text(400);
        assert!(!attacker.requests().iter().any(|request| request.body.contains(&code)), "the code never reached the attacker");
    }

    async fn plain_providers_without_issuer_are_told_apart_by_their_callback(server, builder = oauth::builder()) {
        let (honest, attacker) = (Provider::start().await, Provider::start().await);
        configure(&server, "honest", &oauth2(&honest)).await;
        configure(&server, "attacker", &oauth2(&attacker)).await;
        let code = honest.code(&Flow::new(&server, "honest").begin().await, &person());
        for name in ["honest", "oauth2", "google"] {
            let mut way = Flow::new(&server, "attacker").begin().await.back(&[("code", &code)]);
            let path = way.location.path().replace("/callback/attacker", &format!("/callback/{name}"));
            way.location.set_path(&path);
            way.come_back().await.expect_text(400);
        }
        // An issuer that is of another origin than the endpoints is another provider.
        let way = Flow::new(&server, "attacker").begin().await.back(&[("code", &code), ("iss", honest.url())]);
        way.come_back().await.expect_text(400);
        assert_eq!(attacker.requests().len(), 0);
    }

    async fn providers_of_generic_types_are_no_part_of_what_strict_clients_read(server, builder = oauth::builder()) {
        let company = Provider::start().await;
        configure(&server, "company", &company.oidc()).await;
        configure(&server, "hub", &json!({ "type": "github", "baseUrl": company.url() })).await;
        let project = server.get("/projects/current").client().send().await.expect(200);
        assert_eq!(project["config"]["enabled_oauth_providers"], json!([{ "id": "github" }, { "id": "google" }]));
        let project = server.get("/internal/projects/current").admin().send().await.expect(200);
        let shown: Vec<_> = project["config"]["oauth_providers"].as_array().expect("providers").iter().map(|entry| entry["id"].clone()).collect();
        assert_eq!(shown, [json!("github"), json!("google")]);

        let user = sign_in(&server, "company", &company, &person()).await;
        let path = format!("/oauth-providers?user_id={}", user["id"].as_str().expect("an id"));
        assert_eq!(server.get(&path).server().send().await.expect(200)["items"], json!([]));
        let all = server.get(&format!("{path}&include=generic")).server().send().await.expect(200);
        let account = &all["items"][0];
        assert_eq!((account["type"].clone(), account["provider_config_id"].clone()), (json!("oidc"), json!("company")));
        let one = format!("/oauth-providers/{}/{}", user["id"].as_str().expect("an id"), account["id"].as_str().expect("an id"));
        assert_eq!(&server.get(&one).server().send().await.expect(200), account);
        server.delete(&one).server().send().await.expect(200);
    }

    async fn replacing_the_providers_of_the_flat_view_leaves_those_that_it_does_not_show(server, builder = oauth::builder()) {
        let company = Provider::start().await;
        configure(&server, "company", &company.oidc()).await;
        configure(&server, "github", &json!({ "type": "github", "baseUrl": company.url() })).await;
        let providers = json!([{ "id": "github", "type": "standard", "client_id": "new", "client_secret": "new" }]);
        let body = json!({ "config": { "oauth_providers": providers } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        Flow::new(&server, "google").answer().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        Flow::new(&server, "company").begin().await;
        let at = Flow::new(&server, "github").begin().await;
        assert!(at.location.as_str().starts_with(company.url()), "it stays the server that it was: {}", at.location);
        assert_eq!(at.parameter("client_id").as_deref(), Some("new"));
    }

    async fn bad_settings_are_refused_in_words(server, builder = oauth::builder()) {
        let good = json!({ "type": "oidc", "issuer": "https://id.example.com/realms/a", "scopes": ["openid"] });
        write(&server, &json!({ "good": good })).await.expect(200);
        for (id, settings, part) in [
            ("a", json!({ "type": "oidc", "issuer": "id.example.com" }), "issuer is not a URL"),
            ("a", json!({ "type": "oidc", "issuer": "ftp://id.example.com" }), "https://"),
            ("a", json!({ "type": "oidc", "issuer": "http://id.example.com" }), "private network"),
            ("a", json!({ "type": "oidc", "issuer": "https://u:p@id.example.com" }), "user name"),
            ("a", json!({ "type": "oidc", "issuer": "https://id.example.com/?x=y" }), "query"),
            ("a", json!({ "type": "oidc", "issuer": "https://id.example.com/#x" }), "fragment"),
            ("a", json!({ "type": "oidc", "scopes": ["a b"] }), "not one scope"),
            ("a", json!({ "type": "oidc", "pkce": false }), "pkce is only for providers of type \"oauth2\""),
            ("a", json!({ "type": "oidc", "tokenEndpoint": "https://x.example/" }), "tokenEndpoint is only for"),
            ("a", json!({ "type": "oauth2", "issuer": "https://id.example.com" }), "issuer is only for"),
            ("a", json!({ "type": "oauth2", "profile": { "accountId": "{x}" } }), "profile.accountId must be the name of a member"),
            ("a", json!({ "type": "oauth2", "trustEmailVerified": true }), "profile.email_verified"),
            ("a", json!({ "type": "google", "baseUrl": "https://x.example" }), "baseUrl is only for github and gitlab"),
            ("a", json!({ "type": "google", "trustEmailVerified": true }), "trustEmailVerified is only for"),
            ("google", json!({ "type": "oidc" }), "must not have the id of another type"),
            ("github", json!({ "type": "gitlab", "baseUrl": "https://x.example" }), "comes back to the same address"),
            ("a", json!({ "type": "oidc", "tokenEndpointAuth": "none" }), "client_secret_basic"),
            ("a", json!({ "type": "oidc", "discovery": "x" }), "unknown"),
        ] {
            let mut all = json!({ id: settings });
            // The other GitHub is the one at github.com, under an id of the project's own.
            all["other"] = json!({ "type": "github" });
            let answer = write(&server, &all).await;
            assert_eq!(answer.status, 400, "{settings}");
            assert!(answer.text().contains(part), "{settings}: {}", answer.text());
        }
    }

    async fn a_secret_server_key_or_a_pushed_branch_cannot_point_a_provider_elsewhere(server, builder = oauth::builder()) {
        let keys = json!({ "auth.oauth.providers.a": { "type": "oidc", "issuer": "https://id.example.com" } });
        let body = json!({ "config_string": keys.to_string(), "source": { "type": "pushed-from-unknown" } });
        let path = "/internal/config/override/branch";
        let answer = server.api(reqwest::Method::PUT, path).admin().json(&body).send().await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("cannot be set at the level"), "{}", answer.text());
    }

    async fn incomplete_or_shared_settings_give_a_sentence_and_no_redirect(server, builder = oauth::builder()) {
        let company = Provider::start().await;
        let mut shared = company.oidc();
        shared["isShared"] = json!(true);
        for settings in [shared, json!({ "type": "oidc" }), json!({ "type": "oauth2", "authorizationEndpoint": company.url() }), json!({ "type": "oidc", "issuer": company.url(), "clientSecret": null })] {
            configure(&server, "company", &settings).await;
            let answer = Flow::new(&server, "company").answer().await;
            assert_eq!(answer.header("location"), None);
            answer.expect_text(400);
        }
    }

    async fn an_issuer_that_is_another_one_than_it_says_is_refused(server, builder = oauth::builder()) {
        let company = Provider::start().await;
        company.says(&json!({ "issuer": "https://accounts.google.com" }));
        configure(&server, "company", &company.oidc()).await;
        Flow::new(&server, "company").answer().await.expect_text(400);
    }

    async fn private_addresses_are_not_called_unless_the_operator_allows_it(server, builder = oauth::builder().config("outgoing.allow_private_addresses", "[]")) {
        let company = Provider::start().await;
        configure(&server, "company", &company.oidc()).await;
        Flow::new(&server, "company").answer().await.expect_text(400);
        configure(&server, "forge", &oauth2(&company)).await;
        come_back(&server, "forge", &company, &person()).await.expect_text(400);
        assert_eq!(company.requests().len(), 0);
    }

    async fn sign_up_rules_know_a_generic_provider_by_its_id(server, builder = oauth::builder().project(|settings| {
        let rule = json!({ "enabled": true, "condition": "oauthProvider == 'company'", "action": { "type": "reject" } });
        settings.auth.sign_up_rules.insert("no".to_owned(), serde_json::from_value(rule).expect("a rule"));
    })) {
        let company = Provider::start().await;
        configure(&server, "company", &company.oidc()).await;
        configure(&server, "other", &company.oidc()).await;
        assert_eq!(error_code(&come_back(&server, "company", &company, &person()).await), "SIGN_UP_REJECTED");
        code(&come_back(&server, "other", &company, &person()).await);
    }

    async fn an_issuer_may_be_the_built_in_one_of_development(server, builder = oauth::builder()) {
        let issuer = format!("{}/dev/oauth", server.public_url());
        configure(&server, "company", &json!({ "type": "oidc", "issuer": issuer })).await;
        let answer = oauth::sign_in(&server, "company", ADA).await;
        assert_eq!(answer["is_new_user"], true);
        let location = Flow::new(&server, "company").begin().await.location;
        assert_eq!(Url::parse(&issuer).expect("a URL").origin(), location.origin());
    }
}
