"""A control for Chaos Toolkit: the experiment's own bounds and load hold under `chaos run`, too.

    controls:
      - name: ray-supervisor
        provider: {type: python, module: experiments.control}

It attaches to the supervisor that SUPERVISOR_NAME (and SUPERVISOR_ADDRESS) name, and lets it go afterwards.

Chaos Toolkit passes over what a control fails with, and would go on without the bounds: one exception ends it before
its first probe. And it passes an experiment whose actions have failed: where one was to inject a fault of ours, the
journal says failed in the end. Rejected: to interrupt it there; no rollback is played then, nor any of other tools.
"""

from __future__ import annotations

import logging
from typing import Any, cast

from experiments import driver
from experiments.model.loading import load_experiment
from experiments.model.tolerance_file import DRIVER

_DRY = "dry"
"""What `chaos run` adds to each file that it has read: what of it is not to be done."""

_NOTHING = "activities"


def before_experiment_control(context: dict[str, Any], **_: Any) -> None:
    """The experiment begins.

    Raises:
        InterruptExecution: The file is wrong, or its supervisor does not answer.
    """
    from chaoslib.exceptions import InterruptExecution  # noqa: PLC0415 - who calls this has it; others need it not

    try:
        experiment = load_experiment({key: value for key, value in context.items() if key != _DRY})
        if getattr(context.get(_DRY), "value", None) != _NOTHING:
            driver.connect_from_environment(experiment)
    except Exception as error:
        raise InterruptExecution(f"nothing was done: {error}") from error


def after_experiment_control(context: dict[str, Any], state: dict[str, Any] | None = None, **_: Any) -> None:
    """It has ended, however that was.

    Args:
        context: The file.
        state: The journal; what it says is what `chaos run` exits by.
    """
    del context
    driver.disconnect()
    if state is None or state.get("status") != "completed":
        return
    failed = [
        step["activity"]["name"] for step in cast("list[dict[str, Any]]", state.get("run") or []) if _failed(step)
    ]
    if failed:
        state["status"] = "failed"
        logging.getLogger("chaostoolkit").error("Nothing is shown, so it has failed: %s", ", ".join(failed))


def _failed(step: dict[str, Any]) -> bool:
    """Whether it was to inject a fault of ours, and was refused, ended early, or not seen to act."""
    provider = cast("dict[str, Any]", step.get("activity", {}).get("provider") or {})
    ours = (provider.get("module"), provider.get("func")) == (DRIVER, "inject")
    return ours and step.get("status") == "failed"
