"""Webhooks that are handed to a Svix server: what is sent to it is what the package `svix` would send."""

import pytest

from latchkey_process import engines, latchkey
from person import call, sign_up
from svix_server import TOKEN, svix_server


@pytest.fixture(scope="module", params=engines())
def handing(request):
    """A server that hands its webhooks over, and the one that it hands them to."""
    with svix_server() as svix:
        environment = {
            "LATCHKEY_WEBHOOKS__SVIX_URL": svix.url,
            "LATCHKEY_WEBHOOKS__SVIX_TOKEN": TOKEN,
            "LATCHKEY_OUTGOING__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]',
        }
        with latchkey(request.param, environment) as server:
            yield server, svix


def test_events_are_messages_of_the_projects_application(handing, email):
    server, svix = handing
    person = sign_up(server, email)
    sent = [(uid, message.payload) for uid, message in svix.wait_for("user.created")]
    assert [(uid, payload["type"]) for uid, payload in sent if payload["data"]["id"] == person.id] == [(server.project_id, "user.created")]
    assert svix.applications[server.project_id].name


def test_the_token_opens_the_application_of_the_project(handing):
    server, svix = handing
    headers = {"x-stack-super-secret-admin-key": server.super_secret_admin_key}
    given = call(server, "POST", "/webhooks/svix-token", "admin", headers=headers, json={})
    assert given.status_code == 201, given.text
    assert given.json() == {"token": f"appsk_{server.project_id}", "url": f"https://app.svix.example/login#{server.project_id}"}
    assert not svix.violations
