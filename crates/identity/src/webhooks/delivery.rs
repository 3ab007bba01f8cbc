//! Delivering: gives each endpoint that something is due for its turn, many endpoints at a time, one message after the
//! other to each. A turn belongs to one server by a lease in the database; a server that dies leaves it to run out.

use std::sync::Arc;

use latchkey_storage::engine::Outcome;
use latchkey_storage::webhook_deliveries::{self, DueDelivery};
use latchkey_storage::webhook_endpoints::{self, ClaimedEndpoint};
use latchkey_storage::webhook_messages;
use serde_json::json;
use std::sync::atomic::Ordering;

use super::attempts::{Parcel, attempt};
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;

/// Pauses after the first, second … failed attempt, milliseconds. After the last of them a message is given up.
pub(super) const PAUSES: [i64; 7] =
    [5_000, 5 * 60_000, 30 * 60_000, 2 * 60 * 60_000, 5 * 60 * 60_000, 10 * 60 * 60_000, 10 * 60 * 60_000];
/// How much longer than an attempt may take a lease lasts, milliseconds.
const LEASE_MARGIN: i64 = 5_000;
/// After so long a turn ends, so that others get theirs, milliseconds.
const TURN: i64 = 30_000;

/// Begins a turn for every endpoint that something is due for, as far as there is room; returns how many.
pub(crate) async fn start_due(app: &Arc<App>) -> Result<usize, Failure> {
    let mut started = 0;
    // Held from before the claim, and shared with the turns: whoever waits for them must not look in between.
    let working = Arc::new(Arc::clone(&app.webhooks.in_flight).read_owned().await);
    loop {
        let room = i64::try_from(app.webhooks.slots.available_permits()).unwrap_or(0);
        if room == 0 {
            return Ok(started);
        }
        let now = app.now();
        let lease = now + lease(app);
        let outcomes = app.store.batch(vec![webhook_endpoints::claim(now, lease, room)]).await?;
        let claimed: Vec<ClaimedEndpoint> =
            outcomes.first().map(Outcome::read).transpose()?.unwrap_or_default();
        let taken = i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        started += claimed.len();
        for endpoint in claimed {
            let permit = Arc::clone(&app.webhooks.slots).acquire_owned().await;
            let working = Arc::clone(&working);
            let app = Arc::clone(app);
            // A task of its own, so that a panic ends nothing but this turn.
            tokio::spawn(async move {
                let _guards = (permit, working);
                if let Err(error) = turn(&app, &endpoint, lease).await {
                    tracing::error!(?error, endpoint = %endpoint.id, "webhooks could not be delivered");
                }
                app.webhooks.woken.notify_one();
            });
        }
        if taken < room {
            return Ok(started);
        }
    }
}

/// Whether no delivery of this process is in progress.
pub(crate) fn is_quiet(app: &App) -> bool {
    app.webhooks.in_flight.try_write().is_ok()
}

/// Returns when no delivery of this process is in progress.
pub(crate) async fn finish(app: &App) {
    drop(app.webhooks.in_flight.write().await);
}

/// How long a lease lasts, milliseconds.
fn lease(app: &App) -> i64 {
    app.config.webhooks.timeout.as_millis() + LEASE_MARGIN
}

async fn turn(app: &App, endpoint: &ClaimedEndpoint, mut ours_until: i64) -> Result<(), Failure> {
    let end = app.now() + TURN;
    while app.now() < end && !app.webhooks.stopping.load(Ordering::Relaxed) {
        let (project, id, now) = (endpoint.project_id.clone(), endpoint.id.clone(), app.now());
        let next = app.store.lookup(move |tx| {
            Box::pin(
                async move { Ok::<_, Failure>(webhook_deliveries::next_due(tx, &project, &id, now).await?) },
            )
        });
        let Some(delivery) = next.await? else { break };
        match deliver(app, endpoint, &delivery, ours_until).await? {
            Some(until) => ours_until = until,
            // The lease ran out in between, and somebody else goes on.
            None => return Ok(()),
        }
    }
    let release = webhook_endpoints::move_lease(&endpoint.project_id, &endpoint.id, ours_until, app.now());
    app.store.batch(vec![release]).await?;
    Ok(())
}

/// Makes one attempt and writes down how it went; gives the end of the lease, which moves on with it.
async fn deliver(
    app: &App,
    endpoint: &ClaimedEndpoint,
    delivery: &DueDelivery,
    ours_until: i64,
) -> Result<Option<i64>, Failure> {
    let (project, id) = (&endpoint.project_id, &endpoint.id);
    let parcel = Parcel {
        project,
        endpoint: id,
        message: &delivery.message_id,
        payload: &delivery.payload,
        url: &delivery.url,
        secret_sealed: &delivery.secret_sealed,
        previous_secret_sealed: delivery.previous_secret_sealed.as_deref(),
        previous_secret_until: delivery.previous_secret_until,
        is_manual: false,
    };
    let outcome = attempt(app, &parcel).await?;
    let now = app.now();
    let attempts = delivery.attempts + 1;
    let until = now + lease(app);
    let noted = if outcome.succeeded {
        webhook_endpoints::note_success(project, id)
    } else {
        let too_long_ago = now - app.config.webhooks.disable_after.as_millis();
        webhook_endpoints::note_failure(project, id, now, too_long_ago)
    };
    let pause = usize::try_from(delivery.attempts).ok().and_then(|failed| PAUSES.get(failed));
    let next = match pause {
        Some(pause) if !outcome.succeeded => {
            webhook_deliveries::retry_at(project, id, &delivery.message_id, attempts, now + pause)
        }
        _ => webhook_deliveries::delete(project, id, &delivery.message_id),
    };
    if !outcome.succeeded {
        let given_up = pause.is_none();
        tracing::info!(endpoint = %id, message = %delivery.message_id, attempts, given_up, "a webhook was not accepted");
    }
    let statements = vec![
        webhook_endpoints::move_lease(project, id, ours_until, until),
        webhook_messages::insert_attempt(&outcome),
        next,
        noted,
    ];
    let outcomes = app.store.batch(statements).await?;
    let switched_off: Option<(bool,)> = outcomes.last().map(Outcome::first).transpose()?.flatten();
    if switched_off == Some((true,)) {
        tracing::warn!(endpoint = %id, %project, "a webhook endpoint failed for too long and is switched off");
        let event = Event::of(Actor::System).with(json!({ "endpoint_id": id }));
        let record = audit::record(app, project, audit::kind::WEBHOOK_ENDPOINT_DISABLED, &event);
        app.store.batch(vec![record]).await?;
    }
    Ok(outcomes.first().is_some_and(|moved| moved.affected == 1).then_some(until))
}
