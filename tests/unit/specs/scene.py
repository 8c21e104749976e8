"""Classes for specs to name, and what a broken spec says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from actors.runtime.settings import Settings

HERE = __name__


class Cart:
    """A child as users have it."""

    def __init__(self, region: str = "eu", *, limit: int = 10) -> None:
        self.region, self.limit = region, limit

    def add(self, item: str) -> int:
        return len(item)

    def total(self) -> int:
        return 0

    class Line:
        """A nested class."""


class Needy:
    def __init__(self, must: int) -> None:
        self.must = must


class Hooked:
    def checkpoint(self) -> int:
        return 1

    def restore(self, state: Any) -> None: ...

    @classmethod
    def health(cls) -> bool:
        return True

    @staticmethod
    def stop() -> None: ...


class WrongHooks:
    health = 100  # no hook: it cannot be called

    def checkpoint(self, path: str) -> None: ...

    def restore(self) -> None: ...

    def stop(self, when: float) -> None: ...


class WrongStateHooks:
    def checkpoint(self, path: str) -> None: ...


class WrongVersion:
    checkpoint_version = "2"


class Anything:
    def __getattr__(self, name: str) -> Any:
        return print


class Abstract(ABC):
    @abstractmethod
    def later(self) -> None: ...


class BusyError(Exception):
    """An exception to try again on."""


def problems(kind: type[Settings], data: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        kind.parse(data, source="here")
    return caught.value.problems
