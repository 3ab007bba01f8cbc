"""Somebody whose browser goes from an application to a provider and back, step by step, and what the application does."""

import base64
import hashlib
import secrets
import urllib.parse
from dataclasses import dataclass

import requests

from latchkey_process import Latchkey

REDIRECT_URI = "http://localhost:3000/handler/oauth-callback"


@dataclass
class Visit:
    """A flow that was begun: the browser with its cookies, the provider's page, the application's verifier."""

    browser: requests.Session
    page: str
    verifier: str

    def parameter(self, name: str) -> str | None:
        """What the request to the provider says."""
        return query(self.page).get(name)


def query(url: str) -> dict[str, str]:
    """The query of an address."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def begin(server: Latchkey, provider: str, **parameters: str) -> Visit:
    """The application sends a browser away, as far as the provider."""
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": server.project_id, "client_secret": server.publishable_client_key, "redirect_uri": REDIRECT_URI,
        "scope": "legacy", "state": "of the application", "grant_type": "authorization_code", "response_type": "code",
        "code_challenge": challenge, "code_challenge_method": "S256", **parameters,
    }
    browser = requests.Session()
    answer = browser.get(f"{server.base_url}/api/v1/auth/oauth/authorize/{provider}", params=asked, allow_redirects=False, timeout=10)
    assert answer.status_code == 307, answer.text
    return Visit(browser, answer.headers["location"], verifier)


def agree(visit: Visit, **form: str) -> str:
    """The person answers at the provider; gives the callback to which the browser is sent."""
    assert visit.browser.get(visit.page, timeout=10).status_code == 200
    answer = visit.browser.post(visit.page, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"]


def come_back(visit: Visit, callback: str) -> requests.Response:
    """The browser comes back to Latchkey; the answer is a redirect to the application, or a text."""
    return visit.browser.get(callback, allow_redirects=False, timeout=10)


def redeem(server: Latchkey, visit: Visit, answer: requests.Response) -> dict:
    """The application redeems the code that came with a redirect."""
    assert answer.status_code == 303, answer.text or answer.headers["location"]
    returned = query(answer.headers["location"])
    assert returned["state"] == "of the application"
    tokens = requests.post(
        f"{server.base_url}/api/v1/auth/oauth/token", timeout=10,
        data={
            "grant_type": "authorization_code", "client_id": server.project_id, "client_secret": server.publishable_client_key,
            "code": returned["code"], "redirect_uri": REDIRECT_URI, "code_verifier": visit.verifier,
        },
    )
    assert tokens.status_code == 200, tokens.text
    return tokens.json()
