//! Contract 08 §6 and §9.3: what SDKs ask and report by themselves.

use latchkey_testkit::on_both_engines;
use reqwest::Method;
use serde_json::json;

on_both_engines! {
    async fn everybody_may_ask_where_the_api_is(server) {
        let answer = server.get("/internal/backend-urls").send().await.expect(200);
        assert_eq!(answer, json!({ "urls": [server.public_url()] }));
    }

    async fn health_touches_the_database_on_demand(server) {
        let preflight = server.request(Method::OPTIONS, "/health").send().await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (200, Some("*")));
        for query in ["", "?db=", "?db=true"] {
            let answer = server.request(Method::GET, &format!("/health{query}")).send().await;
            for name in ["origin", "methods", "headers"] {
                assert_eq!(answer.header(&format!("access-control-allow-{name}")), Some("*"), "{name}");
            }
            assert_eq!(answer.header("access-control-expose-headers"), Some("*"));
            assert_eq!(answer.expect(200), json!({ "status": "ok" }), "{query}");
        }
        server.app().store.clone().close().await;
        assert_eq!(server.request(Method::GET, "/health").send().await.status, 200);
        assert_eq!(server.request(Method::GET, "/health?db=").send().await.status, 200, "an empty word asks for nothing");
        assert_eq!(server.request(Method::GET, "/health?db=1").send().await.status, 500);
    }

    async fn reports_of_browsers_are_taken_and_kept_nowhere(server) {
        let event = json!({ "event_type": "$page-view", "event_at_ms": 1, "data": {} });
        let body = json!({ "session_replay_segment_id": "s", "batch_id": "b", "sent_at_ms": 2, "events": [event, event] });
        let answer = server.post("/analytics/events/batch").client().json(&body).send().await;
        assert_eq!(answer.expect(200), json!({ "inserted": 2 }));
        let compressed = server.post("/analytics/events/batch").client().header("content-type", "application/octet-stream");
        assert_eq!(compressed.bytes(vec![0x1f, 0x8b, 0xff]).send().await.expect(200), json!({ "inserted": 0 }));
        server.post("/session-replays/batch").client().json(&json!({ "events": [] })).send().await.expect(200);
    }
}
