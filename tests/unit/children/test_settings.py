"""The bounds of calls, and what a method's options take."""

from __future__ import annotations

import pytest

from actors.child.machine import ANSWERS_KEPT
from actors.runtime.errors import ConfigError
from supervisor.children.settings import CALL_RETRY, CallOptions, CallSettings


def test_a_child_remembers_more_answers_than_can_be_under_way() -> None:
    longest = next(bound.le for bound in CallSettings.model_fields["window"].metadata if hasattr(bound, "le"))
    assert longest < ANSWERS_KEPT


def test_by_default_only_the_loss_of_the_child_is_a_reason_to_call_again() -> None:
    assert (CALL_RETRY.attempts, CALL_RETRY.on, CALL_RETRY.unknown) == (5, (), "retry")


def test_wrong_options_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        CallOptions.parse({"timeout_s": 0, "unknown": "maybe", "tries": 3}, source="cart.add.options(...)")
    assert "cart.add.options(...)" in str(caught.value)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["timeout_s", "unknown", "tries"]
