//! Contract 04 §8: signing in through OAuth providers, the token endpoint, and going on at another domain.

mod accounts;
mod apple_native;
mod codes;
mod cross_domain;
mod flows;
mod generic;
mod hostile;
mod id_tokens;
mod proofs;
mod quirks;
mod trouble;
