"""A FastAPI app with the guides' dependency trusts Latchkey's tokens."""

import pytest
import requests
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer

from apps import asgi_server
from person import end_session, with_other_signature, with_other_subject


def app_of(backend) -> FastAPI:
    """Two routes: one verifies locally, one asks Latchkey."""
    app = FastAPI()
    oauth2_scheme = OAuth2PasswordBearer(tokenUrl="/auth/login")

    def user_or_401(user):
        if not user:
            raise HTTPException(
                status_code=status.HTTP_401_UNAUTHORIZED,
                detail="Could not validate credentials",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return user

    def get_current_user(token: str = Depends(oauth2_scheme)):
        return user_or_401(backend.verify_jwt_token(token))

    def get_current_profile(token: str = Depends(oauth2_scheme)):
        return user_or_401(backend.authenticate_user_with_api(token))

    @app.get("/me")
    def read_me(user: dict = Depends(get_current_user)):
        return user

    @app.get("/profile")
    def read_profile(user: dict = Depends(get_current_profile)):
        return user

    return app


@pytest.fixture(scope="module")
def app(guide):
    """The running app."""
    with asgi_server(app_of(guide("backend"))) as url:
        yield url


def get(app, path, token=None):
    return requests.get(f"{app}{path}", headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=10)


@pytest.mark.parametrize("path", ["/me", "/profile"])
def test_a_request_without_token_is_refused(app, path):
    assert get(app, path).status_code == 401


def test_the_user_is_known(app, person):
    answer = get(app, "/me", person.access_token)
    assert answer.status_code == 200
    assert answer.json() == {"user_id": person.id, "is_anonymous": False}
    answer = get(app, "/profile", person.access_token)
    assert answer.status_code == 200
    assert answer.json()["id"] == person.id
    assert answer.json()["primary_email"] == person.email


@pytest.mark.parametrize("path", ["/me", "/profile"])
@pytest.mark.parametrize("spoil", [with_other_subject, with_other_signature])
def test_a_tampered_token_is_refused(app, person, path, spoil):
    assert get(app, path, spoil(person.access_token)).status_code == 401


def test_an_ended_session_is_refused_by_asking_and_accepted_locally_until_expiry(server, app, person):
    end_session(server, person)
    assert get(app, "/profile", person.access_token).status_code == 401
    assert get(app, "/me", person.access_token).status_code == 200
