//! Tables of patterns and targets, the hostile ones included.

use super::*;

fn trusting(patterns: &[&str]) -> ProjectSettings {
    let mut settings = ProjectSettings::default();
    for (index, pattern) in patterns.iter().enumerate() {
        let domain = TrustedDomain { base_url: Some((*pattern).to_owned()), ..TrustedDomain::default() };
        settings.domains.trusted_domains.insert(index.to_string(), domain);
    }
    settings
}

/// What a caller does with a text: what does not parse is not trusted.
fn trusts(settings: &ProjectSettings, text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| settings.trusts_redirect(&url))
}

#[test]
fn an_exact_domain_trusts_its_scheme_host_and_port_whatever_the_path() {
    let settings = trusting(&["https://app.example.com/some/path?x=1"]);
    for target in [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:443/callback?code=1#there",
        "HTTPS://APP.EXAMPLE.COM/callback",
        "https://app.example.com\\callback",
        "https://app.example.com/../..//evil.com",
        "https://%61pp.example.com/",
        "https://app.ex\tample.com/",
        "https:app.example.com",
        " https://app.example.com ",
    ] {
        assert!(trusts(&settings, target), "{target}");
    }
    for target in [
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com:80",
        "https://example.com",
        "https://other.example.com",
        "https://app.example.com.",
        "https://a.app.example.com",
        "wss://app.example.com",
        "ftp://app.example.com",
        "/callback",
        "//app.example.com/callback",
        "",
    ] {
        assert!(!trusts(&settings, target), "{target}");
    }
}

#[test]
fn hostile_spellings_of_a_trusted_host_are_not_trusted() {
    let exact = trusting(&["https://trusted.com"]);
    let wild = trusting(&["https://*.trusted.com"]);
    let deep = trusting(&["https://**.trusted.com"]);
    for target in [
        // The trusted name as prefix, suffix, or part of another name.
        "https://trusted.com.evil.com",
        "https://a.trusted.com.evil.com",
        "https://eviltrusted.com",
        "https://evil-trusted.com",
        "https://trusted.comevil.com",
        // The trusted name before an @, where it is only a user name.
        "https://trusted.com@evil.com",
        "https://a.trusted.com:443@evil.com",
        "https://a.trusted.com%40evil.com",
        "https://user@trusted.com",
        "https://user:password@a.trusted.com",
        // The trusted name after the host has ended.
        "https://evil.com/a.trusted.com",
        "https://evil.com\\a.trusted.com",
        "https://evil.com\\.trusted.com",
        "https://evil.com/.trusted.com",
        "https://evil.com?.trusted.com",
        "https://evil.com#.trusted.com",
        "https://evil.com%2f.trusted.com",
        "https://evil.com%5c.trusted.com",
        "https://evil.com%23.trusted.com",
        "https://evil.com%00.trusted.com",
        "https://evil.com\t/.trusted.com",
        "https://evil.com\n/.trusted.com",
        "https://evil.com:.trusted.com",
        // Names that only look alike, and their encoded form.
        "https://trust\u{435}d.com",
        "https://xn--trustd-8of.com",
        "https://\u{ff45}vil.com\u{ff0f}.trusted.com",
        "https://evil.com\u{2044}.trusted\u{2024}com",
        // Ports.
        "https://trusted.com:444",
        "https://a.trusted.com:444",
        "https://a.trusted.com:0443x",
        "https://trusted.com:65536",
        "http://trusted.com:443",
        "http://a.trusted.com:443",
        // Schemes.
        "javascript://trusted.com/%0aalert(1)",
        "javascript:alert('https://trusted.com')",
        "data:text/html,https://trusted.com",
        "blob:https://trusted.com/0",
        "view-source:https://trusted.com",
        "file://trusted.com/etc/passwd",
        // Empty labels.
        "https://.trusted.com.",
        "https://trusted..com",
    ] {
        for settings in [&exact, &wild, &deep] {
            assert!(!trusts(settings, target), "{target}");
        }
    }
}

#[test]
fn wildcards_match_labels_and_double_wildcards_match_depths() {
    for (pattern, target, trusted) in [
        ("https://*.a.com", "https://x.a.com/cb", true),
        ("https://*.a.com", "https://.a.com", true),
        ("https://*.a.com", "https://a.com", false),
        ("https://*.a.com", "https://x.y.a.com", false),
        ("https://*.a.com", "https://x.a.com:443", true),
        ("https://*.a.com", "https://x.a.com:8443", false),
        ("https://*.a.com", "http://x.a.com", false),
        ("https://**.a.com", "https://x.a.com", true),
        ("https://**.a.com", "https://x.y.a.com", true),
        ("https://**.a.com", "https://a.com", false),
        ("https://**.a.com", "https://xa.com", false),
        ("https://app-*.a.com", "https://app-.a.com", true),
        ("https://app-*.a.com", "https://app-7.a.com", true),
        ("https://app-*.a.com", "https://app-7.b.a.com", false),
        ("https://app-*.a.com", "https://xapp-7.a.com", false),
        ("https://*-preview.*.a.com", "https://x-preview.eu.a.com", true),
        ("https://*-preview.*.a.com", "https://x-preview.a.com", false),
        ("https://*.a.com:8443", "https://x.a.com:8443", true),
        ("https://*.a.com:8443", "https://x.a.com", false),
        ("https://*.a.com:443", "https://x.a.com", true),
        ("http://*.a.com:80", "http://x.a.com", true),
        ("http://*.a.com:80", "https://x.a.com", false),
        ("https://*.A.com", "https://x.a.com", true),
        ("https://*.b\u{fc}cher.de", "https://x.xn--bcher-kva.de", true),
        ("https://b\u{fc}cher.de", "https://B\u{dc}CHER.de/", true),
        ("https://***.a.com", "https://x.y.a.com", true),
        ("https://*.a.com", "https://x.aXcom", false),
        ("https://x.a.com", "https://x.aXcom", false),
        ("http://[::1]:3000", "http://[0:0::1]:3000/cb", true),
        ("http://10.0.0.1:3000", "http://10.1:3000/cb", true),
        ("myapp://callback", "myapp://callback/done", true),
        ("myapp://callback", "myapp://other", false),
    ] {
        assert_eq!(trusts(&trusting(&[pattern]), target), trusted, "{pattern} {target}");
    }
}

#[test]
fn localhost_is_trusted_only_when_allowed() {
    let mut allowing = ProjectSettings::default();
    allowing.domains.allow_localhost = true;
    for target in [
        "http://localhost",
        "https://localhost:3000/cb",
        "http://LOCALHOST:1",
        "http://app.localhost:3000",
        "http://127.0.0.1:8080",
        "http://127.8.7.6/",
        "http://127.1/",
        "http://0x7f.1/",
        "myapp://localhost/cb",
        "exp://127.0.0.1:19000",
    ] {
        assert!(trusts(&allowing, target), "{target}");
        assert!(!trusts(&ProjectSettings::default(), target), "{target}");
    }
    for target in [
        "http://localhost.evil.com",
        "http://evillocalhost",
        "http://localhost@evil.com",
        "http://evil.com\\.localhost",
        "http://evil.com#.localhost",
        "http://127.0.0.1.evil.com",
        "http://128.0.0.1",
        "http://0.0.0.0",
        "http://[::1]:3000",
        "http://user@localhost",
        "javascript://localhost/%0aalert(1)",
        "data://localhost/text/html,x",
        "localhost:3000",
    ] {
        assert!(!trusts(&allowing, target), "{target}");
    }
}

#[test]
fn a_domain_without_base_url_trusts_nothing() {
    let mut settings = ProjectSettings::default();
    settings.domains.trusted_domains.insert("empty".into(), TrustedDomain::default());
    assert!(!trusts(&settings, "https://example.com"));
    assert_eq!(settings.problems(), Vec::<String>::new());
}

#[test]
fn patterns_that_cannot_be_meant_are_refused() {
    let long = format!("https://{}.com", "a".repeat(300));
    for pattern in [
        "",
        "app.example.com",
        "*.example.com",
        "https://",
        "https:///path",
        "https://app example.com",
        "https://app.example.com ",
        "https://app\\.example.com",
        "https://.example.com",
        "https://example.com.",
        "https://a..example.com",
        "https://*..example.com",
        "https://example.com/*",
        "https://example.com?x=*",
        "https://example.com#*",
        "https://example.com:*",
        "https://*.example.com:*",
        "*://example.com",
        "http*://example.com",
        "myapp://*.example.com",
        "https://user@example.com",
        "https://*@example.com",
        "https://%2a.example.com",
        "https://example.com:99999",
        &long,
    ] {
        assert!(pattern.parse::<DomainPattern>().is_err(), "{pattern}");
        assert_eq!(trusting(&[pattern]).problems().len(), 1, "{pattern}");
    }
}

#[test]
fn the_handler_path_starts_with_a_slash() {
    let mut settings = trusting(&["https://example.com"]);
    settings.domains.trusted_domains.get_mut("0").unwrap().handler_path = "handler".into();
    assert_eq!(
        settings.problems(),
        ["domains.trustedDomains.0.handlerPath must start with \"/\" and be at most 300 characters"]
    );
}

#[test]
fn no_pattern_makes_matching_slow() {
    let pattern = format!("https://{}b.com", "*a".repeat(140));
    let target = format!("https://{}.com", "a".repeat(60));
    assert!(!trusts(&trusting(&[&pattern]), &target));
}

#[test]
fn what_is_trusted_reads_the_same_for_every_parser_once_serialised() {
    let url = Url::parse("https://trusted.com\\@evil.com/").unwrap();
    assert!(trusting(&["https://trusted.com"]).trusts_redirect(&url));
    assert_eq!(url.as_str(), "https://trusted.com/@evil.com/");
}
