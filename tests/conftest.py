"""What holds for all tests: those on a Ray follow each other in one process, and the others run beside them."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

ON_RAY = frozenset({"chaos", "ray_cluster", "ray_local"})

# How long an example takes says how busy the machine is: speed is the bench's business.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_configure() -> None:
    """A background job of a shell begins without Ctrl-C, and tests press it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class OneRayAtATime(LoadScopeScheduling):
    """Two Rays at a time starve each other on two cores. Groups of xdist's own get lost with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return "ray" if ON_RAY & set(PurePosixPath(nodeid.partition("::")[0]).parts) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneRayAtATime:
    """Who runs what, asked of us by xdist."""
    return OneRayAtATime(config, log)


class _Unexpected(logging.Handler):
    """What threads of ours met, in this process, that nobody expected; they begin anew, and no test would notice."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.met: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "met an error that nobody expected" in record.msg:
            self.met.append(logging.Formatter().format(record))


@pytest.fixture(autouse=True)
def no_thread_fails() -> Iterator[None]:
    unexpected, log = _Unexpected(), logging.getLogger("supervisor")
    log.addHandler(unexpected)
    yield
    log.removeHandler(unexpected)
    assert not unexpected.met, "\n".join(unexpected.met)
