//! The plain text of a mail whose author wrote only HTML. Good enough to be read, not a browser: blocks become
//! paragraphs, list items get a dash, links are followed by their address.

/// Elements that nobody sees.
const HIDDEN: [&str; 4] = ["head", "style", "script", "title"];
/// Elements that stand on lines of their own, and how many line ends they need around them.
const BLOCKS: [(&str, usize); 21] = [
    ("p", 2),
    ("div", 1),
    ("h1", 2),
    ("h2", 2),
    ("h3", 2),
    ("h4", 2),
    ("h5", 2),
    ("h6", 2),
    ("ul", 2),
    ("ol", 2),
    ("li", 1),
    ("table", 2),
    ("tr", 1),
    ("blockquote", 2),
    ("pre", 2),
    ("hr", 2),
    ("section", 2),
    ("article", 2),
    ("header", 2),
    ("footer", 2),
    ("body", 1),
];

/// What HTML says, as text. Takes time in proportion to its length, whatever it is.
pub(crate) fn of_html(html: &str) -> String {
    let mut writer = Writer::default();
    let mut links: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        writer.text(&rest[..open]);
        rest = &rest[open..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            writer.text("<");
            rest = &rest[1..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[1..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if !closing && HIDDEN.contains(&name.as_str()) && !tag.ends_with('/') {
            rest = behind_closing(rest, &name);
            continue;
        }
        if let Some((_, lines)) = BLOCKS.iter().find(|(block, _)| *block == name) {
            writer.break_line(*lines);
        }
        match (name.as_str(), closing) {
            ("br", _) => writer.line_end(),
            ("li", false) => writer.text("- "),
            ("td" | "th", true) => writer.text(" "),
            ("a", false) => links.push(attribute(tag, "href").unwrap_or_default()),
            ("a", true) => {
                if let Some(link) =
                    links.pop().filter(|link| link.starts_with("http") || link.starts_with("mailto:"))
                {
                    writer.link(&link);
                }
            }
            _ => {}
        }
    }
    writer.text(rest);
    writer.out.trim().to_owned()
}

/// Where a tag ends: the first `>` outside of quotes, or the end of everything.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// What follows the closing tag of an element.
fn behind_closing<'t>(text: &'t str, name: &str) -> &'t str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
    }
    ""
}

/// The value of an attribute, without entities.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find(&format!(" {name}="))? + name.len() + 2;
    let value = tag.get(at..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace() || c == '>').next()?,
    };
    Some(decoded(value.trim()))
}

/// Text with its entities as characters.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest that is known has eight characters.
        let name = rest[1..].bytes().take(10).position(|byte| byte == b';').map(|end| &rest[1..=end]);
        if let Some((name, c)) = name.and_then(|name| Some((name, entity(name)?))) {
            out.push(c);
            rest = &rest[name.len() + 2..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "copy" => '©',
        "euro" => '€',
        "middot" => '·',
        _ => return None,
    })
}

/// Collects text: runs of white space become one space.
#[derive(Default)]
struct Writer {
    out: String,
    /// Whether white space came since the last character.
    space: bool,
}

impl Writer {
    fn text(&mut self, html: &str) {
        for c in decoded(html).chars() {
            if c.is_whitespace() {
                self.space = true;
                continue;
            }
            if self.space && !self.out.is_empty() && !self.out.ends_with('\n') {
                self.out.push(' ');
            }
            self.space = false;
            self.out.push(c);
        }
        // A dash in front of a list item keeps its space.
        if html.ends_with(' ') {
            self.space = true;
        }
    }

    fn link(&mut self, link: &str) {
        if !self.out.ends_with(link) {
            self.space = true;
            self.text(&format!("({})", link.replace('&', "&amp;")));
        }
    }

    fn line_end(&mut self) {
        self.space = false;
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Makes sure that the text ends with so many line ends.
    fn break_line(&mut self, lines: usize) {
        self.space = false;
        let there = self.out.len() - self.out.trim_end_matches('\n').len();
        if !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', lines.saturating_sub(there)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_and_links_can_be_read() {
        let html = "<!doctype html><html><head><title>T</title><style>p { color: red }</style></head><body>\
            <h1>Hello,\n  <b>Ada</b>!</h1><p>One&nbsp;&amp; two<br>three</p><!-- <p>no</p> -->\
            <ul><li>a</li><li>b</li></ul><p>Go <a class=\"button\" href=\"https://a.example.com/?x=1&amp;y=2\">there</a>.</p>\
            <a href='https://b.example.com/'>https://b.example.com/</a></body></html>";
        let expected = "Hello, Ada!\n\nOne & two\nthree\n\n- a\n- b\n\nGo there (https://a.example.com/?x=1&y=2).\n\n\
            https://b.example.com/";
        assert_eq!(of_html(html), expected);
    }

    #[test]
    fn what_is_no_html_stays_text() {
        assert_eq!(
            of_html("1 < 2 & 3 > 2 &unknown; &#0; &#x1F600;"),
            "1 < 2 & 3 > 2 &unknown; &#0; \u{1f600}"
        );
        assert_eq!(of_html("<p>unclosed <b"), "unclosed");
        assert_eq!(of_html("<script>alert(1)"), "");
        assert_eq!(of_html("&amp;lt;b&amp;gt;"), "&lt;b&gt;", "decoded once");
        assert_eq!(of_html("é < ü <é> &é;"), "é < ü <é> &é;");
        assert_eq!(of_html("<a href=\"javascript:alert(1)\">x</a></a></li>"), "x");
    }

    #[test]
    fn hostile_html_takes_no_longer_than_its_length() {
        for part in ["<", "<a ", "</", "<!--", "&", "<script>", "<a href=\"", "<p>", "</script", "<li>", "\n"]
        {
            let html = part.repeat(100_000);
            assert!(of_html(&html).len() <= 4 * html.len());
        }
    }
}
