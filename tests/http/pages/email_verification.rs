//! The link of the verification mail leads to a button.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::{join_all, mail};
use serde_json::{Value, json};

use super::{path, press, shown, visit};

/// A project that trusts no place at all.
fn trusting_nobody() -> Builder {
    TestServer::builder().project(|settings| settings.domains.allow_localhost = false)
}

/// Somebody who signed up with the built-in page as the place for the link; the link.
async fn linked(server: &TestServer) -> (Person, String) {
    let callback = format!("{}{}", server.public_url(), path(server, "email-verification"));
    let body =
        json!({ "email": "ada@example.com", "password": PASSWORD, "verification_callback_url": callback });
    let ada =
        Person::of(&server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200));
    let mails = mail::to(server, "ada@example.com").await;
    let links = mail::links(&mails.first().expect("a mail").text);
    let link = links.iter().find(|link| link.starts_with(&callback)).expect("a link to the page");
    let query = link.split_once('?').expect("a query").1;
    (ada, format!("email-verification?{query}"))
}

async fn is_verified(server: &TestServer, person: &Person) -> Value {
    people::seen_by_server(server, &person.id).await["primary_email_verified"].clone()
}

on_both_engines! {
    async fn a_project_without_an_app_verifies_addresses(server, builder = trusting_nobody()) {
        let (ada, page) = linked(&server).await;
        let html = shown(&visit(&server, &page).send().await, 200);
        assert!(html.contains("<form method=\"post\">"), "{html}");
        assert_eq!(is_verified(&server, &ada).await, false);
        let html = shown(&press(&server, &page, &[("action", "confirm")]).send().await, 200);
        assert!(html.contains("confirmed"), "{html}");
        assert_eq!(is_verified(&server, &ada).await, true);
        let html = shown(&press(&server, &page, &[("action", "confirm")]).send().await, 409);
        assert!(html.contains("used before"), "{html}");
    }

    async fn programs_that_follow_links_in_mails_burn_nothing(server) {
        let (ada, page) = linked(&server).await;
        join_all((0..40).map(|_| visit(&server, &page).send())).await.iter().for_each(|answer| assert_eq!(answer.status, 200));
        for _ in 0..30 {
            server.request(reqwest::Method::HEAD, &path(&server, &page)).send().await;
        }
        assert_eq!(is_verified(&server, &ada).await, false);
        shown(&press(&server, &page, &[]).send().await, 200);
        assert_eq!(is_verified(&server, &ada).await, true, "no visit counted as an attempt");
    }

    async fn a_bad_link_says_what_is_wrong_with_it(server) {
        for page in ["email-verification", "email-verification?code=", "email-verification?code=%3Cscript%3E"] {
            let html = shown(&visit(&server, page).send().await, 400);
            assert!(html.contains("not complete") && !html.contains("<script"), "{html}");
            shown(&press(&server, page, &[]).send().await, 400);
        }
        let unknown = format!("email-verification?code={}", "z".repeat(45));
        let html = shown(&press(&server, &unknown, &[]).send().await, 404);
        assert!(html.contains("not valid"), "{html}");
        let (_, page) = linked(&server).await;
        server.clock().advance_seconds(7 * 24 * 60 * 60);
        let html = shown(&press(&server, &page, &[]).send().await, 400);
        assert!(html.contains("too old"), "{html}");
    }

    async fn a_code_of_one_project_is_none_on_the_page_of_another(server) {
        let (ada, page) = linked(&server).await;
        let there = format!("/projects/{}/handler/{page}", server.other_project().id);
        let answer = server.request(reqwest::Method::POST, &there).form(&[]).header("sec-fetch-site", "same-origin");
        shown(&answer.send().await, 404);
        assert_eq!(is_verified(&server, &ada).await, false);
    }

    async fn only_the_own_pages_of_the_project_are_trusted_without_configuration(server, builder = trusting_nobody()) {
        let (own, project) = (server.public_url().to_owned(), server.project_id().to_owned());
        let other = server.other_project().id.clone();
        let port = own.rsplit_once(':').expect("a port").1.to_owned();
        let foreign = [
            format!("{own}/"),
            format!("{own}/projects/{project}/handler/nothing"),
            format!("{own}/projects/{project}/handler/email-verification/"),
            format!("{own}/projects/{project}/handler/email-verification?next=https://evil.example"),
            format!("{own}/projects/{project}/handler/email-verification#x"),
            format!("{own}/projects/{other}/handler/email-verification"),
            format!("{own}/projects/{project}/handler/../../../email-verification"),
            format!("http://user@localhost:{port}/projects/{project}/handler/email-verification"),
            format!("http://127.0.0.1:{port}/projects/{project}/handler/email-verification"),
            format!("http://localhost:1/projects/{project}/handler/email-verification"),
            format!("https://localhost:{port}/projects/{project}/handler/email-verification"),
            format!("http://localhost:{port}.evil.example/projects/{project}/handler/email-verification"),
        ];
        for callback in foreign {
            let body = json!({ "email": "ada@example.com", "password": PASSWORD, "verification_callback_url": callback });
            let answer = server.post("/auth/password/sign-up").client().header("host", "evil.example").json(&body).send().await;
            let code = answer.header("x-stack-known-error").unwrap_or_default();
            assert!(["REDIRECT_URL_NOT_WHITELISTED", "SCHEMA_ERROR"].contains(&code), "{callback}: {}", answer.text());
        }
    }
}
