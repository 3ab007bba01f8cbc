"""A Svix server in memory, as strict as the models of the package `svix` are about its API. Owns what it was told; what
that is worth is the tests' business."""

import contextlib
import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone

import loopback
from svix.models import AppPortalAccessIn, AppPortalAccessOut, ApplicationIn, ApplicationOut, MessageIn, MessageOut

TOKEN = "testsk_for-the-whole-server"
WORD = re.compile(r"[A-Za-z0-9_.\-]{1,256}")


@dataclass
class SvixServer:
    """What it knows: applications by uid, messages by uid and event id, and requests that broke the rules."""

    url: str = ""
    applications: dict[str, ApplicationIn] = field(default_factory=dict)
    messages: dict[tuple[str, str], MessageIn] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, event_type: str, seconds: float = 20) -> list[tuple[str, MessageIn]]:
        """The messages of a kind with the uids of their applications, once there is one."""

        def of_kind():
            return [(uid, message) for (uid, _), message in self.messages.items() if message.event_type == event_type]

        with self.arrived:
            assert self.arrived.wait_for(lambda: of_kind() or self.violations, seconds), self.messages
            assert not self.violations, self.violations
            return of_kind()


def read(model, text: bytes):
    """The body as the package reads it. A field that the model does not know, or that is lost on the way back, is an error."""
    sent = json.loads(text)
    parsed = model.model_validate_json(text)
    back = json.loads(parsed.model_dump_json(by_alias=True, exclude_none=True))
    if back != sent:
        raise ValueError(f"{model.__name__} says {back}, and {sent} was sent")
    return parsed


@contextlib.contextmanager
def svix_server():
    """A running server, ended with the block."""
    state = SvixServer()

    class Handler(loopback.Handler):
        def do_POST(self):
            body = self.body()
            with state.arrived:
                try:
                    status, answer = self.decide(body)
                except Exception as problem:
                    state.violations.append(f"{self.path}: {problem}")
                    status, answer = 422, {"detail": [{"loc": ["body"], "msg": str(problem), "type": "value_error"}]}
                state.arrived.notify_all()
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.answer(status, text.encode(), "application/json")

        def decide(self, body: bytes):
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                return 401, {"code": "authentication_failed", "detail": "Invalid token"}
            assert self.headers["content-type"] == "application/json", self.headers["content-type"]
            parts = self.path.strip("/").split("/")
            assert parts[:2] == ["api", "v1"], self.path
            now = datetime.now(timezone.utc)
            match parts[2:]:
                case ["app"]:
                    wanted = read(ApplicationIn, body)
                    if wanted.uid in state.applications:
                        return 409, {"code": "conflict", "detail": "The uid is taken"}
                    self.create(wanted)
                    made = ApplicationOut(id=f"app_{uuid.uuid4().hex}", uid=wanted.uid, name=wanted.name, metadata={}, created_at=now, updated_at=now)
                    return 201, made.model_dump_json(by_alias=True)
                case ["app", uid, "msg"]:
                    message = read(MessageIn, body)
                    assert WORD.fullmatch(message.event_type) and WORD.fullmatch(message.event_id or ""), message
                    if not self.known(uid, message.application):
                        return 404, {"code": "not_found", "detail": "Entity not found"}
                    if (uid, message.event_id) in state.messages:
                        return 409, {"code": "conflict", "detail": "Event with this id exists"}
                    state.messages[uid, message.event_id] = message
                    made = MessageOut(
                        id=f"msg_{uuid.uuid4().hex}", event_id=message.event_id, event_type=message.event_type,
                        payload=message.payload, timestamp=now,
                    )
                    return 202, made.model_dump_json(by_alias=True)
                case ["auth", "app-portal-access", uid]:
                    wish = read(AppPortalAccessIn, body)
                    if not self.known(uid, wish.application):
                        return 404, {"code": "not_found", "detail": "Entity not found"}
                    given = AppPortalAccessOut(url=f"https://app.svix.example/login#{uid}", token=f"appsk_{uid}")
                    return 200, given.model_dump_json(by_alias=True)
            raise AssertionError("no path of the API")

        def known(self, uid: str, application: ApplicationIn | None) -> bool:
            if uid not in state.applications and application is not None:
                assert application.uid == uid, application
                self.create(application)
            return uid in state.applications

        def create(self, application: ApplicationIn):
            assert WORD.fullmatch(application.uid or "") and application.name.strip(), application
            state.applications[application.uid] = application

    with loopback.serving(Handler) as url:
        state.url = url
        yield state
