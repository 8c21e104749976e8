"""How a probe travels to where it runs, and what is remembered there of those that came."""

from __future__ import annotations

import inspect
import pickle
import sys
import sysconfig
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from actors.health.probes.place import ReadyProbe
from actors.runtime import wire
from actors.runtime.errors import ConfigError

PROBE_BYTES_MAX = 64 * 1024
"""A probe may take so much room: it lies on every node's board."""

SHELF_MAX = 20_000
"""Probes that a process remembers."""

_OURS = ("actors.", "supervisor.", "experiments.")
_INSTALLED = tuple({sysconfig.get_paths()[part] for part in ("stdlib", "platstdlib", "purelib", "platlib")})

Probe = Callable[[], Any]


def pack_probe(probe: Probe) -> bytes:
    """Its octets; what a place cannot import travels with it.

    Raises:
        ConfigError: It is none, does not pickle, or takes too much room.
    """
    if not callable(probe):
        problem = (
            f"probe: {type(probe).__name__} cannot be called; give a function without arguments, or one of probes.*"
        )
        raise ConfigError("health.register", problems=(problem,))
    missing = _missing(probe)
    if missing:
        problem = f"probe: it is called without arguments, and wants some ({missing}); bind them: lambda: probe(...)"
        raise ConfigError("health.register", problems=(problem,))
    try:
        data = wire.pickle_everywhere(probe, list(dict.fromkeys(_modules(probe))))
    except Exception as error:
        problem = f"probe: it does not pickle ({type(error).__name__}: {error}); make what it needs within it"
        raise ConfigError("health.register", problems=(problem,)) from error
    if len(data) > PROBE_BYTES_MAX:
        problem = f"probe: it takes {len(data)} bytes and may take {PROBE_BYTES_MAX}; read what it needs where it runs"
        raise ConfigError("health.register", problems=(problem,))
    return data


def _missing(probe: Probe) -> str:
    """What keeps it from being called without arguments, in Python's words; empty if nothing does, or nobody knows."""
    try:
        inspect.signature(probe).bind()
    except TypeError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - a built-in function without a signature, or whatever a user's own one does
        return ""
    return ""


class ProbeShelf:
    """The probes that came to this process: each is loaded once, so that it keeps what it notes between its checks."""

    def __init__(self, limit: int = SHELF_MAX) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._probes: OrderedDict[tuple[str, bytes], Probe] = OrderedDict()

    def probe(self, name: str, data: bytes) -> Probe:
        """The probe of this name that was packed; one that cannot be loaded here raises why, when it is called."""
        with self._lock:
            known = self._probes.get((name, data))
            if known is not None:
                self._probes.move_to_end((name, data))
                return known
        found = _loaded(data)
        with self._lock:
            self._probes[name, data] = found
            while len(self._probes) > self._limit:
                self._probes.popitem(last=False)
        return found


def _loaded(data: bytes) -> Probe:
    try:
        return pickle.loads(data)  # noqa: S301 - a user's own, see `pack_probe`
    except Exception as error:  # noqa: BLE001 - importing a user's module can raise anything
        return _silent(f"it cannot be loaded here: {type(error).__name__}: {error}")


def _silent(reason: str) -> Probe:
    def cannot_run() -> None:
        raise LookupError(reason)

    return cannot_run


def _modules(value: Any) -> Iterator[ModuleType]:
    """The user's own modules that a probe is made of."""
    parts = [value, type(value), getattr(value, "func", None), getattr(value, "__func__", None)]
    if isinstance(value, ReadyProbe):
        parts += [getattr(value, field) for field in type(value).model_fields]
        parts += [getattr(part, "func", None) for part in parts]
    for part in parts:
        name = getattr(part, "__module__", None)
        module = sys.modules.get(name) if isinstance(name, str) else None
        file = getattr(module, "__file__", None)
        if module is None or file is None or f"{name}.".startswith(_OURS) or name == "__main__":
            continue
        if not file.startswith(_INSTALLED):
            yield module
