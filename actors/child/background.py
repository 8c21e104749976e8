"""Work that holds up nobody: on a daemon thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def in_background(work: Callable[..., object], *args: Any) -> threading.Thread:
    """Run `work` on a daemon thread of its own."""
    thread = threading.Thread(target=work, args=args, name="supervisor-child", daemon=True)
    thread.start()
    return thread


def outcome_of(work: Callable[[], object]) -> Future[Any]:
    """What becomes of `work`, which runs on a daemon thread of its own."""
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is waited for
            outcome.set_exception(error)

    in_background(run)
    return outcome
