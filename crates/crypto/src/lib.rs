//! Password hashing and verification, secrets, sealing at rest.
