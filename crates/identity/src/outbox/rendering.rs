//! Rendering: what a mail says, made of its source when it leaves.

use latchkey_mail::{Content, OwnTemplate};
use latchkey_storage::users::UserRow;

use super::Mail;
use crate::app::App;
use crate::email_themes;
use crate::emails::unsubscribe_url;
use crate::failure::Failure;
use crate::projects::Project;
use crate::system_mails;

/// Why there is no content.
pub(crate) enum NotRendered {
    /// The source does not render; the words are for its author.
    Error(String),
    /// Something else broke; rendering may be tried again.
    Failure(Failure),
}

/// Renders a mail for its reader, in their language, with a link of their own by which they end mail of its kind.
///
/// # Errors
/// [`NotRendered`].
pub(crate) async fn render(
    app: &App,
    project: &Project,
    user: Option<&UserRow>,
    mail: &Mail,
) -> Result<Content, NotRendered> {
    let unsubscribe_url = match user {
        Some(user) => {
            unsubscribe_url(app, project, user.id, mail.category).await.map_err(NotRendered::Failure)?
        }
        None => None,
    };
    let locale = system_mails::locale(app, project, user, None);
    let theme = email_themes::stored(project, mail.theme_id.as_deref());
    let mut frame = email_themes::frame(project, theme, locale);
    frame.unsubscribe_url = unsubscribe_url.as_deref();
    let template = OwnTemplate {
        source: &mail.source,
        variables: &mail.variables,
        user_name: user.and_then(|user| user.display_name.as_deref()),
        user_email: user.and_then(|user| user.primary_email.as_deref()),
    };
    let written = template
        .write(&frame, mail.subject.as_deref())
        .map_err(|error| NotRendered::Error(error.to_string()))?;
    let subject = written.subject.filter(|subject| !subject.trim().is_empty());
    Ok(Content {
        subject: subject.unwrap_or_else(|| project.display_name.clone()),
        text: written.text,
        html: written.html,
        unsubscribe_url,
    })
}
