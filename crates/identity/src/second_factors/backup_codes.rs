//! Backup codes: ten for each user with TOTP, 50 bits each, shown once and kept as keyed hashes, so that whoever reads
//! the database without the master key cannot try them out.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::{TokenHash, hmac_sha256};
use latchkey_storage::backup_codes;
use latchkey_storage::engine::Stmt;

use crate::app::App;

/// How many a user has.
const COUNT: usize = 10;
/// Characters of each half.
const HALF: usize = 5;

/// New codes in place of those that were there: what the user sees, and the statements that store them.
pub(super) fn renew(app: &App, project: &ProjectId, user: UserId) -> (Vec<String>, Vec<Stmt>) {
    let mut codes = Vec::with_capacity(COUNT);
    while codes.len() < COUNT {
        let code = format!("{}-{}", app.random.base32(HALF), app.random.base32(HALF));
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let mut statements = vec![backup_codes::delete_of_user(project, user)];
    let now = app.now();
    statements.extend(
        codes.iter().map(|code| backup_codes::insert(project, user, &hash(app, project, user, code), now)),
    );
    (codes, statements)
}

/// The hash of a code as it was typed.
pub(super) fn hash(app: &App, project: &ProjectId, user: UserId, typed: &str) -> TokenHash {
    let message = format!("{project}:{user}:{}", normalise(typed));
    TokenHash::from_digest(hmac_sha256(&app.secrets.backup_code_key, message.as_bytes()))
}

/// A code without what people add or confuse: the alphabet (Crockford's) has neither `i`, `l` and `o` nor upper case.
fn normalise(typed: &str) -> String {
    let letters = typed.chars().filter(|c| *c != '-' && !c.is_whitespace());
    letters
        .map(|c| match c.to_ascii_lowercase() {
            'i' | 'l' => '1',
            'o' => '0',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn spelling_does_not_matter() {
        for typed in ["1ab0c-defgh", "1AB0C-DEFGH", " lab0c defgh", "IABOCDEFGH"] {
            assert_eq!(normalise(typed), "1ab0cdefgh", "{typed}");
        }
    }
}
