"""What is said is read as it was said."""

from __future__ import annotations

from actors.degradation.recent import Recent
from actors.degradation.saying import Said, pack, unpack
from tests.unit.degradation.scene import Scene


def test_a_state_travels_with_its_changes():
    scene, recent = Scene(), Recent()
    scene.declare("chat", rollout=50, tenants={"acme": True})
    for command in scene.set("reduced"):
        recent.note(command, scene.machine.level)
    said = Said(published=scene.machine.published, changes=recent.all())
    assert unpack(pack(said)) == said
