"""Starts `latchkey dev` or `latchkey serve` as a process of its own and says how to reach it.

Owns the life of that process and of the PostgreSQL database made for it. Knows nothing of the tests.
"""

import base64
import contextlib
import json
import os
import pathlib
import random
import secrets
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass

READY_WITHIN_SECONDS = 30
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Latchkey:
    """A running server; the fields are those of its ready file."""

    base_url: str
    project_id: str
    publishable_client_key: str
    secret_server_key: str
    super_secret_admin_key: str


def engines() -> list[str]:
    """The engines to test on. Without a PostgreSQL to use, only SQLite, unless REQUIRE_ALL forbids that."""
    if os.environ.get("TEST_POSTGRES_URL") or os.environ.get("REQUIRE_ALL") == "1":
        return ["sqlite", "postgres"]
    return ["sqlite"]


def binary() -> str:
    """The program under test."""
    path = os.environ.get("LATCHKEY_BINARY")
    if not path:
        raise RuntimeError("LATCHKEY_BINARY must name the latchkey binary")
    return path


def clean(environment: dict[str, str] | None) -> dict[str, str]:
    """This process's environment without what configures a server, and with `environment`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LATCHKEY_", "STACK_"))}
    return {**kept, **(environment or {})}


@contextlib.contextmanager
def latchkey(engine: str, environment: dict[str, str] | None = None):
    """A fresh server on a fresh database of `engine`, ended with the block."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-compat-")))
        ready_file = directory / "ready.json"
        command = [binary(), "dev", "--port", "0", "--data-dir", str(directory / "data"), "--ready-file", str(ready_file)]
        if engine == "postgres":
            command += ["--database-url", stack.enter_context(postgres_database())]
        log = stack.enter_context(open(directory / "log", "wb+"))
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=directory,
            env=clean(environment),
        )
        stack.callback(end, process)
        ready = wait_until_ready(process, ready_file, log)
        yield Latchkey(**{name: ready[name] for name in Latchkey.__dataclass_fields__})


@contextlib.contextmanager
def production(engine: str, environment: dict[str, str]):
    """A fresh `latchkey serve` on a fresh database of `engine`, with one project, ended with the block."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-compat-")))
        ready_file = directory / "ready.json"
        postgres = engine == "postgres"
        keys = {name: f"{prefix}_{secrets.token_hex(24)}" for name, prefix in [
            ("publishable_client_key", "pck"), ("secret_server_key", "ssk"), ("super_secret_admin_key", "sak"),
        ]}
        project = {
            "id": str(uuid.uuid4()), "display_name": "Harbour", "keys": keys,
            "settings": {"auth": {"password": {"allow_sign_in": True}}, "domains": {"allow_localhost": True}},
        }
        port = free_port()
        configured = {
            "LATCHKEY_SERVER__PUBLIC_URL": "https://auth.example.com",
            "LATCHKEY_SERVER__BIND": f"127.0.0.1:{port}",
            "LATCHKEY_SERVER__OBSERVE_BIND": "127.0.0.1:0",
            "LATCHKEY_DATABASE__URL": stack.enter_context(postgres_database()) if postgres else "sqlite:latchkey.db",
            "LATCHKEY_SECURITY__MASTER_KEYS": "a:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "LATCHKEY_PROJECT": json.dumps([project]),
            **environment,
        }
        log = stack.enter_context(open(directory / "log", "wb+"))
        process = subprocess.Popen(
            [binary(), "serve", "--ready-file", str(ready_file)], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, cwd=directory, env=clean(configured),
        )
        stack.callback(end, process)
        wait_until_ready(process, ready_file, log)
        yield Latchkey(base_url=f"http://127.0.0.1:{port}", project_id=project["id"], **keys)


def free_port() -> int:
    """A port on which nobody listens, below those that systems give to connections, so that it stays free."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until_ready(process: subprocess.Popen, ready_file: pathlib.Path, log) -> dict:
    """The content of the ready file; an error with the server's log if it ends or is late."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(ready_file.read_text())
        if process.poll() is not None:
            break
        pause.wait(POLL_SECONDS)
    log.seek(0)
    raise RuntimeError(f"latchkey was not ready (exit code {process.poll()}):\n{log.read().decode(errors='replace')}")


def end(process: subprocess.Popen) -> None:
    """Asks the server to stop, and insists if it does not."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def postgres_database():
    """The URL of a database made for this block and dropped after it."""
    import psycopg

    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        raise RuntimeError("REQUIRE_ALL is set, but TEST_POSTGRES_URL is not")
    name = f"latchkey_compat_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urllib.parse.urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
