//! Design §5: which passwords are accepted.

use std::net::SocketAddr;

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::PASSWORD;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{try_sign_in, try_sign_up};

fn with_classes() -> Builder {
    TestServer::builder().project(|settings| settings.latchkey.password.require_classes = true)
}

/// A range service that knows one password as breached, until the test ends. Its first lines are noise.
async fn range_service(suffix: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let first =
                String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
            // Five digits of the hash are all that may ever be asked.
            let asked = first.split(' ').nth(1).unwrap_or_default().trim_start_matches("/range/").to_owned();
            assert_eq!(asked.len(), 5, "{first}");
            let body =
                format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{suffix}:42\r\n{}:0\r\n", "F".repeat(35));
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    address
}

fn checking(address: SocketAddr, fail_open: &str) -> Builder {
    TestServer::builder()
        .project(|settings| settings.latchkey.password.breach_check = true)
        .config("passwords.breach_check.enabled", "true")
        .config("passwords.breach_check.url", &format!("http://{address}/range"))
        .config("passwords.breach_check.fail_open", fail_open)
        .config("outgoing.allow_private_addresses", "[\"127.0.0.1\"]")
}

/// The rest of the SHA-1 hash of [`PASSWORD`] behind its first five digits.
const SUFFIX: &str = "E2BCFF194934CBD91493D14DE4627FABFA9";

on_both_engines! {
    async fn eight_to_seventy_characters_are_a_password(server) {
        let details = try_sign_up(&server, "a@example.com", "7 chars").await.expect_error(400, "PASSWORD_TOO_SHORT");
        assert_eq!(details, json!({ "min_length": 8 }));
        try_sign_up(&server, "a@example.com", &"é ".repeat(36)).await.expect_error(400, "SCHEMA_ERROR");
        let accepted = ["8 chars!".to_owned(), "漢字 of 8!".to_owned(), "é ".repeat(35), "𝄞".repeat(70)];
        for (index, password) in accepted.iter().enumerate() {
            let email = format!("user{index}@example.com");
            try_sign_up(&server, &email, password).await.expect(200);
            try_sign_in(&server, &email, password).await.expect(200);
        }
    }

    async fn the_limits_are_the_projects(
        server, builder = TestServer::builder().project(|settings| {
            settings.latchkey.password.min_length = 12;
            settings.latchkey.password.max_length = 200;
        })
    ) {
        let details = try_sign_up(&server, "a@example.com", "11 characts").await.expect_error(400, "PASSWORD_TOO_SHORT");
        assert_eq!(details, json!({ "min_length": 12 }));
        let long = "four words and more ".repeat(10);
        try_sign_up(&server, "a@example.com", &long).await.expect(200);
        try_sign_in(&server, "a@example.com", &long).await.expect(200);
        try_sign_up(&server, "b@example.com", &format!("{long}!")).await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn common_passwords_are_refused_with_the_reason(server) {
        for password in ["password", "12345678", "iloveyou", "Password1", "qwertyuiop"] {
            let answer = try_sign_up(&server, "ada@example.com", password).await;
            let details = answer.expect_error(400, "PASSWORD_REQUIREMENTS_NOT_MET");
            assert!(details["message"].as_str().is_some_and(|text| text.contains("common")), "{details}");
        }
    }

    async fn a_project_can_accept_common_passwords(
        server, builder = TestServer::builder().project(|settings| settings.latchkey.password.refuse_common = false)
    ) {
        try_sign_up(&server, "ada@example.com", "password").await.expect(200);
    }

    async fn a_project_can_require_classes(server, builder = with_classes()) {
        for password in ["Short 1!", "no upper case 1!", "NO LOWER CASE 1!", "No Digit Here!!", "NoSymbolHere12"] {
            let answer = try_sign_up(&server, "ada@example.com", password).await;
            let details = answer.expect_error(400, "PASSWORD_REQUIREMENTS_NOT_MET");
            assert!(details["message"].is_string(), "{password}: {details}");
        }
        try_sign_up(&server, "ada@example.com", "A quiet harbour at 6!").await.expect(200);
    }

    async fn without_a_range_service_a_password_passes_if_so_configured(
        server, builder = checking(SocketAddr::from(([127, 0, 0, 1], 1)), "true")
    ) {
        try_sign_up(&server, "ada@example.com", PASSWORD).await.expect(200);
    }

    async fn without_a_range_service_the_caller_comes_back_if_so_configured(
        server, builder = checking(SocketAddr::from(([127, 0, 0, 1], 1)), "false")
    ) {
        let answer = try_sign_up(&server, "ada@example.com", PASSWORD).await;
        answer.expect_text(503);
        assert!(answer.header("retry-after").is_some());
    }
}

/// The range service must be there before the server that is told its address, so this test starts both itself.
#[test]
fn a_breached_password_is_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let address = range_service(SUFFIX).await;
        let server = checking(address, "false").start(latchkey_testkit::Engine::Sqlite).await;
        let answer = try_sign_up(&server, "ada@example.com", PASSWORD).await;
        let details = answer.expect_error(400, "PASSWORD_REQUIREMENTS_NOT_MET");
        assert!(details["message"].as_str().is_some_and(|text| text.contains("breach")), "{details}");
        // Its neighbours in the range are only padding.
        try_sign_up(&server, "ada@example.com", "another quiet harbour").await.expect(200);
    });
}
