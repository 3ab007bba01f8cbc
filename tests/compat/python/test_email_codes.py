"""The page `docs/guide/email-codes.md`: its own code, run as it stands there."""

import os
import pathlib
import re
import time
import types
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from person import PASSWORD, call

PAGE = pathlib.Path(__file__).parents[3] / "docs/guide/email-codes.md"


@pytest.fixture(scope="module")
def page(server):
    """The functions of the page."""
    source = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    module = types.ModuleType("email_codes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "LATCHKEY_URL", server.base_url)
        patch.setitem(os.environ, "LATCHKEY_PROJECT", server.project_id)
        patch.setitem(os.environ, "LATCHKEY_CLIENT_KEY", server.publishable_client_key)
        exec(compile(source, str(PAGE), "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def backend(guide):
    """The complete example of the guide on back ends."""
    return guide("backend")


def mailed_code(server, email):
    """The code of the newest mail, and what the mail says."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        items = requests.get(f"{server.base_url}/dev/emails", params={"to": email}, timeout=10).json()["items"]
        if items:
            link = re.search(r"http://localhost:3000/\S+", items[0]["text"]).group()
            return parse_qs(urlsplit(link).query)["code"][0], items[0]["text"]
        time.sleep(0.02)
    raise AssertionError(f"no mail to {email}")


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_a_typed_code_signs_up_and_its_token_verifies(server, page, backend, email, spelling):
    nonce = page.ask_for_code(email)
    code, text = mailed_code(server, email)
    typed = code[:6]
    assert typed.upper() in text
    assert typed + nonce == code
    answer = page.sign_in_by_typed_code(spelling(typed), nonce)
    assert answer.keys() == {"access_token", "refresh_token", "user_id", "is_new_user"}
    assert answer["is_new_user"] is True
    assert backend.verify_jwt_token(answer["access_token"]) == {"user_id": answer["user_id"], "is_anonymous": False}
    assert jwt.decode(answer["access_token"], options={"verify_signature": False})["email_verified"] is True


def test_a_link_signs_in_and_works_once(server, page, email):
    page.ask_for_code(email)
    code, _ = mailed_code(server, email)
    assert page.post("/auth/otp/sign-in/check-code", code=code) == {"is_code_valid": True}
    assert page.sign_in_by_link(code)["is_new_user"] is True
    with pytest.raises(requests.HTTPError) as refused:
        page.sign_in_by_link(code)
    assert refused.value.response.status_code == 409
    assert refused.value.response.json()["code"] == "VERIFICATION_CODE_ALREADY_USED"


def test_an_address_that_nobody_proved_to_own_is_told_apart(page, person):
    with pytest.raises(requests.HTTPError) as refused:
        page.ask_for_code(person.email)
    assert refused.value.response.status_code == 409
    assert refused.value.response.json()["details"] == {"email": person.email, "would_work_if_email_was_verified": True}


def test_a_forgotten_password_is_replaced(server, page, person):
    page.forgot_password(person.email)
    code, _ = mailed_code(server, person.email)
    other = PASSWORD + ", and another"
    page.replace_password(code, other)
    sign_in = lambda password: call(server, "POST", "/auth/password/sign-in", json={"email": person.email, "password": password})
    assert sign_in(PASSWORD).json()["code"] == "EMAIL_PASSWORD_MISMATCH"
    assert sign_in(other).status_code == 200
    ended = call(server, "GET", "/users/me", headers={"x-stack-access-token": person.access_token})
    assert ended.json()["code"] == "CANNOT_GET_OWN_USER_WITHOUT_USER"


def test_nobody_learns_whether_there_is_an_account(page, person):
    asked = [page.post("/auth/password/send-reset-code", email=email, callback_url="http://localhost:3000/") for email in (person.email, "nobody@example.com")]
    assert asked[0] == asked[1] == {"success": "maybe, only if user with e-mail exists"}
