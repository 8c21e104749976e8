"""How children end on a real Ray, who comes back, and who else is replaced: the starred rows of the test matrix."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor import ChildExitedError, Group, Supervisor
from tests.ray_local import wards

ANSWER_S = 30.0

Eventually = Callable[..., None]


def pid(child: Any) -> int:
    return int(child.pid.remote().result(timeout=ANSWER_S))


def view(sup: Supervisor, key: str) -> Any:
    return next((child for child in sup.status().tree if child.key == key), None)


def told(sup: Supervisor, key: str, *events: str) -> list[tuple[str, str | None]]:
    """What the log has of a child, in order: these events with the kind of end."""
    sql = "select event, exit_class from children where child = ? and list_contains(?, event) order by ingest_id"
    return [(row["event"], row["exit_class"]) for row in sup.events.query(sql, [key, list(events)])]


def restarts(sup: Supervisor, key: str) -> list[str]:
    """The kinds of end that were followed by a restart, as the log has them."""
    found = sup.events.query("select exit_class from restarts where child = ?", [key])
    return [row["exit_class"] for row in found]


# -- asked to ---------------------------------------------------------------------------------------------------------


def test_stop_waits_for_the_child(shared: Supervisor, group: Group, tmp_path: Path, eventually: Eventually):
    mark = tmp_path / "mark"
    group.supervise(wards.Stubborn, name="slow", args=(str(mark), 0.5), shutdown_s=20.0)
    group.terminate("slow")
    assert mark.read_text(encoding="utf-8") == "done"
    key = f"child/{group.path}.slow"
    eventually(lambda: told(shared, key, "killed", "stopped") == [("stopped", "shutdown")], "an end in order")


def test_stop_times_out_and_kills(
    shared: Supervisor, group: Group, tmp_path: Path, eventually: Eventually, is_alive: Any
):
    mark, key = tmp_path / "mark", f"child/{group.path}.naughty"
    ward: Any = group.supervise(wards.Stubborn, name="naughty", args=(str(mark), 600.0), shutdown_s=0.5)
    process = pid(ward)
    group.terminate("naughty")
    assert mark.read_text(encoding="utf-8") == "asked"
    eventually(lambda: not is_alive(process), "the end of its process")
    assert (view(shared, key).status, group.count().active) == ("stopped", 0)
    rows = [("killed", None), ("stopped", "shutdown")]
    eventually(lambda: told(shared, key, "killed", "stopped") == rows, "what the log says of it")


def test_brutal_kill(shared: Supervisor, group: Group, tmp_path: Path, eventually: Eventually, is_alive: Any):
    mark, key = tmp_path / "mark", f"child/{group.path}.naughty"
    ward: Any = group.supervise(wards.Stubborn, name="naughty", args=(str(mark), 600.0), shutdown_s="brutal_kill")
    process = pid(ward)
    group.terminate("naughty")
    eventually(lambda: not is_alive(process), "the end of its process")
    assert not mark.exists(), "it was not asked"
    assert (view(shared, key).status, group.count().active) == ("stopped", 0)
    rows = [("stopped", "shutdown")]
    eventually(lambda: told(shared, key, "killed", "stopped") == rows, "an end that was in order, not late")


# -- the nine cells ---------------------------------------------------------------------------------------------------

LIVES_ON = {
    ("permanent", "normal"): True,
    ("permanent", "crash"): True,
    ("permanent", "killed"): True,
    ("transient", "normal"): False,
    ("transient", "crash"): True,
    ("transient", "killed"): True,
    ("temporary", "normal"): False,
    ("temporary", "crash"): False,
    ("temporary", "killed"): False,
}


@pytest.mark.parametrize(("restart", "how"), list(LIVES_ON))
def test_restart_types_by_exit(
    shared: Supervisor, group: Group, eventually: Eventually, is_alive: Any, restart: Any, how: str
):
    """Normal is `sys.exit(0)`, a crash `sys.exit(3)`, and who was killed had no say."""
    ward: Any = group.supervise(wards.Ward, name="ward", restart=restart)
    key, before = f"child/{group.path}.ward", pid(ward)
    if how == "killed":
        os.kill(before, signal.SIGKILL)
    else:
        with pytest.raises(ChildExitedError) as caught:
            ward.leave.remote(0 if how == "normal" else 3).result(timeout=ANSWER_S)
        assert caught.value.exit_class == how
    eventually(lambda: told(shared, key, "died") == [("died", how)], "its end in the log")
    eventually(lambda: not is_alive(before), "the end of its process")
    if LIVES_ON[restart, how]:
        eventually(lambda: pid(ward) != before, "its next life")
        eventually(lambda: restarts(shared, key) == [how], "the reason of its restart in the log")
    elif restart == "temporary":
        eventually(lambda: view(shared, key) is None, "its spec is forgotten")
    else:
        eventually(lambda: view(shared, key).status == "stopped", "it stays away")
        assert (view(shared, key).incarnation, restarts(shared, key)) == (1, [])


@pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
def test_restart_types_by_shutdown(
    shared: Supervisor, group: Group, eventually: Eventually, is_alive: Any, restart: Any
):
    ward: Any = group.supervise(wards.Ward, name="ward", restart=restart)
    key, before = f"child/{group.path}.ward", pid(ward)
    group.terminate("ward")
    eventually(lambda: not is_alive(before), "the end of its process")
    eventually(lambda: told(shared, key, "stopped") == [("stopped", "shutdown")], "its end in the log")
    is_kept = restart != "temporary"
    assert (group.count().specs, group.count().active) == (int(is_kept), 0)
    if is_kept:
        assert (view(shared, key).status, view(shared, key).incarnation) == ("stopped", 1)
    else:
        assert view(shared, key) is None
    assert restarts(shared, key) == []


# -- strategies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "replaced"), [("one_for_one", "b"), ("one_for_all", "abc"), ("rest_for_one", "bc")]
)
def test_a_strategy_replaces_the_right_set_and_the_kill_over_the_intensity_ends_the_group(
    shared: Supervisor, group: Group, eventually: Eventually, strategy: Any, replaced: str
):
    """The group that is over its intensity ends as a whole, and the one around it starts it again as a whole."""
    inner = group.group("trio", strategy=strategy, intensity=1, period_s=60)
    trio: dict[str, Any] = {name: inner.supervise(wards.Ward, name=name) for name in "abc"}

    def lives() -> dict[str, int]:
        return {name: view(shared, f"child/{inner.path}.{name}").incarnation for name in "abc"}

    def runs(*, restarted: int) -> bool:
        trees = [view(shared, f"child/{inner.path}.{name}").status for name in "abc"]
        status = inner.status()
        return trees == ["running"] * 3 and (status.status, status.restarts) == ("running", restarted)

    before = {name: pid(ward) for name, ward in trio.items()}
    os.kill(before["b"], signal.SIGKILL)
    once = {name: 2 if name in replaced else 1 for name in "abc"}
    eventually(lambda: lives() == once and runs(restarted=0), f"{strategy}: the right set and no more")
    after = {name: pid(ward) for name, ward in trio.items()}
    assert "".join(name for name in "abc" if after[name] != before[name]) == replaced
    os.kill(after["b"], signal.SIGKILL)
    twice = {name: number + 1 for name, number in once.items()}
    eventually(lambda: lives() == twice and runs(restarted=1), "the group as a whole, once")
    assert restarts(shared, inner.path) == ["shutdown"]
