"""Signing in through a GitHub of one's own: its OAuth is done by Authlib, its API is as GitHub's."""

import itertools

import pytest
import requests

from github_server import Client, GitHub, github_server
from oauth_visit import agree, begin, come_back, query, redeem
from person import call, configure, sign_up

SECRET = "a secret/with:signs+%&="
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def started(server):
    """One GitHub for all tests, per engine, which the project knows as `github`."""
    with github_server() as github:
        github.client = Client("Iv1.harbour", SECRET, f"{server.base_url}/api/v1/auth/oauth/callback/github")
        settings = {
            "type": "github", "isShared": False, "allowSignIn": True, "allowConnectedAccounts": True, "baseUrl": github.url,
            "clientId": github.client.client_id, "clientSecret": SECRET, "trustEmailVerified": True,
        }
        configure(server, {"auth.oauth.providers.github": settings})
        yield github


@pytest.fixture
def github(started) -> GitHub:
    """The GitHub, as it is when nothing is wrong."""
    started.knows_only_forms, started.hides_emails, started.issuer = False, False, ""
    started.refusals.clear()
    return started


@pytest.fixture
def login() -> str:
    """A name nobody else has there."""
    return f"octocat-{next(numbers)}"


def answer_of(server, login: str, **parameters):
    """Somebody goes to GitHub, agrees and comes back: the visit and the answer of the callback."""
    visit = begin(server, "github", **parameters)
    return visit, come_back(visit, agree(visit, login=login, answer="authorize"))


def sign_in(server, login: str, **parameters) -> tuple[dict, dict]:
    """The whole way: the user and the answer of the token endpoint."""
    visit, answer = answer_of(server, login, **parameters)
    tokens = redeem(server, visit, answer)
    user = call(server, "GET", "/users/me", headers={"x-stack-access-token": tokens["access_token"]})
    assert user.status_code == 200, user.text
    return user.json(), tokens


def error_of(answer) -> str:
    """The code with which the browser is sent to the application."""
    assert answer.status_code == 307, answer.text
    return query(answer.headers["location"])["errorCode"]


def count_users(server) -> int:
    return len(call(server, "GET", "/users", "server", params={"limit": 1000}).json()["items"])


def verify(server, user: str, email: str) -> None:
    """The server says that the address is theirs."""
    answer = call(server, "PATCH", f"/users/{user}", "server", json={"primary_email": email, "primary_email_verified": True, "primary_email_auth_enabled": True})
    assert answer.status_code == 200, answer.text


def test_somebody_new_has_the_primary_address_name_and_picture(server, github, login, email):
    account = github.join(login, (email, True), (f"a-{email}", True), (f"z-{email}", False), name="Octo Cat")
    user, tokens = sign_in(server, login)
    assert (user["primary_email"], user["primary_email_verified"]) == (email, True)
    assert (user["display_name"], user["profile_image_url"]) == ("Octo Cat", f"https://avatars.example.com/u/{account.id}")
    assert tokens["is_new_user"] is True
    again, tokens = sign_in(server, login)
    assert (again["id"], tokens["is_new_user"]) == (user["id"], False)
    linked = call(server, "GET", "/oauth-providers", "server", params={"user_id": user["id"]}).json()["items"]
    assert [(one["type"], one["account_id"]) for one in linked] == [("github", str(account.id))]


def test_somebody_without_a_name_has_that_of_the_account(server, github, login, email):
    github.join(login, (email, True))
    assert sign_in(server, login)[0]["display_name"] == login


def test_a_renamed_account_with_another_address_is_the_same_user(server, github, login, email):
    account = github.join(login, (email, True))
    user, _ = sign_in(server, login)
    github.accounts[f"{login}-renamed"] = account
    account.login, account.emails = f"{login}-renamed", [(f"new-{email}", True)]
    again, _ = sign_in(server, account.login)
    assert (again["id"], again["primary_email"]) == (user["id"], email)


def test_tokens_are_read_as_a_form_as_well(server, github, login, email):
    github.knows_only_forms = True
    github.join(login, (email, True))
    assert sign_in(server, login)[0]["primary_email"] == email


def test_further_scopes_are_asked_for_and_come_back_with_commas(server, github, login, email):
    github.join(login, (email, True))
    visit = begin(server, "github", provider_scope="repo read:user")
    assert visit.parameter("scope") == "user:email repo read:user"
    assert visit.parameter("code_challenge_method") == "S256"
    redeem(server, visit, come_back(visit, agree(visit, login=login, answer="authorize")))
    assert sorted(github.authorizations_of(login)[0].scope.split()) == ["read:user", "repo", "user:email"]


def test_somebody_with_a_verified_address_is_the_user_who_has_it(server, github, login, email):
    person = sign_up(server, email)
    verify(server, person.id, email)
    github.join(login, (email.upper(), True))
    user, tokens = sign_in(server, login)
    assert (user["id"], tokens["is_new_user"]) == (person.id, False)


def test_an_unverified_primary_address_takes_no_account_over(server, github, login, email):
    person = sign_up(server, email)
    verify(server, person.id, email)
    # That another address of theirs is verified changes nothing about this one.
    github.join(login, (email, False), (f"own-{email}", True))
    before = count_users(server)
    assert error_of(answer_of(server, login)[1]) == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    assert count_users(server) == before
    assert call(server, "GET", "/oauth-providers", "server", params={"user_id": person.id}).json()["items"] == []


def test_a_verified_address_that_is_not_the_primary_one_takes_no_account_over(server, github, login, email):
    person = sign_up(server, email)
    verify(server, person.id, email)
    github.join(login, (f"own-{email}", True), (email, True))
    user, tokens = sign_in(server, login)
    assert user["id"] != person.id
    assert (user["primary_email"], tokens["is_new_user"]) == (f"own-{email}", True)


def test_a_server_whose_word_about_addresses_is_not_trusted_takes_no_account_over(server, github, login, email):
    settings = {
        "type": "github", "isShared": False, "allowSignIn": True, "baseUrl": github.url, "clientId": "Iv1.stranger", "clientSecret": SECRET,
    }
    configure(server, {"auth.oauth.providers.stranger": settings})
    own, github.client = github.client, Client("Iv1.stranger", SECRET, f"{server.base_url}/api/v1/auth/oauth/callback/stranger")
    try:
        person = sign_up(server, email)
        verify(server, person.id, email)
        github.join(login, (email, True))
        visit = begin(server, "stranger")
        answer = come_back(visit, agree(visit, login=login, answer="authorize"))
        assert error_of(answer) == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    finally:
        github.client = own


def test_an_address_that_a_user_here_has_not_verified_is_not_joined(server, github, login, email):
    sign_up(server, email)
    github.join(login, (email, True))
    assert error_of(answer_of(server, login)[1]) == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"


def test_somebody_new_with_an_unverified_address_has_it_unverified(server, github, login, email):
    github.join(login, (email, False))
    user, _ = sign_in(server, login)
    assert (user["primary_email"], user["primary_email_verified"]) == (email, False)


@pytest.mark.parametrize("emails", [True, False])
def test_without_the_permission_to_read_addresses_a_text_says_so(server, github, login, email, emails):
    github.join(login, *([(email, True)] if emails else []))
    github.hides_emails = emails
    before = count_users(server)
    _, answer = answer_of(server, login)
    assert answer.status_code == 400
    assert "x-stack-known-error" not in answer.headers and "location" not in answer.headers
    assert "email" in answer.text
    assert count_users(server) == before


def test_somebody_who_says_no_comes_back_with_an_error(server, github, login, email):
    github.join(login, (email, True))
    visit = begin(server, "github")
    callback = agree(visit, login=login, answer="cancel")
    assert query(callback)["error"] == "access_denied"
    assert error_of(come_back(visit, callback)) == "OAUTH_PROVIDER_ACCESS_DENIED"


def test_a_code_is_redeemed_once(server, github, login, email):
    github.join(login, (email, True))
    visit = begin(server, "github")
    callback = agree(visit, login=login, answer="authorize")
    redeem(server, visit, come_back(visit, callback))
    # The same answer again, and then its code in a sign-in of its own: refused here, and refused there.
    assert come_back(visit, callback).status_code == 400
    assert github.refusals == []
    other = begin(server, "github")
    replayed = f"{callback.split('?')[0]}?code={query(callback)['code']}&state={other.parameter('state')}"
    assert come_back(other, replayed).status_code == 400
    assert github.refusals == ["bad_verification_code"]


def test_a_code_of_somebody_else_fits_no_other_sign_in(server, github, login, email):
    github.join(login, (email, True))
    stolen = query(agree(begin(server, "github"), login=login, answer="authorize"))["code"]
    visit = begin(server, "github")
    injected = f"{server.base_url}/api/v1/auth/oauth/callback/github?code={stolen}&state={visit.parameter('state')}"
    assert come_back(visit, injected).status_code == 400
    assert github.refusals == ["bad_verification_code"]
    assert github.authorizations_of(login) == []


def test_a_secret_that_was_changed_there_signs_nobody_in(server, github, login, email):
    github.join(login, (email, True))
    github.client.client_secret = "another"
    try:
        assert answer_of(server, login)[1].status_code == 400
    finally:
        github.client.client_secret = SECRET
    assert github.refusals == ["incorrect_client_credentials"]


def test_the_server_may_say_who_it_is_and_nobody_else_may(server, github, login, email):
    github.join(login, (email, True))
    for own in [github.url, f"{github.url}/login/oauth"]:
        github.issuer = own
        sign_in(server, login)
    for other in ["https://github.com/login/oauth", "https://evil.example", f"{github.url}/"]:
        github.issuer = other
        assert answer_of(server, login)[1].status_code == 400
    assert len(github.authorizations_of(login)) == 2


def access_token(server, tokens: dict, scope: str | None = None):
    """What the application gets when it asks for an access token of GitHub."""
    headers = {"x-stack-access-token": tokens["access_token"]}
    return call(server, "POST", "/connected-accounts/me/github/access-token", headers=headers, json={"scope": scope} if scope else {})


def test_the_application_gets_a_token_that_opens_the_api(server, github, login, email):
    account = github.join(login, (email, True))
    _, tokens = sign_in(server, login, provider_scope="repo")
    answer = access_token(server, tokens, "repo user:email")
    assert answer.status_code == 201, answer.text
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(f"{github.url}/api/v3/user", headers=headers, timeout=10).json()["id"] == account.id
    refused = access_token(server, tokens, "admin:org")
    assert refused.headers["x-stack-known-error"] == "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE"


def test_a_token_that_was_revoked_there_is_replaced(server, github, login, email):
    github.join(login, (email, True))
    _, tokens = sign_in(server, login)
    first = access_token(server, tokens).json()["access_token"]
    assert access_token(server, tokens).json()["access_token"] == first
    github.forget_access_token(first)
    second = access_token(server, tokens).json()["access_token"]
    assert second != first
    assert len(github.authorizations_of(login)) == 2


def test_an_authorization_that_was_revoked_there_is_reported(server, github, login, email):
    github.join(login, (email, True))
    user, tokens = sign_in(server, login)
    assert access_token(server, tokens).status_code == 201
    for given in github.authorizations_of(login):
        given.revoked = True
    for _ in range(2):
        answer = access_token(server, tokens)
        assert answer.headers["x-stack-known-error"] == "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE", answer.text
    # The account still signs in, and then there are new tokens.
    again, tokens = sign_in(server, login)
    assert again["id"] == user["id"]
    assert access_token(server, tokens).status_code == 201
