"""The same measurements of a breaker that a running supervisor's processes share: `sup.breaker`, its owner heard."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from actors.breaker.handle import BreakerHandle
from experiments.bench.breakers import Breakers
from supervisor import Supervisor
from supervisor.link import wait_until

if TYPE_CHECKING:
    from actors.breaker.link import OwnerLink

_PATIENCE_S = 120.0


class SharedBreakerCalls(Breakers):
    """Ours is of an embedded supervisor; the peers stand beside it in the same process."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rsup-bench-"))
        self._supervisor = Supervisor.start({"log": {"path": str(self._folder / "log.duckdb")}})

    def breaker(self, name: str) -> BreakerHandle:
        """Its owner has answered: from now on it is the cluster's, and its word lies on the node's board."""
        made = self._supervisor.breaker(name)
        if not wait_until(lambda: made.owner_heard, _PATIENCE_S):
            message = f"the owner of {name!r} did not answer within {_PATIENCE_S:g} s"
            raise TimeoutError(message)
        return made

    @property
    def link(self) -> OwnerLink:
        return self._supervisor.breaker_link

    def close(self) -> None:
        """End the supervisor and its Ray."""
        self._supervisor.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)
