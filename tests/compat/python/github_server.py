"""A server with the OAuth and the API of GitHub Enterprise, built on Authlib, which this project did not write.

Owns its accounts, codes and tokens, in memory. What is particular about GitHub is here: paths, tokens as a form unless JSON
is asked for, errors with status 200, scopes with commas, addresses as a list of their own.
"""

import contextlib
import os
import time
import urllib.parse
from dataclasses import dataclass, field

import flask
import pytest
from authlib.common.security import generate_token
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter

from apps import flask_server

EIGHT_HOURS = 8 * 60 * 60
# What GitHub calls the errors of RFC 6749 section 5.2.
ERRORS = {"invalid_grant": "bad_verification_code", "invalid_client": "incorrect_client_credentials"}


@dataclass
class Account:
    """A user there. `emails` are pairs: address and whether it is verified; the first is the primary one."""

    id: int
    login: str
    emails: list[tuple[str, bool]]
    name: str | None = None


@dataclass
class Client(ClientMixin):
    """An application that is registered there."""

    client_id: str
    client_secret: str
    redirect_uri: str
    scope: str = "read:user repo user:email"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uri

    def get_allowed_scope(self, scope):
        return " ".join(one for one in scope.split() if one in self.scope.split())

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret):
        return client_secret == self.client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_post"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class Code(AuthorizationCodeMixin):
    """A code that was given out."""

    client_id: str
    redirect_uri: str
    scope: str
    account: Account
    challenge: str
    method: str

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


@dataclass
class Token(TokenMixin):
    """A pair of tokens that was given out."""

    client_id: str
    account: Account
    access_token: str
    refresh_token: str
    scope: str
    revoked: bool = False
    expires_at: float = field(default_factory=lambda: time.time() + EIGHT_HOURS)

    def check_client(self, client):
        return client.client_id == self.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return EIGHT_HOURS

    def is_expired(self):
        return time.time() > self.expires_at

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.account


@dataclass
class GitHub:
    """A running server; what the tests change and look at."""

    url: str = ""
    client: Client | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    # Errors of the token endpoint, as they went out.
    refusals: list[str] = field(default_factory=list)
    # Whether tokens come as a form whatever is asked for, as old servers have it.
    knows_only_forms: bool = False
    # Who it says it is in redirects (RFC 9207); nothing if empty.
    issuer: str = ""
    # Whether the owner of an account takes the permission to read addresses away.
    hides_emails: bool = False

    def join(self, login: str, *emails: tuple[str, bool], name: str | None = None) -> Account:
        """A new account."""
        self.accounts[login] = Account(len(self.accounts) + 1000, login, list(emails), name)
        return self.accounts[login]

    def forget_access_token(self, access_token: str) -> None:
        """An access token is no good any more; its refresh token is."""
        next(token for token in self.tokens if token.access_token == access_token).access_token = "forgotten"

    def authorizations_of(self, login: str) -> list[Token]:
        """The tokens that somebody's agreement has made."""
        return [token for token in self.tokens if token.account.login == login]


@contextlib.contextmanager
def github_server():
    """A running server, ended with the block."""
    state = GitHub()
    app = flask.Flask(__name__)
    server = AuthorizationServer(
        query_client=lambda client_id: state.client if state.client and state.client.client_id == client_id else None,
        save_token=lambda token, request: state.tokens.append(
            Token(request.client.client_id, request.user, token["access_token"], token["refresh_token"], token["scope"])
        ),
    )

    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

        def save_authorization_code(self, code, request):
            asked = request.payload.data
            state.codes[code] = Code(
                request.client.client_id, request.payload.redirect_uri, request.client.get_allowed_scope(request.payload.scope or ""), request.user,
                asked.get("code_challenge", ""), asked.get("code_challenge_method", "plain"),
            )

        def query_authorization_code(self, code, client):
            found = state.codes.get(code)
            return found if found and found.client_id == client.client_id else None

        def delete_authorization_code(self, authorization_code):
            state.codes = {code: one for code, one in state.codes.items() if one is not authorization_code}

        def authenticate_user(self, authorization_code):
            return authorization_code.account

    class RefreshGrant(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token):
            return next((one for one in state.tokens if one.refresh_token == refresh_token and not one.revoked), None)

        def authenticate_user(self, refresh_token):
            return refresh_token.account

        def revoke_old_credential(self, refresh_token):
            refresh_token.revoked = True

    class Challenge(CodeChallenge):
        def get_authorization_code_challenge(self, authorization_code):
            return authorization_code.challenge

        def get_authorization_code_challenge_method(self, authorization_code):
            return authorization_code.method

    class Issuer(IssuerParameter):
        def get_issuer(self):
            return state.issuer or None

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string):
            return next((one for one in state.tokens if one.access_token == token_string), None)

    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = lambda *_, **__: f"ghu_{generate_token(36)}"
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = lambda *_, **__: f"ghr_{generate_token(76)}"
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": EIGHT_HOURS, "refresh_token": EIGHT_HOURS}
    server.init_app(app)
    server.register_grant(CodeGrant, [Challenge(required=True)])
    server.register_grant(RefreshGrant)
    server.register_extension(Issuer())
    protect = ResourceProtector()
    protect.register_token_validator(Validator())

    @app.get("/login/oauth/authorize")
    def ask():
        grant = server.get_consent_grant(end_user=None)
        return {"application": grant.client.client_id, "scope": grant.request.payload.scope}

    @app.post("/login/oauth/authorize")
    def agree():
        account = state.accounts[flask.request.form["login"]] if flask.request.form["answer"] == "authorize" else None
        return server.create_authorization_response(grant_user=account, grant=server.get_consent_grant(end_user=account))

    @app.post("/login/oauth/access_token")
    def exchange():
        answer = server.create_token_response()
        members = answer.get_json()
        if "error" in members:
            members["error"] = ERRORS.get(members["error"], members["error"])
            state.refusals.append(members["error"])
        if "scope" in members:
            members["scope"] = ",".join(members["scope"].split())
        if "application/json" in flask.request.headers.get("accept", "") and not state.knows_only_forms:
            return flask.jsonify(members)
        return flask.Response(urllib.parse.urlencode(members), content_type="application/x-www-form-urlencoded; charset=utf-8")

    @app.get("/api/v3/user")
    @protect()
    def user():
        account = current_token.account
        return {
            "id": account.id, "login": account.login, "name": account.name, "email": None,
            "avatar_url": f"https://avatars.example.com/u/{account.id}",
        }

    @app.get("/api/v3/user/emails")
    @protect()
    def emails():
        if state.hides_emails or "user:email" not in current_token.scope.split():
            return {"message": "Resource not accessible by integration"}, 403
        ordered = sorted(enumerate(current_token.account.emails), key=lambda one: one[1][0])
        return [
            {"email": email, "primary": at == 0, "verified": verified, "visibility": "private" if at == 0 else None}
            for at, (email, verified) in ordered
        ]

    with pytest.MonkeyPatch.context() as patch, flask_server(app) as url:
        patch.setitem(os.environ, "AUTHLIB_INSECURE_TRANSPORT", "1")  # Authlib wants TLS, and loopback has none
        state.url = url
        yield state
