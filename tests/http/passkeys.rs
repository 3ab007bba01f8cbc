//! Contract 04 §9.1: passkeys. A user may have several, which the contract does not know.

mod administration;
mod hostile;
mod registration;
mod relying_parties;
mod sign_in;
