//! The challenge against bots (contract 04 §11): a token that a widget gave to the client is verified by a service in
//! the style of Turnstile. Decides what its outcome means; what signs up asks [`check`] at the door, and
//! [`Outcome::admit_new_account`] where an account would be made.

use std::net::IpAddr;

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::{BotChallengePhase, OnlyTrue};
use latchkey_api_types::input::SecretText;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use crate::app::App;
use crate::failure::Failure;

/// The longest token that is sent on; real ones are shorter.
const MAX_TOKEN: usize = 2048;
/// The longest answer that is read, bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// What a client sent.
#[derive(Default)]
pub struct BotChallenge {
    /// What the widget gave.
    pub token: Option<String>,
    /// When it was shown.
    pub phase: Option<BotChallengePhase>,
    /// That it could not be shown.
    pub is_unavailable: bool,
}

impl BotChallenge {
    /// As it stands in the fields `bot_challenge_token`, `bot_challenge_phase` and `bot_challenge_unavailable`.
    pub fn new(
        token: Option<SecretText>,
        phase: Option<BotChallengePhase>,
        unavailable: Option<OnlyTrue>,
    ) -> Self {
        Self { token: token.map(SecretText::into_string), phase, is_unavailable: unavailable.is_some() }
    }
}

/// What is known about a client at the door. Whoever comes back by a mailed code is what they were when they asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The deployment does not ask.
    #[default]
    Off,
    /// A person, as far as the service can tell.
    Passed,
    /// The client sent no token, or one that the service refused, and did not have to send one.
    Unproven,
    /// The widget could not be shown, says the client.
    Unavailable,
    /// The service did not answer, or not in a way that says anything.
    Unknown,
}

impl Outcome {
    /// To be asked before an account is made.
    ///
    /// # Errors
    /// `BOT_CHALLENGE_FAILED` where the challenge was unavailable, unless the deployment allows that.
    pub(crate) fn admit_new_account(self, app: &App) -> Result<(), Failure> {
        if self == Self::Unavailable && !app.config.bot_challenge.allow_unavailable {
            return Err(failed("New accounts need the challenge, which could not be shown here."));
        }
        Ok(())
    }

    /// The suspicion that a new user is a machine, 0 to 100: what rules know as `riskScores.bot`.
    pub(crate) const fn risk(self) -> i64 {
        match self {
            Self::Off | Self::Passed => 0,
            Self::Unavailable | Self::Unknown => 50,
            Self::Unproven => 100,
        }
    }
}

fn failed(message: &str) -> Failure {
    KnownError::bot_challenge_failed(message).into()
}

/// Has the client's token verified. `address` is the client's, for the service.
///
/// # Errors
/// `BOT_CHALLENGE_REQUIRED` for an invisible challenge and `BOT_CHALLENGE_FAILED` for a visible one that was not passed;
/// `SCHEMA_ERROR` for a token or phase of a challenge that could not be shown.
pub(crate) async fn check(
    app: &App,
    challenge: &BotChallenge,
    address: Option<IpAddr>,
) -> Result<Outcome, Failure> {
    if !app.config.bot_challenge.enabled {
        return Ok(Outcome::Off);
    }
    if challenge.is_unavailable {
        if challenge.token.is_some() || challenge.phase.is_some() {
            let text = "bot_challenge_unavailable must not be combined with bot_challenge_token or bot_challenge_phase";
            return Err(KnownError::schema_error(text).into());
        }
        return Ok(Outcome::Unavailable);
    }
    let outcome = match &challenge.token {
        Some(token) => verify(app, token, address).await,
        None => Outcome::Unproven,
    };
    let passes = match outcome {
        Outcome::Off | Outcome::Passed => true,
        Outcome::Unknown => app.config.bot_challenge.allow_unavailable,
        Outcome::Unproven | Outcome::Unavailable => false,
    };
    match challenge.phase {
        Some(BotChallengePhase::Invisible) if !passes => Err(KnownError::bot_challenge_required().into()),
        Some(BotChallengePhase::Visible) if !passes => Err(failed("The challenge was not passed.")),
        // Without a phase it never blocks.
        _ => Ok(outcome),
    }
}

/// The part of the service's answer that counts.
#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

async fn verify(app: &App, token: &str, address: Option<IpAddr>) -> Outcome {
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Outcome::Unproven;
    }
    let settings = &app.config.bot_challenge;
    let secret = settings.secret_key.as_ref().map(latchkey_config::SecretText::expose).unwrap_or_default();
    let address = address.map(|address| address.to_string());
    let pairs = [("secret", secret), ("response", token)];
    let pairs = pairs.into_iter().chain(address.as_deref().map(|address| ("remoteip", address)));
    let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let asked = app.outgoing.post(
        settings.verify_url.as_str(),
        &headers,
        form,
        settings.timeout.as_std(),
        MAX_ANSWER,
    );
    match asked.await {
        // A refusal may come with an error status; what the body says counts.
        Ok(answer) => match serde_json::from_slice::<Verdict>(&answer.body) {
            Ok(Verdict { success: true }) if (200..300).contains(&answer.status) => Outcome::Passed,
            Ok(_) => Outcome::Unproven,
            Err(_) => {
                tracing::warn!(
                    status = answer.status,
                    "the bot challenge service answered without a verdict"
                );
                Outcome::Unknown
            }
        },
        Err(error) => {
            tracing::warn!(%error, "the bot challenge service could not be asked");
            Outcome::Unknown
        }
    }
}
