//! The way to the provider and back (contract 04 §8.2, §8.3).

use latchkey_config::SecretText;
use latchkey_config::settings::{OAuthProviderSettings, ProviderType, TrustedDomain};
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, REDIRECT_URI, code, error_code, parameter};
use latchkey_tests::people;
use reqwest::{Method, Url};
use serde_json::json;

/// Providers with credentials of the project's own; nobody is asked on the way there.
fn own() -> Builder {
    oauth::builder().project(|settings| {
        for kind in [ProviderType::Google, ProviderType::Apple, ProviderType::LinkedIn] {
            let provider = OAuthProviderSettings {
                provider_type: Some(kind),
                allow_sign_in: true,
                is_shared: false,
                client_id: Some("our-client".to_owned()),
                client_secret: Some(SecretText::new("our-secret")),
                ..OAuthProviderSettings::default()
            };
            settings.auth.oauth.providers.insert(format!("own-{}", kind.as_str()), provider);
        }
    })
}

/// The whole way with an address of the client, as far as it goes.
async fn arrive(server: &TestServer, address: &str) -> Answer {
    let flow = || Flow::new(server, "google").with("redirect_uri", address);
    let begun = flow().answer().await;
    if begun.status == 307 { flow().as_user("ada@example.com").await } else { begun }
}

on_both_engines! {
    async fn the_browser_is_sent_to_the_provider_with_a_cookie(server, builder = own()) {
        let answer = Flow::new(&server, "own-google").with("provider_scope", "calendar").answer().await;
        assert_eq!(answer.status, 307);
        let location = Url::parse(answer.header("location").expect("a location")).expect("a URL");
        assert!(location.as_str().starts_with("https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=our-client&"), "{location}");
        let parameter = |name: &str| location.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
        assert_eq!(parameter("redirect_uri"), Some(format!("{}/api/v1/auth/oauth/callback/google", server.public_url())));
        assert!(parameter("scope").expect("scopes").ends_with(" calendar"));
        assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));
        assert_ne!(parameter("code_challenge"), Some(oauth::challenge()), "the provider gets a challenge of our own");
        let state = parameter("state").expect("a state");
        assert_ne!(state, "state of the client");
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert_eq!(cookie, format!("stack-oauth-inner-{state}=true; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"));
        assert!(!location.as_str().contains("our-secret"));
    }

    async fn linkedin_is_asked_without_pkce_and_apple_for_a_form(server, builder = own()) {
        let linkedin = Flow::new(&server, "own-linkedin").begin().await;
        assert_eq!(linkedin.parameter("code_challenge"), None);
        let apple = Flow::new(&server, "own-apple").begin().await;
        assert_eq!(apple.parameter("response_mode").as_deref(), Some("form_post"));
    }

    async fn in_json_mode_there_is_no_cookie_and_none_is_needed(server, builder = oauth::builder()) {
        let answer = Flow::new(&server, "google").with("stack_response_mode", "json").answer().await;
        assert_eq!(answer.header("set-cookie"), None);
        let location = answer.expect(200)["location"].as_str().expect("a location").to_owned();
        let mut visit = Flow::new(&server, "google").begin().await;
        visit.location = Url::parse(&location).expect("a URL");
        visit.cookie = None;
        code(&visit.choose("ada@example.com", "").await.come_back().await);
    }

    async fn the_way_back_keeps_the_query_of_the_client_and_its_state(server, builder = oauth::builder()) {
        let answer = Flow::new(&server, "google").as_user("ada@example.com").await;
        assert_eq!((answer.status, answer.text().as_str()), (303, "{}"));
        let location = answer.header("location").expect("a location");
        assert!(location.starts_with("http://localhost:3000/handler/oauth-callback?keep=1&code="), "{location}");
        assert_eq!(parameter(&answer, "state").as_deref(), Some("state of the client"));
        assert!(answer.header("set-cookie").expect("the cookie goes").contains("=; Max-Age=0;"));
    }

    async fn requests_that_are_not_whole_are_refused(server, builder = oauth::builder()) {
        for name in ["client_id", "client_secret", "redirect_uri", "scope", "state", "grant_type", "response_type", "code_challenge", "code_challenge_method"] {
            Flow::new(&server, "google").without(name).answer().await.expect_error(400, "SCHEMA_ERROR");
        }
        for (name, value) in [("redirect_uri", "x"), ("grant_type", "password"), ("response_type", "token"), ("type", "x"), ("stack_response_mode", "x")] {
            Flow::new(&server, "google").with(name, value).answer().await.expect_error(400, "SCHEMA_ERROR");
        }
        assert_eq!(Flow::new(&server, "google").with("unknown", "1").answer().await.status, 307);
    }

    async fn errors_before_the_way_are_answered_directly(server, builder = own()) {
        let flow = || Flow::new(&server, "google");
        let details = flow().with("client_id", "00000000-0000-4000-8000-00000000dead").answer().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
        assert_eq!(details["client_id"], "00000000-0000-4000-8000-00000000dead");
        flow().with("client_id", "x").answer().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
        flow().with("client_secret", "pck_wrong").answer().await.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY");
        Flow::new(&server, "nobody").answer().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        flow().with("type", "link").answer().await.expect_text(400);
        flow().with("after_callback_redirect_url", "https://evil.example/").answer().await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        flow().with("provider_scope", "x").answer().await.expect_error(400, "OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS");
        Flow::new(&server, "own-google").with("provider_scope", "a\"b").answer().await.expect_text(400);
        flow().with("token", "x").answer().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let foreign = flow().with("client_id", &other.id).with("client_secret", &other.keys.publishable).with("token", &ada.access_token);
        foreign.answer().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        server.clock().advance_seconds(3600);
        flow().with("token", &ada.access_token).answer().await.expect_error(401, "ACCESS_TOKEN_EXPIRED");
    }

    async fn the_token_of_another_project_is_refused(server, builder = oauth::builder()) {
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
        let body = json!({ "email": "mallory@example.com", "password": people::PASSWORD });
        let mallory = people::Person::of(&request.json(&body).send().await.expect(200));
        Flow::new(&server, "google").with("token", &mallory.access_token).answer().await.expect_text(403);
    }

    async fn keys_are_required_where_the_project_says_so(server, builder = oauth::builder().project(|settings| settings.project.require_publishable_client_key = true)) {
        let flow = Flow::new(&server, "google").with("client_secret", "__stack_public_client__");
        flow.answer().await.expect_error(401, "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT");
    }

    async fn refusals_of_the_provider_go_to_the_client(server, builder = oauth::builder()) {
        for (fault, expected) in [
            ("access_denied", "OAUTH_PROVIDER_ACCESS_DENIED"),
            ("temporarily_unavailable", "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"),
            ("down", "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"),
            ("garbage", "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"),
        ] {
            let answer = Flow::new(&server, "google").begin().await.choose("ada@example.com", fault).await.come_back().await;
            assert_eq!(error_code(&answer), expected, "{fault}");
            assert_eq!(parameter(&answer, "details").as_deref(), Some("{}"));
            assert_eq!(parameter(&answer, "state"), None);
            assert!(parameter(&answer, "message").is_some() && parameter(&answer, "message") == parameter(&answer, "error_description"));
        }
        let refused = Flow::new(&server, "google").begin().await.choose("ada@example.com", "invalid_grant").await;
        refused.come_back().await.expect_text(400);
    }

    async fn after_ten_minutes_it_is_too_late(server, builder = oauth::builder()) {
        let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        server.clock().advance_seconds(601);
        assert_eq!(error_code(&way.come_back().await), "OUTER_OAUTH_TIMEOUT");
    }

    async fn an_untrusted_address_gets_neither_code_nor_error(server, builder = oauth::builder()) {
        for address in [
            "https://evil.example/", "http://localhost.evil.example/", "http://evil.example\\@localhost:3000/", "http://localhost@evil.example/",
            "http://user@localhost:3000/", "http://evil.example#@localhost/", "http://l\u{43e}calhost/", "javascript://localhost/%0aalert(1)",
            "http://localhost%2eevil.example/", "http://evil.example%2f@localhost/", "http://localhost%40evil.example/", "http://evil.example/@localhost",
            "http:\\\\evil.example/localhost", "http://localhost.:3000@evil.example/", "http://127.0.0.1.evil.example/", "//localhost/",
            "http://evil.example?@localhost/", "http://evil.example:80#localhost", "http://[::ffff:7f00:1].evil.example/", "data:text/html,localhost",
        ] {
            let answer = arrive(&server, address).await;
            assert_eq!((answer.status, answer.header("location")), (400, None), "{address}");
            let code = answer.json()["code"].clone();
            assert!(code == "REDIRECT_URL_NOT_WHITELISTED" || code == "SCHEMA_ERROR", "{address}: {code}");
        }
        let users = server.get("/users").server().send().await.expect(200);
        assert_eq!(users["items"], json!([]), "nobody was made on the way");
    }

    async fn a_trusted_domain_is_met_by_itself_only(server, builder = oauth::builder().project(|settings| {
        settings.domains.allow_localhost = false;
        let domain = TrustedDomain { base_url: Some("https://app.b\u{fc}cher.example".to_owned()), ..TrustedDomain::default() };
        settings.domains.trusted_domains.insert("app".to_owned(), domain);
    })) {
        for address in ["https://app.xn--bcher-kva.example/back", "https://APP.b\u{fc}cher.example:443/back#x", "https://app.b%C3%BCcher.example/"] {
            let answer = arrive(&server, address).await;
            code(&answer);
            assert!(answer.header("location").expect("a location").starts_with("https://app.xn--bcher-kva.example/"), "as it was compared, not as it was written");
        }
        for address in [
            "https://app.bucher.example/", "https://app.b\u{fc}cher.example.evil.example/", "https://evil-app.b\u{fc}cher.example/",
            "https://app.b\u{fc}cher.example@evil.example/", "https://evil.example/https://app.b\u{fc}cher.example", "http://app.b\u{fc}cher.example/",
            "https://app.b\u{fc}cher.example:8443/", "https://evil.example#app.b\u{fc}cher.example", "https://evil.example\\.app.b\u{fc}cher.example/",
            "https://app.b\u{fc}cher.example%2eevil.example/", "https://app.b\u{fc}cher.example%00.evil.example/", "http://localhost:3000/",
        ] {
            let answer = arrive(&server, address).await;
            assert_eq!(answer.header("location"), None, "{address}");
            assert_eq!(answer.status, 400, "{address}: {}", answer.text());
        }
    }

    async fn errors_go_to_the_other_address_if_only_that_is_trusted(server, builder = oauth::builder()) {
        let flow = Flow::new(&server, "google").with("redirect_uri", "https://evil.example/").with("error_redirect_uri", "http://localhost:3000/error");
        let answer = flow.as_user("ada@example.com").await;
        assert_eq!(error_code(&answer), "REDIRECT_URL_NOT_WHITELISTED");
        assert!(answer.header("location").expect("a location").starts_with("http://localhost:3000/error?error=server_error"));
    }

    async fn native_apps_need_no_configuration_but_a_project_with_some(server, builder = oauth::builder()) {
        let native = "stack-auth-mobile-oauth-url://oauth-callback";
        let answer = Flow::new(&server, "google").with("redirect_uri", native).as_user("ada@example.com").await;
        let code = code(&answer);
        assert!(answer.header("location").expect("a location").starts_with("stack-auth-mobile-oauth-url://oauth-callback?code="));
        oauth::exchange(&server, &code, &[("redirect_uri", native)]).send().await.expect(200);
    }

    async fn a_project_that_trusts_no_place_sends_codes_nowhere(server, builder = oauth::builder().project(|settings| settings.domains.allow_localhost = false)) {
        let flow = Flow::new(&server, "google").with("redirect_uri", "stack-auth-mobile-oauth-url://oauth-callback");
        assert_eq!(error_code(&flow.as_user("ada@example.com").await), "REDIRECT_URL_NOT_WHITELISTED");
    }

    async fn a_domain_without_address_is_no_place_to_trust(server, builder = oauth::builder().project(|settings| {
        settings.domains.allow_localhost = false;
        settings.domains.trusted_domains.insert("empty".to_owned(), TrustedDomain::default());
    })) {
        let native = || Flow::new(&server, "google").with("redirect_uri", "stack-auth-mobile-oauth-url://oauth-callback");
        assert_eq!(error_code(&native().as_user("ada@example.com").await), "REDIRECT_URL_NOT_WHITELISTED");
        let twin = server.twin_with(|builder| builder.project(|settings| {
            let domain = TrustedDomain { base_url: Some("https://app.example.com".to_owned()), ..TrustedDomain::default() };
            settings.domains.trusted_domains.insert("app".to_owned(), domain);
        })).await;
        let with_one = Flow::new(&twin, "google").with("redirect_uri", "stack-auth-mobile-oauth-url://oauth-callback");
        code(&with_one.as_user("ada@example.com").await);
    }

    async fn scope_and_challenge_are_looked_at_on_the_way_back(server, builder = oauth::builder()) {
        for (name, value) in [("scope", "openid"), ("code_challenge_method", "S512"), ("code_challenge", "short")] {
            let flow = Flow::new(&server, "google").with(name, value);
            flow.as_user("ada@example.com").await.expect_text(400);
        }
    }

    async fn the_fragment_of_an_address_is_cut(server, builder = oauth::builder()) {
        let answer = Flow::new(&server, "google").with("redirect_uri", &format!("{REDIRECT_URI}#part")).as_user("ada@example.com").await;
        let code = code(&answer);
        assert!(!answer.header("location").expect("a location").contains('#'));
        oauth::exchange(&server, &code, &[]).send().await.expect(200);
    }

    async fn of_several_errors_the_first_of_the_contract_is_answered(server, builder = own()) {
        let worst = |provider: &str| {
            let flow = Flow::new(&server, provider).with("client_secret", "pck_wrong").with("type", "link");
            flow.with("after_callback_redirect_url", "https://evil.example/").with("provider_scope", "x")
        };
        worst("nobody").with("client_id", "x").answer().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
        worst("nobody").answer().await.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY");
        let keyed = |provider: &str| worst(provider).with("client_secret", &server.keys().publishable);
        keyed("nobody").answer().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        keyed("google").answer().await.expect_text(400);
        let with_token = || keyed("google").with("token", "x");
        with_token().answer().await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        let trusted = || with_token().with("after_callback_redirect_url", "stack-auth-mobile-oauth-url://next");
        trusted().answer().await.expect_error(400, "OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS");
        trusted().without("provider_scope").answer().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
    }

    async fn an_access_token_in_a_header_says_nothing_on_the_way_to_the_provider(server, builder = oauth::builder()) {
        let anonymous = people::anonymous(&server).await;
        let link = Flow::new(&server, "google").with("type", "link").request();
        link.client().user(&anonymous.access_token).send().await.expect_text(400);
        let begun = Flow::new(&server, "google").with("stack_response_mode", "json").request();
        let begun = begun.client().user(&anonymous.access_token).send().await.expect(200);
        let mut visit = Flow::new(&server, "google").begin().await;
        visit.location = Url::parse(begun["location"].as_str().expect("a location")).expect("a URL");
        visit.cookie = None;
        code(&visit.choose("ada@example.com", "").await.come_back().await);
        assert_eq!(people::seen_by_server(&server, &anonymous.id).await["is_anonymous"], true);
    }

    async fn the_client_may_name_the_main_branch_and_no_other(server, builder = oauth::builder()) {
        let of = |branch: &str| Flow::new(&server, "google").with("client_id", &format!("{}#{branch}", server.project_id()));
        assert_eq!(of("main").answer().await.status, 307);
        of("other").answer().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
    }

    async fn whether_a_provider_signs_in_is_not_asked_but_it_must_have_a_type(server, builder = oauth::builder().project(|settings| {
        let providers = &mut settings.auth.oauth.providers;
        providers.entry("google".to_owned()).and_modify(|google| google.allow_sign_in = false);
        providers.insert("typeless".to_owned(), OAuthProviderSettings { allow_sign_in: true, ..OAuthProviderSettings::default() });
    })) {
        code(&Flow::new(&server, "google").as_user("ada@example.com").await);
        Flow::new(&server, "typeless").answer().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
    }

    async fn over_tls_the_cookie_comes_back_over_tls_only(server, builder = own().config("server.public_url", "https://auth.example.com")) {
        for (provider, same_site) in [("own-google", "Lax"), ("own-apple", "None")] {
            let answer = Flow::new(&server, provider).answer().await;
            let cookie = answer.header("set-cookie").expect("a cookie");
            assert!(cookie.ends_with(&format!("=true; Max-Age=600; Path=/; HttpOnly; Secure; SameSite={same_site}")), "{cookie}");
        }
        let answer = Flow::new(&server, "own-linkedin").begin().await.back(&[("error", "access_denied")]).come_back().await;
        assert_eq!(error_code(&answer), "OAUTH_PROVIDER_ACCESS_DENIED");
        let cookie = answer.header("set-cookie").expect("the cookie goes");
        assert!(cookie.ends_with("=; Max-Age=0; Path=/; HttpOnly; Secure"), "{cookie}");
    }

    async fn a_refusal_that_the_user_can_do_nothing_about_is_not_sent_to_the_client(server, builder = own()) {
        for (error, expected) in [
            ("access_denied", Some("OAUTH_PROVIDER_ACCESS_DENIED")), ("consent_required", Some("OAUTH_PROVIDER_ACCESS_DENIED")),
            ("server_error", Some("OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE")), ("invalid_grant", None), ("invalid_client", None),
            ("invalid_scope", None), ("unauthorized_client", None),
        ] {
            let answer = Flow::new(&server, "own-linkedin").begin().await.back(&[("error", error)]).come_back().await;
            match expected {
                Some(expected) => assert_eq!(error_code(&answer), expected, "{error}"),
                None => drop(answer.expect_text(400)),
            }
        }
    }

    async fn the_cookie_goes_however_the_flow_ends(server, builder = oauth::builder()) {
        let went = |answer: &Answer| {
            let cookie = answer.header("set-cookie").expect("the cookie goes");
            assert!(cookie.starts_with("stack-oauth-inner-") && cookie.contains("=; Max-Age=0; Path=/"), "{cookie}");
        };
        let refused = Flow::new(&server, "google").begin().await.choose("ada@example.com", "invalid_grant").await.come_back().await;
        refused.expect_text(400);
        went(&refused);
        let denied = Flow::new(&server, "google").begin().await.choose("ada@example.com", "access_denied").await.come_back().await;
        assert_eq!(error_code(&denied), "OAUTH_PROVIDER_ACCESS_DENIED");
        went(&denied);
        let untrusted = Flow::new(&server, "google").with("redirect_uri", "https://evil.example/").as_user("ada@example.com").await;
        untrusted.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        went(&untrusted);
    }

    async fn the_address_for_errors_has_an_older_name_and_must_be_trusted_as_well(server, builder = oauth::builder()) {
        let flow = || Flow::new(&server, "google").with("redirect_uri", "https://evil.example/");
        for address in ["http://localhost:3000/error", "stack-auth-mobile-oauth-url://error"] {
            let answer = flow().with("error_redirect_url", address).as_user("ada@example.com").await;
            assert_eq!(error_code(&answer), "REDIRECT_URL_NOT_WHITELISTED");
            assert!(answer.header("location").expect("a location").starts_with(address));
        }
        let answer = flow().with("error_redirect_uri", "https://evil.example/error").as_user("ada@example.com").await;
        assert_eq!(answer.header("location"), None);
        answer.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
    }

    async fn keys_and_provider_are_looked_at_again_on_the_way_back(server, builder = oauth::builder()) {
        let public = Flow::new(&server, "google").with("client_secret", "__stack_public_client__");
        let first = public.begin().await.choose("ada@example.com", "").await;
        let second = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let arrives = async |twin: &TestServer, way: &oauth::Returning<'_>| {
            let path = way.location.as_str().strip_prefix(server.public_url()).expect("a callback");
            let cookie = way.cookie.as_deref().expect("a cookie");
            error_code(&twin.request(Method::GET, path).header("cookie", cookie).send().await)
        };
        // A server that starts writes down what its configuration says of the project, for all.
        let strict = server.twin_with(|builder| builder.project(|settings| settings.project.require_publishable_client_key = true)).await;
        assert_eq!(arrives(&strict, &first).await, "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT");
        let poor = server.twin_with(|builder| builder.project(|settings| drop(settings.auth.oauth.providers.remove("google")))).await;
        assert_eq!(arrives(&poor, &second).await, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
    }
}
