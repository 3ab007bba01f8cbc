//! Contract 04 §9.2 and what is beyond it: second factors, backup codes, proving again who one is.

mod backup_codes;
mod enrolment;
mod limits;
mod reauthentication;
mod sign_in;
