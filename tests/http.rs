//! The HTTP interface, from outside: one module per noun.

mod http {
    mod hostile;
    mod password;
    mod configuration;
    mod key_sets;
    mod projects;
    mod protocol;
    mod sessions;
    mod tokens;
    mod users;
}
