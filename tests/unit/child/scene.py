"""Children in this process: their shells without Ray, a store in memory, and a caller that numbers its calls."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from actors.checkpoint.format import Checkpoint
from actors.checkpoint.rules import Found
from actors.child.actor import ChildActor, HostActor, SharedHostActor
from actors.child.protocol import Answer, CallHeader, Recipe
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.wire import dumps

DEADLINE_S = 20.0


class MemoryStore:
    """Checkpoints in memory; `trouble` is raised instead, while there is any."""

    def __init__(self) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.skipped: tuple[str, ...] = ()
        self.trouble: Exception | None = None
        self.hold: threading.Event | None = None
        self.claimed: dict[str, int] = {}
        self.soon: list[int] = []

    def claim(self, key: str, incarnation: int) -> None:
        self._stumble()
        self.claimed[key] = max(incarnation, self.claimed.get(key, 0))

    def take_over(self, key: str, incarnation: int, *, class_name: str, state_version: int) -> Found:
        self.claim(key, incarnation)
        return self.latest(key, class_name=class_name, state_version=state_version)

    def put(self, checkpoint: Checkpoint) -> None:
        self._stumble()
        claimed = self.claimed.get(checkpoint.key, 0)
        if claimed > checkpoint.incarnation:
            raise StaleIncarnationError(checkpoint.key, sent_by=checkpoint.incarnation, accepted=claimed)
        self.checkpoints.append(checkpoint)

    def put_soon(self, checkpoint: Checkpoint) -> None:
        self.put(checkpoint)
        self.soon.append(checkpoint.number)

    def latest(self, key: str, *, class_name: str, state_version: int) -> Found:
        self._stumble()
        own = [checkpoint for checkpoint in self.checkpoints if checkpoint.key == key]
        newest = max(own, key=lambda checkpoint: (checkpoint.incarnation, checkpoint.number), default=None)
        return Found(newest, self.skipped)

    def delete(self, key: str) -> None:
        self.checkpoints = [checkpoint for checkpoint in self.checkpoints if checkpoint.key != key]

    def _stumble(self) -> None:
        if self.hold is not None:
            self.hold.wait(DEADLINE_S)
        if self.trouble is not None:
            raise self.trouble


class MemoryPorts:
    """What children say, in lists."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.exits: list[tuple[str, str]] = []
        self.records: list[tuple[str, str, str]] = []

    def announce_exit(self, name: str, exit_class: str) -> None:
        self.exits.append((name, exit_class))

    def checkpoints(self, path: str | None) -> MemoryStore:
        return self.store

    def record(self, name: str, event: str, detail: str) -> None:
        self.records.append((name, event, detail))


def recipe(cls: type[Any], *args: Any, key: str = "child/a", **changes: Any) -> Recipe:
    name = f"{cls.__module__}.{cls.__qualname__}"
    return Recipe(key=key, cls=pickle.dumps(cls), class_name=name, arguments=dumps((args, {}))[0], **changes)


class Answered:
    """Stands for an ObjectRef whose call has been answered."""

    def __init__(self, answer: object = None) -> None:
        self._answer = answer

    def _on_completed(self, callback: Callable[[Any], None]) -> None:
        callback(self._answer)


class Myself:
    """Stands for an actor's handle of itself."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.ended: list[str] = []

    @property
    def run_errand(self) -> Any:
        return _Remote(self._run_errand)

    @property
    def end_process(self) -> Any:
        return _Remote(self.ended.append)

    def _run_errand(self) -> Answered:
        """On the thread of whoever asks: the tests' shells have one."""
        self.shell.run_errand()
        return Answered()


class _Remote:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.remote = call


class _WithoutRay:
    """Mixed into a shell: it knows itself as `Myself`, its process does not end, and it is nobody's orphan."""

    has_leader = False

    def _know_myself(self) -> None:
        if getattr(self, "_me", None) is None:
            self._me = Myself(self)

    def end_with(self, exit_class: str) -> None:
        self._me.end_process.remote(exit_class)

    def is_cancelled(self) -> bool:
        return False


class ChildHere(_WithoutRay, ChildActor):
    """A plain child's actor in this process."""


class HostHere(_WithoutRay, HostActor):
    """An asynchronous child's actor in this process."""


class SharedHere(_WithoutRay, SharedHostActor):
    """A shared actor in this process."""

    def exit_process(self) -> None:
        self._me.ended.append("retired")


class Caller:
    """Numbers the calls of one client, as a handle does; `settles` whether it says that it has its answers."""

    _clients = count()

    def __init__(self, *, incarnation: int = 1) -> None:
        self.client = f"c{next(self._clients)}"
        self.settles = True
        self.incarnation = incarnation
        self.number = 0

    def header(self, method: str) -> CallHeader:
        self.number += 1
        return (self.client, self.number, self.number - 1 if self.settles else 0, method, self.incarnation)

    @staticmethod
    def payload(*args: Any, **kwargs: Any) -> bytes:
        return dumps((args, kwargs))[0]


def value_of(answer: Answer) -> Any:
    """The value of a good answer; an error is raised."""
    kind, payload = answer[0], answer[1]
    if kind == "error":
        raise pickle.loads(payload)
    assert kind == "ok", answer
    return pickle.loads(payload)
