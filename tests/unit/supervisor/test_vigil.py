"""A standby that can neither watch nor lead ends: it holds the name under which somebody else would lead."""

from __future__ import annotations

import threading

import pytest

from actors.runtime.ids import ActorName
from supervisor import vigil
from supervisor.vigil import Vigil

DEADLINE_S = 20.0


def _fail(*_: object) -> None:
    raise RuntimeError("what nobody expects")


@pytest.mark.parametrize("cannot", ["find", "lead"])
def test_whoever_fails_at_it_ends(monkeypatch: pytest.MonkeyPatch, cannot: str) -> None:
    ended = threading.Event()
    monkeypatch.setattr(vigil, "actor_by_name", _fail if cannot == "find" else lambda _: None)
    monkeypatch.setattr(Vigil, "_meet", lambda _: None)
    made = Vigil(ActorName("s", "supervisor", "root", 2), 1, lead=_fail, end=ended.set)
    made.start()
    assert ended.wait(DEADLINE_S)


@pytest.mark.parametrize("stands_still", ["find", "lead"])
def test_whoever_stands_still_at_it_ends(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], stands_still: str
) -> None:
    ended, released = threading.Event(), threading.Event()

    def stand_still(*_: object) -> None:
        released.wait(DEADLINE_S)

    monkeypatch.setattr(vigil, "_GUARD_S", 0.01)
    monkeypatch.setattr(vigil, "actor_by_name", stand_still if stands_still == "find" else lambda _: None)
    monkeypatch.setattr(Vigil, "_meet", lambda _: None)
    made = Vigil(ActorName("s", "supervisor", "root", 2), 1, lead=stand_still, end=ended.set)
    made.start()
    try:
        assert ended.wait(DEADLINE_S)
        assert "in stand_still" in capfd.readouterr().err, "it says where"
    finally:
        released.set()
