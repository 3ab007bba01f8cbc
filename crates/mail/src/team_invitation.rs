//! The mail that invites an address to a team.

use crate::{
    message::{Message, MessageError},
    template,
};

/// How much of a team's name a mail shows, in characters: a name has no limit, a subject has.
const LONGEST_NAME: usize = 100;

/// "Come and join us": sent to whoever a member or a server invites.
#[derive(Clone, Debug)]
pub struct TeamInvitation<'a> {
    /// The project's display name.
    pub project_name: &'a str,
    /// The team's display name; may be empty.
    pub team_name: &'a str,
    /// The link that leads to the invitation: the caller's URL with the code in its query.
    pub link: &'a str,
}

impl TeamInvitation<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(&self, to: &str, from: &str) -> Result<Message, MessageError> {
        let named: String = self.team_name.trim().chars().take(LONGEST_NAME).collect();
        let team_name = if named.is_empty() { "a team" } else { &named };
        let subject = format!("You have been invited to join {team_name} on {}", self.project_name);
        let values = minijinja::context! {
            project_name => self.project_name, team_name => team_name, link => self.link,
        };
        template::message("team_invitation", to, from, &subject, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_asks_to_join_and_carries_the_link_in_both_forms() {
        let link = "https://app.example.com/handler/team-invitation?code=abc";
        let mail = TeamInvitation { project_name: "Demo", team_name: "Engines", link };
        let message = mail.to_message("ann@example.com", "noreply@example.com").unwrap();
        assert_eq!(message.subject(), "You have been invited to join Engines on Demo");
        assert!(message.text().contains(link) && message.text().contains("Engines"), "{}", message.text());
        assert!(message.html().contains(&format!("href=\"{link}\"")), "{}", message.html());
        let nameless = TeamInvitation { team_name: " ", ..mail };
        let message = nameless.to_message("ann@example.com", "noreply@example.com").unwrap();
        assert_eq!(message.subject(), "You have been invited to join a team on Demo");
        let endless = "x".repeat(10_000);
        let message = TeamInvitation { team_name: &endless, ..nameless }
            .to_message("ann@example.com", "s@b.com")
            .unwrap();
        assert!(message.subject().len() < 200);
    }

    #[test]
    fn a_hostile_team_name_stays_text() {
        let mail = TeamInvitation {
            project_name: "Demo",
            team_name: "<script>alert(1)</script>\r\nBcc: x@evil.com",
            link: "https://a.example.com/",
        };
        let message = mail.to_message("ann@example.com", "noreply@example.com").unwrap();
        assert!(!message.html().contains("<script"), "{}", message.html());
        assert!(!message.subject().contains(['\r', '\n']));
    }
}
