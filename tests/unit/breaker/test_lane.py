"""Counts that any thread adds to, and that are each gathered once."""

from __future__ import annotations

import threading

from actors.breaker.lane import NEVER, Lane, Tally


def test_what_was_counted_is_taken_once():
    tally = Tally()
    assert tally.take() == 0
    for _ in range(3):
        tally.add()
    assert [tally.take(), tally.take()] == [3, 0]
    tally.add()
    assert tally.take() == 1


def test_nothing_is_lost_between_threads_that_count_and_one_that_gathers():
    tally, taken, over = Tally(), 0, threading.Event()

    def add() -> None:
        for _ in range(20_000):
            tally.add()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += tally.take()
        over.wait(0.001)
    assert taken + tally.take() == 80_000


def test_a_lane_begins_and_is_parked_with_no_way_through():
    lane = Lane(7)
    assert (lane.ticket, lane.word, lane.careful, lane.shut) == (7, NEVER, NEVER, NEVER)
    lane.word = lane.shut = 3
    lane.park()
    assert (lane.word, lane.shut) == (NEVER, NEVER)


def test_hits_refusals_and_durations_are_apart():
    lane = Lane(1)
    lane.hit()
    lane.bounce()
    lane.bounce()
    lane.durations.append(0.5)
    assert (lane.take_hits(), lane.take_refusals(), lane.take_durations()) == (1, 2, [0.5])
    assert (lane.take_hits(), lane.take_refusals(), lane.take_durations()) == (0, 0, [])
