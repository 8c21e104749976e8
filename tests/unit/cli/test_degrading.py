"""What the command says of degradation; what needs a cluster is tried on one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from actors.degradation.actor import DegradationView
from actors.degradation.settings import LEVELS
from supervisor.cli.degrading import _lasting, _told
from supervisor.cli.main import main
from tests.unit.degradation.scene import Scene


def test_a_view_is_told_with_what_is_off_and_why():
    scene = Scene()
    scene.declare("search", lowest="full", limits={"rows": {"full": 9, "reduced": 3}})
    scene.declare("chat", needs="search", rollout=50)
    scene.set("reduced", 60.0)
    resolved = scene.machine.published.resolved
    view = DegradationView(
        kept=scene.machine.kept(scene.now),
        levels=LEVELS,
        why_off=resolved.why_off,
        limits=resolved.limits,
        signals={("system_score", ""): 41.0},
    )
    told = _told(view)
    assert (told["level"], told["override"]["who"], told["override"]["until_s"]) == ("reduced", "ann", 60.0)
    assert [(each["feature"], each["on"], each["because"]) for each in told["features"]] == [
        ("search", False, "the level"),
        ("chat", False, "search is off"),
    ]
    assert told["limits"] == [{"capability": "rows", "at most": 3}]
    assert told["signals"] == [{"signal": "system_score", "of": "", "value": 41.0}]


def test_how_long_it_lasts_is_said():
    assert _lasting(None) == "until `supervisor degradation auto`"
    assert _lasting(59.6) == "for 60 s more"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set-level", "minimal"), "--reason"),
        (("set-level", "--reason", "x"), "LEVEL"),
        (("tenant", "chat", "acme", "maybe"), "'on', 'off', 'auto'"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], message: str):
    ended = CliRunner().invoke(main, ["degradation", *arguments])
    assert ended.exit_code == 2
    assert message in ended.output
