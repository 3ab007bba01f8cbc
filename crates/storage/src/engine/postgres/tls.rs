//! Encryption of connections to PostgreSQL: what `sslmode` and `sslrootcert` of the URL mean.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The driver's configuration from a URL, and how to encrypt; `None` if the URL says not to. The error is a sentence
/// without the URL.
pub(super) fn configure(url: &str) -> Result<(Config, Option<MakeRustlsConnect>), String> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut authorities = None;
    let mut rest = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslrootcert", file)) => authorities = Some(file),
            // We never encrypt for the sake of `require` without checking whom we talk to.
            Some(("sslmode", "verify-ca" | "verify-full")) => rest.push("sslmode=require"),
            _ => rest.push(parameter),
        }
    }
    let config: Config =
        format!("{place}?{}", rest.join("&")).parse().map_err(|error: tokio_postgres::Error| {
            match std::error::Error::source(&error) {
                Some(cause) => format!("the URL is not valid: {cause}"),
                None => "the URL is not valid".to_owned(),
            }
        })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let tls = match config.get_ssl_mode() {
        SslMode::Disable => return Ok((config, None)),
        // Whoever can put himself in between can also say that the server has no TLS: checking adds nothing.
        SslMode::Prefer => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
            .with_no_client_auth(),
        _ => builder.with_root_certificates(roots(authorities)?).with_no_client_auth(),
    };
    Ok((config, Some(MakeRustlsConnect::new(tls))))
}

fn roots(file: Option<&str>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let unreadable =
        |problem: &dyn std::fmt::Display| format!("sslrootcert {file} cannot be read: {problem}");
    for certificate in CertificateDer::pem_file_iter(Path::new(file)).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() { Err(unreadable(&"it holds no certificate")) } else { Ok(roots) }
}

/// Accepts every certificate, but only from a server that holds its key.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_decides_about_encryption() {
        assert!(configure("postgres://u:p@h/d?sslmode=disable").unwrap().1.is_none());
        assert!(configure("postgres://u:p@h/d").unwrap().1.is_some());
        let (config, tls) = configure("postgres://h/d?sslmode=verify-full&application_name=x").unwrap();
        assert!(tls.is_some());
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_application_name(), Some("x"));
    }

    #[test]
    fn a_wrong_url_or_authority_file_is_said_without_the_password() {
        for url in [
            "postgres://u:secret@h/d?sslmode=never",
            "postgres://u:secret@h/d?sslmode=require&sslrootcert=/no",
        ] {
            let problem = configure(url).err().unwrap();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
