"""The bounds of a dispatcher: each has a default, and none may be senseless."""

from __future__ import annotations

import pytest

from actors.runtime.errors import ConfigError
from supervisor.tasks.settings import DispatchSettings


def test_every_bound_has_a_default_and_a_description() -> None:
    settings = DispatchSettings()
    for name, field in DispatchSettings.model_fields.items():
        assert field.description, name
        assert getattr(settings, name) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue_limit", 0),
        ("on_full", "panic"),
        ("batch_max", 5000),
        ("batch_bytes", 0),
        ("batch_target_s", 0),
        ("recall_after_s", 0),
        ("recall_max_s", 0),
        ("prefetch_s", -1),
        ("poison_after", 0),
        ("grace_s", -1),
    ],
)
def test_senseless_bounds_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        DispatchSettings.parse({name: value}, source="test")
