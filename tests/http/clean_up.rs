//! What goes by itself, and what stays.

mod rows;
mod webhooks;
