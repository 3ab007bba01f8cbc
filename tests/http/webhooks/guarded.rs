//! Requests that must not be made: to private addresses, by redirects, without end.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::receiver::{Reaction, Receiver};
use serde_json::json;

use super::{attempts, endpoint, grant, id, with_receivers};

on_both_engines! {
    async fn a_redirect_is_a_failure_and_is_not_followed(server, builder = with_receivers()) {
        let (door, inside) = (Receiver::start().await, Receiver::start().await);
        let made = endpoint(&server, &door.url).await;
        door.react([Reaction::Redirect(inside.url.clone())]);
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!((door.received().len(), inside.received().len()), (1, 0));
        let log = attempts(&server, id(&made)).await;
        assert_eq!((&log[0]["succeeded"], &log[0]["status_code"]), (&json!(false), &json!(307)));
    }

    async fn a_name_that_leads_to_a_private_address_is_not_called(server) {
        // Created where the name may be called, delivered where it may not.
        let receiver = Receiver::start().await;
        let url = receiver.url.replace("127.0.0.1", "localhost");
        let allowed = server.twin_with(|builder| builder.config("outgoing.allow_private_addresses", r#"["localhost"]"#)).await;
        let made = endpoint(&allowed, &url).await;
        let id = id(&made).to_owned();
        drop(allowed);
        grant(&server, "a").await;
        server.flush().await;
        // The other server may have been quicker than its end; it is the one that could.
        let log = attempts(&server, &id).await;
        assert!(log.iter().all(|attempt| attempt["succeeded"] == true || attempt["status_code"] == json!(null)), "{log:?}");
        grant(&server, "b").await;
        server.flush().await;
        let log = attempts(&server, &id).await;
        let last = log.last().expect("an attempt");
        assert_eq!((&last["succeeded"], &last["status_code"]), (&json!(false), &json!(null)));
        assert!(last["response"].as_str().is_some_and(|text| text.contains("allow_private_addresses")), "{last}");
    }

    async fn an_answer_that_does_not_come_is_a_failure(
        server, builder = with_receivers().config("webhooks.timeout", "200ms")
    ) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.react([Reaction::Silence]);
        grant(&server, "a").await;
        server.flush().await;
        let log = attempts(&server, id(&made)).await;
        assert_eq!((&log[0]["succeeded"], &log[0]["status_code"]), (&json!(false), &json!(null)));
        server.clock().advance_seconds(5);
        server.flush().await;
        assert_eq!(attempts(&server, id(&made)).await.len(), 2);
    }

    async fn nobody_home_is_a_failure(server, builder = TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)) {
        let receiver = Receiver::start().await;
        let url = receiver.url.clone();
        drop(receiver);
        let made = endpoint(&server, &url).await;
        grant(&server, "a").await;
        server.flush().await;
        let log = attempts(&server, id(&made)).await;
        assert_eq!((&log[0]["succeeded"], &log[0]["status_code"]), (&json!(false), &json!(null)));
    }
}
