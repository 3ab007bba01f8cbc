//! The mails that the server sends on its own: what each says, in which language, and whether the project says it in
//! words of its own. Each function gives the statement that queues the mail, for the batch of whatever causes it.
//!
//! These mails let people in, so that they always go out: a template of the project that fails, or that loses the link,
//! is replaced by the built-in one.

use latchkey_api_types::Locale;
use latchkey_config::settings::BUILT_IN_TEMPLATES;
use latchkey_mail::{
    ApiKeyRevoked, BuiltInMail, EmailVerification, Frame, MagicLink, Message, MessageError, OwnTemplate,
    PasswordReset, SignInInvitation, TeamInvitation,
};
use latchkey_storage::engine::Stmt;
use latchkey_storage::users::UserRow;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::email_themes;
use crate::failure::Failure;
use crate::outbox::{self, Mail, Recipient};
use crate::projects::Project;

/// The built-in mails in the order of [`BUILT_IN_TEMPLATES`].
const MAILS: [BuiltInMail; 5] = [
    BuiltInMail::EmailVerification,
    BuiltInMail::PasswordReset,
    BuiltInMail::MagicLink,
    BuiltInMail::TeamInvitation,
    BuiltInMail::SignInInvitation,
];

/// Whom a mail goes to.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    /// The address.
    pub(crate) address: &'a str,
    /// The user, where the mail is about one and the caller has read them.
    pub(crate) user: Option<&'a UserRow>,
    /// The language that the request asks for, which caused the mail.
    pub(crate) accepted: Option<Locale>,
}

impl To<'_> {
    /// The same for the outbox.
    fn recipient(&self) -> Recipient {
        match self.user {
            Some(user) => Recipient::address_of(user.id, self.address),
            None => Recipient::address(self.address),
        }
    }
}

/// The language of a mail: what the user's metadata say under `locale`, else what the request accepts, else the
/// project's, else the deployment's.
pub(crate) fn locale(
    app: &App,
    project: &Project,
    user: Option<&UserRow>,
    accepted: Option<Locale>,
) -> Locale {
    user.and_then(chosen)
        .or(accepted)
        .or(project.settings.latchkey.mail_locale)
        .unwrap_or(app.config.mail.locale)
}

/// The language that a user's metadata name. What servers say about a user weighs more than what clients say.
fn chosen(user: &UserRow) -> Option<Locale> {
    let metadata = [&user.server_metadata, &user.client_read_only_metadata, &user.client_metadata];
    metadata.into_iter().flatten().find_map(|json| {
        // Most metadata say nothing about it, and need not be parsed.
        let value: Value = json.contains("\"locale\"").then(|| serde_json::from_str(json).ok())??;
        Locale::of_tag(value.get("locale")?.as_str()?)
    })
}

/// The built-in mail of a template id; `None` if it is none.
pub(crate) fn built_in(template: &str) -> Option<BuiltInMail> {
    BUILT_IN_TEMPLATES.iter().position(|(id, _)| *id == template).map(|index| MAILS[index])
}

/// A link to verify an address.
pub(crate) fn email_verification(
    app: &App,
    project: &Project,
    to: &To<'_>,
    link: &str,
) -> Result<Stmt, Failure> {
    send(app, project, to, BuiltInMail::EmailVerification, link, json!({}), |frame, from| {
        EmailVerification { link }.to_message(frame, to.address, from)
    })
}

/// A link to sign in, and the six characters of its code that a person may type instead, in upper case.
pub(crate) fn magic_link(
    app: &App,
    project: &Project,
    to: &To<'_>,
    link: &str,
    otp: &str,
) -> Result<Stmt, Failure> {
    send(app, project, to, BuiltInMail::MagicLink, link, json!({ "otp": otp }), |frame, from| {
        MagicLink { link, otp }.to_message(frame, to.address, from)
    })
}

/// A link to choose another password.
pub(crate) fn password_reset(app: &App, project: &Project, to: &To<'_>, link: &str) -> Result<Stmt, Failure> {
    send(app, project, to, BuiltInMail::PasswordReset, link, json!({}), |frame, from| {
        PasswordReset { link }.to_message(frame, to.address, from)
    })
}

/// An invitation to a team.
pub(crate) fn team_invitation(
    app: &App,
    project: &Project,
    to: &To<'_>,
    team_name: &str,
    link: &str,
) -> Result<Stmt, Failure> {
    let variables = json!({ "teamDisplayName": team_name });
    send(app, project, to, BuiltInMail::TeamInvitation, link, variables, |frame, from| {
        TeamInvitation { team_name, link }.to_message(frame, to.address, from)
    })
}

/// An invitation to the project.
pub(crate) fn sign_in_invitation(
    app: &App,
    project: &Project,
    to: &To<'_>,
    link: &str,
) -> Result<Stmt, Failure> {
    let variables = json!({ "teamDisplayName": project.display_name });
    send(app, project, to, BuiltInMail::SignInInvitation, link, variables, |frame, from| {
        SignInInvitation { link }.to_message(frame, to.address, from)
    })
}

/// News about a key that was found in public. There is no template for it.
pub(crate) fn api_key_revoked(
    app: &App,
    project: &Project,
    to: &To<'_>,
    description: &str,
) -> Result<Stmt, Failure> {
    let frame = frame(app, project, to);
    let from = app.config.mail.shared.sender(&project.display_name);
    let message = ApiKeyRevoked { description }.to_message(&frame, to.address, &from);
    let mail = Mail::rendered(&message.map_err(Failure::internal)?);
    outbox::queue(app, project, &to.recipient(), &mail)
}

fn frame<'a>(app: &App, project: &'a Project, to: &To<'_>) -> Frame<'a> {
    let locale = locale(app, project, to.user, to.accepted);
    email_themes::frame(project, email_themes::selected(project), locale)
}

/// Writes a mail and gives the statement that queues it. `variables` is an object.
fn send(
    app: &App,
    project: &Project,
    to: &To<'_>,
    mail: BuiltInMail,
    link: &str,
    variables: Value,
    built_in: impl Fn(&Frame<'_>, &str) -> Result<Message, MessageError>,
) -> Result<Stmt, Failure> {
    let from = app.config.mail.shared.sender(&project.display_name);
    let mut variables = match variables {
        Value::Object(variables) => variables,
        _ => Map::new(),
    };
    variables.insert(mail.link().to_owned(), Value::from(link));
    let message = match own(app, project, to, mail, link, &variables, &from) {
        Some(message) => message,
        None => built_in(&frame(app, project, to), &from).map_err(Failure::internal)?,
    };
    let template_id = MAILS.iter().position(|known| *known == mail);
    let template_id = template_id.and_then(|index| BUILT_IN_TEMPLATES[index].0.parse().ok());
    let mail = Mail { template_id, ..Mail::rendered(&message) };
    outbox::queue(app, project, &to.recipient(), &mail)
}

/// The mail as the project says it; `None` if the project has no words of its own, or none that work.
fn own(
    app: &App,
    project: &Project,
    to: &To<'_>,
    mail: BuiltInMail,
    link: &str,
    variables: &Map<String, Value>,
    from: &str,
) -> Option<Message> {
    let emails = &project.settings.emails;
    if emails.server.is_shared {
        return None;
    }
    let index = MAILS.iter().position(|known| *known == mail)?;
    let template = emails.templates.get(BUILT_IN_TEMPLATES[index].0)?;
    let source = template.tsx_source.as_deref()?;
    let theme = email_themes::of_template(project, template.theme_id.as_ref());
    let frame = email_themes::frame(project, theme, locale(app, project, to.user, to.accepted));
    let own = OwnTemplate {
        source,
        variables,
        user_name: to.user.and_then(|user| user.display_name.as_deref()),
        user_email: to.user.map(|_| to.address),
    };
    let problem = match own.write(&frame, None) {
        Ok(written) => {
            let says = |what: &str| written.text.contains(what) || written.html.contains(what);
            // Without the one or the other nobody gets in.
            let otp = variables.get("otp").and_then(Value::as_str);
            if says(link) || says(&link.replace('&', "&amp;")) || otp.is_some_and(says) {
                let subject = written.subject.filter(|subject| !subject.is_empty());
                let subject = subject.unwrap_or_else(|| project.display_name.clone());
                let message = Message::new(to.address, from, &subject, written.text, written.html);
                return message.ok();
            }
            "it shows neither the link nor the code".to_owned()
        }
        Err(error) => error.to_string(),
    };
    tracing::warn!(project = %project.id, ?mail, problem, "a mail goes out as it is built in: the project's template does not work");
    None
}

#[cfg(test)]
mod tests {
    use latchkey_api_types::ids::{ProjectId, UserId};

    use super::*;
    use crate::users::blank;

    #[test]
    fn the_metadata_of_a_user_choose_the_language_and_servers_have_the_last_word() {
        let mut user = blank(&ProjectId::internal(), UserId::from_uuid(uuid::Uuid::nil()), 0);
        assert_eq!(chosen(&user), None);
        user.client_metadata = Some(r#"{"locale":"fr-CA"}"#.to_owned());
        assert_eq!(chosen(&user), Some(Locale::Fr));
        user.server_metadata = Some(r#"{"theme":"dark"}"#.to_owned());
        assert_eq!(chosen(&user), Some(Locale::Fr));
        user.server_metadata = Some(r#"{"locale":"ja"}"#.to_owned());
        assert_eq!(chosen(&user), Some(Locale::Ja));
        for odd in [
            r#"{"locale":7}"#,
            r#"{"locale":"xx"}"#,
            r#"["locale"]"#,
            r#"{"a":{"locale":"de"}}"#,
            r#""locale""#,
        ] {
            user.server_metadata = Some(odd.to_owned());
            assert_eq!(chosen(&user), Some(Locale::Fr), "{odd}");
        }
    }
}
