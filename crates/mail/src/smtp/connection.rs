//! One conversation with a mail server.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::{SmtpServer, SmtpTls, is_loopback};
use crate::transport::SendError;

/// How a mail was not handed over.
pub(super) enum Failed {
    /// The connection was gone before the server had anything of the mail.
    Closed(SendError),
    /// Something else.
    Said(SendError),
}

/// Connects to the server at one of these addresses and signs in.
///
/// # Errors
/// A [`SendError`] that is unreachable, whatever happened: no mail can be handed over this way.
pub(super) async fn connect(
    authorities: &[Certificate],
    server: &SmtpServer,
    addresses: &[SocketAddr],
    timeout: Duration,
) -> Result<AsyncSmtpConnection, SendError> {
    let on_this_machine = !addresses.is_empty() && addresses.iter().all(|address| is_loopback(address.ip()));
    let is_implicit = match server.tls {
        SmtpTls::Implicit => true,
        SmtpTls::Auto => matches!(server.port, 465 | 2465),
        SmtpTls::StartTls | SmtpTls::Plain => false,
    };
    let hello = ClientId::default();
    let tls = || {
        let mut tls = TlsParameters::builder(server.host.clone());
        for authority in authorities {
            tls = tls.add_root_certificate(authority.clone());
        }
        tls.build_rustls().map_err(|error| said("TLS cannot be set up", &error))
    };
    let implicit = if is_implicit { Some(tls()?) } else { None };
    let connecting =
        AsyncSmtpConnection::connect_tokio1(addresses, Some(timeout), &hello, implicit, None).await;
    let mut connection = connecting.map_err(|error| said("the mail server cannot be reached", &error))?;
    let upgrades = match server.tls {
        SmtpTls::StartTls => true,
        // Nobody is between this machine and itself.
        SmtpTls::Auto => !is_implicit && (!on_this_machine || connection.can_starttls()),
        SmtpTls::Implicit | SmtpTls::Plain => false,
    };
    if upgrades {
        if !connection.can_starttls() {
            return Err(SendError::unreachable("the mail server does not offer STARTTLS"));
        }
        let upgraded = connection.starttls(tls()?, &hello).await;
        upgraded
            .map_err(|error| said("the connection to the mail server could not be made private", &error))?;
    }
    if let Some((name, password)) = &server.credentials {
        let credentials = Credentials::new(name.clone(), password.clone());
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        signed_in.map_err(|error| said("the mail server refused the user name or password", &error))?;
    }
    Ok(connection)
}

fn said(what: &str, error: &Error) -> SendError {
    SendError::unreachable(format!("{what}: {error}"))
}

/// Hands one mail over. Only `Ok` leaves the connection fit for another one.
pub(super) async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    bytes: &[u8],
) -> Result<(), Failed> {
    let options = options(connection, envelope, bytes).map_err(Failed::Said)?;
    connection.command(Mail::new(envelope.from().cloned(), options)).await.map_err(|error| {
        let told = SendError::new(format!("the mail server refused the sender: {error}"));
        if error.status().is_some() { Failed::Said(told) } else { Failed::Closed(told) }
    })?;
    for recipient in envelope.to() {
        connection
            .command(Rcpt::new(recipient.clone(), Vec::new()))
            .await
            .map_err(|error| Failed::Said(refused("the mail server refused the recipient", &error)))?;
    }
    let refused = |error: Error| Failed::Said(refused("the mail server refused the mail", &error));
    connection.command(Data).await.map_err(refused)?;
    connection.message(bytes).await.map_err(refused)?;
    Ok(())
}

/// What the server must be told beside the sender (RFC 6531, RFC 6152).
fn options(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    bytes: &[u8],
) -> Result<Vec<MailParameter>, SendError> {
    let mut options = Vec::new();
    let is_ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().is_none_or(is_ascii) || !envelope.to().iter().all(is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::last(
                "the mail server does not take addresses with letters outside ASCII (SMTPUTF8)",
            ));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

/// A refusal: for good if the server says so (5xx, RFC 5321 §4.2.1).
fn refused(what: &str, error: &Error) -> SendError {
    let message = format!("{what}: {error}");
    if error.is_permanent() { SendError::last(message) } else { SendError::new(message) }
}
