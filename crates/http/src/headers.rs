//! The request headers that mean something to the API.
//!
//! Read in one pass. An empty header is an absent one, `x-hexclave-NAME` stands for `x-stack-NAME`, and a header
//! that is sent twice is refused, because two readers could choose differently.

use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use latchkey_identity::Credentials;

/// Why the headers cannot be read: the header's name and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeaderProblem {
    pub(crate) name: String,
    pub(crate) what: &'static str,
}

/// What the headers say, borrowed from them.
#[derive(Default)]
pub(crate) struct Headers<'a> {
    pub(crate) credentials: Credentials<'a>,
    pub(crate) refresh_token: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    /// The caller claims to be a browser (contract 03 section 8).
    pub(crate) browser: bool,
}

/// A header that may be known under two names, of which the first wins.
#[derive(Default, Clone, Copy)]
struct Slot<'a> {
    stack: Option<&'a str>,
    hexclave: Option<&'a str>,
}

impl<'a> Slot<'a> {
    fn value(self) -> Option<&'a str> {
        let given = |text: &&str| !text.is_empty();
        self.stack.filter(given).or(self.hexclave.filter(given))
    }
}

/// Whether a person reads the answer.
pub(crate) fn pretty(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| contains(value, b"text/html"))
}

const OVERRIDE: HeaderName = HeaderName::from_static("x-stack-override-error-status");
const OVERRIDE_ALIAS: HeaderName = HeaderName::from_static("x-hexclave-override-error-status");

/// Whether 4xx answers are to be sent with status 200.
pub(crate) fn overrides_status(headers: &HeaderMap) -> bool {
    headers.contains_key(OVERRIDE) || headers.contains_key(OVERRIDE_ALIAS)
}

impl<'a> Headers<'a> {
    /// Reads them.
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, HeaderProblem> {
        let mut read = Self::default();
        let mut authorization = Slot::default();
        let mut content_type = Slot::default();
        let (mut project, mut branch, mut access_type) = <(Slot<'_>, Slot<'_>, Slot<'_>)>::default();
        let (mut publishable, mut secret, mut admin) = <(Slot<'_>, Slot<'_>, Slot<'_>)>::default();
        let (mut admin_token, mut access, mut refresh) = <(Slot<'_>, Slot<'_>, Slot<'_>)>::default();
        let (mut anonymous, mut restricted, mut development) = <(Slot<'_>, Slot<'_>, Slot<'_>)>::default();
        for (name, value) in headers {
            let stack = name.as_str().strip_prefix("x-stack-");
            let hexclave = if stack.is_none() { name.as_str().strip_prefix("x-hexclave-") } else { None };
            let slot = match stack.or(hexclave) {
                Some("project-id") => &mut project,
                Some("branch-id") => &mut branch,
                Some("access-type") => &mut access_type,
                Some("publishable-client-key") => &mut publishable,
                Some("secret-server-key") => &mut secret,
                Some("super-secret-admin-key") => &mut admin,
                Some("admin-access-token") => &mut admin_token,
                Some("access-token") => &mut access,
                Some("refresh-token") => &mut refresh,
                Some("allow-anonymous-user") => &mut anonymous,
                Some("allow-restricted-user") => &mut restricted,
                Some("development-override-key") => &mut development,
                None if name == AUTHORIZATION => &mut authorization,
                None if name == CONTENT_TYPE => &mut content_type,
                // Sent twice, it is a wish and a half: the first counts.
                None if name == ACCEPT_LANGUAGE => {
                    read.credentials.accept_language =
                        read.credentials.accept_language.or(value.to_str().ok());
                    continue;
                }
                None if name == USER_AGENT => {
                    read.browser =
                        [&b"Mozilla"[..], b"Chrome", b"Safari"].iter().any(|word| contains(value, word));
                    continue;
                }
                _ => continue,
            };
            let place = if hexclave.is_some() { &mut slot.hexclave } else { &mut slot.stack };
            let problem = |what| HeaderProblem { name: name.as_str().to_owned(), what };
            if place.is_some() {
                return Err(problem("must not be sent twice"));
            }
            *place =
                Some(str::from_utf8(value.as_bytes()).map_err(|_| problem("must be valid UTF-8"))?.trim());
        }
        read.content_type = content_type.value();
        read.refresh_token = refresh.value();
        read.credentials = Credentials {
            accept_language: read.credentials.accept_language,
            project_id: project.value(),
            branch_id: branch.value(),
            access_type: access_type.value(),
            publishable_client_key: publishable.value(),
            secret_server_key: secret.value(),
            super_secret_admin_key: admin.value(),
            admin_access_token: admin_token.value(),
            access_token: access.value().or_else(|| authorization.value().and_then(bearer)),
            development_override_key: development.value(),
            allow_anonymous: anonymous.value() == Some("true"),
            allow_restricted: restricted.value() == Some("true"),
        };
        Ok(read)
    }
}

/// The token of `Bearer TOKEN` (RFC 6750 section 2.1); the scheme is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn contains(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &[u8])| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn an_empty_header_is_an_absent_one() {
        let headers = map(&[("x-stack-project-id", b""), ("x-hexclave-project-id", b"internal")]);
        assert_eq!(Headers::read(&headers).unwrap().credentials.project_id, Some("internal"));
        let headers = map(&[("x-stack-secret-server-key", b"  ")]);
        assert_eq!(Headers::read(&headers).unwrap().credentials.secret_server_key, None);
    }

    #[test]
    fn the_stack_name_wins_over_its_alias_and_over_the_bearer_token() {
        let headers = map(&[
            ("authorization", b"bearer c"),
            ("x-hexclave-access-token", b"b"),
            ("x-stack-access-token", b"a"),
        ]);
        assert_eq!(Headers::read(&headers).unwrap().credentials.access_token, Some("a"));
        let headers = map(&[("authorization", b"bearer c")]);
        assert_eq!(Headers::read(&headers).unwrap().credentials.access_token, Some("c"));
        let headers = map(&[("authorization", b"Basic c")]);
        assert_eq!(Headers::read(&headers).unwrap().credentials.access_token, None);
    }

    #[test]
    fn headers_sent_twice_or_not_in_utf8_are_refused() {
        let headers = map(&[("x-stack-access-type", b"client"), ("x-stack-access-type", b"client")]);
        let problem = Headers::read(&headers).err().unwrap();
        assert_eq!((problem.name.as_str(), problem.what), ("x-stack-access-type", "must not be sent twice"));
        let headers = map(&[("x-stack-project-id", b"\xff\xfe")]);
        assert_eq!(Headers::read(&headers).err().unwrap().what, "must be valid UTF-8");
        assert!(Headers::read(&map(&[("baggage", b"\xff"), ("baggage", b"b")])).is_ok());
    }

    #[test]
    fn only_the_exact_word_allows_anonymous_users() {
        for (value, allowed) in [(&b"true"[..], true), (b"True", false), (b"1", false)] {
            let headers = map(&[("x-stack-allow-anonymous-user", value)]);
            assert_eq!(Headers::read(&headers).unwrap().credentials.allow_anonymous, allowed);
        }
    }
}
