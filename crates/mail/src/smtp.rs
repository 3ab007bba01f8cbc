//! SMTP (RFC 5321): hands mails to a server, over TLS, with a name and a password.
//!
//! A connection is kept for the next mail and tried before it is used again. One on which anything went wrong, or whose
//! conversation was cut short, is never used again: what it would answer next might be about the mail before.

mod connection;
mod letter;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate};

use crate::transport::{Letter, SendError, Sending, Transport};
use connection::{Failed, connect, hand_over};

/// How long a connection is kept for the next mail.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// How many connections to one server are kept.
const KEPT: usize = 4;

/// How a connection becomes private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SmtpTls {
    /// TLS from the start on ports 465 and 2465, STARTTLS elsewhere; a server on this very machine may go without.
    #[default]
    Auto,
    /// TLS from the start (RFC 8314 §3.3).
    Implicit,
    /// STARTTLS (RFC 3207), and no mail without it.
    StartTls,
    /// No TLS at all.
    Plain,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SmtpServer {
    /// Its name or address, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection becomes private.
    pub tls: SmtpTls,
    /// Who signs in there, and with which password; nobody does without.
    pub credentials: Option<(String, String)>,
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What speaks SMTP: which authorities it trusts, how long it waits, and the connections that it keeps. Cheap to clone.
#[derive(Clone)]
pub struct Smtp(Arc<Inner>);

struct Inner {
    authorities: Vec<Certificate>,
    timeout: Duration,
    kept: Mutex<HashMap<SmtpServer, Vec<Kept>>>,
}

struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl Smtp {
    /// Waits `timeout` for a whole mail. Certificates are checked against the public authorities and those in `ca_pem`.
    ///
    /// # Errors
    /// A sentence if `ca_pem` holds no certificates.
    pub fn new(ca_pem: Option<&[u8]>, timeout: Duration) -> Result<Self, String> {
        let mut authorities = Vec::new();
        if let Some(pem) = ca_pem {
            if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
                return Err("holds no certificate in PEM form".to_owned());
            }
            authorities.push(Certificate::from_pem(pem).map_err(|error| error.to_string())?);
        }
        Ok(Self(Arc::new(Inner { authorities, timeout, kept: Mutex::default() })))
    }

    /// Hands a mail to a server at one of these addresses; done when the server has accepted it.
    ///
    /// # Errors
    /// [`SendError`]: final if the server refused the mail for good, unreachable if it did not come to that.
    pub async fn send(
        &self,
        server: &SmtpServer,
        addresses: &[SocketAddr],
        letter: &Letter,
    ) -> Result<(), SendError> {
        let (envelope, bytes) = letter::written(letter)?;
        let conversation = async {
            if let Some(mut connection) = self.kept(server).await {
                match hand_over(&mut connection, &envelope, &bytes).await {
                    Ok(()) => return Ok(connection),
                    // The server closed it in between, before it had anything of the mail.
                    Err(Failed::Closed(_)) => {}
                    Err(Failed::Said(error)) => return Err(error),
                }
            }
            let mut connection = connect(&self.0.authorities, server, addresses, self.0.timeout).await?;
            hand_over(&mut connection, &envelope, &bytes).await.map_err(|failed| match failed {
                Failed::Closed(error) | Failed::Said(error) => error,
            })?;
            Ok(connection)
        };
        // The library's own limit is for the connection only.
        let connection = tokio::time::timeout(self.0.timeout, conversation)
            .await
            .map_err(|_| SendError::unreachable("the mail server took too long"))??;
        self.keep(server, connection);
        Ok(())
    }

    /// Connects and signs in, and sends nothing.
    ///
    /// # Errors
    /// [`SendError`] if the server would take no mail.
    pub async fn check(&self, server: &SmtpServer, addresses: &[SocketAddr]) -> Result<(), SendError> {
        let connecting = connect(&self.0.authorities, server, addresses, self.0.timeout);
        let mut connection = tokio::time::timeout(self.0.timeout, connecting)
            .await
            .map_err(|_| SendError::unreachable("the mail server took too long"))??;
        let _ = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
        Ok(())
    }

    /// A kept connection that still answers.
    async fn kept(&self, server: &SmtpServer) -> Option<AsyncSmtpConnection> {
        loop {
            let mut kept = self.take(server)?;
            if kept.since.elapsed() < KEPT_FOR && kept.connection.test_connected().await {
                return Some(kept.connection);
            }
        }
    }

    fn take(&self, server: &SmtpServer) -> Option<Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).get_mut(server)?.pop()
    }

    fn keep(&self, server: &SmtpServer, connection: AsyncSmtpConnection) {
        let mut all = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| {
            kept.retain(|kept| kept.since.elapsed() < KEPT_FOR);
            !kept.is_empty()
        });
        let kept = all.entry(server.clone()).or_default();
        if kept.len() < KEPT {
            kept.push(Kept { connection, since: Instant::now() });
        }
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("timeout", &self.0.timeout).finish_non_exhaustive()
    }
}

/// Hands every mail to one server, whose name is looked up each time.
#[derive(Clone, Debug)]
pub struct SmtpTransport {
    /// What speaks to it.
    pub smtp: Smtp,
    /// The server.
    pub server: SmtpServer,
}

impl SmtpTransport {
    /// The server's addresses.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, SendError> {
        let found = tokio::net::lookup_host((self.server.host.as_str(), self.server.port)).await;
        let addresses: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
        if addresses.is_empty() {
            return Err(SendError::unreachable("the mail server's name has no address"));
        }
        Ok(addresses)
    }

    /// Connects and signs in, and sends nothing.
    ///
    /// # Errors
    /// [`SendError`] if the server would take no mail.
    pub async fn check(&self) -> Result<(), SendError> {
        self.smtp.check(&self.server, &self.addresses().await?).await
    }
}

impl Transport for SmtpTransport {
    fn send<'a>(&'a self, letter: &'a Letter) -> Sending<'a> {
        Box::pin(async move { self.smtp.send(&self.server, &self.addresses().await?, letter).await })
    }
}

/// Whether an address is this machine's own.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
