//! Contract 06 §4: sending, listing and taking back invitations.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::Person;
use latchkey_tests::{mail, people, teams};
use serde_json::{Value, json};

use super::NOBODY;

const CALLBACK: &str = "http://localhost:3000/handler/team-invitation?next=%2Fhome";
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

fn body(team: &str, email: &str) -> Value {
    json!({ "team_id": team, "email": email, "callback_url": CALLBACK })
}

async fn send_as(server: &TestServer, person: &Person, body: &Value) -> Answer {
    server.post("/team-invitations/send-code").client().user(&person.access_token).json(body).send().await
}

async fn open(server: &TestServer, query: &str) -> Value {
    server.get(&format!("/team-invitations?{query}")).server().send().await.expect(200)["items"].clone()
}

/// A user with a verified address.
async fn verified(server: &TestServer, email: &str) -> Person {
    let fields =
        json!({ "primary_email": email, "primary_email_verified": true, "primary_email_auth_enabled": true });
    people::created(server, &fields).await
}

on_both_engines! {
    async fn an_invitation_is_a_mail_with_a_link(server) {
        let team = teams::create(&server, "Engines").await;
        let send = server.post("/team-invitations/send-code").server().json(&body(&team, "Cy@Example.com"));
        let sent = send.send().await.expect(200);
        assert_eq!(sent, json!({ "success": true, "id": sent["id"] }));
        let mails = mail::to(&server, "cy@example.com").await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("join") && mails[0].subject.contains("Engines"), "{}", mails[0].subject);
        let links = mail::links(&mails[0].text);
        let link = links.iter().find(|link| link.starts_with(CALLBACK)).expect("a link");
        let code = link.split_once("&code=").expect("a code").1;
        assert_eq!(code.len(), 45);
        assert!(mails[0].html.contains(code));
        let listed = open(&server, &format!("team_id={team}")).await;
        assert_eq!(listed, json!([{
            "id": sent["id"], "team_id": team, "team_display_name": "Engines", "recipient_email": "cy@example.com",
            "expires_at_millis": server.app().now() + WEEK,
        }]), "the code is in the mail only");
    }

    async fn a_client_invites_with_the_permission_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        send_as(&server, &ada, &body(&team, "cy@example.com")).await.expect(200);
        let outsider = send_as(&server, &bo, &body(&team, "cy@example.com")).await;
        outsider.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        teams::revoke(&server, &team, &ada.id, "team_member").await.expect(200);
        let details = send_as(&server, &ada, &body(&team, "cy@example.com")).await.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        assert_eq!(details["permission_id"], "$invite_members");
        let nobody = server.post("/team-invitations/send-code").client().json(&body(&team, "cy@example.com"));
        nobody.send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        assert_eq!(mail::to(&server, "cy@example.com").await.len(), 1);
    }

    async fn what_cannot_be_sent_is_refused(server) {
        let team = teams::create(&server, "Engines").await;
        let send = |body: Value| server.post("/team-invitations/send-code").server().json(&body).send();
        let away = json!({ "team_id": team, "email": "cy@example.com", "callback_url": "https://evil.example.org/" });
        send(away).await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        let details = send(body(NOBODY, "cy@example.com")).await.expect_error(404, "TEAM_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": NOBODY }));
        for name in ["team_id", "email", "callback_url"] {
            let mut without = body(&team, "cy@example.com");
            without.as_object_mut().expect("an object").remove(name);
            send(without).await.expect_error(400, "SCHEMA_ERROR");
        }
        send(body(&team, "no address")).await.expect_error(400, "SCHEMA_ERROR");
        assert!(mail::to(&server, "cy@example.com").await.is_empty());
    }

    async fn an_address_can_be_invited_several_times(server) {
        let team = teams::create(&server, "Engines").await;
        let (one, first) = teams::invite(&server, &team, "cy@example.com").await;
        server.clock().advance_seconds(1);
        let (two, second) = teams::invite(&server, &team, "cy@example.com").await;
        assert_ne!(first, second);
        let listed = open(&server, &format!("team_id={team}")).await;
        assert_eq!(teams::ids(&json!({ "items": listed })), [one, two], "oldest first");
    }

    async fn exactly_one_of_team_and_user_is_listed(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        for query in [String::new(), format!("?team_id={team}&user_id={}", ada.id)] {
            server.get(&format!("/team-invitations{query}")).server().send().await.expect_text(400);
            let client = server.get(&format!("/team-invitations{query}")).client().user(&ada.access_token);
            client.send().await.expect_text(400);
        }
        let answer = server.get(&format!("/team-invitations?team_id={NOBODY}")).server().send().await;
        answer.expect_error(404, "TEAM_NOT_FOUND");
    }

    async fn a_client_lists_those_of_a_team_with_two_permissions(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        teams::invite(&server, &team, "cy@example.com").await;
        let path = format!("/team-invitations?team_id={team}");
        let list = || server.get(&path).client().user(&ada.access_token).send();
        server.get(&path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        list().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        teams::add(&server, &team, &ada.id).await.expect(201);
        assert_eq!(list().await.expect(200)["items"].as_array().expect("items").len(), 1);
        teams::revoke(&server, &team, &ada.id, "team_member").await.expect(200);
        assert_eq!(list().await.expect_error(401, "TEAM_PERMISSION_REQUIRED")["permission_id"], "$read_members");
        teams::grant(&server, &team, &ada.id, "$read_members").await.expect(201);
        assert_eq!(list().await.expect_error(401, "TEAM_PERMISSION_REQUIRED")["permission_id"], "$invite_members");
    }

    async fn a_user_sees_what_was_sent_to_their_verified_addresses(server) {
        let cy = verified(&server, "cy@example.com").await;
        let dee = people::sign_up(&server, "dee@example.com").await;
        let bo = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        let (id, _) = teams::invite(&server, &team, "CY@example.com").await;
        teams::invite(&server, &team, "dee@example.com").await;
        let mine = |person: &Person| server.get("/team-invitations?user_id=me").client().user(&person.access_token).send();
        let seen = mine(&cy).await.expect(200);
        assert_eq!((teams::ids(&seen), &seen["is_paginated"]), (vec![id.clone()], &json!(false)));
        assert_eq!(mine(&dee).await.expect(200)["items"], json!([]), "not verified");
        assert_eq!(mine(&bo).await.expect(200)["items"], json!([]), "no address");
        let others = server.get(&format!("/team-invitations?user_id={}", cy.id)).client();
        others.user(&dee.access_token).send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let nobody = server.get("/team-invitations?user_id=me").client().send().await;
        nobody.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        assert_eq!(teams::ids(&json!({ "items": open(&server, &format!("user_id={}", cy.id)).await })), [id]);
    }

    async fn what_was_sent_to_any_verified_address_is_seen_not_only_to_the_primary_one(server) {
        let cy = verified(&server, "cy@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let mut sent = Vec::new();
        for (email, is_verified) in [("second@example.com", true), ("third@example.com", false)] {
            teams::add_address(&server, &cy.id, email, is_verified).await;
            sent.push(teams::invite(&server, &team, email).await.0);
        }
        let mine = server.get("/team-invitations?user_id=me").client().user(&cy.access_token).send().await.expect(200);
        assert_eq!(teams::ids(&mine), sent[..1]);
        assert_eq!(open(&server, &format!("user_id={}", cy.id)).await, mine["items"]);
    }

    async fn only_open_invitations_are_listed(server) {
        let cy = verified(&server, "cy@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, used) = teams::invite(&server, &team, "dee@example.com").await;
        teams::accept(&server, &cy, &used).await.expect(200);
        teams::invite(&server, &team, "cy@example.com").await;
        server.clock().advance_seconds(WEEK / 1000 - 1);
        assert_eq!(open(&server, &format!("team_id={team}")).await.as_array().expect("items").len(), 1);
        server.clock().advance_seconds(1);
        assert_eq!(open(&server, &format!("team_id={team}")).await, json!([]));
        assert_eq!(open(&server, &format!("user_id={}", cy.id)).await, json!([]));
    }

    async fn long_expired_invitations_are_forgotten(server) {
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "cy@example.com").await;
        let check = || {
            let body = json!({ "code": code });
            server.post("/team-invitations/accept/check-code").client().json(&body).send()
        };
        server.clock().advance_seconds(WEEK / 1000);
        latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up");
        check().await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        server.clock().advance_seconds(365 * 24 * 60 * 60);
        latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up");
        check().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn an_invitation_that_is_taken_back_is_gone(server) {
        let cy = verified(&server, "cy@example.com").await;
        let (team, other) = (teams::create(&server, "Engines").await, teams::create(&server, "Other").await);
        let (id, code) = teams::invite(&server, &team, "cy@example.com").await;
        let take = |id: &str, query: &str| server.delete(&format!("/team-invitations/{id}{query}")).server().send();
        take(&id, "").await.expect_text(400);
        take(&id, &format!("?team_id={NOBODY}")).await.expect_error(404, "TEAM_NOT_FOUND");
        take(&id, &format!("?team_id={other}")).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        take(NOBODY, &format!("?team_id={team}")).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        assert_eq!(take(&id, &format!("?team_id={team}")).await.expect(200), json!({ "success": true }));
        take(&id, &format!("?team_id={team}")).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        teams::accept(&server, &cy, &code).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        let by_id = server.post(&format!("/team-invitations/{id}/accept?user_id=me")).client().user(&cy.access_token);
        by_id.send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn a_client_takes_back_with_the_permission_to_remove_members(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        let (id, _) = teams::invite(&server, &team, "cy@example.com").await;
        let path = format!("/team-invitations/{id}?team_id={team}");
        let take = || server.delete(&path).client().user(&ada.access_token).send();
        assert_eq!(take().await.expect_error(401, "TEAM_PERMISSION_REQUIRED")["permission_id"], "$remove_members");
        let bo = people::sign_up(&server, "bo@example.com").await;
        let outsider = server.delete(&path).client().user(&bo.access_token).send().await;
        outsider.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        server.delete(&path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        teams::grant(&server, &team, &ada.id, "$remove_members").await.expect(201);
        take().await.expect(200);
    }
}
