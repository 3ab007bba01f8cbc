//! Contact channels: how addresses are compared.

/// The form in which an address is stored and compared: trimmed and in lower case, nothing else (contract 04 §2).
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}
