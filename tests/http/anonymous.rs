//! Contract 04 §10: users who have not signed up, and what becomes of them.

use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::tokens::{claims, keys};
use latchkey_tests::{join_all, stored, teams};
use serde_json::{Value, json};

async fn try_anonymous(server: &TestServer) -> Answer {
    server.post("/auth/anonymous/sign-up").client().send().await
}

async fn upgrade(server: &TestServer, person: &Person, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    server.post("/auth/password/sign-up").client().user(&person.access_token).json(&body).send().await
}

async fn refreshed(server: &TestServer, person: &Person) -> Value {
    let refresh = server.post("/auth/sessions/current/refresh").client();
    let answer = refresh.header("x-stack-refresh-token", &person.refresh_token).send().await.expect(200);
    claims(answer["access_token"].as_str().expect("a token"))
}

/// The names of the teams that somebody is in.
async fn team_names(server: &TestServer, user: &str) -> Vec<String> {
    let listed = server.get(&format!("/teams?user_id={user}")).server().send().await.expect(200);
    let items = listed["items"].as_array().expect("items").iter();
    items.map(|team| team["display_name"].as_str().expect("a name").to_owned()).collect()
}

fn with_personal_teams() -> Builder {
    TestServer::builder().project(|settings| {
        settings.teams.create_personal_team_on_sign_up = true;
        settings.teams.allow_client_team_creation = true;
    })
}

fn closed() -> Builder {
    TestServer::builder().project(|settings| {
        settings.auth.allow_sign_up = false;
        settings.auth.password.allow_sign_in = false;
        settings.auth.sign_up_rules_default_action = latchkey_config::settings::SignUpDefault::Reject;
    })
}

on_both_engines! {
    async fn a_visitor_becomes_an_anonymous_user_without_sending_a_body(server) {
        let answer = try_anonymous(&server).await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "refresh_token", "user_id"]);
        let nobody = Person::of(&answer);
        let user = people::seen_by_server(&server, &nobody.id).await;
        assert_eq!((&user["is_anonymous"], &user["is_restricted"]), (&json!(true), &json!(true)));
        assert_eq!(user["restricted_reason"], json!({ "type": "anonymous" }));
        assert_eq!((&user["primary_email"], &user["display_name"]), (&Value::Null, &Value::Null));
        assert_eq!((&user["has_password"], &user["auth_with_email"]), (&json!(false), &json!(false)));
        assert_eq!(people::seen_by_self(&server, &nobody).await["id"], nobody.id);
        assert_eq!(refreshed(&server, &nobody).await["sub"], nobody.id);
        assert_eq!(stored::event_kinds(&server, &nobody.id).await, ["user.signed_up_anonymously"]);
        server.post("/auth/anonymous/sign-up").client().json(&json!({})).send().await.expect(200);
    }

    async fn nothing_closes_the_way_for_anonymous_users(server, builder = closed()) {
        try_anonymous(&server).await.expect(200);
    }

    async fn every_visitor_is_somebody_of_their_own_whoever_is_signed_in(server) {
        let first = Person::of(&try_anonymous(&server).await.expect(200));
        let request = server.post("/auth/anonymous/sign-up").client().user(&first.access_token);
        let second = Person::of(&request.send().await.expect(200));
        assert_ne!(first.id, second.id);
        assert_eq!(people::seen_by_self(&server, &first).await["id"], first.id, "the older session lives");
        let answers = join_all((0..6).map(|_| try_anonymous(&server))).await;
        let mut ids: Vec<Value> = answers.iter().map(|answer| answer.expect(200)["user_id"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    async fn an_anonymous_user_gets_a_personal_team_of_the_default_name(server, builder = with_personal_teams()) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        assert_eq!(team_names(&server, &nobody.id).await, ["Personal Team"]);
        let team = people::seen_by_server(&server, &nobody.id).await["selected_team_id"].clone();
        assert!(team.is_string());
        upgrade(&server, &nobody, "ada@example.com").await.expect(200);
        assert_eq!(team_names(&server, &nobody.id).await, ["ada@example.com's Team"]);
        let user = people::seen_by_server(&server, &nobody.id).await;
        assert_eq!(user["selected_team_id"], team, "it is the same team");
    }

    async fn an_upgrade_leaves_teams_alone_that_have_a_name_of_their_own(server, builder = with_personal_teams()) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let team = people::seen_by_server(&server, &nobody.id).await["selected_team_id"].clone();
        let path = format!("/teams/{}", team.as_str().expect("an id"));
        server.patch(&path).server().json(&json!({ "display_name": "Herons" })).send().await.expect(200);
        teams::created_by(&server, &nobody, "Weir").await;
        upgrade(&server, &nobody, "ada@example.com").await.expect(200);
        let mut names = team_names(&server, &nobody.id).await;
        names.sort();
        assert_eq!(names, ["Herons", "Weir"]);
    }

    async fn an_upgrade_keeps_sessions_country_and_metadata(server) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let second = people::session_for(&server, &nobody.id).await;
        let fields = json!({
            "country_code": "IS", "server_metadata": { "a": 1 }, "client_metadata": { "b": 2 },
            "client_read_only_metadata": { "c": 3 }, "display_name": "Visitor",
        });
        people::change(&server, &nobody.id, &fields).await;
        let ada = Person::of(&upgrade(&server, &nobody, "ada@example.com").await.expect(200));
        assert_eq!(ada.id, nobody.id);
        let user = people::seen_by_server(&server, &nobody.id).await;
        for name in ["country_code", "server_metadata", "client_metadata", "client_read_only_metadata", "display_name"] {
            assert_eq!(user[name], fields[name], "{name}");
        }
        for old in [&nobody, &second] {
            let said = refreshed(&server, old).await;
            assert_eq!((&said["is_anonymous"], &said["aud"]), (&json!(false), &json!(server.project_id())));
        }
        let listed = server.get("/auth/sessions?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    }

    async fn a_server_upgrades_without_asking_switch_or_rules(server, builder = closed()) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let before = people::seen_by_server(&server, &nobody.id).await;
        server.clock().advance_seconds(60);
        let path = format!("/users/{}", nobody.id);
        let again = server.patch(&path).server().json(&json!({ "is_anonymous": true })).send().await;
        again.expect_error(400, "SCHEMA_ERROR");
        let user = people::change(&server, &nobody.id, &json!({ "is_anonymous": false, "primary_email": "ada@example.com" })).await;
        assert_eq!((&user["id"], &user["is_anonymous"]), (&json!(nobody.id), &json!(false)));
        let time = |user: &Value| user["signed_up_at_millis"].as_i64().expect("a time");
        assert_eq!(time(&user), time(&before) + 60_000);
        assert_eq!(refreshed(&server, &nobody).await["is_anonymous"], false);
        server.clock().advance_seconds(60);
        let later = people::change(&server, &nobody.id, &json!({ "is_anonymous": false })).await;
        assert_eq!(time(&later), time(&user), "there is nothing left to upgrade");
    }

    async fn a_server_cannot_upgrade_somebody_to_a_taken_address(server) {
        people::sign_up(&server, "ada@example.com").await;
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let fields = json!({ "is_anonymous": false, "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let answer = server.patch(&format!("/users/{}", nobody.id)).server().json(&fields).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true, "nothing was changed");
    }

    async fn nobody_is_upgraded_by_the_token_of_another_project(server) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let answer = request.user(&nobody.access_token).json(&body).send().await;
        answer.expect_error(401, "INVALID_PROJECT_FOR_ACCESS_TOKEN");
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn without_the_header_that_allows_it_an_anonymous_token_upgrades_nobody(server) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = server.post("/auth/password/sign-up").client().header("x-stack-access-token", &nobody.access_token);
        request.json(&body).send().await.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED");
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn a_visitor_who_signed_out_is_not_upgraded(server) {
        let nobody = Person::of(&try_anonymous(&server).await.expect(200));
        server.delete("/auth/sessions/current").client().user(&nobody.access_token).send().await.expect(200);
        let ada = Person::of(&upgrade(&server, &nobody, "ada@example.com").await.expect(200));
        assert_ne!(ada.id, nobody.id, "an ended session stands for nobody");
    }
}
