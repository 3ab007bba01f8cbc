//! The HTTP interface, from outside: one module per noun.

mod http {
    mod anonymous;
    mod api_keys;
    mod bot_challenge;
    mod clean_up;
    mod cli_logins;
    mod configuration;
    mod connected_accounts;
    mod contact_channels;
    mod data_vault;
    mod emails;
    mod health;
    mod hostile;
    mod key_sets;
    mod mfa;
    mod notifications;
    mod oauth;
    mod oauth_providers;
    mod one_time_codes;
    mod otp;
    mod outbox;
    mod pages;
    mod passkeys;
    mod password;
    mod permissions;
    mod projects;
    mod protocol;
    mod sessions;
    mod sign_up_rules;
    mod teams;
    mod tokens;
    mod users;
    mod webhooks;
}
