"""A Django app with the guides' view trusts Latchkey's tokens."""

import sys
import types

import pytest
import requests
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.test import override_settings
from django.urls import path

from apps import django_server
from person import end_session, with_other_signature, with_other_subject


@pytest.fixture(scope="module")
def app(guide):
    """The running app: `protected/` verifies locally, `profile/` asks Latchkey."""
    backend = guide("backend")

    def profile(request):
        user, error = backend.safe_authenticate(request, require_full_profile=True)
        if error:
            return JsonResponse({"error": error.value}, status=401)
        return JsonResponse({"user": user})

    urls = types.ModuleType("compat_urls")
    urls.urlpatterns = [path("protected/", guide("django_jwt").protected_endpoint), path("profile/", profile)]
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="only for this test", LOGGING_CONFIG=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, urls.__name__, urls)
        with override_settings(ROOT_URLCONF=urls.__name__), django_server(WSGIHandler()) as url:
            yield url


def get(app, path, token=None):
    return requests.get(f"{app}{path}", headers={"X-Stack-Access-Token": token} if token else {}, timeout=10)


@pytest.mark.parametrize("path", ["/protected/", "/profile/"])
def test_a_request_without_token_is_refused(app, path):
    answer = get(app, path)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Access token required"}


def test_the_user_is_known(app, person):
    answer = get(app, "/protected/", person.access_token)
    assert answer.status_code == 200
    assert answer.json() == {"user": {"user_id": person.id, "is_anonymous": False}}
    answer = get(app, "/profile/", person.access_token)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == person.id
    assert answer.json()["user"]["primary_email"] == person.email


@pytest.mark.parametrize("path", ["/protected/", "/profile/"])
@pytest.mark.parametrize("spoil", [with_other_subject, with_other_signature])
def test_a_tampered_token_is_refused(app, person, path, spoil):
    answer = get(app, path, spoil(person.access_token))
    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid or expired access token"}


def test_an_ended_session_is_refused_by_asking_and_accepted_locally_until_expiry(server, app, person):
    end_session(server, person)
    assert get(app, "/profile/", person.access_token).status_code == 401
    assert get(app, "/protected/", person.access_token).status_code == 200
