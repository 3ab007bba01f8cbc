//! What all mails of a project have in common: who writes, in which language, and the theme around it.

use latchkey_api_types::Locale;
use minijinja::{Value, context};

use crate::catalogue;
use crate::sandbox::TemplateError;
use crate::theme::{BuiltInTheme, Theme};

/// Who writes, in which language, and what it looks like.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The project's display name.
    pub project_name: &'a str,
    /// The project's logo, an `https` URL: mail programs load nothing else.
    pub logo_url: Option<&'a str>,
    /// The language of built-in texts.
    pub locale: Locale,
    /// The frame around the content.
    pub theme: Theme<'a>,
    /// Where the recipient gets no more mails of this kind; for kinds of which that is possible.
    pub unsubscribe_url: Option<&'a str>,
}

impl Frame<'_> {
    /// A plain one, to try templates in.
    pub(crate) fn sample() -> Self {
        Self {
            project_name: "Demo",
            logo_url: None,
            locale: Locale::En,
            theme: Theme::BuiltIn(BuiltInTheme::Light),
            unsubscribe_url: None,
        }
    }

    /// What templates and themes may show of it.
    pub(crate) fn values(&self) -> Value {
        context! {
            project => context! { displayName => self.project_name, logoUrl => self.logo_url },
            locale => self.locale.tag(),
            unsubscribeLink => self.unsubscribe_url,
            unsubscribeText => self.text("unsubscribe", &[]),
        }
    }

    /// A built-in text in the language of the mail.
    pub(crate) fn text(&self, key: &str, values: &[(&str, &str)]) -> String {
        catalogue::text(self.locale, key, values)
    }

    /// Puts content, HTML, into the theme.
    pub(crate) fn wrap(&self, subject: &str, content: &str) -> Result<String, TemplateError> {
        self.theme.wrap(self, subject, content)
    }

    /// The same, for mails that must go out: a theme of the project that does not work is replaced by the default one.
    pub(crate) fn wrap_anyway(&self, subject: &str, content: &str) -> Result<String, TemplateError> {
        match self.wrap(subject, content) {
            Err(_) if matches!(self.theme, Theme::Own(_)) => {
                Theme::BuiltIn(BuiltInTheme::Light).wrap(self, subject, content)
            }
            outcome => outcome,
        }
    }
}
