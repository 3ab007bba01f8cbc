//! Contract 05 §1–§3 and §5: users, as they see themselves and as servers see them.

mod create;
mod delete;
mod email;
mod fields;
mod images;
mod me;
mod passwords;
mod update;

/// An id that no user has.
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// A TOTP secret.
const TOTP: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";
