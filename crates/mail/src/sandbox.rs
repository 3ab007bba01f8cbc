//! Templates that come from a project's administrators: who may write one need not be trusted by the deployment.
//!
//! The language is a small part of Jinja: `{{ value }}`, `{% if %}`, `{% for %}`, comments, and a list of filters.
//! What is left out is what could make much out of little: a few lines that join a text to itself, again and again,
//! fill the memory without ever writing anything, and no limit on steps or on output notices. What remains is bounded
//! by its source, its values, a number of steps and the length of the output. There are no includes, no functions and
//! no other files.

use std::io;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, filters};

use crate::template;

/// The longest source, bytes.
pub const LONGEST_SOURCE: usize = 128 * 1024;
/// The longest output, bytes: larger mails are cut off by those who show them.
pub const LONGEST_OUTPUT: usize = 512 * 1024;
/// How many bytes all steps of a template together may look at. Each may go through the longest text from end to end, so
/// that there are the fewer steps the longer it is.
const WORK: usize = 32 * 1024 * 1024;

/// The longest tag, bytes: an expression is read by recursion.
const LONGEST_TAG: usize = 1000;
/// How deep conditions and loops may stand in each other.
const DEEPEST: usize = 32;

/// What a template may say after `{%`.
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// Why a template cannot be used: prints as `line 3: unknown filter: filter xyz is unknown`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TemplateError {
    /// The line in the source, from 1, if one is to blame.
    pub line: Option<usize>,
    /// What is wrong with it, one line. May quote the source.
    pub reason: String,
}

impl TemplateError {
    pub(crate) fn at(line: usize, reason: impl Into<String>) -> Self {
        Self { line: Some(line), reason: reason.into() }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self { line: None, reason: reason.into() }
    }

    pub(crate) fn too_long() -> Self {
        Self::whole(format!("the mail becomes longer than {LONGEST_OUTPUT} bytes"))
    }

    /// The same, with lines counted from further above.
    pub(crate) fn below(mut self, lines: usize) -> Self {
        self.line = self.line.map(|line| line + lines);
        self
    }

    fn from_engine(error: &minijinja::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::OutOfFuel => "the template takes too many steps".to_owned(),
            ErrorKind::WriteFailure => return Self::too_long(),
            kind => match error.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            },
        };
        Self { line: error.line(), reason: reason.replace(['\r', '\n'], " ") }
    }
}

/// What a template writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// HTML: values are escaped.
    Html,
    /// Plain text: values are as they are.
    Text,
}

/// Renders a source with values.
pub(crate) fn render(source: &str, output: Output, values: &Value) -> Result<String, TemplateError> {
    if source.len() > LONGEST_SOURCE {
        return Err(TemplateError::whole(format!("a template holds at most {LONGEST_SOURCE} bytes")));
    }
    check_language(source)?;
    let mut environment = environment(output);
    let steps = WORK / longest(values).max(LONGEST_TAG);
    environment.set_fuel(Some(u64::try_from(steps).unwrap_or(u64::MAX)));
    let template =
        environment.template_from_str(source).map_err(|error| TemplateError::from_engine(&error))?;
    let mut written = Limited(Vec::new());
    template
        .render_captured_to(values.clone(), &mut written)
        .map_err(|error| TemplateError::from_engine(&error))?;
    String::from_utf8(written.0).map_err(|_| TemplateError::whole("the output is not text"))
}

/// The length of the longest text or list in a value.
fn longest(value: &Value) -> usize {
    if let Some(text) = value.as_str() {
        return text.len();
    }
    let is_map = value.kind() == ValueKind::Map;
    let inside = value.try_iter().into_iter().flatten().map(|item| {
        let held = if is_map { value.get_item(&item).map_or(0, |held| longest(&held)) } else { 0 };
        longest(&item).max(held)
    });
    inside.fold(value.len().unwrap_or(0), usize::max)
}

fn environment(output: Output) -> Environment<'static> {
    let mut environment = Environment::empty();
    // A missing value is an empty text, as a template cannot know what every caller will send.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_formatter(template::escape);
    environment.set_auto_escape_callback(move |_| match output {
        Output::Html => AutoEscape::Html,
        Output::Text => AutoEscape::None,
    });
    environment.add_filter("safe", filters::safe);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("round", filters::round);
    environment
}

/// Refuses whatever is not in the language. Where a tag ends is decided as strictly as the engine could decide it, so
/// that nothing is text here and code there.
fn check_language(source: &str) -> Result<(), TemplateError> {
    let bytes = source.as_bytes();
    let line_of = |at: usize| source[..at].matches('\n').count() + 1;
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(found) = source[at..].find('{') {
        let open = at + found;
        at = open + 1;
        match bytes.get(open + 1) {
            Some(b'#') => {
                let end = source[open..].find("#}");
                at = open + end.ok_or_else(|| TemplateError::at(line_of(open), "a comment has no end"))? + 2;
            }
            Some(b'{') => {
                at = inside(source, open + 2, b'}').map_err(|(at, why)| refused(line_of(at), why))?;
            }
            Some(b'%') => {
                let tag = source[open + 2..].trim_start_matches(['-', '+']).trim_start();
                let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tag.len());
                if !TAGS.contains(&&tag[..end]) {
                    let known = TAGS.join(", ");
                    let word: String = tag[..end].chars().take(40).collect();
                    return Err(refused(line_of(open), &format!("{{% {word} %}}, only {known}")));
                }
                match &tag[..end] {
                    "if" | "for" => depth += 1,
                    "endif" | "endfor" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth > DEEPEST {
                    return Err(refused(
                        line_of(open),
                        "conditions and loops that stand so deep in each other",
                    ));
                }
                at = inside(source, open + 2, b'%').map_err(|(at, why)| refused(line_of(at), why))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused(line: usize, what: &str) -> TemplateError {
    TemplateError::at(line, format!("templates of mails know no {what}"))
}

/// Walks through a tag up to its end, which is `close` and `}`; gives the place behind it, or where something is that
/// the language does not have.
fn inside(source: &str, start: usize, close: u8) -> Result<usize, (usize, &'static str)> {
    let bytes = source.as_bytes();
    let mut depth = 0_i32;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        if at - start > LONGEST_TAG {
            return Err((start, "tags of more than a thousand bytes"));
        }
        match byte {
            b'"' | b'\'' => {
                let mut end = at + 1;
                loop {
                    match bytes.get(end) {
                        None => return Err((at, "text without a closing quote")),
                        Some(b'\\') => end += 2,
                        Some(other) if *other == byte => break,
                        Some(_) => end += 1,
                    }
                }
                at = end;
            }
            b'}' | b'%' if depth == 0 && byte == close && bytes.get(at + 1) == Some(&b'}') => {
                return Ok(at + 2);
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' | b'}' => return Err((at, "braces inside a tag")),
            b'~' | b'+' | b'*' | b'%' => return Err((at, "operators that join or multiply (~ + * %)")),
            b'r' if source[at..].starts_with("recursive") => return Err((at, "recursive loops")),
            _ => {}
        }
        at += 1;
    }
    Err((start, "tag without an end"))
}

/// Takes so much and no more.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_OUTPUT {
            return Err(io::Error::other("the output is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn html(source: &str) -> Result<String, TemplateError> {
        let values = context! {
            user => context! { displayName => "<b>Ada</b> & 'co'" },
            items => vec![1, 2, 3],
            none => (),
        };
        render(source, Output::Html, &values)
    }

    #[track_caller]
    fn refuses(source: &str) -> TemplateError {
        html(source).expect_err(source)
    }

    #[test]
    fn values_are_escaped_in_html_and_not_in_text() {
        let source = "<p title=\"{{ user.displayName }}\">{{ user.displayName|upper }}</p>";
        let escaped = "<p title=\"&lt;b&gt;Ada&lt;/b&gt; &amp; &#39;co&#39;\">&lt;B&gt;ADA&lt;/B&gt; &amp; &#39;CO&#39;</p>";
        assert_eq!(html(source).unwrap(), escaped);
        let values = context! { name => "<b>" };
        assert_eq!(render("Hi {{ name }}", Output::Text, &values).unwrap(), "Hi <b>");
        assert_eq!(html("{{ user.displayName|safe }}").unwrap(), "<b>Ada</b> & 'co'", "on request");
    }

    #[test]
    fn what_is_missing_or_null_is_empty() {
        assert_eq!(
            html("[{{ none }}{{ missing }}{{ missing.deeper.still }}{{ none|default('x') }}]").unwrap(),
            "[]"
        );
        assert_eq!(html("{{ missing|default('nobody') }}").unwrap(), "nobody");
    }

    #[test]
    fn conditions_and_loops_work() {
        let source =
            "{% for item in items %}{% if item > 1 %}{{ item }}{% else %}-{% endif %}{% endfor %}{# note #}";
        assert_eq!(html(source).unwrap(), "-23");
        assert_eq!(html("{ { a } } } {").unwrap(), "{ { a } } } {");
        assert_eq!(html("{{ '{{' }} {{ \"}} ~ %}\" }}").unwrap(), "{{ }} ~ %}");
    }

    #[test]
    fn loops_end_when_the_steps_are_used_up() {
        let nested = "{% for a in items %}".repeat(12) + "x" + &"{% endfor %}".repeat(12);
        assert_eq!(refuses(&nested).reason, "the template takes too many steps");
        let many: Vec<u32> = (0..1000).collect();
        let values = context! { many };
        let squares = "{% for a in many %}{% for b in many %}{{ b }}{% endfor %}{% endfor %}";
        assert!(render(squares, Output::Html, &values).is_err());
    }

    #[test]
    fn steps_are_fewer_where_values_are_long() {
        let loops = "{% for a in many %}{% if text|title|length %}{% endif %}{% endfor %}";
        let render = |text: String| {
            let values =
                context! { nested => vec![context! { text => text.clone() }], text, many => vec![0; 1000] };
            render(loops, Output::Html, &values)
        };
        assert_eq!(render("x".repeat(1000)).unwrap(), "");
        assert_eq!(render("x".repeat(100_000)).unwrap_err().reason, "the template takes too many steps");
        let hidden = context! { nested => vec![context! { text => "x".repeat(100_000) }] };
        assert_eq!(longest(&hidden), 100_000);
        assert_eq!(longest(&context! { many => vec![0; 30] }), 30);
    }

    #[test]
    fn the_output_has_an_end() {
        let values = context! { long => "x".repeat(10_000), many => vec![0; 1000] };
        let error = render("{% for a in many %}{{ long }}{% endfor %}", Output::Html, &values).unwrap_err();
        assert!(error.reason.contains("longer than"), "{error}");
    }

    #[test]
    fn nothing_can_make_much_out_of_little() {
        for source in [
            "{% set a = 'x' %}",
            "{% set a %}x{% endset %}",
            "{% with a = 'x' %}{{ a }}{% endwith %}",
            "{% macro m() %}x{% endmacro %}",
            "{% filter upper %}x{% endfilter %}",
            "{% raw %}{{ a ~ a }}{% endraw %}",
            "{%- raw -%}x{% endraw %}",
            "{% autoescape false %}x{% endautoescape %}",
            "{% for a in items recursive %}{{ loop(items) }}{% endfor %}",
            "{{ 'x' * 1000000 }}",
            "{{ 'x' ~ 'x' }}",
            "{{ items + items }}",
            "{{ ( }} ~ 'x' ) }}",
            "{{ [ '}}', 'x' ~ 'x' ] }}",
            "{{ {'a': {'b': 'x' ~ 'x'}} }}",
            "{{ 'a\\'}}' ~ 'x' }}",
            "{{ 7 % 2 }}",
            "{{ 'x'|replace('x', 'xxxxxxxx') }}",
            "{{ items|join('x') }}",
            "{{ items|map('upper') }}",
            "{{ 'x'|indent(1000000) }}",
            "{{ '%1000000s'|format('x') }}",
        ] {
            refuses(source);
        }
    }

    #[test]
    fn there_is_nothing_to_include_or_to_call() {
        for source in [
            "{% include 'layout.html' %}",
            "{% extends 'layout.html' %}",
            "{% import 'x' as y %}",
            "{% from 'x' import y %}",
            "{% block a %}{% endblock %}",
            "{% do x() %}",
            "{{ range(100000) }}",
            "{{ dict(a=1) }}",
            "{{ namespace() }}",
            "{{ debug() }}",
            "{{ user.displayName.upper() }}",
            "{{ user|pprint }}",
            "{{ user|tojson }}",
        ] {
            refuses(source);
        }
    }

    #[test]
    fn an_error_names_line_and_reason_on_one_line() {
        let error = refuses("<p>\n\n{{ user.displayName|shout }}</p>");
        assert_eq!(error.line, Some(3));
        assert!(error.to_string().starts_with("line 3: unknown filter"), "{error}");
        assert_eq!(refuses("a\n{% set x = 1 %}").line, Some(2));
        assert_eq!(refuses("a\n{{ user.\n}}").line, Some(3));
        assert_eq!(refuses("x\n{% if user %}").line, Some(2));
        assert_eq!(refuses("\n{{ 'open }}").line, Some(2));
        assert_eq!(refuses("\n{# open").line, Some(2));
        assert!(!refuses("{{ '\n' | x\r\n }}").to_string().contains(['\r', '\n']));
        assert_eq!(refuses(&"x".repeat(LONGEST_SOURCE + 1)).line, None);
    }

    #[test]
    fn deep_nesting_ends_in_an_error() {
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        refuses(&deep);
        let deep = format!("{}x{}", "{% if user %}".repeat(3000), "{% endif %}".repeat(3000));
        refuses(&deep);
        refuses(&format!("{{{{ {}x }}}}", "not ".repeat(20_000)));
        refuses(&format!("{{{{ {}1 }}}}", "-".repeat(20_000)));
    }
}
