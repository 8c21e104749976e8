"""A scene has what every experiment may hit: the system's own parts."""

from __future__ import annotations

from typing import get_args

from experiments.model.scenes import SCENES, SceneName


def test_every_scene_is_described_and_has_a_system() -> None:
    assert set(SCENES) == set(get_args(SceneName))
    for scene in SCENES.values():
        assert scene.shows
        assert {"supervisor", "event_log", "worker"} <= set(scene.targets.values())
        assert sum(kind == "node" for kind in scene.targets.values()) == scene.nodes
