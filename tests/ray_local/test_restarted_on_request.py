"""A child that somebody has restarted: for its callers it is no other than one that died."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from supervisor import Group
from tests.ray_local import wards
from tests.ray_local.test_children import pid


def test_who_calls_one_that_is_restarted_waits_for_its_next_life(group: Group, eventually: Callable[..., None]):
    ward: Any = group.supervise(wards.Ward, name="again")
    before, over, answers = pid(ward), threading.Event(), list[int]()

    def call() -> None:
        while not over.is_set():
            answers.append(pid(ward))

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call)
        group.restart("again", terminate_first=True)
        eventually(lambda: answers[-1:] != [before] and bool(answers), "an answer of the next life")
        over.set()
        calling.result()
    assert len({*answers} - {before}) == 1
    assert [member.restarts for member in group.children()] == [0], "it was wanted"
