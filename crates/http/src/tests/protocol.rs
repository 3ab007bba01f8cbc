//! Contract 01, through the service.

use super::*;

const ID: &str = "8f14e45f-ceea-467f-a9c1-0c1b2d3e4f50";

#[tokio::test]
async fn a_created_item_is_answered_with_201_and_the_standard_headers() {
    let answered = ask("POST", "/api/v1/things").by("client").json(r#"{"name":"a"}"#).answer().await;
    assert_eq!(
        (answered.status, answered.json()),
        (201, json!({ "name": "a", "count": null, "as": "client" }))
    );
    let expected = [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-store, max-age=0"),
        ("x-stack-request-id", "000g40r4zzzfvz7v"),
        ("access-control-allow-origin", "*"),
        ("access-control-max-age", "86400"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", ""),
        ("permissions-policy", ""),
        ("x-stack-known-error", "(absent)"),
        ("x-stack-actual-status", "(absent)"),
    ];
    for (name, value) in expected {
        assert_eq!(answered.header(name), value, "{name}");
    }
    assert_eq!(answered.header("vary"), answered.header("access-control-allow-headers"));
}

#[tokio::test]
async fn every_version_prefix_leads_to_the_same_operation_and_no_other_does() {
    for version in ["v1", "v2beta1", "v2beta2", "v2beta3", "v2beta4", "v2beta5", "latest"] {
        let answered = ask("GET", &format!("/api/{version}/things/{ID}/")).by("server").answer().await;
        assert_eq!(answered.status, 200, "{version}");
    }
    for version in ["v2", "v3", "V1", "v1.0"] {
        let answered = ask("GET", &format!("/api/{version}/things/{ID}")).by("server").answer().await;
        assert_eq!((answered.status, answered.header("x-stack-known-error")), (404, "(absent)"), "{version}");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_answered_as_the_contract_says() {
    let table = [
        ("GET", "/api/v1/nothing", 404, "text"),
        ("DELETE", "/api/v1/nothing", 404, "text"),
        ("PUT", "/api/v1/things", 405, ""),
        ("GET", "/api/v1/things", 405, ""),
        ("HEAD", "/api/v1/keys", 405, "text"),
        ("TRACE", "/api/v1/keys", 405, "text"),
        ("BREW", "/api/v1/nothing", 405, "text"),
        ("OPTIONS", "/api/v1/things", 200, ""),
        ("OPTIONS", "/api/whatever", 200, ""),
        ("GET", "/api/v1/things/%ff", 400, "text"),
        ("GET", "/api", 404, "text"),
        ("GET", "/nothing", 404, "text"),
    ];
    for (method, uri, status, body) in table {
        let answered = ask(method, uri).answer().await;
        assert_eq!((answered.status, answered.text.is_empty()), (status, body.is_empty()), "{method} {uri}");
        assert_eq!(answered.header("x-stack-known-error"), "(absent)");
        if uri.starts_with("/api") {
            assert_eq!(answered.header("access-control-allow-origin"), "*", "{method} {uri}");
        }
    }
    assert_eq!(ask("GET", "/api/v1/things").answer().await.header("allow"), "POST");
    let preflight = ask("OPTIONS", "/api/v1/things").answer().await;
    let allowed = preflight.header("access-control-allow-headers");
    for name in ["authorization", "x-stack-access-token", "x-hexclave-access-token", "baggage"] {
        assert!(allowed.split(", ").any(|one| one == name), "{allowed}");
    }
}

#[tokio::test]
async fn the_first_failing_step_decides_which_error_wins() {
    // Everything is wrong here; one thing after the other is put right.
    let wrong = ask("POST", "/api/v1/things").header("x-stack-secret-server-key", "bad").json("{");
    assert_eq!(wrong.answer().await.code(), "BODY_PARSING_ERROR");
    let wrong = ask("POST", "/api/v1/things").header("x-stack-secret-server-key", "bad").json("{}");
    assert_eq!(wrong.answer().await.code(), "PROJECT_KEY_WITHOUT_ACCESS_TYPE");
    let wrong = ask("POST", "/api/v1/things").json("{}");
    assert_eq!(wrong.answer().await.code(), "ACCESS_TYPE_REQUIRED");
    let wrong = ask("POST", "/api/v1/things").by("server").json("{}");
    assert_eq!(wrong.answer().await.code(), "SCHEMA_ERROR");
    let right = ask("POST", "/api/v1/things").by("server").json(r#"{"name":"a"}"#);
    assert_eq!(right.answer().await.status, 201);
}

#[tokio::test]
async fn credentials_are_checked_even_where_none_are_needed() {
    assert_eq!(ask("GET", "/api/v1/keys").answer().await.status, 200);
    let wrong = ask("GET", "/api/v1/keys").header("x-stack-secret-server-key", "bad").answer().await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "PROJECT_KEY_WITHOUT_ACCESS_TYPE"));
}

#[tokio::test]
async fn an_access_type_that_is_too_low_is_told_the_allowed_ones() {
    let answered = ask("GET", &format!("/api/v1/things/{ID}")).by("client").answer().await;
    assert_eq!((answered.status, answered.code().as_str()), (401, "INSUFFICIENT_ACCESS_TYPE"));
    let details = json!({ "actual_access_type": "client", "allowed_access_types": ["server", "admin"] });
    assert_eq!(answered.json()["details"], details);
}

#[tokio::test]
async fn each_access_type_sees_the_errors_of_its_own_variant() {
    let path = format!("/api/v1/things/{ID}");
    let client = ask("DELETE", &path).by("client").answer().await;
    assert_eq!(client.code(), "SCHEMA_ERROR");
    assert!(client.text.contains("auth.user is required"), "{}", client.text);
    let signed_in = ask("DELETE", &path).by("client").header("authorization", "Bearer ada").answer().await;
    assert_eq!((signed_in.status, signed_in.json()), (200, json!({ "success": true })));
    assert_eq!(ask("DELETE", &path).by("admin").json("{}").answer().await.status, 200);
}

#[tokio::test]
async fn a_schema_error_names_the_request_and_every_violation() {
    let body = r#"{"count":"x","password":"123456","colour":1}"#;
    let answered = ask("POST", "/api/latest/things?secret=1").by("server").json(body).answer().await;
    assert_eq!((answered.status, answered.code().as_str()), (400, "SCHEMA_ERROR"));
    let error = answered.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(answered.json()["details"], json!({ "message": error }));
    assert_eq!(
        error.lines().collect::<Vec<_>>(),
        [
            "POST /api/latest/things: the request does not have the expected form.",
            "- body.colour is not a known property",
            "- body.name is required",
            "- body.count must be a whole number",
            "- body.password must have at most 5 characters",
        ]
    );
    let answered = ask("GET", "/api/v1/things/x?desc=1&a=b").by("server").answer().await;
    let error = answered.json()["error"].as_str().unwrap().to_owned();
    for line in ["params.thing_id must be a UUID", "query.desc must be", "query.a is not a known property"] {
        assert!(error.contains(line), "{error}");
    }
}

#[tokio::test]
async fn hostile_requests_get_a_4xx() {
    let deep = "[".repeat(10_000);
    let huge = format!(r#"{{"name":"{}"}}"#, "a".repeat(3_000_000));
    let bodies = [
        ("", 400, "BODY_PARSING_ERROR"),
        ("{", 400, "BODY_PARSING_ERROR"),
        (r#"{"name":"\u0000"}"#, 400, "BODY_PARSING_ERROR"),
        (r#"{"name":"\ud800"}"#, 400, "BODY_PARSING_ERROR"),
        (r#"{"name":"a","name":"b"}"#, 400, "BODY_PARSING_ERROR"),
        (&deep, 400, "BODY_PARSING_ERROR"),
        ("[]", 400, "SCHEMA_ERROR"),
        ("null", 400, "SCHEMA_ERROR"),
        (r#"{"name":{}}"#, 400, "SCHEMA_ERROR"),
    ];
    for (body, status, code) in bodies {
        let answered = ask("POST", "/api/v1/things").by("server").json(body).answer().await;
        assert_eq!(
            (answered.status, answered.code().as_str()),
            (status, code),
            "{}",
            &body[..body.len().min(40)]
        );
    }
    let answered = ask("POST", "/api/v1/things").by("server").json(huge).answer().await;
    assert_eq!((answered.status, answered.header("x-stack-known-error")), (413, "(absent)"));
    let answered =
        ask("POST", "/api/v1/things").by("server").header("content-type", "image/png").answer().await;
    assert_eq!(answered.code(), "BODY_PARSING_ERROR");
    let answered = ask("POST", "/api/v1/things").by("server").answer().await;
    assert!(answered.text.contains("body is required"), "{}", answered.text);
    let twice =
        ask("GET", "/api/v1/keys").by("server").header("x-stack-access-type", "client").answer().await;
    assert_eq!(twice.code(), "SCHEMA_ERROR");
    assert!(twice.text.contains("headers.x-stack-access-type must not be sent twice"), "{}", twice.text);
}

#[tokio::test]
async fn a_body_on_get_is_ignored_and_a_form_is_an_object_of_strings() {
    let get = ask("GET", &format!("/api/v1/things/{ID}")).by("server").json("{").answer().await;
    assert_eq!(get.status, 200);
    let mut form = ask("POST", "/api/v1/things")
        .by("server")
        .header("content-type", "application/x-www-form-urlencoded");
    form.body = b"name=a+b&count=3".to_vec();
    assert_eq!(form.answer().await.json(), json!({ "name": "a b", "count": 3, "as": "server" }));
}

#[tokio::test]
async fn client_errors_are_sent_as_200_if_the_client_asks_and_others_are_not() {
    let over = |query: &str| {
        ask("GET", &format!("/api/v1/fail?{query}")).header("x-stack-override-error-status", "")
    };
    let known = over("known").answer().await;
    assert_eq!((known.status, known.header("x-stack-actual-status")), (200, "403"));
    assert_eq!(known.code(), "RESTRICTED_USER_NOT_ALLOWED");
    assert_eq!(known.json()["details"], json!({ "restricted_reason": { "type": "anonymous" } }));
    let text = over("text").answer().await;
    assert_eq!((text.status, text.header("x-stack-actual-status")), (200, "404"));
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    let busy = over("busy").answer().await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "7"));
    let unknown =
        ask("GET", "/api/v1/nothing").header("x-hexclave-override-error-status", "true").answer().await;
    assert_eq!((unknown.status, unknown.header("x-stack-actual-status")), (200, "404"));
}

#[tokio::test]
async fn internal_failures_and_panics_tell_nothing_but_the_request_id() {
    for query in ["internal", "panic"] {
        let answered = ask("GET", &format!("/api/v1/fail?{query}")).answer().await;
        assert_eq!((answered.status, answered.header("content-type")), (500, "text/plain; charset=utf-8"));
        assert!(answered.text.contains(answered.header("x-stack-request-id")), "{}", answered.text);
        assert!(!answered.text.contains("42") && !answered.text.contains("purpose"), "{}", answered.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_ended() {
    let answered = ask("GET", "/api/v1/fail?hang").answer().await;
    assert_eq!(answered.status, 503);
}

#[tokio::test]
async fn caching_is_off_unless_the_operation_says_otherwise() {
    let keys = ask("GET", "/api/v1/keys").answer().await;
    assert_eq!(keys.header("cache-control"), "public, max-age=3600");
    let token = ask("POST", "/api/v1/token").answer().await;
    assert_eq!((token.header("cache-control"), token.header("pragma")), ("no-store", "no-cache"));
    let oauth = ask("GET", "/api/v1/fail?oauth").answer().await;
    let body = json!({ "error": "invalid_request", "error_description": "No token." });
    assert_eq!((oauth.status, oauth.json(), oauth.header("cache-control")), (400, body, "no-store"));
}

#[tokio::test]
async fn json_is_pretty_for_people() {
    let compact = ask("GET", "/api/v1/keys").answer().await;
    assert_eq!(compact.text, r#"{"keys":[]}"#);
    let pretty = ask("GET", "/api/v1/keys").header("accept", "text/html,*/*").answer().await;
    assert_eq!(pretty.text, "{\n  \"keys\": []\n}");
}

#[tokio::test]
async fn a_refresh_token_comes_by_header_or_else_by_body() {
    let by_header = ask("POST", "/api/v1/refresh").by("client").header("x-stack-refresh-token", "h");
    assert_eq!(by_header.json(r#"{"refresh_token":"b"}"#).answer().await.text, "header h");
    let by_body = ask("POST", "/api/v1/refresh").by("client").json(r#"{"refresh_token":"b"}"#);
    assert_eq!(by_body.answer().await.text, "body b");
    let neither = ask("POST", "/api/v1/refresh").by("client").json("[]").answer().await;
    assert!(neither.text.contains("headers.x-stack-refresh-token is required"), "{}", neither.text);
}

#[tokio::test]
async fn the_banner_tells_who_the_caller_is_and_takes_no_query() {
    let banner = ask("GET", "/api/v1").by("server").header("x-hexclave-access-token", "ada").answer().await;
    assert_eq!(banner.status, 200);
    for word in ["server", "internal", "ada"] {
        assert!(banner.text.contains(word), "{}", banner.text);
    }
    assert_eq!(ask("GET", "/api/latest/?x=1").answer().await.code(), "SCHEMA_ERROR");
    let wrong = ask("GET", "/api/v1").header("x-stack-access-type", "root").answer().await;
    assert_eq!(wrong.code(), "INVALID_ACCESS_TYPE");
}

#[tokio::test]
async fn forged_addresses_are_not_recorded() {
    let asked = ask("GET", "/api/v1/address")
        .header("user-agent", "Mozilla/5.0")
        .header("x-forwarded-for", "6.6.6.6");
    let answered = asked.answer().await.json();
    assert_eq!(answered, json!({ "end_user": { "ip": "127.0.0.1" }, "address": "127.0.0.1" }));
    let script =
        ask("GET", "/api/v1/address").header("user-agent", "python-requests/2").answer().await.json();
    assert_eq!(script["end_user"], Value::Null);
}

#[tokio::test]
async fn the_document_describes_every_route_and_the_reference_page_reads_it() {
    let document = ask("GET", "/api/v1/openapi.json").answer().await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for route in routes() {
        let operation = &document["paths"][route.path()][route.method().as_str().to_lowercase()];
        assert_eq!(
            operation["x-latchkey-access"],
            json!(route.access()),
            "{} {}",
            route.method(),
            route.path()
        );
    }
    let create = &document["paths"]["/things"]["post"];
    let body = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body, &json!({ "$ref": "#/components/schemas/Thing" }));
    let thing = &document["components"]["schemas"]["Thing"];
    assert_eq!((&thing["required"], &thing["additionalProperties"]), (&json!(["name"]), &json!(false)));
    assert_eq!(create["responses"]["404"]["description"], "`USER_NOT_FOUND`");
    let read = &document["paths"]["/things/{thing_id}"]["get"]["parameters"];
    assert_eq!(read[0]["name"], "thing_id");
    assert_eq!(read[1]["in"], "query");

    let page = ask("GET", "/docs").answer().await;
    assert!(page.status == 200 && page.header("content-security-policy").contains("script-src 'self'"));
    for asset in ["/docs/reference.css", "/docs/reference.js"] {
        assert_eq!(ask("GET", asset).answer().await.status, 200);
    }
    let health = ask("GET", "/health").answer().await;
    assert_eq!(
        (health.json(), health.header("access-control-allow-origin")),
        (json!({ "status": "ok" }), "*")
    );
}
