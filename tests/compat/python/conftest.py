"""What every test gets: a server per engine, the guides' code pointed at it, and people who signed up."""

import itertools
import os
import pathlib
import types

import pytest

from latchkey_process import Latchkey, engines, latchkey
from person import Person, sign_up

GUIDES = pathlib.Path(__file__).parent / "guides"
GUIDE_BASE_URL = "https://api.stack-auth.com"
GUIDE_PROJECT_ID = "<your-project-id>"
numbers = itertools.count(1)


@pytest.fixture(scope="session", params=engines())
def server(request) -> Latchkey:
    """One server for all tests, per engine."""
    with latchkey(request.param) as running:
        yield running


@pytest.fixture
def email() -> str:
    """An address nobody else uses."""
    return f"person{next(numbers)}@example.com"


@pytest.fixture
def person(server, email) -> Person:
    """Somebody who has just signed up by password."""
    return sign_up(server, email)


@pytest.fixture(scope="session")
def guide(server):
    """`guide(name)` is the code of `guides/NAME.py`, changed only in base URL and project id."""

    def load(name: str) -> types.ModuleType:
        path = GUIDES / f"{name}.py"
        source = path.read_text().replace(GUIDE_BASE_URL, server.base_url).replace(GUIDE_PROJECT_ID, server.project_id)
        module = types.ModuleType(f"guides.{name}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(os.environ, "STACK_PROJECT_ID", server.project_id)
            patch.setitem(os.environ, "STACK_PUBLISHABLE_CLIENT_KEY", server.publishable_client_key)
            patch.setitem(os.environ, "STACK_SECRET_SERVER_KEY", server.secret_server_key)
            exec(compile(source, str(path), "exec"), module.__dict__)
        return module

    return load
