//! Pages that belong to mails.

use latchkey_api_types::Locale;
use minijinja::context;

use crate::catalogue;
use crate::template;

/// The page behind an unsubscribe link: a complete HTML document without scripts, styles or pictures.
pub fn unsubscribed_page(locale: Locale, project_name: &str) -> String {
    let text =
        |part: &str| catalogue::text(locale, &format!("unsubscribed.{part}"), &[("project", project_name)]);
    let values = context! {
        locale => locale.tag(), heading => text("heading"), body => text("body"), again => text("again"),
    };
    template::render("unsubscribed.html", &values)
        .expect("the template uses only what it is given; a test renders it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_exists_in_every_language_and_runs_nothing() {
        for locale in Locale::ALL {
            let page = unsubscribed_page(locale, "<script>alert(1)</script>");
            assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
            assert!(page.contains(&format!("lang=\"{locale}\"")), "{page}");
        }
    }
}
