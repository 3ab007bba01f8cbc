//! `POST /internal/send-test-email`: always an answer, never an error.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::mail_server::{MailServer, Reply};
use serde_json::{Value, json};

use super::{listed, local};

fn request(port: u16) -> Value {
    json!({
        "recipient_email": "ada@example.com",
        "email_config": {
            "host": "127.0.0.1", "port": port, "username": "u", "password": "right", "sender_name": "N", "sender_email": "n@example.com",
        },
    })
}

async fn try_out(server: &TestServer, body: &Value) -> Value {
    server.post("/internal/send-test-email").admin().json(body).send().await.expect(200)
}

async fn refusal(server: &TestServer, body: &Value) -> String {
    let answer = try_out(server, body).await;
    assert_eq!(answer["success"], false, "{answer}");
    answer["error_message"].as_str().expect("a reason").to_owned()
}

on_both_engines! {
    async fn a_server_that_works_gets_a_mail_at_once(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.ask_for_password("right");
        assert_eq!(try_out(&server, &request(mail_server.port)).await, json!({ "success": true }));
        let taken = mail_server.taken();
        assert_eq!((taken.len(), taken[0].to.as_str(), taken[0].from.as_str()), (1, "ada@example.com", "n@example.com"));
        assert!(listed(&server, "").await.is_empty(), "it does not wait in the outbox");
    }

    async fn what_does_not_work_is_told_in_the_answer(server, builder = local()) {
        let mail_server = MailServer::start().await;
        mail_server.ask_for_password("another");
        let told = refusal(&server, &request(mail_server.port)).await;
        assert!(told.contains("535") && !told.contains("right"), "{told}");
        mail_server.ask_for_password("right");
        mail_server.reply([Reply::RefuseRecipient]);
        assert!(refusal(&server, &request(mail_server.port)).await.contains("550"));
        assert!(refusal(&server, &request(MailServer::nobody().await)).await.contains("cannot be reached"));
        assert!(mail_server.taken().is_empty());
    }

    async fn private_addresses_are_not_called(server) {
        let mail_server = MailServer::start().await;
        assert!(refusal(&server, &request(mail_server.port)).await.contains("may call"));
        assert_eq!(mail_server.connections(), 0);
    }

    async fn a_server_that_says_nothing_is_waited_for_in_vain_but_not_for_ever(
        server, builder = local().config("mail.timeout", "300ms")
    ) {
        let mail_server = MailServer::start().await;
        mail_server.reply([Reply::Silence]);
        assert!(refusal(&server, &request(mail_server.port)).await.contains("too long"));
    }

    async fn every_field_is_required(server) {
        for field in ["host", "port", "username", "password", "sender_name", "sender_email"] {
            let mut body = request(25);
            body["email_config"].as_object_mut().expect("an object").remove(field);
            server.post("/internal/send-test-email").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let mut body = request(25);
        body["recipient_email"] = json!("a@example.com\r\nBcc: x@evil.example");
        server.post("/internal/send-test-email").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
