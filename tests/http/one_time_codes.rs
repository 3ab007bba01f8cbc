//! Contract 04 §4: what all codes have in common, whatever they are for. What each of them does is tested with its noun.

mod attempts;
mod kinds;
mod lifetimes;
mod links;

use latchkey_testkit::{Answer, Builder, TestServer};
use latchkey_tests::{mail, people, teams};
use serde_json::{Value, json};

const CALLBACK: &str = "http://localhost:3000/callback";

fn builder() -> Builder {
    TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
}

/// What mails a code.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    SignIn,
    PasswordReset,
    EmailVerification,
    TeamInvitation,
}

impl Kind {
    const ALL: [Self; 4] = [Self::SignIn, Self::PasswordReset, Self::EmailVerification, Self::TeamInvitation];

    /// Where a code of this kind is used.
    fn endpoint(self) -> &'static str {
        match self {
            Self::SignIn => "/auth/otp/sign-in",
            Self::PasswordReset => "/auth/password/reset",
            Self::EmailVerification => "/contact-channels/verify",
            Self::TeamInvitation => "/team-invitations/accept",
        }
    }

    /// The address to which [`Kind::send`] mails.
    fn address(self) -> &'static str {
        match self {
            Self::SignIn => "new@example.com",
            Self::PasswordReset => "forgetful@example.com",
            Self::EmailVerification => "unverified@example.com",
            Self::TeamInvitation => "invited@example.com",
        }
    }

    /// What is sent to have a code mailed: whoever needs to be there for it is there afterwards.
    async fn request(self, server: &TestServer, callback: &str) -> (String, Value) {
        match self {
            Self::SignIn => (
                "/auth/otp/send-sign-in-code".to_owned(),
                json!({ "email": self.address(), "callback_url": callback }),
            ),
            Self::PasswordReset => {
                let fields = json!({ "primary_email": self.address(), "primary_email_auth_enabled": true });
                server.post("/users").server().json(&fields).send().await;
                (
                    "/auth/password/send-reset-code".to_owned(),
                    json!({ "email": self.address(), "callback_url": callback }),
                )
            }
            Self::EmailVerification => {
                let user = people::create(server, &json!({})).await;
                let body = json!({ "user_id": user["id"], "type": "email", "value": self.address(), "used_for_auth": false });
                let channel = server.post("/contact-channels").server().json(&body).send().await.expect(201);
                let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
                let path = format!("/contact-channels/{}/{}/send-verification-code", id(&user), id(&channel));
                (path, json!({ "callback_url": callback }))
            }
            Self::TeamInvitation => {
                let team = teams::create(server, "A team").await;
                let body = json!({ "team_id": team, "email": self.address(), "callback_url": callback });
                ("/team-invitations/send-code".to_owned(), body)
            }
        }
    }

    /// Has a code mailed by a request with further headers.
    async fn send(self, server: &TestServer, callback: &str, headers: &[(&str, &str)]) -> Answer {
        let (path, body) = self.request(server, callback).await;
        let request = server.post(&path).server().json(&body);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await
    }

    /// A new code of this kind.
    async fn code(self, server: &TestServer) -> String {
        server.clock().advance_seconds(1);
        self.send(server, CALLBACK, &[]).await.expect(200);
        mail::code_to(server, self.address()).await
    }

    /// Asks whether a code can be used as one of this kind.
    async fn check(self, server: &TestServer, code: &str) -> Answer {
        let path = format!("{}/check-code", self.endpoint());
        server.post(&path).client().json(&json!({ "code": code })).send().await
    }

    /// Uses a code as one of this kind.
    async fn using(self, server: &TestServer, code: &str) -> Answer {
        let mut body = json!({ "code": code });
        if self == Self::PasswordReset {
            body["password"] = people::OTHER_PASSWORD.into();
        }
        let request = server.post(self.endpoint()).client().json(&body);
        if self == Self::TeamInvitation {
            let somebody = people::created(server, &json!({})).await;
            return request.user(&somebody.access_token).send().await;
        }
        request.send().await
    }
}
