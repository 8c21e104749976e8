"""What was acknowledged must be known; of what was refused nothing is promised."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from actors.runtime.errors import SupervisorError
from experiments.running.durable import DurableLoad
from tests.unit.faults.scene import until


class Keeper:
    """Keeps keys, and refuses while it cannot; its response is itself."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.refuses = threading.Event()
        self.hangs = threading.Event()

    def call(self, key: str) -> Keeper:
        self._key = key
        return self

    def result(self, timeout: float) -> int:
        if self.hangs.is_set():
            raise TimeoutError
        if self.refuses.is_set():
            raise SupervisorError("it cannot be kept")
        self.keys.append(self._key)
        return len(self.keys)

    def known(self) -> list[str]:
        if self.hangs.is_set():
            raise TimeoutError
        return self.keys


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def load(keeper: Keeper) -> Iterator[DurableLoad]:
    made = DurableLoad(1_000, keeper.call, keeper.known, prefix="r1", timeout_s=5)
    assert made.forgotten() == (), "nothing was acknowledged, so nobody is asked"
    made.start()
    yield made
    made.stop(30)


def test_what_was_acknowledged_is_known(load: DurableLoad, keeper: Keeper) -> None:
    until(lambda: load.acknowledged > 10)
    assert load.forgotten() == ()
    assert keeper.keys[0] == "r1-durable-0"


def test_what_is_refused_is_counted_and_not_asked_for(load: DurableLoad, keeper: Keeper) -> None:
    keeper.refuses.set()
    until(lambda: load.refused.get("SupervisorError", 0) > 3)
    keeper.refuses.clear()
    before = load.acknowledged
    until(lambda: load.acknowledged > before)
    assert load.forgotten() == ()


def test_what_is_gone_is_named(load: DurableLoad, keeper: Keeper) -> None:
    until(lambda: load.acknowledged > 3)
    load.stop(30)
    del keeper.keys[1]
    assert load.forgotten() == ("r1-durable-1",)


def test_who_cannot_be_asked_has_not_forgotten(load: DurableLoad, keeper: Keeper) -> None:
    until(lambda: load.acknowledged > 3)
    keeper.hangs.set()
    with pytest.raises(TimeoutError):
        load.forgotten()
