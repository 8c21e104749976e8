"""What a cluster's owner says of experiments."""

from __future__ import annotations

import pytest

from actors.runtime.errors import ConfigError
from supervisor.chaos_settings import ChaosSettings
from supervisor.config import SupervisorConfig


def test_labels_are_given_by_name_or_pattern_and_the_last_counts() -> None:
    settings = ChaosSettings(
        labels={"worker/*": {"chaos": "allowed", "tier": "b"}, "default-1": {"tier": "a"}, "child/cart": {"x": "y"}}
    )
    assert settings.labels_of("worker/default-0") == {"chaos": "allowed", "tier": "b"}
    assert settings.labels_of("worker/default-1") == {"chaos": "allowed", "tier": "a"}
    assert settings.labels_of("supervisor/root") == {}


def test_the_defaults_are_careful() -> None:
    settings = SupervisorConfig().chaos
    assert (settings.safe_mode, settings.ephemeral, settings.protected, settings.experiments_max) == (
        None,
        False,
        (),
        1,
    )


def test_a_typo_fails() -> None:
    with pytest.raises(ConfigError, match="save_mode"):
        SupervisorConfig.load({"chaos": {"save_mode": True}})


def test_an_opt_in_is_a_label_and_its_value() -> None:
    assert ChaosSettings(opt_in="chaos=allowed").opt_in == "chaos=allowed"
    with pytest.raises(ConfigError, match="opt_in"):
        SupervisorConfig.load({"chaos": {"opt_in": "chaos"}})
