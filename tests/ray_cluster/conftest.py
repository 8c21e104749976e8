"""A cluster of three nodes for the module's scenes, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ray_cluster.apart import Stage, stage


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(3, tmp_path_factory.mktemp("stage")) as made:
        yield made
