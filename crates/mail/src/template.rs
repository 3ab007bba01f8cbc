//! The built-in templates, compiled once. Those whose name ends in `.html` escape what is put into them.

use std::{fmt::Write as _, sync::LazyLock};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
};

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(escape);
    let sources = templates!["dev_mailbox.html", "notice.html", "notice.txt", "unsubscribed.html"];
    for (name, source) in sources {
        environment.add_template(name, source).expect("the built-in templates compile; a test renders each");
    }
    environment
});

/// Renders one template.
pub(crate) fn render(name: &str, values: &Value) -> Result<String, minijinja::Error> {
    TEMPLATES.get_template(name)?.render(values.clone())
}

/// Escapes text for element content and quoted attributes. The library's own escaping turns slashes into entities as
/// well, which makes links in the source of a mail unreadable. Nothing, null included, is written as nothing.
pub(crate) fn escape(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let (AutoEscape::Html, false, Some(text)) = (state.auto_escape(), value.is_safe(), value.as_str()) else {
        return escape_formatter(out, state, value);
    };
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#39;"),
            c => out.write_char(c),
        }
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "the output takes no more"))?;
    }
    Ok(())
}

/// Text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
