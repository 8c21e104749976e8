"""Calls of everything that has calls, all along, so that a fault at any point has some to act on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from actors.breaker.handle import BreakerHandle
from actors.breaker.settings import BreakerSettings
from actors.runtime import fault_points
from actors.runtime.errors import SupervisorError
from actors.runtime.fault_passing import through
from experiments.running.cast import Cart
from supervisor import Policy, Retry, Supervisor
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S

BREAKER, CHILD, HOST, PROBE = "payments", "cart", "upstream", "stirred"
NEVER_OPENS = BreakerSettings(minimum_calls=100_000, window_calls=100_000)
_QUICK = Policy(timeout_s=5.0, retry=Retry(attempts=2))
_EVERY_S = 0.05


def call_upstream() -> int:
    """A request of a dependency, as an adapter makes it."""
    return through(fault_points.DEPENDENCY, HOST, int)


def is_well() -> bool:
    return True


@contextmanager
def stirred(sup: Supervisor) -> Generator[None]:
    """Everything that can be hit is there, and called."""
    breaker = sup.breaker(BREAKER, NEVER_OPENS)
    breaker.call(int)
    sup.supervise(Cart, name=CHILD, heartbeat_s=0.2, hang_timeout_s=60.0)
    sup.health.register(PROBE, is_well, interval_s=0.2, timeout_s=0.5)
    sup.healer.plan(PROBE, [Retry(attempts=2)])
    calls: list[Callable[[], object]] = [
        lambda: sup.options(policy=_QUICK).submit(call_upstream).result(timeout=5.0),
        lambda: sup.child(CHILD).add.remote("thing").result(timeout=5.0),
        lambda: _report(breaker),
        sup.health.report,
        sup.healer.statistics,
        lambda: sup.tree_client.resize("pool:default", size=None, standbys=1),
    ]
    over = threading.Event()
    threads = [threading.Thread(target=_go_on, args=(call, over), daemon=True) for call in calls]
    assert wait_until(lambda: _are_there(sup), PATIENCE_S)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()


def _report(breaker: BreakerHandle) -> None:
    """A failure is told to the owner at once."""
    with suppress(ZeroDivisionError):
        breaker.call(divmod, 1, 0)


def _go_on(call: Callable[[], object], over: threading.Event) -> None:
    while not over.wait(_EVERY_S):
        with suppress(SupervisorError, OSError, RuntimeError, TimeoutError):  # what the fault does to it
            call()


def _are_there(sup: Supervisor) -> bool:
    running = {child.key.partition("/")[0] for child in sup.status().tree if child.status == "running"}
    return {"breaker", "child", "worker", "health", "healer", "event_log"} <= running
