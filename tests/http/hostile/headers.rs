//! Headers that are sent twice, are too long, or hold what is no text.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::Person;
use latchkey_tests::raw;

use super::{Findings, assert_alive, path, request, somebody};

const NAMES: [&str; 12] = [
    "x-stack-project-id",
    "x-stack-branch-id",
    "x-stack-access-type",
    "x-stack-publishable-client-key",
    "x-stack-secret-server-key",
    "x-stack-super-secret-admin-key",
    "x-stack-admin-access-token",
    "x-stack-access-token",
    "x-stack-refresh-token",
    "x-stack-allow-anonymous-user",
    "x-stack-allow-restricted-user",
    "authorization",
];

const VALUES: [&str; 8] = ["\t", "é", "null", "{}", "' OR 1=1", "Bearer", "\u{1F600}", "a,b"];

/// The bytes of a request to the operation with these header lines, closed afterwards.
fn bytes(server: &TestServer, operation: &Operation, person: &Person, lines: &[u8]) -> Vec<u8> {
    let path = path(operation, person);
    let host = server.base_url().trim_start_matches("http://").to_owned();
    let mut request = format!(
        "{} /api/v1{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n",
        operation.method
    )
    .into_bytes();
    request.extend_from_slice(lines);
    request.extend_from_slice(b"\r\n");
    request
}

on_both_engines! {
    async fn a_header_that_means_something_must_not_be_sent_twice(server) {
        let mut findings = Findings::default();
        let person = somebody(&server).await;
        for operation in operations::lasting(&server).await {
            for name in NAMES {
                let what = format!("{} {}: {name} twice", operation.method, operation.path);
                let sent = request(&server, &operation, &path(&operation, &person), &person).without(name);
                findings.refused(&what, sent.header(name, "one").also_header(name, "two")).await;
            }
        }
        findings.assert_none();
    }

    async fn strange_values_break_no_operation(server) {
        let mut findings = Findings::default();
        let long = "x".repeat(20_000);
        for operation in operations::lasting(&server).await {
            for name in NAMES {
                let person = somebody(&server).await;
                for value in VALUES.into_iter().chain([long.as_str()]) {
                    let what = format!("{} {}: {name}: {value:.20}", operation.method, operation.path);
                    let sent = request(&server, &operation, &path(&operation, &person), &person);
                    findings.answered(&what, sent.header(name, value)).await;
                }
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }

    async fn bytes_that_are_no_text_are_refused_in_every_header_that_means_something(server) {
        let person = somebody(&server).await;
        for operation in operations::lasting(&server).await {
            for name in NAMES {
                let mut line = format!("{name}: ").into_bytes();
                line.extend_from_slice(b"a\xff\xfeb\r\n");
                let (status, text) = raw::exchange(&server, &bytes(&server, &operation, &person, &line)).await.expect("an answer");
                assert!((400..500).contains(&status), "{} {}: {name}: {text}", operation.method, operation.path);
            }
        }
    }

    async fn too_many_and_too_long_headers_are_431(server) {
        let person = somebody(&server).await;
        let many = "x-many: 1\r\n".repeat(2000);
        let long = format!("x-long: {}\r\n", "x".repeat(300_000));
        for operation in operations::lasting(&server).await {
            for lines in [&many, &long] {
                // The server may close while the rest is still being sent; then there is no answer to read.
                if let Some((status, text)) = raw::exchange(&server, &bytes(&server, &operation, &person, lines.as_bytes())).await {
                    assert!(status == 431 || status == 400, "{} {}: {text:.200}", operation.method, operation.path);
                }
            }
        }
        assert_alive(&server).await;
    }
}
