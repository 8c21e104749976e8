"""Nodes that no work is to go to for a while: kept in Ray's own table, so that whoever leads knows of them."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

_NAMESPACE = b"supervisor"
_NODES_MAX = 1000


def keep_off(supervisor: str, node: str, seconds: float, wall_us: int) -> None:
    """No work goes to a node for so long.

    Args:
        supervisor: Whose work.
        node: The node's id.
        seconds: How long; 0 takes it back.
        wall_us: The moment, microseconds since the Unix epoch.
    """
    kept = _living(_read(supervisor), wall_us)
    kept[node] = wall_us + round(seconds * 1e6)
    latest = dict(sorted(kept.items(), key=lambda each: each[1])[-_NODES_MAX:])
    _table()._internal_kv_put(_key(supervisor), json.dumps(latest), overwrite=True, namespace=_NAMESPACE)  # noqa: SLF001 - private: Ray has no other table that outlives actors


def kept_off(supervisor: str, wall_us: int) -> frozenset[str] | None:
    """The nodes that no work is to go to now; None when Ray's table does not say it now (what was known stands)."""
    try:
        return frozenset(_living(_read(supervisor), wall_us))
    except Exception:  # noqa: BLE001 - a GCS that is away, slow or restarting raises many kinds; all mean: not now
        return None


def _living(kept: dict[str, int], wall_us: int) -> dict[str, int]:
    return {node: until_us for node, until_us in kept.items() if until_us > wall_us}


def _read(supervisor: str) -> dict[str, int]:
    found: Any = _table()._internal_kv_get(_key(supervisor), namespace=_NAMESPACE)  # noqa: SLF001 - as above
    try:
        return {} if found is None else dict(json.loads(found))
    except ValueError:
        return {}


def _key(supervisor: str) -> bytes:
    return f"kept_off/{supervisor}".encode()


def _table() -> Any:
    return import_module("ray.experimental.internal_kv")
