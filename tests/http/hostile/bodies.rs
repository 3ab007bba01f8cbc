//! Bodies that are not what an operation expects.

use latchkey_testkit::on_both_engines;
use latchkey_tests::operations;
use serde_json::{Value, json};

use super::{Findings, assert_alive, path, request, somebody};

/// Bytes that are no JSON, or JSON that nobody should accept, whatever the operation.
fn unparsable() -> Vec<(&'static str, Vec<u8>)> {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000)).into_bytes();
    vec![
        ("nothing", Vec::new()),
        ("an open object", b"{".to_vec()),
        ("a missing value", br#"{"a":}"#.to_vec()),
        ("a trailing comma", br#"{"a":1,}"#.to_vec()),
        ("two values", b"{}{}".to_vec()),
        ("single quotes", b"{'a':1}".to_vec()),
        ("a comment", b"{}//".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("NaN", br#"{"a":NaN}"#.to_vec()),
        ("a number beyond numbers", br#"{"a":1e999}"#.to_vec()),
        ("a lone high surrogate", br#"{"a":"\ud800"}"#.to_vec()),
        ("a lone low surrogate", br#"{"a":"\udc00x"}"#.to_vec()),
        ("a surrogate in a name", br#"{"\ud800":1}"#.to_vec()),
        ("an escaped NUL", br#"{"a":"x\u0000y"}"#.to_vec()),
        ("an escaped NUL in a name", br#"{"a\u0000":1}"#.to_vec()),
        ("a raw NUL", b"{\"a\":\"x\0y\"}".to_vec()),
        ("a raw line break in text", b"{\"a\":\"x\ny\"}".to_vec()),
        ("invalid UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        ("an overlong encoding", b"{\"a\":\"\xc0\x80\"}".to_vec()),
        ("an encoded surrogate", b"{\"a\":\"\xed\xa0\x80\"}".to_vec()),
        ("UTF-16", b"{\0}\0".to_vec()),
        ("a cut escape", br#"{"a":"\u12"#.to_vec()),
        ("10 000 open arrays", "[".repeat(10_000).into_bytes()),
        ("10 000 nested arrays", deep("[", "]")),
        ("10 000 nested objects", deep("{\"a\":", "}")),
        (
            "a deep value in a field",
            format!("{{\"client_metadata\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
        ),
        ("a property twice", br#"{"email":"a@b.example","email":"b@b.example"}"#.to_vec()),
        ("100 000 values", format!("[{}1]", "1,".repeat(100_000)).into_bytes()),
        ("binary", (0..=255).collect()),
    ]
}

/// Values of every type and of extreme size, to be put where something else is expected.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("x"),
        json!("x".repeat(100_000)),
        json!("\u{202e}\u{feff}\u{7f}\u{1b}"),
        json!("' OR '1'='1"),
        json!("%00%ff"),
        json!("me"),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "a": { "b": [1] } }),
        json!({ "__proto__": { "admin": true } }),
        json!("\u{10ffff}"),
        json!("99999999999999999999"),
        json!("1e5"),
        json!(vec![json!({}); 2000]),
    ]
}

on_both_engines! {
    async fn what_cannot_be_parsed_is_refused_by_every_operation(server) {
        let mut findings = Findings::default();
        for operation in operations::lasting(&server).await {
            if operation.method == "GET" {
                continue;
            }
            for (name, body) in unparsable() {
                let person = somebody(&server).await;
                let what = format!("{} {}: {name}", operation.method, operation.path);
                let sent = request(&server, &operation, &path(&operation, &person), &person)
                    .header("content-type", "application/json")
                    .bytes(body);
                findings.refused(&what, sent).await;
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }

    async fn values_of_another_type_break_no_field_of_any_operation(server) {
        let mut findings = Findings::default();
        for operation in operations::lasting(&server).await.iter().filter(|operation| operation.has_body()) {
            for form in operation.bodies() {
                let Some(fields) = form.get("properties").and_then(Value::as_object) else { continue };
                for (field, schema) in fields {
                    let person = somebody(&server).await;
                    for value in values() {
                        let what = format!("{} {}: {field} = {:.60}", operation.method, operation.path, value.to_string());
                        let sent = request(&server, operation, &path(operation, &person), &person);
                        let compound = value.is_object() || value.is_array();
                        let scalar = matches!(schema["type"].as_str(), Some("string" | "integer" | "boolean"));
                        let sent = sent.json(&json!({ field: value }));
                        if compound && scalar {
                            findings.refused(&what, sent).await;
                        } else {
                            findings.answered(&what, sent).await;
                        }
                    }
                }
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }

    async fn unknown_fields_are_refused_by_every_operation_that_knows_its_fields(server) {
        let mut findings = Findings::default();
        let mut closed = 0;
        for operation in operations::lasting(&server).await.iter().filter(|operation| operation.has_body()) {
            let forms = operation.bodies();
            for name in ["odd", "__proto__", "constructor", "is_admin", "", "Email", "user_id "] {
                let person = somebody(&server).await;
                let what = format!("{} {}: unknown {name:?}", operation.method, operation.path);
                let sent = request(&server, operation, &path(operation, &person), &person).json(&json!({ name: 1 }));
                if forms.iter().all(|form| form.get("additionalProperties") == Some(&json!(false))) {
                    closed += 1;
                    findings.refused(&what, sent).await;
                } else {
                    findings.answered(&what, sent).await;
                }
            }
        }
        findings.assert_none();
        assert!(closed > 0);
    }

    async fn bodies_of_another_kind_are_refused_by_every_operation_that_reads_one(server) {
        let mut findings = Findings::default();
        let kinds = [
            "application/xml", "text/html", "multipart/form-data; boundary=x", "application/json5", "application/jsonx",
            "image/png", "*/*", "application", ";", "application/json, application/json", "é",
        ];
        for operation in operations::lasting(&server).await.iter().filter(|operation| operation.method != "GET") {
            for kind in kinds {
                let person = somebody(&server).await;
                let what = format!("{} {}: {kind}", operation.method, operation.path);
                let sent = request(&server, operation, &path(operation, &person), &person);
                findings.refused(&what, sent.header("content-type", kind).bytes("{}")).await;
            }
            if operation.has_body() {
                for (kind, body) in [
                    ("text/plain", "{}"), ("application/octet-stream", "{}"), ("application/json", "[]"),
                    ("application/json", "7"), ("application/json", "null"), ("application/json", "\"{}\""),
                    ("application/x-www-form-urlencoded", "%ff=%00"), ("application/x-www-form-urlencoded", "odd=1"),
                ] {
                    let person = somebody(&server).await;
                    let what = format!("{} {}: {kind} {body}", operation.method, operation.path);
                    let sent = request(&server, operation, &path(operation, &person), &person);
                    let sent = sent.header("content-type", kind).bytes(body);
                    if operation.path == "/check-feature-support" {
                        findings.answered(&what, sent).await;
                    } else {
                        findings.refused(&what, sent).await;
                    }
                }
            }
        }
        findings.assert_none();
    }

    async fn bodies_over_the_limit_are_refused_by_every_operation(server) {
        let mut findings = Findings::default();
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20)).into_bytes();
        for operation in operations::lasting(&server).await.iter().filter(|operation| operation.method != "GET") {
            for kind in ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"] {
                let person = somebody(&server).await;
                let what = format!("{} {}: three megabytes of {kind}", operation.method, operation.path);
                let sent = request(&server, operation, &path(operation, &person), &person);
                findings.refused(&what, sent.header("content-type", kind).bytes(long.clone())).await;
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }
}
