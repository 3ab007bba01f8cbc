//! A machine that webhooks are sent to: takes them down and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// One delivery, as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method and path, as in `POST /hooks`.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte.
    pub body: String,
}

impl Received {
    /// A header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// What happened.
    pub fn event(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }
}

/// How a delivery is answered.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// With this status and body.
    Answer(u16, String),
    /// With a redirect to this place.
    Redirect(String),
    /// Not at all: the connection stays open.
    Silence,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    reactions: VecDeque<Reaction>,
}

/// A receiver on a port of its own; gone when dropped.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
    arrived: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Starts one on any free port.
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    /// Starts one on this address.
    pub async fn start_on(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
        let (state, arrived) = (Arc::<Mutex<State>>::default(), Arc::<Notify>::default());
        let (held, told) = (Arc::clone(&state), Arc::clone(&arrived));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&held), Arc::clone(&told)));
            }
        });
        Self { url, state, arrived, task }
    }

    /// Ends it and leaves its address free.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Reacts like this to the next deliveries, one after the other; those behind are accepted.
    pub fn react(&self, reactions: impl IntoIterator<Item = Reaction>) {
        locked(&self.state).reactions.extend(reactions);
    }

    /// Answers the next `count` deliveries with this status.
    pub fn fail(&self, count: usize, status: u16) {
        self.react((0..count).map(|_| Reaction::Answer(status, "not now".to_owned())));
    }

    /// What has come so far.
    pub fn received(&self) -> Vec<Received> {
        locked(&self.state).received.clone()
    }

    /// The names of the events that have come so far.
    pub fn events(&self) -> Vec<String> {
        self.received().iter().map(Received::event).collect()
    }

    /// Waits until so many deliveries have come.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        loop {
            let arrived = self.arrived.notified();
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            arrived.await;
        }
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, arrived: Arc<Notify>) {
    while let Some(received) = read(&mut stream).await {
        let reaction = {
            let mut state = locked(&state);
            state.received.push(received);
            state.reactions.pop_front().unwrap_or(Reaction::Answer(200, String::new()))
        };
        arrived.notify_waiters();
        let answer = match reaction {
            Reaction::Answer(status, body) => {
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            Reaction::Redirect(to) => {
                format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
            }
            Reaction::Silence => std::future::pending().await,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request on a connection; `None` at its end.
pub(crate) async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let target = head.lines().next()?.rsplit_once(' ')?.0.to_owned();
    let headers: BTreeMap<String, String> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        target,
        headers,
        body: String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).ok()?,
    })
}
