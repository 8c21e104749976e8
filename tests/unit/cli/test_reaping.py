"""Actors fit 80 columns with their incarnation, and what is lost is said below with the remedy."""

from __future__ import annotations

import pytest
from rich.console import Console

from actors.runtime.ids import ActorName
from supervisor.cli.reaping import age_text, shortened, show_residents
from supervisor.reaping import Resident, Said, Standing

NOW_US = 1_700_000_000_000_000


def resident(name: str, standing: Standing = "owned", **said: str) -> Resident:
    parsed = ActorName.parse(name)
    assert parsed is not None
    return Resident(
        name=parsed,
        standing=standing,
        said=Said(status="running", role="service", restarts=1, **said),  # pyright: ignore[reportArgumentType]
        pid=4_194_304,
        node_id="a4f5a8c04640" * 4,
        started_at_us=NOW_US - 61_000_000,
    )


def shown(*residents: Resident, width: int = 80) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        show_residents(residents, console, now_us=NOW_US)
    return captured.get().splitlines()


def test_a_line_has_everything_and_fits_eighty_columns() -> None:
    lines = shown(resident("default/node_agent/a4f5a8c04640#1"), resident("default/worker/default-2#12"))
    assert [line.split() for line in lines] == [
        ["actor", "status", "role", "restarts", "age", "pid", "node"],
        ["default/node_agent/a4f5a8c04640#1", "running", "service", "1", "61s", "4194304", "a4f5a8"],
        ["default/worker/default-2#12", "running", "service", "1", "61s", "4194304", "a4f5a8"],
    ]
    assert max(map(len, lines)) <= 80


def test_a_long_name_keeps_its_incarnation_where_there_is_no_room() -> None:
    name = "default/child/" + "shop.european.cart" * 3 + "#1234"
    _, line = shown(resident(name))
    assert line.split()[0].endswith("…#1234")
    assert len(line) <= 80
    _, wide = shown(resident(name), width=200)
    assert wide.split()[0] == name
    assert "a4f5a8c04640" in wide


def test_what_is_not_known_is_left_open() -> None:
    name = ActorName("default", "child", "cart", 3)
    unplaced = Resident(name=name, standing="owned", said=Said(status="restarting", role="service"))
    assert shown(unplaced)[1].split() == ["default/child/cart#3", "restarting", "service", "0"]


def test_what_is_lost_or_wrong_is_told_below() -> None:
    lines = shown(
        resident("a/child/x#1", "orphan"),
        resident("a/child/y#1", "orphan"),
        resident("b/child/x#1", "fenced"),
        resident("c/child/x#1", "unknown"),
        resident("d/child/x#1", last_error="its process ended"),
    )
    assert [line.split()[1] for line in lines[1:6]] == ["orphan", "orphan", "fenced", "unknown", "running"]
    assert lines[6:] == [
        "child/x: its process ended",
        "c: its leader does not answer, so nothing is known of what it owns",
        "1 fenced and 2 orphan: owned by nobody, to be ended by `supervisor reap`",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (99, "99s"), (100, "1m"), (5999, "99m"), (6000, "1h"), (172_799, "47h"), (172_800, "2d")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, text: str) -> None:
    assert age_text(seconds * 1_000_000) == text


def test_a_name_that_fits_stays() -> None:
    assert shortened("a/b/c#1", 7) == "a/b/c#1"
    assert shortened("a/b/cdef#1", 8) == "a/b/c…#1"
