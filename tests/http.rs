//! The HTTP interface, from outside: one module per noun.

mod http {
    mod configuration;
    mod hostile;
    mod key_sets;
    mod password;
    mod permissions;
    mod projects;
    mod protocol;
    mod sessions;
    mod teams;
    mod tokens;
    mod users;
}
