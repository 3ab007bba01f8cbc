//! Somebody lets a command-line program sign in as them.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::{join_all, stored};
use serde_json::{Value, json};

use super::{cookie, press, shown, takes_the_cookie, visit};

/// An attempt: its polling code and its page.
async fn begun(server: &TestServer) -> (Value, String) {
    let codes = server.post("/auth/cli").client().json(&json!({})).send().await.expect(200);
    let login = codes["login_code"].as_str().expect("a code");
    (codes["polling_code"].clone(), format!("cli-auth-confirm?login_code={login}"))
}

async fn poll(server: &TestServer, polling: &Value) -> Answer {
    server.post("/auth/cli/poll").client().json(&json!({ "polling_code": polling })).send().await
}

async fn sign_in(server: &TestServer, page: &str, password: &str) -> Answer {
    let fields = [("action", "sign-in"), ("email", "ada@example.com"), ("password", password)];
    press(server, page, &fields).send().await
}

on_both_engines! {
    async fn somebody_signs_in_and_lets_the_program_in(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let (polling, page) = begun(&server).await;
        let html = shown(&visit(&server, &page).send().await, 200);
        let code = page.split_once('=').expect("a code").1;
        assert!(html.contains(code), "the code can be compared: {html}");
        assert!(html.contains("type=\"password\"") && !html.contains("Let it sign in"), "{html}");

        let answer = sign_in(&server, &page, PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("?{}", page.split_once('?').expect("a query").1))));
        let set = answer.header("set-cookie").expect("a cookie");
        for part in ["HttpOnly", "SameSite=Strict", "Max-Age=900", &format!("Path=/projects/{}/handler", server.project_id())] {
            assert!(set.contains(part), "{set}");
        }
        let session = cookie(&answer);
        let html = shown(&visit(&server, &page).header("cookie", &session).send().await, 200);
        assert!(html.contains("ada@example.com") && html.contains("Let it sign in"), "{html}");
        assert_eq!(poll(&server, &polling).await.expect(200)["status"], "waiting", "not by looking");

        let answer = press(&server, &page, &[("action", "confirm")]).header("cookie", &session).send().await;
        assert!(shown(&answer, 200).contains("The program is signed in"));
        assert!(takes_the_cookie(&answer), "the session is the program's alone");
        let given = poll(&server, &polling).await.expect(201)["refresh_token"].as_str().expect("a token").to_owned();
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let token = refresh.header("x-stack-refresh-token", &given).send().await.expect(200);
        assert_eq!(latchkey_tests::tokens::claims(token["access_token"].as_str().expect("a token"))["sub"], ada.id);
        let events = stored::events(&server, &ada.id).await;
        let given = events.iter().find(|event| event.kind == "session.given_to_program").expect("an event");
        assert_eq!(given.ip.as_deref(), Some("127.0.0.1"));
    }

    async fn nobody_is_let_in_without_a_session(server) {
        people::sign_up(&server, "ada@example.com").await;
        let (polling, page) = begun(&server).await;
        let confirm = |cookie: &str| {
            press(&server, &page, &[("action", "confirm")]).header("cookie", cookie).send()
        };
        for cookie in ["latchkey-page=", "latchkey-page=x", &format!("latchkey-page={}", "0".repeat(45)), "a=b"] {
            let html = shown(&confirm(cookie).await, 200);
            assert!(html.contains("type=\"password\""), "{html}");
        }
        assert_eq!(poll(&server, &polling).await.expect(200)["status"], "waiting");
        let answer = sign_in(&server, &page, "not the password").await;
        assert!(shown(&answer, 400).contains("password is wrong"));
        assert_eq!(answer.header("set-cookie"), None);
        let fields = [("action", "sign-in"), ("email", "nobody@example.com"), ("password", PASSWORD)];
        let unknown = press(&server, &page, &fields).send().await;
        assert_eq!(unknown.text().split("</style>").last(), answer.text().split("</style>").last());
        assert!(shown(&unknown, 400).contains("password is wrong"));
    }

    async fn another_site_cannot_press_the_button(server) {
        people::sign_up(&server, "ada@example.com").await;
        let (polling, page) = begun(&server).await;
        let session = cookie(&sign_in(&server, &page, PASSWORD).await);
        let forged = press(&server, &page, &[("action", "confirm")]).header("cookie", &session);
        shown(&forged.header("sec-fetch-site", "cross-site").send().await, 403);
        assert_eq!(poll(&server, &polling).await.expect(200)["status"], "waiting");
    }

    async fn a_second_factor_is_not_skipped_on_the_page(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let (polling, page) = begun(&server).await;
        let answer = sign_in(&server, &page, PASSWORD).await;
        assert_eq!(answer.header("set-cookie"), None, "{}", answer.text());
        assert_eq!(poll(&server, &polling).await.expect(200)["status"], "waiting");
    }

    async fn the_cookie_of_one_project_is_none_in_another(server) {
        people::sign_up(&server, "ada@example.com").await;
        let (_, page) = begun(&server).await;
        let session = cookie(&sign_in(&server, &page, PASSWORD).await);
        let other = server.other_project().clone();
        let codes = people::speaking_for(server.post("/auth/cli"), &other, "client").send().await.expect(200);
        let there = format!("/projects/{}/handler/cli-auth-confirm?login_code={}", other.id, codes["login_code"].as_str().expect("a code"));
        let request = server.request(reqwest::Method::POST, &there).form(&[("action", "confirm")]);
        let answer = request.header("sec-fetch-site", "same-origin").header("cookie", &session).send().await;
        assert!(shown(&answer, 200).contains("type=\"password\""));
    }

    async fn another_account_ends_the_first_one_s_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let (_, page) = begun(&server).await;
        let session = cookie(&sign_in(&server, &page, PASSWORD).await);
        let answer = press(&server, &page, &[("action", "sign-out")]).header("cookie", &session).send().await;
        assert_eq!(answer.status, 303);
        assert!(takes_the_cookie(&answer));
        let html = shown(&visit(&server, &page).header("cookie", &session).send().await, 200);
        assert!(html.contains("type=\"password\""), "the old cookie is worth nothing");
        assert_eq!(people::seen_by_self(&server, &ada).await["id"], ada.id, "other sessions live");
    }

    async fn an_attempt_that_is_over_says_so(server) {
        people::sign_up(&server, "ada@example.com").await;
        let (_, page) = begun(&server).await;
        let session = cookie(&sign_in(&server, &page, PASSWORD).await);
        server.clock().advance_seconds(2 * 60 * 60);
        for answer in [
            visit(&server, &page).send().await,
            press(&server, &page, &[("action", "confirm")]).header("cookie", &session).send().await,
            visit(&server, &format!("cli-auth-confirm?login_code={}", "z".repeat(45))).send().await,
            visit(&server, "cli-auth-confirm").send().await,
        ] {
            shown(&answer, 400);
        }
    }

    async fn of_two_presses_one_lets_the_program_in(server) {
        people::sign_up(&server, "ada@example.com").await;
        let (polling, page) = begun(&server).await;
        let session = cookie(&sign_in(&server, &page, PASSWORD).await);
        let press = || press(&server, &page, &[("action", "confirm")]).header("cookie", &session).send();
        let answers = join_all((0..5).map(|_| press())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        poll(&server, &polling).await.expect(201);
    }
}
