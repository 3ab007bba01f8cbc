//! Whose account it is that comes out of a sign-in through a provider (contract 04 §8.3, step 5).

use latchkey_config::settings::AccountMergeStrategy;
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, code, error_code, exchange, parameter, sign_in};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::provider::{Provider, configure};
use latchkey_tests::tokens;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const TAKEN: &str = "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE";

async fn user(server: &TestServer, answer: &Value) -> Value {
    people::seen_by_server(server, &user_id(answer)).await
}

fn user_id(answer: &Value) -> String {
    tokens::claim(answer["access_token"].as_str().expect("a token"), "sub")
}

async fn count(server: &TestServer) -> usize {
    server.get("/users?include_anonymous=true").server().send().await.expect(200)["items"]
        .as_array()
        .expect("users")
        .len()
}

fn strategy(strategy: AccountMergeStrategy) -> Builder {
    oauth::builder().project(move |settings| settings.auth.oauth.account_merge_strategy = strategy)
}

/// A user with a password and this address.
async fn with_password(server: &TestServer, email: &str, verified: bool) -> String {
    let fields = json!({
        "primary_email": email, "primary_email_auth_enabled": true, "primary_email_verified": verified, "password": PASSWORD,
    });
    people::create(server, &fields).await["id"].as_str().expect("an id").to_owned()
}

/// The details of an error that went to the client.
fn details(answer: &Answer) -> Value {
    serde_json::from_str(&parameter(answer, "details").expect("details")).expect("JSON")
}

/// A provider of the project's own.
async fn company(server: &TestServer) -> Provider {
    let company = Provider::start().await;
    configure(server, "company", &company.oidc()).await;
    company
}

/// Somebody comes by it.
async fn come_by(server: &TestServer, company: &Provider, person: &Value) -> Answer {
    let at = Flow::new(server, "company").begin().await;
    company.agree(at, person, &[("iss", company.url())]).come_back().await
}

on_both_engines! {
    async fn somebody_new_becomes_a_user_with_what_the_provider_says(server, builder = oauth::builder()) {
        let answer = sign_in(&server, "google", ADA).await;
        assert_eq!(answer["is_new_user"], true);
        let user = user(&server, &answer).await;
        assert_eq!(user["primary_email"], ADA);
        assert_eq!(user["primary_email_verified"], true);
        assert_eq!(user["primary_email_auth_enabled"], true);
        assert_eq!(user["display_name"], "Ada Lovelace");
        assert_eq!(user["has_password"], false);
        assert_eq!(user["oauth_providers"], json!([{ "id": "google", "account_id": ADA, "email": ADA }]));
    }

    async fn the_same_account_signs_in_the_same_user(server, builder = oauth::builder()) {
        let first = sign_in(&server, "google", ADA).await;
        let second = sign_in(&server, "google", ADA).await;
        assert_eq!((second["is_new_user"].clone(), second["newUser"].clone()), (json!(false), json!(false)));
        assert_eq!(user_id(&first), user_id(&second));
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        assert_eq!(count(&server).await, 1);
    }

    async fn an_account_of_another_provider_is_another_account_and_joins_by_the_verified_address(server, builder = oauth::builder()) {
        let first = sign_in(&server, "google", ADA).await;
        let second = sign_in(&server, "github", ADA).await;
        assert_eq!(user_id(&first), user_id(&second));
        assert_eq!(second["is_new_user"], false);
        assert_eq!(user(&server, &first).await["oauth_providers"].as_array().expect("accounts").len(), 2);
    }

    async fn a_verified_address_here_and_there_links_the_account(server, builder = oauth::builder().project(|settings| settings.auth.allow_sign_up = false)) {
        let id = with_password(&server, ADA, true).await;
        let answer = sign_in(&server, "google", ADA).await;
        assert_eq!(user_id(&answer), id);
        assert_eq!(answer["is_new_user"], false);
        people::sign_in(&server, ADA).await;
    }

    async fn an_unverified_address_here_never_meets_the_account_of_its_owner(server, builder = oauth::builder()) {
        // Whoever signed up first with somebody else's address must not get that person's sign-ins.
        with_password(&server, ADA, false).await;
        let answer = Flow::new(&server, "google").as_user(ADA).await;
        assert_eq!(error_code(&answer), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        let details: Value = serde_json::from_str(&parameter(&answer, "details").expect("details")).expect("JSON");
        assert_eq!(details, json!({ "type": "email", "contact_channel_value": ADA, "would_work_if_email_was_verified": true }));
        assert_eq!(count(&server).await, 1);
    }

    async fn a_victim_who_was_registered_before_is_not_merged_and_the_attacker_gets_nothing(server, builder = oauth::builder()) {
        // The attacker signs up by password with the victim's address, in another spelling, and keeps the session.
        let mallory = people::sign_up(&server, "ADA@example.com").await;
        for _ in 0..2 {
            let answer = Flow::new(&server, "google").as_user(ADA).await;
            assert_eq!(error_code(&answer), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        }
        assert_eq!(people::seen_by_self(&server, &mallory).await["oauth_providers"], json!([]));
        // Linking an account of theirs does not prove the address either.
        let link = Flow::new(&server, "github").with("type", "link").with("token", &mallory.access_token);
        let code = oauth::code(&link.as_user("mallory@example.com").await);
        exchange(&server, &code, &[]).send().await.expect(200);
        let answer = Flow::new(&server, "google").as_user(ADA).await;
        assert_eq!(error_code(&answer), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        assert_eq!(people::seen_by_server(&server, &mallory.id).await["primary_email_verified"], false);
    }

    async fn strategy_raise_error_links_nothing(server, builder = strategy(AccountMergeStrategy::RaiseError)) {
        with_password(&server, ADA, true).await;
        let answer = Flow::new(&server, "google").as_user(ADA).await;
        assert_eq!(error_code(&answer), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        let details: Value = serde_json::from_str(&parameter(&answer, "details").expect("details")).expect("JSON");
        assert_eq!(details["would_work_if_email_was_verified"], false);
    }

    async fn strategy_allow_duplicates_makes_a_user_whose_address_does_not_sign_in(server, builder = strategy(AccountMergeStrategy::AllowDuplicates)) {
        let id = with_password(&server, ADA, true).await;
        let answer = sign_in(&server, "google", ADA).await;
        assert_ne!(user_id(&answer), id);
        let user = user(&server, &answer).await;
        assert_eq!((user["primary_email"].clone(), user["primary_email_auth_enabled"].clone()), (json!(ADA), json!(false)));
        assert_eq!(user_id(&sign_in(&server, "google", ADA).await), user_id(&answer));
    }

    async fn nobody_new_comes_while_sign_up_is_closed(server, builder = oauth::builder().project(|settings| settings.auth.allow_sign_up = false)) {
        let answer = Flow::new(&server, "google").as_user(ADA).await;
        assert_eq!(error_code(&answer), "SIGN_UP_NOT_ENABLED");
        assert_eq!(count(&server).await, 0);
    }

    async fn sign_up_rules_are_asked(server, builder = oauth::builder().project(|settings| {
        settings.auth.sign_up_rules_default_action = latchkey_config::settings::SignUpDefault::Reject;
    })) {
        assert_eq!(error_code(&Flow::new(&server, "google").as_user(ADA).await), "SIGN_UP_REJECTED");
        assert_eq!(count(&server).await, 0);
    }

    async fn an_anonymous_user_becomes_a_real_one_and_keeps_the_id(server, builder = oauth::builder()) {
        let anonymous = people::anonymous(&server).await;
        let flow = Flow::new(&server, "google").with("token", &anonymous.access_token);
        let code = code(&flow.as_user(ADA).await);
        let answer = exchange(&server, &code, &[]).send().await.expect(200);
        assert_eq!(answer["is_new_user"], true);
        assert_eq!(user_id(&answer), anonymous.id);
        let user = user(&server, &answer).await;
        assert_eq!((user["is_anonymous"].clone(), user["primary_email"].clone()), (json!(false), json!(ADA)));
        assert_eq!(user["display_name"], "Ada Lovelace");
    }

    async fn an_anonymous_user_stays_behind_if_the_account_has_a_user(server, builder = oauth::builder()) {
        let ada = sign_in(&server, "google", ADA).await;
        let anonymous = people::anonymous(&server).await;
        let flow = Flow::new(&server, "google").with("token", &anonymous.access_token);
        let code = code(&flow.as_user(ADA).await);
        let answer = exchange(&server, &code, &[]).send().await.expect(200);
        assert_eq!(user_id(&answer), user_id(&ada));
        assert_eq!(people::seen_by_server(&server, &anonymous.id).await["is_anonymous"], true);
    }

    async fn linking_adds_the_account_to_the_user_of_the_token(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, ADA).await;
        let link = |subject: &'static str| Flow::new(&server, "google").with("type", "link").with("token", &ada.access_token).as_user(subject);
        let code = code(&link("other@example.com").await);
        let answer = exchange(&server, &code, &[]).send().await.expect(200);
        assert_eq!((user_id(&answer), answer["is_new_user"].clone()), (ada.id.clone(), json!(false)));
        // From now on it signs in.
        assert_eq!(user_id(&sign_in(&server, "google", "other@example.com").await), ada.id);
        // Once more is no error, and a second account of the provider is for the application only.
        for subject in ["other@example.com", "third@example.com"] {
            let code = oauth::code(&link(subject).await);
            exchange(&server, &code, &[]).send().await.expect(200);
            server.clock().advance_seconds(1);
        }
        let accounts = server.get(&format!("/oauth-providers?user_id={}", ada.id)).server().send().await.expect(200);
        let signs_in: Vec<_> = accounts["items"].as_array().expect("accounts").iter().map(|account| account["allow_sign_in"].clone()).collect();
        assert_eq!(signs_in, [json!(true), json!(false)]);
    }

    async fn the_account_of_somebody_else_is_not_linked(server, builder = oauth::builder()) {
        sign_in(&server, "google", "grace@example.com").await;
        let ada = people::sign_up(&server, ADA).await;
        let flow = Flow::new(&server, "google").with("type", "link").with("token", &ada.access_token);
        let answer = flow.as_user("grace@example.com").await;
        assert_eq!(error_code(&answer), "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER");
    }

    async fn two_browsers_that_come_with_the_same_new_account_meet_in_one_user(server, builder = oauth::builder()) {
        let mut ways = Vec::new();
        for _ in 0..6 {
            ways.push(Flow::new(&server, "google").begin().await.choose(ADA, "").await);
        }
        let answers = latchkey_tests::join_all(ways.iter().map(oauth::Returning::come_back)).await;
        let codes: Vec<_> = answers.iter().map(oauth::code).collect();
        assert_eq!(codes.len(), 6);
        assert_eq!(count(&server).await, 1);
    }

    async fn strategy_raise_error_holds_out_no_hope_to_unverified_addresses_either(server, builder = strategy(AccountMergeStrategy::RaiseError)) {
        with_password(&server, ADA, false).await;
        let answer = Flow::new(&server, "google").as_user(ADA).await;
        assert_eq!(error_code(&answer), TAKEN);
        assert_eq!(details(&answer)["would_work_if_email_was_verified"], false);
    }

    async fn strategy_allow_duplicates_does_so_beside_unverified_addresses_as_well(server, builder = strategy(AccountMergeStrategy::AllowDuplicates)) {
        let id = with_password(&server, ADA, false).await;
        let answer = sign_in(&server, "google", ADA).await;
        assert_ne!(user_id(&answer), id);
        assert_eq!(user(&server, &answer).await["primary_email_auth_enabled"], false);
    }

    async fn where_neither_address_is_verified_the_one_here_is_what_is_missing(server, builder = oauth::builder()) {
        with_password(&server, ADA, false).await;
        let company = company(&server).await;
        let answer = come_by(&server, &company, &json!({ "sub": "7", "email": ADA, "email_verified": false })).await;
        assert_eq!(error_code(&answer), TAKEN);
        assert_eq!(details(&answer)["would_work_if_email_was_verified"], true);
    }

    async fn an_address_that_changed_at_the_provider_changes_nothing_here(server, builder = oauth::builder()) {
        let company = company(&server).await;
        let first = come_by(&server, &company, &json!({ "sub": "7", "email": ADA, "name": "Ada" })).await;
        let first = exchange(&server, &code(&first), &[]).send().await.expect(200);
        let again = come_by(&server, &company, &json!({ "sub": "7", "email": "new@example.com", "name": "Countess" })).await;
        let again = exchange(&server, &code(&again), &[]).send().await.expect(200);
        assert_eq!((user_id(&again), again["is_new_user"].clone()), (user_id(&first), json!(false)));
        let user = user(&server, &again).await;
        assert_eq!((user["primary_email"].clone(), user["display_name"].clone()), (json!(ADA), json!("Ada")));
        assert_eq!(user["oauth_providers"][0]["email"], ADA);
    }

    async fn an_account_that_is_only_for_the_application_signs_nobody_in(server, builder = oauth::builder()) {
        let ada = people::created(&server, &json!({})).await;
        let body = json!({
            "user_id": ada.id, "provider_config_id": "google", "account_id": "work@example.com", "allow_sign_in": false, "allow_connected_accounts": true,
        });
        server.post("/oauth-providers").server().json(&body).send().await.expect(201);
        let answer = sign_in(&server, "google", "work@example.com").await;
        assert_ne!(user_id(&answer), ada.id);
        assert_eq!(answer["is_new_user"], true);
    }

    async fn the_token_of_a_user_who_was_deleted_is_ignored(server, builder = oauth::builder()) {
        let gone = |id: String| server.delete(&format!("/users/{id}")).server().send();
        let anonymous = people::anonymous(&server).await;
        let flow = || Flow::new(&server, "google").with("token", &anonymous.access_token);
        let way = flow().begin().await.choose(ADA, "").await;
        gone(anonymous.id.clone()).await.expect(200);
        let answer = exchange(&server, &code(&way.come_back().await), &[]).send().await.expect(200);
        assert_eq!(answer["is_new_user"], true);
        assert_ne!(user_id(&answer), anonymous.id);
        // Deleted before, the token is as good as none; linking needs its user.
        code(&flow().as_user("grace@example.com").await);
        flow().with("type", "link").answer().await.expect_text(400);
        let bo = people::sign_up(&server, "bo@example.com").await;
        let link = Flow::new(&server, "github").with("type", "link").with("token", &bo.access_token);
        let way = link.begin().await.choose("bo@example.com", "").await;
        gone(bo.id.clone()).await.expect(200);
        way.come_back().await.expect_text(400);
    }

    async fn restricted_users_link_accounts(server, builder = oauth::builder()) {
        let restricted = people::restricted(&server).await;
        let link = Flow::new(&server, "google").with("type", "link").with("token", &restricted.access_token);
        exchange(&server, &code(&link.as_user(ADA).await), &[]).send().await.expect(200);
        assert_eq!(people::seen_by_server(&server, &restricted.id).await["oauth_providers"][0]["account_id"], ADA);
    }

    async fn the_token_of_somebody_with_an_account_does_not_make_it_theirs(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, ADA).await;
        let flow = Flow::new(&server, "google").with("token", &ada.access_token);
        let answer = exchange(&server, &code(&flow.as_user("grace@example.com").await), &[]).send().await.expect(200);
        assert_ne!(user_id(&answer), ada.id);
        assert_eq!(people::seen_by_self(&server, &ada).await["oauth_providers"], json!([]));
    }

    async fn an_anonymous_user_stays_one_while_sign_up_is_closed(server, builder = oauth::builder().project(|settings| settings.auth.allow_sign_up = false)) {
        let anonymous = people::anonymous(&server).await;
        let answer = Flow::new(&server, "google").with("token", &anonymous.access_token).as_user(ADA).await;
        assert_eq!(error_code(&answer), "SIGN_UP_NOT_ENABLED");
        assert_eq!(people::seen_by_server(&server, &anonymous.id).await["is_anonymous"], true);
    }
}
