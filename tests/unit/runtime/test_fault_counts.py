"""Counts tell how often a fault acted while it is on and for a minute after; no call is lost to a race."""

from __future__ import annotations

import threading

from actors.runtime.fault_counts import COUNTS_MAX, READABLE_S, FaultCounts


def test_a_fault_that_acted_on_nothing_is_told_as_that() -> None:
    counts = FaultCounts()
    counts.begin("f", until=10.0)
    assert counts.seen(0.0) == {"f": 0}
    counts.note(["f", "unknown"])
    assert counts.seen(0.0) == {"f": 1}


def test_it_is_readable_for_a_minute_after_its_end_whoever_ended_it() -> None:
    counts = FaultCounts()
    counts.begin("f", until=10.0)
    counts.begin("g", until=10.0)
    counts.end("g", now=4.0)
    assert counts.seen(4.0 + READABLE_S - 0.1) == {"f": 0, "g": 0}
    assert counts.seen(4.0 + READABLE_S) == {"f": 0}
    assert counts.seen(10.0 + READABLE_S) == {}


def test_put_again_it_goes_on() -> None:
    counts = FaultCounts()
    counts.begin("f", until=1.0)
    counts.note(["f"])
    counts.begin("f", until=100.0)
    counts.note(["f"])
    assert counts.seen(100.0) == {"f": 2}


def test_they_are_bounded() -> None:
    counts = FaultCounts()
    for number in range(COUNTS_MAX + 5):
        counts.begin(str(number), until=1.0)
    assert len(counts.seen(0.0)) == COUNTS_MAX
    assert "4" not in counts.seen(0.0)


def test_threads_lose_none() -> None:
    counts = FaultCounts()
    counts.begin("f", until=1.0)
    threads = [threading.Thread(target=lambda: [counts.note(["f"]) for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.seen(0.0) == {"f": 8_000}
