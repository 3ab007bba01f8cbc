//! Every known error is produced by some test, or waits by name for the feature that raises it.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey_api_types::ErrorCode;

/// Codes that no feature of today raises, with the feature that will. Delete a row when its code is tested; the
/// test below fails while a row is stale.
const LATER: &[(&str, &str)] = &[
    ("ALL_OVERLOADS_FAILED", "endpoints with several forms for one access type"),
    ("PASSWORD_TOO_LONG", "preempted by SCHEMA_ERROR"),
    ("INVALID_SCOPE", "OAuth"),
    ("INVALID_STANDARD_OAUTH_PROVIDER_ID", "OAuth"),
    ("ITEM_QUANTITY_INSUFFICIENT_AMOUNT", "dashboard seats"),
    ("TEMPLATE_SOURCE_REWRITE_ERROR", "custom mail"),
];

/// Codes that exist for clients: ancestors in the tree, and those that the contract says are never raised.
const NEVER: &[&str] = &[
    "KNOWN_ERROR",
    "UNSUPPORTED_ERROR",
    "PROJECT_AUTHENTICATION_ERROR",
    "INVALID_PROJECT_AUTHENTICATION",
    "INVALID_ADMIN_ACCESS_TOKEN",
    "INVALID_PROJECT_FOR_ADMIN_ACCESS_TOKEN",
    "PROJECT_AUTHENTICATION_REQUIRED",
    "CLIENT_AUTHENTICATION_REQUIRED",
    "CLIENT_OR_SERVER_AUTHENTICATION_REQUIRED",
    "CLIENT_OR_ADMIN_AUTHENTICATION_REQUIRED",
    "CLIENT_OR_SERVER_OR_ADMIN_AUTHENTICATION_REQUIRED",
    "SESSION_AUTHENTICATION_ERROR",
    "INVALID_SESSION_AUTHENTICATION",
    "INVALID_ACCESS_TOKEN",
    "REFRESH_TOKEN_ERROR",
    "PROVIDER_REJECTED",
    "EMAIL_NOT_VERIFIED",
    "EMAIL_NOT_ASSOCIATED_WITH_USER",
    "ANONYMOUS_ACCOUNTS_NOT_ENABLED",
    "VERIFICATION_ERROR",
    "PASSKEY_WEBAUTHN_ERROR",
    "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE",
    "USER_ALREADY_CONNECTED_TO_ANOTHER_OAUTH_CONNECTION",
    "CLI_AUTH_ERROR",
    "CLI_AUTH_EXPIRED_ERROR",
    "CLI_AUTH_USED_ERROR",
    "PROJECT_PERMISSION_REQUIRED",
    "TEAM_ALREADY_EXISTS",
    "API_KEY_NOT_VALID",
    "EMAIL_TEMPLATE_ALREADY_EXISTS",
];

/// The sources of the HTTP tests. A code that one of them names counts as tested: that it is named where something is
/// asserted is for whoever writes and reviews the test.
fn sources(directory: &Path, into: &mut String) {
    for entry in std::fs::read_dir(directory).expect("the tests' directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_known_error_is_tested_or_waits_for_its_feature() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("http"), &mut text);
    let later: BTreeSet<&str> = LATER.iter().map(|(code, _)| *code).collect();
    let never: BTreeSet<&str> = NEVER.iter().copied().collect();
    assert_eq!(later.len(), LATER.len(), "no code waits twice");
    let mut untested = Vec::new();
    let mut stale = Vec::new();
    for code in ErrorCode::ALL {
        let name = code.as_str();
        let tested = text.contains(&format!("\"{name}\""));
        let waits = later.contains(name) || never.contains(name);
        if !tested && !waits {
            untested.push(name);
        }
        if tested && waits {
            stale.push(name);
        }
    }
    let known: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    stale.extend(later.union(&never).filter(|name| !known.contains(*name)));
    assert!(untested.is_empty(), "no test produces {untested:?}");
    assert!(stale.is_empty(), "these are tested, or do not exist, and need not wait any more: {stale:?}");
}

#[test]
fn every_code_that_a_route_declares_is_tested() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("http"), &mut text);
    let document = latchkey_http::openapi::document(&latchkey_http::api::routes()).to_string();
    for code in ErrorCode::ALL.iter().map(|code| code.as_str()) {
        if document.contains(&format!("`{code}`")) {
            assert!(
                text.contains(&format!("\"{code}\"")),
                "a route declares {code}, and no test produces it"
            );
        }
    }
}
