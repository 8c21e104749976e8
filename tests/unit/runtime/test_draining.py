"""What Ray's table of draining nodes means, and what is made of a Ray that does not tell."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime import draining
from actors.runtime.draining import Drain, draining_nodes, drains


def test_a_deadline_is_told_as_the_time_that_is_left():
    assert drains({"a": 130_500, "b": 90_000, "c": 0}, wall_us=100_000_000) == {
        "a": Drain(reason="preemption", deadline_in_s=30.5),
        "b": Drain(reason="preemption", deadline_in_s=0.0),
        "c": Drain(reason="unknown", deadline_in_s=None),
    }


class Gcs:
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.timeouts: list[float] = []

    def get_draining_nodes(self, *, timeout: float) -> Any:
        self.timeouts.append(timeout)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (Gcs({}), {}),
        (Gcs({"a": 0}), {"a": Drain(reason="unknown", deadline_in_s=None)}),
        (Gcs(TimeoutError("it is away")), None),
        (Gcs(TypeError("unexpected keyword argument 'timeout'")), {}),
        (None, {}),
        (object(), {}),
    ],
)
def test_a_gcs_that_is_away_is_not_one_that_drains_nothing(monkeypatch: pytest.MonkeyPatch, client: Any, told: Any):
    monkeypatch.setattr(draining, "_gcs_client", lambda: client)
    assert draining_nodes(timeout_s=0.5) == told
    assert getattr(client, "timeouts", [0.5]) == [0.5]
