"""Work on a thread of its own holds nobody up, and what becomes of it can be waited for."""

from __future__ import annotations

import threading

import pytest

from actors.child.background import in_background, outcome_of

DEADLINE_S = 20.0


def test_who_begins_it_goes_on_meanwhile():
    gate, passed = threading.Event(), threading.Event()

    def work(to_set: threading.Event) -> None:
        gate.wait(DEADLINE_S)
        to_set.set()

    thread = in_background(work, passed)
    assert not passed.is_set()
    gate.set()
    thread.join(DEADLINE_S)
    assert passed.is_set()


def test_what_becomes_of_it_is_told():
    def fail() -> None:
        raise LookupError("nothing there")

    assert outcome_of(lambda: 7).result(DEADLINE_S) == 7
    with pytest.raises(LookupError, match="nothing there"):
        outcome_of(fail).result(DEADLINE_S)
