//! How fast a project's mail may leave, so that no project wears out the good name of the deployment's mail server, nor
//! its own by an accident. Reckoned in each server by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::outbox::{EmailBoost, EmailCapacity, EmailCounts, EmailDeliveryInfo, EmailStats};
use latchkey_api_types::timestamps::rfc3339;
use latchkey_storage::{StorageError, mail_capacities, outbox};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;

/// How many mails may leave in a row before the rate counts.
const BURST: i64 = 200;
/// How many times as fast mail leaves while a boost lasts.
const BOOST: i64 = 4;
/// How long a boost lasts, milliseconds.
const BOOST_LASTS: i64 = 4 * 60 * 60 * 1000;
/// Of how many projects the pace is remembered before those that rest are forgotten.
const REMEMBERED: usize = 1_000;

/// When each project's last mail would have left at an even pace (the generic cell rate algorithm), in microseconds
/// since the epoch.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<ProjectId, i64>>);

impl Pace {
    /// Takes the place of one mail; otherwise says when there is one, epoch milliseconds.
    pub(crate) fn take(&self, project: &ProjectId, now: i64, per_second: i64) -> Result<(), i64> {
        let step = 1_000_000 / per_second.max(1);
        let now = now * 1000;
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() > REMEMBERED {
            due.retain(|_, due| *due > now);
        }
        let at = due.get(project).copied().unwrap_or(now).max(now);
        let early = at - now - step * (BURST - 1);
        if early > 0 {
            return Err((now + early).div_euclid(1000) + 1);
        }
        due.insert(project.clone(), at + step);
        Ok(())
    }
}

/// How many mails a second may leave.
pub(crate) fn rate(app: &App, is_boosted: bool) -> i64 {
    i64::from(app.config.mail.rate_per_second) * if is_boosted { BOOST } else { 1 }
}

/// How much mail has left, and how fast it may.
///
/// # Errors
/// Only those of storage.
pub async fn delivery_info(app: &App, auth: &Auth) -> Result<EmailDeliveryInfo, Failure> {
    const HOUR: i64 = 60 * 60 * 1000;
    let (project, now) = (auth.project.id.clone(), app.now());
    let read = app.store.scan(move |tx| {
        Box::pin(async move {
            let mut sent = [0; 4];
            for (count, hours) in sent.iter_mut().zip([1, 24, 7 * 24, 30 * 24]) {
                *count = outbox::count_sent(tx, &project, now - hours * HOUR).await?;
            }
            Ok::<_, Failure>((sent, mail_capacities::boost_expires_at(tx, &project).await?))
        })
    });
    let (sent, boost) = read.await?;
    let [hour, day, week, month] = sent.map(EmailCounts::sent);
    let lasting = boost.filter(|until| *until > now);
    Ok(EmailDeliveryInfo {
        stats: EmailStats { hour, day, week, month },
        capacity: EmailCapacity {
            rate_per_second: rate(app, lasting.is_some()),
            boost_multiplier: if lasting.is_some() { BOOST } else { 1 },
            penalty_factor: 1,
            is_boost_active: lasting.is_some(),
            boost_expires_at: lasting.map(rfc3339),
        },
    })
}

/// Begins four hours in which mail may leave faster.
///
/// # Errors
/// `EMAIL_CAPACITY_BOOST_ALREADY_ACTIVE`.
pub async fn boost(app: &App, auth: &Auth) -> Result<EmailBoost, Failure> {
    let (project, now) = (auth.project.id.clone(), app.now());
    let expires_at = now + BOOST_LASTS;
    let begin = mail_capacities::begin_boost(&project, expires_at, now).exactly(1);
    match app.store.batch(vec![begin]).await {
        Ok(_) => Ok(EmailBoost { expires_at: rfc3339(expires_at) }),
        Err(StorageError::Guard { .. }) => {
            let read = app.store.read(move |tx| {
                Box::pin(
                    async move { Ok::<_, Failure>(mail_capacities::boost_expires_at(tx, &project).await?) },
                )
            });
            let until = read.await?.unwrap_or(now);
            Err(KnownError::email_capacity_boost_already_active(&rfc3339(until)).into())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_s_mail_leaves_at_an_even_pace_once_it_has_left_in_a_row() {
        let (pace, project) = (Pace::default(), ProjectId::internal());
        let now = 1_700_000_000_000;
        for _ in 0..BURST {
            pace.take(&project, now, 20).unwrap();
        }
        let next = pace.take(&project, now, 20).unwrap_err();
        assert!((now + 1..=now + 51).contains(&next), "{}", next - now);
        pace.take(&project, next, 20).unwrap();
        assert!(pace.take(&project, next, 20).is_err(), "one at a time");
        for step in 0..20 {
            assert!(pace.take(&project, now + 10_000 + step, 20).is_ok(), "a rest gives places back");
        }
    }
}
