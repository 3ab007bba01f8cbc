//! The page of the built-in provider.

use std::fmt::Write as _;

use super::Fields;

/// Nothing is loaded from anywhere. Where forms lead is not limited: browsers apply that limit to the redirect after
/// the form as well, and that leads to the application.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// What may go wrong, with the word for it.
const FAULTS: [(&str, &str); 12] = [
    ("", "nothing"),
    ("access_denied", "the person says no"),
    ("temporarily_unavailable", "the provider is not available"),
    ("down", "the token endpoint is down"),
    ("garbage", "the token endpoint answers a page"),
    ("invalid_grant", "the token endpoint refuses the code"),
    ("mixed_up", "the answer names another issuer"),
    ("nonce", "the ID token has another nonce"),
    ("audience", "the ID token is for somebody else"),
    ("issuer", "the ID token is from somebody else"),
    ("expired", "the ID token has expired"),
    ("key", "the ID token is signed by somebody else"),
];

/// The page on which somebody chooses who to be, with the request in hidden fields.
pub(super) fn choice(client: &str, users: &[(&str, &str)], request: &Fields) -> String {
    let mut names: Vec<_> = request.keys().collect();
    names.sort_unstable();
    let mut hidden = String::new();
    for name in names {
        let value = escape(request.get(name).map(String::as_str).unwrap_or_default());
        let _ = writeln!(hidden, "<input type=\"hidden\" name=\"{}\" value=\"{value}\">", escape(name));
    }
    let mut buttons = String::new();
    for (address, name) in users {
        let shown = format!("{name}<br><small>{address}</small>");
        let _ = writeln!(buttons, "<button name=\"sub\" value=\"{address}\">{shown}</button>");
    }
    let mut faults = String::new();
    for (word, text) in FAULTS {
        let _ = writeln!(faults, "<option value=\"{word}\">{text}</option>");
    }
    format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Sign in as</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem }}
button, input, select {{ font: inherit; display: block; width: 100%; margin: .5rem 0; padding: .5rem; box-sizing: border-box }}
</style>
<h1>Sign in as</h1>
<p>This page stands in for <b>{client}</b> while you develop. Choose who to be.</p>
<form method=\"post\">
{hidden}<label>What goes wrong <select name=\"fault\">
{faults}</select></label>
{buttons}</form>
<form method=\"post\">
{hidden}<label>Somebody else <input type=\"email\" name=\"sub\" required placeholder=\"name@example.com\"></label>
<button>Continue</button>
</form>
",
        client = escape(client),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_request_says_stays_text() {
        let request = Fields::from([("state".to_owned(), "\"><script>alert(1)</script>".to_owned())]);
        let page = choice("<b>", &[("a@example.com", "A")], &request);
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("&lt;b&gt;"), "{page}");
        assert_eq!(page.matches("name=\"state\"").count(), 2);
    }
}
