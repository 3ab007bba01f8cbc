//! What a page shows, and the one template that shows it. Everything that is put in is escaped; the policy lets the
//! page load nothing and be framed by nobody.

use std::sync::LazyLock;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use latchkey_api_types::ErrorCode;
use latchkey_identity::{App, Failure, Project};
use minijinja::{Environment, Value, context};

use super::cookie;
use crate::reply::{self, Response};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment
        .add_template("page.html", include_str!("page.html"))
        .expect("the built-in template compiles; a test renders it");
    environment
});

/// A page.
#[derive(Default)]
pub(super) struct View {
    /// What it is about, in a few words.
    pub(super) title: String,
    /// Paragraphs.
    pub(super) texts: Vec<String>,
    /// What went wrong with the last step.
    pub(super) problem: Option<String>,
    /// What the visitor can do, the most likely first.
    pub(super) forms: Vec<Form>,
    status: StatusCode,
}

/// Something that the visitor can do.
#[derive(Default)]
pub(super) struct Form {
    /// Which action it is.
    pub(super) action: &'static str,
    /// What the visitor does not see.
    pub(super) hidden: Vec<(&'static str, String)>,
    /// What the visitor fills in.
    pub(super) inputs: Vec<Input>,
    /// What stands on the button.
    pub(super) button: &'static str,
    /// Whether it is there for the rare case.
    pub(super) is_minor: bool,
}

/// Something to fill in.
#[derive(Clone, Copy)]
pub(super) struct Input {
    /// Name of the field.
    pub(super) name: &'static str,
    /// What stands beside it.
    pub(super) label: &'static str,
    /// `email`, `password` or `text`.
    pub(super) kind: &'static str,
    /// What browsers may fill in.
    pub(super) autocomplete: &'static str,
}

impl View {
    /// A page that says something.
    pub(super) fn new(title: impl Into<String>, texts: &[&str]) -> Self {
        Self {
            title: title.into(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// The same page with something to do.
    pub(super) fn with(mut self, form: Form) -> Self {
        self.forms.push(form);
        self
    }

    /// The same page, after a step that failed.
    pub(super) fn after(mut self, failure: &Failure) -> Self {
        let (status, problem) = explain(failure);
        self.problem = Some(problem);
        self.status = status;
        self
    }

    /// A page about nothing but a failure.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        Self::new("This did not work", &[]).after(failure)
    }
}

/// What a visitor is told about a failure. What is the server's own business goes to the log.
fn explain(failure: &Failure) -> (StatusCode, String) {
    let (status, text) = match failure {
        Failure::Known(error) => {
            let text = match error.code {
                ErrorCode::VerificationCodeNotFound => "This link is not valid.",
                ErrorCode::VerificationCodeExpired => "This link is too old. Please ask for a new one.",
                ErrorCode::VerificationCodeAlreadyUsed => "This link was used before.",
                ErrorCode::VerificationCodeMaxAttemptsReached => {
                    "This link was tried too often. Please ask for a new one."
                }
                ErrorCode::EmailPasswordMismatch => "The email address or the password is wrong.",
                _ => &error.message,
            };
            (error.status(), text.to_owned())
        }
        Failure::Text { status, message } => (*status, message.to_string()),
        Failure::Oauth { description, .. } => (400, description.to_string()),
        Failure::Busy { .. } => (503, "The server is busy. Please try again in a moment.".to_owned()),
        Failure::Internal(what) => {
            tracing::error!(error = %what, "a page failed");
            (500, "Something went wrong on the server. Please try again later.".to_owned())
        }
    };
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text)
}

/// What happens to the visitor's cookie.
pub(super) enum Cookie {
    /// It stays as it is.
    Keep,
    /// It gets this refresh token.
    Set(String),
    /// It goes.
    Clear,
}

enum Content {
    View(View),
    /// To the same page with this query, by GET.
    Again(String),
}

/// The answer to a visit.
pub(super) struct Answer {
    content: Content,
    cookie: Cookie,
}

impl From<View> for Answer {
    fn from(view: View) -> Self {
        Self { content: Content::View(view), cookie: Cookie::Keep }
    }
}

impl Answer {
    /// Leads to the same page again, so that a reload repeats nothing.
    pub(super) fn again(query: &str) -> Self {
        Self { content: Content::Again(query.to_owned()), cookie: Cookie::Keep }
    }

    /// The same answer with this cookie.
    pub(super) fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// The response.
    pub(super) fn render(self, app: &App, project: &Project) -> Response {
        let mut response = match &self.content {
            Content::View(view) => page(view, &app.random.token(), &project.display_name),
            Content::Again(query) => again(query),
        };
        let value = match self.cookie {
            Cookie::Keep => None,
            Cookie::Set(token) => Some(token),
            Cookie::Clear => Some(String::new()),
        };
        if let Some(value) = value
            && let Ok(header) =
                HeaderValue::try_from(cookie::header(&value, &app.public_url, project.id.as_str()))
        {
            response.headers_mut().insert(SET_COOKIE, header);
        }
        response
    }
}

fn again(query: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Relative to this page (RFC 9110 section 10.2.2), so that no host has to be named.
    if let Ok(location) = HeaderValue::try_from(format!("?{query}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    protect(&mut response, "default-src 'none'; frame-ancestors 'none'");
    response
}

/// What the template knows.
fn values(view: &View, nonce: &str, project: &str) -> Value {
    let forms: Vec<Value> = view.forms.iter().map(form_values).collect();
    let texts: Vec<Value> = view.texts.iter().map(Value::from).collect();
    let (title, problem) = (&view.title, view.problem.as_deref());
    context! { title, problem, texts, forms, nonce, project }
}

fn form_values(form: &Form) -> Value {
    let hidden: Vec<Value> =
        form.hidden.iter().map(|(name, value)| context! { name => *name, value }).collect();
    let inputs: Vec<Value> = form
        .inputs
        .iter()
        .map(|input| {
            let Input { name, label, kind, autocomplete } = *input;
            context! { name, label, kind, autocomplete }
        })
        .collect();
    let (action, button, is_minor) = (form.action, form.button, form.is_minor);
    context! { action, hidden, inputs, button, is_minor }
}

fn page(view: &View, nonce: &str, project: &str) -> Response {
    let rendered =
        TEMPLATES.get_template("page.html").and_then(|page| page.render(values(view, nonce, project)));
    let Ok(html) = rendered else {
        return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be shown.\n");
    };
    let mut response = Response::new(html.into());
    *response.status_mut() = view.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    protect(&mut response, &policy);
    response
}

/// Addresses of these pages hold codes: nobody keeps them, nobody is told of them, nobody frames them.
fn protect(response: &mut Response, policy: &str) {
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// The answer where not even the project can be read.
pub(super) fn unavailable(failure: &Failure) -> Response {
    let (status, text) = explain(failure);
    let mut response = reply::text(status, text);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_that_is_shown_becomes_markup() {
        let hostile = "\"><script>alert(1)</script>'&";
        let input = Input { name: "a", label: "A", kind: "text", autocomplete: "off" };
        let form = Form {
            action: "go",
            hidden: vec![("code", hostile.to_owned())],
            inputs: vec![input],
            button: "Go",
            is_minor: false,
        };
        let view = View::new(hostile, &[hostile]).with(form).after(&Failure::text(400, hostile));
        let response = page(&view, "nonce", hostile);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
        assert!(!html.contains("style=\"") && !html.contains(" on"), "no inline style or handler: {html}");
    }
}
