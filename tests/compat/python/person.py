"""People for the tests: signing up and in by plain HTTP, and spoiling their tokens."""

import base64
import json
from dataclasses import dataclass

import requests

from latchkey_process import Latchkey

PASSWORD = "a quiet harbour at 6"


@dataclass(frozen=True)
class Person:
    """A user with one session."""

    id: str
    email: str
    access_token: str
    refresh_token: str


def call(server: Latchkey, method: str, path: str, access_type: str = "client", headers=None, **kwargs) -> requests.Response:
    """One request below `/api/v1` with the keys of `access_type`."""
    return requests.request(
        method,
        f"{server.base_url}/api/v1{path}",
        headers={
            "x-stack-access-type": access_type,
            "x-stack-project-id": server.project_id,
            "x-stack-publishable-client-key": server.publishable_client_key,
            **({"x-stack-secret-server-key": server.secret_server_key} if access_type == "server" else {}),
            **({"x-stack-super-secret-admin-key": server.super_secret_admin_key} if access_type == "admin" else {}),
            **(headers or {}),
        },
        timeout=10,
        **kwargs,
    )


def configure(server: Latchkey, settings: dict) -> None:
    """Lays settings over those of the project; keys are paths with dots."""
    body = {"config_override_string": json.dumps(settings)}
    answer = call(server, "PATCH", "/internal/config/override/environment", "admin", json=body)
    assert answer.status_code == 200, answer.text


def sign_up(server: Latchkey, email: str, password: str = PASSWORD) -> Person:
    """A new user."""
    return _person(call(server, "POST", "/auth/password/sign-up", json={"email": email, "password": password}), email)


def sign_in(server: Latchkey, email: str, password: str = PASSWORD) -> Person:
    """An existing user with a further session."""
    return _person(call(server, "POST", "/auth/password/sign-in", json={"email": email, "password": password}), email)


def end_session(server: Latchkey, person: Person) -> None:
    """Ends the person's session, as the guide does: by the access token alone."""
    answer = call(server, "DELETE", "/auth/sessions/current", headers={"x-stack-access-token": person.access_token})
    assert answer.status_code == 200, answer.text


def with_other_subject(token: str) -> str:
    """The token with another user's id in it, under the old signature."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["sub"] = "00000000-0000-4000-8000-000000000000"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


def with_other_signature(token: str) -> str:
    """The token with one bit of its signature turned."""
    header, payload, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[0] ^= 1
    return f"{header}.{payload}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"


def _person(answer: requests.Response, email: str) -> Person:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"access_token", "refresh_token", "user_id"}
    return Person(body["user_id"], email, body["access_token"], body["refresh_token"])
