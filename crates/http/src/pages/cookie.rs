//! The cookie of the built-in pages: a refresh token, for these pages of this project only, for a few minutes. Scripts
//! cannot read it, and no other site can make the browser send it (RFC 6265bis section 5.6.7, `SameSite=Strict`).

use http::HeaderMap;
use http::header::COOKIE;
use url::Url;

/// How long a visitor may take between signing in and pressing the button, seconds.
const MAX_AGE: u32 = 15 * 60;

fn is_https(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// Browsers take the prefix `__Secure-` only from secure origins.
fn name(public_url: &str) -> &'static str {
    if is_https(public_url) { "__Secure-latchkey-page" } else { "latchkey-page" }
}

/// The refresh token that the browser sent.
pub(super) fn read<'h>(headers: &'h HeaderMap, public_url: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name(public_url)).map(|(_, value)| value)
}

/// The header that sets the cookie, or takes it away with an empty value.
pub(super) fn header(value: &str, public_url: &str, project: &str) -> String {
    // Below a prefix, if the public URL has one; a proxy has taken it away before the request came here.
    let prefix =
        Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let age = if value.is_empty() { 0 } else { MAX_AGE };
    let secure = if is_https(public_url) { "; Secure" } else { "" };
    format!(
        "{}={value}; Path={prefix}/projects/{project}/handler; Max-Age={age}; HttpOnly; SameSite=Strict{secure}",
        name(public_url)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_cookie_stays_on_the_pages_of_its_project_and_is_secure_where_the_server_is() {
        assert_eq!(
            header("token", "https://example.com/auth", "p"),
            "__Secure-latchkey-page=token; Path=/auth/projects/p/handler; Max-Age=900; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            header("", "http://localhost:8080", "p"),
            "latchkey-page=; Path=/projects/p/handler; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn only_the_cookie_of_the_own_name_is_read() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; latchkey-pages=no"));
        headers.append(COOKIE, HeaderValue::from_static("b=2;latchkey-page=yes"));
        assert_eq!(read(&headers, "http://localhost"), Some("yes"));
        assert_eq!(read(&headers, "https://example.com"), None);
    }
}
