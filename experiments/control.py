"""A control for Chaos Toolkit: the experiment's own bounds and load hold under `chaos run`, too.

    controls:
      - name: ray-supervisor
        provider: {type: python, module: experiments.control}

It attaches to the supervisor that SUPERVISOR_NAME (and SUPERVISOR_ADDRESS) name, and lets it go afterwards.

Chaos Toolkit passes over whatever a control fails with, and would go on without the bounds; and it goes on when an
action has failed, and passes an experiment that has injected nothing. One exception ends it: that is raised for both.
"""

from __future__ import annotations

from typing import Any, NoReturn, cast

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
    try:
        experiment = load_experiment({key: value for key, value in context.items() if key != _DRY})
        if getattr(context.get(_DRY), "value", None) != _NOTHING:
            driver.connect_from_environment(experiment)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would be told
        _end(f"nothing was done: {error}", error)


def after_activity_control(context: dict[str, Any], state: dict[str, Any] | None = None, **_: Any) -> None:
    """A step has ended.

    Raises:
        InterruptExecution: It was to inject a fault, and failed: it was refused, ended early, or not seen to act.
    """
    provider = cast("dict[str, Any]", context.get("provider") or {})
    if (provider.get("module"), provider.get("func")) != (DRIVER, "inject") or state is None:
        return
    if state.get("status") == "failed":
        told = [str(line).strip() for line in state.get("exception") or ()]
        _end(f"{context.get('name')}: {told[-1] if told else 'it failed'}")


def after_experiment_control(context: dict[str, Any], **_: Any) -> None:
    """It has ended, however that was."""
    del context
    driver.disconnect()


def _end(why: str, cause: Exception | None = None) -> NoReturn:
    from chaoslib.exceptions import InterruptExecution  # noqa: PLC0415 - who calls this has it; others need it not

    raise InterruptExecution(why) from cause
