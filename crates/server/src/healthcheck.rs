//! `healthcheck`: asks `/health/ready` of the running server, for the health checks of containers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    cli::Common,
    configuration,
    output::{Failed, Output},
};

const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer of ours.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Succeeds when the server answers that it is ready.
pub(crate) async fn run(common: Common, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    let address = reachable(config.server.observe_bind);
    let (status, body) = timeout(PATIENCE, get(address, "/health/ready"))
        .await
        .map_err(|_| Failed::new(format!("{address} did not answer within {} s", PATIENCE.as_secs())))?
        .map_err(|error| Failed::new(format!("{address} cannot be reached: {error}")))?;
    if status == 200 {
        output.result("ready", &json!({ "ok": true, "status": status }));
        Ok(())
    } else {
        Err(Failed::new(format!("the server is not ready: {status} {}", body.trim())))
    }
}

/// The address by which this machine reaches a listener.
pub(crate) fn reachable(mut bind: SocketAddr) -> SocketAddr {
    if bind.ip().is_unspecified() {
        bind.set_ip(match bind.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    bind
}

/// One request of HTTP/1.0 (RFC 1945), which ends with the connection: status and body.
async fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP"))?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_status_of_the_answer_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 256];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.0 503 Service Unavailable\r\n\r\nstarting").await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let (request, answer) = tokio::join!(server, get(address, "/health/ready"));
        assert!(request.starts_with("GET /health/ready HTTP/1.0\r\n"), "{request}");
        assert_eq!(answer.unwrap(), (503, "starting".to_owned()));
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_loopback() {
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()).to_string(), "127.0.0.1:1");
        assert_eq!(reachable("[::]:1".parse().unwrap()).to_string(), "[::1]:1");
        assert_eq!(reachable("10.0.0.1:1".parse().unwrap()).to_string(), "10.0.0.1:1");
    }
}
