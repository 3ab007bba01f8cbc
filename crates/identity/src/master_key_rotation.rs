//! Sealing again, with the current master key, what an older one sealed: after it, the older key can be removed from
//! the configuration.

use latchkey_api_types::ids::ProjectId;
use latchkey_storage::{
    cli_logins, deployment_secrets, mailings, oauth_tokens, outbox, projects as stored_projects,
    signing_keys, users, webhook_endpoints,
};

use crate::app::App;
use crate::failure::Failure;
use crate::projects;
use crate::provider_tokens::{self, Kind};

/// How many rows are looked at together, of what there may be much.
const PIECE: i64 = 200;

/// Seals everything again that the current master key did not seal; returns how many secrets that were.
pub async fn reseal(app: &App) -> Result<usize, Failure> {
    let mut statements = Vec::new();
    let again = |context: &str, sealed: &[u8]| -> Result<Option<Vec<u8>>, Failure> {
        if !app.master_keys.needs_reseal(sealed) {
            return Ok(None);
        }
        let opened = app.master_keys.open(context, sealed).map_err(Failure::internal)?;
        Ok(Some(app.master_keys.seal(context, &opened)))
    };
    let secrets = app
        .store
        .scan(|tx| Box::pin(async move { Ok::<_, Failure>(deployment_secrets::list(tx).await?) }))
        .await?;
    for secret in secrets {
        if let Some(sealed) = again(&secret.name, &secret.value_sealed)? {
            statements.push(deployment_secrets::reseal(&secret.name, &sealed));
        }
    }
    for project in projects::ids(app).await? {
        let of = project.clone();
        let (row, keys, totp, endpoints, logins, begun) = app
            .store
            .scan(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>((
                        stored_projects::get(tx, &of).await?,
                        signing_keys::list(tx, &of).await?,
                        users::totp_secrets(tx, &of).await?,
                        webhook_endpoints::list(tx, &of).await?,
                        cli_logins::sealed(tx, &of).await?,
                        mailings::list(tx, &of).await?,
                    ))
                })
            })
            .await?;
        if let Some(row) = row
            && let Some(sealed) = projects::resealed(app, &project, &row.settings)?
        {
            statements.push(stored_projects::reseal(&project, &row.settings, &sealed));
        }
        for key in keys {
            let context = crate::signing_keys::seal_context(&project, &key.kid);
            if let Some(sealed) = again(&context, &key.private_key_sealed)? {
                statements.push(signing_keys::reseal(&project, &key.kid, &sealed));
            }
        }
        for endpoint in endpoints {
            let context = crate::webhooks::seal_context(&project, &endpoint.id);
            let current = again(&context, &endpoint.secret_sealed)?;
            let previous = endpoint.previous_secret_sealed.as_deref();
            let resealed = previous.map(|sealed| again(&context, sealed)).transpose()?.flatten();
            if current.is_some() || resealed.is_some() {
                let current = current.unwrap_or_else(|| endpoint.secret_sealed.clone());
                let previous = resealed.as_deref().or(previous);
                statements.push(webhook_endpoints::reseal(&endpoint, &current, previous));
            }
        }
        for login in logins {
            let (context, code) = (crate::cli_logins::seal_context(&login), &login.polling_code_hash);
            if let Some(old) = &login.refresh_token_sealed
                && let Some(sealed) = again(&context, old)?
            {
                statements.push(cli_logins::reseal(&project, code, old, &sealed));
            }
            if let Some(old) = &login.anonymous_token_sealed
                && let Some(sealed) = again(&context, old)?
            {
                statements.push(cli_logins::reseal_anonymous(&project, code, old, &sealed));
            }
        }
        for mailing in begun {
            let context = crate::emails::seal_context(&project, mailing.id);
            if let Some(sealed) = again(&context, &mailing.mail_sealed)? {
                statements.push(mailings::reseal(&mailing, &sealed));
            }
        }
        for secret in totp {
            let context = crate::users::totp_seal_context(&project, secret.id);
            if let Some(sealed) = again(&context, &secret.totp_secret_sealed)? {
                statements.push(users::reseal_totp(&project, secret.id, &secret.totp_secret_sealed, &sealed));
            }
        }
    }
    let mut count = statements.len();
    for chunk in statements.chunks(500) {
        app.store.batch(chunk.to_vec()).await?;
    }
    for project in projects::ids(app).await? {
        count += reseal_mails(app, &project).await?;
        count += reseal_provider_tokens(app, &project).await?;
    }
    Ok(count)
}

/// Seals what providers gave for the accounts of a project again; returns how many tokens. As many as users.
async fn reseal_provider_tokens(app: &App, project: &ProjectId) -> Result<usize, Failure> {
    let mut count = 0;
    let mut after = String::new();
    loop {
        let (of, behind) = (project.clone(), after);
        let grants = app
            .store
            .scan(move |tx| {
                Box::pin(
                    async move { Ok::<_, Failure>(oauth_tokens::list_all(tx, &of, &behind, PIECE).await?) },
                )
            })
            .await?;
        let Some(last) = grants.last() else { return Ok(count) };
        after = last.id.to_string();
        let mut statements = Vec::new();
        for grant in &grants {
            let tokens =
                [(Kind::Access, &grant.access_token_sealed), (Kind::Refresh, &grant.refresh_token_sealed)];
            for (kind, sealed) in tokens {
                let Some(old) = sealed.as_ref().filter(|sealed| app.master_keys.needs_reseal(sealed)) else {
                    continue;
                };
                let context = provider_tokens::seal_context(grant, kind);
                let opened = app.master_keys.open(&context, old).map_err(Failure::internal)?;
                let new = app.master_keys.seal(&context, &opened);
                statements.push(match kind {
                    Kind::Access => oauth_tokens::reseal_access_token(project, grant.id, old, &new),
                    Kind::Refresh => oauth_tokens::reseal_refresh_token(project, grant.id, old, &new),
                });
            }
        }
        count += statements.len();
        app.store.batch(statements).await?;
    }
}

/// Seals the mails of a project again; returns how many. There may be many, so that they are read in pieces.
async fn reseal_mails(app: &App, project: &ProjectId) -> Result<usize, Failure> {
    let mut count = 0;
    let mut after = String::new();
    loop {
        let (of, behind) = (project.clone(), after);
        let mails = app
            .store
            .scan(move |tx| {
                Box::pin(async move { Ok::<_, Failure>(outbox::list_sealed(tx, &of, &behind, PIECE).await?) })
            })
            .await?;
        let Some(last) = mails.last() else { return Ok(count) };
        after = last.id.to_string();
        let mut statements = Vec::new();
        for mail in mails.iter().filter(|mail| app.master_keys.needs_reseal(&mail.content_sealed)) {
            let context = crate::outbox::seal_context(project, mail.id);
            let opened = app.master_keys.open(&context, &mail.content_sealed).map_err(Failure::internal)?;
            statements.push(outbox::reseal(project, mail, &app.master_keys.seal(&context, &opened)));
        }
        count += statements.len();
        app.store.batch(statements).await?;
    }
}
