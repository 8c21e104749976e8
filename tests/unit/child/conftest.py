"""Waiting for what happens in the background."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.unit.child.scene import DEADLINE_S


@pytest.fixture
def eventually() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], what: str) -> None:
        give_up_at = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up_at, f"{what} did not come"
            time.sleep(0.005)

    return wait
