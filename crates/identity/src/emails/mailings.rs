//! Mail to all users of a large project: put into the outbox a few users at a time, in the order of their ids. How far
//! it has come is written with each step, so that it goes on after a crash and nobody gets it twice.

use latchkey_api_types::ids::{MailingId, ProjectId};
use latchkey_storage::StorageError;
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::mailings::{self, MailingRow};
use latchkey_storage::users;

use crate::app::App;
use crate::failure::Failure;
use crate::outbox::{self, Mail, Recipient};
use crate::projects::{self, Project};

/// How many users one transaction serves.
const STEP: usize = 200;
/// How long a claimed mailing is ours before somebody else may take it, milliseconds.
const LEASE: i64 = 60_000;

/// What seals a mail to all users: it opens in its own row only.
pub(crate) fn seal_context(project: &ProjectId, id: MailingId) -> String {
    format!("mailing/{project}/{id}")
}

/// Begins a mailing to all users.
pub(super) async fn begin(
    app: &App,
    project: &Project,
    mail: &Mail,
    noted: Option<Stmt>,
) -> Result<(), Failure> {
    let id = MailingId::from_uuid(app.random.uuid());
    let plain = serde_json::to_vec(mail).map_err(Failure::internal)?;
    let sealed = app.master_keys.seal(&seal_context(&project.id, id), &plain);
    let mut statements = vec![mailings::insert(&project.id, id, &sealed, app.now())];
    statements.extend(noted);
    app.store.batch(statements).await?;
    app.jobs.wake();
    Ok(())
}

/// Makes one step of a mailing, if there is one to be made; gives how many mails it put into the outbox, or `None` if
/// there is no mailing.
///
/// # Errors
/// Internal failures; the mailing is tried again when its lease has run out.
pub async fn run_due(app: &App) -> Result<Option<usize>, Failure> {
    // Whoever is told that there is no mailing must not find one halfway.
    let _alone = app.outbox.mailing_step.lock().await;
    let now = app.now();
    let outcomes = app.store.batch(vec![mailings::claim(now, now + LEASE)]).await?;
    let claimed: Option<MailingRow> = outcomes.first().map(Outcome::first).transpose()?.flatten();
    let Some(mailing) = claimed else { return Ok(None) };
    let Some(project) = projects::find(app, &mailing.project_id).await? else { return Ok(Some(0)) };
    let context = seal_context(&mailing.project_id, mailing.id);
    let plain = app.master_keys.open(&context, &mailing.mail_sealed).map_err(Failure::internal)?;
    let mail: Mail = serde_json::from_slice(&plain).map_err(Failure::internal)?;

    let (id, reached) = (mailing.project_id.clone(), mailing.reached.clone());
    let step = i64::try_from(STEP).unwrap_or(i64::MAX);
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(users::ids_after(tx, &id, &reached, step).await?) })
    });
    let next = read.await?;
    let mut statements = vec![match next.last() {
        // Free for the next step, by whoever comes first.
        Some(last) if next.len() == STEP => mailings::advance(&mailing, &last.to_string(), 0).exactly(1),
        _ => mailings::finish(&mailing).exactly(1),
    }];
    for user in &next {
        statements.push(outbox::queue(app, &project, &Recipient::UserPrimaryEmail(*user), &mail)?);
    }
    match app.store.batch(statements).await {
        Ok(_) => {
            app.jobs.wake();
            Ok(Some(next.len()))
        }
        // Our lease ran out, and somebody else made this step.
        Err(StorageError::Guard { .. }) => Ok(Some(0)),
        Err(error) => Err(error.into()),
    }
}
