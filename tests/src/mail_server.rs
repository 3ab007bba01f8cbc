//! A mail server that takes mail down and answers as it is told. It speaks no TLS: conversations over TLS are tried with
//! a real server, in `compat/python`.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail, as it came.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Whom the envelope names as sender.
    pub from: String,
    /// Whom the envelope names as recipient.
    pub to: String,
    /// Headers and content.
    pub text: String,
}

impl Taken {
    /// A header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        let line = self.text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name}: {}", self.text))
    }
}

/// How a mail is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The recipient does not exist.
    RefuseRecipient,
    /// Not now.
    RefuseForNow,
    /// The mail is taken, and the connection breaks before anybody hears of it.
    TakeAndBreak,
    /// Nothing is said any more.
    Silence,
    /// The mail is taken, and the connection is closed afterwards without a word.
    TakeAndClose,
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    replies: VecDeque<Reply>,
    password: Option<String>,
    connections: usize,
}

/// A mail server on a port of its own; gone when dropped.
pub struct MailServer {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MailServer {
    /// Starts one on any free port.
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    /// Starts one on this port.
    pub async fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                locked(&held).connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&held)));
            }
        });
        Self { port, state, task }
    }

    /// A port where nobody listens. It lies below those that systems give to connections, so that it stays free.
    pub async fn nobody() -> u16 {
        loop {
            let random = RandomState::new().build_hasher().finish() % 12_000;
            let port = 20_000 + u16::try_from(random).expect("a small number");
            if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
                return port;
            }
        }
    }

    /// Answers the next mails like this, one after the other; those behind are taken.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        locked(&self.state).replies.extend(replies);
    }

    /// Takes no other password than this.
    pub fn ask_for_password(&self, password: &str) {
        locked(&self.state).password = Some(password.to_owned());
    }

    /// The mails that were taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        locked(&self.state).taken.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        locked(&self.state).connections
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to, mut reply) = (String::new(), String::new(), None);
    if stream.write_all(b"220 mail.example ready\r\n").await.is_err() {
        return;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let inside = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => {
                let given = line.trim_end().rsplit(' ').next().and_then(|text| STANDARD.decode(text).ok());
                let given = given.unwrap_or_default();
                let password = given.rsplit(|byte| *byte == 0).next().unwrap_or_default();
                let wanted = locked(&state).password.clone();
                if wanted.is_none_or(|wanted| wanted.as_bytes() == password) {
                    "235 welcome"
                } else {
                    "535 5.7.8 who are you"
                }
            }
            "MAIL" => {
                from = inside();
                reply = locked(&state).replies.pop_front();
                "250 ok"
            }
            "RCPT" => {
                to = inside();
                match reply {
                    Some(Reply::RefuseRecipient) => "550 5.1.1 nobody of that name",
                    Some(Reply::RefuseForNow) => "451 4.3.0 come back later",
                    Some(Reply::Silence) => std::future::pending().await,
                    _ => "250 ok",
                }
            }
            "DATA" => {
                let _ = stream.write_all(b"354 go on\r\n").await;
                let Some(text) = content(&mut stream).await else { return };
                locked(&state).taken.push(Taken { from: from.clone(), to: to.clone(), text });
                if reply == Some(Reply::TakeAndBreak) {
                    return;
                }
                "250 taken"
            }
            "QUIT" => {
                let _ = stream.write_all(b"221 bye\r\n").await;
                return;
            }
            _ => "250 ok",
        };
        let is_over = answer == "250 taken" && reply == Some(Reply::TakeAndClose);
        if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() || is_over {
            return;
        }
    }
}

/// Everything up to the line with a single dot.
async fn content(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
