"""What a probe of the hypothesis says, also where nothing tells of what it asks for."""

from __future__ import annotations

from typing import Any

from experiments.model.loading import load_experiment
from experiments.running.findings import UNTOLD, look


class Silent:
    """Probes without a value."""

    def value(self, *_: object) -> None:
        return None


def test_what_nothing_tells_of_is_told_so() -> None:
    probes: Any = Silent()
    facts = look(load_experiment("kill-worker"), probes, when="before", at_s=lambda: 0.0)
    assert {(fact.held, fact.why) for fact in facts} == {(None, UNTOLD)}
