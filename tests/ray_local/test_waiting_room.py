"""The leader's waiting room for those who follow changes, on a real Ray with its threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray

from actors.runtime.long_poll import LongPollFullError
from supervisor import Supervisor
from supervisor.change_feed import WAITERS_MAX
from tests.ray_local import wards

ANSWER_S = 30.0


def test_who_finds_the_waiting_room_of_changes_full_hears_so_and_comes_back(
    shared: Supervisor, eventually: Callable[..., None]
):
    client = shared._client
    with shared.subscribe(keys=["child/late"]) as told:
        leader, known, waiting = client._leader(), list(told._follower.known), list[Any]()

        def is_full() -> bool:
            try:
                batch = client._changes(known[0], known[1], 0.05)
            except LongPollFullError as error:
                return error.retry_after_s > 0
            if batch is not None:
                known[1] = batch.seq
            if batch is not None or not waiting:  # all who waited were answered
                waiting[:] = [leader.changes.remote(*known, ANSWER_S) for _ in range(2 * WAITERS_MAX)]
            return False

        eventually(is_full, "a refusal")
        shared.supervise(wards.Ward, name="late")
        assert next(told).event == "ready"
        assert len(ray.wait(waiting, num_returns=len(waiting), timeout=ANSWER_S)[1]) == 0, "nobody waits for ever"
