"""Nodes that no work is to go to for a while: kept in Ray's own table, so that whoever leads knows of them.

Each node has an entry of its own there: who keeps work off one node takes nothing back that another has said of
another. An entry whose time is over counts no more, and goes with the next that is written.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMESPACE = b"supervisor"


def keep_off(supervisor: str, node: str, seconds: float, wall_us: int) -> None:
    """No work goes to a node for so long.

    Args:
        supervisor: Whose work.
        node: The node's id.
        seconds: How long; 0 takes it back.
        wall_us: The moment, microseconds since the Unix epoch.
    """
    table = _table()
    until = str(wall_us + round(seconds * 1e6)).encode()
    table._internal_kv_put(_key(supervisor, node), until, overwrite=True, namespace=_NAMESPACE)  # noqa: SLF001 - private: Ray has no other table that outlives actors
    for each, until_us in _read(supervisor).items():
        if until_us <= wall_us:
            table._internal_kv_del(_key(supervisor, each), namespace=_NAMESPACE)  # noqa: SLF001 - as above


def kept_off(supervisor: str, wall_us: int) -> frozenset[str] | None:
    """The nodes that no work is to go to now; None when Ray's table does not say it now (what was known stands)."""
    found = kept_off_for(supervisor, wall_us)
    return None if found is None else frozenset(found)


def kept_off_for(supervisor: str, wall_us: int) -> dict[str, float] | None:
    """The same, and for how long yet, seconds."""
    try:
        return {node: (until_us - wall_us) / 1e6 for node, until_us in _read(supervisor).items() if until_us > wall_us}
    except Exception:  # noqa: BLE001 - a GCS that is away, slow or restarting raises many kinds; all mean: not now
        return None


def _read(supervisor: str) -> dict[str, int]:
    """Until when work is kept off each node, microseconds since the Unix epoch."""
    table = _table()
    prefix = _key(supervisor, "")
    found: dict[str, int] = {}
    for key in table._internal_kv_list(prefix, namespace=_NAMESPACE):  # noqa: SLF001 - as above
        value: bytes | None = table._internal_kv_get(key, namespace=_NAMESPACE)  # noqa: SLF001 - as above
        if value is not None and value.isdigit():
            found[key.removeprefix(prefix).decode()] = int(value)
    return found


def _key(supervisor: str, node: str) -> bytes:
    return f"kept_off/{supervisor}/{node}".encode()


def _table() -> Any:
    return import_module("ray.experimental.internal_kv")
