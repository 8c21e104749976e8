"""A scene has what every experiment may hit: the system's own parts."""

from __future__ import annotations

from typing import get_args

from experiments.model.loading import library_names, load_experiment
from experiments.model.scenes import OURS, SCENES, SceneName


def test_every_scene_is_described_and_has_a_system() -> None:
    assert set(SCENES) == set(get_args(SceneName))
    for scene in SCENES.values():
        assert scene.shows
        assert {"supervisor", "event_log", "worker"} <= set(scene.targets.values())
        assert sum(kind == "node" for kind in scene.targets.values()) == scene.nodes


def test_what_a_scene_builds_has_a_name_that_no_user_gives() -> None:
    for scene in SCENES.values():
        built = {name for name, kind in scene.targets.items() if kind in ("child", "breaker", "dependency")}
        assert all(name.partition("/")[2].startswith(OURS) for name in built), scene.shows


def test_the_library_means_nothing_that_only_a_user_has() -> None:
    for name in library_names():
        for _, fault in load_experiment(name).faults():
            if fault.target.kind in ("child", "breaker", "dependency"):
                assert fault.target.name.startswith(OURS), name
