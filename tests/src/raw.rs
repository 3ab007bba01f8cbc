//! Bytes on a socket: requests that no HTTP client would send.

use std::time::Duration;

use latchkey_testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take before it counts as a hang.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a whole request and reads until the server closes; the status of the answer and the whole of it, or `None` if
/// the server closed without one. The request should ask for `connection: close`.
pub async fn exchange(server: &TestServer, request: &[u8]) -> Option<(u16, String)> {
    talk(server, request, false).await
}

/// The same for a request that may be cut: says that no more will come, so that nobody waits for the rest. The server
/// may take that for the end of the connection and answer nothing.
pub async fn exchange_cut(server: &TestServer, request: &[u8]) -> Option<(u16, String)> {
    talk(server, request, true).await
}

async fn talk(server: &TestServer, request: &[u8], cut: bool) -> Option<(u16, String)> {
    let address = server.base_url().strip_prefix("http://").expect("a plain address").to_owned();
    let work = async {
        let mut stream = TcpStream::connect(address).await.expect("the server accepts");
        // A server that has seen enough may close before everything is sent.
        let _ = stream.write_all(request).await;
        if cut {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = tokio::time::timeout(PATIENCE, work).await.expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status =
        text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()?;
    Some((status, text))
}
