//! Templates of a project: the mails that its administrators write themselves.
//!
//! A source is what the mail says in HTML, in the language of `sandbox.rs`. Before it may stand lines `Subject:` and
//! `Category:`, and an empty line; behind it, after a line `=== text ===`, the same as plain text. Without that part the
//! text is made from the HTML.

use minijinja::{Value, context};
use serde_json::{Map, Value as Json};

use crate::frame::Frame;
use crate::plain_text;
use crate::sandbox::{self, Output, TemplateError};

/// The kinds of mail.
const CATEGORIES: [&str; 2] = ["Transactional", "Marketing"];
/// What divides HTML and text.
const DIVIDER: &str = "=== text ===";

/// A template of a project.
#[derive(Clone, Debug)]
pub struct OwnTemplate<'a> {
    /// Its source.
    pub source: &'a str,
    /// What it may show as `variables.NAME`.
    pub variables: &'a Map<String, Json>,
    /// The name of the user that the mail is for.
    pub user_name: Option<&'a str>,
    /// The address of that user.
    pub user_email: Option<&'a str>,
}

/// What a template wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The subject, if the template says one.
    pub subject: Option<String>,
    /// The name of the kind of mail, if the template says one.
    pub category: Option<String>,
    /// The content as a whole HTML document.
    pub html: String,
    /// The content as plain text.
    pub text: String,
}

/// The parts of a source.
#[derive(Debug, Default)]
struct Parts<'a> {
    subject: Option<(usize, &'a str)>,
    category: Option<&'a str>,
    /// How many lines stand above the HTML, and the HTML.
    html: (usize, &'a str),
    text: Option<(usize, &'a str)>,
}

impl OwnTemplate<'_> {
    /// Writes the mail, in the theme of the frame. `subject` replaces what the template says.
    ///
    /// # Errors
    /// What is wrong with the template or the theme, and where.
    pub fn write(&self, frame: &Frame<'_>, subject: Option<&str>) -> Result<Written, TemplateError> {
        if let Some(line) = component_line(self.source) {
            return Err(TemplateError::at(line, "this is a TSX component, which this server does not run"));
        }
        let parts = Parts::of(self.source)?;
        let values = self.values(frame);
        let subject = match (subject, parts.subject) {
            (Some(subject), _) => Some(subject.to_owned()),
            (None, Some((line, source))) => {
                let written = sandbox::render(source, Output::Text, &values);
                Some(written.map_err(|error| error.below(line - 1))?.trim().to_owned())
            }
            (None, None) => None,
        };
        let (above, source) = parts.html;
        let content = sandbox::render(source, Output::Html, &values).map_err(|error| error.below(above))?;
        let mut text = match parts.text {
            Some((above, source)) => {
                sandbox::render(source, Output::Text, &values).map_err(|error| error.below(above))?
            }
            None => plain_text::of_html(&content),
        };
        if let Some(url) = frame.unsubscribe_url {
            text = format!("{}\n\n-- \n{}: {url}\n", text.trim_end(), frame.text("unsubscribe", &[]));
        }
        let html = frame.wrap(subject.as_deref().unwrap_or(frame.project_name), content.trim())?;
        let category = parts.category.map(str::to_owned);
        Ok(Written { subject, category, html, text })
    }

    fn values(&self, frame: &Frame<'_>) -> Value {
        let user = context! { displayName => self.user_name, primaryEmail => self.user_email };
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), shown(value)));
        context! { variables => Value::from_pairs(variables), user => user, ..frame.values() }
    }
}

/// JSON as templates see it.
fn shown(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(word) => Value::from(*word),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(shown).collect(),
        Json::Object(object) => {
            Value::from_pairs(object.iter().map(|(name, value)| (name.as_str(), shown(value))))
        }
    }
}

impl<'a> Parts<'a> {
    fn of(source: &'a str) -> Result<Self, TemplateError> {
        let mut parts = Self::default();
        let mut rest = source;
        let mut above = 0;
        if header(source.lines().next().unwrap_or_default()).is_some() {
            while !rest.is_empty() {
                let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
                above += 1;
                rest = after;
                if line.trim().is_empty() {
                    break;
                }
                match header(line) {
                    Some(("subject", value)) => parts.subject = Some((above, value)),
                    Some((_, value)) if CATEGORIES.contains(&value) => parts.category = Some(value),
                    Some(_) => {
                        return Err(TemplateError::at(above, "the category is Transactional or Marketing"));
                    }
                    None => {
                        let reason = "only Subject: and Category: may stand above the empty line";
                        return Err(TemplateError::at(above, reason));
                    }
                }
            }
        }
        parts.html = (above, rest);
        let mut at = 0;
        for (index, line) in rest.split_inclusive('\n').enumerate() {
            if line.trim() == DIVIDER {
                parts.html.1 = &rest[..at];
                parts.text = Some((above + index + 1, &rest[at + line.len()..]));
                break;
            }
            at += line.len();
        }
        Ok(parts)
    }
}

/// Name and value of a line above the content.
fn header(line: &str) -> Option<(&'static str, &str)> {
    let (name, value) = line.split_once(':')?;
    let known = ["subject", "category"].into_iter().find(|known| name.trim().eq_ignore_ascii_case(known))?;
    Some((known, value.trim()))
}

/// Whether a source is a component for React, as Stack Auth's templates and themes are, and no template of ours.
pub fn is_component(source: &str) -> bool {
    component_line(source).is_some()
}

/// The line that shows that a source is a component for React: Stack Auth's templates are.
fn component_line(source: &str) -> Option<usize> {
    if header(source.lines().next().unwrap_or_default()).is_some() {
        return None;
    }
    let is_component = |line: &str| {
        let line = line.trim_start();
        line.starts_with("export function ")
            || line.starts_with("export const ")
            || line.starts_with("export default ")
            || line.starts_with("import ") && line.contains(" from ")
    };
    source.lines().position(is_component).map(|index| index + 1)
}

/// Tries a template of a project with sample values. Components for React are let through: they are kept for the tools
/// that wrote them, and not run.
///
/// # Errors
/// Where it is no template, and why.
pub fn check_template(source: &str) -> Result<(), TemplateError> {
    if source.len() > sandbox::LONGEST_SOURCE {
        let reason = format!("a template holds at most {} bytes", sandbox::LONGEST_SOURCE);
        return Err(TemplateError::whole(reason));
    }
    if component_line(source).is_some() {
        return Ok(());
    }
    let variables = [
        "magicLink",
        "emailVerificationLink",
        "passwordResetLink",
        "teamInvitationLink",
        "signInInvitationLink",
    ];
    let mut samples: Map<String, Json> = variables
        .iter()
        .map(|name| ((*name).to_owned(), Json::from("https://example.com/?code=abc")))
        .collect();
    samples.insert("otp".to_owned(), Json::from("ABC123"));
    samples.insert("teamDisplayName".to_owned(), Json::from("Engineering"));
    let template = OwnTemplate {
        source,
        variables: &samples,
        user_name: Some("Ada Lovelace"),
        user_email: Some("ada@example.com"),
    };
    template.write(&Frame::sample(), None).map(|_| ())
}

/// The kind of mail that a template says it is.
pub fn category(source: &str) -> Option<String> {
    Parts::of(source).ok()?.category.map(str::to_owned)
}

/// A source that writes this HTML as it is.
pub fn as_template(html: &str) -> String {
    // The empty line keeps a first line with a colon from being taken for a subject.
    let mut source = String::from("Subject:\n\n");
    let mut rest = html;
    while let Some(at) = rest.find('{') {
        source.push_str(&rest[..at]);
        source.push_str("{{ '{' }}");
        rest = &rest[at + 1..];
    }
    source.push_str(rest);
    source.replace(DIVIDER, "=== text&#32;===")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::theme::Theme;

    fn write(source: &str, variables: Json) -> Result<Written, TemplateError> {
        let Json::Object(variables) = variables else { panic!("an object") };
        let template = OwnTemplate {
            source,
            variables: &variables,
            user_name: Some("<b>Ada</b>"),
            user_email: Some("ada@example.com"),
        };
        template.write(&Frame::sample(), None)
    }

    #[test]
    fn a_template_says_subject_category_html_and_text() {
        let source = "Subject: Hi {{ user.displayName }}\ncategory: Marketing\n\n<p>{{ variables.n }} {{ user.displayName }}</p>\n\
            === text ===\n{{ variables.n }} for {{ user.displayName }} at {{ project.displayName }}\n";
        let written = write(source, json!({ "n": 7 })).unwrap();
        assert_eq!(written.subject.as_deref(), Some("Hi <b>Ada</b>"), "no HTML, and so not escaped");
        assert_eq!(written.category.as_deref(), Some("Marketing"));
        assert!(written.html.contains("<p>7 &lt;b&gt;Ada&lt;/b&gt;</p>"), "{}", written.html);
        assert_eq!(written.text.trim(), "7 for <b>Ada</b> at Demo");
    }

    #[test]
    fn without_those_lines_it_is_html_and_the_text_is_made_from_it() {
        let written = write("<p>Hello: <b>you</b></p>", json!({})).unwrap();
        assert_eq!((written.subject, written.category), (None, None));
        assert_eq!(written.text, "Hello: you");
        let written = write("", json!({})).unwrap();
        assert_eq!(written.text, "");
    }

    #[test]
    fn errors_count_lines_from_the_top() {
        let line = |source: &str| write(source, json!({})).unwrap_err().line;
        assert_eq!(line("Subject: {{ x|nope }}\n\n<p>"), Some(1));
        assert_eq!(line("Category: Marketing\nSubject: {{ x|nope }}\n\n<p>"), Some(2));
        assert_eq!(line("Subject: a\n\n<p>\n{{ x|nope }}"), Some(4));
        assert_eq!(line("Subject: a\n\n<p>\n=== text ===\na\n{% set x = 1 %}"), Some(6));
        assert_eq!(line("Subject: a\nBcc: x@evil.com\n\n<p>"), Some(2));
        assert_eq!(line("a\n{{ x|nope }}"), Some(2));
    }

    #[test]
    fn variables_are_no_templates() {
        let written = write("{{ variables.a }}", json!({ "a": "{{ user.displayName }}<script>" })).unwrap();
        assert!(written.html.contains("{{ user.displayName }}&lt;script&gt;"), "{}", written.html);
    }

    #[test]
    fn components_are_kept_and_not_sent() {
        let source =
            "import { Subject } from \"@stackframe/emails\";\nexport function EmailTemplate({ user }) {\n}";
        check_template(source).unwrap();
        let error = write(source, json!({})).unwrap_err();
        assert_eq!(error.line, Some(1));
        assert!(error.reason.contains("TSX"), "{error}");
    }

    #[test]
    fn any_html_goes_out_as_it_is() {
        for html in [
            "<p>Hi</p>",
            "Subject: not one\n<p>x</p>",
            "{{ user.displayName }} {% if %} {# x",
            "{{{{ '}}' }}",
            "a { b } c",
            "export function of(it) { import a from b }",
        ] {
            let source = as_template(html);
            let written = write(&source, json!({}));
            let written = written.unwrap();
            assert!(written.html.contains(html), "{html}: {}", written.html);
            assert_eq!(written.subject.as_deref(), Some(""));
        }
        let written = write(&as_template("a\n=== text ===\nb"), json!({})).unwrap();
        assert!(written.text.contains('a') && written.text.contains('b'), "{}", written.text);
    }

    #[test]
    fn a_mail_that_can_be_ended_says_how_in_both_forms() {
        let frame = Frame { unsubscribe_url: Some("https://a.example.com/?code=x"), ..Frame::sample() };
        let none = Map::new();
        let template =
            OwnTemplate { source: "<p>Hi</p>", variables: &none, user_name: None, user_email: None };
        for theme in [Theme::BuiltIn(crate::BuiltInTheme::Light), Theme::Without] {
            let written = template.write(&Frame { theme, ..frame.clone() }, Some("s")).unwrap();
            assert!(written.text.contains("https://a.example.com/?code=x"), "{}", written.text);
            assert!(written.html.contains("href=\"https://a.example.com/?code=x\""), "{}", written.html);
        }
    }
}
