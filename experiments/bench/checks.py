"""What it costs to ask for a feature: ours on a real board, beside OpenFeature's in-memory provider, without Ray."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from itertools import repeat
from pathlib import Path
from typing import Any

from actors.degradation.handle import DegradationHandle
from actors.degradation.machine import DegradationMachine
from actors.degradation.messages import FeatureDeclared
from actors.degradation.saying import STATE, Said, pack
from actors.degradation.settings import LEVELS, DegradationSettings, FeatureSettings
from actors.runtime.board import BoardWriter
from actors.runtime.replicated import Replica
from actors.service.client import ServiceClient
from actors.service.node_board import NodeBoard
from actors.service.posting import postings_of, stamped, state_name

CHECKS = 200_000
THEIR_CHECKS = 5_000
REPEATS = 7
"""The best of so many counts: whatever else the machine does only adds."""

_KEY = "degradation/main"
_FEATURES = 100
_ASKED = "feature-50"


class Features:
    """Each method is one measurement; every call of one takes both sides in turn."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rsup-bench-"))
        self._board = _laid(self._folder / "board")
        client = ServiceClient(_KEY, _Nobody(), NodeBoard(lambda: self._folder / "board"))
        self._client = client
        self._handle = DegradationHandle(client, LEVELS, lambda: self._handle)

    def check(self) -> dict[str, Any]:
        """What one check costs, seconds."""
        peers, missing = _peers()
        ours = self._handle.enabled
        assert ours(_ASKED)
        best = dict.fromkeys(("ours", *peers), float("inf"))
        for _ in range(REPEATS):
            best["ours"] = min(best["ours"], _cost(ours, CHECKS))
            for name, peer in peers.items():
                best[name] = min(best[name], _cost(peer, THEIR_CHECKS))
        return {"ours": best["ours"], "peers": {name: best[name] for name in peers}, "missing": missing}

    def close(self) -> None:
        """Leave nothing behind."""
        self._client.stop()
        self._board.close(unlink=True)
        shutil.rmtree(self._folder, ignore_errors=True)


class _Nobody:
    """No cluster: the board is all there is."""

    def owner_of(self, name: str) -> str | None:
        del name
        return None

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        del name, timeout_s


def _laid(path: Path) -> BoardWriter:
    machine = DegradationMachine(DegradationSettings(), now=0.0)
    for number in range(_FEATURES):
        machine.handle(FeatureDeclared(feature=FeatureSettings(name=f"feature-{number}")), 0.0)
    board = BoardWriter(path)
    said = pack(Said(published=machine.published, changes=()))
    for posting in postings_of(state_name(_KEY, STATE), Replica(1, 1, said)):
        board.put(posting.name, posting.word, stamped(posting.octets, time.monotonic_ns()))
    board.beat(time.monotonic_ns())
    return board


def _peers() -> tuple[dict[str, Callable[[str], Any]], list[str]]:
    try:
        api, memory = import_module("openfeature.api"), import_module("openfeature.provider.in_memory_provider")
    except ImportError:
        return {}, ["openfeature-sdk"]
    flags = {f"feature-{number}": memory.InMemoryFlag("on", {"on": True, "off": False}) for number in range(_FEATURES)}
    api.set_provider_and_wait(memory.InMemoryProvider(flags), "bench")
    client = api.get_client("bench")
    return {
        "openfeature-sdk's in-memory provider": lambda flag: client.get_boolean_value(flag, default_value=False)
    }, []


def _cost(check: Callable[[str], Any], times: int) -> float:
    """Of one call, without the loop around it."""
    begun = time.perf_counter()
    for _ in repeat(None, times):
        check(_ASKED)
    called = time.perf_counter()
    for _ in repeat(None, times):
        pass
    return (called - begun - (time.perf_counter() - called)) / times
