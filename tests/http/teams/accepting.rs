//! Contract 06 §4: accepting invitations by code and by id.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::Person;
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::NOBODY;

const WEEK_SECONDS: i64 = 7 * 24 * 60 * 60;

async fn post(server: &TestServer, path: &str, person: Option<&Person>, code: &str) -> Answer {
    let request = server.post(&format!("/team-invitations/{path}")).client().json(&json!({ "code": code }));
    match person {
        Some(person) => request.user(&person.access_token).send().await,
        None => request.send().await,
    }
}

async fn accept_by_id(server: &TestServer, person: &Person, id: &str) -> Answer {
    let path = format!("/team-invitations/{id}/accept?user_id=me");
    server.post(&path).client().user(&person.access_token).send().await
}

on_both_engines! {
    async fn whoever_holds_the_code_gets_in_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "somebody.else@example.com").await;
        assert_eq!(post(&server, "accept", Some(&ada), &code.to_uppercase()).await.expect(200), json!({}));
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
        for person in [&ada, &bo] {
            teams::accept(&server, person, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        }
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
    }

    async fn a_member_stays_a_member(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        teams::accept(&server, &ada, &code).await.expect(200);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_admin"], "nothing changes");
    }

    async fn looking_at_a_code_does_not_use_it(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        for _ in 0..2 {
            let valid = post(&server, "accept/check-code", None, &code).await.expect(200);
            assert_eq!(valid, json!({ "is_code_valid": true }), "nobody needs to be signed in");
            let details = post(&server, "accept/details", Some(&ada), &code).await.expect(200);
            assert_eq!(details, json!({ "team_id": team, "team_display_name": "Engines" }));
        }
        assert!(teams::members(&server, &team).await.is_empty());
        teams::accept(&server, &ada, &code).await.expect(200);
        for path in ["accept/check-code", "accept/details"] {
            post(&server, path, Some(&ada), &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        }
    }

    async fn a_failed_check_leaves_the_code_as_it_was(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        let reasons = [
            (people::restricted(&server).await, "restricted_by_administrator"), (people::anonymous(&server).await, "anonymous"),
        ];
        for path in ["accept", "accept/details"] {
            post(&server, path, None, &code).await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
            for (person, reason) in &reasons {
                let answer = post(&server, path, Some(person), &code).await;
                let details = answer.expect_error(403, "TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED");
                assert_eq!(details, json!({ "restricted_reason": { "type": reason } }));
            }
        }
        teams::accept(&server, &ada, &code).await.expect(200);
    }

    async fn an_unverified_user_is_restricted_where_the_project_says_so(
        server, builder = TestServer::builder().project(|settings| settings.onboarding.require_email_verification = true)
    ) {
        let ada = people::created(&server, &json!({ "primary_email": "ada@example.com" })).await;
        let team = teams::create(&server, "Engines").await;
        let (id, code) = teams::invite(&server, &team, "ada@example.com").await;
        let details = teams::accept(&server, &ada, &code).await.expect_error(403, "TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED");
        assert_eq!(details, json!({ "restricted_reason": { "type": "email_not_verified" } }));
        accept_by_id(&server, &ada, &id).await.expect_error(403, "TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED");
    }

    async fn codes_that_are_none_are_not_found(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for path in ["accept", "accept/details", "accept/check-code"] {
            for code in ["", "short", &"0".repeat(44), &"0".repeat(46)] {
                post(&server, path, Some(&ada), code).await.expect_error(400, "SCHEMA_ERROR");
            }
            post(&server, path, Some(&ada), &"0".repeat(45)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            post(&server, path, None, &"0".repeat(45)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
    }

    async fn a_code_lives_for_a_week(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        server.clock().advance_seconds(WEEK_SECONDS - 1);
        post(&server, "accept/check-code", None, &code).await.expect(200);
        server.clock().advance_seconds(1);
        post(&server, "accept/check-code", None, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        let again = people::session_for(&server, &ada.id).await;
        teams::accept(&server, &again, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
    }

    async fn a_code_bears_twenty_looks_at_it_or_its_likes(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        let guess = format!("zzzzzz{}", &code[6..]);
        for _ in 0..19 {
            post(&server, "accept/check-code", None, &guess).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        post(&server, "accept/check-code", None, &code).await.expect(200);
        let tired = teams::accept(&server, &ada, &code).await;
        tired.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
        assert!(teams::members(&server, &team).await.is_empty());
    }

    async fn a_verified_address_accepts_by_id(server) {
        let fields = json!({ "primary_email": "cy@example.com", "primary_email_verified": true });
        let cy = people::created(&server, &fields).await;
        let team = teams::create(&server, "Engines").await;
        let (id, code) = teams::invite(&server, &team, "Cy@example.com").await;
        assert_eq!(accept_by_id(&server, &cy, &id).await.expect(200), json!({}));
        assert_eq!(teams::permissions(&server, &team, &cy.id, false).await, ["team_member"]);
        accept_by_id(&server, &cy, &id).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        teams::accept(&server, &cy, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        let (again, _) = teams::invite(&server, &team, "cy@example.com").await;
        accept_by_id(&server, &cy, &again).await.expect(200);
        assert_eq!(teams::members(&server, &team).await, [cy.id.as_str()], "a member stays one, and the invitation is used");
        accept_by_id(&server, &cy, &again).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn any_verified_address_accepts_by_id_not_only_the_primary_one(server) {
        let cy = people::sign_up(&server, "cy@example.com").await;
        let team = teams::create(&server, "Engines").await;
        for (email, is_verified) in [("third@example.com", false), ("second@example.com", true)] {
            teams::add_address(&server, &cy.id, email, is_verified).await;
            let (id, _) = teams::invite(&server, &team, email).await;
            let answer = accept_by_id(&server, &cy, &id).await;
            if is_verified {
                answer.expect(200);
                assert_eq!(teams::members(&server, &team).await, [cy.id.as_str()]);
            } else {
                answer.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
                assert!(teams::members(&server, &team).await.is_empty());
            }
        }
    }

    async fn every_failure_by_id_looks_the_same(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (unverified, _) = teams::invite(&server, &team, "ada@example.com").await;
        let (others, _) = teams::invite(&server, &team, "bo@example.com").await;
        for id in [NOBODY, &unverified, &others] {
            accept_by_id(&server, &ada, id).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        people::change(&server, &ada.id, &json!({ "primary_email_verified": true })).await;
        server.clock().advance_seconds(WEEK_SECONDS);
        let ada = people::session_for(&server, &ada.id).await;
        accept_by_id(&server, &ada, &unverified).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        assert!(teams::members(&server, &team).await.is_empty());
    }

    async fn clients_accept_by_id_for_themselves_and_servers_for_anybody(server) {
        let fields = json!({ "primary_email": "cy@example.com", "primary_email_verified": true, "restricted_by_admin": true });
        let cy = people::created(&server, &fields).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (id, _) = teams::invite(&server, &team, "cy@example.com").await;
        let path = |user: &str| format!("/team-invitations/{id}/accept?user_id={user}");
        let nobody = server.post(&path("me")).client().send().await;
        nobody.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let other = server.post(&path(&cy.id)).client().user(&ada.access_token).send().await;
        other.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let held = server.post(&path("me")).client().user(&cy.access_token).send().await;
        held.expect_error(403, "TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED");
        server.post(&format!("/team-invitations/{id}/accept")).server().send().await.expect_error(400, "SCHEMA_ERROR");
        server.post(&path(NOBODY)).server().send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        server.post(&path(&cy.id)).server().send().await.expect(200);
        assert_eq!(teams::members(&server, &team).await, [cy.id.as_str()]);
    }

    async fn servers_accept_by_code_for_the_user_of_the_token(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        let accept = |token: Option<&str>| {
            let request = server.post("/team-invitations/accept").server().json(&json!({ "code": code }));
            match token {
                Some(token) => request.user(token).send(),
                None => request.send(),
            }
        };
        accept(None).await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        let answer: Value = accept(Some(&ada.access_token)).await.expect(200);
        assert_eq!(answer, json!({}));
    }
}
