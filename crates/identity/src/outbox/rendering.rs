//! Rendering: what a mail says, made of its source.

use latchkey_mail::Content;
use latchkey_storage::users::UserRow;

use super::Mail;
use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;

/// Why there is no content.
pub(crate) enum NotRendered {
    /// The source does not render; the words are for its author.
    Error(String),
    /// Something else broke; rendering may be tried again.
    #[expect(dead_code, reason = "rendering reads nothing yet")]
    Failure(Failure),
}

/// Renders a mail for its reader.
///
/// # Errors
/// [`NotRendered`].
pub(crate) async fn render(
    _app: &App,
    _project: &Project,
    _user: Option<&UserRow>,
    _mail: &Mail,
) -> Result<Content, NotRendered> {
    Err(NotRendered::Error("Mails from sources of their own cannot be rendered yet.".to_owned()))
}
