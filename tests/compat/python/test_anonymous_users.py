"""Anonymous users and the guides' local verification, which tells them by the claim `role`."""

import contextlib
import json

import jwt
import pytest

from person import PASSWORD, call


@pytest.fixture(scope="module")
def backend(guide):
    """The complete example of the guide on back ends."""
    return guide("backend")


def visitor(server):
    """The tokens of a new anonymous user."""
    answer = call(server, "POST", "/auth/anonymous/sign-up")
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "refresh_token", "user_id"}
    return answer.json()


@contextlib.contextmanager
def project_audience(server):
    """The project gives anonymous users its plain audience while the block runs."""
    path = "/internal/config/override/environment"
    admin = {"x-stack-super-secret-admin-key": server.super_secret_admin_key}

    def switch(on):
        text = json.dumps({"latchkey.anonymousTokensUseProjectAudience": on})
        answer = call(server, "PATCH", path, "admin", headers=admin, json={"config_override_string": text})
        assert answer.status_code == 200, answer.text

    switch(True)
    try:
        yield
    finally:
        switch(False)


def test_a_plain_verifier_refuses_anonymous_users_unless_the_project_says_otherwise(server, backend):
    token = visitor(server)["access_token"]
    assert backend.verify_jwt_token(token) is None
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == f"{server.project_id}:anon"
    assert claims["is_anonymous"] is True


def test_the_guide_sees_anonymous_users_by_their_role_where_the_project_gives_them_its_audience(server, backend):
    with project_audience(server):
        nobody = visitor(server)
        assert backend.verify_jwt_token(nobody["access_token"]) == {"user_id": nobody["user_id"], "is_anonymous": True}
        headers = {"x-stack-access-token": nobody["access_token"], "x-stack-allow-anonymous-user": "true"}
        body = {"email": "upgraded-" + nobody["user_id"] + "@example.com", "password": PASSWORD}
        upgraded = call(server, "POST", "/auth/password/sign-up", headers=headers, json=body).json()
        assert upgraded["user_id"] == nobody["user_id"]
        assert backend.verify_jwt_token(upgraded["access_token"]) == {"user_id": nobody["user_id"], "is_anonymous": False}


def test_the_anonymous_key_set_verifies_anonymous_tokens(server):
    token = visitor(server)["access_token"]
    issuer = f"{server.base_url}/api/v1/projects-anonymous-users/{server.project_id}"
    # Below the issuer the same set is a redirect, which PyJWKClient does not follow.
    own = f"{server.base_url}/api/v1/projects/{server.project_id}/.well-known/jwks.json"
    keys = jwt.PyJWKClient(f"{own}?include_anonymous=true")
    key = keys.get_signing_key_from_jwt(token).key
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=f"{server.project_id}:anon", issuer=issuer)
    assert claims["is_anonymous"] is True
