//! The mail that invites an address to a team.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::{Notice, shown};

/// "Come and join us": sent to whoever a member or a server invites.
#[derive(Clone, Copy, Debug)]
pub struct TeamInvitation<'a> {
    /// The team's display name; may be empty.
    pub team_name: &'a str,
    /// The link that leads to the invitation: the caller's URL with the code in its query.
    pub link: &'a str,
}

impl TeamInvitation<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let team = shown(self.team_name).unwrap_or_else(|| frame.text("team_invitation.nameless", &[]));
        let values = [("team", team.as_str())];
        let notice = Notice { name: "team_invitation", values: &values, code: None, link: Some(self.link) };
        notice.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(mail: TeamInvitation<'_>) -> Message {
        mail.to_message(&Frame::sample(), "ann@example.com", "noreply@example.com").unwrap()
    }

    #[test]
    fn the_mail_asks_to_join_and_carries_the_link_in_both_forms() {
        let link = "https://app.example.com/handler/team-invitation?code=abc";
        let mail = TeamInvitation { team_name: "Engines", link };
        let written = message(mail);
        assert_eq!(written.subject(), "You have been invited to join Engines on Demo");
        assert!(written.text().contains(link) && written.text().contains("Engines"), "{}", written.text());
        assert!(written.html().contains(&format!("href=\"{link}\"")), "{}", written.html());
        let nameless = message(TeamInvitation { team_name: " ", ..mail });
        assert_eq!(nameless.subject(), "You have been invited to join a team on Demo");
        let endless = "x".repeat(10_000);
        assert!(message(TeamInvitation { team_name: &endless, ..mail }).subject().len() < 200);
    }

    #[test]
    fn a_hostile_team_name_stays_text() {
        let hostile = "<script>alert(1)</script>\r\nBcc: x@evil.com {project} {{ 7 }}";
        let written = message(TeamInvitation { team_name: hostile, link: "https://a.example.com/" });
        assert!(!written.html().contains("<script"), "{}", written.html());
        assert!(!written.subject().contains(['\r', '\n']));
        assert!(written.text().contains("{project} {{ 7 }}"), "{}", written.text());
    }
}
