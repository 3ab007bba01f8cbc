//! Contract 08 §4.3: `POST /internal/send-test-webhook` answers 200 and says how it went.

use latchkey_testkit::on_both_engines;
use latchkey_tests::receiver::Receiver;
use serde_json::json;

use super::{attempts, endpoint, id, with_receivers};

on_both_engines! {
    async fn a_test_message_is_sent_at_once_and_its_outcome_told(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        let send = || server.post("/internal/send-test-webhook").admin().json(&json!({ "endpoint_id": id(&made) }));
        assert_eq!(send().send().await.expect(200), json!({ "success": true }));
        let received = receiver.received();
        assert_eq!(received[0].event(), "stack.test");
        assert_eq!(received[0].json()["data"]["endpointUrl"], json!(receiver.url));
        assert!(received[0].json()["data"]["message"].is_string());
        receiver.fail(1, 418);
        let failed = send().send().await.expect(200);
        assert_eq!(failed["success"], false);
        assert!(failed["error_message"].as_str().is_some_and(|text| text.contains("418")), "{failed}");
        server.clock().advance_seconds(3600);
        server.flush().await;
        assert_eq!(receiver.received().len(), 2, "it is not tried again");
        assert_eq!(attempts(&server, id(&made)).await.len(), 2);
    }

    async fn an_unknown_endpoint_is_an_outcome_and_a_missing_one_a_violation(server) {
        let path = "/internal/send-test-webhook";
        let answer = server.post(path).admin().json(&json!({ "endpoint_id": "ep_none" })).send().await.expect(200);
        assert_eq!(answer["success"], false);
        assert!(answer["error_message"].is_string());
        server.post(path).admin().json(&json!({})).send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
