//! The accept loop, over real sockets, and what is counted.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::{Limits, Observe, Respond, serve};

/// Sends `request` and reads until the server closes the connection.
async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read everything; what it said before counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Answers when it is told to.
#[derive(Clone)]
struct Slow(Arc<tokio::sync::Notify>, Arc<tokio::sync::Notify>);

impl Respond for Slow {
    async fn respond(&self, _: http::Request<AxumBody>, _: IpAddr) -> Response {
        self.0.notify_one();
        self.1.notified().await;
        Response::new(AxumBody::from("done"))
    }
}

#[tokio::test]
async fn requests_are_served_over_a_socket_within_limits() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let limits = Limits { headers: 20, header_bytes: 8192, ..Limits::default() };
    let (service, registry) = service_with(ServerConfig::default());
    let server = tokio::spawn(serve(listener, service, limits, None, async move {
        let _ = stopped.await;
    }));

    let get = "GET /api/v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let answer = exchange(address, format!("{get}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"keys":[]}"#), "{answer}");
    let many = (0..30).fold(String::new(), |headers, n| headers + &format!("x-{n}: a\r\n"));
    let long = format!("x-long: {}\r\n", "a".repeat(20_000));
    for headers in [many, long] {
        let answer = exchange(address, format!("{get}{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let answer = exchange(address, b"NONSENSE\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");

    let ready: crate::Readiness = Arc::new(|| Box::pin(async { Err("the database is away".to_owned()) }));
    let observe = Observe::new(Arc::new(registry), ready);
    let seen = |path: &'static str| {
        let request = http::Request::get(path).body(AxumBody::empty()).unwrap();
        let observe = observe.clone();
        async move {
            let response = observe.respond(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        }
    };
    let (_, metrics) = seen("/metrics").await;
    let line = r#"latchkey_http_requests_total{route="/keys",method="GET",status="200"} 1"#;
    assert!(metrics.contains(line) && metrics.contains("latchkey_http_requests_in_flight 0"), "{metrics}");
    assert_eq!(seen("/health/live").await, (200, r#"{"status":"ok"}"#.to_owned()));
    let unready = r#"{"reason":"the database is away","status":"unavailable"}"#;
    assert_eq!(seen("/health/ready").await, (503, unready.to_owned()));

    stop.send(()).unwrap();
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn requests_in_flight_are_finished_before_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let slow = Slow(Arc::default(), Arc::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, slow.clone(), Limits::default(), None, async move {
        let _ = stopped.await;
    }));
    let request = tokio::spawn(exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    slow.0.notified().await;
    stop.send(()).unwrap();
    slow.1.notify_one();
    assert!(request.await.unwrap().ends_with("done"));
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn requests_that_do_not_finish_in_time_are_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let slow = Slow(Arc::default(), Arc::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let limits = Limits { grace: Duration::from_millis(1), ..Limits::default() };
    let server = tokio::spawn(serve(listener, slow.clone(), limits, None, async move {
        let _ = stopped.await;
    }));
    let request = tokio::spawn(exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    slow.0.notified().await;
    stop.send(()).unwrap();
    assert_eq!(server.await.unwrap(), 1);
    assert_eq!(request.await.unwrap(), "");
}
