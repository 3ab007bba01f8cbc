//! Contract 07 §4: which redirect targets are trusted. The table of patterns has its tests beside the code.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::PASSWORD;
use serde_json::{Value, json};

async fn trust(server: &TestServer, domains: &[&str], localhost: bool) -> Value {
    let domains: Vec<Value> =
        domains.iter().map(|domain| json!({ "domain": domain, "handler_path": "/handler" })).collect();
    let body = json!({ "config": { "domains": domains, "allow_localhost": localhost } });
    server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200)
}

/// Whether a verification mail may lead there.
async fn is_trusted(server: &TestServer, url: &str) -> bool {
    let email = format!("{}@example.com", server.app().random.token());
    let body = json!({ "email": email, "password": PASSWORD, "verification_callback_url": url });
    let answer = server.post("/auth/password/sign-up").client().json(&body).send().await;
    if answer.status == 400 {
        answer.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
    }
    answer.status == 200
}

on_both_engines! {
    async fn localhost_is_trusted_only_where_the_project_says_so(server) {
        let urls = ["http://localhost:3000/x", "https://app.localhost/", "http://127.0.0.1:8080/", "http://127.9.9.9/", "myapp://localhost/cb"];
        trust(&server, &[], true).await;
        for url in urls {
            assert!(is_trusted(&server, url).await, "{url}");
        }
        trust(&server, &[], false).await;
        for url in urls {
            assert!(!is_trusted(&server, url).await, "{url}");
        }
    }

    async fn domains_are_compared_by_scheme_host_and_port_with_wildcards_in_the_host(server) {
        trust(&server, &["https://app.example.com/some/path", "https://*.one.com", "https://**.deep.com", "http://*.port.com:8080"], false).await;
        for (url, trusted) in [
            ("https://app.example.com/other?x=1#y", true), ("https://app.example.com:443/", true),
            ("http://app.example.com/", false), ("https://app.example.com:8443/", false), ("https://example.com/", false),
            ("https://a.one.com/", true), ("https://one.com/", false), ("https://x.a.one.com/", false), ("https://a.one.com:444/", false),
            ("https://x.y.deep.com/", true), ("https://deep.com/", false),
            ("http://a.port.com:8080/", true), ("http://a.port.com/", false),
            ("https://app.example.com.evil.com/", false), ("https://app.example.com@evil.com/", false),
        ] {
            assert_eq!(is_trusted(&server, url).await, trusted, "{url}");
        }
    }

    async fn domains_are_replaced_all_at_once(server) {
        trust(&server, &["https://one.com"], false).await;
        let project = trust(&server, &["https://two.com"], false).await;
        assert_eq!(project["config"]["domains"], json!([{ "domain": "https://two.com", "handler_path": "/handler" }]));
        assert!(!is_trusted(&server, "https://one.com/").await && is_trusted(&server, "https://two.com/").await);
    }
}
