//! The list of mails: filters, pages, order, keys.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::mail_server::MailServer;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::{change, listed, local, mailed, only, path, use_server};

const BASE: [&str; 19] = [
    "created_at_millis",
    "created_with",
    "email_draft_id",
    "email_programmatic_call_template_id",
    "has_delivered",
    "has_rendered",
    "id",
    "is_paused",
    "next_send_retry_at_millis",
    "scheduled_at_millis",
    "send_attempt_errors",
    "send_retries",
    "simple_status",
    "skip_deliverability_check",
    "status",
    "theme_id",
    "to",
    "tsx_source",
    "updated_at_millis",
];
const RENDERED: [&str; 8] = [
    "html",
    "is_high_priority",
    "is_transactional",
    "notification_category_id",
    "rendered_at_millis",
    "started_rendering_at_millis",
    "subject",
    "text",
];

fn expected(also: &[&[&str]]) -> Vec<String> {
    let also = also.iter().flat_map(|names| names.iter());
    let mut all: Vec<String> =
        BASE.iter().chain(["variables"].iter()).chain(also).map(|name| (*name).to_owned()).collect();
    all.sort();
    all
}

fn ids(mails: &[Value]) -> Vec<&str> {
    mails.iter().map(|mail| mail["id"].as_str().expect("an id")).collect()
}

async fn page(server: &TestServer, query: &str) -> Value {
    server.get(&format!("/emails/outbox{query}")).server().send().await.expect(200)
}

on_both_engines! {
    async fn mails_come_newest_first_in_pages(server) {
        for number in 0..5 {
            mailed(&server, &format!("user{number}@example.com")).await;
            server.flush().await;
            // Two of them at the same moment: the id decides.
            server.clock().advance_millis(i64::from(number != 2));
        }
        let all = listed(&server, "").await;
        let order: Vec<_> = all.iter().map(|mail| (std::cmp::Reverse(mail["created_at_millis"].as_i64()), mail["id"].to_string())).collect();
        assert!(order.is_sorted() && order.len() == 5, "{order:?}");
        let first = page(&server, "?limit=2").await;
        assert_eq!(first["pagination"]["next_cursor"], all[2]["id"]);
        let mut seen: Vec<Value> = first["items"].as_array().expect("items").clone();
        let mut next = first["pagination"]["next_cursor"].clone();
        while let Some(cursor) = next.as_str() {
            let more = page(&server, &format!("?limit=2&cursor={cursor}")).await;
            seen.extend(more["items"].as_array().expect("items").clone());
            next = more["pagination"]["next_cursor"].clone();
        }
        assert_eq!(ids(&seen), ids(&all), "the cursor is the first mail of the next page");
    }

    async fn lists_are_filtered_by_status_in_both_forms(server, builder = local()) {
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        use_server(&server, MailServer::nobody().await).await;
        server.clock().advance_seconds(2);
        mailed(&server, "bo@example.com").await;
        server.flush().await;
        for (query, count) in [
            ("?status=sent", 1), ("?status=queued", 1), ("?status=paused", 0), ("?status=bounced", 0), ("?simple_status=ok", 1),
            ("?simple_status=in-progress", 1), ("?simple_status=error", 0), ("?status=sent&simple_status=ok", 1), ("?status=sent&simple_status=error", 0),
        ] {
            assert_eq!(listed(&server, query).await.len(), count, "{query}");
        }
        assert_eq!(listed(&server, "?status=sent").await[0]["to"]["emails"], json!(["ada@example.com"]));
    }

    async fn pages_of_another_length_and_unknown_words_are_refused(server) {
        for limit in ["0", "-1", "101"] {
            server.get(&format!("/emails/outbox?limit={limit}")).server().send().await.expect_text(400);
        }
        for query in ["limit=x", "status=gone", "simple_status=x", "cursor=x", "unknown=1"] {
            server.get(&format!("/emails/outbox?{query}")).server().send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let nobody = "00000000-0000-4000-8000-00000000dead";
        server.get(&format!("/emails/outbox?cursor={nobody}")).server().send().await.expect_text(400);
        server.get(&format!("/emails/outbox/{nobody}")).server().send().await.expect_text(404);
    }

    async fn a_mail_has_the_keys_of_its_status(server, builder = local()) {
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let sent = only(&server).await;
        let of_sent = ["can_have_delivery_info", "delivered_at_millis", "started_sending_at_millis"];
        assert_eq!(keys(&sent), expected(&[&RENDERED, &of_sent]));
        assert_eq!(server.get(&path(&sent)).server().send().await.expect(200), sent);
        assert_eq!((&sent["is_transactional"], &sent["is_high_priority"], &sent["created_with"]), (&json!(true), &json!(true), &json!("programmatic-call")));
        use_server(&server, MailServer::nobody().await).await;
        server.clock().advance_seconds(2);
        mailed(&server, "bo@example.com").await;
        server.flush().await;
        let queued = listed(&server, "?status=queued").await.remove(0);
        assert_eq!(keys(&queued), expected(&[&RENDERED]));
        let paused = change(&server, &queued, &json!({ "is_paused": true })).await.expect(200);
        assert_eq!(keys(&paused), expected(&[]));
        let skipped = change(&server, &queued, &json!({ "cancel": true })).await.expect(200);
        assert_eq!(keys(&skipped), expected(&[&RENDERED, &["skipped_at_millis", "skipped_details", "skipped_reason"]]));
    }

    async fn the_dashboard_sees_the_last_hundred_mails(server) {
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let list = server.get("/internal/emails").admin().send().await.expect(200);
        assert_eq!(list["is_paginated"], false);
        let mail = &list["items"][0];
        assert_eq!(keys(mail), ["error", "id", "sent_at_millis", "subject", "to"]);
        assert_eq!((&mail["to"], &mail["error"]), (&json!(["ada@example.com"]), &json!(null)));
        assert_eq!(mail["sent_at_millis"], server.app().now());
    }
}
