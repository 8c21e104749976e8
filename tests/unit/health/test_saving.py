"""What a monitor leaves: packed over and over, each registration once, and read by its next life."""

from __future__ import annotations

import pickle

import pytest

from actors.health.saving import Saved, SavedPacker, unpack_saved
from tests.unit.health.scene import Scene


def saved_of(scene: Scene) -> Saved:
    return Saved(kept=scene.machine.kept(), probes={("db", "liveness"): b"probe"}, changes=())


def test_it_is_read_as_it_was() -> None:
    scene, packer = Scene(), SavedPacker()
    scene.register("db", depends_on="disk")
    scene.register("disk")
    scene.run(3.0)
    saved = saved_of(scene)
    assert unpack_saved(packer.pack(saved)) == saved
    scene.register("db", failures=7)
    later = saved_of(scene)
    assert unpack_saved(packer.pack(later)) == later
    assert [each.failures for each in later.kept.registrations] == [7, 3]


def test_what_something_else_has_left_is_refused() -> None:
    with pytest.raises(TypeError, match="not a dict"):
        unpack_saved(pickle.dumps({}))
