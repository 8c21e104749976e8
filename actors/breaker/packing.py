"""How a breaker's settings travel: the numbers plainly, users' functions and exception classes each as a pickle.

What a process cannot import it takes as it was where it came from. The owner decides by numbers alone: what it cannot
load at all it does without, and hands the octets on as they are.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

from actors.breaker.kept import Kept
from actors.breaker.settings import BreakerSettings
from actors.runtime import wire
from actors.runtime.errors import ConfigError

PACKED_BYTES_MAX = 16 * 1024
"""So much of a breaker's settings fits on the boards of all nodes."""

_RULES = ("ignore", "count")
_UNDER_WAY: ContextVar[tuple[bytes, ...]] = ContextVar("settings that are being unpacked", default=())


@dataclass(frozen=True, slots=True)
class _Pickled:
    """A function or class of the user's."""

    data: bytes


def pack_settings(settings: BreakerSettings) -> bytes:
    """Their octets.

    Raises:
        ConfigError: A function does not pickle, or they take too much room.
    """
    fields = {
        name: value
        for name, field in BreakerSettings.model_fields.items()
        if (value := getattr(settings, name)) != field.default
    }
    try:
        data = pickle.dumps({name: _packed(value) for name, value in fields.items()}, wire.PROTOCOL)
    except Exception as error:
        problem = f"a function or class of them does not pickle: {type(error).__name__}: {error}"
        raise ConfigError("BreakerSettings", problems=(problem,)) from error
    if len(data) > PACKED_BYTES_MAX:
        problem = (
            f"they take {len(data)} bytes and may take {PACKED_BYTES_MAX}; "
            "put their functions and exception classes into a module that every process can import"
        )
        raise ConfigError("BreakerSettings", problems=(problem,))
    return data


def unpack_settings(data: bytes) -> BreakerSettings:
    """What was packed; what cannot be loaded here counts nothing, ignores nothing, and has no wait to tell.

    A module that uses the breaker while it is imported for it gets what there is of it, and nobody else does.
    """
    under_way = _UNDER_WAY.get()
    if data in under_way:
        return _unpacked(data)
    token = _UNDER_WAY.set((*under_way, data))
    try:
        return _unpacked_once(data)
    finally:
        _UNDER_WAY.reset(token)


@lru_cache(maxsize=1024)
def _unpacked_once(data: bytes) -> BreakerSettings:
    return _unpacked(data)


def _unpacked(data: bytes) -> BreakerSettings:
    fields: dict[str, Any] = pickle.loads(data)  # noqa: S301 - our own, see `pack_settings`
    found = {name: value for name, packed in fields.items() for value in _loaded(name, packed)}
    if found.get("count") == () and (fields["count"] or "failed_result" in fields):
        found["count"] = (_counts_nothing,)  # else they would be refused: there is nothing that could be a failure
    return BreakerSettings(**found)


def pack_kept(kept: Kept, settings: bytes) -> bytes:
    """What a process or an owner knows of a breaker, with its packed settings."""
    plain = replace(kept, settings=cast("BreakerSettings", None))
    return pickle.dumps((plain, settings), wire.PROTOCOL)


def unpack_kept(data: bytes) -> tuple[Kept, bytes]:
    """What was packed, and the octets of its settings."""
    kept, settings = pickle.loads(data)  # noqa: S301 - our own, see `pack_kept`
    return replace(kept, settings=unpack_settings(settings)), settings


def _packed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_packed(each) for each in cast("tuple[Any, ...]", value))
    return _Pickled(wire.pickle_named(value)) if callable(value) else value


def _loaded(name: str, packed: Any) -> list[Any]:
    """The value of a field, or nothing when its default is to stand for it."""
    if name in _RULES:
        return [tuple(rule for each in packed for rule in _loaded("", each))]
    if not isinstance(packed, _Pickled):
        return [packed]
    try:
        return [pickle.loads(packed.data)]  # noqa: S301 - our own, see `pack_settings`
    except Exception as error:  # noqa: BLE001 - importing a user's module can raise anything
        return [_silent(f"{type(error).__name__}: {error}")] if name == "open_s" else []


def _counts_nothing(error: BaseException) -> bool:
    """In place of rules that cannot be loaded here."""
    del error
    return False


def _silent(reason: str) -> Callable[[int], float]:
    def cannot_tell(openings: int) -> float:
        raise LookupError(f"the function for open_s cannot be loaded here ({reason}); opening {openings} waits longest")

    return cannot_tell
