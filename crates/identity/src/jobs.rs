//! Work that happens after the answer: delivered at least once, in the order of its time, with growing pauses
//! after failures. Rows of the job queue survive a crash.

use std::time::Duration;

use latchkey_mail::Transport;
use latchkey_storage::engine::Outcome;
use latchkey_storage::jobs::{self, JobRow};
use tokio::sync::{Mutex, Notify, watch};

use crate::activity;
use crate::app::App;
use crate::failure::Failure;
use crate::outbox;
use crate::project_deletion;

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
/// How often the queue is looked at when nothing wakes it.
pub(crate) const TICK: Duration = Duration::from_secs(1);

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

/// Runs until `stop` says so and what is in hand is finished: delivers jobs, and beside that, so that none waits
/// for another, writes collected activity about once a second, the last time at the end, and removes deleted projects.
pub async fn work(app: &App, stop: watch::Receiver<bool>) {
    tokio::join!(
        deliver(app, stop.clone()),
        write_activity(app, stop.clone()),
        project_deletion::work(app, stop)
    );
}

async fn deliver(app: &App, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = run_due(app).await {
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

/// Runs every job that is due now; returns how many there were. What somebody else in this process is running is done
/// when this returns.
pub async fn run_due(app: &App) -> Result<usize, Failure> {
    let _alone = app.jobs.working.lock().await;
    let mut done = 0;
    let Some(mail) = &app.mail else { return Ok(done) };
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
            run(app, &**mail, &job).await?;
            done += 1;
        }
    }
}

async fn run(app: &App, mail: &dyn Transport, job: &JobRow) -> Result<(), Failure> {
    let outcome = match outbox::open(app, &job.payload) {
        Ok(message) => mail.send(&message).await.map_err(|error| error.to_string()),
        Err(failure) => Err(format!("{failure:?}")),
    };
    let statement = match outcome {
        Ok(()) => jobs::complete(&job.id, job.attempts),
        Err(error) if job.attempts >= MAX_ATTEMPTS => {
            tracing::error!(job = %job.id, queue = %job.queue, error, "a job failed for the last time");
            jobs::bury(&job.id, job.attempts, &error)
        }
        Err(error) => {
            tracing::warn!(job = %job.id, queue = %job.queue, attempts = job.attempts, error, "a job failed");
            jobs::retry_later(&job.id, job.attempts, app.now() + pause(job.attempts), &error)
        }
    };
    app.store.batch(vec![statement]).await?;
    Ok(())
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
