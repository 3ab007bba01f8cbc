"""An expired access token is refused by the guide's verifier and by the server."""

import datetime
import threading
import time

import jwt
import pytest

from latchkey_process import latchkey
from person import call, sign_up

SHORT_LIFETIME = {"LATCHKEY_TOKENS__ACCESS_TOKEN_LIFETIME": "1s"}


def test_an_expired_token_is_refused_locally(guide, person, monkeypatch):
    backend = guide("backend")
    assert backend.verify_jwt_token(person.access_token) is not None
    expiry = jwt.decode(person.access_token, options={"verify_signature": False})["exp"]

    class AtExpiry(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(expiry, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", AtExpiry)
    assert backend.verify_jwt_token(person.access_token) is None


@pytest.fixture(scope="module")
def hasty():
    """A server whose access tokens live for a second: its clock cannot be moved from here."""
    with latchkey("sqlite", SHORT_LIFETIME) as running:
        yield running


def test_an_expired_token_is_refused_by_the_server(hasty):
    person = sign_up(hasty, "late@example.com")
    deadline, pause = time.monotonic() + 10, threading.Event()
    while time.monotonic() < deadline:
        answer = call(hasty, "GET", "/users/me", headers={"x-stack-access-token": person.access_token})
        if answer.status_code != 200:
            break
        pause.wait(0.05)
    assert answer.status_code == 401
    assert answer.json()["code"] == "ACCESS_TOKEN_EXPIRED"
    claims = jwt.decode(person.access_token, options={"verify_signature": False})
    assert answer.json()["details"] == {
        "expired_at_millis": claims["exp"] * 1000, "project_id": hasty.project_id,
        "user_id": person.id, "refresh_token_id": claims["refresh_token_id"],
    }
    fresh = call(hasty, "POST", "/auth/sessions/current/refresh", json={"refresh_token": person.refresh_token})
    assert fresh.status_code == 200
