//! From which pages passkeys are used, and for which relying party ids.

use latchkey_config::settings::{ProjectSettings, TrustedDomain};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::authenticator::Authenticator;
use latchkey_tests::passkeys::{builder, register_as, sign_in_as};
use latchkey_tests::people;
use serde_json::json;

const DOMAINS: [&str; 4] = [
    "https://app.example.com",
    "https://*.apps.example.org",
    "https://example.net:8443",
    "app.native://open",
];

fn trust(settings: &mut ProjectSettings) {
    settings.domains.allow_localhost = false;
    for (number, url) in DOMAINS.iter().enumerate() {
        let domain = TrustedDomain { base_url: Some((*url).to_owned()), ..TrustedDomain::default() };
        settings.domains.trusted_domains.insert(format!("domain{number}"), domain);
    }
}

fn share(settings: &mut ProjectSettings) {
    trust(settings);
    settings.latchkey.passkeys.shared_rp_id = Some("example.com".to_owned());
}

/// Registers and signs in on a page; the statuses of both.
async fn both(server: &TestServer, origin: &str, rp_id: &str) -> (u16, u16) {
    let ada = people::created(server, &json!({})).await;
    let here = |draft: &mut latchkey_tests::authenticator::Draft| {
        origin.clone_into(&mut draft.origin);
        rp_id.clone_into(&mut draft.rp_id);
    };
    let mut key = Authenticator::new();
    let registered = register_as(server, &ada, &mut key, here).await.status;
    (registered, sign_in_as(server, &key, here).await.status)
}

on_both_engines! {
    async fn a_page_on_a_trusted_domain_uses_its_own_host_name(server, builder = builder().project(trust)) {
        let table = [
            ("https://app.example.com", "app.example.com", 200),
            ("https://one.apps.example.org", "one.apps.example.org", 200),
            ("https://example.net:8443", "example.net", 200),
            // Trusted by no rule.
            ("http://localhost:3000", "localhost", 400),
            ("http://app.example.com", "app.example.com", 400),
            ("https://app.example.com:444", "app.example.com", 400),
            ("https://example.net", "example.net", 400),
            ("https://example.com", "example.com", 400),
            ("https://app.example.com.evil.test", "app.example.com.evil.test", 400),
            ("https://app.example.com.evil.test", "app.example.com", 400),
            ("https://evil-app.example.com", "evil-app.example.com", 400),
            ("https://one.two.apps.example.org", "one.two.apps.example.org", 400),
            ("https://apps.example.org", "apps.example.org", 400),
            // Trusted, but not what a browser writes as the origin of a page.
            ("https://app.example.com/", "app.example.com", 400),
            ("https://app.example.com:443", "app.example.com", 400),
            ("https://APP.example.com", "app.example.com", 400),
            ("https://user@app.example.com", "app.example.com", 400),
            ("https://app.example.com/path", "app.example.com", 400),
            ("https://app.example.com?x", "app.example.com", 400),
            ("app.native://open", "open", 400),
            ("stack-auth-mobile-oauth-url://success", "success", 400),
            ("android:apk-key-hash:AAAA", "app.example.com", 400),
            ("null", "app.example.com", 400),
            ("", "app.example.com", 400),
            // Trusted pages that speak for somebody else.
            ("https://app.example.com", "example.com", 400),
            ("https://app.example.com", "one.apps.example.org", 400),
            ("https://one.apps.example.org", "apps.example.org", 400),
            ("https://app.example.com", "app.example.com.", 400),
            ("https://app.example.com", "https://app.example.com", 400),
        ];
        for (origin, rp_id, status) in table {
            assert_eq!(both(&server, origin, rp_id).await, (status, status), "{origin} {rp_id}");
        }
    }

    async fn a_passkey_stays_with_the_host_for_which_it_was_made(server, builder = builder().project(trust)) {
        let ada = people::created(&server, &json!({})).await;
        let mut key = Authenticator::new();
        let at = |origin: &'static str, rp_id: &'static str| move |draft: &mut latchkey_tests::authenticator::Draft| {
            origin.clone_into(&mut draft.origin);
            rp_id.clone_into(&mut draft.rp_id);
        };
        let home = at("https://app.example.com", "app.example.com");
        register_as(&server, &ada, &mut key, home).await.expect(200);
        for elsewhere in [
            at("https://example.net:8443", "example.net"), at("https://example.net:8443", "app.example.com"),
            at("https://app.example.com", "example.net"),
        ] {
            sign_in_as(&server, &key, elsewhere).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        }
        sign_in_as(&server, &key, home).await.expect(200);
    }

    async fn a_shared_relying_party_id_serves_every_trusted_page(server, builder = builder().project(share)) {
        for origin in ["https://app.example.com", "https://one.apps.example.org", "https://example.net:8443"] {
            assert_eq!(both(&server, origin, "example.com").await, (200, 200), "{origin}");
        }
        assert_eq!(both(&server, "https://app.example.com", "app.example.com").await, (200, 200), "the own one as before");
        for (origin, rp_id) in [
            ("https://example.com", "example.com"), ("https://evil.test", "example.com"), ("https://example.com.evil.test", "example.com"),
            ("https://app.example.com", "com"), ("https://app.example.com", "example.net"),
        ] {
            assert_eq!(both(&server, origin, rp_id).await, (400, 400), "{origin} {rp_id}");
        }
        let ada = people::created(&server, &json!({})).await;
        let mut key = Authenticator::new();
        let at = |origin: &'static str| move |draft: &mut latchkey_tests::authenticator::Draft| {
            origin.clone_into(&mut draft.origin);
            "example.com".clone_into(&mut draft.rp_id);
        };
        register_as(&server, &ada, &mut key, at("https://app.example.com")).await.expect(200);
        sign_in_as(&server, &key, at("https://example.net:8443")).await.expect(200);
    }

    async fn the_origins_related_to_a_shared_id_are_the_trusted_ones_without_wildcards(server, builder = builder().project(share)) {
        let path = format!("/projects/{}/.well-known/webauthn", server.project_id());
        let answer = server.get(&path).send().await;
        assert_eq!(answer.expect(200), json!({ "origins": ["https://app.example.com", "https://example.net:8443"] }));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        for other in [server.other_project().id.as_str(), "00000000-0000-4000-8000-00000000dead", "internal", "x"] {
            server.get(&format!("/projects/{other}/.well-known/webauthn")).send().await.expect_text(404);
        }
    }

    async fn a_shared_relying_party_id_is_a_domain(server, builder = builder()) {
        for id in ["com", "Example.com", "https://example.com", "example.com:443", "10.0.0.1", "*.example.com", "a..com", "", "ex ample.com"] {
            let config = json!({ "latchkey.passkeys.sharedRpId": id }).to_string();
            let body = json!({ "config_override_string": config });
            let answer = server.patch("/internal/config/override/environment").admin().json(&body).send().await;
            assert_eq!(answer.status, 400, "{id}: {}", answer.text());
        }
        let config = json!({ "latchkey.passkeys.sharedRpId": "login.example.com" }).to_string();
        let body = json!({ "config_override_string": config });
        server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
    }
}
