//! Work that happens after the answer: mail, webhooks, cleaning up. What is to be delivered stands in the database and
//! survives a crash.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::activity;
use crate::app::App;
use crate::clean_up;
use crate::emails;
use crate::failure::Failure;
use crate::outbox;
use crate::passwords::reset;
use crate::project_deletion;
use crate::provider_tokens::refresh;
use crate::webhooks;

/// How often the queues are looked at when nothing wakes their workers.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// How long after it was woken the webhooks' worker looks: by then, what woke it is usually committed.
const BREATH: Duration = Duration::from_millis(20);

/// How long after its start a server cleans up for the first time: those that start often clean up as well.
const FIRST_CLEAN_UP: Duration = Duration::from_mins(10);
/// The pause between two clean-ups.
const DAY: Duration = Duration::from_hours(24);

/// Wakes the worker of mails when there is something to do.
#[derive(Default)]
pub(crate) struct JobQueue {
    woken: Notify,
}

impl JobQueue {
    /// Something was queued.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }
}

/// Runs until `stop` says so and what is in hand is finished: delivers mail, answers those who forgot their password,
/// delivers webhooks, cleans up once a day, removes deleted projects, and writes collected activity about once a second,
/// the last time at the end. None of them waits for another.
pub async fn work(app: &Arc<App>, stop: watch::Receiver<bool>) {
    tokio::join!(
        deliver_mail(app, stop.clone()),
        reset::work(app, stop.clone()),
        deliver_webhooks(app, stop.clone()),
        webhooks::hand_over(app, stop.clone()),
        write_activity(app, stop.clone()),
        clean_up_daily(app, stop.clone()),
        project_deletion::work(app, stop.clone()),
        finish_refreshes(app, stop)
    );
}

async fn deliver_mail(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        // A mail to everybody fills the outbox step by step, and what is there leaves in between.
        let more = emails::run_due(app).await.unwrap_or_else(|error| {
            tracing::error!(?error, "a mail to all users could not be worked on");
            None
        });
        if let Err(error) = outbox::start_due(app).await {
            tracing::error!(?error, "the outbox could not be worked on");
        }
        if more.is_some() && !*stop.borrow() {
            continue;
        }
        tokio::select! {
            () = app.jobs.woken.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            // An error means that the sender is gone, which is an end as well.
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    outbox::finish(app).await;
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

/// A provider's answer to a refresh comes once, and is written down even if whoever asked for it has gone.
async fn finish_refreshes(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
    refresh::finish(app).await;
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

/// Runs everything that is due now; returns how many mails and turns of webhook endpoints there were. What somebody else
/// in this process is running is done when this returns.
pub async fn run_due(app: &Arc<App>) -> Result<usize, Failure> {
    let mut done = 0;
    loop {
        // What is in progress may leave more to do, also if it ends while we look.
        let was_quiet = outbox::is_quiet(app) && webhooks::is_quiet(app);
        while emails::run_due(app).await?.is_some() {}
        let answered = reset::answer_all(app).await?;
        let handed = webhooks::hand_over_due(app).await?;
        let begun = answered + handed + outbox::start_due(app).await? + webhooks::start_due(app).await?;
        outbox::finish(app).await;
        webhooks::finish(app).await;
        if begun == 0 && was_quiet {
            return Ok(done);
        }
        done += begun;
    }
}
