//! Contract 08 §4.2: how events are delivered, in which order, and what happens when they are not accepted.

use latchkey_testkit::on_both_engines;
use latchkey_tests::receiver::{Reaction, Receiver};
use serde_json::json;

use super::{attempts, audited, endpoint, grant, granted, id, with_receivers};

/// Pauses of the documented schedule after the first attempt, milliseconds.
const PAUSES: [i64; 7] = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000];

on_both_engines! {
    async fn a_delivery_carries_both_sets_of_headers_and_is_accepted_by_any_2xx(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.react([Reaction::Answer(299, "fine".to_owned())]);
        grant(&server, "a").await;
        server.flush().await;
        let received = receiver.received();
        assert_eq!(received.len(), 1);
        let delivery = &received[0];
        assert_eq!(delivery.header("content-type"), "application/json");
        assert!(delivery.header("svix-id").starts_with("msg_") && delivery.header("svix-id").len() == 31);
        assert_eq!(delivery.header("svix-timestamp"), (server.app().now() / 1000).to_string());
        for name in ["id", "timestamp", "signature"] {
            assert_eq!(delivery.header(&format!("svix-{name}")), delivery.header(&format!("webhook-{name}")));
        }
        assert_eq!(delivery.body, format!(r#"{{"type":"project_permission.created","data":{}}}"#, delivery.json()["data"]));
        let log = attempts(&server, id(&made)).await;
        assert_eq!(log.len(), 1);
        assert_eq!(log[0]["message_id"], delivery.header("svix-id"));
        assert_eq!((&log[0]["succeeded"], &log[0]["status_code"], &log[0]["response"]), (&json!(true), &json!(299), &json!("fine")));
        assert_eq!((&log[0]["url"], &log[0]["attempted_at_millis"]), (&json!(receiver.url), &json!(server.app().now())));
    }

    async fn what_is_refused_is_tried_again_at_the_documented_times_and_then_given_up(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.fail(100, 500);
        let begun = server.app().now();
        grant(&server, "a").await;
        server.flush().await;
        let mut expected = vec![begun];
        for pause in PAUSES {
            server.clock().advance_millis(pause - 1);
            server.flush().await;
            assert_eq!(receiver.received().len(), expected.len(), "a millisecond early");
            server.clock().advance_millis(1);
            server.flush().await;
            expected.push(expected[expected.len() - 1] + pause);
        }
        server.clock().advance_seconds(30 * 24 * 3600);
        server.flush().await;
        let log = attempts(&server, id(&made)).await;
        let times: Vec<i64> = log.iter().map(|attempt| attempt["attempted_at_millis"].as_i64().expect("a time")).collect();
        assert_eq!(times, expected);
        let received = receiver.received();
        assert_eq!(received.len(), 8);
        assert!(received.iter().all(|delivery| delivery.header("svix-id") == received[0].header("svix-id")));
        assert!(received.iter().all(|delivery| delivery.body == received[0].body));
        assert_ne!(received[0].header("svix-timestamp"), received[1].header("svix-timestamp"), "the time of the attempt");
    }

    async fn a_receiver_that_fails_three_times_gets_the_event_in_the_documented_order(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        receiver.fail(1, 503);
        grant(&server, "first").await;
        server.flush().await;
        // Later events do not wait for an event that waits for its next time.
        grant(&server, "second").await;
        server.flush().await;
        receiver.fail(1, 503);
        server.clock().advance_millis(5_000);
        server.flush().await;
        receiver.fail(1, 503);
        server.clock().advance_millis(300_000);
        server.flush().await;
        grant(&server, "third").await;
        server.flush().await;
        server.clock().advance_millis(1_800_000);
        grant(&server, "fourth").await;
        server.flush().await;
        assert_eq!(
            granted(&receiver.received()),
            ["first", "second", "first", "first", "third", "first", "fourth"]
        );
    }

    async fn events_reach_an_endpoint_in_the_order_in_which_they_were_queued(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let names: Vec<String> = (0..30).map(|number| format!("p{number}")).collect();
        for name in &names {
            // All of them in the same millisecond.
            grant(&server, name).await;
        }
        server.flush().await;
        assert_eq!(granted(&receiver.received()), names);
    }

    async fn a_slow_endpoint_holds_up_no_other(server, builder = with_receivers()) {
        let (slow, quick) = (Receiver::start().await, Receiver::start().await);
        endpoint(&server, &slow.url).await;
        endpoint(&server, &quick.url).await;
        slow.react([Reaction::Silence]);
        grant(&server, "a").await;
        slow.wait_for(1).await;
        grant(&server, "b").await;
        grant(&server, "c").await;
        // The background worker delivers these while the first one hangs.
        assert_eq!(granted(&quick.wait_for(3).await), ["a", "b", "c"]);
        assert_eq!(slow.received().len(), 1);
    }

    async fn an_endpoint_that_failed_for_five_days_is_switched_off(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        let read = || server.get(&format!("/webhooks/endpoints/{}", id(&made))).admin();
        receiver.fail(2, 500);
        let begun = server.app().now();
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!(read().send().await.expect(200)["failing_since_millis"], begun);
        server.clock().advance_seconds(5 * 24 * 3600 - 1);
        server.flush().await;
        assert_eq!(read().send().await.expect(200)["is_disabled"], false, "not yet");
        receiver.fail(1, 500);
        server.clock().advance_seconds(301);
        server.flush().await;
        assert_eq!(read().send().await.expect(200)["is_disabled"], true);
        assert!(audited(&server).await.contains(&"webhook_endpoint.disabled".to_owned()));
        let before = receiver.received().len();
        server.clock().advance_seconds(3600);
        grant(&server, "b").await;
        server.flush().await;
        assert_eq!(receiver.received().len(), before, "nothing is sent to it");
        // Switched on again, it goes on with what was left.
        let on = server.patch(&format!("/webhooks/endpoints/{}", id(&made))).admin();
        let on = on.json(&json!({ "is_disabled": false })).send().await.expect(200);
        assert_eq!((&on["is_disabled"], &on["failing_since_millis"]), (&json!(false), &json!(null)));
        server.flush().await;
        grant(&server, "c").await;
        server.flush().await;
        assert_eq!(granted(&receiver.received()[before..]), ["a", "c"], "what happened meanwhile was not queued");
    }

    async fn a_success_ends_a_row_of_failures(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.fail(1, 500);
        grant(&server, "a").await;
        server.flush().await;
        server.clock().advance_seconds(5);
        server.flush().await;
        let read = server.get(&format!("/webhooks/endpoints/{}", id(&made))).admin().send().await.expect(200);
        assert_eq!(read["failing_since_millis"], json!(null));
    }

    async fn only_the_beginning_of_an_answer_is_kept(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.react([Reaction::Answer(500, format!("\0{}", "x".repeat(1_000_000)))]);
        grant(&server, "a").await;
        server.flush().await;
        let log = attempts(&server, id(&made)).await;
        let kept = log[0]["response"].as_str().expect("a text");
        assert!(kept.starts_with("\u{fffd}xxx") && kept.chars().count() == 2048, "{}", kept.len());
    }

    async fn two_servers_on_one_database_deliver_each_event_once_and_in_order(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let twin = server.twin().await;
        let names: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
        for name in &names {
            grant(&server, name).await;
        }
        tokio::join!(server.flush(), twin.flush());
        receiver.wait_for(20).await;
        server.flush().await;
        twin.flush().await;
        assert_eq!(granted(&receiver.received()), names);
    }

    async fn the_lease_of_a_server_that_died_runs_out(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let now = server.app().now();
        grant(&server, "a").await;
        server.flush().await;
        // What a server leaves that is killed in the middle of a delivery.
        let all = latchkey_storage::engine::stmt(
            "UPDATE webhook_endpoints SET locked_until = $1", latchkey_storage::engine::args![now + 30_000]
        );
        server.app().store.batch(vec![all]).await.expect("a lease");
        grant(&server, "b").await;
        server.flush().await;
        assert_eq!(granted(&receiver.received()), ["a"]);
        server.clock().advance_seconds(30);
        server.flush().await;
        assert_eq!(granted(&receiver.received()), ["a", "b"]);
    }
}
