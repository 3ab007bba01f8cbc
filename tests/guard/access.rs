//! Every route refuses who it must, at every access level.

use std::collections::BTreeSet;

use latchkey_testkit::{Answer, Request, TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::{self, Person};
use reqwest::Method;
use serde_json::json;

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// Who may call what, written down a second time by hand: a mistake in the table would otherwise agree with itself.
/// A route that is missing here fails the test; look up in the contract what it needs, then add it.
const EXPECTED: &[(&str, &str, &[&str])] = &[
    ("GET", "/", OPEN),
    ("GET", "/openapi.json", OPEN),
    ("POST", "/check-version", OPEN),
    ("POST", "/check-feature-support", OPEN),
    ("GET", "/internal/backend-urls", OPEN),
    ("POST", "/analytics/events/batch", ANY),
    ("POST", "/session-replays/batch", ANY),
    ("GET", "/projects/current", ANY),
    ("GET", "/internal/projects", ANY),
    ("POST", "/internal/projects", ANY),
    ("POST", "/internal/projects/transfer", ANY),
    ("GET", "/internal/projects/current", ADMIN),
    ("PATCH", "/internal/projects/current", ADMIN),
    ("DELETE", "/internal/projects/current", ADMIN),
    ("GET", "/internal/config", ADMIN),
    ("GET", "/internal/config/override/{level}", SERVER),
    ("PUT", "/internal/config/override/{level}", SERVER),
    ("PATCH", "/internal/config/override/{level}", SERVER),
    ("POST", "/internal/config/override/{level}/reset-keys", ADMIN),
    ("GET", "/internal/config/source", ADMIN),
    ("DELETE", "/internal/config/source", ADMIN),
    ("GET", "/internal/api-keys", ADMIN),
    ("POST", "/internal/api-keys", ADMIN),
    ("GET", "/internal/api-keys/{id}", ADMIN),
    ("PATCH", "/internal/api-keys/{id}", ADMIN),
    ("GET", "/internal/email-themes", ADMIN),
    ("POST", "/internal/email-themes", ADMIN),
    ("GET", "/internal/email-themes/{id}", ADMIN),
    ("PATCH", "/internal/email-themes/{id}", ADMIN),
    ("DELETE", "/internal/email-themes/{id}", ADMIN),
    ("GET", "/internal/email-templates", ADMIN),
    ("POST", "/internal/email-templates", ADMIN),
    ("PATCH", "/internal/email-templates/{id}", ADMIN),
    ("DELETE", "/internal/email-templates/{id}", ADMIN),
    ("GET", "/internal/email-drafts", ADMIN),
    ("POST", "/internal/email-drafts", ADMIN),
    ("GET", "/internal/email-drafts/{id}", ADMIN),
    ("PATCH", "/internal/email-drafts/{id}", ADMIN),
    ("DELETE", "/internal/email-drafts/{id}", ADMIN),
    ("POST", "/emails/send-email", SERVER),
    ("GET", "/emails/unsubscribe-link", OPEN),
    ("POST", "/emails/unsubscribe-link", OPEN),
    ("POST", "/internal/send-sign-in-invitation", SERVER),
    ("GET", "/projects/{project_id}/.well-known/jwks.json", OPEN),
    ("GET", "/projects/{project_id}/.well-known/webauthn", OPEN),
    ("GET", "/projects-anonymous-users/{project_id}/.well-known/{rest}", OPEN),
    ("POST", "/projects-anonymous-users/{project_id}/.well-known/{rest}", OPEN),
    ("PUT", "/projects-anonymous-users/{project_id}/.well-known/{rest}", OPEN),
    ("PATCH", "/projects-anonymous-users/{project_id}/.well-known/{rest}", OPEN),
    ("DELETE", "/projects-anonymous-users/{project_id}/.well-known/{rest}", OPEN),
    ("GET", "/projects-restricted-users/{project_id}/.well-known/{rest}", OPEN),
    ("POST", "/projects-restricted-users/{project_id}/.well-known/{rest}", OPEN),
    ("PUT", "/projects-restricted-users/{project_id}/.well-known/{rest}", OPEN),
    ("PATCH", "/projects-restricted-users/{project_id}/.well-known/{rest}", OPEN),
    ("DELETE", "/projects-restricted-users/{project_id}/.well-known/{rest}", OPEN),
    ("POST", "/auth/anonymous/sign-up", ANY),
    ("POST", "/auth/cli", ANY),
    ("POST", "/auth/cli/poll", ANY),
    ("POST", "/auth/cli/complete", ANY),
    ("POST", "/auth/password/sign-up", ANY),
    ("POST", "/auth/password/sign-in", ANY),
    ("POST", "/auth/password/set", ANY),
    ("POST", "/auth/password/update", ANY),
    ("POST", "/auth/mfa/sign-in", ANY),
    ("GET", "/auth/mfa", ANY),
    ("POST", "/auth/mfa/totp/setup", ANY),
    ("POST", "/auth/mfa/totp/confirm", ANY),
    ("POST", "/auth/mfa/totp/disable", ANY),
    ("POST", "/auth/mfa/backup-codes/regenerate", ANY),
    ("POST", "/auth/reauthenticate", ANY),
    ("POST", "/auth/passkey/initiate-passkey-registration", ANY),
    ("POST", "/auth/passkey/register", ANY),
    ("POST", "/auth/passkey/initiate-passkey-authentication", ANY),
    ("POST", "/auth/passkey/sign-in", ANY),
    ("POST", "/auth/password/send-reset-code", ANY),
    ("POST", "/auth/password/reset", ANY),
    ("POST", "/auth/password/reset/check-code", ANY),
    ("POST", "/auth/otp/send-sign-in-code", ANY),
    ("POST", "/auth/otp/sign-in", ANY),
    ("POST", "/auth/otp/sign-in/check-code", ANY),
    ("GET", "/auth/sessions", ANY),
    ("POST", "/auth/sessions", SERVER),
    ("DELETE", "/auth/sessions/{id}", ANY),
    ("DELETE", "/auth/sessions/current", ANY),
    ("POST", "/auth/sessions/current/refresh", ANY),
    ("GET", "/auth/oauth/authorize/{provider_id}", OPEN),
    ("GET", "/auth/oauth/callback/{provider_id}", OPEN),
    ("POST", "/auth/oauth/callback/{provider_id}", OPEN),
    ("POST", "/auth/oauth/callback/apple/native", ANY),
    ("POST", "/auth/oauth/token", OPEN),
    ("POST", "/auth/oauth/cross-domain/authorize", ANY),
    ("GET", "/images/{project_id}/{folder}/{file}", OPEN),
    ("GET", "/users/me", ANY),
    ("PATCH", "/users/me", ANY),
    ("DELETE", "/users/me", ANY),
    ("GET", "/users", SERVER),
    ("POST", "/internal/onboarding/preview-affected-users", ADMIN),
    ("GET", "/contact-channels", ANY),
    ("POST", "/contact-channels", ANY),
    ("GET", "/contact-channels/{user_id}/{contact_channel_id}", ANY),
    ("PATCH", "/contact-channels/{user_id}/{contact_channel_id}", ANY),
    ("DELETE", "/contact-channels/{user_id}/{contact_channel_id}", ANY),
    ("POST", "/contact-channels/{user_id}/{contact_channel_id}/send-verification-code", ANY),
    ("POST", "/contact-channels/send-verification-code", ANY),
    ("POST", "/contact-channels/verify", ANY),
    ("POST", "/contact-channels/verify/check-code", ANY),
    ("GET", "/oauth-providers", ANY),
    ("POST", "/oauth-providers", SERVER),
    ("GET", "/oauth-providers/{user_id}/{provider_id}", ANY),
    ("PATCH", "/oauth-providers/{user_id}/{provider_id}", ANY),
    ("DELETE", "/oauth-providers/{user_id}/{provider_id}", ANY),
    ("GET", "/connected-accounts/{user_id}", ANY),
    ("POST", "/connected-accounts/{user_id}/{provider_id}/access-token", ANY),
    ("POST", "/connected-accounts/{user_id}/{provider_id}/{provider_account_id}/access-token", ANY),
    ("POST", "/auth/oauth/connected-accounts/{provider_id}/access-token", ANY),
    ("GET", "/passkeys", ANY),
    ("GET", "/passkeys/{user_id}/{passkey_id}", ANY),
    ("PATCH", "/passkeys/{user_id}/{passkey_id}", ANY),
    ("DELETE", "/passkeys/{user_id}/{passkey_id}", ANY),
    ("GET", "/emails/notification-preference/{user_id}", ANY),
    ("PATCH", "/emails/notification-preference/{user_id}/{notification_category_id}", ANY),
    ("GET", "/emails/outbox", SERVER),
    ("GET", "/emails/outbox/{id}", SERVER),
    ("PATCH", "/emails/outbox/{id}", SERVER),
    ("GET", "/emails/delivery-info", SERVER),
    ("POST", "/emails/capacity-boost", SERVER),
    ("GET", "/internal/emails", ADMIN),
    ("POST", "/internal/send-test-email", ADMIN),
    ("POST", "/internal/sign-up-rules-test", ADMIN),
    ("GET", "/internal/sign-up-rules-stats", ADMIN),
    ("POST", "/users", SERVER),
    ("GET", "/users/{user_id}", SERVER),
    ("PATCH", "/users/{user_id}", SERVER),
    ("DELETE", "/users/{user_id}", SERVER),
    ("GET", "/teams", ANY),
    ("POST", "/teams", ANY),
    ("GET", "/teams/{team_id}", ANY),
    ("PATCH", "/teams/{team_id}", ANY),
    ("DELETE", "/teams/{team_id}", ANY),
    ("POST", "/team-memberships/{team_id}/{user_id}", SERVER),
    ("DELETE", "/team-memberships/{team_id}/{user_id}", ANY),
    ("GET", "/team-member-profiles", ANY),
    ("GET", "/team-member-profiles/{team_id}/{user_id}", ANY),
    ("PATCH", "/team-member-profiles/{team_id}/{user_id}", ANY),
    ("GET", "/team-invitations", ANY),
    ("POST", "/team-invitations/send-code", ANY),
    ("POST", "/team-invitations/accept", ANY),
    ("POST", "/team-invitations/accept/check-code", ANY),
    ("POST", "/team-invitations/accept/details", ANY),
    ("POST", "/team-invitations/{id}/accept", ANY),
    ("DELETE", "/team-invitations/{id}", ANY),
    ("GET", "/team-permissions", ANY),
    ("POST", "/team-permissions/{team_id}/{user_id}/{permission_id}", SERVER),
    ("DELETE", "/team-permissions/{team_id}/{user_id}/{permission_id}", SERVER),
    ("GET", "/project-permissions", ANY),
    ("POST", "/project-permissions/{user_id}/{permission_id}", SERVER),
    ("DELETE", "/project-permissions/{user_id}/{permission_id}", SERVER),
    ("GET", "/team-permission-definitions", ADMIN),
    ("POST", "/team-permission-definitions", ADMIN),
    ("PATCH", "/team-permission-definitions/{permission_id}", ADMIN),
    ("DELETE", "/team-permission-definitions/{permission_id}", ADMIN),
    ("GET", "/project-permission-definitions", ADMIN),
    ("POST", "/project-permission-definitions", ADMIN),
    ("PATCH", "/project-permission-definitions/{permission_id}", ADMIN),
    ("DELETE", "/project-permission-definitions/{permission_id}", ADMIN),
    ("POST", "/data-vault/stores/{id}/get", SERVER),
    ("POST", "/data-vault/stores/{id}/set", SERVER),
    ("POST", "/user-api-keys", ANY),
    ("GET", "/user-api-keys", ANY),
    ("GET", "/user-api-keys/{api_key_id}", ANY),
    ("PATCH", "/user-api-keys/{api_key_id}", ANY),
    ("POST", "/user-api-keys/check", SERVER),
    ("POST", "/team-api-keys", ANY),
    ("GET", "/team-api-keys", ANY),
    ("GET", "/team-api-keys/{api_key_id}", ANY),
    ("PATCH", "/team-api-keys/{api_key_id}", ANY),
    ("POST", "/team-api-keys/check", SERVER),
    ("POST", "/integrations/credential-scanning/revoke", OPEN),
    ("GET", "/webhooks/endpoints", ADMIN),
    ("POST", "/webhooks/endpoints", ADMIN),
    ("GET", "/webhooks/endpoints/{endpoint_id}", ADMIN),
    ("PATCH", "/webhooks/endpoints/{endpoint_id}", ADMIN),
    ("DELETE", "/webhooks/endpoints/{endpoint_id}", ADMIN),
    ("GET", "/webhooks/endpoints/{endpoint_id}/secret", ADMIN),
    ("POST", "/webhooks/endpoints/{endpoint_id}/secret/rotate", ADMIN),
    ("GET", "/webhooks/endpoints/{endpoint_id}/attempts", ADMIN),
    ("GET", "/webhooks/messages/{message_id}", ADMIN),
    ("POST", "/webhooks/messages/{message_id}/resend", ADMIN),
    ("POST", "/webhooks/svix-token", ADMIN),
    ("POST", "/internal/send-test-webhook", ADMIN),
    ("GET", "/app/{project_id}/endpoint", OPEN),
    ("POST", "/app/{project_id}/endpoint", OPEN),
    ("GET", "/app/{project_id}/endpoint/{endpoint_id}", OPEN),
    ("PUT", "/app/{project_id}/endpoint/{endpoint_id}", OPEN),
    ("PATCH", "/app/{project_id}/endpoint/{endpoint_id}", OPEN),
    ("DELETE", "/app/{project_id}/endpoint/{endpoint_id}", OPEN),
    ("GET", "/app/{project_id}/endpoint/{endpoint_id}/secret", OPEN),
    ("POST", "/app/{project_id}/endpoint/{endpoint_id}/secret/rotate", OPEN),
    ("GET", "/app/{project_id}/attempt/endpoint/{endpoint_id}", OPEN),
    ("GET", "/app/{project_id}/attempt/msg/{message_id}", OPEN),
    ("GET", "/app/{project_id}/msg", OPEN),
    ("GET", "/app/{project_id}/msg/{message_id}", OPEN),
    ("POST", "/app/{project_id}/msg/{message_id}/endpoint/{endpoint_id}/resend", OPEN),
];
const OPEN: &[&str] = &[];
const ANY: &[&str] = &["client", "server", "admin"];
const SERVER: &[&str] = &["server", "admin"];
const ADMIN: &[&str] = &["admin"];

/// A request that reaches the check of the access level and not much more: the body is empty, the ids are nobody's.
fn request<'s>(server: &'s TestServer, operation: &Operation) -> Request<'s> {
    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
    let path = operation.path_with(NOBODY);
    let request = server.request(method, &format!("/api/v1{path}"));
    if operation.method == "GET" { request } else { request.json(&json!({})) }
}

fn with_access<'s>(request: Request<'s>, access: &str) -> Request<'s> {
    match access {
        "client" => request.client(),
        "server" => request.server(),
        _ => request.admin(),
    }
}

/// Whether an answer is a refusal of the caller, not of what was sent.
fn refuses_the_caller(answer: &Answer) -> bool {
    let code = answer.header("x-stack-known-error").unwrap_or_default();
    // These ask for a user, or say that what the path names is unknown.
    if ["USER_AUTHENTICATION_REQUIRED", "API_KEY_NOT_FOUND"].contains(&code) {
        return false;
    }
    let refusals = ["ACCESS_TYPE_REQUIRED", "INSUFFICIENT_ACCESS_TYPE"];
    // That somebody must be signed in says nothing about the level.
    let needs_another_level =
        code.ends_with("_AUTHENTICATION_REQUIRED") && code != "USER_AUTHENTICATION_REQUIRED";
    refusals.contains(&code) || needs_another_level || code.contains("_KEY")
}

async fn somebody(server: &TestServer) -> Person {
    people::created(server, &json!({})).await
}

on_both_engines! {
    async fn every_route_has_the_access_that_the_contract_gives_it(server) {
        let declared: BTreeSet<_> = operations::all(&server)
            .await
            .into_iter()
            .map(|operation| ((operation.method, operation.path.replace("{*", "{")), operation.access))
            .collect();
        let expected: BTreeSet<_> = EXPECTED
            .iter()
            .map(|(method, path, access)| {
                (((*method).to_owned(), (*path).to_owned()), access.iter().map(|word| (*word).to_owned()).collect())
            })
            .collect();
        let unexpected: Vec<_> = declared.difference(&expected).collect();
        let missing: Vec<_> = expected.difference(&declared).collect();
        assert!(unexpected.is_empty() && missing.is_empty(), "declared: {unexpected:?}, expected: {missing:?}");
    }

    async fn without_access_type_only_open_routes_answer(server) {
        for operation in operations::all(&server).await {
            let answer = request(&server, &operation).send().await;
            let who = format!("{} {}: {}", operation.method, operation.path, answer.text());
            if operation.access.is_empty() {
                assert!(!refuses_the_caller(&answer), "{who}");
            } else {
                assert_eq!(answer.header("x-stack-known-error"), Some("ACCESS_TYPE_REQUIRED"), "{who}");
            }
        }
    }

    async fn each_level_reaches_what_it_may_and_is_refused_the_rest(server) {
        for operation in operations::lasting(&server).await {
            for access in ["client", "server", "admin"] {
                for signed_in in [false, true] {
                    let sent = with_access(request(&server, &operation), access);
                    let sent = if signed_in { sent.user(&somebody(&server).await.access_token) } else { sent };
                    let answer = sent.send().await;
                    let who = format!("{access} at {} {}: {}", operation.method, operation.path, answer.text());
                    assert!(answer.status < 500, "{who}");
                    if operation.access.is_empty() || operation.access.iter().any(|word| word == access) {
                        assert!(!refuses_the_caller(&answer), "{who}");
                    } else {
                        let details = answer.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
                        assert_eq!(details["actual_access_type"], access);
                        assert_eq!(details["allowed_access_types"], json!(operation.access), "{who}");
                    }
                }
            }
        }
    }

    async fn a_wrong_key_opens_no_route_whoever_is_signed_in(server) {
        let ada = somebody(&server).await;
        let (own, other) = (server.keys().clone(), server.other_project().keys.clone());
        let table = [
            ("client", "x-stack-publishable-client-key", "INVALID_PUBLISHABLE_CLIENT_KEY", [&other.publishable, &own.secret]),
            ("server", "x-stack-secret-server-key", "INVALID_SECRET_SERVER_KEY", [&other.secret, &own.admin]),
            ("admin", "x-stack-super-secret-admin-key", "INVALID_SUPER_SECRET_ADMIN_KEY", [&other.admin, &own.secret]),
        ];
        for operation in operations::all(&server).await {
            for (access, header, code, keys) in table {
                for key in keys {
                    let sent = with_access(request(&server, &operation), access).header(header, key);
                    let answer = sent.user(&ada.access_token).send().await;
                    assert_eq!(
                        answer.header("x-stack-known-error"), Some(code), "{access} at {} {}", operation.method, operation.path
                    );
                }
            }
        }
    }

    async fn a_bad_token_opens_no_route(server) {
        for operation in operations::all(&server).await {
            let least = operation.access.first().map_or("client", String::as_str);
            let answer = with_access(request(&server, &operation), least).user("x.y.z").send().await;
            assert_eq!(
                answer.header("x-stack-known-error"), Some("UNPARSABLE_ACCESS_TOKEN"), "{} {}", operation.method, operation.path
            );
        }
    }
}
