"""Users brought along with hashes made by Python's bcrypt sign in with their old passwords."""

import bcrypt
import pytest

from person import PASSWORD, call, sign_in


def imported(server, email, password_hash):
    """Creates the user as a server does; gives the answer."""
    body = {"primary_email": email, "primary_email_auth_enabled": True, "password_hash": password_hash}
    return call(server, "POST", "/users", "server", json=body)


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_an_imported_bcrypt_hash_signs_in_before_and_after_its_replacement(server, email, prefix):
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=6, prefix=prefix)).decode()
    created = imported(server, email, hashed)
    assert created.status_code == 201, created.text
    assert created.json()["has_password"] is True
    for _ in range(2):  # the first sign-in replaces the hash, the second meets the replacement
        assert sign_in(server, email).id == created.json()["id"]
    refused = call(server, "POST", "/auth/password/sign-in", json={"email": email, "password": PASSWORD + "!"})
    assert refused.json()["code"] == "EMAIL_PASSWORD_MISMATCH"


def test_the_php_spelling_of_bcrypt_signs_in(server, email):
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=6)).decode().replace("$2b$", "$2y$")
    assert imported(server, email, hashed).status_code == 201
    sign_in(server, email)


def test_a_password_outside_ascii_is_hashed_as_python_does(server, email):
    password = "Übergrößenträger 漢字"
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=6)).decode()
    assert imported(server, email, hashed).status_code == 201
    sign_in(server, email, password)


@pytest.mark.parametrize("password_hash", ["plain text", "5f4dcc3b5aa765d61d8327deb882cf99", "$2b$06$tooshort"])
def test_what_is_no_bcrypt_hash_is_refused(server, email, password_hash):
    answer = imported(server, email, password_hash)
    assert answer.status_code == 400
    assert "x-stack-known-error" not in answer.headers
