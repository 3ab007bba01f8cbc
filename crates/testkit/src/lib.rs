//! Starts a Latchkey server on either engine with a fake clock, a mailbox and an HTTP client.
