"""What is asked of a breaker by mistake is told, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.runtime.errors import ConfigError
from tests.unit.breaker.town import Town


def test_a_configure_of_nothing_or_by_something_else_changes_nothing():
    town = Town()
    before, wrong = town.view.published, dict[str, Any]()
    with pytest.raises(ConfigError, match="no field is given; name it, as open_s=10"):
        town.breaker.configure(reason="nothing")
    with pytest.raises(ConfigError, match="must be BreakerSettings, not dict"):
        town.breaker.configure(wrong, reason="wrong")  # pyright: ignore[reportArgumentType] - that is the mistake
    assert (town.view.published, town.breaker.settings) == (before, town.settings)


def test_the_command_that_a_refusal_names_can_be_pasted():
    assert str(CircuitOpenError("card payments", retry_after_s=1.0)).endswith("breaker explain 'card payments'")
