//! How much mail has left, and how fast it may.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

use super::mailed;

async fn info(server: &TestServer) -> Value {
    server.get("/emails/delivery-info").server().send().await.expect(200)
}

on_both_engines! {
    async fn mails_that_left_are_counted_by_their_age(server) {
        let counts = |sent: i64| json!({ "sent": sent, "bounced": 0, "marked_as_spam": 0 });
        assert_eq!(info(&server).await["stats"]["month"], counts(0));
        for (number, pause) in [20 * 24, 4 * 24, 20, 2, 0].into_iter().enumerate() {
            mailed(&server, &format!("user{number}@example.com")).await;
            server.flush().await;
            server.clock().advance_seconds(pause * 3600);
        }
        let stats = info(&server).await["stats"].clone();
        assert_eq!(stats, json!({ "hour": counts(1), "day": counts(3), "week": counts(4), "month": counts(5) }));
    }

    async fn a_boost_lasts_four_hours_and_does_not_add_up(server) {
        let before = info(&server).await["capacity"].clone();
        assert_eq!(before, json!({ "rate_per_second": 20, "boost_multiplier": 1, "penalty_factor": 1, "is_boost_active": false, "boost_expires_at": null }));
        let boosted = server.post("/emails/capacity-boost").server().send().await.expect(200);
        let until = boosted["expires_at"].as_str().expect("a time").to_owned();
        let capacity = info(&server).await["capacity"].clone();
        assert_eq!(capacity, json!({ "rate_per_second": 80, "boost_multiplier": 4, "penalty_factor": 1, "is_boost_active": true, "boost_expires_at": until }));
        let details = server.post("/emails/capacity-boost").server().send().await.expect_error(409, "EMAIL_CAPACITY_BOOST_ALREADY_ACTIVE");
        assert_eq!(details, json!({ "expires_at": until }));
        server.clock().advance_seconds(4 * 3600 - 1);
        server.post("/emails/capacity-boost").server().send().await.expect_error(409, "EMAIL_CAPACITY_BOOST_ALREADY_ACTIVE");
        server.clock().advance_seconds(1);
        assert_eq!(info(&server).await["capacity"], before);
        server.post("/emails/capacity-boost").server().send().await.expect(200);
    }

    async fn racing_boosts_begin_once(server) {
        let boost = || async { server.post("/emails/capacity-boost").server().send().await.status };
        let mut statuses = latchkey_tests::join_all((0..6).map(|_| boost())).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
        let other = server.other_project().clone();
        people::speaking_for(server.post("/emails/capacity-boost"), &other, "server").send().await.expect(200);
    }

    async fn a_project_that_mails_without_end_is_slowed_down_and_no_other_one(
        server, builder = TestServer::builder().config("mail.rate_per_second", "1")
    ) {
        let team = latchkey_tests::teams::create(&server, "crowd").await;
        for number in 0..203 {
            let body = json!({ "team_id": team, "email": format!("user{number}@example.com"), "callback_url": "http://localhost/" });
            server.post("/team-invitations/send-code").server().json(&body).send().await.expect(200);
        }
        server.flush().await;
        assert_eq!(server.mailbox().list(None).len(), 200);
        let other = server.other_project().clone();
        let body = json!({ "email": "bo@example.com", "password": people::PASSWORD, "verification_callback_url": "http://localhost/" });
        people::speaking_for(server.post("/auth/password/sign-up"), &other, "client").json(&body).send().await.expect(200);
        server.flush().await;
        assert_eq!(server.mailbox().list(Some("bo@example.com")).len(), 1);
        for sent in 202..=204 {
            server.clock().advance_millis(1001);
            server.flush().await;
            assert_eq!(server.mailbox().list(None).len(), sent);
        }
    }
}
