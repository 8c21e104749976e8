"""The calls of this process that wait for a recovery, and the earlier results that may have to do."""

from __future__ import annotations

import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.healer.choice import stale_patterns
from actors.healer.phases import STALE
from actors.healer.running import CallPayload
from actors.runtime import wire
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.runtime.process import this_process
from actors.runtime.vital_threads import steady_thread

if TYPE_CHECKING:
    from actors.healer.calls import Answered, Collected
    from actors.healer.messages import TroubleReported
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient
    from supervisor.services.process import Connections

RESIDENT = "healing"

RESULTS_MAX = 1000
"""Earlier results that a process keeps; the least recently used gives way."""

RESULT_BYTES_MAX = 256 << 10
"""Larger ones are not kept."""

_COLLECT_S = 10.0
_AGAIN_S = 0.1


class ProcessCalls:
    """One process's, of one supervisor.

    Args:
        connections: The handles of the supervisor.
        client: The way to the coordinator.
    """

    def __init__(self, connections: Connections, client: ServiceClient) -> None:
        self._connections = connections
        self._client = client
        self._process = f"{ray.get_runtime_context().get_node_id()[:8]}.{os.getpid()}.{uuid4().hex[:8]}"
        self._changed = threading.Condition()
        self._waiting: dict[str, tuple[Future[Answered], Callable[[], Any]]] = {}
        self._reported: set[str] = set()
        self._done: list[str] = []
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._results: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._stale = client.follow(STALE)
        self._planned: tuple[str, ...] = ()
        self._patterns_of: Replica | None = None

    # -- calls --------------------------------------------------------------------------------------------------------

    def begin(self, trouble: TroubleReported, payload: CallPayload) -> Future[Answered]:
        """Have a call healed.

        Raises:
            ServiceUnreachableError: The coordinator did not answer in time.
        """
        future: Future[Answered] = Future()
        identity = (self._process, str(ray.get_runtime_context().get_node_id()), this_process())

        def report() -> None:
            self._client.ask("report", trouble, payload, identity)

        with self._changed:
            self._waiting[trouble.call] = (future, report)
        try:
            report()
        except BaseException:
            self.give_up(trouble.call, tell=False)
            raise
        with self._changed:
            if trouble.call in self._waiting:  # else its answer was quicker than the report's
                self._reported.add(trouble.call)
            if self._thread is None:
                self._thread = steady_thread(self._collect, name="healing-calls")
                self._thread.start()
            self._changed.notify_all()
        return future

    def give_up(self, call: str, *, tell: bool = True) -> None:
        """A call waits no more."""
        with self._changed:
            self._waiting.pop(call, None)
            self._reported.discard(call)
        if tell:
            handle = self._client.handle()
            if handle is not None:
                handle.ask.remote("abandon", (call,), {})

    def _collect(self) -> None:
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._reported or self._stopped)
                calls, done = tuple(self._reported), tuple(self._done)
            found = None if self._stopped else self._ask(calls, done)
            if found is None:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, _AGAIN_S)
                continue
            with self._changed:
                self._done = [call for call in self._done if call not in done]
            for answered in found.answers:
                self._take(answered)
            for call in found.unknown:
                self._report_again(call)

    def _ask(self, calls: tuple[str, ...], done: tuple[str, ...]) -> Collected | None:
        try:
            handle = self._client.handle()
            if handle is None:
                self._client.start()
                return None
            return ray.get(
                handle.collect.remote(self._process, calls, done, _COLLECT_S), timeout=_COLLECT_S + 2 * _COLLECT_S
            )
        except (RayError, GetTimeoutError, RuntimeError):
            return None

    def _take(self, answered: Answered) -> None:
        with self._changed:
            found = self._waiting.pop(answered.call, None)
            self._reported.discard(answered.call)
            self._done.append(answered.call)
        if found is not None:
            found[0].set_result(answered)

    def _report_again(self, call: str) -> None:
        """The coordinator's present life knows nothing of it."""
        with self._changed:
            found = self._waiting.get(call)
            if found is None:
                self._reported.discard(call)
        if found is not None:
            try:
                found[1]()
            except SupervisorError:
                return  # it is told again that nobody knows of it

    # -- earlier results ----------------------------------------------------------------------------------------------

    def keeps(self, component: str) -> bool:
        """Whether earlier results of a component's calls may be needed."""
        return any(fnmatchcase(component, pattern) for pattern in self._patterns())

    def remember(self, component: str, function: bytes, arguments: bytes, result: object) -> None:
        """A call has returned this."""
        try:
            data, refs = wire.dumps(result)
        except Exception:  # noqa: BLE001 - what does not pickle is not kept
            return
        if refs or len(data) > RESULT_BYTES_MAX:
            return
        key = _digest(component, function, arguments)
        with self._changed:
            self._results[key] = (SYSTEM_CLOCK.now(), data)
            self._results.move_to_end(key)
            if len(self._results) > RESULTS_MAX:
                self._results.popitem(last=False)

    def earlier(self, component: str, function: bytes, arguments: bytes) -> tuple[float, bytes] | None:
        """How old the latest result of such a call is, seconds, and the result."""
        with self._changed:
            found = self._results.get(_digest(component, function, arguments))
        return None if found is None else (SYSTEM_CLOCK.now() - found[0], found[1])

    def _patterns(self) -> tuple[str, ...]:
        replica = self._stale.look()
        if replica is not None:
            if replica is not self._patterns_of:
                self._planned = pickle.loads(replica.payload)  # noqa: S301 - our own coordinator laid it
                self._patterns_of = replica
            return self._planned
        seen = self._connections.view()
        return () if seen is None else stale_patterns(seen[1].healer.plans)

    # -- the process --------------------------------------------------------------------------------------------------

    def stir(self) -> None:
        """The leader has announced something."""

    def stop(self) -> None:
        """The last handle ends: who waits is sent home."""
        self._stopped = True
        with self._changed:
            waiting, self._waiting = self._waiting, {}
            self._changed.notify_all()
        for future, _ in waiting.values():
            future.cancel()


def _digest(component: str, function: bytes, arguments: bytes) -> bytes:
    digest = blake2b(component.encode(), digest_size=16)
    digest.update(function)
    digest.update(arguments)
    return digest.digest()
