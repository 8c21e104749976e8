from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from experiments.demo.schedule import outcome

if TYPE_CHECKING:
    from experiments.demo.schedule import Kind

SEED = 11


class KeyFinder(Protocol):
    def __call__(self, *kinds: Kind, applies: bool | None = None) -> str: ...


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


@pytest.fixture(scope="session")
def key_of() -> KeyFinder:
    """Finds a key whose first requests meet the given outcomes; `applies` is about the first of them."""

    def find(*kinds: Kind, applies: bool | None = None) -> str:
        for number in range(100_000):
            outcomes = [outcome(SEED, f"key-{number}", n) for n in range(1, len(kinds) + 1)]
            if tuple(each.kind for each in outcomes) == kinds and applies in (None, outcomes[0].applies):
                return f"key-{number}"
        raise LookupError(kinds)

    return find
