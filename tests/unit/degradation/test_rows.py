"""What is written to the log has as many values as its table has columns."""

from __future__ import annotations

import base64

from actors.degradation import messages as m
from actors.degradation.rows import CHANGES, FEATURES, SNAPSHOTS, rows_of, snapshot
from actors.event_log.schema import TABLES
from actors.service.writer import Writer
from tests.unit.degradation.scene import Scene, feature

WRITER = Writer(owner="degradation/main", incarnation=2, era=9)


def named(table: str, row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip((column.name for column in TABLES[table].columns), row, strict=True))


def test_a_change_of_level_is_a_row():
    scene = Scene()
    scene.declare("chat", lowest="full")
    rows = [row for command in scene.set("reduced", 60.0) for row in _rows(scene, command)]
    ((table, row),) = rows
    told = named(table, row)
    assert table == CHANGES
    assert (told["level"], told["before_level"], told["cause"], told["who"]) == ("reduced", "full", "override", "ann")
    assert (told["until_ms"], told["switched_off"], told["switched_on"]) == (60_000.0, '["chat"]', "[]")


def test_a_declaration_and_its_end_are_rows():
    scene = Scene()
    (declared,) = (row for command in scene.declare("chat", lowest="full") for row in _rows(scene, command))
    withdrawn = scene.tell(m.FeatureWithdrawn(name="chat"))
    (gone,) = (row for command in withdrawn for row in _rows(scene, command))
    assert (declared[0], gone[0]) == (FEATURES, FEATURES)
    assert (named(*declared)["lowest"], named(*declared)["withdrawn"]) == ("full", 0)
    assert (named(*gone)["lowest"], named(*gone)["withdrawn"]) == (None, 1)


def test_a_snapshot_holds_what_people_and_a_successor_look_for():
    scene = Scene()
    scene.tell(m.FeatureDeclared(feature=feature("chat", lowest="full")))
    scene.set("reduced")
    machine = scene.machine
    told = named(SNAPSHOTS, snapshot(machine.kept(scene.now), machine.published, b"packed", WRITER, 5))
    assert (told["level"], told["number"], told["overridden_by"], told["until_ms"]) == ("reduced", 1, "ann", None)
    assert (told["disabled"], told["era"], told["at_time"]) == ('["chat"]', 9, 5)
    assert base64.b64decode(str(told["kept"])) == b"packed"


def _rows(scene: Scene, command: m.Command) -> list[tuple[str, tuple[object, ...]]]:
    return rows_of(command, scene.machine.published, WRITER, 1)
