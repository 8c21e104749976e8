"""How functions, arguments and results travel between processes.

Plain pickle is the fast way. What it cannot carry, or would carry by a name the other side does not know (`__main__`),
goes through cloudpickle; ObjectRefs are taken out and travel beside the bytes, so that Ray keeps them alive.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import ray
from ray import cloudpickle

_PLAIN_FAILURES = (pickle.PicklingError, AttributeError, TypeError, ValueError, RecursionError)
PROTOCOL = 5

_INSTALLED = ("site-packages", "dist-packages", "/lib/python", "frozen")


def dumps(value: object) -> tuple[bytes, Sequence[Any]]:
    """Pickle `value`; returns the bytes and the ObjectRefs found in it.

    Raises: whatever cloudpickle raises when the value cannot travel.
    """
    try:
        data = pickle.dumps(value, PROTOCOL)
    except _PLAIN_FAILURES:
        return _careful_dumps(value)
    if b"__main__" in data or b"ObjectRef" in data or b"ray." in data:
        return _careful_dumps(value)
    return data, ()


def loads(data: bytes, refs: Sequence[Any]) -> Any:
    """The value that `dumps` was given; `refs` are its ObjectRefs."""
    if not refs:
        return pickle.loads(data)  # noqa: S301 - Ray itself carries pickles between these same processes
    return _RefUnpickler(io.BytesIO(data), refs).load()


class _RefPickler(cloudpickle.CloudPickler):
    def __init__(self, file: io.BytesIO, refs: list[Any]) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self._refs = refs

    def persistent_id(self, obj: object) -> int | None:
        if isinstance(obj, ray.ObjectRef):
            self._refs.append(obj)
            return len(self._refs) - 1
        return None


class _RefUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, refs: Sequence[Any]) -> None:
        super().__init__(file)
        self._refs = refs

    def persistent_load(self, pid: int) -> Any:
        return self._refs[pid]


def _careful_dumps(value: object) -> tuple[bytes, list[Any]]:
    refs: list[Any] = []
    file = io.BytesIO()
    _RefPickler(file, refs).dump(value)
    return file.getvalue(), refs


@dataclass(frozen=True, slots=True)
class PickledFunction:
    """A function as it travels: once per worker, known by its digest afterwards.

    Attributes:
        digest: 16 bytes that identify these very bytes.
        name: `module.qualname`, for people.
        by_value: Whether its whole module travels with it, because workers cannot import that.
    """

    digest: bytes
    data: bytes
    name: str
    by_value: bool


def pickle_function(fn: Callable[..., Any], *, by_value: bool) -> PickledFunction:
    """Pickle a function, by reference where it has an importable name, else (or when asked) by value."""
    module = sys.modules.get(getattr(fn, "__module__", "") or "")
    if by_value and module is not None and module.__name__ != "__main__":
        data = _dumps_by_value(fn, module)
    else:
        data = cloudpickle.dumps(fn, protocol=PROTOCOL)
    return PickledFunction(hashlib.blake2b(data, digest_size=16).digest(), data, function_name(fn), by_value)


def dumps_by_value(value: object, module: ModuleType) -> tuple[bytes, Sequence[Any]]:
    """Like `dumps`, but what `module` defines travels whole."""
    cloudpickle.register_pickle_by_value(module)
    try:
        return _careful_dumps(value)
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _dumps_by_value(fn: Callable[..., Any], module: ModuleType) -> bytes:
    data, _ = dumps_by_value(fn, module)
    return data


class _Class:
    """Pickles as a call of `load_class`."""

    def __init__(self, by_reference: bytes, by_value: bytes) -> None:
        self._call = (by_reference, by_value)

    def __reduce__(self) -> tuple[Any, ...]:
        return load_class, self._call


def load_class(by_reference: bytes, by_value: bytes) -> Any:
    """The class that a process can import, so that it is the same as everywhere in it; else the one that travelled."""
    try:
        return pickle.loads(by_reference)  # noqa: S301 - our own bytes
    except (ImportError, AttributeError):
        return pickle.loads(by_value)  # noqa: S301 - our own bytes


def pickle_class(cls: type[Any]) -> bytes:
    """Pickle a class so that it loads where its module can be imported, and where it cannot.

    Raises: whatever cloudpickle raises when a class without an importable name cannot travel.
    """
    module = sys.modules.get(cls.__module__)
    by_reference = cloudpickle.dumps(cls, protocol=PROTOCOL)
    if module is None or cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
        return by_reference  # cloudpickle takes these by value
    try:
        by_value = _dumps_by_value(cls, module)
    except Exception:  # noqa: BLE001 - a module may hold anything; it is imported then, or the start says that it cannot be
        return by_reference
    return pickle.dumps(_Class(by_reference, by_value), PROTOCOL)


def pickle_everywhere(value: object, modules: Sequence[ModuleType]) -> bytes:
    """Pickle a value so that it loads where these modules can be imported, and where they cannot.

    Raises: whatever cloudpickle raises when the value cannot travel.
    """
    by_reference = cloudpickle.dumps(value, protocol=PROTOCOL)
    if not modules:
        return by_reference
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        by_value = cloudpickle.dumps(value, protocol=PROTOCOL)
    except Exception:  # noqa: BLE001 - a module may hold anything; it is imported then, or the user is told that it cannot be
        return by_reference
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    return pickle.dumps(_Class(by_reference, by_value), PROTOCOL)


def pickle_named(value: Any) -> bytes:
    """Pickle a function or class: by reference what is installed everywhere, else as `pickle_class` does."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if module is not None and (file is None or any(part in file for part in _INSTALLED)) and _is_named(value, module):
        return pickle.dumps(value, PROTOCOL)
    if isinstance(getattr(value, "__qualname__", None), str):
        return pickle_class(value)
    return cloudpickle.dumps(value, protocol=PROTOCOL)


def _is_named(value: Any, module: ModuleType) -> bool:
    return module.__name__ != "__main__" and getattr(module, getattr(value, "__qualname__", ""), None) is value


def function_name(fn: Callable[..., Any]) -> str:
    """`module.qualname`, or the type's name for other callables."""
    module = getattr(fn, "__module__", None) or type(fn).__module__
    return f"{module}.{getattr(fn, '__qualname__', type(fn).__qualname__)}"
