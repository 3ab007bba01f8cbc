//! Contract 04 §7 and §12, design §6: the built-in pages. Links are shown by GET and consumed by POST.

mod cli_auth_confirm;
mod email_verification;
mod guarded;
mod password_reset;
mod team_invitation;

use latchkey_testkit::{Answer, Request, TestServer};
use reqwest::Method;

/// The path of a page, with its query.
fn path(server: &TestServer, page: &str) -> String {
    format!("/projects/{}/handler/{page}", server.project_id())
}

/// A browser's visit.
fn visit<'s>(server: &'s TestServer, page: &str) -> Request<'s> {
    server.request(Method::GET, &path(server, page)).header("user-agent", "Mozilla/5.0")
}

/// A browser sends a form of the page.
fn press<'s>(server: &'s TestServer, page: &str, fields: &[(&str, &str)]) -> Request<'s> {
    let request = server.request(Method::POST, &path(server, page)).header("user-agent", "Mozilla/5.0");
    request.form(fields).header("sec-fetch-site", "same-origin")
}

/// The text of a page that must have this status.
#[track_caller]
fn shown(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    answer.text()
}

/// The cookie that a page set, as the browser sends it back.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let header = answer.header("set-cookie").expect("a cookie");
    header.split(';').next().expect("a pair").to_owned()
}

/// Whether a page took its cookie away.
fn takes_the_cookie(answer: &Answer) -> bool {
    answer
        .header("set-cookie")
        .is_some_and(|header| header.starts_with("latchkey-page=;") && header.contains("Max-Age=0"))
}
