//! A project's own mail server, spoken to by SMTP.

use latchkey_testkit::on_both_engines;
use latchkey_tests::mail_server::{MailServer, Reply};
use latchkey_tests::people;
use serde_json::json;

use super::{change, listed, local, mailed, only, try_again, use_server};

fn impatient() -> latchkey_testkit::Builder {
    local().config("mail.timeout", "2s")
}

on_both_engines! {
    async fn a_project_with_a_server_of_its_own_sends_there_under_its_own_name(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.ask_for_password("right");
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let taken = mail_server.taken();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].from.as_str(), taken[0].to.as_str()), ("hello@harbour.example", "ada@example.com"));
        assert_eq!(taken[0].header("From"), "\"The Harbour\" <hello@harbour.example>");
        assert_eq!(taken[0].header("To"), "ada@example.com");
        assert!(taken[0].header("Message-ID").ends_with("@harbour.example>"));
        for part in ["multipart/alternative", "text/plain", "text/html", "code=3D"] {
            assert!(taken[0].text.contains(part), "{part}: {}", taken[0].text);
        }
        assert!(server.mailbox().list(None).is_empty(), "the shared server has nothing to do with it");
        assert_eq!(only(&server).await["status"], "sent");
    }

    async fn a_server_that_is_down_delays_mail_and_nothing_else(server, builder = local()) {
        let port = MailServer::nobody().await;
        use_server(&server, port).await;
        let ada = mailed(&server, "ada@example.com").await;
        people::sign_in(&server, "ada@example.com").await;
        people::seen_by_self(&server, &ada).await;
        server.flush().await;
        let waiting = only(&server).await;
        assert_eq!((&waiting["status"], &waiting["simple_status"]), (&json!("queued"), &json!("in-progress")));
        assert_eq!((&waiting["send_retries"], &waiting["has_delivered"]), (&json!(1), &json!(false)));
        assert!(waiting["next_send_retry_at_millis"].as_i64().is_some_and(|at| at > server.app().now()));
        let errors = waiting["send_attempt_errors"].as_array().expect("errors");
        assert!(errors[0]["external_message"].as_str().is_some_and(|text| text.contains("cannot be reached")), "{errors:?}");
        let mail_server = MailServer::start_on(port).await;
        server.flush().await;
        assert!(mail_server.taken().is_empty(), "not before its time");
        server.clock().advance_seconds(61);
        server.flush().await;
        assert_eq!(mail_server.taken().len(), 1);
        assert_eq!(only(&server).await["status"], "sent");
    }

    async fn a_mail_that_was_taken_is_not_sent_again(server, builder = local()) {
        let mail_server = MailServer::start().await;
        use_server(&server, mail_server.port).await;
        let twin = server.twin().await;
        for email in ["ada@example.com", "bo@example.com", "cy@example.com"] {
            mailed(&server, email).await;
            tokio::join!(server.flush(), twin.flush());
        }
        try_again(&server, 3).await;
        let mut recipients: Vec<String> = mail_server.taken().into_iter().map(|mail| mail.to).collect();
        recipients.sort();
        assert_eq!(recipients, ["ada@example.com", "bo@example.com", "cy@example.com"]);
    }

    async fn a_mail_whose_answer_was_lost_comes_again_under_the_same_id(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::TakeAndBreak]);
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        try_again(&server, 1).await;
        let taken = mail_server.taken();
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
        assert_eq!(only(&server).await["status"], "sent");
    }

    async fn a_connection_serves_several_mails_and_one_that_was_closed_meanwhile_costs_no_try(server, builder = local()) {
        let mail_server = MailServer::start().await;
        use_server(&server, mail_server.port).await;
        for email in ["ada@example.com", "bo@example.com"] {
            mailed(&server, email).await;
            server.flush().await;
        }
        assert_eq!((mail_server.taken().len(), mail_server.connections()), (2, 1));
        mail_server.reply([Reply::TakeAndClose]);
        for email in ["cy@example.com", "di@example.com"] {
            mailed(&server, email).await;
            server.flush().await;
        }
        assert_eq!((mail_server.taken().len(), mail_server.connections()), (4, 2));
        let mails = listed(&server, "?status=sent").await;
        assert!(mails.iter().all(|mail| mail["send_attempt_errors"] == json!(null)) && mails.len() == 4);
    }

    async fn a_recipient_who_is_refused_for_good_is_given_up_at_once(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::RefuseRecipient]);
        use_server(&server, mail_server.port).await;
        mailed(&server, "nobody@example.com").await;
        server.flush().await;
        let failed = only(&server).await;
        assert_eq!((&failed["status"], &failed["simple_status"]), (&json!("server-error"), &json!("error")));
        assert!(failed["server_error"].as_str().is_some_and(|text| text.contains("550") && text.contains("nobody of that name")));
        assert_eq!(failed["error_at_millis"], server.app().now());
        try_again(&server, 2).await;
        assert!(mail_server.taken().is_empty());
        let shown = server.get("/internal/emails").admin().send().await.expect(200);
        assert!(shown["items"][0]["error"].as_str().is_some_and(|text| text.contains("550")));
    }

    async fn a_refusal_for_now_is_tried_again(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::RefuseForNow]);
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        assert_eq!(only(&server).await["status"], "queued");
        try_again(&server, 1).await;
        assert_eq!((mail_server.taken().len(), &only(&server).await["status"]), (1, &json!("sent")));
    }

    async fn a_wrong_password_is_told_and_given_up_after_a_day_and_more(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.ask_for_password("another");
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        try_again(&server, 4).await;
        let waiting = only(&server).await;
        assert_eq!(waiting["status"], "queued");
        try_again(&server, 30).await;
        let failed = only(&server).await;
        assert_eq!(failed["status"], "server-error");
        let told = failed["server_error"].as_str().expect("an error");
        assert!(told.contains("535") && !told.contains("right"), "{told}");
        assert!(mail_server.taken().is_empty());
        // Once the password is right, the mail can be sent after all.
        mail_server.ask_for_password("right");
        change(&server, &failed, &json!({ "is_paused": false })).await.expect(200);
        try_again(&server, 1).await;
        assert_eq!((mail_server.taken().len(), &only(&server).await["status"]), (1, &json!("sent")));
    }

    async fn a_server_that_says_nothing_holds_up_nobody_else(server, builder = impatient()) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::Silence]);
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let body = json!({ "email": "bo@example.com", "password": people::PASSWORD, "verification_callback_url": "http://localhost/" });
        people::speaking_for(server.post("/auth/password/sign-up"), &other, "client").json(&body).send().await.expect(200);
        server.flush().await;
        assert_eq!(server.mailbox().list(Some("bo@example.com")).len(), 1);
        let waiting = only(&server).await;
        assert!(waiting["send_attempt_errors"][0]["external_message"].as_str().is_some_and(|text| text.contains("too long")));
        try_again(&server, 1).await;
        assert_eq!(mail_server.taken().len(), 1);
    }

    async fn a_silent_server_that_is_replaced_meanwhile_holds_nothing_up(server, builder = impatient()) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::Silence]);
        use_server(&server, mail_server.port).await;
        mailed(&server, "ada@example.com").await;
        let replaced = async {
            while mail_server.connections() == 0 {
                tokio::task::yield_now().await;
            }
            let shared = json!({ "config": { "email_config": { "type": "shared" } } });
            server.patch("/internal/projects/current").admin().json(&shared).send().await.expect(200);
        };
        tokio::join!(server.flush(), replaced);
        // The mail is due again.
        server.flush().await;
        assert_eq!(server.mailbox().list(Some("ada@example.com")).len(), 1);
        assert_eq!(only(&server).await["send_attempt_errors"], json!(null));
    }

    async fn private_addresses_get_no_mail_unless_they_are_excepted(server) {
        let mail_server = MailServer::start().await;
        for (number, host) in ["127.0.0.1", "localhost", "2130706433", "[::1]", "169.254.169.254"].into_iter().enumerate() {
            let own = json!({
                "type": "standard", "host": host, "port": mail_server.port, "username": "u", "password": "p",
                "sender_name": "N", "sender_email": "n@example.com",
            });
            let body = json!({ "config": { "email_config": own } });
            server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
            server.clock().advance_seconds(100);
            mailed(&server, &format!("user{number}@example.com")).await;
            server.flush().await;
        }
        assert_eq!(mail_server.connections(), 0);
        for mail in listed(&server, "").await {
            assert!(mail["send_attempt_errors"][0]["external_message"].as_str().is_some_and(|text| text.contains("may call")), "{mail}");
        }
    }

    async fn no_name_of_a_sender_adds_a_header_or_a_recipient(server, builder = local()) {
        let mail_server = MailServer::start().await;
        let own = json!({
            "type": "standard", "host": "127.0.0.1", "port": mail_server.port, "username": "u", "password": "p",
            "sender_name": "A\" <x@evil.example>\r\nBcc: x@evil.example", "sender_email": "hello@harbour.example",
        });
        let body = json!({ "config": { "email_config": own } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let taken = mail_server.taken();
        assert_eq!((taken.len(), taken[0].to.as_str(), taken[0].from.as_str()), (1, "ada@example.com", "hello@harbour.example"));
        assert!(!taken[0].text.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{}", taken[0].text);
    }

    async fn a_sender_that_is_no_address_sends_nothing_and_is_told(server, builder = local()) {
        let mail_server = MailServer::start().await;
        let own = json!({
            "type": "standard", "host": "127.0.0.1", "port": mail_server.port, "username": "u", "password": "p",
            "sender_name": "N", "sender_email": "hello@harbour.example>\r\nRCPT TO:<x@evil.example",
        });
        let body = json!({ "config": { "email_config": own } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        assert_eq!(mail_server.connections(), 0);
        assert!(only(&server).await["send_attempt_errors"][0]["external_message"].as_str().is_some_and(|text| text.contains("sender")));
    }
}
