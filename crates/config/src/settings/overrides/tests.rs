//! The rules of contract 07 §5, one by one.

use super::*;

fn override_of(keys: Value) -> Override {
    let Value::Object(keys) = keys else { panic!("an object") };
    Override(keys)
}

fn rendered(project: Value, branch: Value, environment: Value) -> Value {
    let overrides = Overrides {
        project: override_of(project),
        branch: override_of(branch),
        environment: override_of(environment),
    };
    serde_json::to_value(overrides.render().unwrap()).unwrap()
}

#[track_caller]
fn refused(level: Level, keys: &Value, part: &str) {
    let error = Override::parse(&keys.to_string(), level).unwrap_err();
    assert!(error.contains(part), "{error}");
}

#[test]
fn nothing_is_the_defaults() {
    assert_eq!(Overrides::default().render().unwrap(), ProjectSettings::default());
}

#[test]
fn what_new_projects_start_with_renders_to_their_settings() {
    assert_eq!(Overrides::for_new_project().render().unwrap(), ProjectSettings::for_new_project());
    assert_eq!(Overrides::internal().render().unwrap(), ProjectSettings::internal());
}

#[test]
fn later_levels_win() {
    let one = rendered(
        json!({ "project.requirePublishableClientKey": true }),
        json!({ "auth.allowSignUp": false, "auth": { "otp": { "allowSignIn": true } } }),
        json!({ "auth.allowSignUp": true }),
    );
    assert_eq!(one["project"]["requirePublishableClientKey"], true);
    assert_eq!(one["auth"]["allowSignUp"], true);
    assert_eq!(one["auth"]["otp"]["allowSignIn"], true, "what the later level does not say stays");
}

#[test]
fn a_key_replaces_all_finer_keys_of_earlier_levels() {
    let one = rendered(
        json!({}),
        json!({ "auth.oauth.providers": { "google": { "type": "google" } }, "auth.oauth.providers.google.allowSignIn": true }),
        json!({ "auth.oauth.providers": { "github": { "type": "github" } } }),
    );
    let providers = one["auth"]["oauth"]["providers"].as_object().unwrap();
    assert_eq!(providers.keys().collect::<Vec<_>>(), ["github"]);
    let mut first = override_of(json!({ "a": 1, "a.b": 2, "a.b.c": 3, "ab": 4 }));
    first.merge(&override_of(json!({ "a": 5 })));
    assert_eq!(first, override_of(json!({ "a": 5, "ab": 4 })));
    let mut second = override_of(json!({ "a": { "b": 1 } }));
    second.merge(&override_of(json!({ "a.b": 2 })));
    assert_eq!(second, override_of(json!({ "a": { "b": 1 }, "a.b": 2 })), "a finer key stands beside");
}

#[test]
fn a_finer_key_refines_a_coarser_one_of_an_earlier_level() {
    let one = rendered(
        json!({}),
        json!({ "auth.oauth.providers": { "google": { "type": "google", "allowSignIn": true } } }),
        json!({ "auth.oauth.providers.google.isShared": false, "auth.oauth.providers.google.clientId": "id" }),
    );
    let google = &one["auth"]["oauth"]["providers"]["google"];
    assert_eq!(
        (&google["allowSignIn"], &google["isShared"], &google["clientId"]),
        (&json!(true), &json!(false), &json!("id"))
    );
}

#[test]
fn null_means_the_default_and_removes_entries() {
    let one = rendered(
        json!({}),
        json!({ "auth.allowSignUp": false, "domains": null, "rbac.permissions": { "a": {}, "b": {} } }),
        json!({ "auth.allowSignUp": null, "rbac.permissions.a": null, "teams": { "allowClientTeamCreation": null } }),
    );
    assert_eq!(one["auth"]["allowSignUp"], true);
    assert_eq!(one["rbac"]["permissions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(one["teams"]["allowClientTeamCreation"], false);
}

#[test]
fn a_key_into_an_entry_that_does_not_exist_has_no_effect() {
    let one = rendered(
        json!({}),
        json!({ "auth.oauth.providers.google.allowSignIn": true, "rbac.permissions.x.description": "x" }),
        json!({ "domains.trustedDomains.a.baseUrl": "https://a.com", "apps.installed.emails.enabled": true }),
    );
    assert_eq!(one["auth"]["oauth"]["providers"], json!({}));
    assert_eq!(one["rbac"]["permissions"], json!({}));
    assert_eq!(one["domains"]["trustedDomains"], json!({}));
    assert_eq!(one["apps"]["installed"]["emails"]["enabled"], true, "apps need not be made");
}

#[test]
fn resetting_takes_keys_out_wherever_they_stand() {
    let mut one = override_of(json!({
        "auth": { "otp": { "allowSignIn": true }, "allowSignUp": false }, "auth.otp.allowSignIn": true, "teams.x": 1, "users": 2,
    }));
    one.reset(&["auth.otp".to_owned(), "teams".to_owned(), "nothing.here".to_owned()]);
    assert_eq!(one, override_of(json!({ "auth": { "allowSignUp": false }, "users": 2 })));
}

/// Levels, and keys that may be written at these and at no others, each with a value.
type Levels = (&'static [Level], Vec<(&'static str, Value)>);

#[test]
fn each_key_has_its_levels() {
    use Level::{Branch, Environment, Project};
    let table: [Levels; 3] = [
        (&[Project], vec![("project.requirePublishableClientKey", json!(true))]),
        (
            &[Branch, Environment],
            vec![
                ("auth.allowSignUp", json!(false)),
                ("auth.password.allowSignIn", json!(true)),
                ("auth.otp.allowSignIn", json!(true)),
                ("auth.passkey.allowSignIn", json!(true)),
                ("auth.oauth.accountMergeStrategy", json!("raise_error")),
                ("auth.oauth.providers.google.type", json!("google")),
                ("auth.oauth.providers.google.allowSignIn", json!(true)),
                ("auth.oauth.providers.google.allowConnectedAccounts", json!(true)),
                ("auth.signUpRules.r.enabled", json!(true)),
                ("auth.signUpRules.r.displayName", json!("R")),
                ("auth.signUpRules.r.priority", json!(1)),
                ("auth.signUpRules.r.condition", json!("true")),
                ("auth.signUpRules.r.action", json!({ "type": "reject", "message": "m" })),
                ("auth.signUpRulesDefaultAction", json!("reject")),
                ("users.allowClientUserDeletion", json!(true)),
                ("teams.createPersonalTeamOnSignUp", json!(true)),
                ("teams.allowClientTeamCreation", json!(true)),
                ("onboarding.requireEmailVerification", json!(true)),
                ("rbac.permissions.x.description", json!("d")),
                ("rbac.permissions.x.scope", json!("project")),
                ("rbac.permissions.x.containedPermissionIds", json!({ "y": true })),
                ("rbac.defaultPermissions.teamCreator", json!({ "x": true })),
                ("rbac.defaultPermissions.teamMember", json!({ "x": true })),
                ("rbac.defaultPermissions.signUp", json!({ "x": true })),
                ("apiKeys.enabled.user", json!(true)),
                ("apiKeys.enabled.team", json!(true)),
                ("emails.selectedThemeId", json!("a0172b5d-cff0-463b-83bb-85124697373a")),
                ("emails.themes.a0172b5d-cff0-463b-83bb-85124697373a.displayName", json!("Dark")),
                ("emails.themes.a0172b5d-cff0-463b-83bb-85124697373a.tsxSource", json!("s")),
                ("emails.templates.a70fb3a4-56c1-4e42-af25-49d25603abd0.displayName", json!("Reset")),
                ("emails.templates.a70fb3a4-56c1-4e42-af25-49d25603abd0.tsxSource", json!("s")),
                ("emails.templates.a70fb3a4-56c1-4e42-af25-49d25603abd0.themeId", json!(false)),
                ("apps.installed.teams.enabled", json!(true)),
                ("dataVault.stores.a.displayName", json!("A")),
            ],
        ),
        (
            &[Environment],
            vec![
                ("auth.oauth.providers.google.isShared", json!(false)),
                ("auth.oauth.providers.google.clientId", json!("i")),
                ("auth.oauth.providers.google.clientSecret", json!("s")),
                ("auth.oauth.providers.facebook.facebookConfigId", json!("c")),
                ("auth.oauth.providers.microsoft.microsoftTenantId", json!("t")),
                ("auth.oauth.providers.apple.appleBundles.a.bundleId", json!("b")),
                ("domains.allowLocalhost", json!(true)),
                ("domains.trustedDomains.a.baseUrl", json!("https://a.com")),
                ("domains.trustedDomains.a.handlerPath", json!("/h")),
                ("emails.server.isShared", json!(false)),
                ("emails.server.provider", json!("resend")),
                ("emails.server.host", json!("smtp.example.com")),
                ("emails.server.port", json!(25)),
                ("emails.server.username", json!("u")),
                ("emails.server.password", json!("p")),
                ("emails.server.senderName", json!("n")),
                ("emails.server.senderEmail", json!("n@example.com")),
                ("latchkey.password.minLength", json!(12)),
            ],
        ),
    ];
    for (levels, keys) in table {
        for (key, value) in keys {
            let nested = key.rsplit('.').fold(value.clone(), |inner, name| json!({ name: inner }));
            for written in [json!({ key: value }), nested] {
                for level in [Project, Branch, Environment] {
                    if levels.contains(&level) {
                        Override::parse(&written.to_string(), level).unwrap();
                    } else {
                        let part = format!("cannot be set at the level {:?}", level.as_str());
                        refused(level, &written, &part);
                    }
                }
            }
        }
    }
}

#[test]
fn malformed_and_unknown_keys_and_wrong_types_are_refused() {
    let level = Level::Environment;
    for keys in [
        json!({ "": 1 }),
        json!({ "auth.": 1 }),
        json!({ "-auth": 1 }),
        json!({ "au th": 1 }),
        json!({ "auth": { "password.allowSignIn": true } }),
    ] {
        refused(level, &keys, "is malformed");
    }
    for keys in [
        json!({ "payments": {} }),
        json!({ "auth.nothing": null }),
        json!({ "auth": { "nothing": null } }),
        json!({ "auth.allowSignUp.deeper": true }),
        json!({ "rbac.permissions.x.nothing": 1 }),
    ] {
        refused(level, &keys, "is unknown");
    }
    for keys in [
        json!({ "auth.allowSignUp": "true" }),
        json!({ "auth": 1 }),
        json!({ "auth": [] }),
        json!({ "auth.oauth.accountMergeStrategy": "whatever" }),
        json!({ "rbac.permissions.x": true }),
        json!({ "emails.server.port": 70000 }),
        json!({ "auth.oauth.providers.x.type": "myspace" }),
    ] {
        refused(level, &keys, "does not fit");
    }
    for text in ["", "{", "[]", "null", "\"x\""] {
        assert!(Override::parse(text, level).is_err(), "{text}");
    }
}

#[test]
fn changing_settings_writes_records_as_a_whole_and_project_keys_at_their_level() {
    let mut overrides = Overrides::for_new_project();
    let before = overrides.render().unwrap();
    let mut after = before.clone();
    after.rbac.permissions.remove("team_admin");
    after.auth.allow_sign_up = false;
    after.project.require_publishable_client_key = true;
    overrides.change(&before, &after);
    assert_eq!(overrides.render().unwrap(), after);
    assert_eq!(overrides.project, override_of(json!({ "project.requirePublishableClientKey": true })));
    let permissions = &overrides.environment.0["rbac.permissions"];
    assert_eq!(permissions.as_object().unwrap().keys().collect::<Vec<_>>(), ["team_member"]);
    assert!(!overrides.environment.0.contains_key("rbac.permissions.team_member"));
}

#[test]
fn what_is_stated_wins_and_the_rest_stays() {
    let mut overrides = Overrides::for_new_project();
    overrides.environment.set("auth.allowSignUp", false);
    overrides.environment.set("auth.oauth.providers", json!({ "google": { "type": "google" } }));
    overrides.state(&json!({
        "auth": { "otp": { "allowSignIn": true }, "oauth": { "providers": { "github": { "type": "github" } } } },
        "project": { "requirePublishableClientKey": true },
    }));
    let settings = overrides.render().unwrap();
    assert!(!settings.auth.allow_sign_up && settings.auth.otp.allow_sign_in);
    assert_eq!(settings.auth.oauth.providers.keys().collect::<Vec<_>>(), ["github", "google"]);
    assert!(settings.project.require_publishable_client_key);
}

#[test]
fn no_debug_output_shows_a_value() {
    let mut overrides = Overrides::default();
    overrides.environment.set("emails.server.password", "hunter2");
    assert!(!format!("{overrides:?}").contains("hunter2"));
}
