//! The OpenAPI document and the route table say the same.

use std::collections::BTreeSet;

use latchkey_testkit::on_both_engines;
use latchkey_tests::operations;

on_both_engines! {
    async fn the_served_document_lists_exactly_the_routes(server) {
        let declared: BTreeSet<(String, String)> =
            operations::all(&server).await.into_iter().map(|operation| (operation.method, operation.path)).collect();
        let routed: BTreeSet<(String, String)> = latchkey_http::api::routes()
            .iter()
            .map(|route| (route.method().to_string(), route.path().replace("{*", "{")))
            .collect();
        let declared: BTreeSet<_> = declared.into_iter().map(|(method, path)| (method, path.replace("{*", "{"))).collect();
        assert_eq!(declared, routed);
    }

    async fn every_operation_declares_its_path_parameters_and_an_answer(server) {
        for operation in operations::all(&server).await {
            let said: BTreeSet<_> = operation.required("path").into_iter().collect();
            let written: BTreeSet<_> = operation
                .path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .map(|name| name.trim_start_matches('*').to_owned())
                .collect();
            assert_eq!(said, written, "{} {}", operation.method, operation.path);
            let answers = operation.declaration["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|status| status.starts_with('2') || status.starts_with('3')), "{operation:?}");
            assert!(operation.declaration["summary"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }

    async fn every_reference_of_the_document_leads_somewhere(server) {
        let document = server.get("/openapi.json").send().await.expect(200);
        assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            if let Some(reference) = value.get("$ref").and_then(serde_json::Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("a local reference");
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            match value {
                serde_json::Value::Array(items) => open.extend(items),
                serde_json::Value::Object(fields) => open.extend(fields.values()),
                _ => {}
            }
        }
    }
}
