//! Rules that hold for the whole table, so that what is added later cannot forget them.

mod guard {
    mod access;
    mod errors;
    mod isolation;
    mod lists;
    mod project_tables;
    mod routes;
    mod statements;
}
