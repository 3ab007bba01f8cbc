//! Work that happens after the answer: delivered at least once, in the order of its time, with growing pauses
//! after failures. Rows of the job queue survive a crash.

use std::sync::Arc;
use std::time::Duration;

use latchkey_storage::engine::Outcome;
use latchkey_storage::jobs::{self, JobRow};
use tokio::sync::{Mutex, Notify, watch};

use crate::activity;
use crate::app::App;
use crate::clean_up;
use crate::failure::Failure;
use crate::outbox;
use crate::project_deletion;
use crate::webhooks;

/// How long a claimed job is ours before somebody else may take it, milliseconds.
const LEASE: i64 = 60_000;
/// How many jobs are claimed at once.
const CHUNK: i64 = 20;
/// After so many failures a job is buried.
const MAX_ATTEMPTS: i64 = 12;
/// Pause after the first failure, milliseconds; doubled after each further one.
const FIRST_PAUSE: i64 = 5_000;
/// The longest pause, milliseconds.
const LONGEST_PAUSE: i64 = 6 * 60 * 60 * 1000;
/// How often the queues are looked at when nothing wakes their workers.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// How long after it was woken the webhooks' worker looks: by then, what woke it is usually committed.
const BREATH: Duration = Duration::from_millis(20);

/// How long after its start a server cleans up for the first time: those that start often clean up as well.
const FIRST_CLEAN_UP: Duration = Duration::from_mins(10);
/// The pause between two clean-ups.
const DAY: Duration = Duration::from_hours(24);

/// Wakes the worker when there is something to do, and lets one at a time work.
#[derive(Default)]
pub(crate) struct JobQueue {
    woken: Notify,
    working: Mutex<()>,
}

impl JobQueue {
    /// Something was queued.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }
}

/// Runs until `stop` says so and what is in hand is finished: delivers mail, delivers webhooks, cleans up once a day, removes
/// deleted projects, and writes collected activity about once a second, the last time at the end. None of them waits for another.
pub async fn work(app: &Arc<App>, stop: watch::Receiver<bool>) {
    tokio::join!(
        deliver_mail(app, stop.clone()),
        deliver_webhooks(app, stop.clone()),
        write_activity(app, stop.clone()),
        clean_up_daily(app, stop.clone()),
        project_deletion::work(app, stop)
    );
}

async fn deliver_mail(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = run_due_mail(app).await {
            tracing::error!(?error, "the job queue could not be worked on");
        }
        tokio::select! {
            () = app.jobs.woken.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            // An error means that the sender is gone, which is an end as well.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn deliver_webhooks(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = webhooks::start_due(app).await {
            tracing::error!(?error, "the queue of webhooks could not be worked on");
        }
        let woken = tokio::select! {
            () = app.webhooks.woken.notified() => true,
            () = tokio::time::sleep(TICK) => false,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        if woken {
            tokio::time::sleep(BREATH).await;
        }
    }
    app.webhooks.stop();
    webhooks::finish(app).await;
}

async fn clean_up_daily(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_CLEAN_UP;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match clean_up::run(app).await {
            Ok(rows) => tracing::info!(rows, "cleaned up"),
            Err(error) => tracing::error!(?error, "the clean-up did not end"),
        }
        pause = DAY;
    }
}

async fn write_activity(app: &App, mut stop: watch::Receiver<bool>) {
    let mut last = false;
    loop {
        if let Err(error) = activity::flush(app).await {
            tracing::error!(?error, "collected activity could not be written");
        }
        if last {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => last = true,
        }
    }
}

/// Runs everything that is due now; returns how many jobs and turns of webhook endpoints there were. What somebody else
/// in this process is running is done when this returns.
pub async fn run_due(app: &Arc<App>) -> Result<usize, Failure> {
    let mut done = run_due_mail(app).await?;
    loop {
        let turns = webhooks::start_due(app).await?;
        webhooks::finish(app).await;
        if turns == 0 {
            return Ok(done);
        }
        done += turns;
    }
}

async fn run_due_mail(app: &Arc<App>) -> Result<usize, Failure> {
    let _alone = app.jobs.working.lock().await;
    let mut done = 0;
    if app.mail.is_none() {
        return Ok(done);
    }
    loop {
        let now = app.now();
        let leased_until = now + LEASE;
        let outcomes = app.store.batch(vec![jobs::claim(outbox::QUEUE, now, leased_until, CHUNK)]).await?;
        let claimed: Vec<JobRow> = outcomes.first().map(Outcome::read).transpose()?.unwrap_or_default();
        if claimed.is_empty() {
            return Ok(done);
        }
        for job in claimed {
            if app.now() >= leased_until {
                // Those before it took so long that somebody else may have it by now.
                break;
            }
            run(app, job).await?;
            done += 1;
        }
    }
}

async fn run(app: &Arc<App>, job: JobRow) -> Result<(), Failure> {
    let (id, attempts, queue) = (job.id.clone(), job.attempts, job.queue.clone());
    let sender = Arc::clone(app);
    // A task of its own, so that a panic ends nothing but this job.
    let sent = tokio::spawn(async move { send(&sender, &job.payload).await });
    let outcome = sent.await.unwrap_or_else(|_| Err("its delivery panicked".to_owned()));
    let statement = match outcome {
        Ok(()) => jobs::complete(&id, attempts),
        Err(error) if attempts >= MAX_ATTEMPTS => {
            tracing::error!(job = %id, %queue, error, "a job failed for the last time");
            jobs::bury(&id, attempts, &error)
        }
        Err(error) => {
            tracing::warn!(job = %id, %queue, attempts, error, "a job failed");
            jobs::retry_later(&id, attempts, app.now() + pause(attempts), &error)
        }
    };
    app.store.batch(vec![statement]).await?;
    Ok(())
}

/// Sends a queued mail.
async fn send(app: &App, payload: &[u8]) -> Result<(), String> {
    let mail = app.mail.as_ref().ok_or("there is no mail transport")?;
    let message = outbox::open(app, payload).map_err(|failure| format!("{failure:?}"))?;
    mail.send(&message).await.map_err(|error| error.to_string())
}

fn pause(attempts: i64) -> i64 {
    let doublings = u32::try_from((attempts - 1).clamp(0, 20)).unwrap_or(0);
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(pause(1), 5_000);
        assert_eq!(pause(3), 20_000);
        assert_eq!(pause(40), LONGEST_PAUSE);
    }
}
