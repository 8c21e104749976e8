"""What files may name exists in the driver, with just those arguments."""

from __future__ import annotations

import inspect

from experiments import driver
from experiments.model.functions import ACTIONS, PROBES
from experiments.model.tolerances import OURS


def test_the_driver_has_every_function_with_its_arguments() -> None:
    for name, (model, _) in PROBES.items():
        assert list(inspect.signature(getattr(driver, name)).parameters) == list(model.model_fields)
        assert model.__doc__
    assert all(callable(getattr(driver, name)) for name in (*ACTIONS, *OURS))
