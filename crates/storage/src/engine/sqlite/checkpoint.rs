//! Checkpoints: copying the write-ahead log into the file beside the writer, so that no commit has to wait for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connection::SqliteConnection;
use super::read_mark::ReadMark;
use crate::engine::StorageError;

/// Pause between a commit and the checkpoint that copies it and its successors.
const PACE: Duration = Duration::from_millis(100);

/// How long the writer waits for readers when it empties the log.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);

/// The writer's handle on the checkpoint thread.
pub(super) struct Checkpoints {
    wake: Option<SyncSender<()>>,
    stop: Option<SyncSender<()>>,
    turn: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(connection: SqliteConnection, mark: Arc<ReadMark>) -> Result<Self, StorageError> {
        let (wake, woken) = sync_channel(1);
        let (stop, stopped) = sync_channel(1);
        let turn = Arc::new(Mutex::new(()));
        let thread = std::thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn({
                let turn = Arc::clone(&turn);
                move || work(&connection, &mark, &woken, &stopped, &turn)
            })
            .map_err(|error| StorageError::Unavailable(format!("no thread for checkpoints: {error}")))?;
        Ok(Self { wake: Some(wake), stop: Some(stop), turn, thread: Some(thread) })
    }

    /// Says that there is something to copy.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full means that it knows already.
            let _ = wake.try_send(());
        }
    }

    /// Runs `body` while no checkpoint runs.
    pub(super) fn exclusively(&self, body: impl FnOnce()) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        body();
    }

    /// Ends the thread and waits for it.
    pub(super) fn stop(&mut self) {
        self.wake = None;
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn work(
    connection: &SqliteConnection,
    mark: &ReadMark,
    woken: &Receiver<()>,
    stopped: &Receiver<()>,
    turn: &Mutex<()>,
) {
    while woken.recv().is_ok() {
        if stopped.recv_timeout(PACE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = connection.script("PRAGMA wal_checkpoint(PASSIVE)") {
            tracing::warn!(%error, "a checkpoint failed");
        }
        mark.renew();
    }
}
