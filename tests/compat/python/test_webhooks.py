"""Receivers built with the packages `svix` and `standardwebhooks` verify our signatures, and the Svix client manages
endpoints on our Svix-shaped routes."""

import json

import pytest
import requests
import standardwebhooks
from svix.api import (
    EndpointIn, EndpointPatch, MessageAttemptListByEndpointOptions, MessageGetOptions, Svix, SvixOptions,
)
from svix.api.errors.http_error import HttpError
from svix.webhooks import Webhook, WebhookVerificationError

from person import call, sign_up
from receiver import receiver


def verified(secret: str, headers: dict, body: bytes) -> dict:
    """The event of a delivery that both libraries accept."""
    Webhook(secret).verify(body, headers)
    event = json.loads(body)
    assert standardwebhooks.Webhook(secret).verify(body, headers) == event
    return event


def admin(server, method, path, **kwargs) -> requests.Response:
    headers = {"x-stack-super-secret-admin-key": server.super_secret_admin_key}
    return call(server, method, path, "admin", headers=headers, **kwargs)


@pytest.fixture
def hooks(server):
    """A receiver and its endpoint."""
    with receiver() as running:
        made = admin(server, "POST", "/webhooks/endpoints", json={"url": running.url})
        assert made.status_code == 201, made.text
        endpoint = made.json()
        yield running, endpoint
        admin(server, "DELETE", f"/webhooks/endpoints/{endpoint['id']}")


@pytest.fixture
def client(server) -> Svix:
    token = admin(server, "POST", "/webhooks/svix-token", json={})
    assert token.status_code == 201, token.text
    return Svix(token.json()["token"], SvixOptions(server_url=server.base_url))


def test_both_libraries_verify_what_is_delivered(server, hooks, email):
    running, endpoint = hooks
    person = sign_up(server, email)
    created = [verified(endpoint["secret"], headers, body) for headers, body in running.wait_for(1)]
    assert [event["data"]["id"] for event in created if event["type"] == "user.created"] == [person.id]


def test_forged_deliveries_are_refused(server, hooks):
    running, endpoint = hooks
    assert admin(server, "POST", "/internal/send-test-webhook", json={"endpoint_id": endpoint["id"]}).json() == {"success": True}
    headers, body = running.wait_for(1)[0]
    Webhook(endpoint["secret"]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(body, {**headers, "svix-id": "msg_other"})
    with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
        standardwebhooks.Webhook("whsec_" + "A" * 32).verify(body, headers)


def test_during_a_rotation_both_secrets_verify(server, hooks):
    running, endpoint = hooks
    rotated = admin(server, "POST", f"/webhooks/endpoints/{endpoint['id']}/secret/rotate", json={}).json()["secret"]
    admin(server, "POST", "/internal/send-test-webhook", json={"endpoint_id": endpoint["id"]})
    headers, body = running.wait_for(1)[0]
    for secret in (endpoint["secret"], rotated):
        assert verified(secret, headers, body)["type"] == "stack.test"


def test_the_svix_client_manages_endpoints(server, client):
    app = server.project_id
    with receiver() as running:
        made = client.endpoint.create(app, EndpointIn(url=running.url, uid="python", event_types=["stack.test"]))
        assert (made.url, made.event_types, made.disabled) == (running.url, ["stack.test"], False)
        assert client.endpoint.get(app, "python").id == made.id
        assert made.id in [endpoint.id for endpoint in client.endpoint.list(app).data]
        assert client.endpoint.patch(app, made.id, EndpointPatch(description="changed")).description == "changed"
        assert admin(server, "POST", "/internal/send-test-webhook", json={"endpoint_id": "python"}).json() == {"success": True}
        headers, body = running.wait_for(1)[0]
        assert verified(client.endpoint.get_secret(app, made.id).key, headers, body)["type"] == "stack.test"
        attempts = client.message_attempt.list_by_endpoint(app, made.id, MessageAttemptListByEndpointOptions(limit=10))
        assert [(attempt.msg_id, attempt.response_status_code) for attempt in attempts.data] == [(headers["svix-id"], 200)]
        message = client.message.get(app, headers["svix-id"], MessageGetOptions(with_content=True))
        assert (message.event_type, message.payload["data"]["endpointUrl"]) == ("stack.test", running.url)
        client.message_attempt.resend(app, message.id, made.id)
        assert running.wait_for(2)[1][0]["svix-id"] == message.id
        client.endpoint.delete(app, made.id)
        with pytest.raises(HttpError) as refused:
            client.endpoint.get(app, made.id)
        assert (refused.value.status_code, refused.value.code) == (404, "not_found")


def test_a_token_is_for_one_project(server, client):
    with pytest.raises(HttpError) as refused:
        client.endpoint.list("internal")
    assert (refused.value.status_code, refused.value.code) == (401, "authentication_failed")


def test_a_receiver_that_fails_gets_the_event_again(server, hooks, email):
    running, endpoint = hooks
    running.statuses = [500]
    sign_up(server, email)
    # The second attempt follows after five seconds.
    first, second = running.wait_for(2)[:2]
    assert first[0]["svix-id"] == second[0]["svix-id"] and first[1] == second[1]
    assert verified(endpoint["secret"], *second)["type"] == "user.created"
