"""What holds for all tests: those on a Ray follow each other in one process, and the others run beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
ON_RAY = frozenset({"chaos", "ray_cluster", "ray_local"})

# How long an example takes says how busy the machine is: speed is the bench's business.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two Rays at a time starve each other on two cores."""
    for item in items:
        if item.path.relative_to(HERE).parts[0] in ON_RAY:
            item.add_marker(pytest.mark.xdist_group("ray"))
