"""A receiver of webhooks on a port of its own. What a delivery is worth is the tests' business."""

import contextlib
import threading
from dataclasses import dataclass, field

import loopback


@dataclass
class Receiver:
    """What came, and how the next deliveries are answered."""

    url: str = ""
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, seconds: float = 20) -> list[tuple[dict[str, str], bytes]]:
        """The deliveries, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.deliveries) >= count, seconds), self.deliveries
            return list(self.deliveries)


@contextlib.contextmanager
def receiver():
    """A running receiver, ended with the block."""
    state = Receiver()

    class Handler(loopback.Handler):
        def do_POST(self):
            body = self.body()
            with state.arrived:
                state.deliveries.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status = state.statuses.pop(0) if state.statuses else 200
                state.arrived.notify_all()
            self.answer(status)

    with loopback.serving(Handler) as url:
        state.url = f"{url}/hooks"
        yield state
