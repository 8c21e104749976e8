"""Whether the nodes that this process starts fork their workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SWITCH_OFF = "RAY_SUPERVISOR_NO_FORK"
"""Set in the environment to anything: workers are started as Ray does."""

LOADS = "RAY_SUPERVISOR_FORK_LOADS"
"""In the environment of a node's processes: what its fork servers import beside what every worker does."""

_SHIM = Path(__file__).with_name("shim.py")
_CONSTANT = "SETUP_WORKER_FILENAME"


@contextmanager
def forked_workers(loads: Iterable[str] = ()) -> Generator[bool]:
    """Nodes that are started inside fork their workers; False where that cannot be, and all is as Ray has it.

    Args:
        loads: Modules that the workers have then loaded, too. They must begin no thread and draw no id of Ray's, as
            `ray.remote(Class)` does; else nothing is forked.
    """
    constants = _constants()
    if constants is None:
        yield False
        return
    before = getattr(constants, _CONSTANT)
    os.environ[LOADS] = ",".join(loads)
    setattr(constants, _CONSTANT, str(_SHIM))  # Ray joins it to its own folder, which an absolute path replaces
    try:
        yield True
    finally:
        setattr(constants, _CONSTANT, before)
        del os.environ[LOADS]


def _constants() -> Any:
    if sys.platform != "linux" or os.environ.get(SWITCH_OFF):
        return None
    try:
        from ray._private import ray_constants  # noqa: PLC0415 - private, and nothing else reaches it
    except ImportError:
        return None
    return ray_constants if isinstance(getattr(ray_constants, _CONSTANT, None), str) else None
