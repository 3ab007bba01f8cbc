"""The guides' own functions, step by step: sign up, sign in, verify, read, refresh, sign out."""

import concurrent.futures
import types

import jwt
import pytest
import requests

from latchkey_process import latchkey
from person import PASSWORD, call, end_session, sign_in, with_other_signature, with_other_subject

GUIDE_FIELDS = {
    "id", "display_name", "primary_email", "primary_email_verified", "profile_image_url",
    "signed_up_at_millis", "last_active_at_millis", "has_password", "is_anonymous", "oauth_providers",
}


@pytest.fixture(scope="module")
def backend(guide):
    """The complete example of the guide on back ends."""
    return guide("backend")


@pytest.fixture(scope="module")
def authentication(guide):
    """The guide on signing in, refreshing and signing out."""
    return guide("authentication")


def request_with(token):
    """What the framework-neutral functions of the guide take for a request."""
    return types.SimpleNamespace(headers={"X-Stack-Access-Token": token} if token else {})


def test_the_first_key_fetch_of_a_fresh_server_finds_keys():
    # PyJWKClient keeps an empty answer for minutes, so keys must exist before anybody has signed in.
    with latchkey("sqlite") as fresh:
        jwks = f"{fresh.base_url}/api/v1/projects/{fresh.project_id}/.well-known/jwks.json"
        assert jwt.PyJWKClient(jwks).get_signing_keys()


def test_sign_in_gives_the_same_user_and_another_session(server, person):
    again = sign_in(server, person.email)
    assert again.id == person.id
    assert again.refresh_token != person.refresh_token


def test_sign_in_finds_the_address_in_any_spelling(server, person):
    assert sign_in(server, person.email.upper()).id == person.id


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(server, person, known):
    body = {"email": person.email if known else "nobody@example.com", "password": PASSWORD + "!"}
    answer = call(server, "POST", "/auth/password/sign-in", json=body)
    assert answer.status_code == 400
    assert answer.headers["x-stack-known-error"] == "EMAIL_PASSWORD_MISMATCH"
    assert answer.json().keys() == {"code", "error"}


def test_a_second_sign_up_with_the_address_is_refused(server, person):
    answer = call(server, "POST", "/auth/password/sign-up", json={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 409
    assert answer.json()["code"] == "USER_EMAIL_ALREADY_EXISTS"
    assert answer.json()["details"] == {"email": person.email, "would_work_if_email_was_verified": False}


def test_local_verification_names_the_user(backend, person):
    assert backend.verify_jwt_token(person.access_token) == {"user_id": person.id, "is_anonymous": False}


def test_the_token_carries_the_claims_of_the_contract_and_no_others(server, backend, person):
    key = backend.jwks_client.get_signing_key_from_jwt(person.access_token).key
    claims = jwt.decode(
        person.access_token, key, algorithms=["ES256"], audience=server.project_id,
        issuer=f"{server.base_url}/api/v1/projects/{server.project_id}",
    )
    assert claims.keys() == {
        "sub", "iss", "aud", "iat", "exp", "project_id", "branch_id", "refresh_token_id", "role", "name", "email",
        "email_verified", "selected_team_id", "signed_up_at", "is_anonymous", "is_restricted", "restricted_reason",
        "requires_totp_mfa",
    }
    assert claims["email"] == person.email
    assert claims["role"] == "authenticated"
    assert jwt.get_unverified_header(person.access_token).keys() == {"alg", "kid"}


@pytest.mark.parametrize("spoil", [with_other_subject, with_other_signature])
def test_a_tampered_token_is_refused_locally_and_by_the_server(server, backend, person, spoil):
    tampered = spoil(person.access_token)
    assert backend.verify_jwt_token(tampered) is None
    assert backend.authenticate_user_with_api(tampered) is None
    for access_type in ["client", "server"]:
        answer = call(server, "GET", "/users/me", access_type, headers={"x-stack-access-token": tampered})
        assert answer.status_code == 401
        assert answer.json()["code"] == "UNPARSABLE_ACCESS_TOKEN"


def test_the_server_sees_all_ten_fields_of_the_guide(backend, person):
    user = backend.authenticate_user_with_api(person.access_token)
    assert user.keys() == GUIDE_FIELDS
    assert user["id"] == person.id
    assert user["display_name"] is None
    assert user["primary_email"] == person.email
    assert user["primary_email_verified"] is False
    assert user["profile_image_url"] is None
    assert 0 < user["signed_up_at_millis"] <= user["last_active_at_millis"]
    assert user["has_password"] is True
    assert user["is_anonymous"] is False
    assert user["oauth_providers"] == []


def test_the_client_sees_the_guide_fields_that_it_may_read(authentication, backend, person):
    as_server = backend.get_full_user_info(person.access_token)
    as_client = authentication.auth_manager.authenticate_request(person.access_token)
    for field in GUIDE_FIELDS - {"last_active_at_millis"}:
        assert as_client[field] == as_server[field]
    assert not as_client.keys() & {"last_active_at_millis", "server_metadata"}  # the contract keeps them for servers


def test_the_token_is_also_taken_from_the_authorization_header(server, person):
    answer = call(server, "GET", "/users/me", headers={"authorization": f"Bearer {person.access_token}"})
    assert answer.status_code == 200
    assert answer.json()["id"] == person.id


def test_the_neutral_decorators_of_the_guide_tell_users_from_visitors(backend, person):
    assert backend.fast_protected_endpoint(request_with(None)) == ({"error": "Unauthorized"}, 401)
    assert backend.fast_protected_endpoint(request_with(person.access_token)) == {
        "message": f"Hello user {person.id}!", "is_anonymous": False,
    }
    profile = backend.profile_endpoint(request_with(person.access_token))
    assert profile["user_id"] == person.id
    assert profile["email"] == person.email
    assert backend.safe_authenticate(request_with(None)) == (None, backend.AuthError.MISSING_TOKEN)
    assert backend.safe_authenticate(request_with("nonsense")) == (None, backend.AuthError.INVALID_TOKEN)
    user, error = backend.safe_authenticate(request_with(person.access_token), require_full_profile=True)
    assert error is None
    assert user["id"] == person.id


def test_refresh_by_body_gives_both_tokens_and_a_new_refresh_token(authentication, backend, person):
    tokens = authentication.refresh_user_session(person.refresh_token)
    assert tokens["refresh_token"] != person.refresh_token
    assert backend.verify_jwt_token(tokens["access_token"])["user_id"] == person.id
    assert authentication.auth_manager.authenticate_request(tokens["access_token"])["id"] == person.id
    assert authentication.refresh_user_session(tokens["refresh_token"]) is not None


def test_the_old_refresh_token_gives_the_same_successor_for_a_while(authentication, person):
    first = authentication.auth_manager.refresh_token(person.refresh_token)
    second = authentication.auth_manager.refresh_token(person.refresh_token)
    assert second["refresh_token"] == first["refresh_token"]


def test_all_racers_get_one_successor(authentication, person):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(authentication.auth_manager.refresh_token, [person.refresh_token] * 8))
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert person.refresh_token not in {answer["refresh_token"] for answer in answers}


def test_rotation_stays_in_the_same_session(authentication, person):
    tokens = authentication.auth_manager.refresh_token(person.refresh_token)
    session_of = lambda token: jwt.decode(token, options={"verify_signature": False})["refresh_token_id"]
    assert session_of(tokens["access_token"]) == session_of(person.access_token)


def test_refresh_by_header_keeps_the_refresh_token(server, person):
    for _ in range(2):
        answer = call(server, "POST", "/auth/sessions/current/refresh", headers={"x-stack-refresh-token": person.refresh_token})
        assert answer.status_code == 200
        assert answer.json().keys() == {"access_token"}


def test_an_unknown_refresh_token_is_refused(authentication):
    assert authentication.refresh_user_session("0" * 45) is None
    with pytest.raises(requests.HTTPError) as refused:
        authentication.auth_manager.refresh_token("0" * 45)
    assert refused.value.response.status_code == 401
    assert refused.value.response.json()["code"] == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


def test_sign_out_needs_only_the_access_token_and_ends_only_its_session(server, authentication, person):
    other = sign_in(server, person.email)
    assert authentication.auth_manager.sign_out(person.access_token) is True
    assert authentication.get_current_user_from_token(person.access_token) is None
    assert authentication.refresh_user_session(person.refresh_token) is None
    assert authentication.auth_manager.sign_out(person.access_token) is False
    assert authentication.get_current_user_from_token(other.access_token)["id"] == person.id
    assert authentication.refresh_user_session(other.refresh_token) is not None


def test_an_ended_session_counts_as_no_user(server, backend, person):
    end_session(server, person)
    assert backend.verify_jwt_token(person.access_token) is not None
    for access_type in ["client", "server"]:
        answer = call(server, "GET", "/users/me", access_type, headers={"x-stack-access-token": person.access_token})
        assert answer.status_code == 400
        assert answer.json()["code"] == "CANNOT_GET_OWN_USER_WITHOUT_USER"


def test_the_error_handler_of_the_guide_tells_bad_tokens(authentication, person):
    read = authentication.handle_auth_errors(authentication.auth_manager.authenticate_request)
    assert read(person.access_token)["id"] == person.id
    with pytest.raises(authentication.AuthError) as refused:
        read(with_other_signature(person.access_token))
    assert refused.value.status_code == 401
