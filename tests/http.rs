//! The HTTP interface, from outside: one module per noun.

mod http {
    mod configuration;
    mod contact_channels;
    mod hostile;
    mod key_sets;
    mod notifications;
    mod oauth_providers;
    mod password;
    mod permissions;
    mod projects;
    mod protocol;
    mod sessions;
    mod teams;
    mod tokens;
    mod users;
}
