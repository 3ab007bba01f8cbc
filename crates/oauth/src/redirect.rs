//! Parameters in addresses that browsers are sent to.

use url::Url;
use url::form_urlencoded::{Serializer, parse};

/// An address with parameters added to its query. Parameters of the same names that it has already are taken out, so
/// that nothing stands there twice (RFC 6749 §3.1); all others stay as they are spelled.
pub fn with_parameters(url: &Url, parameters: &[(&str, &str)]) -> Url {
    let is_ours = |pair: &&str| {
        parse(pair.as_bytes())
            .next()
            .is_some_and(|(name, _)| parameters.iter().any(|(ours, _)| *ours == name))
    };
    let kept: Vec<_> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_ours(pair))
        .collect();
    let mut query = kept.join("&");
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&Serializer::new(String::new()).extend_pairs(last_of_each(parameters)).finish());
    let mut url = url.clone();
    url.set_query(Some(&query));
    url
}

/// A later parameter replaces an earlier one of the same name.
fn last_of_each<'p>(parameters: &'p [(&'p str, &'p str)]) -> impl Iterator<Item = &'p (&'p str, &'p str)> {
    parameters
        .iter()
        .enumerate()
        .filter(move |(at, (name, _))| !parameters[at + 1..].iter().any(|(later, _)| later == name))
        .map(|(_, parameter)| parameter)
}

/// The address of a success: with code and state (RFC 6749 §4.1.2).
pub fn with_code(redirect_uri: &Url, code: &str, state: &str) -> Url {
    with_parameters(redirect_uri, &[("code", code), ("state", state)])
}

/// The address of a failure, as the client libraries read it: `error` is always `server_error`, the rest says more.
/// `details` is JSON.
pub fn with_error(redirect_uri: &Url, code: &str, message: &str, details: &str) -> Url {
    let parameters = [
        ("error", "server_error"),
        ("error_description", message),
        ("errorCode", code),
        ("message", message),
        ("details", details),
    ];
    with_parameters(redirect_uri, &parameters)
}

/// An address without its fragment: codes are never put before one that the client brought (RFC 6749 §3.1.2).
pub fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn other_parameters_stay_as_they_are_spelled() {
        let url = with_code(&url("https://a.example/cb?x=a%20b&&y=%C3%A4&flag"), "c&d", "s=t #");
        assert_eq!(url.as_str(), "https://a.example/cb?x=a%20b&y=%C3%A4&flag&code=c%26d&state=s%3Dt+%23");
    }

    #[test]
    fn a_code_that_stands_there_already_is_replaced_in_every_spelling() {
        let url = with_code(&url("https://a.example/cb?code=evil&c%6fde=evil&co+de=x&state"), "good", "s");
        assert_eq!(url.as_str(), "https://a.example/cb?co+de=x&code=good&state=s");
    }

    #[test]
    fn a_later_parameter_replaces_an_earlier_one() {
        let url = with_parameters(&url("https://a.example/"), &[("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(url.as_str(), "https://a.example/?b=2&a=3");
    }

    #[test]
    fn an_error_is_told_in_all_the_ways_that_clients_read() {
        let url = with_error(&url("https://a.example/cb?x=1"), "SIGN_UP_NOT_ENABLED", "No.", "{}");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let expected = [
            ("x", "1"),
            ("error", "server_error"),
            ("error_description", "No."),
            ("errorCode", "SIGN_UP_NOT_ENABLED"),
            ("message", "No."),
            ("details", "{}"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn addresses_of_apps_take_parameters_too() {
        let url = with_code(&url("stack-auth-mobile-oauth-url://callback"), "c", "s");
        assert_eq!(url.as_str(), "stack-auth-mobile-oauth-url://callback?code=c&state=s");
        let opaque = with_code(&Url::parse("stack-auth-mobile-oauth-url:cb").unwrap(), "c", "s");
        assert_eq!(opaque.as_str(), "stack-auth-mobile-oauth-url:cb?code=c&state=s");
    }

    #[test]
    fn a_fragment_is_cut() {
        assert_eq!(without_fragment(&url("https://a.example/cb?x#y")).as_str(), "https://a.example/cb?x");
    }
}
