"""A Flask app with the guides' decorators trusts Latchkey's tokens."""

import pytest
import requests

from apps import flask_server
from person import end_session, with_other_signature, with_other_subject


@pytest.fixture(scope="module")
def jwt_app(guide):
    """The app that verifies locally."""
    with flask_server(guide("flask_jwt").app) as url:
        yield url


@pytest.fixture(scope="module")
def rest_app(guide):
    """The app that asks Latchkey."""
    with flask_server(guide("authentication").app) as url:
        yield url


def me(app, token=None):
    return requests.get(f"{app}/api/users/me", headers={"X-Stack-Access-Token": token} if token else {}, timeout=10)


def profile(app, token=None):
    return requests.get(f"{app}/profile", headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=10)


def test_locally_verified_route_refuses_a_request_without_token(jwt_app):
    assert me(jwt_app).status_code == 401


def test_locally_verified_route_knows_the_user(jwt_app, person):
    answer = me(jwt_app, person.access_token)
    assert answer.status_code == 200
    assert answer.json() == {"user_id": person.id, "is_anonymous": False}


@pytest.mark.parametrize("spoil", [with_other_subject, with_other_signature])
def test_locally_verified_route_refuses_a_tampered_token(jwt_app, person, spoil):
    assert me(jwt_app, spoil(person.access_token)).status_code == 401


def test_locally_verified_route_accepts_an_ended_session_until_the_token_expires(server, jwt_app, person):
    end_session(server, person)
    assert me(jwt_app, person.access_token).status_code == 200


def test_asking_route_refuses_a_request_without_token(rest_app):
    answer = profile(rest_app)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Authentication required"}


def test_asking_route_knows_the_user(rest_app, person):
    answer = profile(rest_app, person.access_token)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == person.id
    assert answer.json()["user"]["primary_email"] == person.email


def test_asking_route_takes_the_token_from_its_cookie(rest_app, person):
    answer = requests.get(f"{rest_app}/profile", cookies={"access_token": person.access_token}, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == person.id


@pytest.mark.parametrize("spoil", [with_other_subject, with_other_signature])
def test_asking_route_refuses_a_tampered_token(rest_app, person, spoil):
    assert profile(rest_app, spoil(person.access_token)).status_code == 401


def test_asking_route_refuses_an_ended_session_at_once(server, rest_app, person):
    assert profile(rest_app, person.access_token).status_code == 200
    end_session(server, person)
    assert profile(rest_app, person.access_token).status_code == 401


def test_public_route_greets_visitors_and_users(server, rest_app, person):
    assert requests.get(f"{rest_app}/public", timeout=10).json() == {"message": "Hello anonymous user!"}
    bearer = {"Authorization": f"Bearer {person.access_token}"}
    assert requests.get(f"{rest_app}/public", headers=bearer, timeout=10).json() == {"message": "Hello None!"}
    end_session(server, person)
    assert requests.get(f"{rest_app}/public", headers=bearer, timeout=10).json() == {"message": "Hello anonymous user!"}
