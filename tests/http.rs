//! The HTTP interface, from outside: one module per noun.

mod http {
    mod hostile;
    mod password;
    mod protocol;
    mod sessions;
    mod tokens;
    mod users;
}
