//! Paths, queries and methods that are not what an operation expects.

use latchkey_testkit::on_both_engines;
use latchkey_tests::operations;
use reqwest::Method;

use super::{Findings, assert_alive, path, request, somebody};

const PARAMETERS: [&str; 20] = [
    "%00",
    "a%00b",
    "%ff",
    "%ed%a0%80",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%27%20OR%201=1--",
    "%F0%9F%98%80",
    "%7B%7D",
    "%",
    "%zz",
    "me%00",
    "ME",
    "null",
    "undefined",
    "0",
    "-1",
    "1e9",
    "internal%00",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-4000-8000-000000000001}",
];

on_both_engines! {
    async fn strange_path_parameters_are_refused_by_every_operation(server) {
        let mut findings = Findings::default();
        let person = somebody(&server).await;
        let long = "a".repeat(5000);
        for operation in operations::lasting(&server).await.iter().filter(|operation| operation.path.contains('{')) {
            for parameter in PARAMETERS.into_iter().chain([long.as_str()]) {
                let what = format!("{} {} with {parameter:.40}", operation.method, operation.path);
                let query = if operation.required("query").is_empty() { "" } else { "?user_id=me" };
                let mut paths = vec![operation.path_with(parameter)];
                // Where there are others beside it, the project's may be right.
                if operation.path.contains("{project_id}") && operation.path.matches('{').count() > 1 {
                    paths.push(operation.path_in_project(parameter));
                }
                for path in paths {
                    let path = format!("{}{query}", path.replace(['{', '}'], "%7B"));
                    let sent = request(&server, operation, &path, &person);
                    if operation.path.contains("-users/") {
                        findings.answered(&what, sent).await;
                    } else {
                        findings.refused(&what, sent).await;
                    }
                }
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }

    async fn strange_queries_break_no_operation(server) {
        let mut findings = Findings::default();
        let many = "a=1&".repeat(3000);
        let long = format!("user_id={}", "a".repeat(30_000));
        let queries = [
            "%00=1", "user_id=%00", "user_id=%ff", "user_id=", "user_id", "&&&", "=", "user_id=me&user_id=you",
            "user_id[]=me", "user_id[$ne]=1", "user_id=me%00", "include_anonymous=%ff", "limit=-1", "limit=1e400", "cursor=x",
            "limit=99999999999999999999", "%F0%9F%98%80=1", "a=%", "a=%zz", "__proto__[x]=1", &many, &long,
        ];
        for operation in operations::lasting(&server).await {
            for query in queries {
                let person = somebody(&server).await;
                let whole = path(&operation, &person);
                let bare = whole.split('?').next().expect("a path");
                let what = format!("{} {}?{query:.40}", operation.method, operation.path);
                findings.answered(&what, request(&server, &operation, &format!("{bare}?{query}"), &person)).await;
            }
        }
        findings.assert_none();
        assert_alive(&server).await;
    }

    async fn methods_that_a_path_does_not_have_are_405(server) {
        let mut findings = Findings::default();
        let operations = operations::all(&server).await;
        let person = somebody(&server).await;
        for operation in &operations {
            for word in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", "CONNECTX", "get", "PROPFIND"] {
                let known = operations.iter().any(|other| other.path == operation.path && other.method == word);
                if known {
                    continue;
                }
                let method = Method::from_bytes(word.as_bytes()).expect("a method");
                let what = format!("{word} {}", operation.path);
                let sent = server.request(method, &format!("/api/v1{}", path(operation, &person)));
                // Where a path of letters overlaps with one of parameters, the method may belong to the other.
                if let Some(answer) = findings.answered(&what, sent.server()).await
                    && answer.status != 405
                    && !overlaps(&operations, &operation.path)
                {
                    findings.0.push(format!("{what}: {}", answer.status));
                }
            }
        }
        findings.assert_none();
    }
}

/// Whether another pattern matches the same path.
fn overlaps(operations: &[operations::Operation], path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    operations.iter().filter(|other| other.path != path).any(|other| {
        let others: Vec<&str> = other.path.split('/').collect();
        others.len() == parts.len()
            && others
                .iter()
                .zip(&parts)
                .all(|(one, two)| one == two || one.starts_with('{') || two.starts_with('{'))
    })
}
