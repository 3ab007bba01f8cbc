//! Contract 03 §1–§3 and design §5: access tokens and the keys that verify them.

mod claims;
mod key_sets;
mod refused;
mod rotation;
