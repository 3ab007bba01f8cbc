//! Signing in through OAuth providers: the way there and back, the token endpoint (RFC 6749 section 3.2), and taking a
//! session along to another domain.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use latchkey_api_types::ErrorCode::{
    AccessTokenExpired, AppleBundleIdNotConfigured, BotChallengeFailed, BotChallengeRequired,
    ContactChannelAlreadyUsedForAuthBySomeoneElse, InvalidAppleCredentials, InvalidAuthorizationCode,
    InvalidOauthClientIdOrSecret, InvalidPublishableClientKey, MultiFactorAuthenticationRequired,
    OauthConnectionAlreadyConnectedToAnotherUser, OauthExtraScopeNotAvailableWithSharedOauthKeys,
    OauthProviderAccessDenied, OauthProviderNotFoundOrNotEnabled, OauthProviderTemporarilyUnavailable,
    OuterOauthTimeout, PublishableClientKeyRequiredForProject, RedirectUrlNotWhitelisted,
    RefreshTokenNotFoundOrExpired, SignUpNotEnabled, SignUpRejected, UnparsableAccessToken,
    UserAuthenticationRequired,
};
use latchkey_api_types::auth::{
    AppleNativeSignIn, CrossDomainAuthorize, CrossDomainRedirect, GrantType, NothingMore,
    OauthAuthorizeQuery, OauthCodeAnswer, OauthFlow, OauthLocation, OauthProviderInPath, OauthRefreshAnswer,
    OauthResponseMode, OauthTokenAnswer, OauthTokenRequest, SignInResult,
};
use latchkey_api_types::input::{SecretText, UrlText};
use latchkey_identity::Failure;
use latchkey_identity::bot_challenge::BotChallenge;
use latchkey_identity::oauth_token::{self, Client, CodeRequest, RefreshRequest};
use latchkey_identity::sign_in::cross_domain::{self, HandOver};
use latchkey_identity::sign_in::oauth::{self, Beginning, Begun, Ended, Returned, Sending, apple_native};
use serde_json::Value;

use crate::body::Body as ParsedBody;
use crate::call::{Call, OpenCall};
use crate::extract::{Body, Path, Query, Request};
use crate::failure;
use crate::openapi::Declaration;
use crate::reply::{self, Json, OauthJson, Reply, Response};
use crate::route::{ANY, RateClass, Route};

/// Seconds that the cookie of a flow lives: as long as the flow.
const COOKIE_LIFETIME: u32 = 600;

/// The longest state of a request to go on elsewhere, characters.
const LONGEST_STATE: usize = 512;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    const BACK: &str = "/auth/oauth/callback/{provider_id}";
    let back = |route: Route| {
        route.rate(RateClass::Credential).errors(&[
            OuterOauthTimeout,
            InvalidPublishableClientKey,
            PublishableClientKeyRequiredForProject,
            OauthProviderNotFoundOrNotEnabled,
            OauthProviderAccessDenied,
            OauthProviderTemporarilyUnavailable,
            RedirectUrlNotWhitelisted,
            OauthConnectionAlreadyConnectedToAnotherUser,
            ContactChannelAlreadyUsedForAuthBySomeoneElse,
            SignUpNotEnabled,
            BotChallengeFailed,
            SignUpRejected,
        ])
    };
    vec![
        Route::get("/auth/oauth/authorize/{provider_id}", "Sign in through an OAuth provider")
            .rate(RateClass::Credential)
            .errors(&[
                InvalidOauthClientIdOrSecret,
                InvalidPublishableClientKey,
                PublishableClientKeyRequiredForProject,
                OauthProviderNotFoundOrNotEnabled,
                RedirectUrlNotWhitelisted,
                BotChallengeRequired,
                BotChallengeFailed,
                OauthExtraScopeNotAvailableWithSharedOauthKeys,
                UnparsableAccessToken,
                AccessTokenExpired,
                OauthProviderTemporarilyUnavailable,
            ])
            .open(authorize),
        back(Route::get(BACK, "Come back from an OAuth provider")).open(come_back),
        back(Route::post(BACK, "Come back from an OAuth provider by a form")).open(come_back),
        Route::post("/auth/oauth/callback/apple/native", "Sign in with Apple in a native app")
            .rate(RateClass::Credential)
            .errors(&[
                OauthProviderNotFoundOrNotEnabled,
                AppleBundleIdNotConfigured,
                InvalidAppleCredentials,
                OauthProviderTemporarilyUnavailable,
                ContactChannelAlreadyUsedForAuthBySomeoneElse,
                SignUpNotEnabled,
                SignUpRejected,
                MultiFactorAuthenticationRequired,
            ])
            .on(ANY, apple),
        Route::post("/auth/oauth/token", "Exchange an authorization code or a refresh token")
            .rate(RateClass::Credential)
            .errors(&[
                InvalidOauthClientIdOrSecret,
                PublishableClientKeyRequiredForProject,
                InvalidAuthorizationCode,
                MultiFactorAuthenticationRequired,
                RefreshTokenNotFoundOrExpired,
            ])
            .open(token),
        Route::post("/auth/oauth/cross-domain/authorize", "Take the session along to another domain")
            .rate(RateClass::Credential)
            .errors(&[UserAuthenticationRequired, InvalidOauthClientIdOrSecret, RedirectUrlNotWhitelisted])
            .on(ANY, hand_over),
    ]
}

/// The way to the provider.
enum Way {
    /// For whoever follows redirects.
    Redirect { location: String, cookie: String },
    /// For whoever wants to look at it first.
    Json(OauthLocation),
}

impl Reply for Way {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        match self {
            Self::Redirect { location, cookie } => {
                redirect(StatusCode::TEMPORARY_REDIRECT, &location, &cookie, pretty)
            }
            Self::Json(location) => Json(location).render(pretty),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.redirect();
        Json::<OauthLocation>::declare(declaration);
    }
}

/// The way back to the client: with a code by 303, with an error by 307, or the error itself where there is no way.
/// The cookie of the flow goes in any case.
struct WayBack {
    ended: Ended,
    is_secure: bool,
}

impl Reply for WayBack {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        let Ended { outcome, cookie } = self.ended;
        let secure = if self.is_secure { "; Secure" } else { "" };
        let over = format!("{cookie}=; Max-Age=0; Path=/; HttpOnly{secure}");
        match outcome {
            Ok(Sending { location, is_success }) => {
                let status = if is_success { StatusCode::SEE_OTHER } else { StatusCode::TEMPORARY_REDIRECT };
                redirect(status, &location, &over, pretty)
            }
            Err(failure @ (Failure::Known(_) | Failure::Text { .. })) => {
                // The id of the request is told with internal failures only.
                let mut response = failure::render(failure, "", pretty);
                response.headers_mut().insert(SET_COOKIE, header(&over)?);
                Ok(response)
            }
            Err(failure) => Err(failure),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.redirect();
        declaration.answer::<NothingMore>(303);
    }
}

fn redirect(status: StatusCode, location: &str, cookie: &str, pretty: bool) -> Result<Response, Failure> {
    let mut response = reply::json(status, &NothingMore {}, pretty)?;
    response.headers_mut().insert(LOCATION, header(location)?);
    response.headers_mut().insert(SET_COOKIE, header(cookie)?);
    Ok(response)
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(text).map_err(|_| Failure::internal("a redirect leads to what is not a URL"))
}

fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https:")
}

async fn authorize(
    call: OpenCall,
    Path(path): Path<OauthProviderInPath>,
    Query(query): Query<OauthAuthorizeQuery>,
) -> Result<Way, Failure> {
    let gives_cookie = query.stack_response_mode != Some(OauthResponseMode::Json);
    let request = Beginning {
        provider: path.provider_id,
        client_id: query.client_id,
        client_secret: query.client_secret,
        redirect_uri: query.redirect_uri.into_string(),
        scope: query.scope,
        state: query.state,
        code_challenge: query.code_challenge,
        code_challenge_method: query.code_challenge_method,
        is_link: query.flow == Some(OauthFlow::Link),
        token: query.token,
        provider_scope: query.provider_scope,
        error_redirect_uri: query.error_redirect_uri.or(query.error_redirect_url).map(UrlText::into_string),
        after_callback_redirect_url: query.after_callback_redirect_url.map(UrlText::into_string),
        gives_cookie,
        bot_challenge: BotChallenge::new(
            query.bot_challenge_token,
            query.bot_challenge_phase,
            query.bot_challenge_unavailable,
        ),
        address: call.request.client_address(),
    };
    let Begun { location, cookie, comes_back_by_form } = oauth::begin(&call.app, request).await?;
    if !gives_cookie {
        return Ok(Way::Json(OauthLocation { location }));
    }
    // A form that another site sends brings a cookie only if it was said that it may, and that only with TLS.
    let extra = match (is_secure(&call.app.public_url), comes_back_by_form) {
        (true, true) => "; Secure; SameSite=None",
        (true, false) => "; Secure; SameSite=Lax",
        (false, _) => "; SameSite=Lax",
    };
    let cookie = format!("{cookie}=true; Max-Age={COOKIE_LIFETIME}; Path=/; HttpOnly{extra}");
    Ok(Way::Redirect { location, cookie })
}

async fn come_back(call: OpenCall, Path(path): Path<OauthProviderInPath>) -> Result<WayBack, Failure> {
    let parameters = parameters(&call.request);
    let has_cookie = |name: &str| cookie_is_true(&call.request, name);
    let returned = Returned {
        provider: &path.provider_id,
        parameters: &parameters,
        has_cookie: &has_cookie,
        origin: call.request.origin(),
    };
    let ended = oauth::finish(&call.app, returned).await?;
    Ok(WayBack { ended, is_secure: is_secure(&call.app.public_url) })
}

async fn apple(call: Call, Body(body): Body<AppleNativeSignIn>) -> Result<Json<SignInResult>, Failure> {
    let origin = call.request.origin();
    apple_native::sign_in(&call.app, &call.auth, body.id_token.as_str(), origin).await.map(Json)
}

/// Query or form, with everything that stands there twice.
fn parameters(request: &Request) -> Vec<(String, String)> {
    if let ParsedBody::Json(Value::Object(form)) = &request.body {
        let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        return form.iter().filter_map(text).collect();
    }
    let query = request.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Whether the browser sent this cookie with the value `true` (RFC 6265 section 4.2).
fn cookie_is_true(request: &Request, name: &str) -> bool {
    let lines =
        request.headers.get_all(http::header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(other, value)| other == name && value == "true")
}

async fn token(
    call: OpenCall,
    Body(body): Body<OauthTokenRequest>,
) -> Result<OauthJson<OauthTokenAnswer>, Failure> {
    let client =
        Client { id: body.client_id.as_deref(), secret: body.client_secret.as_ref().map(SecretText::as_str) };
    match body.grant_type {
        GrantType::AuthorizationCode => {
            let request = CodeRequest {
                client,
                code: body.code.as_ref().map(SecretText::as_str),
                redirect_uri: body.redirect_uri.as_deref(),
                code_verifier: body.code_verifier.as_ref().map(SecretText::as_str),
                origin: call.request.origin(),
            };
            let redeemed = oauth_token::redeem(&call.app, request).await?;
            let answer = OauthCodeAnswer::new(redeemed.result, redeemed.after_callback_redirect_url);
            Ok(OauthJson(OauthTokenAnswer::Code(answer)))
        }
        GrantType::RefreshToken => {
            let request = RefreshRequest {
                client,
                refresh_token: body.refresh_token.as_ref().map(SecretText::as_str),
                end_user_ip: call.request.end_user(),
            };
            let tokens = oauth_token::refresh(&call.app, request).await?;
            let answer = OauthRefreshAnswer::new(tokens.access_token, tokens.refresh_token);
            Ok(OauthJson(OauthTokenAnswer::Refresh(answer)))
        }
    }
}

async fn hand_over(
    call: Call,
    Body(body): Body<CrossDomainAuthorize>,
) -> Result<Json<CrossDomainRedirect>, Failure> {
    if body.state.as_str().chars().count() > LONGEST_STATE {
        return Err(Failure::text(400, "state has more than 512 characters."));
    }
    let request = HandOver {
        redirect_uri: body.redirect_uri.as_str(),
        state: body.state.as_str(),
        code_challenge: &body.code_challenge,
        after_callback_redirect_url: body.after_callback_redirect_url.as_ref().map(UrlText::as_str),
        refresh_token: call.request.refresh_token.as_deref(),
    };
    let redirect_url = cross_domain::authorize(&call.app, &call.auth, request).await?;
    Ok(Json(CrossDomainRedirect { redirect_url }))
}
