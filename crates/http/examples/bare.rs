//! The limit that `cargo xtask bench` compares with: an axum route that serialises a JSON value and does nothing else.
//!
//! Takes a file with the JSON and prints the address on which it listens.

use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("say which file holds the JSON")?;
    let value: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let routes = Router::new().route("/bare", get(answer)).with_state(Arc::new(value));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn answer(State(value): State<Arc<Value>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], value.to_string())
}
