//! JWK, JWKS and JWT signing and verification: one implementation for the Latchkey server and its clients.
