//! What attackers try on the way through the browser, and what a provider must not get away with.

use latchkey_testkit::on_both_engines;
use latchkey_tests::join_all;
use latchkey_tests::oauth::{self, Flow, code};
use reqwest::{Method, Url};

/// A callback with one parameter of its query replaced.
fn replaced(location: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = location.query_pairs().into_owned().collect();
    let mut changed = location.clone();
    changed.query_pairs_mut().clear().extend_pairs(
        pairs.iter().map(|(other, old)| (other.as_str(), if other == name { value } else { old.as_str() })),
    );
    changed
}

on_both_engines! {
    async fn another_browser_cannot_finish_a_sign_in(server, builder = oauth::builder()) {
        // Login CSRF: the attacker's callback, opened in the victim's browser, which has another cookie or none.
        let mut attackers = Flow::new(&server, "google").begin().await.choose("mallory@example.com", "").await;
        let victims = Flow::new(&server, "google").begin().await;
        let good = attackers.cookie.clone().expect("a cookie");
        let (name, _) = good.split_once('=').expect("a pair");
        for cookie in [None, victims.cookie.clone(), Some(format!("{name}=false")), Some(format!("{name}=")), Some(name.to_owned())] {
            attackers.cookie = cookie;
            attackers.come_back().await.expect_text(400);
        }
        // It is not lost for its own browser.
        attackers.cookie = Some(good);
        code(&attackers.come_back().await);
    }

    async fn a_sign_in_that_was_begun_without_a_cookie_gives_a_code_to_whoever_began_it_only(server, builder = oauth::builder()) {
        // Login CSRF in json mode: the attacker has the victim's browser finish the attacker's own sign-in. The code that
        // comes out is bound to the attacker's verifier and state, which the victim's client does not have.
        let begun = Flow::new(&server, "google").with("stack_response_mode", "json").with("state", "the attacker's").answer().await.expect(200);
        let mut way = Flow::new(&server, "google").begin().await;
        way.location = begun["location"].as_str().expect("a location").parse().expect("a URL");
        way.cookie = None;
        let answer = way.choose("mallory@example.com", "").await.come_back().await;
        assert_eq!(oauth::parameter(&answer, "state").as_deref(), Some("the attacker's"), "not that of the victim's client");
        let victims = [("code_verifier", "the-verifier-of-the-victim-which-is-long-enough-2")];
        oauth::exchange(&server, &code(&answer), &victims).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn a_callback_works_once_even_if_it_is_raced(server, builder = oauth::builder()) {
        let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let answers = join_all((0..12).map(|_| way.come_back())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 303) {
            answer.expect_text(400);
        }
    }

    async fn states_that_are_made_up_or_twice_are_unknown(server, builder = oauth::builder()) {
        let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let state = way.location.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        let (project, secret) = state.split_once('.').expect("a project and a secret");
        let other = server.other_project().id.clone();
        for changed in [
            String::new(), "x".to_owned(), format!("{project}."), secret.to_owned(), format!("{other}.{secret}"), format!("{state}x"),
            state.to_uppercase(), format!("nobody.{secret}"), "%00".to_owned(),
        ] {
            let mut hostile = way.clone();
            hostile.location = replaced(&way.location, "state", &changed);
            hostile.cookie = Some(format!("stack-oauth-inner-{changed}=true").replace('%', "x"));
            let answer = hostile.come_back().await;
            assert_eq!(answer.status, 400, "{changed}: {}", answer.text());
        }
        let mut twice = way.clone();
        twice.location.query_pairs_mut().append_pair("state", &state);
        twice.come_back().await.expect_text(400);
        code(&way.come_back().await);
    }

    async fn an_answer_of_another_provider_or_with_another_issuer_is_refused(server, builder = oauth::builder()) {
        let mut way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let path = way.location.path().replace("/callback/google", "/callback/github");
        way.location.set_path(&path);
        way.come_back().await.expect_text(400);
        let mixed = Flow::new(&server, "google").begin().await.choose("ada@example.com", "mixed_up").await;
        mixed.come_back().await.expect_text(400);
        let mut silent = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let pairs: Vec<(String, String)> = silent.location.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
        silent.location.query_pairs_mut().clear().extend_pairs(pairs);
        silent.come_back().await.expect_text(400);
        assert_eq!(server.get("/users").server().send().await.expect(200)["items"], serde_json::json!([]));
    }

    async fn the_answer_to_one_sign_in_does_not_end_another(server, builder = oauth::builder()) {
        // Two flows of one browser: each has its cookie, and state and code belong together.
        let first = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let second = Flow::new(&server, "google").begin().await.choose("grace@example.com", "").await;
        let of = |way: &oauth::Returning<'_>, name: &str| way.location.query_pairs().find(|(other, _)| other == name).expect("a parameter").1.into_owned();
        let mut mixed = first.clone();
        mixed.location = replaced(&first.location, "state", &of(&second, "state"));
        mixed.come_back().await.expect_text(400);
        mixed.cookie = second.cookie.clone();
        mixed.come_back().await.expect_text(400);
        // What was tried is used up, on either side.
        first.come_back().await.expect_text(400);
        second.come_back().await.expect_text(400);
        assert_eq!(server.get("/users").server().send().await.expect(200)["items"], serde_json::json!([]));
    }

    async fn the_state_of_another_project_leads_to_that_project_only(server, builder = oauth::builder()) {
        let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let code = code(&way.come_back().await);
        let other = server.other_project().clone();
        let changes = [("client_id", other.id.as_str()), ("client_secret", other.keys.publishable.as_str())];
        oauth::exchange(&server, &code, &changes).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        let request = latchkey_tests::people::speaking_for(server.get("/users"), &other, "server");
        assert_eq!(request.send().await.expect(200)["items"], serde_json::json!([]));
    }

    async fn the_code_of_another_sign_in_is_refused_by_pkce_and_nonce(server, builder = oauth::builder()) {
        // Code injection: a code that was stolen from somebody else's redirect.
        let stolen = Flow::new(&server, "google").begin().await.choose("grace@example.com", "").await;
        let stolen = stolen.location.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let mut own = Flow::new(&server, "google").begin().await.choose("mallory@example.com", "").await;
        own.location = replaced(&own.location, "code", &stolen);
        own.come_back().await.expect_text(400);
    }

    async fn id_tokens_that_prove_something_else_are_refused(server, builder = oauth::builder()) {
        for fault in ["nonce", "audience", "issuer", "expired", "key"] {
            let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", fault).await;
            let answer = way.come_back().await;
            assert_eq!(answer.header("location"), None, "{fault}");
            answer.expect_text(400);
        }
        assert_eq!(server.get("/users").server().send().await.expect(200)["items"], serde_json::json!([]));
        oauth::sign_in(&server, "google", "ada@example.com").await;
    }

    async fn a_form_is_as_good_as_a_query(server, builder = oauth::builder()) {
        let way = Flow::new(&server, "google").begin().await.choose("ada@example.com", "").await;
        let pairs: Vec<(String, String)> = way.location.query_pairs().into_owned().collect();
        let fields: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = server.request(Method::POST, way.location.path()).form(&fields);
        code(&request.header("cookie", way.cookie.as_deref().expect("a cookie")).send().await);
    }

    async fn the_provider_of_development_sends_codes_to_this_server_only(server, builder = oauth::builder()) {
        let visit = Flow::new(&server, "google").begin().await;
        for address in ["https://evil.example/", &format!("{}.evil.example/api/v1/auth/oauth/callback/google", server.public_url())] {
            let page = replaced(&visit.location, "redirect_uri", address);
            let path = page.as_str().strip_prefix(server.public_url()).expect("a page");
            assert_eq!(server.request(Method::GET, path).send().await.status, 400, "{address}");
            let pairs: Vec<(String, String)> = page.query_pairs().into_owned().collect();
            let mut fields: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            fields.push(("sub", "ada@example.com"));
            assert_eq!(server.request(Method::POST, page.path()).form(&fields).send().await.status, 400);
        }
    }
}
