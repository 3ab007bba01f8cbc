//! The built-in mails as templates of the language that projects write theirs in: what an administrator sees, and
//! where a template of one's own begins.

use latchkey_api_types::Locale;

use crate::catalogue;
use crate::template::escaped;

/// A built-in mail that a project may replace by a template of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInMail {
    /// [`crate::EmailVerification`].
    EmailVerification,
    /// [`crate::PasswordReset`].
    PasswordReset,
    /// [`crate::MagicLink`].
    MagicLink,
    /// [`crate::TeamInvitation`].
    TeamInvitation,
    /// [`crate::SignInInvitation`].
    SignInInvitation,
}

impl BuiltInMail {
    /// The name in the catalogue.
    const fn name(self) -> &'static str {
        match self {
            Self::EmailVerification => "email_verification",
            Self::PasswordReset => "password_reset",
            Self::MagicLink => "magic_link",
            Self::TeamInvitation => "team_invitation",
            Self::SignInInvitation => "sign_in_invitation",
        }
    }

    /// The variable that holds its link.
    pub const fn link(self) -> &'static str {
        match self {
            Self::EmailVerification => "emailVerificationLink",
            Self::PasswordReset => "passwordResetLink",
            Self::MagicLink => "magicLink",
            Self::TeamInvitation => "teamInvitationLink",
            Self::SignInInvitation => "signInInvitationLink",
        }
    }
}

/// The template of a built-in mail, in English.
pub fn starting_point(mail: BuiltInMail) -> String {
    let values = [
        ("project", "{{ project.displayName }}"),
        ("team", "{{ variables.teamDisplayName }}"),
        ("code", "{{ variables.otp }}"),
    ];
    let text = |part: &str| catalogue::text(Locale::En, &format!("{}.{part}", mail.name()), &values);
    let html = |part: &str| escaped(&text(part));
    let link = format!("{{{{ variables.{} }}}}", mail.link());
    let (code_html, code_text) = match mail {
        BuiltInMail::MagicLink => {
            ("<p class=\"code\">{{ variables.otp }}</p>\n", "    {{ variables.otp }}\n\n")
        }
        _ => ("", ""),
    };
    format!(
        "Subject: {subject}\nCategory: Transactional\n\n\
         {{# EmailTemplate. It may show variables, user.displayName, project.displayName and locale. #}}\n\
         <h1>{heading}</h1>\n<p>{body}</p>\n{code_html}\
         <p><a class=\"button\" href=\"{link}\">{button}</a></p>\n<p class=\"small\">{note}</p>\n\n\
         === text ===\n{text_body}\n\n{code_text}{link}\n\n{text_note}\n",
        subject = text("subject"),
        heading = html("heading"),
        body = html("body"),
        button = html("button"),
        note = html("note"),
        text_body = text("body"),
        text_note = text("note"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::frame::Frame;
    use crate::own_template::{OwnTemplate, check_template};

    #[test]
    fn every_starting_point_works_as_a_template_and_shows_its_link() {
        for mail in [
            BuiltInMail::EmailVerification,
            BuiltInMail::PasswordReset,
            BuiltInMail::MagicLink,
            BuiltInMail::TeamInvitation,
            BuiltInMail::SignInInvitation,
        ] {
            let source = starting_point(mail);
            check_template(&source).unwrap();
            let link = "https://a.example.com/?a=1&code=2";
            let variables = json!({ mail.link(): link, "otp": "AB12CD", "teamDisplayName": "Engines" });
            let template = OwnTemplate {
                source: &source,
                variables: variables.as_object().unwrap(),
                user_name: None,
                user_email: None,
            };
            let written = template.write(&Frame::sample(), None).unwrap();
            assert!(
                written.html.contains("href=\"https://a.example.com/?a=1&amp;code=2\""),
                "{}",
                written.html
            );
            assert!(written.text.contains(link), "{}", written.text);
            assert!(written.subject.unwrap().contains("Demo"));
            assert_eq!(written.category.as_deref(), Some("Transactional"));
        }
    }
}
