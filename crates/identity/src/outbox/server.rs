//! By which server a project's mail leaves: its own, if its settings name one, else that of the deployment.
//!
//! Any administrator of a project can name any server, so that the guard of outgoing requests applies: such a server has
//! a public address unless the configuration names exceptions. The connection goes to the address that was checked.

use latchkey_config::mail_sender;
use latchkey_config::settings::{EmailProvider, EmailServer};
use latchkey_mail::{Letter, SendError, SmtpServer, SmtpTls};

use crate::app::App;
use crate::outgoing::OutgoingError;
use crate::projects::Project;

/// A server of a project's own.
pub(crate) struct OwnServer {
    /// Where it is.
    pub(crate) server: SmtpServer,
    /// Whom its mails come from, as it stands in `From:`.
    pub(crate) sender: String,
}

/// By which server a mail leaves.
pub(crate) enum Route {
    /// By that of the deployment.
    Shared,
    /// By the project's own.
    Own(OwnServer),
}

/// By which server the mails of a project leave.
///
/// # Errors
/// A [`SendError`] if the project has a server of its own and does not say enough about it.
pub(crate) fn route(project: &Project) -> Result<Route, SendError> {
    let settings = &project.settings.emails.server;
    if settings.is_shared { Ok(Route::Shared) } else { own(settings).map(Route::Own) }
}

/// The project's own server, from its settings.
fn own(settings: &EmailServer) -> Result<OwnServer, SendError> {
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let password = filled(settings.password.as_ref().map(latchkey_config::SecretText::expose));
    // Resend is reached at one place, with its key as the password.
    let usual = match settings.provider {
        EmailProvider::Resend => Some(("smtp.resend.com", 465, "resend")),
        EmailProvider::Smtp | EmailProvider::Managed => None,
    };
    let host = filled(settings.host.as_deref()).or(usual.map(|(host, ..)| host.to_owned()));
    let port = settings.port.filter(|port| *port != 0).or(usual.map(|(_, port, _)| port));
    let username = filled(settings.username.as_deref()).or(usual.map(|(.., name)| name.to_owned()));
    let (Some(host), Some(port), Some(address)) = (host, port, filled(settings.sender_email.as_deref()))
    else {
        return Err(SendError::unreachable("the project's mail server lacks a host, a port or a sender"));
    };
    let credentials = username.zip(password);
    Ok(OwnServer {
        server: SmtpServer { host, port, tls: SmtpTls::Auto, credentials },
        sender: mail_sender(settings.sender_name.as_deref().unwrap_or_default(), &address),
    })
}

/// Hands a mail to a server that somebody named.
///
/// # Errors
/// [`SendError`]; for an address that this server may not call as well.
pub(crate) async fn send(app: &App, server: &SmtpServer, letter: &Letter) -> Result<(), SendError> {
    let addresses = app.outgoing.resolve(&server.host, server.port).await.map_err(|error| {
        SendError::unreachable(match error {
            OutgoingError::Forbidden(host) => {
                format!("{host} has no address that this server may call (outgoing.allow_private_addresses)")
            }
            _ => "the mail server's name has no address".to_owned(),
        })
    })?;
    app.smtp.send(server, &addresses, letter).await
}
