"""A cause reads the same wherever it arrives, also one that a former release has put on record."""

from __future__ import annotations

import pickle

from actors.breaker import messages as m
from actors.breaker.cause import Cause, Sample


def test_a_cause_travels_with_the_calls_behind_it() -> None:
    cause = Cause(kind="tripped", detail="all failed", samples=(Sample(reporter="p", error="TimeoutError"),))
    assert pickle.loads(pickle.dumps(cause)) == cause


def test_it_is_found_where_records_of_former_releases_look_for_it() -> None:
    assert (m.Cause, m.Sample) == (Cause, Sample)
