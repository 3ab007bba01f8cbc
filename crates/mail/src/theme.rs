//! The frames around the content of mails: three built-in ones, those of a project, or none. A theme is a template of
//! the language of `sandbox.rs` that writes `{{ content }}` somewhere.

use minijinja::{Value, context};

use crate::frame::Frame;
use crate::own_template::is_component;
use crate::sandbox::{self, Output, TemplateError};

/// The built-in themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuiltInTheme {
    /// Black on white.
    #[default]
    Light,
    /// White on black.
    Dark,
    /// Indigo.
    Colorful,
}

/// The frame around the content of a mail.
#[derive(Clone, Debug)]
pub enum Theme<'a> {
    /// A built-in one.
    BuiltIn(BuiltInTheme),
    /// One of the project: its source.
    Own(&'a str),
    /// None: the content in a bare document.
    Without,
}

/// Both schemes of colours are said in the styles: mail programs with a dark mode otherwise turn colours around.
const SOURCE: &str = include_str!("../templates/theme.html");
const BARE: &str = include_str!("../templates/bare.html");

/// Background, card, text, quiet text, button, text of the button, scheme.
const COLOURS: [[&str; 7]; 3] = [
    ["#f4f4f5", "#ffffff", "#18181b", "#63636b", "#18181b", "#ffffff", "light"],
    ["#09090b", "#1c1c20", "#f4f4f5", "#a9a9b2", "#f4f4f5", "#18181b", "dark"],
    ["#e0e7ff", "#ffffff", "#1e1b4b", "#565280", "#4f46e5", "#ffffff", "light"],
];

const NAMES: [&str; 7] = ["PAGE", "CARD", "TEXT", "QUIET", "BUTTON", "LABEL", "SCHEME"];

impl BuiltInTheme {
    /// Its source, as an administrator sees it: a good beginning of one's own.
    pub fn source(self) -> String {
        let colours = COLOURS[match self {
            Self::Light => 0,
            Self::Dark => 1,
            Self::Colorful => 2,
        }];
        let mut source = SOURCE.to_owned();
        for (name, colour) in NAMES.into_iter().zip(colours) {
            source = source.replace(&format!("${name}"), colour);
        }
        source
    }
}

/// Stands for the content. What values hold is escaped, so that none of them can look like it.
const PLACE: &str = "<content></content>";

impl Theme<'_> {
    /// Puts the content, HTML, into the theme.
    ///
    /// # Errors
    /// What is wrong with a theme of the project, or that the content did not come out of it.
    pub(crate) fn wrap(
        &self,
        frame: &Frame<'_>,
        subject: &str,
        content: &str,
    ) -> Result<String, TemplateError> {
        let built_in;
        let source = match self {
            Self::BuiltIn(theme) => {
                built_in = theme.source();
                &built_in
            }
            Self::Own(source) => *source,
            Self::Without => BARE,
        };
        // Filled in afterwards, so that a theme of the project has nothing long to work on.
        let values = context! {
            content => Value::from_safe_string(PLACE.to_owned()),
            subject => subject,
            ..frame.values()
        };
        let html = sandbox::render(source, Output::Html, &values)?;
        let places = html.matches(PLACE).count();
        if places == 0 {
            return Err(TemplateError::whole("the theme does not write {{ content }}"));
        }
        if html.len() + places * content.len() > sandbox::LONGEST_OUTPUT {
            return Err(TemplateError::too_long());
        }
        Ok(html.replace(PLACE, content))
    }
}

/// Tries a theme of a project with sample values. Components for React are let through, as by [`crate::check_template`].
///
/// # Errors
/// Where it is no template, and why.
pub fn check_theme(source: &str) -> Result<(), TemplateError> {
    if is_component(source) && source.len() <= sandbox::LONGEST_SOURCE {
        return Ok(());
    }
    let frame = Frame::sample();
    let values = context! { content => Value::from_safe_string("<p>…</p>".to_owned()), subject => "…", ..frame.values() };
    sandbox::render(source, Output::Html, &values).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_frames_the_content_and_says_who_writes() {
        let frame = Frame {
            logo_url: Some("https://a.example.com/logo.png?a=1&b=2"),
            unsubscribe_url: Some("https://b.example.com/?code=x"),
            ..Frame::sample()
        };
        let mut seen = Vec::new();
        for theme in [BuiltInTheme::Light, BuiltInTheme::Dark, BuiltInTheme::Colorful] {
            let html = Theme::BuiltIn(theme).wrap(&frame, "<subject>", "<p>Hi & bye</p>").unwrap();
            assert!(html.contains("<p>Hi & bye</p>") && html.contains("&lt;subject&gt;"), "{html}");
            assert!(html.contains("src=\"https://a.example.com/logo.png?a=1&amp;b=2\""), "{html}");
            assert!(html.contains("href=\"https://b.example.com/?code=x\""), "{html}");
            assert!(!html.contains('$'), "every colour is said: {html}");
            assert!(!seen.contains(&html), "each looks different");
            seen.push(html);
        }
    }

    #[test]
    fn without_logo_and_link_there_is_neither() {
        let html = Theme::BuiltIn(BuiltInTheme::Light).wrap(&Frame::sample(), "s", "<p>c</p>").unwrap();
        assert!(!html.contains("<img") && !html.contains("<a "), "{html}");
    }

    #[test]
    fn a_theme_of_ones_own_has_to_write_the_content() {
        let wrap = |source| Theme::Own(source).wrap(&Frame::sample(), "s", "<p>c</p>");
        assert_eq!(wrap("<b>{{ content }}</b> {{ project.displayName }}").unwrap(), "<b><p>c</p></b> Demo");
        assert!(wrap("<b>nothing</b>").unwrap_err().reason.contains("{{ content }}"));
        assert_eq!(wrap("a\n{% include 'x' %}").unwrap_err().line, Some(2));
        assert!(Theme::Without.wrap(&Frame::sample(), "s", "<p>c</p>").unwrap().contains("<p>c</p>"));
    }

    #[test]
    fn built_in_sources_can_be_saved_as_ones_own() {
        for theme in [BuiltInTheme::Light, BuiltInTheme::Dark, BuiltInTheme::Colorful] {
            check_theme(&theme.source()).unwrap();
        }
    }
}
