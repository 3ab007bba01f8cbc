//! Links lead where the callback says, and a callback must lie on a trusted domain. Nothing else in the request has a
//! say.

use latchkey_config::settings::TrustedDomain;
use latchkey_testkit::{Builder, on_both_engines};
use latchkey_tests::mail;

use super::{CALLBACK, Kind, builder};

/// A server whose project trusts two domains and nothing local.
fn trusting() -> Builder {
    builder().project(|settings| {
        settings.domains.allow_localhost = false;
        for (id, pattern) in [("app", "https://app.example.com"), ("wild", "https://*.wild.example")] {
            let domain = TrustedDomain { base_url: Some(pattern.to_owned()), ..TrustedDomain::default() };
            settings.domains.trusted_domains.insert(id.to_owned(), domain);
        }
    })
}

/// Callbacks that look a little like trusted ones.
const HOSTILE: &[&str] = &[
    // Suffixes and prefixes.
    "https://app.example.com.evil.example/",
    "https://evilapp.example.com/",
    "https://x.app.example.com/",
    "https://example.com/",
    "https://evil.example/app.example.com",
    "https://evil.example/?https://app.example.com/",
    "https://evil.example/#https://app.example.com/",
    "https://wild.example/",
    "https://a.b.wild.example/",
    "https://a.wild.example.evil.example/",
    "https://evil.example/.wild.example",
    // User information.
    "https://app.example.com@evil.example/",
    "https://app.example.com:443@evil.example/",
    "https://app.example.com%40evil.example/",
    "https://user@app.example.com/",
    "https://user:password@app.example.com/",
    "https://a@a.wild.example/",
    // Backslashes are slashes to browsers.
    "https://evil.example\\@app.example.com/",
    "https:\\\\evil.example\\app.example.com",
    "https://evil.example\\.wild.example/",
    // Encoded and fancy hosts.
    "https://app.example.com%2eevil.example/",
    "https://app.example.com%2f.evil.example/",
    "https://evil.example%23.wild.example/",
    "https://evil.example%2f.wild.example/",
    "https://app.example.com\u{3002}evil.example/",
    "https://app\u{ff0e}example.com.evil.example/",
    "https://\u{430}pp.example.com/",
    "https://xn--pp-7lc.example.com/",
    "https://app.example.com./",
    "https://app.ex\u{e4}mple.com/",
    // Ports and schemes.
    "https://app.example.com:8443/",
    "https://app.example.com:80/",
    "https://app.example.com:0/",
    "https://a.wild.example:8443/",
    "http://app.example.com/",
    "http://app.example.com:443/",
    "ftp://app.example.com/",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,app.example.com",
    "blob:https://app.example.com/x",
    "stack-auth-mobile-oauth-url://success",
    // What is local to the server.
    "http://localhost/",
    "https://127.0.0.1/",
    "https://[::1]/",
];

/// Callbacks that are trusted, in spellings that other parsers might read otherwise: what the link must begin with.
const ODD: &[(&str, &str)] = &[
    ("https://APP.Example.COM/a", "https://app.example.com/a?"),
    ("https://app.example.com:443/a", "https://app.example.com/a?"),
    ("https://app.example.com\\@evil.example/", "https://app.example.com/@evil.example/?"),
    ("https://app%2eexample.com/", "https://app.example.com/?"),
    ("https:app.example.com/", "https://app.example.com/?"),
    ("https://app.example.com//evil.example/", "https://app.example.com//evil.example/?"),
    ("https://app.example.com?x=@evil.example", "https://app.example.com/?x=%40evil.example&"),
];

on_both_engines! {
    async fn headers_that_name_hosts_have_no_say(server, builder = builder()) {
        let lies = [
            ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("x-forwarded-server", "evil.example"),
            ("forwarded", "for=1.2.3.4;host=evil.example;proto=https"), ("x-original-host", "evil.example"),
            ("x-host", "evil.example"), ("origin", "https://evil.example"), ("referer", "https://evil.example/"),
            ("host", "evil.example"),
        ];
        for kind in Kind::ALL {
            server.clock().advance_seconds(1);
            kind.send(&server, CALLBACK, &lies).await.expect(200);
            let mails = mail::to(&server, kind.address()).await;
            let mail = mails.first().expect("a mail");
            assert!(!mail.text.contains("evil.example") && !mail.html.contains("evil.example"), "{kind:?}: {}", mail.text);
            let link = mail::link_to(&server, kind.address()).await;
            assert!(link.as_str().starts_with("http://localhost:3000/callback?code="), "{link}");
        }
    }

    async fn callbacks_outside_the_trusted_domains_are_refused(server, builder = trusting()) {
        for kind in Kind::ALL {
            let (path, mut body) = kind.request(&server, "https://app.example.com/").await;
            for callback in HOSTILE {
                body["callback_url"] = (*callback).into();
                let answer = server.post(&path).server().json(&body).send().await;
                let code = answer.header("x-stack-known-error").unwrap_or_default();
                // What is no URL at all is a violation of the schema.
                assert!(["REDIRECT_URL_NOT_WHITELISTED", "SCHEMA_ERROR"].contains(&code), "{kind:?} {callback}: {}", answer.text());
            }
            assert!(mail::to(&server, kind.address()).await.is_empty(), "{kind:?}");
        }
    }

    async fn a_link_is_what_was_checked_and_not_what_was_sent(server, builder = trusting()) {
        for kind in Kind::ALL {
            let (path, mut body) = kind.request(&server, "https://app.example.com/").await;
            for (callback, expected) in ODD {
                server.clock().advance_seconds(1);
                body["callback_url"] = (*callback).into();
                let answer = server.post(&path).server().json(&body).send().await;
                assert_eq!(answer.status, 200, "{callback}: {}", answer.text());
                let mail = mail::to(&server, kind.address()).await.remove(0);
                let link = mail::links(&mail.text).into_iter().find(|link| link.contains("code=")).expect("a link");
                assert!(link.starts_with(expected), "{callback}: {link}");
            }
        }
    }

    async fn a_code_in_the_callback_is_replaced_and_other_parameters_stay(server, builder = builder()) {
        for kind in Kind::ALL {
            server.clock().advance_seconds(1);
            kind.send(&server, "http://localhost:3000/a?code=1&x=%26code%3D2&y=&code=3#code=4", &[]).await.expect(200);
            let link = mail::link_to(&server, kind.address()).await;
            assert_eq!(mail::code_of(&link).len(), 45);
            let others: Vec<_> = link.query_pairs().filter(|(name, _)| name != "code").map(|(n, v)| format!("{n}={v}")).collect();
            assert_eq!(others, ["x=&code=2", "y="]);
        }
    }
}
