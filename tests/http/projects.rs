//! Contract 07 §1 to §4, and §8: projects and who administers them.

mod administration;
mod declared;
mod deletion;
mod domains;
mod emails;
mod owners;
mod sdk;
