"""A control for Chaos Toolkit: the experiment's own bounds and load hold under `chaos run`, too.

    controls:
      - name: ray-supervisor
        provider: {type: python, module: experiments.control}

It attaches to the supervisor that SUPERVISOR_NAME (and SUPERVISOR_ADDRESS) name, and lets it go afterwards.
"""

from __future__ import annotations

from typing import Any

from experiments import driver
from experiments.model.loading import load_experiment


def before_experiment_control(context: dict[str, Any], **_: Any) -> None:
    """The experiment begins."""
    driver.connect_from_environment(load_experiment(context))


def after_experiment_control(context: dict[str, Any], **_: Any) -> None:
    """It has ended, however that was."""
    del context
    driver.disconnect()
