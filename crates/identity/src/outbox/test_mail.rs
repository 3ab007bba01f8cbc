//! Trying a mail server out, before a project is told to use it.

use std::time::Duration;

use latchkey_api_types::outbox::{TestEmailCreate, TestEmailOutcome};
use latchkey_config::mail_sender;
use latchkey_mail::{Letter, SendError, SmtpServer, SmtpTls, TestMail};

use super::server;
use crate::app::App;
use crate::authenticate::Auth;
use crate::email_themes;

/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a mail by a server that the caller describes, at once and without the outbox. That it did not work is an answer
/// and no error.
pub async fn send_test(app: &App, auth: &Auth, request: TestEmailCreate) -> TestEmailOutcome {
    let config = &request.email_config;
    let sent = tokio::time::timeout(TIMEOUT, try_out(app, auth, &request)).await;
    let error = match sent {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.message),
        Err(_) => Some("the mail server took too long".to_owned()),
    };
    if let Some(error) = &error {
        tracing::info!(project = %auth.project.id, host = config.host.as_str(), error, "a mail server was tried out in vain");
    }
    TestEmailOutcome { success: error.is_none(), error_message: error }
}

async fn try_out(app: &App, auth: &Auth, request: &TestEmailCreate) -> Result<(), SendError> {
    let config = &request.email_config;
    let sender = mail_sender(config.sender_name.as_str(), config.sender_email.as_str());
    let locale = auth.locale.unwrap_or(app.config.mail.locale);
    let frame = email_themes::frame(&auth.project, email_themes::selected(&auth.project), locale);
    let message = TestMail.to_message(&frame, request.recipient_email.as_str(), &sender);
    let message = message.map_err(|error| SendError::last(error.to_string()))?;
    let server = SmtpServer {
        host: config.host.as_str().to_owned(),
        port: u16::try_from(config.port.0).unwrap_or(0),
        tls: SmtpTls::Auto,
        credentials: Some((config.username.as_str().to_owned(), config.password.as_str().to_owned())),
    };
    let id = app.random.uuid().to_string();
    let letter = Letter { message, id, sent_at_millis: app.now(), unsubscribe_url: None };
    server::send(app, &server, &letter).await
}
