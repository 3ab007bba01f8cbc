"""Mail leaves by a real mail server, over TLS and with a password, and waits while that server is away."""

import json
import subprocess
import threading
import time

import pytest

from latchkey_process import binary, clean, engines, free_port, latchkey, production
from mail_server import PASSWORD, USERNAME, WITHIN_SECONDS, authority, mail_server
from person import call, sign_in

POLL_SECONDS = 0.1


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return authority(tmp_path_factory.mktemp("authority"))


def shared(port: int, certificates, tls: str, **more: str) -> dict[str, str]:
    """The configuration of a shared mail server; `more` are further keys of `mail.shared`."""
    keys = {
        "HOST": "localhost", "PORT": str(port), "TLS": tls, "USERNAME": USERNAME, "PASSWORD": PASSWORD,
        "SENDER_ADDRESS": "auth@example.com", **more,
    }
    named = {f"LATCHKEY_MAIL__SHARED__{key}": value for key, value in keys.items()}
    return {**named, "LATCHKEY_MAIL__CA_FILE": str(certificates.ca_file)}


def mailed(server, address: str) -> None:
    """Signs somebody up who is sent a mail."""
    body = {"email": address, "password": "a quiet harbour at 6", "verification_callback_url": "http://localhost/verify"}
    answer = call(server, "POST", "/auth/password/sign-up", json=body)
    assert answer.status_code == 200, answer.text


def outbox(server) -> list[dict]:
    answer = call(server, "GET", "/emails/outbox", "server")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def wait_until(server, condition) -> dict:
    """The only mail of the outbox, once it is as wanted."""
    deadline = time.monotonic() + WITHIN_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        (mail,) = outbox(server)
        if condition(mail):
            return mail
        pause.wait(POLL_SECONDS)
    raise AssertionError(f"the mail did not get there: {mail}")


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_mail_leaves_over_tls_with_a_password(engine, tls, certificates):
    port = free_port()
    with mail_server(port, certificates, tls) as running, production(engine, shared(port, certificates, tls)) as server:
        mailed(server, "ada@example.com")
        (taken,) = running.wait_for(1)
        assert (taken.over_tls, taken.signed_in) == (True, True)
        assert (taken.sender, taken.recipients) == ("auth@example.com", ["ada@example.com"])
        message = taken.message
        assert str(message["from"]) == "Harbour <auth@example.com>" and str(message["to"]) == "ada@example.com"
        text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "http://localhost/verify?code=" in text and "http://localhost/verify?code=" in html
        assert wait_until(server, lambda mail: mail["status"] == "sent")["send_attempt_errors"] is None


@pytest.mark.parametrize("engine", engines())
def test_mail_waits_while_its_server_is_away(engine, certificates):
    port = free_port()
    with production(engine, shared(port, certificates, "starttls")) as server:
        mailed(server, "ada@example.com")
        sign_in(server, "ada@example.com")
        waiting = wait_until(server, lambda mail: mail["send_attempt_errors"])
        assert (waiting["status"], waiting["has_delivered"]) == ("queued", False)
        with mail_server(port, certificates, "starttls") as running:
            running.wait_for(1)
            wait_until(server, lambda mail: mail["status"] == "sent")
            assert len(running.taken) == 1


def test_a_server_that_nobody_vouches_for_gets_no_mail(certificates):
    port = free_port()
    environment = shared(port, certificates, "starttls")
    del environment["LATCHKEY_MAIL__CA_FILE"]
    with mail_server(port, certificates, "starttls") as running, production("sqlite", environment) as server:
        mailed(server, "ada@example.com")
        waiting = wait_until(server, lambda mail: mail["send_attempt_errors"])
        assert "certificate" in waiting["send_attempt_errors"][0]["external_message"]
        assert running.taken == []


def test_a_server_without_starttls_gets_no_mail_where_it_is_asked_for(certificates):
    port = free_port()
    with mail_server(port, certificates, "none") as running, production("sqlite", shared(port, certificates, "starttls")) as server:
        mailed(server, "ada@example.com")
        waiting = wait_until(server, lambda mail: mail["send_attempt_errors"])
        assert "STARTTLS" in waiting["send_attempt_errors"][0]["external_message"]
        assert running.taken == []


def test_a_wrong_password_is_told_and_tried_again(certificates):
    port = free_port()
    environment = shared(port, certificates, "starttls", PASSWORD="another one")
    with mail_server(port, certificates, "starttls") as running, production("sqlite", environment) as server:
        mailed(server, "ada@example.com")
        waiting = wait_until(server, lambda mail: mail["send_attempt_errors"])
        told = waiting["send_attempt_errors"][0]["external_message"]
        assert "535" in told and "another one" not in told
        assert (waiting["status"], running.taken) == ("queued", [])


def test_a_recipient_who_is_refused_for_good_is_given_up(certificates):
    port = free_port()
    with mail_server(port, certificates, "implicit") as running, production("sqlite", shared(port, certificates, "implicit")) as server:
        running.refused.add("nobody@example.com")
        mailed(server, "nobody@example.com")
        failed = wait_until(server, lambda mail: mail["simple_status"] == "error")
        assert failed["status"] == "server-error" and "550" in failed["server_error"]
        assert running.taken == []


def test_in_development_a_project_with_a_server_of_its_own_really_sends(certificates):
    port = free_port()
    config = {
        "host": "localhost", "port": port, "username": USERNAME, "password": PASSWORD, "sender_name": "The Harbour",
        "sender_email": "hello@harbour.example",
    }
    with (
        mail_server(port, certificates, "starttls") as running,
        latchkey("sqlite", {"LATCHKEY_MAIL__CA_FILE": str(certificates.ca_file)}) as server,
    ):
        admin = {"x-stack-super-secret-admin-key": server.super_secret_admin_key}
        tried = {"recipient_email": "ada@example.com", "email_config": config}
        answer = call(server, "POST", "/internal/send-test-email", "admin", headers=admin, json=tried)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        body = {"config": {"email_config": {"type": "standard", **config}}}
        assert call(server, "PATCH", "/internal/projects/current", "admin", headers=admin, json=body).status_code == 200
        mailed(server, "bo@example.com")
        tried, sent = running.wait_for(2)
        assert (tried.recipients, sent.recipients) == (["ada@example.com"], ["bo@example.com"])
        assert (sent.over_tls, sent.signed_in, sent.sender) == (True, True, "hello@harbour.example")


def test_doctor_tries_the_mail_server(certificates, tmp_path):
    port = free_port()
    environment = clean({**shared(port, certificates, "starttls"), "LATCHKEY_DATABASE__URL": "sqlite:latchkey.db"})

    def mail() -> tuple[str, str]:
        done = subprocess.run([binary(), "doctor", "--json"], env=environment, cwd=tmp_path, capture_output=True, timeout=60)
        found = json.loads(done.stdout or done.stderr)
        (finding,) = [finding for finding in found["findings"] if finding["name"] == "mail"]
        return finding["verdict"], finding["detail"]

    verdict, detail = mail()
    assert verdict == "error" and "cannot be reached" in detail
    with mail_server(port, certificates, "starttls"):
        verdict, detail = mail()
    assert verdict == "ok" and PASSWORD not in detail
