//! Bytes that are hardly HTTP: refused or closed at once, never answered with a 5xx, never smuggled past a check.

use latchkey_testkit::on_both_engines;
use latchkey_tests::raw;

use super::assert_alive;

on_both_engines! {
    async fn what_is_hardly_http_is_refused_or_closed(server) {
        let requests: [(&str, &[u8]); 22] = [
            ("nothing", b""),
            ("noise", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            ("a line", b"hello\r\n\r\n"),
            ("HTTP/0.9", b"GET /api/v1\r\n\r\n"),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("an unknown version", b"GET /api/v1 HTTP/9.9\r\nhost: a\r\n\r\n"),
            ("a space in the path", b"GET /api/v1/a b HTTP/1.1\r\nhost: a\r\n\r\n"),
            ("NUL in the path", b"GET /api/v1/\0 HTTP/1.1\r\nhost: a\r\n\r\n"),
            ("NUL in a header", b"GET /api/v1 HTTP/1.1\r\nhost: a\r\nx-a: \0\r\n\r\n"),
            ("a space before the colon", b"GET /api/v1 HTTP/1.1\r\nhost: a\r\nx-a : b\r\n\r\n"),
            ("a folded header", b"GET /api/v1 HTTP/1.1\r\nhost: a\r\nx-a: b\r\n c\r\n\r\n"),
            ("a header without a name", b"GET /api/v1 HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n"),
            ("a negative length", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n"),
            ("a length that is text", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-length: ten\r\n\r\n"),
            ("two lengths", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
            ("a length beyond numbers", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n"),
            ("a huge length", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 4294967296\r\nconnection: close\r\n\r\n{}"),
            ("a length that is not kept", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{}"),
            ("a bad chunk", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
            ("a huge chunk", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"),
            ("an unknown encoding", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n{}"),
            ("a chunk that ends early", b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}"),
        ];
        for (name, request) in requests {
            if let Some((status, text)) = raw::exchange_cut(&server, request).await {
                assert!((400..500).contains(&status), "{name}: {text}");
            }
        }
        assert_alive(&server).await;
    }

    async fn a_length_and_chunks_together_are_no_second_request(server) {
        // RFC 9112 section 6.3: either the chunks win and the connection closes, or the request is refused.
        let request = b"POST /api/v1/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\
            transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        if let Some((status, text)) = raw::exchange(&server, request).await {
            assert!((400..500).contains(&status), "{text}");
            assert!(text.matches("HTTP/1.1 ").count() <= 2, "{text}");
        }
        assert_alive(&server).await;
    }

    async fn many_connections_that_say_nothing_hinder_nobody(server) {
        let address = server.base_url().trim_start_matches("http://").to_owned();
        let mut silent = Vec::new();
        for _ in 0..200 {
            silent.push(tokio::net::TcpStream::connect(&address).await.expect("a connection"));
        }
        assert_alive(&server).await;
        drop(silent);
    }
}
