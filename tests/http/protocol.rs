//! Contract 01: what holds for every endpoint.

mod access_levels;
mod admin_tokens;
mod authentication;
mod bodies;
mod order;
mod responses;
mod routing;
mod validation;
