"""What people read of degradation in the log, from rows as the owner writes them."""

from __future__ import annotations

from actors.degradation import messages as m
from actors.degradation.rows import SNAPSHOTS, rows_of, snapshot
from actors.service.writer import Writer
from tests.unit.degradation.scene import Scene

WRITER = Writer(owner="degradation/main", incarnation=1, era=1)
START_US = 1_700_000_000_000_000


class Recorder:
    """Writes what a machine wants written, a batch for each of its answers."""

    def __init__(self, store, batch_of) -> None:
        self._store, self._batch_of = store, batch_of
        self._number = 0

    def write(self, scene: Scene, commands: list[m.Command]) -> None:
        at_us = START_US + int(scene.now * 1e6)
        published = scene.machine.published
        rows = [row for command in commands for row in rows_of(command, published, WRITER, at_us)]
        rows.append((SNAPSHOTS, snapshot(scene.machine.kept(scene.now), published, b"packed", WRITER, at_us)))
        for table, row in rows:
            self._number += 1
            self._store.append([self._batch_of(self._number, row, table=table)])


def test_flags_dependencies_and_the_active_degradation(store, batch_of, read):
    scene, recorder = Scene(), Recorder(store, batch_of)
    assert read("FROM active_degradation") == []
    assert read("FROM feature_flags") == []
    recorder.write(scene, scene.declare("search", lowest="full"))
    recorder.write(scene, scene.declare("chat", needs="search", rollout=50))
    recorder.write(scene, scene.declare("gone"))
    recorder.write(scene, scene.tell(m.FeatureWithdrawn(name="gone")))
    recorder.write(scene, scene.declare("search", lowest="reduced"))
    flags = "SELECT feature, enabled, lowest, rollout FROM feature_flags ORDER BY feature"
    assert read(flags) == [("chat", True, "emergency", 50.0), ("search", True, "reduced", 100.0)]
    assert read("SELECT feature, needs FROM feature_dependencies") == [("chat", "search")]
    assert read("FROM active_degradation") == []

    scene.now += 10
    recorder.write(scene, scene.set("minimal", 60.0))
    assert read(flags) == [("chat", False, "emergency", 50.0), ("search", False, "reduced", 100.0)]
    active = "SELECT level, reason, overridden_by, epoch(until) - epoch(since) FROM active_degradation"
    assert read(active) == [("minimal", "ann: because", "ann", 60.0)]

    scene.now += 10
    recorder.write(scene, scene.tell(m.AutoRequested(who="bob")))
    assert read("SELECT level, overridden_by FROM active_degradation") == [("minimal", None)]
    recorder.write(scene, scene.later(100.0))
    assert read("FROM active_degradation") == []
    assert read("SELECT level FROM degradation_state ORDER BY ingest_id") == [
        ("minimal",),
        ("minimal",),
        ("reduced",),
        ("full",),
    ]
